"""What is in a model, for a person who wonders why it is large or what it will look like."""

from dataclasses import dataclass

from vitrina.models3d import glb, images, preflight, scene, textures
from vitrina.models3d.model import Tier, Vector


@dataclass(frozen=True, slots=True)
class Texture:
    """One image, and what the model uses it for."""

    name: str
    mime: str
    width_px: int
    height_px: int
    size_bytes: int
    roles: tuple[str, ...]  # of "colour", "normal", "data"; empty when nothing shows it


@dataclass(frozen=True, slots=True)
class Inspection:
    """A model in numbers."""

    size_bytes: int
    geometry_bytes: int
    triangles: int
    meshes: int
    materials: int
    textures: tuple[Texture, ...]
    texture_memory_bytes: int  # on the graphics card, with mipmaps
    variants: tuple[str, ...]
    animations: int
    extensions: tuple[str, ...]
    bounds_min_m: Vector
    bounds_max_m: Vector
    tier: Tier
    copyright: str
    generator: str

    @property
    def size_m(self) -> Vector:
        """Width, height and depth."""
        x, y, z = (
            round(high - low, 5)
            for low, high in zip(self.bounds_min_m, self.bounds_max_m, strict=True)
        )
        return (x, y, z)


def inspect(source: bytes) -> Inspection:
    """Look into a GLB without decoding its images or running anything.

    Raises:
        ModelRefused: it is broken, hostile or too large; the message says how to mend it.
    """
    document, binary = preflight.check(source)
    low, high = scene.bounds_m(document, binary)
    bundle = glb.unpack(document, binary)
    uses = textures.uses_of(bundle.document)
    found = []
    for index, image in enumerate(bundle.document.get("images", [])):
        data = bundle.files[image["uri"]]
        info = images.sniff(data)
        assert info is not None  # preflight has looked
        roles = tuple(sorted(uses[index].roles)) if index in uses else ()
        name = str(image.get("name", ""))
        found.append(Texture(name, info.mime, info.width_px, info.height_px, len(data), roles))
    return Inspection(
        size_bytes=len(source),
        geometry_bytes=len(bundle.binary),
        triangles=scene.triangles(document),
        meshes=len(document.get("meshes", [])),
        materials=len(document.get("materials", [])),
        textures=tuple(found),
        texture_memory_bytes=sum(t.width_px * t.height_px * 4 * 4 // 3 for t in found),
        variants=scene.variants(document),
        animations=len(document.get("animations", [])),
        extensions=tuple(sorted(document.get("extensionsUsed", []))),
        bounds_min_m=low,
        bounds_max_m=high,
        tier=scene.tier(document),
        copyright=str(document["asset"].get("copyright", "")),
        generator=str(document["asset"].get("generator", "")),
    )
