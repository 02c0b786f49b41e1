"""Refuses files that are broken or hostile, before anything is decoded.

Nothing here trusts a number it has not compared with something real: offsets with the bytes that
arrived, indices with the lists they point into, promised sizes with limits. What passes is safe to
hand to ``glb.numbers`` and to the image decoders; what does not pass is refused in words a merchant
can act on. One function per concern; ``check`` calls them in the order in which they rely on each
other. Later steps may therefore read a document without looking twice.
"""

import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np

from vitrina.models3d import glb, images, scene
from vitrina.models3d.errors import (
    BrokenModel,
    DracoCompressed,
    ExternalFiles,
    ModelTooLarge,
    NotAGlb,
    NothingToShow,
    UnsupportedFeature,
    UnusableImage,
)
from vitrina.models3d.model import Plain


@dataclass(frozen=True, slots=True)
class Limits:
    """What a product's model may ask for; several times what good models need."""

    file_bytes: int = 100 * 2**20
    json_bytes: int = 8 * 2**20
    json_depth: int = 64
    list_entries: int = 50_000  # of nodes, meshes, accessors, …: any list in the document
    node_depth: int = 200
    decoded_bytes: int = 512 * 2**20  # all accessors together, unpacked
    triangles: int = 5_000_000  # as drawn: every use of a mesh counts
    vertices: int = 15_000_000  # as drawn, and again for every morph target
    instances: int = 10_000  # of EXT_mesh_gpu_instancing, in all
    images: int = 128
    image_side_px: int = 8192
    image_pixels: int = 64 * 2**20
    all_images_pixels: int = 256 * 2**20
    coordinate: float = 1e6  # greatest absolute position, metres at scale 1


DRACO = "KHR_draco_mesh_compression"
# Extensions that a model may *require*: each is kept by the pipeline and drawn by the viewer.
CARRIED = frozenset(
    {
        "EXT_mesh_gpu_instancing",
        "EXT_meshopt_compression",
        "EXT_texture_avif",
        "EXT_texture_webp",
        "KHR_lights_punctual",
        "KHR_materials_anisotropy",
        "KHR_materials_clearcoat",
        "KHR_materials_diffuse_transmission",
        "KHR_materials_dispersion",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_iridescence",
        "KHR_materials_sheen",
        "KHR_materials_specular",
        "KHR_materials_transmission",
        "KHR_materials_unlit",
        "KHR_materials_variants",
        "KHR_materials_volume",
        "KHR_mesh_quantization",
        "KHR_meshopt_compression",
        "KHR_texture_transform",
    }
)
INDEX_COMPONENTS = (5121, 5123, 5125)
ATTRIBUTE_TYPES = {
    "POSITION": ("VEC3",),
    "NORMAL": ("VEC3",),
    "TANGENT": ("VEC4",),
    "TEXCOORD": ("VEC2",),
    "COLOR": ("VEC3", "VEC4"),
    "JOINTS": ("VEC4",),
    "WEIGHTS": ("VEC4",),
}
NODE_NUMBERS = {"translation": 3, "rotation": 4, "scale": 3, "matrix": 16}
# Possessive, and content with a string that never ends: one pass whatever the text.
_JSON_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)


def check(data: bytes, limits: Limits | None = None) -> tuple[Plain, bytes]:
    """Read an uploaded GLB, or refuse it.

    Returns:
        The document and the buffer, consistent with each other and within the limits.

    Raises:
        ModelRefused: one of its family, with what is wrong and how to mend it.
    """
    limits = limits or Limits()
    _check_file_size(data, limits)
    text, binary = glb.chunks(data)
    document = _parse(text, limits)
    _check_version(document)
    _check_lists(document, limits)
    _check_extensions(document)
    _check_buffers(document, binary)
    _check_buffer_views(document, binary, limits)
    _check_accessors(document, limits)
    _check_images(document, binary, limits)
    _check_textures(document)
    _check_materials(document)
    _check_variants(document)
    _check_meshes(document)
    _check_nodes(document, limits)
    _check_skins(document)
    _check_animations(document)
    _check_instances(document, limits)
    _check_scenes(document, limits)
    _check_numbers(document, binary, limits)
    _check_extent(document, binary)
    return document, binary


