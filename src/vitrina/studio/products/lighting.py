"""Lamps, shown lit."""

from __future__ import annotations

from math import pi

import numpy as np

from vitrina.studio import finishes as f
from vitrina.studio import surfaces
from vitrina.studio.curves import filleted, smooth
from vitrina.studio.material import Material, Skin
from vitrina.studio.noise import linear
from vitrina.studio.product import Model
from vitrina.studio.products.seating import ROUND, woods
from vitrina.studio.shapes import dense, lathe, loop, oval, rod, straight, turned_profile
from vitrina.studio.workshop import Bench

WARM = (1.0, 0.80, 0.56)  # about 2700 K, linear


def opal(strength: float, stops: tuple[float, ...]) -> Material:
    """Blown opal glass lit from inside, brighter along v where the bulb is."""
    skin = Skin((1.0, 1.0), None, None, None, surfaces.gradient_glow(np.array(stops)))
    r, g, b = WARM
    return Material(
        "opal glass",
        skin,
        linear("#ece5d8"),
        rough=0.22,
        glow=(r * strength, g * strength, b * strength),
    )


def pendant_lamp() -> Model:
    """A spun bell with a rolled lip; a small opal globe hides the bulb."""
    shells = {
        "brass": f.brass(),
        "chalk": f.lacquer("chalk lacquer", "#e9e4da"),
        "black": f.lacquer("black lacquer", "#1f1f20"),
        "clay": f.lacquer("clay lacquer", "#9f6a55"),
    }
    bench = Bench("pendant-lamp", shells, seed=f.SEED)
    outside = [
        (0.0175, 0.262),
        (0.0300, 0.2565, 0.010),
        (0.0380, 0.2350, 0.020),
        (0.0560, 0.1900, 0.06),
        (0.1400, 0.1300, 0.10),
        (0.2060, 0.0560, 0.08),
        (0.2140, 0.0030),
    ]
    out = filleted(outside, step_deg=5)
    thickness = 0.0022
    lip = [
        (0.2168, 0.0010),
        (0.2172, -0.0016),
        (0.2150, -0.0036),
        (0.2122, -0.0030),
        (0.2114, -0.0004),
    ]
    inside = out[::-1].copy()
    inside[:, 0] -= thickness
    inside[:, 1] -= thickness * 0.8
    outer = turned_profile(np.concatenate([out, np.array(lip[:3])]), spacing=0.03, tolerance=5e-5)
    bench.add("shade", lathe(outer, segments=96, closed=False, tile_m=0.2).facing_out(), shells)
    inner = turned_profile(
        np.concatenate([np.array(lip[2:]), inside[1:]]), spacing=0.03, tolerance=5e-5
    )
    white = f.lacquer("white inside", "#f1ece2").but("white inside", glow=(0.16, 0.115, 0.07))
    linings = dict.fromkeys(shells, white)
    bench.add("lining", lathe(inner, segments=96, closed=False).facing_in(), linings)

    angle = np.linspace(-0.5 * pi, 0.5 * pi, 20)
    globe = np.stack([0.058 * np.cos(angle), 0.098 + 0.058 * np.sin(angle)], axis=1)
    bench.add_fitted(
        "globe",
        lathe(globe, segments=40, around_m=1.0).scaled_uv(1.0, 1 / 0.185),
        opal(1.15, (1, 1, 0.95, 0.8, 0.7)),
        shade=0.0,
        occludes=False,
    )
    fitting = {"brass": f.brass(), "chalk": f.brass(), "black": f.black_metal(), "clay": f.brass()}
    cap = filleted(
        [
            (0, 0.335),
            (0.0040, 0.335),
            (0.0055, 0.318, 0.004),
            (0.0110, 0.309, 0.004),
            (0.0155, 0.300, 0.003),
            (0.0165, 0.262, 0.004),
            (0.0225, 0.2585, 0.002),
            (0.0225, 0.2500),
            (0, 0.2500),
        ],
        step_deg=14,
    )
    bench.add("fitting", lathe(dense(cap, 0.02), segments=36), fitting)
    socket = filleted([(0, 0.262), (0.021, 0.262), (0.021, 0.148, 0.003), (0, 0.146)], step_deg=20)
    bench.add("socket", lathe(dense(socket, 0.03), segments=28), linings)
    top = 0.62
    flex = smooth([(0, 0.325, 0), (0.0006, 0.42, 0), (-0.0004, 0.52, 0), (0, top - 0.02, 0)], 14)
    bench.add(
        "flex", rod(flex, 0.0033, section=oval(2, segments=10), end_radius=0.001), f.woven_flex()
    )
    rose = filleted(
        [
            (0, top - 0.038),
            (0.0055, top - 0.038, 0.002),
            (0.0085, top - 0.030, 0.004),
            (0.050, top - 0.024, 0.012),
            (0.056, top - 0.002, 0.004),
            (0.054, top, 0.001),
            (0, top),
        ],
        step_deg=12,
    )
    bench.add("fitting", lathe(dense(rose, 0.015), segments=56), fitting)
    return bench.done()


