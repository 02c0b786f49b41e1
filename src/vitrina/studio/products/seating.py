"""Things to sit on."""

from __future__ import annotations

from math import pi

import numpy as np

from vitrina.studio import finishes as f
from vitrina.studio.curves import (
    filleted,
    filleted_loop,
    outward,
    rounded_rectangle,
    smooth,
)
from vitrina.studio.material import Material
from vitrina.studio.mesh import Floats, Mesh
from vitrina.studio.noise import clouds, random
from vitrina.studio.product import Model
from vitrina.studio.shapes import (
    board,
    dense,
    fitted,
    lathe,
    loop,
    oval,
    plank,
    rod,
    round_edge,
    slab,
    straight,
)
from vitrina.studio.workshop import Bench

SOFT_SQUARE = oval(3.2, segments=20)
ROUND = oval(2.0, segments=16)
FLAT_OVAL = oval(2.6, segments=20)


def both_sides(mesh: Mesh) -> list[Mesh]:
    return [mesh, mesh.mirrored("x")]


def woods() -> dict[str, Material]:
    return {"oak": f.oak(), "walnut": f.walnut(), "black-ash": f.black_ash()}


def dining_chair() -> Model:
    """Four turned legs, a steam-bent crest rail and a seat wound with paper cord."""
    bench = Bench("dining-chair", woods(), seed=f.SEED)
    wood = woods()

    # Back posts rise from the floor, lean at the seat and end inside the crest rail.
    post = smooth(
        [
            (0.185, 0, -0.235),
            (0.187, 0.22, -0.208),
            (0.190, 0.44, -0.198),
            (0.199, 0.60, -0.211),
            (0.2045, 0.726, -0.2275),
        ],
        16,
    )
    bench.add(
        "frame",
        both_sides(
            rod(post, [(0, 0.0115), (0.55, 0.0175), (1, 0.0085)], section=ROUND, end_radius=0.004)
        ),
        wood,
    )
    front = straight((0.222, 0.0, 0.218), (0.205, 0.448, 0.196))
    bench.add(
        "frame",
        both_sides(
            rod(
                front,
                [(0, 0.0115), (0.8, 0.0185), (1, 0.017)],
                section=ROUND,
                end_radius=0.004,
                rings=8,
            )
        ),
        wood,
    )

    # The crest embraces the back: a flat oval, tallest in the middle, thinning to its tips.
    angle = np.linspace(-1.06, 1.06, 37)
    crest = np.stack(
        [
            0.285 * np.sin(angle),
            0.722 + 0.014 * np.cos(angle * 1.5),
            -0.335 + 0.360 * (1 - np.cos(angle)),
        ],
        axis=1,
    )
    bench.add(
        "frame",
        rod(
            crest,
            [(0, 0.018), (0.28, 0.036), (0.5, 0.043), (0.72, 0.036), (1, 0.018)],
            [(0, 0.0085), (0.14, 0.0118), (0.5, 0.0118), (0.86, 0.0118), (1, 0.0085)],
            section=FLAT_OVAL,
            side=(0, 1, 0),
            end_radius=0.012,
            bevel_steps=4,
        ),
        wood,
    )

    # Seat rails under the cord, and low stretchers that hold the legs.
    rails = [
        rod(
            straight((-0.2, 0.425, 0.199), (0.2, 0.425, 0.199)),
            0.012,
            0.017,
            section=FLAT_OVAL,
            side=(0, 0, 1),
        ),
        rod(
            straight((-0.185, 0.425, -0.197), (0.185, 0.425, -0.197)),
            0.012,
            0.017,
            section=FLAT_OVAL,
            side=(0, 0, 1),
        ),
    ]
    bench.add("frame", rails, wood)
    side_rail = rod(
        straight((0.206, 0.425, 0.197), (0.190, 0.425, -0.197)), 0.012, 0.017, section=FLAT_OVAL
    )
    bench.add("frame", both_sides(side_rail), wood)
    stretcher = rod(
        straight((0.2165, 0.205, 0.208), (0.1875, 0.225, -0.207)),
        [(0, 0.0075), (0.5, 0.011), (1, 0.0075)],
        section=ROUND,
        rings=8,
    )
    bench.add("frame", both_sides(stretcher), wood)
    bench.add(
        "frame",
        rod(
            straight((-0.202, 0.214, 0.01), (0.202, 0.214, 0.01)),
            [(0, 0.0075), (0.5, 0.011), (1, 0.0075)],
            section=ROUND,
            side=(0, 0, 1),
            rings=8,
        ),
        wood,
    )

    outline = _trapezium(0.226, 0.203, 0.222, -0.218, 0.045)
    edge = np.concatenate([round_edge(0.4595, 0.430, 0.0135, steps=5)])
    seat = slab(outline, edge, crown=lambda t: -0.013 * t, rings=8)
    bench.add(
        "seat",
        seat,
        {
            "oak": f.paper_cord("natural cord", "#dccaab"),
            "walnut": f.paper_cord("natural cord", "#dccaab"),
            "black-ash": f.paper_cord("black cord", "#2b2927"),
        },
    )
    return bench.done()