def _check_file_size(data: bytes, limits: Limits) -> None:
    if len(data) > limits.file_bytes:
        raise ModelTooLarge(
            f"The file has {_mib(len(data))}; up to {_mib(limits.file_bytes)} are accepted.",
            "Smaller textures help most: 2048 × 2048 pixels are plenty for a product.",
        )


def _parse(text: bytes, limits: Limits) -> Plain:
    """The JSON chunk as a dictionary: bounded in size and depth, finite numbers, true Unicode."""
    if len(text) > limits.json_bytes:
        raise ModelTooLarge(
            f"The model's description has {_mib(len(text))}; up to {_mib(limits.json_bytes)} "
            "are accepted.",
            "It holds too many separate parts or key frames: merge them and export again.",
        )
    if _depth(text) > limits.json_depth:
        raise BrokenModel(f"The model's description is nested over {limits.json_depth} deep.")
    try:
        document = json.loads(text.decode(), parse_float=_finite, parse_constant=_finite)
        json.dumps(document, ensure_ascii=False).encode()  # half of a surrogate pair fails here
    except UnicodeError as error:
        raise NotAGlb("The model's description is not valid UTF-8 text.") from error
    except ValueError as error:
        raise NotAGlb(f"The model's description is not valid JSON: {error}.") from error
    if not isinstance(document, dict):
        raise NotAGlb("The model's description is not an object.")
    return document


def _depth(text: bytes) -> int:
    """Greatest nesting of brackets outside strings, found without recursion."""
    brackets = np.frombuffer(_JSON_STRING.sub(b"", text), np.uint8)
    opening = (brackets == ord("{")) | (brackets == ord("["))
    closing = (brackets == ord("}")) | (brackets == ord("]"))
    steps = opening.astype(np.int32) - closing.astype(np.int32)
    return int(np.cumsum(steps).max(initial=0))


def _finite(literal: str) -> float:
    value = float(literal)
    if not isfinite(value):
        raise BrokenModel(f"The model's description contains {literal[:20]}, which is no number.")
    return value


def _check_version(document: Plain) -> None:
    asset = document.get("asset")
    if not isinstance(asset, dict) or not isinstance(asset.get("version"), str):
        raise BrokenModel("The file does not say which version of glTF it is.")
    for key in ("version", "minVersion"):
        if not str(asset.get(key, "2.0")).startswith("2."):
            raise UnsupportedFeature(
                f"The model is glTF {str(asset[key])[:20]}; browsers read glTF 2.0.",
                "Choose glTF 2.0 in the exporter.",
            )


def _check_lists(document: Plain, limits: Limits) -> None:
    """Every top-level list is a list of objects, and none is absurdly long."""
    for name, value in document.items():
        if name in ("asset", "extensions", "extras", "scene"):
            continue
        if not isinstance(value, list):
            raise BrokenModel(f'"{name[:40]}" should be a list.')
        if len(value) > limits.list_entries:
            raise ModelTooLarge(
                f"The model has {len(value):,} {name[:40]}; up to {limits.list_entries:,} are "
                "accepted.",
                "Merge parts that never move on their own, and export again.",
            )
        if name.startswith("extensions"):
            if not all(isinstance(entry, str) for entry in value):
                raise BrokenModel(f'"{name}" should be a list of names.')
        elif not all(isinstance(entry, dict) for entry in value):
            raise BrokenModel(f'"{name[:40]}" should be a list of objects.')
    _object(document, "extensions", "the model")


def _check_extensions(document: Plain) -> None:
    required = document.get("extensionsRequired", [])
    if DRACO in required:
        raise DracoCompressed
    if "KHR_texture_basisu" in required:
        raise UnsupportedFeature(
            "The model's textures are KTX2 (Basis Universal), and this version cannot read those.",
            "Export it with PNG or JPEG textures; the shop compresses them itself.",
        )
    if "KHR_materials_pbrSpecularGlossiness" in required:
        raise UnsupportedFeature(
            "The model uses the old specular/glossiness materials, which viewers have dropped.",
            "Convert its materials to metallic/roughness and export again.",
        )
    for name in required:
        if name not in CARRIED:
            raise UnsupportedFeature(
                f"The model cannot be shown without the extension {name[:60]}, which browsers' "
                "viewers do not know."
            )


