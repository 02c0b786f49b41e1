"""Soft things."""

from __future__ import annotations

import numpy as np

from vitrina.studio import finishes as f
from vitrina.studio.glb import Model
from vitrina.studio.mesh import Mesh
from vitrina.studio.noise import clouds, random
from vitrina.studio.shapes import loop, pillow
from vitrina.studio.workshop import Bench


def cushion() -> Model:
    """A down cushion in washed linen, piped, standing as on a sofa."""
    cloth = {
        "flax": f.linen("flax linen", "#ded4c2"),
        "moss": f.linen("moss linen", "#8b8d79"),
        "ink": f.linen("ink linen", "#525c68"),
        "clay": f.linen("clay linen", "#b98b75"),
    }
    bench = Bench("cushion", cloth, seed=f.SEED)
    width, height = 0.50, 0.215
    body = _creased(pillow(width, width, height, cells=52), width, height)
    s = np.linspace(-1, 1, 41)[:-1]
    side = np.stack([np.full_like(s, 1.0), s], axis=1)
    turns = [
        side,
        np.stack([-s, np.ones_like(s)], axis=1),
        -side,
        np.stack([s, -np.ones_like(s)], axis=1),
    ]
    corner = np.concatenate(turns)
    u, v = corner[:, 0], corner[:, 1]
    pinch = 0.06
    x = width / 2 * u * (1 - pinch * (1 - v**2) * u**2)
    z = width / 2 * v * (1 - pinch * (1 - u**2) * v**2)
    piping = loop(np.stack([x, np.zeros_like(x), z], axis=1)[::-1], 0.0042, sides=8)
    for mesh in (body, piping):
        bench.add_fitted("cushion", _standing(mesh), cloth)
    return bench.done()


def _creased(mesh: Mesh, width: float, height: float) -> Mesh:
    """Soft folds: across the faces where down settles, and drawn in from each corner."""
    p = mesh.positions
    rng = random(f.SEED, "cushion folds")
    u, v = p[:, 0] / width, p[:, 2] / width
    face = np.sign(p[:, 1]) * np.clip(np.abs(p[:, 1]) / (height * 0.2), 0, 1)
    soft = clouds(rng, u * 0.5 + 0.25 * (1 + face), v * 0.5 + 0.25, 7, 7, octaves=2)
    a, b = np.abs(u) * 2, np.abs(v) * 2
    diagonal = np.abs(a - b)
    corner = np.clip((a + b - 1.05) / 0.75, 0, 1) ** 1.3
    pleats = np.cos((a - b) * 15.0) * np.exp(-((diagonal / 0.42) ** 2)) * corner
    lift = face * (
        0.0040 * soft * np.clip(np.abs(p[:, 1]) / 0.05, 0, 1)
        + 0.0048 * pleats * np.clip(np.abs(p[:, 1]) / 0.012, 0, 1)
    )
    moved = p.copy()
    moved[:, 1] += lift
    return Mesh(moved, mesh.normals, mesh.uv, mesh.triangles).with_normals()


def _standing(mesh: Mesh) -> Mesh:
    return mesh.turned("x", 90 - 9).moved(0, 0.25, 0)