def _trapezium(front: float, back: float, z_front: float, z_back: float, radius: float) -> Floats:
    """A seat outline, wider in front, with round corners."""
    corners = [
        (front, z_front, radius),
        (back, z_back, radius),
        (-back, z_back, radius),
        (-front, z_front, radius),
    ]
    outline = filleted_loop(corners, step_deg=9)
    return fitted(outline, 88)


def stool() -> Model:
    """Three splayed legs through a dished seat, tied by a ring."""
    wood = woods()
    bench = Bench("stool", wood, seed=f.SEED)
    profile = filleted(
        [
            (0, 0.4385),
            (0.08, 0.4375),
            (0.168, 0.452, 0.010),
            (0.1765, 0.4375, 0.012),
            (0.160, 0.420, 0.008),
            (0.10, 0.409, 0.05),
            (0, 0.408),
        ],
        step_deg=9,
    )
    seat = lathe(dense(profile, 0.018), segments=72)
    seat = Mesh(seat.positions, seat.normals, seat.positions[:, [2, 0]].copy(), seat.triangles)
    bench.add("seat", seat, wood)
    legs, wedges = [], []
    for third in range(3):
        turn = 120.0 * third + 30.0
        leg = rod(
            straight((0.205, 0.0, 0.0), (0.108, 0.4420, 0.0)),
            [(0, 0.0110), (0.55, 0.0172), (0.86, 0.0140), (1, 0.0118)],
            section=ROUND,
            end_radius=(0.004, 0.0015),
            rings=10,
            side=(0, 0, 1),
        )
        legs.append(leg.turned("y", turn))
        wedge = board(0.0225, 0.0022, 0.0030, radius=0.0006).moved(0.108, 0.4415, 0.0)
        wedges.append(wedge.turned("y", turn))
    bench.add("legs", legs, wood)
    ring_radius, ring_height = 0.1735, 0.145
    angle = np.linspace(0, 2 * pi, 73)[:-1]
    ring = np.stack(
        [ring_radius * np.sin(angle), np.full(72, ring_height), ring_radius * np.cos(angle)], axis=1
    )
    bench.add(
        "ring",
        loop(ring, 0.0062, sides=10),
        {"oak": f.brass(), "walnut": f.brass(), "black-ash": f.black_metal()},
    )
    return bench.done()


