"""Bakes the light of the viewer: a product photographer's studio, prefiltered for rough surfaces.

    python frontend/viewer/environment/bake.py      writes studio.bin beside this file

The studio stands around the origin in the viewer's axes: +Y up, the camera looks from +Z. Big soft
boxes give the form, two strips behind the product draw its edges, a pale floor throws light back
from below. Everything is grey, so a product keeps its own colours, and smooth, so a small cube map
is enough. The viewer turns the studio with the camera, as if the product stood on a turntable.

The file holds one cube map with LEVELS sizes, from sharp to fully rough. Level ``l`` of ``last``
is the radiance a mirror-like lobe of GGX roughness ``1 - sqrt(1 - l / last)`` receives, seen head
on; in the last one, where the roughness is 1, that is the irradiance over pi. This is the mapping
that three's physical materials read (their ``roughnessToMip``), so no filtering is left to do in
the browser.

Layout, little-endian:

    u16 size of level 0, u16 number of levels, f32 log range R
    then per level:  u16 greatest code C, followed by the low bytes and then the high bytes of one
    u16 per texel: faces +X -X +Y -Y +Z -Z in WebGL's order and orientation, rows from the top

A texel's u16 is the zigzag-coded residual of its code against ``left + above - above left`` (zero
outside the face), and a code c stands for the radiance ``(2 ** (R * c / C) - 1) / DARK``.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]  # (..., 3), unit length where they are directions
Scalars = NDArray[np.float64]

SIZE_PX = 64
LEVELS = 4
DARK = 16.0
# Steps of the logarithmic code per level: 2 % of the light on a mirror, where nobody sees it,
# 0.1 % on a smooth matt surface, which reads the last level. Brotli brings the file to 8 KB;
# a level 0 of 128 pixels would double that for edges that are soft anyway.
CODES = (255, 1023, 2047, 4095)
SAMPLES = (36, 512, 1024, 4096)
OUTPUT = Path(__file__).with_name("studio.bin")


@dataclass(frozen=True)
class SoftBox:
    """A rectangular lamp with a fabric front: brightest in its middle, soft at its edge.

    Angles in degrees as seen from the product: azimuth 0 is the camera's side, 90 its right;
    ``tilt`` turns the box in its own plane. Radiance is relative: the whole studio is scaled to
    ``KEY_IRRADIANCE`` at the end.
    """

    azimuth: float
    elevation: float
    width: float
    height: float
    radiance: float
    feather: float = 0.22
    tilt: float = 0.0

    def seen_along(self, directions: Vectors) -> Scalars:
        facing = direction(self.azimuth, self.elevation)
        right = np.cross([0.0, 1.0, 0.0], facing)
        right /= np.linalg.norm(right)
        up = np.cross(facing, right)
        turn = np.radians(self.tilt)
        right, up = (
            right * np.cos(turn) + up * np.sin(turn),
            up * np.cos(turn) - right * np.sin(turn),
        )
        ahead = directions @ facing
        depth = np.where(ahead > 1e-3, ahead, 1.0)
        x = np.abs(directions @ right) / depth / np.tan(np.radians(self.width / 2))
        y = np.abs(directions @ up) / depth / np.tan(np.radians(self.height / 2))
        inside = (1 - smooth(1 - self.feather, 1 + self.feather, x)) * (
            1 - smooth(1 - self.feather, 1 + self.feather, y)
        )
        fabric = 1 - 0.3 * np.clip((x * x + y * y) / 2, 0, 1)
        return np.where(ahead > 1e-3, self.radiance * inside * fabric, 0.0)


STUDIO = (
    SoftBox(azimuth=-46, elevation=32, width=60, height=60, radiance=6.6, tilt=6),  # key
    SoftBox(azimuth=58, elevation=16, width=46, height=64, radiance=2.5),  # fill
    SoftBox(azimuth=14, elevation=2, width=30, height=56, radiance=1.7, feather=0.6),  # white card
    SoftBox(azimuth=0, elevation=88, width=62, height=52, radiance=4.6),  # overhead
    SoftBox(azimuth=146, elevation=14, width=20, height=70, radiance=5.2),  # right edge
    SoftBox(azimuth=-144, elevation=18, width=20, height=66, radiance=4.4),  # left edge
)
# Irradiance over pi on a surface that faces the key light, after scaling: 1 shows a colour as it
# is painted.
KEY_IRRADIANCE = 1.16
KEY = (-30.0, 35.0)  # azimuth and elevation of such a surface, degrees


def walls(directions: Vectors) -> Scalars:
    """What is not a lamp: a grey room, lighter towards the ceiling, over a pale lit floor."""
    up = directions[..., 1]
    room = 0.5 + 0.36 * smooth(-0.1, 0.9, up)
    floor = 0.72 * smooth(0.04, -0.5, up)
    # The floor is lit by the key light, so its near left is the brightest.
    near = 0.82 + 0.18 * (directions @ direction(-40, 0))
    return room + floor * near


def radiance(directions: Vectors) -> Scalars:
    lamps = [box.seen_along(directions) for box in STUDIO]
    return walls(directions) + np.maximum.reduce(lamps)  # where two overlap, one hides the other


def direction(azimuth: float, elevation: float) -> Vectors:
    a, e = np.radians(azimuth), np.radians(elevation)
    return np.array([np.sin(a) * np.cos(e), np.sin(e), np.cos(a) * np.cos(e)])


def smooth(start: float, end: float, x: Scalars) -> Scalars:
    t = np.clip((x - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)


def texel_directions(size: int, shift: tuple[float, float] = (0.0, 0.0)) -> Vectors:
    """Directions of a cube map's texels, (6, size, size, 3), as WebGL looks them up."""
    centres = (np.arange(size) + 0.5) / size * 2 - 1
    u, v = np.meshgrid(centres + shift[0] * 2 / size, centres + shift[1] * 2 / size)
    one = np.ones_like(u)
    faces = [(one, -v, -u), (-one, -v, u), (u, one, v), (u, -one, -v), (u, -v, one), (-u, -v, -one)]
    grid = np.stack([np.stack(face, axis=-1) for face in faces])
    return np.asarray(grid / np.linalg.norm(grid, axis=-1, keepdims=True))


