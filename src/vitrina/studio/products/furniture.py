"""Things to put things on."""

from __future__ import annotations

from functools import cache

import numpy as np

from vitrina.studio import finishes as f
from vitrina.studio import surfaces
from vitrina.studio.curves import filleted, rounded_rectangle, smooth, superellipse
from vitrina.studio.material import Material, Skin
from vitrina.studio.mesh import Mesh
from vitrina.studio.noise import random
from vitrina.studio.product import Model
from vitrina.studio.products.seating import FLAT_OVAL, ROUND, woods
from vitrina.studio.shapes import board, dense, fitted, lathe, oval, plank, rod, slab, straight
from vitrina.studio.workshop import Bench


def dining_table() -> Model:
    """A boat-shaped top with a knife edge on four round legs, let into a set-back apron."""
    wood = woods()
    bench = Bench("dining-table", wood, seed=f.SEED)
    length, width, height = 2.00, 0.95, 0.74
    outline = superellipse(length / 2, width / 2, 5.0, 128)
    edge = _knife_edge(height, 0.028)
    top = slab(outline, edge, rings=9).turned_uv()
    bench.add("top", top, wood)

    x, z = length / 2 - 0.205, width / 2 - 0.135
    for sx in (-1, 1):
        for sz in (-1, 1):
            path = straight(
                (sx * (x + 0.055), 0.0, sz * (z + 0.040)), (sx * x, height - 0.026, sz * z)
            )
            leg = rod(
                path,
                [(0, 0.0155), (0.72, 0.0305), (1, 0.0335)],
                section=oval(2.3, segments=22),
                end_radius=(0.006, 0.002),
                rings=12,
                side=(0, 0, 1),
            )
            bench.add("legs", leg, wood)
    for sz in (-1, 1):
        rail = rod(
            straight((-x, height - 0.072, sz * z), (x, height - 0.072, sz * z)),
            0.0115,
            0.0440,
            section=plank(0.006),
            side=(0, 0, 1),
            rings=16,
        )
        bench.add("apron", rail, wood)
    for sx in (-1, 1):
        rail = rod(
            straight((sx * x, height - 0.072, -z), (sx * x, height - 0.072, z)),
            0.0115,
            0.0440,
            section=plank(0.006),
            rings=8,
        )
        bench.add("apron", rail, wood)
    for at in (-0.38, 0.38):
        brace = rod(
            straight((at, height - 0.046, -z), (at, height - 0.046, z)),
            0.020,
            0.016,
            section=plank(0.004),
            rings=6,
        )
        bench.add("apron", brace, wood)
    return bench.done()