def lounge_chair() -> Model:
    """A low easy chair: paddle arms, a spindle back, two deep cushions in looped wool."""
    wood = woods()
    bench = Bench("lounge-chair", wood, seed=f.SEED)

    front = straight((0.318, 0.0, 0.330), (0.312, 0.552, 0.300))
    rear = smooth(
        [
            (0.305, 0.0, -0.355),
            (0.308, 0.18, -0.315),
            (0.311, 0.36, -0.285),
            (0.312, 0.512, -0.262),
        ],
        12,
    )
    bench.add(
        "frame",
        both_sides(
            rod(
                front,
                [(0, 0.0125), (0.62, 0.0205), (1, 0.0150)],
                section=ROUND,
                end_radius=0.004,
                rings=10,
            )
        ),
        wood,
    )
    bench.add(
        "frame",
        both_sides(
            rod(rear, [(0, 0.0125), (0.6, 0.0205), (1, 0.0150)], section=ROUND, end_radius=0.004)
        ),
        wood,
    )

    arm = smooth(
        [
            (0.322, 0.562, 0.385),
            (0.320, 0.569, 0.25),
            (0.313, 0.556, 0.02),
            (0.309, 0.530, -0.19),
            (0.300, 0.520, -0.345),
        ],
        26,
    )
    bench.add(
        "frame",
        both_sides(
            rod(
                arm,
                [(0, 0.034), (0.18, 0.041), (0.55, 0.028), (0.85, 0.021), (1, 0.017)],
                [(0, 0.0105), (0.3, 0.0125), (1, 0.0115)],
                section=FLAT_OVAL,
                end_radius=0.016,
                bevel_steps=4,
            )
        ),
        wood,
    )

    # Seat frame, tipped back by seven degrees.
    side_rail = rod(
        straight((0.300, 0.318, 0.325), (0.298, 0.228, -0.325)),
        0.012,
        0.024,
        section=SOFT_SQUARE,
        rings=6,
    )
    bench.add("frame", both_sides(side_rail), wood)
    cross = [
        rod(
            straight((-0.31, 0.318, 0.312), (0.31, 0.318, 0.312)),
            0.013,
            0.024,
            section=SOFT_SQUARE,
            side=(0, 0, 1),
            rings=8,
        ),
        rod(
            straight((-0.30, 0.246, -0.262), (0.30, 0.246, -0.262)),
            0.013,
            0.022,
            section=SOFT_SQUARE,
            side=(0, 0, 1),
            rings=8,
        ),
        rod(
            straight((-0.30, 0.285, 0.02), (0.30, 0.285, 0.02)),
            0.02,
            0.008,
            section=SOFT_SQUARE,
            side=(0, 0, 1),
            rings=6,
        ),
    ]
    bench.add("frame", cross, wood)

    # The back leans twenty-three degrees: two posts, a curved crest, spindles between.
    post = smooth([(0.268, 0.235, -0.250), (0.270, 0.50, -0.350), (0.262, 0.742, -0.462)], 14)
    bench.add(
        "frame",
        both_sides(
            rod(post, [(0, 0.016), (0.5, 0.0175), (1, 0.0125)], section=ROUND, end_radius=0.004)
        ),
        wood,
    )
    x = np.linspace(-0.292, 0.292, 25)
    crest = np.stack(
        [x, 0.748 + 0.012 * (1 - (x / 0.3) ** 2), -0.452 - 0.040 * (1 - (x / 0.3) ** 2)], axis=1
    )
    bench.add(
        "frame",
        rod(
            crest,
            [(0, 0.022), (0.5, 0.034), (1, 0.022)],
            0.0125,
            section=FLAT_OVAL,
            side=(0, 1, -0.42),
            end_radius=0.012,
            bevel_steps=4,
        ),
        wood,
    )
    spindles = []
    for x_at in np.linspace(-0.195, 0.195, 7):
        bow = -0.040 * (1 - (x_at / 0.3) ** 2)
        path = smooth(
            [(x_at, 0.25, -0.262), (x_at, 0.5, -0.362 + 0.75 * bow), (x_at, 0.745, -0.452 + bow)], 8
        )
        spindles.append(
            rod(path, [(0, 0.006), (0.45, 0.0092), (1, 0.006)], section=oval(2.0, segments=10))
        )
    bench.add("frame", spindles, wood)

    cloth = {
        "oak": f.boucle("ivory boucle", "#f1ece3"),
        "walnut": f.boucle("moss boucle", "#8f9180"),
        "black-ash": f.boucle("rust boucle", "#b07a5e"),
    }
    seat = _box_cushion(0.560, 0.625, 0.135, 0.085, crown=0.030, name="lounge seat")
    back = _box_cushion(0.550, 0.450, 0.120, 0.080, crown=0.040, name="lounge back")
    bench.add("cushions", seat.turned("x", 7.8).moved(0, 0.366, 0.030), cloth)
    bench.add("cushions", back.turned("x", 90 - 23.5).moved(0, 0.602, -0.298), cloth)
    return bench.done()


def _box_cushion(
    width: float, depth: float, height: float, radius: float, *, crown: float, name: str
) -> Mesh:
    """An upholstered block about the origin: full in the middle, soft at the edge."""
    outline = fitted(rounded_rectangle(width, depth, radius, corner=10), 96)
    half = height / 2
    turn = np.linspace(0, pi / 2, 7)
    r = half * 0.78
    over = np.stack([r * (1 - np.sin(turn)), half - r * (1 - np.cos(turn))], axis=1)
    below = over[::-1] * np.array([1.0, -1.0])
    mesh = slab(outline, np.concatenate([over, below]), rings=12)
    p = mesh.positions
    x, y, z = (p[:, i] for i in range(3))
    # The filling pushes both faces out, the lower one less: it lies on slats.
    full = np.clip((1 - (2 * x / width) ** 2) * (1 - (2 * z / depth) ** 2), 0, 1) ** 0.75
    share = np.clip(y / half, -1, 1)
    swell = crown * full * np.where(share > 0, share**2, -0.15 * share**2)
    rng = random(f.SEED, name)
    u, v = x / width * 0.5 + 0.25, z / depth * 0.5 + 0.25
    soft = 0.0045 * clouds(rng, u, v, 5, 5, octaves=2)
    moved = p + mesh.normals * soft[:, None] + swell[:, None] * np.array([0.0, 1.0, 0.0])
    return Mesh(moved, mesh.normals, mesh.uv, mesh.triangles).with_normals()