def sharp_level(size: int, samples: int) -> Scalars:
    """The studio itself, each texel the mean over its area."""
    side = round(samples**0.5)
    shifts = (np.arange(side) + 0.5) / side - 0.5
    parts = [radiance(texel_directions(size, (x, y))) for x in shifts for y in shifts]
    return np.asarray(np.mean(parts, axis=0))


def rough_level(size: int, roughness: float, samples: int) -> Scalars:
    """The studio through a GGX lobe, with view and normal along the reflection.

    Half vectors are drawn from D(h) (h.n) by inversion (Walter et al. 2007, eq. 35), reflected,
    and weighted by n.l as the split-sum approximation asks (Karis 2013).
    """
    alpha = roughness * roughness
    index = np.arange(samples)
    first = (index + 0.5) / samples
    golden_turn = np.pi * (3 - 5**0.5)
    cos2 = (1 - first) / (1 + (alpha * alpha - 1) * first)
    cos_half = np.sqrt(cos2)
    cos_light = 2 * cos2 - 1
    sin_light = 2 * cos_half * np.sqrt(1 - cos2)
    kept = cos_light > 0
    weight = cos_light[kept]
    around = golden_turn * index[kept]
    local = np.stack([sin_light[kept] * np.cos(around), sin_light[kept] * np.sin(around), weight])

    normals = texel_directions(size).reshape(-1, 3)
    result = np.empty(len(normals))
    for start in range(0, len(normals), 512):
        n = normals[start : start + 512]
        pole = np.where(np.abs(n[:, 2:]) < 0.9, [[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]])
        tangent = np.cross(pole, n)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True)
        frame = np.stack([tangent, np.cross(n, tangent), n], axis=1)
        lights = np.einsum("kij,is->ksj", frame, local)
        result[start : start + 512] = radiance(lights) @ weight / weight.sum()
    return result.reshape(6, size, size)


def bake() -> bytes:
    """The file's content."""
    last = LEVELS - 1
    levels = [sharp_level(SIZE_PX, SAMPLES[0])]
    for level in range(1, LEVELS):
        roughness = 1 - (1 - level / last) ** 0.5
        levels.append(rough_level(SIZE_PX >> level, roughness, SAMPLES[level]))

    facing_key = np.argmax(texel_directions(SIZE_PX >> last).reshape(-1, 3) @ direction(*KEY))
    scale = KEY_IRRADIANCE / levels[last].reshape(-1)[facing_key]
    return pack([level * scale for level in levels])


def pack(levels: list[Scalars]) -> bytes:
    log_range = np.float32(np.log2(1 + DARK * max(level.max() for level in levels)))
    parts = [struct.pack("<HHf", SIZE_PX, LEVELS, log_range)]
    for level, codes in zip(levels, CODES, strict=True):
        code = np.round(np.log2(1 + DARK * level) / log_range * codes).astype(np.int64)
        padded = np.pad(code, ((0, 0), (1, 0), (1, 0)))
        residual = code - padded[:, 1:, :-1] - padded[:, :-1, 1:] + padded[:, :-1, :-1]
        zigzag = np.where(residual < 0, -2 * residual - 1, 2 * residual).ravel()
        parts.append(struct.pack("<H", codes))
        parts += [
            (zigzag & 255).astype(np.uint8).tobytes(),
            (zigzag >> 8).astype(np.uint8).tobytes(),
        ]
    return b"".join(parts)


if __name__ == "__main__":
    OUTPUT.write_bytes(bake())