def _check_buffers(document: Plain, binary: bytes) -> None:
    for index, buffer in enumerate(document.get("buffers", [])):
        where = f"buffer {index}"
        length = _whole(buffer.get("byteLength"), f"the length of {where}", at_least=1)
        if "uri" in buffer:
            raise ExternalFiles(
                f"The model's geometry is in another file ({str(buffer['uri'])[:60]})."
            )
        if index > 0:
            if any(name in _extensions(buffer, where) for name in glb.MESHOPT):
                continue  # a placeholder for decoded data: has a length, never any bytes
            raise ExternalFiles("The model's geometry is spread over several files.")
        if length > len(binary):
            raise NotAGlb(
                f"The model needs {length:,} bytes of geometry and textures, but the file holds "
                f"{len(binary):,}.",
                "It is cut short: upload it again, or export it again.",
            )


def _check_buffer_views(document: Plain, binary: bytes, limits: Limits) -> None:
    decoded_bytes = 0
    for index, view in enumerate(document.get("bufferViews", [])):
        where = f"buffer view {index}"
        _check_range(document, view, where)
        if "byteStride" in view:
            _whole(view["byteStride"], f"the stride of {where}", at_least=4, at_most=252)
        _extensions(view, where)
        coded = glb.coded_by(view)
        if coded is None:
            if view["buffer"] != 0:
                raise BrokenModel(f"{_upper(where)} refers to bytes that are not in the file.")
            continue
        if not isinstance(coded, dict):
            raise BrokenModel(f"The coding of {where} should be an object.")
        _check_range(document, coded, where)
        if coded["buffer"] != 0:
            raise BrokenModel(f"The coded bytes of {where} are not in the file.")
        count = _whole(coded.get("count"), f"the count of {where}", at_least=1)
        stride = _whole(coded.get("byteStride"), f"the stride of {where}", 1, 256)
        if count * stride > view["byteLength"]:
            raise BrokenModel(f"{_upper(where)} decodes to more bytes than it has.")
        decoded_bytes += count * stride
    if decoded_bytes > limits.decoded_bytes:
        raise _unpacks_too_far(decoded_bytes, limits)
    if document.get("bufferViews") and not binary:
        raise NotAGlb("The file describes a model but holds no geometry.")


def _check_range(document: Plain, place: Plain, where: str) -> None:
    buffers = document.get("buffers", [])
    buffer = buffers[_index(place.get("buffer"), buffers, where, "buffer")]
    offset = _whole(place.get("byteOffset", 0), f"the offset of {where}")
    length = _whole(place.get("byteLength"), f"the length of {where}", at_least=1)
    if offset + length > buffer["byteLength"]:
        raise BrokenModel(
            f"{_upper(where)} ends at byte {offset + length:,} of a buffer that has "
            f"{buffer['byteLength']:,}."
        )


def _check_accessors(document: Plain, limits: Limits) -> None:
    decoded_bytes = 0
    for index, accessor in enumerate(document.get("accessors", [])):
        where = f"accessor {index}"
        component = accessor.get("componentType")
        kind = accessor.get("type")
        if not isinstance(component, int) or component not in glb.COMPONENTS:
            raise BrokenModel(f"{_upper(where)} has an unknown component type.")
        if not isinstance(kind, str) or kind not in glb.WIDTHS:
            raise BrokenModel(f"{_upper(where)} has an unknown type.")
        count = _whole(accessor.get("count"), f"the count of {where}", at_least=1)
        element_bytes = glb.COMPONENTS[component].itemsize * glb.WIDTHS[kind]
        decoded_bytes += count * element_bytes
        if decoded_bytes > limits.decoded_bytes:
            raise _unpacks_too_far(decoded_bytes, limits)
        for bound in ("min", "max"):
            if bound in accessor:
                _numbers(accessor[bound], glb.WIDTHS[kind], f"the {bound} of {where}")
        if "bufferView" in accessor:
            _check_fits(document, accessor, count, element_bytes, where)
        if "sparse" in accessor:
            _check_sparse(document, accessor, element_bytes, where)