def bench_seat() -> Model:
    """A long bench: a trestle frame under one leather pad held by straps."""
    wood = woods()
    bench = Bench("bench", wood, seed=f.SEED)
    length, depth = 1.30, 0.38
    for end in (-1, 1):
        for face in (-1.0, 1.0):
            leg = straight(
                (end * (length / 2 - 0.105), 0.0, face * (depth / 2 - 0.012)),
                (end * (length / 2 - 0.135), 0.385, face * (depth / 2 - 0.045)),
            )
            bench.add(
                "frame",
                rod(
                    leg,
                    [(0, 0.0125), (0.85, 0.0205), (1, 0.0195)],
                    section=ROUND,
                    end_radius=0.004,
                    rings=8,
                    side=(0, 0, 1),
                ),
                wood,
            )
        bearer = rod(
            straight(
                (end * (length / 2 - 0.130), 0.345, -depth / 2 + 0.05),
                (end * (length / 2 - 0.130), 0.345, depth / 2 - 0.05),
            ),
            0.011,
            0.021,
            section=SOFT_SQUARE,
            rings=4,
        )
        bench.add("frame", bearer, wood)
        stretcher = rod(
            straight(
                (end * (length / 2 - 0.1145), 0.128, -depth / 2 + 0.025),
                (end * (length / 2 - 0.1145), 0.128, depth / 2 - 0.025),
            ),
            [(0, 0.0085), (0.5, 0.012), (1, 0.0085)],
            section=ROUND,
            rings=6,
        )
        bench.add("frame", stretcher, wood)
    bench.add(
        "frame",
        rod(
            straight((-length / 2 + 0.115, 0.128, 0), (length / 2 - 0.115, 0.128, 0)),
            [(0, 0.0085), (0.5, 0.0125), (1, 0.0085)],
            section=ROUND,
            side=(0, 0, 1),
            rings=12,
        ),
        wood,
    )
    slats = [
        rod(
            straight((-length / 2, 0.3815, z), (length / 2, 0.3815, z)),
            0.0265,
            0.0105,
            section=plank(0.005),
            side=(0, 0, 1),
            end_radius=0.005,
            rings=14,
        )
        for z in np.linspace(-depth / 2 + 0.027, depth / 2 - 0.027, 5)
    ]
    bench.add("frame", slats, wood)

    hide = {
        "oak": f.leather("cognac leather", "#a47552"),
        "walnut": f.leather("black leather", "#2d2a28"),
        "black-ash": f.leather("sand leather", "#c9b294"),
    }
    pad_width, pad_depth, low, high = length - 0.10, depth - 0.008, 0.3925, 0.4420
    outline = fitted(rounded_rectangle(pad_width, pad_depth, 0.030, corner=8), 120)
    edge = round_edge(high, low, 0.017, steps=5)
    pad = slab(outline, edge, crown=lambda t: 0.010 * np.minimum(t * 2.2, 1.0) ** 0.7, rings=9)
    bench.add("pad", pad, hide)
    for seam in (high - 0.0125, low + 0.0125):
        bench.add("pad", loop(_flat_ring(outline, 0.0005, seam), 0.0027, sides=8), hide)
    for at in (-length / 2 + 0.30, length / 2 - 0.30):
        path = _strap(pad_depth / 2 + 0.0022, 0.388, high + 0.0105)
        strap = rod(
            path + np.array([at, 0, 0]),
            0.0135,
            0.0013,
            section=plank(0.0012, corner=2),
            side=(1, 0, 0),
            end_radius=0.001,
        )
        bench.add("pad", strap, hide)
    return bench.done()


def _flat_ring(outline: Floats, outside: float, height: float) -> Floats:
    anticlockwise = outline if _area(outline) > 0 else outline[::-1]
    ring = anticlockwise + outward(anticlockwise) * outside
    return np.stack([ring[:, 0], np.full(len(ring), height), ring[:, 1]], axis=1)


def _area(outline: Floats) -> float:
    x, z = outline[:, 0], outline[:, 1]
    return float((x * np.roll(z, -1) - np.roll(x, -1) * z).sum() / 2)


def _strap(reach: float, low: float, high: float) -> Floats:
    flat = filleted(
        [(-reach, low), (-reach, high, 0.018), (reach, high, 0.018), (reach, low)], step_deg=10
    )
    # Follow the crown of the pad between the edges.
    lift = 0.002 * (1 - (flat[:, 0] / reach) ** 2)
    return np.stack(
        [
            np.zeros(len(flat)),
            flat[:, 1] + np.where(flat[:, 1] > high - 0.002, lift, 0),
            flat[:, 0],
        ],
        axis=1,
    )
