"""Writing a product as one GLB 2.0 file with its finishes as KHR_materials_variants.

Every number is rounded to a grid before it is written, so that the last bit of a sine does not
decide the bytes of the file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from vitrina.models3d import glb
from vitrina.studio.material import Material, Skin, Texture
from vitrina.studio.mesh import Floats, Mesh, join, unit
from vitrina.studio.occlusion import open_sky

GENERATOR = "Vitrina studio"
POSITION_GRID = 1e6  # micrometres
NORMAL_GRID = 1e4
UV_GRID = 1e5
SHADE_STEPS = 255


@dataclass(frozen=True, eq=False)
class Part:
    """Geometry with the material it has in each finish, or one for all of them."""

    name: str
    mesh: Mesh
    finish: Material | Mapping[str, Material]
    shade: float = 1.0  # how much of the baked shade it takes; 0 for what is clear or glows
    occludes: bool = True
    tone: Floats | None = None  # (n,) shade set by hand instead of baked

    def material(self, variant: str) -> Material:
        return self.finish if isinstance(self.finish, Material) else self.finish[variant]


@dataclass(frozen=True, eq=False)
class Model:
    """A product in all its finishes. The first one is how it looks by default."""

    name: str
    variants: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def bounds_m(self) -> tuple[Floats, Floats]:
        return join(part.mesh for part in self.parts).bounds_m

    @property
    def triangles(self) -> int:
        return sum(len(part.mesh.triangles) for part in self.parts)


def centred(model: Model) -> Model:
    """Stand the product on y = 0 with the middle of its footprint at the origin."""
    low, high = model.bounds_m
    x, z = -(low[0] + high[0]) / 2, -(low[2] + high[2]) / 2
    parts = tuple(replace(part, mesh=part.mesh.moved(x, -low[1], z)) for part in model.parts)
    return Model(model.name, model.variants, parts)


def write(model: Model) -> bytes:
    """The file, with everything embedded.

    Parts that share their materials in every finish become one primitive.
    """
    out = _Binary()
    materials: list[Material] = []
    groups: dict[tuple[int, ...], list[tuple[Part, Floats]]] = {}
    names: dict[tuple[int, ...], str] = {}
    for part, shade in zip(model.parts, _shades(model), strict=True):
        looks = []
        for variant in model.variants:
            material = part.material(variant)
            if material not in materials:
                materials.append(material)
            looks.append(materials.index(material))
        used = tuple(looks)
        groups.setdefault(used, []).append((part, shade))
        names.setdefault(used, part.name)

    document: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": GENERATOR},
        "scene": 0,
        "scenes": [{"name": model.name, "nodes": list(range(len(groups)))}],
        "nodes": [],
        "meshes": [],
    }
    for used, members in groups.items():
        primitive = _primitive(out, members, [materials[i] for i in used])
        primitive["material"] = used[0]
        if len(set(used)) > 1:
            mappings = [
                {"material": i, "variants": [n for n, j in enumerate(used) if j == i]}
                for i in dict.fromkeys(used)
            ]
            primitive["extensions"] = {"KHR_materials_variants": {"mappings": mappings}}
        document["nodes"].append({"name": names[used], "mesh": len(document["meshes"])})
        document["meshes"].append({"name": names[used], "primitives": [primitive]})

    writer = _Materials(out)
    document["materials"] = [writer.json(material) for material in materials]
    document["extensionsUsed"] = sorted(
        {"KHR_materials_variants", *(name for m in materials for name in m.extensions)}
    )
    document["extensions"] = {
        "KHR_materials_variants": {"variants": [{"name": name} for name in model.variants]}
    }
    if writer.images:
        document["images"] = writer.images
        document["textures"] = [{"source": i, "sampler": 0} for i in range(len(writer.images))]
        document["samplers"] = [
            {"magFilter": 9729, "minFilter": 9987, "wrapS": 10497, "wrapT": 10497}
        ]
    document["accessors"] = out.accessors
    document["bufferViews"] = out.views
    return glb.write(document, bytes(out.data))


def _shades(model: Model) -> list[Floats]:
    """Light that reaches each vertex, 0 to 1, with something given back for bounced light."""
    opaque = [part.mesh for part in model.parts if part.occludes]
    shades = []
    solid = join(opaque) if opaque else None
    for part in model.parts:
        if part.tone is not None:
            shades.append(part.tone)
            continue
        if part.shade == 0 or solid is None:
            shades.append(np.ones(len(part.mesh.positions)))
            continue
        sky = open_sky(part.mesh.positions, part.mesh.normals, solid.positions, solid.triangles)
        lit = sky * (1.45 - 0.45 * sky)
        shades.append(1 - part.shade * (1 - (0.12 + 0.88 * lit)))
    return shades


def _primitive(
    out: _Binary, members: Sequence[tuple[Part, Floats]], looks: Sequence[Material]
) -> dict[str, Any]:
    mesh = join(part.mesh for part, _ in members)
    shade = np.concatenate([shade for _, shade in members])
    # A file's float32 is the last rounding: snap to the grid in float64 first.
    positions = (np.round(mesh.positions * POSITION_GRID) / POSITION_GRID).astype("<f4")
    normals = unit(np.round(mesh.normals * NORMAL_GRID) / NORMAL_GRID).astype("<f4")
    attributes = {
        "POSITION": out.accessor(positions, "VEC3", 34962, bounds=True),
        "NORMAL": out.accessor(normals, "VEC3", 34962),
    }
    skins = [look.skin for look in looks if look.skin is not None]
    if skins:
        tile = _one_tile(skins)
        uv = (np.round(mesh.uv / np.array(tile) * UV_GRID) / UV_GRID).astype("<f4")
        attributes["TEXCOORD_0"] = out.accessor(uv, "VEC2", 34962)
    if any(part.shade > 0 for part, _ in members):
        grey = np.round(np.clip(shade, 0, 1) * SHADE_STEPS).astype(np.uint8)
        rgba = np.stack([grey, grey, grey, np.full_like(grey, 255)], axis=1)
        attributes["COLOR_0"] = out.accessor(rgba, "VEC4", 34962, normalised=True)
    kind = "<u2" if len(positions) < 65535 else "<u4"
    indices = out.accessor(mesh.triangles.reshape(-1).astype(kind), "SCALAR", 34963)
    return {"attributes": attributes, "indices": indices}


def _one_tile(skins: Sequence[Skin]) -> tuple[float, float]:
    tiles = {skin.tile_m for skin in skins}
    if len(tiles) > 1:
        raise ValueError(f"one part cannot carry tiles of different sizes: {sorted(tiles)}")
    return tiles.pop()


class _Binary:
    """The binary chunk as it grows, with its views and accessors."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.views: list[dict[str, Any]] = []
        self.accessors: list[dict[str, Any]] = []

    def view(self, content: bytes, target: int | None = None) -> int:
        self.data.extend(b"\0" * (-len(self.data) % 4))
        view: dict[str, Any] = {
            "buffer": 0,
            "byteOffset": len(self.data),
            "byteLength": len(content),
        }
        if target is not None:
            view["target"] = target
        self.data.extend(content)
        self.views.append(view)
        return len(self.views) - 1

    def accessor(
        self,
        values: np.ndarray[Any, Any],
        kind: str,
        target: int,
        *,
        bounds: bool = False,
        normalised: bool = False,
    ) -> int:
        component = {"f4": 5126, "u2": 5123, "u4": 5125, "u1": 5121}[values.dtype.str[1:]]
        accessor: dict[str, Any] = {
            "bufferView": self.view(values.tobytes(), target),
            "componentType": component,
            "count": len(values),
            "type": kind,
        }
        if bounds:
            accessor["min"] = [float(x) for x in values.min(axis=0)]
            accessor["max"] = [float(x) for x in values.max(axis=0)]
        if normalised:
            accessor["normalized"] = True
        self.accessors.append(accessor)
        return len(self.accessors) - 1