def _check_sparse(document: Plain, accessor: Plain, element_bytes: int, where: str) -> None:
    sparse = _object(accessor, "sparse", where)
    count = _whole(sparse.get("count"), f"the sparse count of {where}", 1, accessor["count"])
    indices = _object(sparse, "indices", where)
    if indices.get("componentType") not in INDEX_COMPONENTS:
        raise BrokenModel(f"The sparse indices of {where} are not whole numbers.")
    index_bytes = glb.COMPONENTS[indices["componentType"]].itemsize
    _check_fits(document, indices, count, index_bytes, f"the sparse indices of {where}")
    values = _object(sparse, "values", where)
    _check_fits(document, values, count, element_bytes, f"the sparse values of {where}")


def _check_fits(document: Plain, place: Plain, count: int, element_bytes: int, where: str) -> None:
    """``count`` elements from the place's offset on lie inside its buffer view."""
    views = document.get("bufferViews", [])
    view = views[_index(place.get("bufferView"), views, where, "buffer view")]
    offset = _whole(place.get("byteOffset", 0), f"the offset of {where}")
    stride = view.get("byteStride", element_bytes)
    if stride < element_bytes:
        raise BrokenModel(f"The elements of {where} overlap each other.")
    if offset + stride * (count - 1) + element_bytes > view["byteLength"]:
        raise BrokenModel(
            f"{_upper(where)}: {count:,} elements do not fit into the {view['byteLength']:,} bytes "
            "it points to."
        )


def _check_images(document: Plain, binary: bytes, limits: Limits) -> None:
    pixels = 0
    if len(document.get("images", [])) > limits.images:
        raise ModelTooLarge(
            f"The model has {len(document['images'])} images; up to {limits.images} are accepted.",
            "Bake its materials into fewer textures, and export again.",
        )
    for index, image in enumerate(document.get("images", [])):
        where = _called("image", index, image)
        info = images.sniff(_image_bytes(document, binary, image, where))
        if info is None:
            raise UnusableImage(f"{_upper(where)} is not a PNG, JPEG, WebP or AVIF picture.")
        if info.mime == "image/ktx2":
            raise UnsupportedFeature(
                f"{_upper(where)} is a KTX2 texture, which this version cannot read.",
                "Export the model with PNG or JPEG textures; the shop compresses them itself.",
            )
        if not info.width_px or not info.height_px:
            raise UnusableImage(f"{_upper(where)} has no pixels.")
        if (
            max(info.width_px, info.height_px) > limits.image_side_px
            or info.pixels > limits.image_pixels
        ):
            raise UnusableImage(
                f"{_upper(where)} is {info.width_px:,} × {info.height_px:,} pixels large; up "
                f"to {limits.image_side_px:,} a side are accepted."
            )
        pixels += info.pixels
    if pixels > limits.all_images_pixels:
        raise ModelTooLarge(
            f"The model's textures have {pixels / 2**20:,.0f} megapixels in all; up to "
            f"{limits.all_images_pixels / 2**20:,.0f} are accepted.",
            "Use fewer or smaller textures: 2048 × 2048 pixels are plenty for a product.",
        )


def _image_bytes(document: Plain, binary: bytes, image: Plain, where: str) -> bytes:
    if "bufferView" in image:
        views = document.get("bufferViews", [])
        view = views[_index(image["bufferView"], views, where, "buffer view")]
        if glb.coded_by(view) is not None:
            raise UnusableImage(f"{_upper(where)} is coded as if it were geometry.")
    else:
        address = image.get("uri")
        if not isinstance(address, str):
            raise BrokenModel(f"{_upper(where)} has neither data nor an address.")
        if not re.match(r"data:[^,]{0,100};base64,", address):
            raise ExternalFiles(f"{_upper(where)} is not in the file but at {address[:60]!r}.")
    try:
        return glb.image_bytes(document, binary, image)
    except binascii.Error as error:
        raise UnusableImage(f"{_upper(where)} is not valid base64.") from error