def _knife_edge(top: float, thickness: float) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Rounded above, then drawn in underneath, so that a thick board looks light."""
    corners = [
        (0.012, top),
        (0.0, top, 0.004),
        (0.0, top - 0.010, 0.005),
        (0.055, top - thickness, 0.030),
        (0.075, top - thickness),
    ]
    return filleted(corners, step_deg=14)


@cache
def _stones() -> dict[str, Skin]:
    return {
        "travertine": surfaces.travertine(
            random(f.SEED, "travertine"), "#dccdb6", "#bda384", "#6d5740", tile_m=0.30
        ),
        "chalk-terrazzo": surfaces.terrazzo(
            random(f.SEED, "terrazzo", "chalk"),
            "#ded8cc",
            ("#94806c", "#b9a68f", "#625b53", "#f1ece2", "#a58a74"),
        ),
        "ink-terrazzo": surfaces.terrazzo(
            random(f.SEED, "terrazzo", "ink"),
            "#35373a",
            ("#7d7f80", "#b8b4ab", "#55585c", "#dcd8cf", "#8c7a68"),
        ),
    }


def side_table() -> Model:
    """A stone top and a pebble of a foot, held apart by one slim stem."""
    stones = _stones()
    bench = Bench("side-table", stones, seed=f.SEED)
    stone = {name: Material(name, skin) for name, skin in stones.items()}
    metal = {"travertine": f.brass(), "chalk-terrazzo": f.steel(), "ink-terrazzo": f.black_metal()}
    height = 0.50
    top_profile = filleted(
        [
            (0, height),
            (0.2250, height, 0.006),
            (0.2250, height - 0.012, 0.007),
            (0.190, height - 0.026, 0.03),
            (0, height - 0.026),
        ],
        step_deg=10,
    )
    foot_profile = filleted(
        [
            (0, 0.092),
            (0.026, 0.0915, 0.004),
            (0.070, 0.081, 0.05),
            (0.148, 0.046, 0.042),
            (0.150, 0.0, 0.020),
            (0.120, 0.0, 0.004),
            (0, 0.003),
        ],
        step_deg=8,
    )
    bench.add("stone", _planar(lathe(dense(top_profile, 0.02), segments=96)), stone)
    bench.add("stone", _planar(lathe(dense(foot_profile, 0.016), segments=72)), stone)
    stem = filleted(
        [
            (0, 0.085),
            (0.0200, 0.085),
            (0.0200, 0.0935, 0.003),
            (0.0128, 0.0985, 0.004),
            (0.0125, 0.30),
            (0.0128, 0.458, 0.004),
            (0.030, 0.4655, 0.006),
            (0.060, 0.470, 0.002),
            (0.060, 0.4742),
            (0, 0.4742),
        ],
        step_deg=12,
    )
    bench.add("stem", lathe(dense(stem, 0.03), segments=36), metal)
    return bench.done()


def _planar(mesh: Mesh) -> Mesh:
    """Lay stone through a turned body from above, let down over its side."""
    p, n = mesh.positions, mesh.normals
    radius = np.sqrt(p[:, 0] ** 2 + p[:, 2] ** 2)
    drop = (p[:, 1].max() - p[:, 1]) * np.where(radius > 1e-6, 1.0, 0.0)
    reach = np.where(radius > 1e-9, 1 + drop / np.maximum(radius, 1e-9), 1.0)
    return Mesh(p, n, np.stack([p[:, 0] * reach, p[:, 2] * reach], axis=1), mesh.triangles)


def bookcase() -> Model:
    """Five shelves threaded on four turned posts, with rails at the back to lean books on."""
    wood = woods()
    bench = Bench("bookcase", wood, seed=f.SEED)
    width, depth, height = 0.96, 0.33, 1.62
    px, pz = width / 2 - 0.022, depth / 2 - 0.022
    for sx in (-1, 1):
        for sz in (-1, 1):
            post = rod(
                straight((sx * px, 0, sz * pz), (sx * px, height, sz * pz)),
                [(0, 0.0115), (0.08, 0.0155), (0.93, 0.0155), (1, 0.0120)],
                section=ROUND,
                end_radius=0.006,
                rings=20,
                side=(0, 0, 1),
            )
            bench.add("posts", post, wood)
    levels = [0.13, 0.49, 0.85, 1.18, 1.49]
    for y in levels:
        outline = fitted(rounded_rectangle(width, depth, 0.022, corner=5), 72)
        half = 0.0100
        edge = filleted(
            [
                (0.008, y + half),
                (0.0, y + half, 0.0055),
                (0.0, y - 0.002, 0.005),
                (0.016, y - half, 0.010),
                (0.024, y - half),
            ],
            step_deg=24,
        )
        shelf = slab(outline, edge, rings=4)
        bench.add("shelves", shelf.turned_uv(), wood)
        rail = rod(
            straight((-px, y + 0.072, -pz), (px, y + 0.072, -pz)),
            0.0060,
            0.0150,
            section=FLAT_OVAL,
            side=(0, 0, 1),
            rings=10,
        )
        bench.add("rails", rail, wood)
        for sx in (-1, 1):
            side = rod(
                straight((sx * px, y + 0.072, -pz), (sx * px, y + 0.072, pz)),
                0.0052,
                section=oval(2.0, segments=10),
                rings=4,
                side=(0, 1, 0),
            )
            bench.add("rails", side, wood)
    collars = []
    for y in levels:
        for sx in (-1, 1):
            for sz in (-1, 1):
                ring = filleted(
                    [
                        (0.0150, y - 0.0185),
                        (0.0195, y - 0.0185, 0.0015),
                        (0.0195, y - 0.0098, 0.001),
                        (0.0150, y - 0.0098),
                    ],
                    step_deg=30,
                )
                collars.append(lathe(ring, segments=20, closed=False).moved(sx * px, 0, sz * pz))
    bench.add(
        "collars", collars, {"oak": f.brass(), "walnut": f.brass(), "black-ash": f.dark_bronze()}
    )
    return bench.done()


def wall_mirror() -> Model:
    """A round glass sunk into a deep turned ring, hung from a leather strap."""
    wood = woods()
    bench = Bench("wall-mirror", wood, seed=f.SEED)
    outer, inner = 0.325, 0.288
    ring = filleted(
        [
            (inner, 0.004),
            (inner, 0.0225, 0.004),
            (inner + 0.010, 0.030, 0.008),
            (outer - 0.004, 0.0330, 0.010),
            (outer, 0.018, 0.014),
            (outer - 0.012, 0.0, 0.006),
            (inner - 0.004, 0.0, 0.0015),
            (inner, 0.004),
        ],
        step_deg=10,
    )
    frame = lathe(ring, segments=128, tile_m=1.28)
    bench.add("frame", frame.turned_uv().turned("x", 90).moved(0, outer, 0), wood)
    glass = filleted(
        [
            (0, 0.0085),
            (inner - 0.010, 0.0085),
            (inner - 0.001, 0.0062),
            (inner - 0.001, 0.002),
            (0, 0.002),
        ],
        step_deg=10,
    )
    pane = lathe(dense(glass, 0.05), segments=96).turned("x", 90).moved(0, outer, 0)
    mirror = Material("silvered glass", None, (0.93, 0.94, 0.94), metal=1.0, rough=0.035)
    bench.add_fitted("glass", pane, mirror, shade=0.35)

    hide = {
        "oak": f.leather("cognac leather", "#a47552"),
        "walnut": f.leather("black leather", "#2d2a28"),
        "black-ash": f.leather("black leather", "#2d2a28"),
    }
    strap = smooth(
        [
            (-0.148, outer + 0.272, 0.0170), (-0.090, outer + 0.362, 0.0180),
            (-0.0165, outer + 0.474, 0.0190), (0.0, outer + 0.4853, 0.0190),
            (0.0165, outer + 0.474, 0.0190), (0.090, outer + 0.362, 0.0180),
            (0.148, outer + 0.272, 0.0170),
        ],
        60,
    )  # fmt: skip
    bench.add(
        "strap",
        rod(
            strap, 0.0090, 0.0014, section=plank(0.0013, corner=2), side=(0, 0, 1), end_radius=0.001
        ),
        hide,
    )
    peg = filleted(
        [
            (0, 0),
            (0.0140, 0.0, 0.002),
            (0.0140, 0.026, 0.004),
            (0.0185, 0.034, 0.004),
            (0.0185, 0.044, 0.005),
            (0, 0.047),
        ],
        step_deg=12,
    )
    bench.add(
        "peg",
        lathe(peg, segments=32).turned("x", 90).moved(0, outer + 0.470, -0.0),
        {"oak": f.brass(), "walnut": f.brass(), "black-ash": f.dark_bronze()},
    )
    return bench.done()


def tray() -> Model:
    """A lipped oval tray, turned up from one board, on two runners."""
    wood = woods()
    bench = Bench("tray", wood, seed=f.SEED)
    outline = superellipse(0.23, 0.155, 3.0, 112)
    edge = filleted(
        [
            (0.030, 0.0125),
            (0.016, 0.0125, 0.010),
            (0.0065, 0.0300, 0.002),
            (0.0008, 0.0300, 0.002),
            (0.0, 0.022, 0.010),
            (0.024, 0.0035, 0.014),
            (0.040, 0.0035),
        ],
        step_deg=12,
    )
    tray = slab(outline, edge, rings=7)
    bench.add("tray", tray.turned_uv(), wood)
    for x in (-0.12, 0.12):
        bench.add(
            "tray", board(0.016, 0.007, 0.150, radius=0.0025, along="z").moved(x, 0.0035, 0), wood
        )
    return bench.done()