class _Materials:
    """Materials as glTF's JSON; a texture shared by several is stored once."""

    def __init__(self, out: _Binary) -> None:
        self._out = out
        self._index: dict[bytes, int] = {}
        self.images: list[dict[str, Any]] = []

    def json(self, material: Material) -> dict[str, Any]:
        skin = material.skin
        surface: dict[str, Any] = {
            "metallicFactor": material.metal,
            "roughnessFactor": material.rough,
        }
        if (*material.colour, material.alpha) != (1.0, 1.0, 1.0, 1.0):
            surface["baseColorFactor"] = [*material.colour, material.alpha]
        result: dict[str, Any] = {"name": material.name, "pbrMetallicRoughness": surface}
        if skin and skin.colour:
            surface["baseColorTexture"] = self._texture(skin.colour)
        if skin and skin.rough:
            surface["metallicRoughnessTexture"] = self._texture(skin.rough)
            if int(skin.rough.pixels[..., 0].min()) < 255:
                result["occlusionTexture"] = self._texture(skin.rough)
        if skin and skin.normal and material.bump > 0:
            result["normalTexture"] = self._texture(skin.normal)
            if material.bump != 1.0:
                result["normalTexture"]["scale"] = material.bump
        if any(material.glow):
            result["emissiveFactor"] = list(material.glow)
            if skin and skin.glow:
                result["emissiveTexture"] = self._texture(skin.glow)
        if material.alpha < 1:
            result["alphaMode"] = "BLEND"
        if material.double_sided:
            result["doubleSided"] = True
        if material.extensions:
            result["extensions"] = material.extensions
        return result

    def _texture(self, texture: Texture) -> dict[str, Any]:
        png = texture.png()
        if png not in self._index:
            self._index[png] = len(self.images)
            self.images.append({"bufferView": self._out.view(png), "mimeType": "image/png"})
        return {"index": self._index[png]}