def _check_textures(document: Plain) -> None:
    pictures = document.get("images", [])
    for index, texture in enumerate(document.get("textures", [])):
        where = _called("texture", index, texture)
        if "sampler" in texture:
            _index(texture["sampler"], document.get("samplers", []), where, "sampler")
        if "source" in texture:
            _index(texture["source"], pictures, where, "image")
        extensions = _extensions(texture, where)
        for name in glb.TEXTURE_SOURCES.values():
            if extension := _object(extensions, name, where):
                _index(extension.get("source"), pictures, where, "image")


def _check_materials(document: Plain) -> None:
    """Every texture that a material or one of its extensions names exists."""
    textures = document.get("textures", [])
    for index, material in enumerate(document.get("materials", [])):
        where = _called("material", index, material)
        _extensions(material, where)
        for key, value in _members(material):
            if key.endswith("Texture"):
                if not isinstance(value, dict):
                    raise BrokenModel(f"The {key[:40]} of {where} should be an object.")
                _index(value.get("index"), textures, where, "texture")
                _whole(value.get("texCoord", 0), f"the texture coordinates of {where}", 0, 15)
                _check_transform(value, where)


def _check_transform(texture: Plain, where: str) -> None:
    transform = _object(_extensions(texture, where), "KHR_texture_transform", where)
    for key in ("offset", "scale"):
        if key in transform:
            _numbers(transform[key], 2, f"the texture {key} of {where}")
    _numbers([transform.get("rotation", 0)], 1, f"the texture rotation of {where}")
    if "texCoord" in transform:
        _whole(transform["texCoord"], f"the texture coordinates of {where}", 0, 15)