def table_lamp() -> Model:
    """A mushroom: opal dome over a turned stem and a weighted foot."""
    metals = {"brass": f.brass(), "steel": f.steel(), "black": f.black_metal()}
    bench = Bench("table-lamp", metals, seed=f.SEED)
    body = filleted(
        [
            (0, 0.0),
            (0.0780, 0.0, 0.003),
            (0.0795, 0.0090, 0.006),
            (0.0640, 0.0200, 0.02),
            (0.0235, 0.0330, 0.030),
            (0.0165, 0.090, 0.05),
            (0.0190, 0.200, 0.06),
            (0.0360, 0.2380, 0.02),
            (0.0380, 0.2430, 0.002),
            (0.0380, 0.2480, 0.002),
            (0, 0.2490),
        ],
        step_deg=7,
    )
    bench.add("body", lathe(turned_profile(body, spacing=0.02), segments=64, tile_m=0.2), metals)
    radius, centre = 0.150, 0.212
    angle = np.linspace(0.0, 1.0, 34)
    height = 0.148
    dome = np.stack(
        [radius * np.sin((1 - angle) * pi / 2) ** 0.86, centre + height * np.sin(angle * pi / 2)],
        axis=1,
    )[::-1]
    lip = np.array(
        [
            (radius - 0.0004, centre - 0.004),
            (radius - 0.0022, centre - 0.0066),
            (radius - 0.0044, centre - 0.0040),
        ]
    )
    under = np.stack(
        [
            (radius - 0.005) * np.linspace(1.0, 0.0, 12),
            centre + 0.004 + 0.028 * (1 - np.linspace(1.0, 0.0, 12) ** 2),
        ],
        axis=1,
    )
    profile = np.concatenate([dome, lip, under])
    total = float(np.sqrt((np.diff(profile, axis=0) ** 2).sum(axis=1)).sum())
    shade = lathe(profile, segments=80, around_m=1.0).scaled_uv(1.0, 1 / total)
    bench.add_fitted(
        "shade",
        shade,
        opal(0.42, (0.45, 0.62, 0.85, 1.0, 0.96, 0.86, 1, 1, 1)),
        shade=0.0,
        occludes=False,
    )
    knob = filleted(
        [
            (0, 0.376),
            (0.0075, 0.3755, 0.004),
            (0.0090, 0.3690, 0.003),
            (0.0055, 0.3620, 0.003),
            (0.011, 0.3585, 0.001),
            (0, 0.3570),
        ],
        step_deg=15,
    )
    bench.add("body", lathe(dense(knob, 0.01), segments=28), metals)
    switch = rod(
        straight((0, 0.0215, 0.058), (0, 0.0300, 0.060)),
        0.0050,
        section=oval(2, segments=16),
        end_radius=0.0018,
    )
    bench.add("body", switch, metals)
    cable = smooth(
        [
            (0, 0.0075, -0.070),
            (0.004, 0.0045, -0.096),
            (0.030, 0.0034, -0.128),
            (0.075, 0.0034, -0.138),
            (0.115, 0.0034, -0.118),
        ],
        30,
    )
    bench.add(
        "flex", rod(cable, 0.0033, section=oval(2, segments=10), end_radius=0.002), f.woven_flex()
    )
    return bench.done()


