"""Plane and space curves: what profiles, outlines and paths are made of."""

from __future__ import annotations

from collections.abc import Sequence
from math import acos, ceil, pi, tan

import numpy as np

from vitrina.studio.mesh import Floats, unit

Point = Sequence[float]


def lengths(curve: Floats) -> Floats:
    """Distance travelled along a curve at each of its points, starting with 0."""
    steps = np.sqrt((np.diff(curve, axis=0) ** 2).sum(axis=1))
    return np.concatenate([[0.0], np.cumsum(steps)])


def resampled(curve: Floats, count: int) -> Floats:
    """The same curve through `count` points at equal distances."""
    travelled = lengths(curve)
    wanted = np.linspace(0.0, travelled[-1], count)
    return np.stack([np.interp(wanted, travelled, axis) for axis in curve.T], axis=1)


def thinned(curve: Floats, *, tolerance_m: float, longest_m: float) -> Floats:
    """Leave out points a straight line would hit anyway.

    Args:
        tolerance_m: how far the result may stray from the curve.
        longest_m: longest step left standing, for even shading.
    """
    travelled = lengths(curve)
    kept = [0]
    ahead = 2
    while ahead < len(curve):
        start = kept[-1]
        chord = curve[ahead] - curve[start]
        between = curve[start + 1 : ahead] - curve[start]
        squared = max(float((chord * chord).sum()), 1e-18)
        share = np.clip((between * chord).sum(axis=1) / squared, 0.0, 1.0)
        stray = np.sqrt(((between - share[:, None] * chord) ** 2).sum(axis=1)).max()
        if stray > tolerance_m or travelled[ahead] - travelled[start] > longest_m:
            kept.append(ahead - 1)
        ahead += 1
    return curve[[*kept, len(curve) - 1]]


def smooth(points: Sequence[Point], count: int) -> Floats:
    """A centripetal Catmull-Rom curve through all points, resampled evenly.

    Centripetal knots neither loop nor overshoot between unequal spacings (Yuksel et al. 2011).
    """
    given = np.asarray(points, dtype=np.float64)
    ends = np.concatenate([[2 * given[0] - given[1]], given, [2 * given[-1] - given[-2]]])
    knots = np.concatenate([[0.0], np.cumsum(((np.diff(ends, axis=0) ** 2).sum(axis=1)) ** 0.25)])
    fine = []
    for i in range(1, len(ends) - 2):
        t0, t1, t2, t3 = knots[i - 1 : i + 3]
        p0, p1, p2, p3 = ends[i - 1 : i + 3]
        t = np.linspace(t1, t2, 24, endpoint=i == len(ends) - 3)[:, None]
        a1 = p0 + (p1 - p0) * (t - t0) / (t1 - t0)
        a2 = p1 + (p2 - p1) * (t - t1) / (t2 - t1)
        a3 = p2 + (p3 - p2) * (t - t2) / (t3 - t2)
        b1 = a1 + (a2 - a1) * (t - t0) / (t2 - t0)
        b2 = a2 + (a3 - a2) * (t - t1) / (t3 - t1)
        fine.append(b1 + (b2 - b1) * (t - t1) / (t2 - t1))
    return resampled(np.concatenate(fine), count)


def smooth_values(stops: Sequence[tuple[float, float]], t: Floats) -> Floats:
    """A monotone, smooth run of values through (position, value) stops, sampled at t.

    Cubic Hermite with Fritsch-Carlson slopes, so a thickness never swings past what was asked.
    """
    x = np.array([stop[0] for stop in stops])
    y = np.array([stop[1] for stop in stops])
    if len(x) == 1:
        return np.full_like(t, y[0])
    secant = np.diff(y) / np.diff(x)
    slope = np.zeros_like(y)
    same_way = secant[:-1] * secant[1:] > 0
    slope[1:-1] = np.where(
        same_way, 2 * secant[:-1] * secant[1:] / np.where(same_way, secant[:-1] + secant[1:], 1), 0
    )
    slope[0], slope[-1] = secant[0], secant[-1]
    i = np.clip(np.searchsorted(x, t, side="right") - 1, 0, len(x) - 2)
    h = x[i + 1] - x[i]
    s = np.clip((t - x[i]) / h, 0.0, 1.0)
    return np.asarray(
        y[i] * (2 * s**3 - 3 * s**2 + 1)
        + h * slope[i] * (s**3 - 2 * s**2 + s)
        + y[i + 1] * (3 * s**2 - 2 * s**3)
        + h * slope[i + 1] * (s**3 - s**2)
    )


def filleted(corners: Sequence[tuple[float, ...]], *, step_deg: float = 12.0) -> Floats:
    """A polyline whose corners are arcs.

    Each corner is (x, y) or (x, y, radius); the radius is cut down where the legs are too short.
    """
    points = np.array([corner[:2] for corner in corners], dtype=np.float64)
    radii = [corner[2] if len(corner) > 2 else 0.0 for corner in corners]
    result = [points[0]]
    for i in range(1, len(points) - 1):
        result.extend(_arc(points[i - 1], points[i], points[i + 1], radii[i], step_deg))
    result.append(points[-1])
    return np.array(result)


