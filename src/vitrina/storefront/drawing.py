"""The drawing of a product's outer size: a box in oblique projection beside something familiar.

Everything is in the units of the drawing, WIDTH by HEIGHT, y downwards; templates only place it.
"""

from dataclasses import dataclass
from math import cos, radians, sin

from vitrina.catalogue.model import Dimensions

WIDTH = 360.0
HEIGHT = 250.0
_MARGIN_LEFT = 66.0  # room for the height's figure
_MARGIN_RIGHT = 8.0
_MARGIN_TOP = 8.0
_MARGIN_BOTTOM = 40.0  # room for the width's figure and the caption
_GAP = 58.0  # between the box and the thing beside it: room for the depth's figure
# Cabinet projection: depth runs at 40 degrees, half as long as it is.
_DEPTH_X = 0.5 * cos(radians(40))
_DEPTH_Y = 0.5 * sin(radians(40))


@dataclass(frozen=True, slots=True)
class Familiar:
    """A thing whose size everybody knows."""

    name: str
    width_m: float
    height_m: float


# ISO 216 sheet; the door leaf is the most usual size of DIN 18101.
SHEET = Familiar("A4 sheet", 0.21, 0.297)
DOOR = Familiar("door", 0.86, 1.985)
_SHEET_UP_TO_M = 0.75


@dataclass(frozen=True, slots=True)
class Point:
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Lines and labels of the drawing.

    Attributes:
        faces: outline of front, top and side, as SVG path data.
        hidden: the edges behind, as SVG path data.
        measures: three dimension lines, as SVG path data.
        width_at, height_at, depth_at: where the figures stand.
        beside: outline of the familiar thing, as SVG path data.
        beside_at: where its name stands.
    """

    faces: str
    hidden: str
    measures: str
    width_at: Point
    height_at: Point
    depth_at: Point
    beside: str
    beside_at: Point
    beside_name: str
    floor_y: float
    words: str  # the same for people who do not see it


def draw(dimensions: Dimensions) -> Drawing:
    """Draw the outer box of a product to scale."""
    largest_m = max(dimensions.width_m, dimensions.height_m, dimensions.depth_m)
    familiar = SHEET if largest_m <= _SHEET_UP_TO_M else DOOR
    box_width_m = dimensions.width_m + dimensions.depth_m * _DEPTH_X
    box_height_m = dimensions.height_m + dimensions.depth_m * _DEPTH_Y
    all_width_m = box_width_m + familiar.width_m
    all_height_m = max(box_height_m, familiar.height_m)
    scale = min(
        (WIDTH - _MARGIN_LEFT - _GAP - _MARGIN_RIGHT) / all_width_m,
        (HEIGHT - _MARGIN_TOP - _MARGIN_BOTTOM) / all_height_m,
    )

    floor_y = HEIGHT - _MARGIN_BOTTOM
    left = _MARGIN_LEFT
    width, height = dimensions.width_m * scale, dimensions.height_m * scale
    right, top = left + width, floor_y - height
    away_x, away_y = dimensions.depth_m * scale * _DEPTH_X, dimensions.depth_m * scale * _DEPTH_Y

    thing_left = left + box_width_m * scale + _GAP
    thing_width, thing_height = familiar.width_m * scale, familiar.height_m * scale
    return Drawing(
        faces=(
            f"{_move(left, top)}{_across(width)}{_down(height)}{_across(-width)}Z"
            f"{_move(left, top)}{_line(away_x, -away_y)}{_across(width)}{_line(-away_x, away_y)}"
            f"{_move(right + away_x, top - away_y)}{_down(height)}{_line(-away_x, away_y)}"
        ),
        hidden=(
            f"{_move(left, floor_y)}{_line(away_x, -away_y)}{_across(width)}"
            f"{_move(left + away_x, floor_y - away_y)}{_down(-height)}"
        ),
        measures=(
            f"{_move(left, floor_y + 9)}{_across(width)}"
            f"{_move(left, floor_y + 5)}{_down(8)}{_move(right, floor_y + 5)}{_down(8)}"
            f"{_move(left - 9, top)}{_down(height)}"
            f"{_move(left - 13, top)}{_across(8)}{_move(left - 13, floor_y)}{_across(8)}"
            f"{_move(right + 9, floor_y)}{_line(away_x, -away_y)}"
        ),
        width_at=Point(_round(left + width / 2), _round(floor_y + 26)),
        height_at=Point(_round(left - 17), _round(top + height / 2 + 4)),
        depth_at=Point(_round(right + away_x / 2 + 15), _round(floor_y - away_y / 2 + 10)),
        beside=(
            f"{_move(thing_left, floor_y - thing_height)}{_across(thing_width)}"
            f"{_down(thing_height)}{_across(-thing_width)}Z"
        ),
        beside_at=Point(_round(thing_left + thing_width / 2), _round(floor_y + 26)),
        beside_name=familiar.name,
        floor_y=floor_y,
        words=(
            f"Width {centimetres(dimensions.width_m)}, height {centimetres(dimensions.height_m)}, "
            f"depth {centimetres(dimensions.depth_m)}, drawn to scale beside "
            f"{'an' if familiar is SHEET else 'a'} {familiar.name} of "
            f"{centimetres(familiar.width_m)} by {centimetres(familiar.height_m)}."
        ),
    )


def centimetres(metres: float) -> str:
    """``48 cm`` from 10 cm up, ``8.4 cm`` below: nobody wants a table to the millimetre."""
    value = metres * 100
    text = f"{value:.0f}" if value >= 9.95 else f"{value:.1f}".removesuffix(".0")
    return f"{text} cm"


def _round(value: float) -> float:
    return round(value, 1)


def _move(x: float, y: float) -> str:
    return f"M{_round(x):g} {_round(y):g}"


def _line(dx: float, dy: float) -> str:
    return f"l{_round(dx):g} {_round(dy):g}"


def _across(dx: float) -> str:
    return f"h{_round(dx):g}"


def _down(dy: float) -> str:
    return f"v{_round(dy):g}"
