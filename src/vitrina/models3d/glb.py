"""The GLB container: bytes in, document and buffer out, and back; accessors as numpy arrays.

Layout (glTF 2.0 specification, section 4.4), every number a little-endian uint32:

    "glTF" │ 2 │ length of the file ║ length │ "JSON" │ document … ║ length │ "BIN\\0" │ buffer …
"""

import base64
import copy
import json
import struct
from collections.abc import Iterator
from typing import Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from vitrina.models3d import images
from vitrina.models3d.errors import NotAGlb
from vitrina.models3d.model import Bundle, Plain

Array: TypeAlias = NDArray[Any]

MAGIC = b"glTF"
JSON_CHUNK = 0x4E4F534A
BINARY_CHUNK = 0x004E4942
HEADER_BYTES = 12
CHUNK_HEADER_BYTES = 8
MAX_GLB_BYTES = 2**32 - 1  # lengths are uint32

COMPONENTS: dict[int, np.dtype[Any]] = {
    5120: np.dtype("<i1"),
    5121: np.dtype("<u1"),
    5122: np.dtype("<i2"),
    5123: np.dtype("<u2"),
    5125: np.dtype("<u4"),
    5126: np.dtype("<f4"),
}
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
MESHOPT = ("EXT_meshopt_compression", "KHR_meshopt_compression")
TEXTURE_SOURCES = {
    "image/webp": "EXT_texture_webp",
    "image/avif": "EXT_texture_avif",
    "image/ktx2": "KHR_texture_basisu",
}


def chunks(glb: bytes) -> tuple[bytes, bytes]:
    """The JSON text and the buffer of a GLB; other chunks are skipped, as the standard asks.

    Raises:
        NotAGlb: the container is of another format, cut short, or contradicts itself.
    """
    if len(glb) < HEADER_BYTES or glb[:4] != MAGIC:
        raise NotAGlb(f"This is not a GLB file but {_what_it_looks_like(glb)}.")
    version, length = struct.unpack_from("<II", glb, 4)
    if version != 2:
        raise NotAGlb(f"The file is GLB version {version}; browsers read version 2.")
    if length > len(glb):
        raise NotAGlb(
            f"The file is cut short: it says it has {length:,} bytes, but only {len(glb):,} "
            "arrived.",
            "Copy or upload it again; if that does not help, export it again.",
        )
    if length < len(glb):
        raise NotAGlb(f"After the model's end there are {len(glb) - length:,} bytes too many.")
    found: dict[int, bytes] = {}
    for kind, data in _chunks(glb):
        if not found and kind != JSON_CHUNK:
            raise NotAGlb("The file does not begin with the description of the model.")
        found.setdefault(kind, data)
    if JSON_CHUNK not in found:
        raise NotAGlb("The file holds no description of a model.")
    return found[JSON_CHUNK], found.get(BINARY_CHUNK, b"")


def _chunks(glb: bytes) -> Iterator[tuple[int, bytes]]:
    at = HEADER_BYTES
    while at < len(glb):
        if at + CHUNK_HEADER_BYTES > len(glb):
            raise NotAGlb("The file ends in the middle of a chunk's header.")
        length, kind = struct.unpack_from("<II", glb, at)
        at += CHUNK_HEADER_BYTES
        if at + length > len(glb):
            raise NotAGlb(
                f"A part of the file claims {length:,} bytes where only {len(glb) - at:,} are left."
            )
        yield kind, glb[at : at + length]
        at += length


def _what_it_looks_like(data: bytes) -> str:
    """A merchant's mix-ups, by their first bytes."""
    head = data[:16].lstrip()
    if not data:
        return "empty"
    if data[:4] == b"PK\x03\x04":
        return "a ZIP archive (perhaps a USDZ, or a download that is still packed)"
    if head.startswith(b"{"):
        return "text: perhaps a .gltf, the unpacked form of the same format"
    if head.startswith(b"<"):
        return "a web page or XML, such as a download's error page"
    if data.startswith(b"Kaydara FBX"):
        return "an FBX file"
    if data.startswith(b"solid") or head.startswith((b"# ", b"mtllib", b"ply")):
        return "text, perhaps a model in another format (OBJ, STL or PLY)"
    if image := images.sniff(data):
        return f"a picture ({image.mime})"
    return "something else"


