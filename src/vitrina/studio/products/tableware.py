"""Pots and glass: thrown, glazed, blown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import pi

import numpy as np

from vitrina.studio import finishes as f
from vitrina.studio.curves import filleted, frames, lengths, smooth, smooth_values
from vitrina.studio.material import Material
from vitrina.studio.mesh import Floats, Mesh, sheet, unit
from vitrina.studio.noise import linear, random
from vitrina.studio.product import Model
from vitrina.studio.products.seating import ROUND
from vitrina.studio.shapes import lathe, loop, oval, rod, straight, turned_profile
from vitrina.studio.surfaces import Glaze, glaze
from vitrina.studio.workshop import Bench

GLAZES = {
    "chalk": Glaze(
        body="#e6e1d6", thin="#bfa586", clay="#ad9278", pool="#d8d1c3", speckle="#5a4a3d",
        speckles=0.50, movement=0.25, rough=0.40,
    ),
    "celadon": Glaze(
        body="#adb9ac", thin="#d3cdb9", clay="#b59d83", pool="#8aa093", speckle="#75836f",
        speckles=0.10, movement=0.45, rough=0.14,
    ),
    "tenmoku": Glaze(
        body="#33291f", thin="#8a5a3d", clay="#8a705b", pool="#1b1716", speckle="#6b4a33",
        speckles=0.25, movement=0.40, rough=0.13,
    ),
    "rust": Glaze(
        body="#96664e", thin="#c9a27c", clay="#ab8a70", pool="#71493a", speckle="#3f2c24",
        speckles=0.45, movement=0.50, rough=0.38,
    ),
    "indigo": Glaze(
        body="#4e5d6b", thin="#aaaaa0", clay="#a58f78", pool="#333f4b", speckle="#28313a",
        speckles=0.30, movement=0.55, rough=0.20,
    ),
    "charcoal": Glaze(
        body="#3a3936", thin="#73685c", clay="#6b5e52", pool="#272624", speckle="#8a8478",
        speckles=0.25, movement=0.35, rough=0.50,
    ),
    "clay": Glaze(
        body="#b88a70", thin="#cca68c", clay="#b0846a", pool="#a57a60", speckle="#866250",
        speckles=0.35, movement=0.35, rough=0.72,
    ),
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

    def skin(self, product: str, look: str) -> Material:
        """The glaze over this pot. The same hand threw every finish, so the relief is shared."""
        along = lengths(self.profile)
        outside = along > self.rim_m
        bare_from = float(along[outside & (self.profile[:, 1] < self.foot_m)][0])
        low = int(np.argmin(np.where(outside, np.inf, self.profile[:, 1])))
        skin = glaze(
            random(f.SEED, "glaze", product),
            GLAZES[look],
            around_m=self.around_m,
            along_m=self.along_m,
            rims_m=(self.rim_m,),
            bare_m=((bare_from, self.along_m + 0.01),),
            pools_m=(float(along[low]), bare_from - 0.010),
        )
        return Material(f"{look} glaze", skin)

    def outside_at(self, height_m: float) -> tuple[float, float]:
        """Radius of the outer wall at a height, and how far along the profile that is."""
        rim = int(np.argmax(self.profile[:, 1]))
        outside = self.profile[rim:][::-1]
        along = lengths(self.profile)[rim:][::-1]
        rising = np.maximum.accumulate(outside[:, 1])
        radius, travelled = (np.interp(height_m, rising, run) for run in (outside[:, 0], along))
        return float(radius), float(travelled)

    def radius_at(self, height_m: float) -> float:
        return self.outside_at(height_m)[0]

    def wall_normals(self, points: Floats) -> Floats:
        """Normals of the outer wall at the height and direction of these points."""
        step = 5e-4
        slope = [
            (self.radius_at(y + step) - self.radius_at(y - step)) / (2 * step) for y in points[:, 1]
        ]
        flat = unit(points * np.array([1.0, 0.0, 1.0]))
        return unit(
            flat + np.stack([np.zeros(len(flat)), -np.array(slope), np.zeros(len(flat))], 1)
        )

    def glaze_onto(self, mesh: Mesh, *, ends: Sequence[tuple[float, float]]) -> Mesh:
        """Carry the pot's glaze on over a handle or spout that grows out of it along +X.

        Args:
            mesh: with the distance from its root as second texture coordinate, metres.
            ends: (distance, height) where it meets the wall. There the glaze is that of the wall;
                between two ends it runs from one to the other, after a single one it goes on.
        """
        x, y, z = (mesh.positions[:, i] for i in range(3))
        distance = mesh.uv[:, 1]
        wall_u = np.arctan2(x, z) / (2 * pi)
        wall_v = np.array([self.outside_at(height)[1] for height in y])
        (start, height), (stop, other) = ends[0], ends[-1]
        first, last = self.outside_at(height)[1], self.outside_at(other)[1]
        pace = (last - first) / (stop - start) if len(ends) > 1 else 0.5
        own_u = 0.25 - z / self.around_m
        own_v = first + distance * pace
        apart = np.min([np.abs(distance - end) for end, _ in ends], axis=0)
        near = np.clip(1 - apart / 0.012, 0, 1)
        share = near * near * (3 - 2 * near)
        return mesh.with_uv(
            np.stack([own_u + (wall_u - own_u) * share, own_v + (wall_v - own_v) * share], axis=1)
        )

    def mesh(self, segments: int = 80) -> Mesh:
        return lathe(self.profile, segments=segments, around_m=1.0)


def thrown(corners: list[tuple[float, ...]], *, foot_m: float, spacing: float = 0.009) -> Pot:
    return Pot(turned_profile(filleted(corners, step_deg=5.0), spacing=spacing), foot_m)


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
    looks = {name: pot.skin("vase", name) for name in ("celadon", "tenmoku", "chalk", "indigo")}
    bench = Bench("vase", looks, seed=f.SEED)
    bench.add_fitted("vase", pot.mesh(88), looks)
    return bench.done()


def mug() -> Model:
    """A straight-sided cup with a soft belly and a handle drawn out of its wall."""
    pot = thrown(
        [
            (0, 0.0068),
            (0.0325, 0.0068, 0.012),
            (0.0372, 0.040, 0.06),
            (0.0362, 0.0905),
            (0.0371, 0.0932, 0.0018),
            (0.0384, 0.0932, 0.0018),
            (0.0402, 0.080, 0.03),
            (0.0412, 0.035, 0.06),
            (0.0345, 0.0045, 0.009),
            (0.0325, 0.0, 0.0012),
            (0.0285, 0.0, 0.0012),
            (0.0272, 0.0032, 0.0016),
            (0, 0.0034),
        ],
        foot_m=0.0085,
    )
    looks = {name: pot.skin("mug", name) for name in ("chalk", "celadon", "indigo", "rust")}
    bench = Bench("mug", looks, seed=f.SEED)
    bench.add_fitted("mug", pot.mesh(72), looks)
    radius = pot.radius_at
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
        pot,
        fillet_m=0.0062,
    )
    ends = ((0.0, 0.0725), (float(handle.uv[:, 1].max()), 0.0225))
    handle = pot.glaze_onto(handle, ends=ends)
    bench.add_fitted("mug", handle, looks)
    return bench.done()


def drawn_handle(
    path: Floats,
    half_width: list[tuple[float, float]],
    half_depth: list[tuple[float, float]],
    pot: Pot,
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
    _melt(grid, range(9), pot)
    _melt(grid, range(len(at) - 1, len(at) - 10, -1), pot)
    around = lengths(np.stack([cut[:, 0] * widths[12], cut[:, 1] * depths[12]], axis=1))
    uv = np.stack(np.broadcast_arrays(around[None, :], at[:, None]), axis=-1)
    return _with_wall_normals(_tube(grid, uv, line), grid, (0, len(at) - 1), pot)


def _melt(grid: Floats, rows: Sequence[int], pot: Pot) -> None:
    """Pull the end of a tube, and ever less of what follows, onto the wall it grows out of."""
    end = grid[rows[0]].copy()
    wall = np.array([pot.radius_at(y) for y in end[:, 1]])
    pull = np.sqrt(np.maximum(wall**2 - end[:, 2] ** 2, 0)) - end[:, 0]
    for step, row in enumerate(rows):
        grid[row, :, 0] += pull * (1 - step / len(rows)) ** 2


def _tube(grid: Floats, uv: Floats, line: Floats) -> Mesh:
    """The open tube through rings of points about a line, seen from outside."""
    mesh = sheet(grid, uv)
    away = grid.reshape(-1, 3) - np.repeat(line, grid.shape[1], axis=0)
    half = len(away) // 2  # further on, a tube may turn in upon itself
    outward = float((away[:half] * mesh.normals[:half]).sum())
    return mesh if outward > 0 else mesh.reversed()


def _with_wall_normals(mesh: Mesh, grid: Floats, rows: Sequence[int], pot: Pot) -> Mesh:
    """Give rings that lie in the wall of a pot the normals of that wall."""
    normals = mesh.normals.copy()
    for row in rows:
        ring = slice(row * grid.shape[1], (row + 1) * grid.shape[1])
        normals[ring] = pot.wall_normals(grid[row])
    return replace(mesh, normals=normals)


def bowls() -> Model:
    """Three bowls from one curve, sized to rest inside each other."""
    pot = thrown(
        [
            (0, 0.0090),
            (0.030, 0.0095, 0.05),
            (0.068, 0.030, 0.06),
            (0.0900, 0.0765),
            (0.0922, 0.0792, 0.0016),
            (0.0938, 0.0788, 0.0016),
            (0.0735, 0.0280, 0.06),
            (0.0400, 0.0085, 0.02),
            (0.0385, 0.0, 0.0012),
            (0.0335, 0.0, 0.0012),
            (0.0318, 0.0042, 0.002),
            (0, 0.0046),
        ],
        foot_m=0.0095,
    )
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
        [
            (0.0, 0.0075),
            (0.045, 0.0085, 0.02),
            (0.0745, 0.045, 0.045),
            (0.0640, 0.0870, 0.035),
            (0.0368, 0.1000),
            (0.0368, 0.1042, 0.0010),
            (0.0400, 0.1042, 0.0014),
            (0.0440, 0.1015, 0.004),
            (0.0690, 0.0890, 0.036),
            (0.0800, 0.0460, 0.045),
            (0.0480, 0.0060, 0.014),
            (0.0462, 0.0, 0.0012),
            (0.0410, 0.0, 0.0012),
            (0.0395, 0.0036, 0.002),
            (0, 0.0040),
        ],
        foot_m=0.0090,
    )
    looks = {name: pot.skin("teapot", name) for name in ("charcoal", "celadon", "rust")}
    bench = Bench("teapot", looks, seed=f.SEED)
    bench.add_fitted("pot", pot.mesh(88), looks)
    glazed = pot.rim_m + 0.035

    def lay(mesh: Mesh) -> Mesh:
        return mesh.with_uv(
            np.stack([mesh.uv[:, 0] / pot.around_m + 0.1, glazed + mesh.uv[:, 1] * 0.5], axis=1)
        )

    lid = filleted(
        [
            (0, 0.0995),
            (0.030, 0.0995),
            (0.0345, 0.1000, 0.001),
            (0.0348, 0.1045, 0.001),
            (0.0405, 0.1050, 0.0012),
            (0.0405, 0.1085, 0.0018),
            (0.026, 0.1150, 0.03),
            (0.0085, 0.1180, 0.006),
            (0.0066, 0.1235, 0.004),
            (0.0122, 0.1310, 0.006),
            (0.0095, 0.1375, 0.005),
            (0, 0.1390),
        ],
        step_deg=10,
    )
    cover = lathe(turned_profile(lid, spacing=0.009), segments=64)
    bench.add_fitted(
        "lid",
        lay(cover.with_uv(cover.positions[:, [0, 2]])),
        looks,
    )

    radius = pot.radius_at
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
    spout = pot.glaze_onto(_spout(path, pot), ends=((0.0, 0.052),))
    bench.add_fitted("pot", spout, looks)

    angle = np.linspace(0, 2 * pi, 21)[:-1]
    ring = np.stack([0.0090 * np.cos(angle), 0.0090 * np.sin(angle), np.zeros(20)], axis=1)
    lug = loop(ring, 0.0031, sides=10).turned("x", -24).moved(0.0, 0.1005, 0.0575)
    for ear in (lug, lug.mirrored("z")):
        bench.add_fitted("pot", lay(ear), looks)
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


def _spout(path: Floats, pot: Pot) -> Mesh:
    """A spout that flows out of a turned body and ends in a thin lip, open a little way in."""
    travelled = lengths(path)
    total = float(travelled[-1])
    bend = np.linspace(pi / 2, 0, 8)
    fillet = 0.010
    root = fillet * (1 - np.sin(bend))
    body = np.linspace(fillet, total - 0.0012, 20)[1:]
    # The lip: (distance before the mouth, how far it has drawn in), metres.
    lip = np.array(
        [(0.0004, 0.0001), (0.0, 0.0004), (0.0004, 0.0014), (0.002, 0.0018), (0.02, 0.0018)]
    )
    at = np.concatenate([root, body, total - lip[:, 0]])
    flare = np.concatenate([fillet * (1 - np.cos(bend)), np.zeros(len(body)), -lip[:, 1]])
    size = smooth_values([(0, 0.0150), (0.35, 0.0112), (0.8, 0.0078), (1, 0.0074)], at / total)
    size = size + flare
    line = np.stack([np.interp(at, travelled, axis) for axis in path.T], axis=1)
    _, across, up = frames(path, (0.0, 0.0, 1.0))
    nearest = np.clip(np.searchsorted(travelled, at), 0, len(path) - 1)
    angle = np.linspace(0, 2 * pi, 33)
    angle[-1] = 0.0
    grid = line[:, None] + size[:, None, None] * (
        np.cos(angle)[None, :, None] * across[nearest][:, None]
        + np.sin(angle)[None, :, None] * up[nearest][:, None]
    )
    _melt(grid, range(9), pot)
    uv = np.stack(np.broadcast_arrays((angle / (2 * pi) * 0.06)[None, :], at[:, None]), axis=-1)
    return _with_wall_normals(_tube(grid, uv, line), grid, (0,), pot)


def carafe() -> Model:
    """A bedside carafe whose tumbler, turned over, is its stopper."""
    tints = {
        "smoke": ("#cbc6c0", 0.030),
        "sea": ("#c9dad2", 0.030),
        "amber": ("#ecd3ae", 0.030),
    }
    glass = {
        name: Material(
            f"{name} glass",
            None,
            linear(tint),
            rough=0.0,
            double_sided=True,
            extensions={
                "KHR_materials_transmission": {"transmissionFactor": 1.0},
                "KHR_materials_ior": {"ior": 1.5},
                "KHR_materials_volume": {
                    "thicknessFactor": 0.003,
                    "attenuationColor": list(linear(tint)),
                    "attenuationDistance": distance,
                },
            },
        )
        for name, (tint, distance) in tints.items()
    }
    bench = Bench("carafe", glass, seed=f.SEED)
    wall = 0.0026
    outside = smooth(
        [
            (0.0440, 0.0), (0.0505, 0.0055), (0.0565, 0.030), (0.0560, 0.070), (0.0455, 0.112),
            (0.0310, 0.142), (0.0236, 0.165), (0.0222, 0.190), (0.0238, 0.2165),
        ],
        80,
    )  # fmt: skip
    inside = outside[5:] - np.array([wall, 0.0])
    inside[:, 1] += np.linspace(0.0062, 0.0, len(inside))
    lip = np.array([(0.0220, 0.2173), (0.0230, 0.2176)])
    body = np.concatenate(
        [[(0, 0.0125), (0.030, 0.0120)], inside, lip, outside[::-1], [(0.036, 0.0022), (0, 0.0042)]]
    )
    tumbler = filleted(
        [
            (0, 0.2385), (0.0300, 0.2380, 0.007), (0.0335, 0.1585), (0.0347, 0.1572, 0.0008),
            (0.0358, 0.1585, 0.0008), (0.0330, 0.2440, 0.007), (0.027, 0.2455, 0.002), (0, 0.2445),
        ],
        step_deg=9,
    )  # fmt: skip
    for name, profile in (("carafe", body), ("tumbler", tumbler)):
        mesh = lathe(turned_profile(profile, spacing=0.012), segments=72)
        bench.add_fitted(name, mesh, glass, tone=_thick_glass(mesh), occludes=False)
    return bench.done()


def _thick_glass(mesh: Mesh) -> Floats:
    """Blown glass is darker where one looks into more of it: at its lips and its floor."""
    height = mesh.positions[:, 1]
    low, high = float(height.min()), float(height.max())
    share = np.abs((height - low) / (high - low) * 2 - 1)
    return np.asarray(1 - 0.50 * np.clip((share - 0.90) / 0.10, 0, 1) ** 2)


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
    groove = -0.0064 * fade * (1 - np.abs(np.cos(theta * flutes / 2)) ** 0.7)
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
