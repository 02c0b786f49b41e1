"""How much of the sky each vertex sees, baked into vertex colours.

A product in the viewer is lit by its surroundings only. What grounds it there are the soft shades
in its own corners: under a seat, inside a bowl, where a leg meets an apron.
"""

from __future__ import annotations

from math import pi, sqrt

import numpy as np

from vitrina.studio.mesh import Floats, Ints, unit

PAIRS = 60  # opposite directions are looked at together
CELLS = 240


def open_sky(positions: Floats, normals: Floats, occluders: Floats, faces: Ints) -> Floats:
    """Cosine-weighted share of directions in which nothing stands in the way, 0 to 1.

    The body is looked at from many directions; each look is a depth map splatted from points
    spread evenly over its surface, and a vertex is lit where nothing lies clearly before it.

    Args:
        positions, normals: (n, 3) of the vertices asked about.
        occluders, faces: the surface that takes the light away.
    """
    low, high = occluders.min(axis=0), occluders.max(axis=0)
    cell = float(np.sqrt(((high - low) ** 2).sum())) / CELLS
    centre = (low + high) / 2
    surface = _columns(_spread(occluders, faces, spacing_m=cell * 0.7) - centre)
    asked, facing_of = _columns(positions - centre), _columns(normals)
    lit = np.zeros(len(positions))
    weight = np.zeros(len(positions))
    for direction, across, up in zip(*_directions(PAIRS), strict=True):
        plane = _cells(surface, across, up, cell)
        height = _along(surface, direction)
        where = _cells(asked, across, up, cell)
        level = _along(asked, direction)
        facing = _along(facing_of, direction)
        # A slanting surface rises within its own cell: the steeper, the more room it is given.
        slope = np.abs(facing)
        slack = cell * (1.0 + 1.2 * np.sqrt(np.maximum(1 - slope**2, 0)) / np.maximum(slope, 0.2))
        for side in (1.0, -1.0):
            depth = np.full((CELLS + 2) ** 2, -np.inf)
            np.maximum.at(depth, plane, side * height)
            clear = depth[where] <= side * level + slack
            seen = np.where(side * facing > 0.02, side * facing, 0.0)
            lit += seen * clear
            weight += seen
    return np.asarray(lit / np.maximum(weight, 1e-9))


Columns = tuple[Floats, Floats, Floats]


def _columns(points: Floats) -> Columns:
    x, y, z = (np.ascontiguousarray(points[:, i]) for i in range(3))
    return x, y, z


def _along(points: Columns, axis: Floats) -> Floats:
    return np.asarray(points[0] * axis[0] + points[1] * axis[1] + points[2] * axis[2])


def _directions(count: int) -> tuple[Floats, Floats, Floats]:
    """Directions over the upper half sphere on a golden spiral, each with two axes across."""
    i = np.arange(count) + 0.5
    y = 1 - i / count
    ring = np.sqrt(1 - y * y)
    angle = pi * (1 + sqrt(5)) * i
    direction = np.stack([ring * np.cos(angle), y, ring * np.sin(angle)], axis=1)
    helper = np.where(np.abs(y)[:, None] < 0.9, np.array([0.0, 1.0, 0.0]), np.array([1.0, 0, 0]))
    across = unit(np.cross(helper, direction))
    return direction, across, np.cross(direction, across)


def _cells(points: Columns, across: Floats, up: Floats, cell: float) -> Ints:
    # The diagonal fits the map from every side, so every index lies inside.
    x = np.floor(_along(points, across / cell)).astype(np.int64) + CELLS // 2 + 1
    y = np.floor(_along(points, up / cell)).astype(np.int64) + CELLS // 2 + 1
    return np.asarray(x * (CELLS + 2) + y)


def _spread(positions: Floats, faces: Ints, *, spacing_m: float) -> Floats:
    """Points over a surface, about `spacing_m` apart, by the R2 sequence: even, not random."""
    a, b, c = (positions[faces[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    area = np.sqrt((cross * cross).sum(axis=1)) / 2
    # Carry fractions over, so that many tiny triangles get their fair number together.
    cumulative = np.cumsum(area / spacing_m**2)
    count = np.diff(np.concatenate([[0.0], np.floor(cumulative)])).astype(np.int64)
    owner = np.repeat(np.arange(len(faces)), count)
    i = np.arange(len(owner), dtype=np.float64)
    s, t = (0.5 + i * 0.7548776662466927) % 1.0, (0.5 + i * 0.5698402909980532) % 1.0
    fold = s + t > 1
    s, t = np.where(fold, 1 - s, s), np.where(fold, 1 - t, t)
    return np.asarray(a[owner] + s[:, None] * (b - a)[owner] + t[:, None] * (c - a)[owner])
