"""Pots and glass: thrown, glazed, blown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import pi

import numpy as np

from vitrina.studio import finishes as f
from vitrina.studio import surfaces
from vitrina.studio.curves import filleted, frames, lengths, smooth, smooth_values, thinned
from vitrina.studio.glb import Model
from vitrina.studio.material import Material
from vitrina.studio.mesh import Floats, Mesh, sheet, unit
from vitrina.studio.noise import linear, random
from vitrina.studio.products.seating import ROUND
from vitrina.studio.shapes import dense, lathe, loop, oval, rod, straight
from vitrina.studio.workshop import Bench

GLAZES = {
    "chalk": surfaces.Glaze(body="#e6e0d3", thin="#c4a37c", clay="#b08d69", pool="#d8d0bf", speckle="#5a4636", speckles=0.55, movement=0.25, rough=0.40),
    "celadon": surfaces.Glaze(body="#a5b8a8", thin="#d5cdb4", clay="#b99877", pool="#7a9a8c", speckle="#6d7f6c", speckles=0.10, movement=0.45, rough=0.14),
    "tenmoku": surfaces.Glaze(body="#2c1f1a", thin="#93502a", clay="#8f6c51", pool="#14100f", speckle="#6b3a1f", speckles=0.25, movement=0.40, rough=0.13),
    "rust": surfaces.Glaze(body="#9a5638", thin="#cf9a68", clay="#b08463", pool="#6f3522", speckle="#3b2218", speckles=0.45, movement=0.50, rough=0.38),
    "indigo": surfaces.Glaze(body="#3c5166", thin="#a3a79c", clay="#a98a6c", pool="#223244", speckle="#1d2733", speckles=0.30, movement=0.55, rough=0.20),
    "charcoal": surfaces.Glaze(body="#35342f", thin="#6f6355", clay="#6b5a4a", pool="#22211f", speckle="#8a8375", speckles=0.25, movement=0.35, rough=0.50),
    "clay": surfaces.Glaze(body="#bd7a57", thin="#d29a76", clay="#b97452", pool="#a9663f", speckle="#8a4f36", speckles=0.35, movement=0.35, rough=0.72),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Pot:
    """A thrown body: its profile from the middle inside, over the rim, to the middle below."""

    profile: Floats
    foot_m: float  # height up to which the outside stays bare

    @property
    def along_m(self) -> float:
        return float(lengths(self.profile)[-1])

    @property
    def rim_m(self) -> float:
        return float(lengths(self.profile)[int(np.argmax(self.profile[:, 1]))])

    @property
    def around_m(self) -> float:
        return 2 * pi * float(self.profile[:, 0].max())

    def skin(
        self, product: str, glaze: str, *, size_px: int = 512, breaks_m: tuple[float, ...] = ()
    ) -> Material:
        """The glaze over this pot. The same hand threw every finish, so the relief is shared."""
        along = lengths(self.profile)
        outside = along > self.rim_m
        bare_from = float(along[outside & (self.profile[:, 1] < self.foot_m)][0])
        low = int(np.argmin(np.where(outside, np.inf, self.profile[:, 1])))
        skin = surfaces.glaze(
            random(f.SEED, "glaze", product),
            GLAZES[glaze],
            around_m=self.around_m,
            along_m=self.along_m,
            rims_m=(self.rim_m, *breaks_m),
            bare_m=((bare_from, self.along_m + 0.01),),
            pools_m=(float(along[low]), bare_from - 0.010),
            height_px=size_px,
        )
        return Material(f"{glaze} glaze", skin)

    def mesh(self, segments: int = 80) -> Mesh:
        return lathe(self.profile, segments=segments, around_m=1.0)


def thrown(corners: list[tuple[float, ...]], *, foot_m: float, spacing: float = 0.009) -> Pot:
    return Pot(turned_profile(filleted(corners, step_deg=5.0), spacing=spacing), foot_m)


def turned_profile(curve: Floats, *, spacing: float, tolerance: float = 2.5e-5) -> Floats:
    """A profile with points where it bends, and none where it does not."""
    return thinned(dense(curve, spacing / 3), tolerance_m=tolerance, longest_m=spacing)


def vase() -> Model:
    """A full shoulder drawn up into a narrow neck with a turned-out lip."""
    outside = smooth(
        [
            (0.0455, 0.004),
            (0.0500, 0.010),
            (0.0745, 0.070),
            (0.0880, 0.128),
            (0.0800, 0.178),
            (0.0480, 0.212),
            (0.0252, 0.240),
            (0.0190, 0.275),
            (0.0196, 0.305),
            (0.0262, 0.3215),
        ],
        90,
    )
    inside = outside[6:, :].copy()
    inside[:, 0] -= 0.0038
    inside[:, 1] -= 0.0006
    lip = np.array([(0.0246, 0.3229), (0.0262, 0.3236), (0.0272, 0.3229)])
    foot = filleted(
        [
            (0.0455, 0.004),
            (0.0445, 0.0, 0.0012),
            (0.0385, 0.0, 0.001),
            (0.0370, 0.0045, 0.002),
            (0, 0.0050),
        ],
        step_deg=30,
    )
    profile = np.concatenate(
        [[(0, 0.012), (0.02, 0.0122), (0.040, 0.0140)], inside, lip, outside[::-1], foot[1:]]
    )
    pot = Pot(turned_profile(profile, spacing=0.012), 0.011)
    looks = {
        name: pot.skin("vase", name, size_px=1024)
        for name in ("celadon", "tenmoku", "chalk", "indigo")
    }
    bench = Bench("vase", looks, seed=f.SEED)
    bench.add_fitted("vase", pot.mesh(88), looks)
    return bench.done()


def mug() -> Model:
    """A straight-sided cup with a soft belly and a handle drawn out of its wall."""
    pot = thrown(
        [(0, 0.0068), (0.0325, 0.0068, 0.012), (0.0372, 0.040, 0.06), (0.0362, 0.0905), (0.0371, 0.0932, 0.0018), (0.0384, 0.0932, 0.0018), (0.0402, 0.080, 0.03), (0.0412, 0.035, 0.06), (0.0345, 0.0045, 0.009), (0.0325, 0.0, 0.0012), (0.0285, 0.0, 0.0012), (0.0272, 0.0032, 0.0016), (0, 0.0034)],
        foot_m=0.0085,
    )  # fmt: skip
    looks = {name: pot.skin("mug", name) for name in ("chalk", "celadon", "indigo", "rust")}
    bench = Bench("mug", looks, seed=f.SEED)
    bench.add_fitted("mug", pot.mesh(72), looks)
    radius = _outer_radius(pot)
    path = smooth(
        [
            (radius(0.0725) - 0.0003, 0.0725, 0),
            (0.0560, 0.0762, 0),
            (0.0690, 0.0690, 0),
            (0.0735, 0.0520, 0),
            (0.0660, 0.0345, 0),
            (0.0520, 0.0255, 0),
            (radius(0.0225) - 0.0003, 0.0225, 0),
        ],
        40,
    )
    handle = drawn_handle(
        path,
        [(0, 0.0078), (0.45, 0.0066), (1, 0.0058)],
        [(0, 0.0046), (0.45, 0.0036), (1, 0.0034)],
        radius,
        fillet_m=0.0062,
    )
    middle = pot.rim_m + 0.03
    handle = handle.with_uv(
        np.stack([handle.uv[:, 0] / pot.around_m + 0.2, middle + handle.uv[:, 1] * 0.35], axis=1)
    )
    bench.add_fitted("mug", handle, looks)
    return bench.done()


def _outer_radius(pot: Pot) -> Callable[[float], float]:
    rim = int(np.argmax(pot.profile[:, 1]))
    outside = pot.profile[rim:][::-1]
    rising = np.maximum.accumulate(outside[:, 1])
    return lambda y: float(np.interp(y, rising, outside[:, 0]))


def drawn_handle(
    path: Floats,
    half_width: list[tuple[float, float]],
    half_depth: list[tuple[float, float]],
    radius_at: Callable[[float], float],
    *,
    fillet_m: float,
) -> Mesh:
    """A strap handle in the XY plane whose ends flow into a turned body.

    Near each end the section widens along a quarter circle until it lies in the wall, and its last
    ring takes over the wall's normals: light runs across the joint without a line.
    """
    travelled = lengths(path)
    total = float(travelled[-1])
    bend = np.linspace(pi / 2, 0, 8)
    near = fillet_m * (1 - np.sin(bend))
    at = np.concatenate(
        [near, np.linspace(fillet_m, total - fillet_m, 26)[1:-1], total - near[::-1]]
    )
    flare = np.concatenate(
        [fillet_m * (1 - np.cos(bend)), np.zeros(24), (fillet_m * (1 - np.cos(bend)))[::-1]]
    )
    line = np.stack([np.interp(at, travelled, axis) for axis in path.T], axis=1)
    _, across, up = frames(line, (0.0, 0.0, 1.0))
    share = at / total
    widths, depths = (
        smooth_values(half_width, share) + flare,
        smooth_values(half_depth, share) + flare,
    )
    cut = oval(2.4, segments=24)(1.0, 1.0)
    cut = np.concatenate([cut, cut[:1]])
    grid = (
        line[:, None]
        + (widths[:, None] * cut[None, :, 0])[..., None] * across[:, None]
        + (depths[:, None] * cut[None, :, 1])[..., None] * up[:, None]
    )
    for end, order in ((0, range(len(at))), (len(at) - 1, range(len(at) - 1, -1, -1))):
        wall = np.array([radius_at(float(y)) for y in grid[end, :, 1]])
        target = np.sqrt(np.maximum(wall**2 - grid[end, :, 2] ** 2, 0))
        pull = target - grid[end, :, 0]
        for step, row in enumerate(order):
            weight = max(0.0, 1 - step / 9) ** 2
            grid[row, :, 0] += pull * weight
    around = lengths(np.stack([cut[:, 0] * widths[12], cut[:, 1] * depths[12]], axis=1))
    uv = np.stack(np.broadcast_arrays(around[None, :], at[:, None]), axis=-1)
    mesh = sheet(grid, uv)
    away = mesh.positions - np.repeat(line, grid.shape[1], axis=0)[: len(mesh.positions)]
    if float((away * mesh.normals).sum()) < 0:
        mesh = mesh.reversed()
    normals = mesh.normals.copy()
    columns = grid.shape[1]
    for row in (0, len(at) - 1):
        ring = slice(row * columns, (row + 1) * columns)
        wall_normal = mesh.positions[ring] * np.array([1.0, 0.0, 1.0])
        normals[ring] = unit(wall_normal)
    return Mesh(mesh.positions, normals, mesh.uv, mesh.triangles)


def bowls() -> Model:
    """Three bowls from one curve, sized to rest inside each other."""
    pot = thrown(
        [(0, 0.0090), (0.030, 0.0095, 0.05), (0.068, 0.030, 0.06), (0.0900, 0.0765), (0.0922, 0.0792, 0.0016), (0.0938, 0.0788, 0.0016), (0.0735, 0.0280, 0.06), (0.0400, 0.0085, 0.02), (0.0385, 0.0, 0.0012), (0.0335, 0.0, 0.0012), (0.0318, 0.0042, 0.002), (0, 0.0046)],
        foot_m=0.0095,
    )  # fmt: skip
    skins = {
        name: pot.skin("bowls", name) for name in ("chalk", "celadon", "indigo", "tenmoku", "rust")
    }
    sets = {
        "tide": ("indigo", "celadon", "chalk"),
        "ember": ("tenmoku", "rust", "chalk"),
        "chalk": ("chalk", "chalk", "chalk"),
    }
    bench = Bench("bowls", sets, seed=f.SEED)
    lift = 0.0
    for i, scale in enumerate((1.0, 0.80, 0.62)):
        bowl = (
            pot.mesh(80 - 8 * i)
            .stretched(scale, scale, scale)
            .turned("y", 70.0 * i)
            .moved(0.0006 * i, lift, 0.0008 * i)
        )
        looks = {name: skins[glazes[i]] for name, glazes in sets.items()}
        bench.add_fitted(("large", "medium", "small")[i], bowl, looks)
        lift += 0.0285 * scale
    return bench.done()


def teapot() -> Model:
    """A round pot for green tea, its bail bent from one strip of wood."""
    pot = thrown(
        [(0.0, 0.0075), (0.045, 0.0085, 0.02), (0.0745, 0.045, 0.045), (0.0640, 0.0870, 0.035), (0.0368, 0.1000), (0.0368, 0.1042, 0.0010), (0.0400, 0.1042, 0.0014), (0.0440, 0.1015, 0.004), (0.0690, 0.0890, 0.036), (0.0800, 0.0460, 0.045), (0.0480, 0.0060, 0.014), (0.0462, 0.0, 0.0012), (0.0410, 0.0, 0.0012), (0.0395, 0.0036, 0.002), (0, 0.0040)],
        foot_m=0.0090,
    )  # fmt: skip
    looks = {name: pot.skin("teapot", name) for name in ("charcoal", "celadon", "rust")}
    bench = Bench("teapot", looks, seed=f.SEED)
    bench.add_fitted("pot", pot.mesh(88), looks)
    glazed = pot.rim_m + 0.035

    def lay(mesh: Mesh) -> Mesh:
        return mesh.with_uv(
            np.stack([mesh.uv[:, 0] / pot.around_m + 0.1, glazed + mesh.uv[:, 1] * 0.5], axis=1)
        )

    lid = filleted(
        [(0, 0.0995), (0.030, 0.0995), (0.0345, 0.1000, 0.001), (0.0348, 0.1045, 0.001), (0.0405, 0.1050, 0.0012), (0.0405, 0.1085, 0.0018), (0.026, 0.1150, 0.03), (0.0085, 0.1180, 0.006), (0.0066, 0.1235, 0.004), (0.0122, 0.1310, 0.006), (0.0095, 0.1375, 0.005), (0, 0.1390)],
        step_deg=10,
    )  # fmt: skip
    bench.add_fitted(
        "lid",
        lay(lathe(turned_profile(lid, spacing=0.009), segments=64, around_m=pot.around_m)),
        looks,
    )

    radius = _outer_radius(pot)
    path = smooth(
        [
            (radius(0.052) - 0.0004, 0.052, 0),
            (0.0945, 0.0595, 0),
            (0.1110, 0.0760, 0),
            (0.1230, 0.0960, 0),
            (0.1300, 0.1035, 0),
        ],
        36,
    )
    bench.add_fitted("pot", lay(_spout(path, radius)), looks)

    lugs = []
    for side in (1.0, -1.0):
        angle = np.linspace(0, 2 * pi, 21)[:-1]
        ring = np.stack([0.0090 * np.cos(angle), np.zeros(20), 0.0090 * np.sin(angle)], axis=1)
        lug = (
            loop(ring, 0.0031, sides=10)
            .turned("x", 90)
            .turned("z", side * 26)
            .moved(0.0, 0.1005, 0)
        )
        lugs.append(lug.moved(side * 0.0575, 0.0, 0.0) if True else lug)
    for lug in lugs:
        bench.add_fitted("pot", lay(lug.turned("y", 90)), looks)
    arch = smooth(
        [
            (0.0, 0.0990, 0.0640),
            (0.0, 0.135, 0.0745),
            (0.0, 0.178, 0.0600),
            (0.0, 0.2005, 0.0245),
            (0, 0.2035, 0.0),
            (0.0, 0.2005, -0.0245),
            (0.0, 0.178, -0.0600),
            (0.0, 0.135, -0.0745),
            (0.0, 0.0990, -0.0640),
        ],
        56,
    )
    wood = {"charcoal": f.walnut(), "celadon": f.oak(), "rust": f.walnut()}
    bench.add(
        "bail",
        rod(
            arch,
            [(0, 0.0046), (0.5, 0.0092), (1, 0.0046)],
            [(0, 0.0028), (0.5, 0.0040), (1, 0.0028)],
            section=oval(2.6, segments=16),
            side=(1, 0, 0),
            end_radius=0.0025,
        ),
        wood,
    )
    return bench.done()


def _spout(path: Floats, radius_at: Callable[[float], float]) -> Mesh:
    fillet = 0.010
    travelled = lengths(path)
    total = float(travelled[-1])
    bend = np.linspace(pi / 2, 0, 8)
    near = fillet * (1 - np.sin(bend))
    at = np.concatenate(
        [
            near,
            np.linspace(fillet, total - 0.0012, 20)[1:],
            [total - 0.0004, total, total - 0.0004, total - 0.002, total - 0.02],
        ]
    )
    flare = np.concatenate([fillet * (1 - np.cos(bend)), np.zeros(len(at) - 8)])
    share = np.clip(at / total, 0, 1)
    size = smooth_values([(0, 0.0150), (0.35, 0.0112), (0.8, 0.0078), (1, 0.0074)], share) + flare
    size[-4] -= 0.0004
    size[-3] -= 0.0014
    size[-2] -= 0.0018
    size[-1] -= 0.0018
    size[-5] -= 0.0001
    line = np.stack([np.interp(at, travelled, axis) for axis in path.T], axis=1)
    _, across, up = frames(path, (0.0, 0.0, 1.0))
    index = np.clip(np.searchsorted(travelled, at), 0, len(path) - 1)
    across, up = across[index], up[index]
    # The mouth is cut level, so that it pours without a drip.
    angle = np.linspace(0, 2 * pi, 33)
    angle[-1] = 0.0
    grid = line[:, None] + size[:, None, None] * (
        np.cos(angle)[None, :, None] * across[:, None] + np.sin(angle)[None, :, None] * up[:, None]
    )
    wall = np.array([radius_at(float(y)) for y in grid[0, :, 1]])
    pull = np.sqrt(np.maximum(wall**2 - grid[0, :, 2] ** 2, 0)) - grid[0, :, 0]
    for row in range(9):
        grid[row, :, 0] += pull * (1 - row / 9) ** 2
    uv = np.stack(np.broadcast_arrays((angle / (2 * pi) * 0.06)[None, :], at[:, None]), axis=-1)
    mesh = sheet(grid, uv)
    away = mesh.positions - np.repeat(line, 33, axis=0)[: len(mesh.positions)]
    if float((away[: 33 * 20] * mesh.normals[: 33 * 20]).sum()) < 0:
        mesh = mesh.reversed()
    return mesh


def carafe() -> Model:
    """A bedside carafe whose tumbler, turned over, is its stopper."""
    tints = {
        "clear": ("#fbfdfc", "#dfeee8", 0.9),
        "smoke": ("#b9b3ab", "#6f6861", 0.030),
        "amber": ("#ecc48c", "#b9722c", 0.035),
    }
    glass = {
        name: Material(
            f"{name} glass", None, linear(tint), rough=0.03,
            extensions={
                "KHR_materials_transmission": {"transmissionFactor": 1.0},
                "KHR_materials_ior": {"ior": 1.5},
                "KHR_materials_volume": {
                    "thicknessFactor": 0.003,
                    "attenuationColor": list(linear(deep)),
                    "attenuationDistance": distance,
                },
            },
        )
        for name, (tint, deep, distance) in tints.items()
    }  # fmt: skip
    bench = Bench("carafe", glass, seed=f.SEED)
    body = filleted(
        [(0, 0.0110), (0.0400, 0.0105, 0.010), (0.0478, 0.030, 0.03), (0.0490, 0.100, 0.05), (0.0260, 0.165, 0.05), (0.0222, 0.185, 0.03), (0.0226, 0.2245), (0.0240, 0.2258, 0.0010), (0.0251, 0.2240, 0.0010), (0.0248, 0.187, 0.03), (0.0288, 0.165, 0.05), (0.0516, 0.102, 0.05), (0.0504, 0.024, 0.03), (0.0470, 0.0010, 0.006), (0.0420, 0.0, 0.002), (0.030, 0.0030, 0.01), (0, 0.0036)],
        step_deg=8,
    )  # fmt: skip
    tumbler = filleted(
        [
            (0, 0.2435),
            (0.0290, 0.2432, 0.006),
            (0.0322, 0.1705),
            (0.0333, 0.1692, 0.0008),
            (0.0344, 0.1705, 0.0008),
            (0.0318, 0.2470, 0.008),
            (0.026, 0.2500, 0.002),
            (0, 0.2490),
        ],
        step_deg=9,
    )
    for name, profile in (("carafe", body), ("tumbler", tumbler)):
        bench.add_fitted(
            name,
            lathe(turned_profile(profile, spacing=0.012), segments=72),
            glass,
            shade=0.0,
            occludes=False,
        )
    return bench.done()


def planter() -> Model:
    """A fluted pot in the crook of a three-legged stand."""
    wood = {"chalk": f.oak(), "clay": f.oak(), "charcoal": f.walnut()}
    outside = filleted(
        [
            (0.118, 0.170, 0.0),
            (0.124, 0.1605, 0.004),
            (0.146, 0.190, 0.03),
            (0.166, 0.300, 0.20),
            (0.1685, 0.3920, 0.01),
            (0.1735, 0.4000, 0.003),
            (0.1735, 0.4180, 0.004),
            (0.1625, 0.4200),
        ],
        step_deg=10,
    )
    outside = outside[2:]
    rim_inside = filleted(
        [
            (0.1625, 0.4200),
            (0.1600, 0.4185, 0.003),
            (0.1540, 0.300, 0.2),
            (0.130, 0.196, 0.04),
            (0, 0.186),
        ],
        step_deg=10,
    )
    below = np.array([(0.0, 0.1600), (0.085, 0.1600), (0.110, 0.1604), (0.1210, 0.1625)])
    profile = turned_profile(
        np.concatenate([below, outside, rim_inside[1:]])[::-1], spacing=0.022, tolerance=6e-5
    )
    pot = Pot(profile, 0.165)
    looks = {name: pot.skin("planter", name) for name in wood}
    bench = Bench("planter", looks, seed=f.SEED)
    flutes = 36
    body = pot.mesh(flutes * 5)
    p = body.positions
    radius = np.sqrt(p[:, 0] ** 2 + p[:, 2] ** 2)
    theta = np.arctan2(p[:, 0], p[:, 2])
    out = (body.normals[:, 0] * p[:, 0] + body.normals[:, 2] * p[:, 2]) > 0
    fade = np.clip((p[:, 1] - 0.186) / 0.022, 0, 1) * np.clip((0.394 - p[:, 1]) / 0.010, 0, 1)
    fade = fade * fade * (3 - 2 * fade) * out
    groove = -0.0042 * fade * (1 - np.abs(np.cos(theta * flutes / 2)) ** 0.8)
    scale = np.where(radius > 1e-6, (radius + groove) / np.maximum(radius, 1e-9), 1.0)
    bench.add_fitted(
        "pot",
        Mesh(
            p * np.stack([scale, np.ones_like(scale), scale], axis=1),
            body.normals,
            body.uv,
            body.triangles,
        ).with_normals(),
        looks,
    )
    legs = []
    for third in range(3):
        path = smooth(
            [(0.176, 0.0, 0), (0.172, 0.12, 0), (0.1715, 0.20, 0), (0.1790, 0.285, 0)], 10
        )
        legs.append(
            rod(
                path,
                [(0, 0.0105), (0.6, 0.0145), (1, 0.0105)],
                section=ROUND,
                end_radius=0.005,
                rings=10,
                side=(0, 0, 1),
            ).turned("y", 120 * third + 90)
        )
    bench.add("stand", legs, wood)
    spokes = [
        rod(
            straight((0, 0.1475, 0), (0.172, 0.1475, 0)),
            0.0105,
            0.0115,
            section=oval(3, segments=16),
            side=(0, 0, 1),
            rings=4,
        ).turned("y", 120 * third + 90)
        for third in range(3)
    ]
    bench.add("stand", spokes, wood)
    return bench.done()
