"""Pages taken apart: a small tree of elements, and what is wrong with one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr",
}  # fmt: skip
REFERENCES = ("for", "aria-labelledby", "aria-describedby", "aria-controls")


@dataclass
class Element:
    """An element with what is inside it."""

    tag: str
    attributes: dict[str, str]
    parent: Element | None = None
    children: list[Element | str] = field(default_factory=list)

    def all(self, tag: str = "", **attributes: str) -> list[Element]:
        """Descendants with this tag and these attributes; ``data_price=""`` asks only for one."""
        return [each for each in self if each.matches(tag, attributes)]

    def one(self, tag: str = "", **attributes: str) -> Element:
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} of {tag} {attributes}"
        return found[0]

    def matches(self, tag: str, attributes: dict[str, str]) -> bool:
        for name, wanted in attributes.items():
            value = self.attributes.get(name.strip("_").replace("_", "-"))
            if value is None or (wanted and wanted not in (value, *value.split())):
                return False
        return not tag or self.tag == tag

    @property
    def text(self) -> str:
        """What is written in it, with single spaces."""
        return " ".join(self.raw.split())

    @property
    def raw(self) -> str:
        return "".join(each if isinstance(each, str) else each.raw for each in self.children)

    def __iter__(self) -> Iterator[Element]:
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child

    def __getitem__(self, name: str) -> str:
        return self.attributes[name]


@dataclass
class Document(Element):
    """A whole page."""

    faults: list[str] = field(default_factory=list)  # of its nesting

    @property
    def heading(self) -> str:
        return self.one("h1").text

    def problems(self) -> list[str]:
        """Everything a browser, a reader's software or our policy would stumble over."""
        return [*self.faults, *_structure(self), *_controls(self), *_policy(self)]


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.document = Document("", {})
        self.open: list[Element] = [self.document]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = Counter(name for name, _ in attrs)
        self.document.faults += [
            f"<{tag}> has {name} twice" for name, count in names.items() if count > 1
        ]
        parent = self.open[-1]
        element = Element(tag, {name: value or "" for name, value in attrs}, parent)
        parent.children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if len(self.open) > 1 and self.open[-1].tag == tag:
            self.open.pop()
        else:
            self.document.faults.append(f"</{tag}> closes <{self.open[-1].tag}>")

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parse(html: str) -> Document:
    """Read a page, or a piece of one."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    reader.document.faults += [f"<{element.tag}> is never closed" for element in reader.open[1:]]
    return reader.document


def _structure(page: Document) -> Iterator[str]:
    ids = Counter(element["id"] for element in page.all(id=""))
    yield from (f"id {name!r} is there {count} times" for name, count in ids.items() if count > 1)
    for element in page:
        for name in REFERENCES:
            for target in element.attributes.get(name, "").split():
                if target not in ids:
                    yield f"{name}={target!r} leads nowhere"
        address = element.attributes.get("href", "")
        if address.startswith("#") and address[1:] not in ids:
            yield f"a link leads to {address}, which is not there"
    if len(page.all("main")) != 1:
        yield "there is not exactly one <main>"
    before = 0
    for element in page:
        if len(element.tag) == 2 and element.tag[0] == "h" and element.tag[1].isdigit():
            level = int(element.tag[1])
            if level > before + 1:
                yield f"heading {element.text!r} jumps from level {before} to {level}"
            before = level
    if len(page.all("h1")) != 1:
        yield f"there are {len(page.all('h1'))} <h1>"
    if page.all("html") and not page.one("html").attributes.get("lang"):
        yield "the page has no language"
    if not page.one("title").text:
        yield "the page has no title"


def _controls(page: Document) -> Iterator[str]:
    labels = {label["for"]: label.text for label in page.all("label", for_="")}
    for control in [*page.all("input"), *page.all("select"), *page.all("textarea")]:
        hidden = control.attributes.get("type") == "hidden"
        if not hidden and not labels.get(control.attributes.get("id", "")):
            yield f"{control.attributes} has no label"
    for control in [*page.all("a", href=""), *page.all("button")]:
        if not (control.text or control.attributes.get("aria-label")):
            yield f"{control.attributes} has no name"
    for picture in page.all("img"):
        missing = {"alt", "width", "height"} - picture.attributes.keys()
        if missing:
            yield f"{picture.attributes.get('src')} lacks {sorted(missing)}"


def _policy(page: Document) -> Iterator[str]:
    for element in page:
        for name, value in element.attributes.items():
            if name == "style" or name.startswith("on") or value.startswith("javascript:"):
                yield f"<{element.tag} {name}> is against the content security policy"
        if element.tag == "style":
            yield "<style> is against the content security policy"
        is_inline = element.tag == "script" and "src" not in element.attributes
        if is_inline and "json" not in element.attributes.get("type", ""):
            yield "an inline script is against the content security policy"
