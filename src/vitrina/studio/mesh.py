"""Triangle meshes as plain arrays, and the few operations every product needs.

Lengths are metres, Y points up, triangles wind counter-clockwise seen from outside. Texture
coordinates are metres too, so that a texture keeps its real size on every part; the material says
how many metres one tile covers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import cos, radians, sin

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

WELD_M = 1e-7


@dataclass(frozen=True, slots=True)
class Mesh:
    """Vertices and triangles of one part.

    Attributes:
        positions: (n, 3) metres.
        normals: (n, 3) unit vectors.
        uv: (n, 2) metres on the surface; for wood the second axis runs along the grain.
        triangles: (m, 3) indices.
    """

    positions: Floats
    normals: Floats
    uv: Floats
    triangles: Ints

    @property
    def volume_m3(self) -> float:
        """Signed volume enclosed: positive when the triangles face outwards."""
        a, b, c = (self.positions[self.triangles[:, i]] for i in range(3))
        return float((a * np.cross(b, c)).sum() / 6.0)

    @property
    def bounds_m(self) -> tuple[Floats, Floats]:
        return self.positions.min(axis=0), self.positions.max(axis=0)

    def moved(self, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
        return replace(self, positions=self.positions + np.array([x, y, z]))

    def turned(self, axis: str, degrees: float) -> Mesh:
        """Turn about a coordinate axis, right-handed."""
        return replace(
            self,
            positions=turn(self.positions, axis, degrees),
            normals=turn(self.normals, axis, degrees),
        )

    def stretched(self, x: float = 1.0, y: float = 1.0, z: float = 1.0) -> Mesh:
        """Scale along the axes; a negative factor mirrors and keeps the outside outside."""
        factors = np.array([x, y, z])
        normals = unit(self.normals / factors)
        triangles = self.triangles[:, ::-1] if x * y * z < 0 else self.triangles
        return replace(
            self, positions=self.positions * factors, normals=normals, triangles=triangles
        )

    def mirrored(self, axis: str) -> Mesh:
        return self.stretched(**{axis: -1.0})

    def reversed(self) -> Mesh:
        """The same surface seen from the other side."""
        return replace(self, normals=-self.normals, triangles=self.triangles[:, ::-1])

    def shifted_uv(self, u_m: float, v_m: float) -> Mesh:
        """Cut the part from another place of the plank, the cloth or the slab."""
        return replace(self, uv=self.uv + np.array([u_m, v_m]))

    def scaled_uv(self, u: float, v: float) -> Mesh:
        return replace(self, uv=self.uv * np.array([u, v]))

    def with_uv(self, uv: Floats) -> Mesh:
        return replace(self, uv=uv.copy())

    def turned_uv(self) -> Mesh:
        """Let the grain run the other way."""
        return replace(self, uv=self.uv[:, ::-1].copy())

    def facing_out(self) -> Mesh:
        """An open shell around the Y axis, seen from outside."""
        return self if self._outward() > 0 else self.reversed()

    def facing_in(self) -> Mesh:
        """An open shell around the Y axis, seen from inside."""
        return self if self._outward() < 0 else self.reversed()

    def _outward(self) -> float:
        p, n = self.positions, self.normals
        return float((p[:, 0] * n[:, 0] + p[:, 2] * n[:, 2]).sum())

    def with_normals(self) -> Mesh:
        return replace(self, normals=area_normals(self.positions, self.triangles))


def turn(points: Floats, axis: str, degrees: float) -> Floats:
    """Turn points about a coordinate axis, right-handed. Works on any (..., 3) array."""
    i, j = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]
    c, s = cos(radians(degrees)), sin(radians(degrees))
    result = points.copy()
    result[..., i] = c * points[..., i] - s * points[..., j]
    result[..., j] = s * points[..., i] + c * points[..., j]
    return result


def unit(vectors: Floats) -> Floats:
    """Vectors of length one; those without length point up."""
    length = np.sqrt((vectors * vectors).sum(axis=-1, keepdims=True))
    up = np.zeros_like(vectors)
    up[..., 1] = 1.0
    return np.where(length > 1e-12, vectors / np.maximum(length, 1e-12), up)


def area_normals(positions: Floats, triangles: Ints) -> Floats:
    """Normals per vertex, weighted by area, shared where vertices lie in the same place.

    The weighting keeps large faces flat and puts all bending into the bevels, which is what makes
    a modelled edge catch the light like a sanded one.
    """
    keys = np.round(positions / WELD_M).astype(np.int64)
    _, place = np.unique(keys, axis=0, return_inverse=True)
    place = place.reshape(-1)
    a, b, c = (positions[triangles[:, i]] for i in range(3))
    faces = np.cross(b - a, c - a)
    count = int(place.max()) + 1
    total = np.empty((count, 3))
    corners = place[triangles].reshape(-1)
    spread = np.repeat(faces, 3, axis=0)
    for i in range(3):
        total[:, i] = np.bincount(corners, weights=spread[:, i], minlength=count)
    return unit(total)[place]


def build(positions: Floats, uv: Floats, triangles: Ints, *, closed: bool = True) -> Mesh:
    """A mesh with normals, without degenerate triangles, facing outwards when it is closed."""
    a, b, c = (positions[triangles[:, i]] for i in range(3))
    cross = np.cross(b - a, c - a)
    triangles = triangles[(cross * cross).sum(axis=1) > 1e-22]
    mesh = Mesh(positions, np.zeros_like(positions), uv, triangles)
    if closed and mesh.volume_m3 < 0:
        mesh = replace(mesh, triangles=mesh.triangles[:, ::-1])
    return without_loose_vertices(mesh).with_normals()


def without_loose_vertices(mesh: Mesh) -> Mesh:
    used, triangles = np.unique(mesh.triangles, return_inverse=True)
    return Mesh(mesh.positions[used], mesh.normals[used], mesh.uv[used], triangles.reshape(-1, 3))


def sheet(grid: Floats, uv: Floats, *, closed: bool = False) -> Mesh:
    """The surface through a (rows, columns, 3) grid of points, with (rows, columns, 2) UVs."""
    rows, columns = grid.shape[:2]
    corner = (np.arange(rows - 1)[:, None] * columns + np.arange(columns - 1)[None, :]).reshape(-1)
    quads = np.stack([corner, corner + 1, corner + columns + 1, corner + columns], axis=1)
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])
    return build(grid.reshape(-1, 3), uv.reshape(-1, 2), triangles, closed=closed)


def join(meshes: Iterable[Mesh]) -> Mesh:
    """Several parts as one mesh. Their normals stay as they are."""
    parts = list(meshes)
    starts = np.cumsum([0] + [len(part.positions) for part in parts])
    return Mesh(
        np.concatenate([part.positions for part in parts]),
        np.concatenate([part.normals for part in parts]),
        np.concatenate([part.uv for part in parts]),
        np.concatenate(
            [part.triangles + start for part, start in zip(parts, starts, strict=False)]
        ),
    )