def read(glb: bytes) -> tuple[Plain, bytes]:
    """Document and buffer of a GLB of our own making; uploads go through ``preflight.check``."""
    text, binary = chunks(glb)
    return cast("Plain", json.loads(text)), binary


def write(document: Plain, binary: bytes) -> bytes:
    """A GLB of this document and buffer; the document's first buffer gets its true length."""
    if binary:
        document = {**document, "buffers": [dict(b) for b in document.get("buffers", [{}])]}
        document["buffers"][0]["byteLength"] = len(binary)
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
    parts = [(JSON_CHUNK, _padded(text, b" "))]
    if binary:
        parts.append((BINARY_CHUNK, _padded(binary, b"\0")))
    length = HEADER_BYTES + sum(CHUNK_HEADER_BYTES + len(data) for _, data in parts)
    glb = [MAGIC, struct.pack("<II", 2, length)]
    for kind, data in parts:
        glb += [struct.pack("<II", len(data), kind), data]
    return b"".join(glb)


def _padded(data: bytes, filler: bytes, boundary: int = 4) -> bytes:
    return data + filler * (-len(data) % boundary)


def coded_by(view: Plain) -> Plain | None:
    """The meshopt extension of a buffer view, if its bytes are coded."""
    extensions = view.get("extensions", {})
    for name in MESHOPT:
        if name in extensions:
            return cast("Plain", extensions[name])
    return None


def is_coded(document: Plain, accessor: int) -> bool:
    """Whether an accessor's numbers cannot be read here because meshopt has coded them."""
    view = document["accessors"][accessor].get("bufferView")
    return view is not None and coded_by(document["bufferViews"][view]) is not None


def numbers(document: Plain, binary: bytes, accessor: int) -> Array:
    """An accessor's values as stored, shape (count, components); read-only unless sparse.

    The accessor has passed ``preflight`` and is not coded by meshopt.
    """
    it = document["accessors"][accessor]
    dtype, shape = COMPONENTS[it["componentType"]], (it["count"], WIDTHS[it["type"]])
    if "bufferView" in it:
        values = _slice(document, binary, it, dtype, shape)
    else:
        values = np.zeros(shape, dtype)
    if sparse := it.get("sparse"):
        indices, replaced = sparse["indices"], (sparse["count"], shape[1])
        where = COMPONENTS[indices["componentType"]]
        values = values.copy()
        values[_slice(document, binary, indices, where, (sparse["count"], 1))[:, 0]] = _slice(
            document, binary, sparse["values"], dtype, replaced
        )
    return values


def floats(document: Plain, binary: bytes, accessor: int) -> NDArray[np.float64]:
    """An accessor's values as they are meant: normalised integers become −1…1 or 0…1."""
    values = numbers(document, binary, accessor)
    if document["accessors"][accessor].get("normalized") and values.dtype.kind in "iu":
        return np.maximum(values.astype(np.float64) / np.iinfo(values.dtype).max, -1.0)
    return values.astype(np.float64)


def _slice(
    document: Plain, binary: bytes, place: Plain, dtype: np.dtype[Any], shape: tuple[int, int]
) -> Array:
    view = document["bufferViews"][place["bufferView"]]
    stride = view.get("byteStride") or dtype.itemsize * shape[1]
    offset = view.get("byteOffset", 0) + place.get("byteOffset", 0)
    return np.ndarray(shape, dtype, binary, offset, (stride, dtype.itemsize))


def unpack(document: Plain, binary: bytes) -> Bundle:
    """Take images out into files of their own, and leave in the buffer only what accessors use.

    Inside a bundle every texture's ``source`` is its image, whatever the format; ``pack`` turns
    that back into the extension the format needs. Where a file offers a fallback beside a WebP,
    AVIF or KTX2 image, the fallback wins: it is the one made first, and with the least loss.
    """
    document = copy.deepcopy(document)
    for texture in document.get("textures", []):
        extensions = texture.pop("extensions", {})
        for name in TEXTURE_SOURCES.values():
            if name in extensions and "source" not in texture:
                texture["source"] = extensions[name]["source"]
    _declare(document, set(TEXTURE_SOURCES.values()), used=False)
    files: dict[str, bytes] = {}
    for index, image in enumerate(document.get("images", [])):
        data = image_bytes(document, binary, image)
        found = images.sniff(data)
        name = f"{index}.{found.suffix if found else 'bin'}"
        files[name] = data
        image.pop("bufferView", None)
        image["uri"] = name
        if found:
            image["mimeType"] = found.mime
    return Bundle(document, _keep_what_accessors_use(document, binary), files)


