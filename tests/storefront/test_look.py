"""The stylesheet keeps its promises: contrast in both themes, weight, and no dead names."""

import re
from math import cos, radians, sin
from pathlib import Path

import pytest

from vitrina.platform import static

RGB = tuple[float, float, float]

LIGHT, DARK = "light", "dark"
WORDS = 4.5  # WCAG 2.2, 1.4.3
SIGNS = 3.0  # WCAG 2.2, 1.4.11

_TOKEN = re.compile(r"--([a-z0-9-]+):\s*([^;]+);")
_OKLCH = re.compile(r"oklch\(([\d.]+) ([\d.]+) ([\d.]+)\)")
_TINT = re.compile(r"\.tint-\d \{ --hue: (\d+); --tone: ([\d.]+); \}")


@pytest.fixture(scope="module")
def style(root: Path) -> str:
    text = (root / "frontend/storefront/storefront.css").read_text()
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


@pytest.fixture(scope="module")
def tokens(style: str) -> dict[str, dict[str, str]]:
    """By theme, what each token is."""
    light, dark = (
        dict(_TOKEN.findall(block))
        for block in re.findall(r":root \{(.*?)\}", style, re.DOTALL)[:2]
    )
    return {LIGHT: light, DARK: {**light, **dark}}


def srgb(lightness: float, chroma: float, hue_deg: float) -> RGB:
    """Linear-light sRGB of an OKLCH colour, clipped (CSS Color 4, sections 9.2 and 10)."""
    a, b = chroma * cos(radians(hue_deg)), chroma * sin(radians(hue_deg))
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return (min(max(red, 0), 1), min(max(green, 0), 1), min(max(blue, 0), 1))


def luminance(colour: RGB) -> float:
    return 0.2126 * colour[0] + 0.7152 * colour[1] + 0.0722 * colour[2]


def contrast(one: RGB, other: RGB) -> float:
    """WCAG's ratio of two colours."""
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def colour(tokens: dict[str, str], name: str) -> RGB:
    found = _OKLCH.fullmatch(tokens[name].strip())
    assert found, f"--{name} is {tokens[name]}"
    return srgb(*(float(number) for number in found.groups()))


def test_the_formula_agrees_with_known_colours() -> None:
    assert contrast(srgb(1, 0, 0), srgb(0, 0, 0)) == pytest.approx(21, abs=0.01)
    # #767676 on white is the lightest grey that carries text: 4.54.
    assert contrast(srgb(0.5657, 0, 0), srgb(1, 0, 0)) == pytest.approx(4.54, abs=0.02)


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize(
    ("front", "back", "least"),
    [
        ("ink", "paper", WORDS),
        ("ink", "raised", WORDS),
        ("soft", "paper", WORDS),
        ("soft", "raised", WORDS),
        ("on-ink", "ink", WORDS),
        ("paper", "accent", WORDS),
        ("on-ink", "accent", WORDS),
        ("alarm", "paper", WORDS),
        ("alarm", "alarm-soft", WORDS),
        ("ink", "alarm-soft", WORDS),
        ("ink", "accent-soft", WORDS),
        ("accent", "paper", SIGNS),
        ("edge", "paper", SIGNS),
        ("edge", "raised", SIGNS),
    ],
)
def test_what_is_read_stands_out_from_what_is_behind_it(
    tokens: dict[str, dict[str, str]], theme: str, front: str, back: str, least: float
) -> None:
    named = tokens[theme]

    assert contrast(colour(named, front), colour(named, back)) >= least


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_captions_can_be_read_on_the_rim_of_every_ground(
    tokens: dict[str, dict[str, str]], theme: str, style: str
) -> None:
    named = tokens[theme]
    tints = _TINT.findall(style)
    assert len(tints) == 8

    for hue, tone in tints:
        chroma = float(tone) * float(named["ground-chroma"])
        rim = srgb(float(named["ground-rim"]), chroma, float(hue))
        assert contrast(colour(named, "ink"), rim) >= WORDS
        assert contrast(colour(named, "accent"), rim) >= SIGNS, "the focus ring"


def test_scripts_and_styles_are_light() -> None:
    def travels(name: str) -> int:
        return Path(f"{static.path(name)}.br").stat().st_size

    assert travels("storefront.css") <= 12_000
    assert travels("storefront.js") <= 6_000


def templates(root: Path) -> dict[str, str]:
    folders = (root / "src/vitrina/storefront/templates", root / "src/vitrina/platform/templates")
    own = {"base.html", "error.html", "maintenance.html"}
    return {
        path.name: path.read_text()
        for folder in folders
        for path in folder.glob("*.html")
        if folder == folders[0] or path.name in own
    }


def test_every_class_is_styled_and_every_style_is_used(root: Path, style: str) -> None:
    pages = templates(root)
    script = (root / "frontend/storefront/storefront.ts").read_text()
    folder = root / "src/vitrina/storefront"
    code = "".join((folder / name).read_text() for name in ("browse.py", "orders.py"))
    used = {
        name
        for page in pages.values()
        for value in re.findall(r'class="([^"]*)"', page)
        for name in re.sub(r"\{[{%].*?[%}]\}", " ", value).split()
        if not name.endswith("-")
    }
    styled = set(re.findall(r"\.([a-z][a-z0-9-]*)", style))

    # Written by the viewer, or only a hook for tests and scripts.
    elsewhere = {"product-3d-poster", "product-3d-start", "card-title", "case"}
    assert used - styled - elsewhere == set()
    mentioned = "".join(pages.values()) + script + code
    unused = {name for name in styled if not re.search(rf"(?<![\w-]){name}(?![\w-])", mentioned)}
    assert {name for name in unused if not name.startswith("tint-") and name != "css"} == set()


def test_pages_have_no_inline_style_or_script(root: Path) -> None:
    for name, page in templates(root).items():
        assert not re.search(r"\sstyle=|\son[a-z]+=", page), name
        for script in re.findall(r"<script([^>]*)>", page):
            assert "src=" in script or "json" in script, name
