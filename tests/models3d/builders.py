"""Models small enough to write by hand, and ways to damage them."""

import json
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pyvips

from vitrina.models3d import glb

Document = dict[str, Any]

QUAD_POSITIONS = np.array([[0, 0, 0], [2, 0, 0], [2, 1, 0], [0, 1, 0]], "<f4")
QUAD_INDICES = np.array([0, 1, 2, 0, 2, 3], "<u2")
FLOAT, USHORT, UBYTE = 5126, 5123, 5121


class Scene:
    """Puts a document and its buffer together piece by piece."""

    def __init__(self) -> None:
        self.document: Document = {
            "asset": {"version": "2.0", "copyright": "2031 Ada", "extras": {"licence": "CC0-1.0"}},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0, "name": "Quad"}],
            "meshes": [{"primitives": []}],
            "materials": [],
            "textures": [],
            "images": [],
            "accessors": [],
            "bufferViews": [],
            "buffers": [{"byteLength": 0}],
        }
        self.binary = bytearray()

    def view(self, data: bytes) -> int:
        self.binary += bytes(-len(self.binary) % 4)
        views = self.document["bufferViews"]
        views.append({"buffer": 0, "byteOffset": len(self.binary), "byteLength": len(data)})
        self.binary += data
        self.document["buffers"][0]["byteLength"] = len(self.binary)
        return len(views) - 1

    def accessor(self, values: np.ndarray[Any, Any], kind: str, **more: Any) -> int:
        component = {np.dtype(dtype).str: number for number, dtype in glb.COMPONENTS.items()}[
            values.dtype.str
        ]
        accessor = {
            "bufferView": self.view(values.tobytes()),
            "componentType": component,
            "count": len(values),
            "type": kind,
            **more,
        }
        self.document["accessors"].append(accessor)
        return len(self.document["accessors"]) - 1

    def image(self, data: bytes, mime: str = "image/png", name: str = "") -> int:
        image = {"bufferView": self.view(data), "mimeType": mime}
        self.document["images"].append(image | ({"name": name} if name else {}))
        return len(self.document["images"]) - 1

    def texture(self, image: int) -> int:
        self.document["textures"].append({"source": image})
        return len(self.document["textures"]) - 1

    def material(self, name: str, **properties: Any) -> int:
        self.document["materials"].append({"name": name, **properties})
        return len(self.document["materials"]) - 1

    def quad(self, material: int | None = None, **more: Any) -> Document:
        """A primitive of two triangles, 2 m by 1 m, in the first mesh."""
        positions = self.accessor(QUAD_POSITIONS, "VEC3", min=[0, 0, 0], max=[2, 1, 0])
        normals = self.accessor(np.tile(np.array([0, 0, 1], "<f4"), (4, 1)), "VEC3")
        uvs = self.accessor(np.array([[0, 1], [1, 1], [1, 0], [0, 0]], "<f4"), "VEC2")
        primitive: Document = {
            "attributes": {"POSITION": positions, "NORMAL": normals, "TEXCOORD_0": uvs},
            "indices": self.accessor(QUAD_INDICES, "SCALAR"),
            **more,
        }
        if material is not None:
            primitive["material"] = material
        self.document["meshes"][0]["primitives"].append(primitive)
        return primitive

    def variants(self, *names: str) -> None:
        self.document["extensionsUsed"] = ["KHR_materials_variants"]
        self.document["extensions"] = {
            "KHR_materials_variants": {"variants": [{"name": name} for name in names]}
        }

    def glb(self) -> bytes:
        document = {key: value for key, value in self.document.items() if value != []}
        return glb.write(document, bytes(self.binary))


def plain_quad() -> Scene:
    scene = Scene()
    scene.quad(scene.material("Paint"))
    return scene


def textured_quad(size_px: int = 64) -> Scene:
    """Colour, roughness and normal maps with something on them, and two finishes."""
    scene = Scene()
    wood, dark = noise(size_px, seed=1), noise(size_px, seed=2)
    rough, bumps = noise(size_px, seed=3), normal_map(size_px)
    shared = {
        "normalTexture": {"index": scene.texture(scene.image(png(bumps)))},
    }
    oak = scene.material(
        "Oak",
        pbrMetallicRoughness={
            "baseColorTexture": {"index": scene.texture(scene.image(png(wood), name="Oak grain"))},
            "metallicRoughnessTexture": {"index": scene.texture(scene.image(png(rough)))},
        },
        **shared,
    )
    walnut = scene.material(
        "Walnut",
        pbrMetallicRoughness={
            "baseColorTexture": {"index": scene.texture(scene.image(png(dark)))},
        },
        **shared,
    )
    scene.variants("oak", "walnut")
    mappings = [{"material": oak, "variants": [0]}, {"material": walnut, "variants": [1]}]
    scene.quad(oak, extensions={"KHR_materials_variants": {"mappings": mappings}})
    return scene


def noise(size_px: int, seed: int, channels: int = 3) -> np.ndarray[Any, Any]:
    """Soft random blotches, uint8, shape (size, size, channels); static would be no texture."""
    coarse = np.random.default_rng(seed).integers(30, 225, (8, 8, channels), np.uint8)
    image = pyvips.Image.new_from_array(coarse).resize(size_px / 8, kernel="cubic")
    return np.asarray(image.numpy()).reshape(size_px, size_px, channels)


def normal_map(size_px: int) -> np.ndarray[Any, Any]:
    """A field of round bumps as a tangent-space normal map, uint8."""
    at = np.arange(size_px) / size_px * 8 * np.pi
    slope_x, slope_y = np.meshgrid(0.5 * np.cos(at), 0.5 * np.sin(at))
    normals = np.stack([-slope_x, -slope_y, np.ones_like(slope_x)], axis=-1)
    normals /= np.linalg.norm(normals, axis=-1, keepdims=True)
    return np.round((normals + 1) / 2 * 255).astype(np.uint8)


def png(pixels: np.ndarray[Any, Any]) -> bytes:
    return bytes(pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).pngsave_buffer())


def decoded(data: bytes) -> np.ndarray[Any, Any]:
    """An image's pixels, shape (height, width, channels)."""
    image = pyvips.Image.new_from_buffer(data, "")
    return np.asarray(image.numpy()).reshape(image.height, image.width, -1)


def flat_png(size_px: int, *rgb: int) -> bytes:
    return png(np.tile(np.array(rgb, np.uint8), (size_px, size_px, 1)))


def png_that_claims(width_px: int, height_px: int) -> bytes:
    """The header of a PNG, without any picture behind it."""
    header = struct.pack(">IIBBBBB", width_px, height_px, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + header + bytes(4)


def with_json(glb_bytes: bytes, text: bytes) -> bytes:
    """The same GLB with another JSON chunk, however wrong."""
    _, binary = glb.chunks(glb_bytes)
    parts = struct.pack("<II", len(text), glb.JSON_CHUNK) + text
    parts += struct.pack("<II", len(binary), glb.BINARY_CHUNK) + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(parts)) + parts


def changed(scene: Scene, change: Callable[[Document], object]) -> bytes:
    """The scene's GLB after something was done to its document, lists and all."""
    document = json.loads(json.dumps({k: v for k, v in scene.document.items() if v != []}))
    change(document)
    return with_json(scene.glb(), json.dumps(document).encode())