def filleted_loop(corners: Sequence[tuple[float, ...]], *, step_deg: float = 12.0) -> Floats:
    """As `filleted`, for a closed outline; the first point is not repeated."""
    points = np.array([corner[:2] for corner in corners], dtype=np.float64)
    result: list[Floats] = []
    for i, corner in enumerate(corners):
        after = points[(i + 1) % len(points)]
        radius = corner[2] if len(corner) > 2 else 0.0
        result.extend(_arc(points[i - 1], points[i], after, radius, step_deg))
    return np.array(result)


def _arc(before: Floats, corner: Floats, after: Floats, radius: float, step: float) -> list[Floats]:
    back, ahead = unit2(before - corner), unit2(after - corner)
    angle = acos(float(np.clip((back * ahead).sum(), -1.0, 1.0)))
    if radius <= 0 or angle > pi - 1e-3 or angle < 1e-3:
        return [corner]
    room = 0.499 * min(
        float(np.sqrt(((before - corner) ** 2).sum())),
        float(np.sqrt(((after - corner) ** 2).sum())),
    )
    reach = min(radius / tan(angle / 2), room)
    actual = reach * tan(angle / 2)
    centre = corner + unit2(back + ahead) * np.sqrt(reach**2 + actual**2)
    start, stop = corner + back * reach - centre, corner + ahead * reach - centre
    sweep = pi - angle
    count = max(2, ceil(sweep / (step * pi / 180.0)))
    turns = np.linspace(0.0, 1.0, count + 1)
    # Spherical interpolation between the two radii stays on the arc.
    return [
        centre + (np.sin((1 - t) * sweep) * start + np.sin(t * sweep) * stop) / np.sin(sweep)
        for t in turns
    ]


def unit2(vector: Floats) -> Floats:
    return np.asarray(vector / max(float(np.sqrt((vector * vector).sum())), 1e-12))


def superellipse(a: float, b: float, exponent: float, count: int) -> Floats:
    """|x/a|^p + |y/b|^p = 1 at equal distances, counter-clockwise from (a, 0), not repeated."""
    angle = np.linspace(0.0, 2 * pi, 24 * count, endpoint=True)
    c, s = np.cos(angle), np.sin(angle)
    radius = (np.abs(c) ** exponent + np.abs(s) ** exponent) ** (-1 / exponent)
    return resampled(np.stack([a * c * radius, b * s * radius], axis=1), count + 1)[:-1]


def rounded_rectangle(width: float, depth: float, radius: float, *, corner: int = 4) -> Floats:
    """An outline about the origin, counter-clockwise, not repeated, starting mid-bottom."""
    a, b = width / 2, depth / 2
    r = min(radius, a * 0.999, b * 0.999)
    angle = np.linspace(0.0, pi / 2, corner + 1)
    points = [np.array([[0.0, -b]])]
    for quarter, (cx, cy) in enumerate(
        [(a - r, r - b), (a - r, b - r), (r - a, b - r), (r - a, r - b)]
    ):
        turn = angle + (quarter - 1) * pi / 2
        points.append(np.stack([cx + r * np.cos(turn), cy + r * np.sin(turn)], axis=1))
    return np.concatenate(points)


def outward(outline: Floats) -> Floats:
    """Unit normals of a closed counter-clockwise outline, pointing out."""
    tangent = unit2d(np.roll(outline, -1, axis=0) - outline) + unit2d(
        outline - np.roll(outline, 1, axis=0)
    )
    tangent = unit2d(tangent)
    return np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)


def unit2d(vectors: Floats) -> Floats:
    length = np.sqrt((vectors * vectors).sum(axis=1, keepdims=True))
    return np.asarray(vectors / np.maximum(length, 1e-12))


def frames(path: Floats, side: Point) -> tuple[Floats, Floats, Floats]:
    """Tangents, and two axes across, carried along a path without twisting.

    `side` says where the first axis points at the start. Parallel transport by double reflection
    (Wang et al. 2008).
    """
    ahead = np.concatenate([path[1:] - path[:-1], (path[-1] - path[-2])[None]])
    back = np.concatenate([(path[1] - path[0])[None], path[1:] - path[:-1]])
    tangents = unit(unit(ahead) + unit(back))
    first = np.asarray(side, dtype=np.float64)
    first = unit(first - tangents[0] * (first * tangents[0]).sum())
    across = [first]
    for i in range(len(path) - 1):
        v1 = path[i + 1] - path[i]
        c1 = max(float((v1 * v1).sum()), 1e-18)
        moved = across[-1] - v1 * (2 / c1) * (v1 * across[-1]).sum()
        tangent = tangents[i] - v1 * (2 / c1) * (v1 * tangents[i]).sum()
        v2 = tangents[i + 1] - tangent
        c2 = float((v2 * v2).sum())
        if c2 > 1e-18:
            moved = moved - v2 * (2 / c2) * (v2 * moved).sum()
        across.append(moved)
    first_axis = unit(np.array(across))
    return tangents, first_axis, np.cross(tangents, first_axis)
