"""HTML pages: the template environment, and what every template may use.

``base.html``, ``error.html`` and ``maintenance.html`` lie in ``platform/templates``; the other
templates lie beside the routes that show them.
"""

from html import escape
from pathlib import Path
from urllib.parse import quote

from minijinja import Environment, safe

from vitrina.platform import static
from vitrina.settings import Settings

TEMPLATES = Path(__file__).with_name("templates")


def environment(settings: Settings, *folders: Path) -> Environment:
    """An environment over ``platform/templates`` and ``folders``, searched in that order.

    Values are escaped for HTML in every ``*.html`` template. An undefined name is an error: a
    typing mistake must not become an empty price. Every template may use

    - ``shop_name`` and ``public_url`` (without a slash at the end),
    - ``test_payments``: whether the provider is the built-in one that takes no money,
    - ``static("viewer.js")``: the address of a built file,
    - ``count | plural("object", "objects")``: ``1 object``, ``3 objects``,
    - ``path | address``: an address for an attribute, with its slashes left as they are.
    """
    searched = (TEMPLATES, *folders)

    def load(name: str) -> str | None:
        for folder in searched:
            try:
                return (folder / name).read_text(encoding="utf-8")
            except FileNotFoundError:
                continue
        return None

    return Environment(
        loader=load,
        globals={
            "shop_name": settings.shop_name,
            "public_url": settings.public_url,
            "test_payments": settings.payment_provider == "test",
            "static": lambda name: safe(static.url(name)),
        },
        filters={"plural": _plural, "address": _address},
        undefined_behavior="strict",
        debug=False,  # its messages list every value, a shopper's address among them
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _plural(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _address(path: str) -> str:
    """Sound in an attribute. The engine itself would write each slash as an entity."""
    return safe(escape(quote(path, safe="/:?=&%+,@;~!*()[]#")))