def floor_lamp() -> Model:
    """A paper lantern on a slender stand, hung from a bent arm."""
    wood = woods()
    bench = Bench("floor-lamp", wood, seed=f.SEED)
    foot = filleted(
        [
            (0, 0.0),
            (0.150, 0.0, 0.003),
            (0.1535, 0.0100, 0.006),
            (0.140, 0.0215, 0.010),
            (0.050, 0.0285, 0.03),
            (0.024, 0.036, 0.01),
            (0.0205, 0.052, 0.003),
            (0, 0.054),
        ],
        step_deg=10,
    )
    base = lathe(dense(foot, 0.016), segments=80)
    base = base.with_uv(base.positions[:, [2, 0]])
    bench.add("stand", base, wood)
    stem = straight((0, 0.040, 0), (0, 0.985, 0))
    bench.add(
        "stand",
        rod(
            stem, [(0, 0.0165), (0.5, 0.0120), (1, 0.0150)], section=ROUND, rings=16, side=(0, 0, 1)
        ),
        wood,
    )
    metal = {"oak": f.brass(), "walnut": f.brass(), "black-ash": f.black_metal()}
    ferrule = filleted(
        [
            (0, 0.955),
            (0.0165, 0.955, 0.001),
            (0.0165, 0.992, 0.003),
            (0.0075, 0.998, 0.002),
            (0.0062, 1.06),
            (0, 1.06),
        ],
        step_deg=20,
    )
    bench.add("fitting", lathe(dense(ferrule, 0.02), segments=28), metal)

    # The lantern: a soft barrel of washi over bamboo hoops, open at both ends.
    low, high, count = 1.010, 1.500, 19
    t = np.linspace(0, 1, count * 5 - 4)
    barrel = 0.078 + 0.142 * np.sin(pi * np.clip(0.04 + 0.92 * t, 0, 1)) ** 0.62
    phase = (t * (count - 1)) % 1.0
    sag = 0.0052 * np.sin(pi * phase) ** 0.9 * np.sin(pi * np.clip(0.06 + 0.88 * t, 0, 1)) ** 0.4
    profile = np.stack([barrel - sag, low + (high - low) * t], axis=1)
    paper = f.paper()
    bench.add(
        "shade",
        lathe(profile[::-1], segments=80, closed=False, tile_m=0.30).facing_out(),
        paper,
        shade=0.25,
        occludes=False,
    )
    angle = np.linspace(0, 2 * pi, 65)[:-1]
    hoops = []
    for share in (0.0, 1.0):
        radius = float(np.interp(share, t, barrel)) + 0.0004
        ring = np.stack(
            [
                radius * np.sin(angle),
                np.full(64, low + (high - low) * share),
                radius * np.cos(angle),
            ],
            axis=1,
        )
        hoops.append(loop(ring, 0.0030, sides=8))
    bench.add("hoops", hoops, wood, occludes=False)
    spoke = rod(
        straight((-0.0785, low + 0.002, 0), (0.0785, low + 0.002, 0)),
        0.0018,
        section=oval(2, segments=8),
        side=(0, 0, 1),
    )
    spokes = [spoke.turned("y", turn) for turn in (0.0, 60.0, 120.0)]
    bench.add("fitting", spokes, metal)
    globe_angle = np.linspace(-0.5 * pi, 0.5 * pi, 14)
    bulb = np.stack([0.045 * np.cos(globe_angle), 1.135 + 0.058 * np.sin(globe_angle)], axis=1)
    bench.add_fitted(
        "bulb",
        lathe(bulb, segments=28, around_m=1.0).scaled_uv(1.0, 1 / 0.165),
        opal(1.3, (1, 1)),
        shade=0.0,
        occludes=False,
    )
    cable = smooth(
        [(0, 0.0080, -0.145), (0.0, 0.0045, -0.172), (0.02, 0.0034, -0.20), (0.07, 0.0034, -0.212)],
        24,
    )
    bench.add(
        "flex", rod(cable, 0.0033, section=oval(2, segments=10), end_radius=0.002), f.woven_flex()
    )
    return bench.done()