def image_bytes(document: Plain, binary: bytes, image: Plain) -> bytes:
    """The coded bytes of an embedded image, from its buffer view or its ``data:`` address.

    Raises:
        ValueError: the address is not base64.
    """
    if "bufferView" in image:
        view = document["bufferViews"][image["bufferView"]]
        start = view.get("byteOffset", 0)
        return binary[start : start + view["byteLength"]]
    return base64.b64decode(image["uri"].partition(",")[2], validate=True)


def _keep_what_accessors_use(document: Plain, binary: bytes) -> bytes:
    """Drop unused buffer views and the bytes only they covered; renumber the rest in place.

    Overlapping views keep sharing their bytes, so the buffer never grows, whatever the file says.
    """
    places = []
    for accessor in document.get("accessors", []):
        sparse = accessor.get("sparse", {})
        places += [p for p in (accessor, sparse.get("indices"), sparse.get("values")) if p]
    places = [place for place in places if "bufferView" in place]
    views = document.get("bufferViews", [])
    used = sorted({place["bufferView"] for place in places})
    ranges = [
        coded if (coded := coded_by(views[index])) is not None else views[index] for index in used
    ]
    moved_to, kept = _compact([(r.get("byteOffset", 0), r["byteLength"]) for r in ranges], binary)
    for place, offset in zip(ranges, moved_to, strict=True):
        place["byteOffset"] = offset
    renumbered = {old: new for new, old in enumerate(used)}
    for place in places:
        place["bufferView"] = renumbered[place["bufferView"]]
    document["bufferViews"] = [views[index] for index in used]
    return kept


def _compact(spans: list[tuple[int, int]], binary: bytes) -> tuple[list[int], bytes]:
    """Move the union of byte spans together; gives each span's new offset and the new buffer."""
    order = sorted(range(len(spans)), key=lambda i: spans[i])
    offsets = [0] * len(spans)
    kept = bytearray()
    run_start = run_end = shift = -1
    for i in order:
        start, length = spans[i]
        if start >= run_end:
            if run_end > run_start:
                kept += binary[run_start:run_end]
            # Multiples of 8 suit every component type; the start keeps its own misalignment.
            kept += bytes((start - len(kept)) % 8)
            run_start, run_end, shift = start, start + length, len(kept) - start
        offsets[i] = start + shift
        run_end = max(run_end, start + length)
    if run_end > run_start:
        kept += binary[run_start:run_end]
    return offsets, bytes(kept)


def pack(bundle: Bundle) -> bytes:
    """One GLB with everything inside, geometry first: what a stream brings first can be drawn."""
    document = copy.deepcopy(bundle.document)
    binary = bytearray(bundle.binary)
    views = document.setdefault("bufferViews", [])
    for texture in document.get("textures", []):
        mime = document["images"][texture["source"]]["mimeType"] if "source" in texture else ""
        if name := TEXTURE_SOURCES.get(mime):
            texture["extensions"] = {name: {"source": texture.pop("source")}}
            _declare(document, {name}, used=True)
    for image in document.get("images", []):
        data = bundle.files[image.pop("uri")]
        binary += bytes(-len(binary) % 8)
        image["bufferView"] = len(views)
        views.append({"buffer": 0, "byteOffset": len(binary), "byteLength": len(data)})
        binary += data
    if binary and not document.get("buffers"):
        document["buffers"] = [{}]
    for name in ("bufferViews", "buffers", "images"):
        if not document.get(name):  # glTF has no empty lists
            document.pop(name, None)
    return write(document, bytes(binary))


def _declare(document: Plain, names: set[str], *, used: bool) -> None:
    """Add extensions to both of the document's lists, or take them off."""
    for key in ("extensionsUsed", "extensionsRequired"):
        kept = set(document.get(key, [])) - names
        document[key] = sorted(kept | names if used else kept)
        if not document[key]:
            del document[key]
