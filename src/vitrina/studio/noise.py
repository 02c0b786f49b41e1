"""Noise that repeats without a seam, and pictures made of it.

Everything lives on the unit square and wraps at its edges. Generators are `numpy.random.Generator`
over PCG64, whose stream is the same on every machine.
"""

from __future__ import annotations

from math import pi

import numpy as np

from vitrina.studio.mesh import Floats, Ints

Random = np.random.Generator


def random(seed: int, *path: str) -> Random:
    """A generator of its own for each named place, so that one does not disturb another."""
    words = [int.from_bytes(name.encode()[:16].ljust(16, b"\0"), "little") for name in path]
    return np.random.Generator(np.random.PCG64([seed, *words]))


def grid(height_px: int, width_px: int) -> tuple[Floats, Floats]:
    """Texture coordinates (u, v) of pixel centres, rows downwards."""
    u = (np.arange(width_px) + 0.5) / width_px
    v = (np.arange(height_px) + 0.5) / height_px
    return np.broadcast_to(u, (height_px, width_px)), np.broadcast_to(
        v[:, None], (height_px, width_px)
    )


class Gradient:
    """Perlin's gradient noise with `across` x `down` cells to the tile, about -1 to 1."""

    def __init__(self, rng: Random, across: int, down: int) -> None:
        angle = rng.integers(0, 4096, (down, across)) * (2 * pi / 4096)
        self._x, self._y = np.cos(angle), np.sin(angle)
        self._across, self._down = across, down

    def __call__(self, u: Floats, v: Floats) -> Floats:
        if u.ndim == 2 and u.strides[0] == 0 and v.strides[1] == 0:
            u, v = u[:1], v[:, :1]  # a plain grid: work along its two edges, and broadcast
        x, y = u * self._across, v * self._down
        column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
        fx, fy = x - column, y - row
        left, right = column % self._across, (column + 1) % self._across
        above, below = row % self._down, (row + 1) % self._down

        def corner(r: Ints, c: Ints, dx: Floats, dy: Floats) -> Floats:
            return np.asarray(self._x[r, c] * dx + self._y[r, c] * dy)

        sx, sy = _ease(fx), _ease(fy)
        upper = corner(above, left, fx, fy) * (1 - sx) + corner(above, right, fx - 1, fy) * sx
        lower = (
            corner(below, left, fx, fy - 1) * (1 - sx) + corner(below, right, fx - 1, fy - 1) * sx
        )
        return np.asarray((upper * (1 - sy) + lower * sy) * 1.5)


def clouds(
    rng: Random,
    u: Floats,
    v: Floats,
    across: int,
    down: int,
    *,
    octaves: int = 4,
    gain: float = 0.5,
) -> Floats:
    """Octaves of gradient noise, each twice as fine and `gain` times as strong."""
    total = np.zeros(np.broadcast(u, v).shape)
    strength = 1.0
    for octave in range(octaves):
        total += strength * Gradient(rng, across << octave, down << octave)(u, v)
        strength *= gain
    return total


def cells(
    rng: Random, u: Floats, v: Floats, across: int, down: int, *, jitter: float = 1.0
) -> tuple[Floats, Floats, Ints]:
    """Distances to the nearest two of scattered points, in cells, and which the nearest is."""
    offset_x = 0.5 + (rng.random((down, across)) - 0.5) * jitter
    offset_y = 0.5 + (rng.random((down, across)) - 0.5) * jitter
    x, y = u * across, v * down
    column, row = np.floor(x).astype(np.int64), np.floor(y).astype(np.int64)
    nearest = np.full(x.shape, np.inf)
    second = np.full(x.shape, np.inf)
    owner = np.zeros(x.shape, dtype=np.int64)
    for dy in (-1, 0, 1):
        for dx in (-1, 0, 1):
            r, c = (row + dy) % down, (column + dx) % across
            distance = (column + dx + offset_x[r, c] - x) ** 2 + (
                row + dy + offset_y[r, c] - y
            ) ** 2
            closer = distance < nearest
            second = np.where(closer, nearest, np.minimum(second, distance))
            owner = np.where(closer, r * across + c, owner)
            nearest = np.where(closer, distance, nearest)
    return np.sqrt(nearest), np.sqrt(second), owner


def _between(first: Floats, second: Floats, share: Floats) -> Floats:
    return np.asarray(first + (second - first) * share)


def _ease(t: Floats) -> Floats:
    return np.asarray(t * t * t * (t * (t * 6 - 15) + 10))


def step(low: float | Floats, high: float | Floats, value: Floats) -> Floats:
    """0 below `low`, 1 above `high`, smooth between. `high` may be the smaller one."""
    t = np.clip((value - low) / (high - low), 0.0, 1.0)
    return np.asarray(t * t * (3 - 2 * t))


def slopes(height_m: Floats, *, width_m: float, depth_m: float) -> Floats:
    """The tangent-space normal map of a height field that wraps, as (h, w, 3) unit vectors.

    glTF's convention: green points up the picture, against growing rows.
    """
    rows, columns = height_m.shape
    du = (np.roll(height_m, -1, axis=1) - np.roll(height_m, 1, axis=1)) / (2 * width_m / columns)
    dv = (np.roll(height_m, -1, axis=0) - np.roll(height_m, 1, axis=0)) / (2 * depth_m / rows)
    normal = np.stack([-du, dv, np.ones_like(du)], axis=-1)
    return np.asarray(normal / np.sqrt((normal * normal).sum(axis=-1, keepdims=True)))


def blurred(picture: Floats, radius_px: int) -> Floats:
    """A box blur in both directions that wraps, run twice: nearly a bell curve."""
    result = picture
    for axis in (0, 1, 0, 1):
        total = np.zeros_like(result)
        for shift in range(-radius_px, radius_px + 1):
            total += np.roll(result, shift, axis=axis)
        result = total / (2 * radius_px + 1)
    return result


def colour(code: str) -> Floats:
    """'#c8a27a' as sRGB, 0 to 1."""
    return np.array([int(code[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def linear(code: str) -> tuple[float, float, float]:
    """'#c8a27a' in linear light, as glTF's factors want it (IEC 61966-2-1)."""
    srgb = colour(code)
    value = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    r, g, b = (round(float(channel), 5) for channel in value)
    return r, g, b


def mix(first: Floats, second: Floats, share: Floats) -> Floats:
    """Blend two colours or pictures by a (h, w) picture of shares."""
    return np.asarray(first + (second - first) * share[..., None])