def _members(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key and value inside an object, at any depth, except what applications added."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "extras":
                yield key, inner
                yield from _members(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _members(inner)


def _check_variants(document: Plain) -> None:
    extension = _object(document.get("extensions", {}), "KHR_materials_variants", "the model")
    names = []
    for index, variant in enumerate(_list(extension, "variants", "the model")):
        if not isinstance(variant, dict) or not isinstance(variant.get("name"), str):
            raise BrokenModel(f"Variant {index} has no name.")
        names.append(variant["name"])
    if len(set(names)) < len(names):
        raise BrokenModel(
            "Two variants of the model have the same name.", "Give each variant its own name."
        )


def _check_meshes(document: Plain) -> None:
    for index, mesh in enumerate(document.get("meshes", [])):
        name = _called("mesh", index, mesh)
        primitives = _list(mesh, "primitives", name)
        if not primitives:
            raise BrokenModel(f"{_upper(name)} is empty.")
        for number, primitive in enumerate(primitives):
            where = f"part {number} of {name}"
            if not isinstance(primitive, dict):
                raise BrokenModel(f"{_upper(where)} should be an object.")
            _check_primitive(document, primitive, where)


def _check_primitive(document: Plain, primitive: Plain, where: str) -> None:
    accessors, materials = document.get("accessors", []), document.get("materials", [])
    _whole(primitive.get("mode", scene.TRIANGLES), f"the kind of {where}", 0, scene.FAN)
    attributes = _object(primitive, "attributes", where)
    if "POSITION" not in attributes:
        raise BrokenModel(f"{_upper(where)} has no positions.")
    if DRACO in _extensions(primitive, where):
        raise DracoCompressed
    vertices = None
    targets = _list(primitive, "targets", where)
    for group in (attributes, *targets):
        if not isinstance(group, dict):
            raise BrokenModel(f"A morph target of {where} should be an object.")
        for name, value in group.items():
            accessor = accessors[_index(value, accessors, where, "accessor")]
            kinds = ATTRIBUTE_TYPES.get(name.partition("_")[0])
            if name == "TANGENT" and group is not attributes:
                kinds = ("VEC3",)
            if kinds and accessor["type"] not in kinds:
                raise BrokenModel(f"{_upper(where)}: its {name[:40]} are of the wrong type.")
            vertices = vertices or accessor["count"]
            if accessor["count"] != vertices:
                raise BrokenModel(f"{_upper(where)}: not every vertex has its {name[:40]}.")
    if "indices" in primitive:
        indices = accessors[_index(primitive["indices"], accessors, where, "accessor")]
        if indices["type"] != "SCALAR" or indices["componentType"] not in INDEX_COMPONENTS:
            raise BrokenModel(f"The indices of {where} are not whole numbers.")
    if "material" in primitive:
        _index(primitive["material"], materials, where, "material")
    _check_mappings(document, primitive, where)


def _check_mappings(document: Plain, primitive: Plain, where: str) -> None:
    """Which material a primitive wears in which variant (KHR_materials_variants)."""
    extension = _object(_extensions(primitive, where), "KHR_materials_variants", where)
    root = document.get("extensions", {}).get("KHR_materials_variants", {})
    for mapping in _list(extension, "mappings", where):
        if not isinstance(mapping, dict):
            raise BrokenModel(f"The variants of {where} should be objects.")
        _index(mapping.get("material"), document.get("materials", []), where, "material")
        for variant in _list(mapping, "variants", where):
            _index(variant, root.get("variants", []), where, "variant")


def _check_nodes(document: Plain, limits: Limits) -> None:
    """References and transforms of nodes; the hierarchy is a forest, and not too deep."""
    nodes = document.get("nodes", [])
    has_parent = [False] * len(nodes)
    for index, node in enumerate(nodes):
        where = _called("node", index, node)
        for child in _list(node, "children", where):
            child = _index(child, nodes, where, "node")
            if has_parent[child]:
                raise BrokenModel(f"Node {child} has two parents.")
            has_parent[child] = True
        for name, plural in (("mesh", "meshes"), ("skin", "skins"), ("camera", "cameras")):
            if name in node:
                _index(node[name], document.get(plural, []), where, name)
        for name, count in NODE_NUMBERS.items():
            if name in node:
                _numbers(node[name], count, f"the {name} of {where}")
    level = [index for index, child in enumerate(has_parent) if not child]
    reached = depth = 0
    while level:
        reached += len(level)
        depth += 1
        if depth > limits.node_depth:
            raise BrokenModel(f"Nodes are nested over {limits.node_depth} deep.")
        level = [child for index in level for child in nodes[index].get("children", [])]
    if reached < len(nodes):
        raise BrokenModel(
            "Some nodes are their own ancestors: the hierarchy goes round in circles."
        )


def _check_skins(document: Plain) -> None:
    nodes, accessors = document.get("nodes", []), document.get("accessors", [])
    for index, skin in enumerate(document.get("skins", [])):
        where = _called("skin", index, skin)
        joints = _list(skin, "joints", where)
        if not joints:
            raise BrokenModel(f"{_upper(where)} has no joints.")
        for joint in joints:
            _index(joint, nodes, where, "node")
        if "skeleton" in skin:
            _index(skin["skeleton"], nodes, where, "node")
        if "inverseBindMatrices" in skin:
            bind = accessors[_index(skin["inverseBindMatrices"], accessors, where, "accessor")]
            floats = bind["type"] == "MAT4" and bind["componentType"] == 5126
            if not floats or bind["count"] < len(joints):
                raise BrokenModel(f"{_upper(where)} does not have a matrix for each joint.")


def _check_animations(document: Plain) -> None:
    nodes, accessors = document.get("nodes", []), document.get("accessors", [])
    for index, animation in enumerate(document.get("animations", [])):
        where = _called("animation", index, animation)
        samplers = _list(animation, "samplers", where)
        for sampler in samplers:
            if not isinstance(sampler, dict):
                raise BrokenModel(f"A sampler of {where} should be an object.")
            times = accessors[_index(sampler.get("input"), accessors, where, "accessor")]
            values = accessors[_index(sampler.get("output"), accessors, where, "accessor")]
            if times["type"] != "SCALAR" or values["count"] % times["count"]:
                raise BrokenModel(f"The key frames of {where} do not match their times.")
        for channel in _list(animation, "channels", where):
            if not isinstance(channel, dict):
                raise BrokenModel(f"A channel of {where} should be an object.")
            _index(channel.get("sampler"), samplers, where, "sampler")
            target = _object(channel, "target", where)
            if "node" in target:
                _index(target["node"], nodes, where, "node")


def _check_instances(document: Plain, limits: Limits) -> None:
    """Attributes of EXT_mesh_gpu_instancing exist and agree on the number of instances."""
    accessors = document.get("accessors", [])
    total = 0
    for index, node in enumerate(document.get("nodes", [])):
        where = _called("node", index, node)
        instancing = _object(_extensions(node, where), "EXT_mesh_gpu_instancing", where)
        counts = {
            accessors[_index(value, accessors, where, "accessor")]["count"]
            for value in _object(instancing, "attributes", where).values()
        }
        if len(counts) > 1:
            raise BrokenModel(f"The instances of {where} are not all complete.")
        total += sum(counts)
    if total > limits.instances:
        raise ModelTooLarge(
            f"The model repeats its parts {total:,} times; up to {limits.instances:,} are accepted."
        )


def _check_scenes(document: Plain, limits: Limits) -> None:
    """The default scene shows at least one triangle, and not more than a phone can draw."""
    nodes, scenes = document.get("nodes", []), document.get("scenes", [])
    if not scenes:
        raise NothingToShow("The file has no scene.")
    if "scene" in document:
        _index(document["scene"], scenes, "the model", "scene")
    for index, entry in enumerate(scenes):
        where = _called("scene", index, entry)
        for root in _list(entry, "nodes", where):
            _index(root, nodes, where, "node")
    drawn = scene.triangles(document)
    if drawn == 0:
        raise NothingToShow("The model has no visible surface.")
    if drawn > limits.triangles:
        raise ModelTooLarge(
            f"The model draws {drawn:,} triangles; up to {limits.triangles:,} are accepted, and "
            "200,000 are plenty for a product."
        )
    if scene.vertices(document) > limits.vertices:
        raise ModelTooLarge(
            f"The model has {scene.vertices(document):,} vertices in all its parts and morph "
            f"targets; up to {limits.vertices:,} are accepted."
        )


def _check_numbers(document: Plain, binary: bytes, limits: Limits) -> None:
    """Look at the geometry itself: finite numbers, and indices that point at vertices.

    Normals and tangents may be broken: exporters write NaN for triangles without area, renderers
    ignore it, and so does the pipeline. What meshopt has coded is looked at in the sandbox.
    """
    finite: set[int] = set()
    largest_index: dict[int, int] = {}
    accessors = document.get("accessors", [])

    def check_finite(accessor: int, where: str, limit: float = np.inf) -> None:
        if accessor in finite or glb.is_coded(document, accessor):
            return
        finite.add(accessor)
        _check_sparse_targets(document, binary, accessor)
        values = glb.numbers(document, binary, accessor)
        if values.dtype.kind != "f":
            return
        # One pass each for minimum and maximum: NaN wins both, and nothing large is allocated.
        low, high = float(values.min()), float(values.max())
        if not (isfinite(low) and isfinite(high)):
            raise BrokenModel(f"{_upper(where)} contains numbers that are not finite.")
        if max(-low, high) > limit:
            raise ModelTooLarge(
                f"{_upper(where)} reaches {max(-low, high):,.0f} metres from its origin.",
                "Check the units: glTF is in metres. Apply the scale, and export again.",
            )

    for mesh_index, mesh in enumerate(document.get("meshes", [])):
        for number, primitive in enumerate(mesh["primitives"]):
            where = f"part {number} of {_called('mesh', mesh_index, mesh)}"
            for group in (primitive["attributes"], *primitive.get("targets", [])):
                for name, accessor in group.items():
                    if name == "POSITION":
                        check_finite(accessor, where, limits.coordinate)
                    elif name not in ("NORMAL", "TANGENT"):
                        check_finite(accessor, where)
            indices = primitive.get("indices")
            if indices is None or glb.is_coded(document, indices):
                continue
            if indices not in largest_index:
                _check_sparse_targets(document, binary, indices)
                largest_index[indices] = int(glb.numbers(document, binary, indices).max())
            vertices = accessors[primitive["attributes"]["POSITION"]]["count"]
            if largest_index[indices] >= vertices:
                raise BrokenModel(
                    f"{_upper(where)} uses vertex {largest_index[indices]:,}, but has only "
                    f"{vertices:,}."
                )
    for index, skin in enumerate(document.get("skins", [])):
        if "inverseBindMatrices" in skin:
            check_finite(skin["inverseBindMatrices"], _called("skin", index, skin))
    for index, animation in enumerate(document.get("animations", [])):
        for sampler in animation.get("samplers", []):
            for accessor in (sampler["input"], sampler["output"]):
                check_finite(accessor, _called("animation", index, animation))


def _check_extent(document: Plain, binary: bytes) -> None:
    """The model is somewhere, and larger than a point."""
    with np.errstate(over="ignore", invalid="ignore"):
        low, high = scene.bounds_m(document, binary)
    if not all(isfinite(side) for side in (*low, *high)):
        raise BrokenModel("The model's nodes move it out of every bound.")
    if low == high:
        raise NothingToShow(
            "The model has no size: all its points are in one place.",
            "Check its scale, and export again.",
        )


def _check_sparse_targets(document: Plain, binary: bytes, accessor: int) -> None:
    """Sparse replacements point at elements that exist."""
    it = document["accessors"][accessor]
    if "sparse" not in it:
        return
    indices = it["sparse"]["indices"]
    view = document["bufferViews"][indices["bufferView"]]
    values = document["bufferViews"][it["sparse"]["values"]["bufferView"]]
    if glb.coded_by(view) is not None or glb.coded_by(values) is not None:
        raise UnsupportedFeature(f"The sparse parts of accessor {accessor} are coded by meshopt.")
    start = view.get("byteOffset", 0) + indices.get("byteOffset", 0)
    found = np.frombuffer(
        binary, glb.COMPONENTS[indices["componentType"]], it["sparse"]["count"], start
    )
    if int(found.max()) >= it["count"]:
        raise BrokenModel(f"Accessor {accessor} replaces an element it does not have.")


# What follows reads one value and says where it is not what it should be.


def _whole(value: object, what: str, at_least: int = 0, at_most: int = 2**53) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BrokenModel(f"{_upper(what)} is not a whole number.")
    if not at_least <= value <= at_most:
        raise BrokenModel(f"{_upper(what)} is out of range.")
    return value


def _index(value: object, entries: object, where: str, kind: str) -> int:
    """A position in a list, or the refusal that names both ends of the dangling reference."""
    size = len(entries) if isinstance(entries, list) else 0
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < size:
        shown = value if isinstance(value, int) else "something that is no number"
        raise BrokenModel(f"{_upper(where)} refers to {kind} {shown}, but there are only {size}.")
    return value


def _numbers(value: object, count: int, what: str) -> None:
    if (
        not isinstance(value, list)
        or len(value) != count
        or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        or not all(abs(v) <= 1e30 for v in value)
    ):
        raise BrokenModel(f"{_upper(what)} should be {count} plain numbers.")


def _list(parent: Plain, name: str, where: str) -> list[Any]:
    value = parent.get(name, [])
    if not isinstance(value, list):
        raise BrokenModel(f'"{name}" of {where} should be a list.')
    return value


def _object(parent: Plain, name: str, where: str) -> Plain:
    value = parent.get(name, {})
    if not isinstance(value, dict):
        raise BrokenModel(f'"{name}" of {where} should be an object.')
    return value


def _extensions(parent: Plain, where: str) -> Plain:
    return _object(parent, "extensions", where)


def _called(kind: str, index: int, entry: Plain) -> str:
    """How a merchant may find it again: by number, and by name where it has one."""
    name = entry.get("name")
    return (
        f'{kind} {index} ("{name[:60]}")' if isinstance(name, str) and name else f"{kind} {index}"
    )


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def _mib(size_bytes: int) -> str:
    return f"{size_bytes / 2**20:,.1f} MB"


def _unpacks_too_far(decoded_bytes: int, limits: Limits) -> ModelTooLarge:
    return ModelTooLarge(
        f"The geometry unpacks to {_mib(decoded_bytes)} or more; up to "
        f"{_mib(limits.decoded_bytes)} are accepted."
    )
