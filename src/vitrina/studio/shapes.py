"""The shapes a workshop can make: turned, bent, sawn, upholstered. No edge is left sharp."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import pi

import numpy as np

from vitrina.studio.curves import (
    Point,
    frames,
    lengths,
    outward,
    resampled,
    rounded_rectangle,
    smooth_values,
    superellipse,
    thinned,
)
from vitrina.studio.mesh import Floats, Mesh, build, sheet, unit

Stops = float | Sequence[tuple[float, float]]  # a constant, or (position 0..1, value) pairs
Section = Callable[[float, float], Floats]  # half width, half depth -> (m, 2) closed outline


def oval(exponent: float = 2.0, *, segments: int = 20) -> Section:
    """A superelliptic section: 2 is round, 4 a soft square."""
    base = superellipse(1.0, 1.0, exponent, segments)
    # A seam on the underside shows least.
    base = np.roll(base, segments // 4, axis=0)
    return lambda a, b: base * np.array([a, b])


def plank(radius_m: float, *, corner: int = 3) -> Section:
    """A rectangular section with rounded corners."""
    return lambda a, b: rounded_rectangle(2 * a, 2 * b, radius_m, corner=corner)


def lathe(
    profile: Floats,
    *,
    segments: int = 64,
    around_m: float | None = None,
    tile_m: float | None = None,
    closed: bool = True,
) -> Mesh:
    """Turn a profile of (radius, height) points about the Y axis.

    Args:
        profile: (k, 2); closed bodies begin and end on the axis or where they began.
        segments: faces around.
        around_m: what one turn counts in texture metres; the mean circumference by default.
        tile_m: when given, one turn is a whole number of tiles, so that no seam shows.
        closed: whether it is a solid; an open surface faces left of the profile's direction.
    """
    angle = np.linspace(0.0, 2 * pi, segments + 1)
    angle_in = angle.copy()
    angle_in[-1] = 0.0  # the last column falls exactly on the first
    radius, height = profile[:, 0], profile[:, 1]
    grid = np.stack(
        [
            radius[:, None] * np.sin(angle_in)[None, :],
            np.broadcast_to(height[:, None], (len(profile), segments + 1)),
            radius[:, None] * np.cos(angle_in)[None, :],
        ],
        axis=-1,
    )
    along = lengths(profile)
    if around_m is None:
        steps = np.diff(along)
        middle = (radius[1:] + radius[:-1]) / 2
        around_m = 2 * pi * float((middle * steps).sum() / max(steps.sum(), 1e-9))
        if tile_m is not None:
            around_m = max(1, round(around_m / tile_m)) * tile_m
    uv = np.stack(
        np.broadcast_arrays((angle / (2 * pi) * around_m)[None, :], along[:, None]), axis=-1
    )
    return sheet(grid, uv, closed=closed)


def rod(
    path: Floats,
    half_width: Stops,
    half_depth: Stops | None = None,
    *,
    section: Section | None = None,
    side: Point = (1.0, 0.0, 0.0),
    end_radius: float | tuple[float, float] = 0.003,
    rings: int = 2,
    bevel_steps: int = 3,
    tip: float = 0.999,
) -> Mesh:
    """A solid member along a path: legs, rails, spindles, handles, cables.

    Args:
        path: (k, 3) points, dense enough for its bends.
        half_width: along `side`, metres; may change along the path.
        half_depth: across `side`, metres; the width when left out.
        section: outline of the cut; round by default.
        side: direction of the width at the start of the path.
        end_radius: rounding of the two ends, metres; cut down to the section.
        rings: fewest spans between the ends; every point of the path is kept besides.
        bevel_steps: rings per rounded end.
        tip: how much of the end radius may eat the section, 1 for a full dome.
    """
    outline = section or oval()
    travelled = lengths(path)
    total = float(travelled[-1])
    radii = (end_radius, end_radius) if isinstance(end_radius, float | int) else end_radius
    width_at = _stops(half_width)
    depth_at = width_at if half_depth is None else _stops(half_depth)
    ends = np.array([0.0, 1.0])
    narrowest = np.minimum(width_at(ends), depth_at(ends)) * tip
    first, last = (min(r, float(n), total * 0.45) for r, n in zip(radii, narrowest, strict=True))

    turn = np.linspace(0.0, pi / 2, bevel_steps + 1)
    inner = np.unique(
        np.concatenate(
            [
                np.linspace(first, total - last, rings + 1),
                travelled[(travelled > first) & (travelled < total - last)],
            ]
        ).round(9)
    )
    at = np.concatenate(
        [first * (1 - np.cos(turn[:-1])), inner, total - last + last * np.sin(turn[1:])]
    )
    inset = np.concatenate(
        [first * (1 - np.sin(turn[:-1])), np.zeros(len(inner)), last * (1 - np.cos(turn[1:]))]
    )
    line = np.stack([np.interp(at, travelled, axis) for axis in path.T], axis=1)
    _, across, up = frames(_with_ends(line, path), side)
    across, up = across[1:-1], up[1:-1]
    share = at / total
    widths, depths = width_at(share) - inset, depth_at(share) - inset

    cuts = np.stack([outline(a, b) for a, b in zip(widths, depths, strict=True)])
    cuts = np.concatenate([cuts, cuts[:, :1]], axis=1)
    grid = line[:, None] + cuts[..., :1] * across[:, None] + cuts[..., 1:] * up[:, None]
    widest = cuts[int(np.argmax(widths))]
    around = lengths(widest)
    uv = np.stack(np.broadcast_arrays(around[None, :], at[:, None]), axis=-1)
    return _capped(grid, uv, cuts)


def _stops(value: Stops) -> Callable[[Floats], Floats]:
    if isinstance(value, float | int):
        constant = float(value)
        return lambda t: np.full_like(t, constant)
    stops = list(value)
    return lambda t: smooth_values(stops, t)


def _with_ends(line: Floats, path: Floats) -> Floats:
    """Pad a line by the directions of its path, so that end frames follow the whole path."""
    first = line[0] - (path[1] - path[0])
    last = line[-1] + (path[-1] - path[-2])
    return np.concatenate([first[None], line, last[None]])


def _capped(grid: Floats, uv: Floats, cuts: Floats) -> Mesh:
    rows, columns = grid.shape[:2]
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None, :]).reshape(-1)
    quads = np.stack([corner, corner + 1, corner + columns + 1, corner + columns], axis=1)
    triangles = [quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]
    points, coordinates = [grid.reshape(-1, 3)], [uv.reshape(-1, 2)]
    start = rows * columns
    for row, flip in ((0, True), (rows - 1, False)):
        ring = np.arange(columns - 1)
        points.append(np.concatenate([grid[row, :-1], grid[row].mean(axis=0)[None]]))
        flat = np.concatenate([cuts[row, :-1], cuts[row, :-1].mean(axis=0)[None]])
        coordinates.append(flat)
        fan = np.stack(
            [
                start + ring,
                start + (ring + 1) % (columns - 1),
                np.full_like(ring, start + columns - 1),
            ],
            axis=1,
        )
        triangles.append(fan[:, ::-1] if flip else fan)
        start += columns
    return build(np.concatenate(points), np.concatenate(coordinates), np.concatenate(triangles))


def straight(start: Point, stop: Point) -> Floats:
    return np.array([start, stop], dtype=np.float64)


def slab(
    outline: Floats,
    edge: Floats,
    *,
    crown: Callable[[Floats], Floats] | None = None,
    under: Callable[[Floats], Floats] | None = None,
    rings: int = 5,
) -> Mesh:
    """A flat body cut from an outline in the XZ plane, with a shaped edge.

    Args:
        outline: (m, 2) closed, points (x, z), in order.
        edge: (k, 2) points (inset from the outline, height), from the top face to the lower one.
        crown, under: height added to the top and the lower face, as a function of 1 at the centre
            falling to 0 at the edge.
        rings: how finely the faces are divided from edge to centre.
    """
    if (
        float(
            (
                outline[:, 0] * np.roll(outline[:, 1], -1)
                - np.roll(outline[:, 0], -1) * outline[:, 1]
            ).sum()
        )
        < 0
    ):
        outline = outline[::-1]
    normal = outward(outline)
    centre = (outline.min(axis=0) + outline.max(axis=0)) / 2
    inward = np.linspace(1.0, 0.0, rings + 1)[1:]
    along = lengths(edge)

    def ring(inset: float) -> Floats:
        return outline - normal * inset

    rows, flat = [], []
    faces = ((edge[0], crown, inward[::-1]), (edge[-1], under, inward))
    (top, raise_top, top_steps), (low, raise_low, low_steps) = faces
    for step in top_steps:
        plan = centre + (ring(top[0]) - centre) * step
        lift = float(raise_top(np.array([1 - step**2]))[0]) if raise_top else 0.0
        rows.append((plan, top[1] + lift))
        flat.append(plan)
    for (inset, height), travelled in zip(edge, along, strict=True):
        rows.append((ring(inset), height))
        flat.append(ring(top[0]) + normal * travelled)
    for step in low_steps:
        plan = centre + (ring(low[0]) - centre) * step
        lift = float(raise_low(np.array([1 - step**2]))[0]) if raise_low else 0.0
        rows.append((plan, low[1] + lift))
        flat.append(plan + normal * along[-1] * 0.999)
    grid = np.stack(
        [
            np.stack([plan[:, 0], np.full(len(plan), height), plan[:, 1]], axis=1)
            for plan, height in rows
        ]
    )
    uv = np.stack(flat)
    grid = np.concatenate([grid, grid[:, :1]], axis=1)
    uv = np.concatenate([uv, uv[:, :1]], axis=1)
    return sheet(grid, uv, closed=True)


def round_edge(
    top: float, bottom: float, radius: float, *, under: float | None = None, steps: int = 4
) -> Floats:
    """An edge for `slab`: a quarter circle above and one below, metres."""
    lower = radius if under is None else under
    turn = np.linspace(0.0, pi / 2, steps + 1)
    over = np.stack([radius * (1 - np.sin(turn)), top - radius * (1 - np.cos(turn))], axis=1)
    below = np.stack([lower * (1 - np.cos(turn)), bottom + lower * (1 - np.sin(turn))], axis=1)
    return np.concatenate([over, below])


def board(
    width: float, height: float, depth: float, *, radius: float = 0.003, along: str = "x"
) -> Mesh:
    """A planed board about the origin; the grain runs along the named axis."""
    sizes = {"x": width, "y": height, "z": depth}
    length = sizes[along]
    first, second = {"x": ("z", "y"), "y": ("x", "z"), "z": ("x", "y")}[along]
    axes = {"x": np.array([1.0, 0, 0]), "y": np.array([0, 1.0, 0]), "z": np.array([0, 0, 1.0])}
    path = np.stack([-axes[along] * length / 2, axes[along] * length / 2])
    return rod(
        path,
        sizes[first] / 2,
        sizes[second] / 2,
        section=plank(radius),
        side=axes[first].tolist(),
        end_radius=radius,
        rings=max(2, round(length / 0.12)),
        bevel_steps=2,
    )


def pillow(
    width: float, depth: float, height: float, *, cells: int = 44, pinch: float = 0.08
) -> Mesh:
    """A filled cushion lying flat: two cloths sewn at the edge, pulled in between its corners."""
    s = np.sin(np.linspace(-pi / 2, pi / 2, cells + 1))  # finer near the seam, where it curves most
    u, v = np.meshgrid(s, s)
    x = width / 2 * u * (1 - pinch * (1 - v**2) * u**2)
    z = depth / 2 * v * (1 - pinch * (1 - u**2) * v**2)
    bulge = ((1 - np.abs(u) ** 2.2) * (1 - np.abs(v) ** 2.2)) ** 0.55
    dome = 0.60 * bulge + 0.40 * (1 - u**2) * (1 - v**2)
    rise = height / 2 * dome
    uv = np.stack([x, z], axis=-1)
    top = np.stack([x, rise, z], axis=-1)
    low = np.stack([x, -rise, z], axis=-1)
    count = (cells + 1) ** 2
    corner = (np.arange(cells)[:, None] * (cells + 1) + np.arange(cells)[None, :]).reshape(-1)
    quads = np.stack([corner, corner + 1, corner + cells + 2, corner + cells + 1], axis=1)
    faces = np.concatenate([quads[:, [0, 2, 1]], quads[:, [0, 3, 2]]])
    triangles = np.concatenate([faces, faces[:, ::-1] + count])
    points = np.concatenate([top.reshape(-1, 3), low.reshape(-1, 3)])
    return build(points, np.concatenate([uv.reshape(-1, 2)] * 2), triangles)


def loop(points: Floats, radius: float, *, sides: int = 8) -> Mesh:
    """A closed tube through a ring of points, nearly flat: piping, rims, lugs."""
    ring = np.concatenate([points, points[:1]])
    tangent = unit(np.roll(points, -1, axis=0) - np.roll(points, 1, axis=0))
    spokes = points - points.mean(axis=0)
    axis = unit(np.cross(spokes, np.roll(spokes, -1, axis=0)).sum(axis=0))
    across = unit(np.cross(tangent, axis))
    lift = np.cross(across, tangent)
    across, lift = (np.concatenate([each, each[:1]]) for each in (across, lift))
    angle = np.linspace(0.0, 2 * pi, sides + 1)
    around = angle * radius
    angle[-1] = 0.0
    grid = ring[:, None] + radius * (
        np.cos(angle)[None, :, None] * across[:, None]
        + np.sin(angle)[None, :, None] * lift[:, None]
    )
    uv = np.stack(np.broadcast_arrays(around[None, :], lengths(ring)[:, None]), axis=-1)
    return sheet(grid, uv, closed=True)


def fitted(curve: Floats, count: int) -> Floats:
    """A closed outline through `count` points at equal distances, not repeated."""
    return resampled(np.concatenate([curve, curve[:1]]), count + 1)[:-1]


def dense(profile: Floats, spacing: float) -> Floats:
    """Add points where a profile has long straight runs, for even shading."""
    result = [profile[0]]
    for a, b in pairwise(profile):
        count = max(1, int(np.ceil(np.sqrt(((b - a) ** 2).sum()) / spacing)))
        result.extend(a + (b - a) * (i + 1) / count for i in range(count))
    return np.array(result)


def turned_profile(curve: Floats, *, spacing: float, tolerance: float = 2.5e-5) -> Floats:
    """A profile with points where it bends, and none where it does not."""
    return thinned(dense(curve, spacing / 3), tolerance_m=tolerance, longest_m=spacing)
