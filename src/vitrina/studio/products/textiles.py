"""Soft things."""

from __future__ import annotations

import numpy as np

from vitrina.studio import finishes as f
from vitrina.studio.mesh import Mesh
from vitrina.studio.noise import clouds, random
from vitrina.studio.product import Model
from vitrina.studio.shapes import loop, pillow
from vitrina.studio.workshop import Bench

SIDE_M = 0.50
HEIGHT_M = 0.205
PINCH = 0.085  # how far the edges are drawn in between the corners


def cushion() -> Model:
    """A down cushion in washed linen, piped, standing as on a sofa."""
    cloth = {
        "flax": f.linen("flax linen", "#eae0cf"),
        "moss": f.linen("moss linen", "#8b8d79"),
        "ink": f.linen("ink linen", "#5b6570"),
        "clay": f.linen("clay linen", "#b98b75"),
    }
    bench = Bench("cushion", cloth, seed=f.SEED)
    body = _creased(pillow(SIDE_M, SIDE_M, HEIGHT_M, cells=56, pinch=PINCH))
    s = np.linspace(-1, 1, 41)[:-1]
    one = np.ones_like(s)
    u, v = np.concatenate([[one, s], [-s, one], [-one, -s], [s, -one]], axis=1)
    x = SIDE_M / 2 * u * (1 - PINCH * (1 - v**2) * u**2)
    z = SIDE_M / 2 * v * (1 - PINCH * (1 - u**2) * v**2)
    piping = loop(np.stack([x, np.zeros_like(x), z], axis=1)[::-1], 0.0045, sides=8)
    for mesh in (body, piping):
        bench.add_fitted("cushion", _standing(mesh), cloth)
    return bench.done()


def _creased(mesh: Mesh) -> Mesh:
    """Soft folds: across the faces where down settles, and drawn in from each corner."""
    p = mesh.positions
    rng = random(f.SEED, "cushion folds")
    u, v = p[:, 0] / SIDE_M, p[:, 2] / SIDE_M
    rise = np.abs(p[:, 1])
    face = np.sign(p[:, 1])
    soft = clouds(rng, u * 0.5 + 0.25 * (1 + face), v * 0.5 + 0.25, 5, 5, octaves=2)
    a, b = np.abs(u) * 2, np.abs(v) * 2
    # Folds fan out from each corner, unequal, and die away towards the middle.
    angle = np.arctan2(1.04 - b, 1.04 - a)
    reach = np.sqrt((1.04 - a) ** 2 + (1.04 - b) ** 2)
    which = np.sign(u) * 1.7 + np.sign(v) * 2.9 + face * 0.8
    fan = np.sin(angle * 11 + which) + 0.6 * np.sin(angle * 19 + 2.3 * which)
    pleats = fan * np.exp(-((reach - 0.28) ** 2) / 0.09)
    # The blow of the hand leaves two soft ridges running down from the dent.
    ridge = np.exp(-(((np.abs(u) - 0.10 - 0.22 * (v + 0.5)) / 0.05) ** 2)) * np.clip(-v * 2.4, 0, 1)
    folds = (
        0.0085 * soft * np.clip(rise / 0.05, 0, 1)
        + 0.0052 * pleats * np.clip(rise / 0.015, 0, 1)
        + 0.0090 * ridge * np.clip(rise / 0.03, 0, 1)
    )
    moved = p + np.stack([np.zeros_like(rise), face * folds, np.zeros_like(rise)], axis=1)
    return Mesh(moved, mesh.normals, mesh.uv, mesh.triangles)


def _standing(mesh: Mesh) -> Mesh:
    """Set it up on its lower edge, pressed flat there, and dented on top by the side of a hand."""
    x, y, z = (mesh.positions[:, i] for i in range(3))
    half = SIDE_M / 2
    low, high = np.clip(z / half, 0, 1), np.clip(-z / half, 0, 1)
    z = z + half * PINCH * 0.9 * (1 - (x / half) ** 2) * low**3
    dent = np.exp(-((x / 0.075) ** 2)) * high**2
    z = z + 0.040 * dent
    y = (
        y
        * (1 + 0.16 * low * (1 - low**4) - 0.10 * high)
        * (1 - 0.38 * np.exp(-((x / 0.045) ** 2)) * high**1.5)
    )
    mesh = Mesh(np.stack([x, y, z], axis=1), mesh.normals, mesh.uv, mesh.triangles)
    return mesh.with_normals().turned("x", 90 - 9).moved(0, half, 0)
