"""What a surface is made of: textures and glTF material values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyvips

from vitrina.studio.mesh import Floats

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Texture:
    """An 8-bit picture, (h, w, 3). Compared by identity: make one, share it among finishes."""

    pixels: Pixels

    def png(self) -> bytes:
        """Encoded by libvips, which the lock file pins, so the bytes agree between machines."""
        height, width, bands = self.pixels.shape
        image = pyvips.Image.new_from_memory(self.pixels.tobytes(), width, height, bands, "uchar")
        return bytes(image.pngsave_buffer(compression=6, keep="none"))


def picture(values: Floats) -> Texture:
    """0..1 values, (h, w, 3), already in the encoding wanted."""
    return Texture(np.floor(np.clip(values, 0.0, 1.0) * 255.0 + 0.5).astype(np.uint8))


def normal_map(normals: Floats) -> Texture:
    return picture(normals * 0.5 + 0.5)


def rough_map(
    roughness: Floats, *, metal: float | Floats = 0.0, open_: Floats | None = None
) -> Texture:
    """glTF's packing: red ambient occlusion, green roughness, blue metal."""
    sky = np.ones_like(roughness) if open_ is None else open_
    return picture(np.stack([sky, roughness, np.broadcast_to(metal, roughness.shape)], axis=-1))


@dataclass(frozen=True, eq=False)
class Skin:
    """Textures that belong together and the size of one tile, metres (across, along)."""

    tile_m: tuple[float, float]
    colour: Texture | None = None
    normal: Texture | None = None
    rough: Texture | None = None
    glow: Texture | None = None


@dataclass(frozen=True, eq=False)
class Material:
    """One glTF material. Colours are linear; factors multiply the textures of the skin."""

    name: str
    skin: Skin | None = None
    colour: tuple[float, float, float] = (1.0, 1.0, 1.0)
    alpha: float = 1.0
    metal: float = 0.0
    rough: float = 1.0
    bump: float = 1.0
    glow: tuple[float, float, float] = (0.0, 0.0, 0.0)
    double_sided: bool = False
    extensions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def but(self, name: str, **changes: Any) -> Material:
        return replace(self, name=name, **changes)
