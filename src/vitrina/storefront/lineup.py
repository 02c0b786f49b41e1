"""Products side by side at one scale, worked out from their models' bounds.

Posters are taken by the rule of ``frontend/viewer/framing.ts``: the camera stands at a home angle
and as far away as the product's bounds need. The same rule, followed backwards, tells how many
metres a poster is wide, so that pictures can be set beside each other as the things would stand.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import cos, radians, sin, tan

from vitrina.catalogue.model import Product
from vitrina.models3d.model import Manifest, Vector
from vitrina.storefront.drawing import centimetres
from vitrina.storefront.views import Picture

# Of framing.ts; a test compares them.
FIELD_OF_VIEW_DEG = 30.0
HOME_AZIMUTH_DEG = 30.0
HOME_ELEVATION_DEG = 15.0
FILL = 0.85
_ROUNDS = 4

UNITS_PER_M = 100.0
_GAP_M = 0.16
_MARGIN_M = 0.14
_RULER_M = 0.5  # room for the ruler before the first thing
_LEAST_TARGET_M = 0.24  # so wide is what one can hit, however small the thing
# A line this many times as long as its tallest thing is high is full.
_FULL = 3.2


@dataclass(frozen=True, slots=True)
class Standing:
    """A product in the line; lengths in units of the drawing, y downwards."""

    slug: str
    title: str
    picture: Picture
    x: float  # of the poster
    y: float
    side: float
    left: float  # of what one can hit
    width: float


@dataclass(frozen=True, slots=True)
class LineUp:
    """The whole drawing."""

    things: tuple[Standing, ...]
    width: float
    height: float
    floor_y: float
    tallest_y: float  # top of the tallest
    tallest_size: str  # such as "192 cm"


@dataclass(frozen=True, slots=True)
class _Shot:
    """How a poster shows its product: metres from the middle of the poster, to the right and up,
    in the plane through the point that the camera turns about."""

    side_m: float
    left_m: float
    right_m: float
    top_m: float
    bottom_m: float
    floor_m: float  # the floor under the product's middle


def line_up(products: Iterable[Product]) -> LineUp | None:
    """Stand products in a line, in the order given, until it is full; None without any."""
    chosen: list[tuple[Product, Manifest, Picture]] = []
    for product in products:
        picture = Picture.of(product.poster(product.variants[0].material_variant))
        if product.model and picture:
            chosen.append((product, product.model, picture))
    if not chosen:
        return None

    tallest, model, _ = max(chosen, key=lambda each: _height_m(each[1]))
    shots = [_shot(manifest.bounds_min_m, manifest.bounds_max_m) for _, manifest, _ in chosen]
    floor_y = _units(_MARGIN_M + max(shot.top_m - shot.floor_m for shot in shots))
    things: list[Standing] = []
    at_m = _RULER_M
    for (product, _, picture), shot in zip(chosen, shots, strict=True):
        width_m = max(shot.right_m - shot.left_m, _LEAST_TARGET_M)
        if things and product is not tallest and at_m + width_m > _FULL * _height_m(model):
            continue
        middle_m = at_m + width_m / 2 - (shot.left_m + shot.right_m) / 2
        things.append(
            Standing(
                slug=product.slug,
                title=product.title,
                picture=picture,
                x=_units(middle_m - shot.side_m / 2),
                y=_round(floor_y + (shot.floor_m - shot.side_m / 2) * UNITS_PER_M),
                side=_units(shot.side_m),
                left=_units(at_m),
                width=_units(width_m),
            )
        )
        at_m += width_m + _GAP_M
    before_m = max(shot.floor_m - shot.bottom_m for shot in shots)
    return LineUp(
        things=tuple(things),
        width=_units(at_m - _GAP_M + _MARGIN_M),
        height=_round(floor_y + (before_m + _MARGIN_M) * UNITS_PER_M),
        floor_y=floor_y,
        tallest_y=_round(floor_y - _height_m(model) * _COS_ELEVATION * UNITS_PER_M),
        tallest_size=centimetres(_height_m(model)),
    )


def _height_m(manifest: Manifest) -> float:
    return manifest.bounds_max_m[1] - manifest.bounds_min_m[1]


def _shot(low: Vector, high: Vector) -> _Shot:
    half = [(top - bottom) / 2 for bottom, top in zip(low, high, strict=True)]
    corners = [
        [x * half[0], y * half[1], z * half[2]] for x in (-1, 1) for y in (-1, 1) for z in (-1, 1)
    ]
    lift_m = 0.0
    for _ in range(_ROUNDS):
        distance_m = _distance_m(corners)
        heights = [y / (distance_m - z) for _, y, z in _seen(corners)]
        step_m = (max(heights) + min(heights)) / 2 * distance_m / _COS_ELEVATION
        lift_m += step_m
        for corner in corners:
            corner[1] -= step_m
    distance_m = _distance_m(corners)
    ((_, below_m, near_m),) = _seen([(0.0, -half[1] - lift_m, 0.0)])
    across = [x * distance_m / (distance_m - z) for x, _, z in _seen(corners)]
    upwards = [y * distance_m / (distance_m - z) for _, y, z in _seen(corners)]
    return _Shot(
        side_m=2 * distance_m * _TANGENT,
        left_m=min(across),
        right_m=max(across),
        top_m=max(upwards),
        bottom_m=min(upwards),
        floor_m=below_m * distance_m / (distance_m - near_m),
    )


def _distance_m(corners: Sequence[Sequence[float]]) -> float:
    """How far the camera stands, so that every corner lies within the filled part."""
    edge = FILL * _TANGENT
    return max(max(abs(x), abs(y)) / edge + z for x, y, z in _seen(corners))


def _seen(corners: Sequence[Sequence[float]]) -> list[tuple[float, float, float]]:
    """Corners as the camera sees them from home: to its right, up, and towards it."""
    found = []
    for x, y, z in corners:
        towards = x * _SIN_AZIMUTH + z * _COS_AZIMUTH
        found.append(
            (
                x * _COS_AZIMUTH - z * _SIN_AZIMUTH,
                y * _COS_ELEVATION - towards * _SIN_ELEVATION,
                y * _SIN_ELEVATION + towards * _COS_ELEVATION,
            )
        )
    return found


def _units(metres: float) -> float:
    return _round(metres * UNITS_PER_M)


def _round(value: float) -> float:
    return round(value, 1)


_TANGENT = tan(radians(FIELD_OF_VIEW_DEG) / 2)
_SIN_AZIMUTH, _COS_AZIMUTH = sin(radians(HOME_AZIMUTH_DEG)), cos(radians(HOME_AZIMUTH_DEG))
_SIN_ELEVATION, _COS_ELEVATION = sin(radians(HOME_ELEVATION_DEG)), cos(radians(HOME_ELEVATION_DEG))
