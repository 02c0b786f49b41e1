"""A stand-in for a poster, for as long as nobody could photograph the product.

Chromium draws posters. Where it is missing, the shelf still shows a thing of the right proportions,
in the posters' three-quarter view and on the same soft ground, that nobody takes for a photograph.
"""

from math import cos, radians, sin
from typing import TypeAlias

import pyvips

from vitrina.models3d.model import Manifest

Corner: TypeAlias = tuple[float, float, float]
Point: TypeAlias = tuple[float, float]

AZIMUTH, ELEVATION = radians(30), radians(15)
FILLED = 0.62  # share of the picture that the box takes up, in its longer direction
# From upper edge to lower edge; grey enough to stand on a white page and on a black one.
TOP, FRONT, SIDE = ("#e9e6e0", "#dcd8d0"), ("#cfcac0", "#b9b3a7"), ("#b3ada1", "#989184")


def neutral_poster(manifest: Manifest, *, size_px: int) -> bytes:
    """A drawing of the product's outer box, seen from where a poster is taken.

    Returns:
        A square WebP with a transparent ground, a few kilobytes; the same bytes every time.
    """
    picture = pyvips.Image.svgload_buffer(_drawing(manifest, size_px).encode())
    return bytes(picture.webpsave_buffer(Q=90, effort=6, keep="none"))


def _drawing(manifest: Manifest, size_px: int) -> str:
    size = tuple(
        max(high - low, 1e-6)
        for low, high in zip(manifest.bounds_min_m, manifest.bounds_max_m, strict=True)
    )
    longest = max(size)
    # A poster or a rug is thin, not invisible.
    width, height, depth = (max(side, longest / 50) for side in size)
    corners = {
        (x, y, z): _seen((x * width, y * height, z * depth))
        for x in (-0.5, 0.5)
        for y in (0.0, 1.0)
        for z in (-0.5, 0.5)
    }
    across, down = zip(*corners.values(), strict=True)
    left, top = min(across), min(down)
    spans = (max(across) - left, max(down) - top)
    scale = FILLED * size_px / max(spans)

    def placed(point: Point) -> Point:
        return (
            size_px / 2 + (point[0] - left - spans[0] / 2) * scale,
            size_px / 2 + (point[1] - top - spans[1] / 2) * scale,
        )

    def face(*names: Corner) -> str:
        return " ".join("{:.1f},{:.1f}".format(*placed(corners[name])) for name in names)

    near = 0.5
    faces = {
        "top": face((-near, 1, -near), (near, 1, -near), (near, 1, near), (-near, 1, near)),
        "front": face((-near, 1, near), (near, 1, near), (near, 0, near), (-near, 0, near)),
        "side": face((near, 1, near), (near, 1, -near), (near, 0, -near), (near, 0, near)),
    }
    ground = placed(_seen((0, 0, 0)))
    reach = max(spans[0], longest / 3) * scale * 0.72
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size_px}" height="{size_px}"><defs>'
        '<radialGradient id="shadow"><stop offset="0.35" stop-opacity="0.34"/>'
        '<stop offset="1" stop-opacity="0"/></radialGradient>'
        f"{_shades('top', TOP)}{_shades('front', FRONT)}{_shades('side', SIDE)}</defs>"
        f'<ellipse cx="{ground[0]:.1f}" cy="{ground[1]:.1f}" rx="{reach:.1f}" '
        f'ry="{reach * 0.36:.1f}" fill="url(#shadow)"/>'
        + "".join(
            f'<polygon points="{points}" fill="url(#{name})" stroke="#f6f4f0" '
            f'stroke-opacity="0.55" stroke-width="{size_px / 400:.2f}" stroke-linejoin="round"/>'
            for name, points in faces.items()
        )
        + "</svg>"
    )


def _seen(corner: Corner) -> Point:
    """A point in metres as it lies in the picture: to the right, and down."""
    x, y, z = corner
    away = x * sin(AZIMUTH) + z * cos(AZIMUTH)
    return x * cos(AZIMUTH) - z * sin(AZIMUTH), away * sin(ELEVATION) - y * cos(ELEVATION)


def _shades(name: str, colours: tuple[str, str]) -> str:
    return (
        f'<linearGradient id="{name}" x1="0" y1="0" x2="0" y2="1">'
        f'<stop offset="0" stop-color="{colours[0]}"/>'
        f'<stop offset="1" stop-color="{colours[1]}"/></linearGradient>'
    )
