"""Makes geometry and animation small: gltfpack 1.3, as WebAssembly, in a sandbox.

Vertices are welded, reordered, quantised and coded with meshopt; nothing is simplified, so every
triangle with an area stays. The library sees one file in memory and can neither read the disk nor
run for ever: memory is capped and every instruction burns fuel. It never meets an image: the
bundle's images are names to it (option -tr), with a stand-in of one transparent pixel behind each.
Normalising NaN makes its output the same on every processor.

Measured over eleven shared models (0.6 k to 109 k triangles), bytes after brotli 11:

    options                      ToyCar    Mixer   Shoe    fuel, ToyCar
    -cc -vp 14 -vt 14 -vn 10     552 KB   191 KB  106 KB        0.75e9
    -cz -vp 14 -vt 14 -vn 10     529 KB   180 KB  100 KB        0.95e9   <- taken
    -cz -vp 16 -vt 15 -vn 10     587 KB   201 KB  114 KB        0.95e9
    -cc -vp 14 -vt 12 -vn 8      471 KB   167 KB   92 KB        0.73e9   bands on polished metal

Fourteen bits place a vertex within 0.03 mm on a product one metre long. A second of CPU burns about
1e10 of fuel; compiling the library costs 0.4 s once per process, so nothing is cached on disk,
where somebody could replace it.
"""

import copy
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from math import ceil, log2
from typing import Any

import pyvips
import wasmtime

from vitrina.models3d import glb, images
from vitrina.models3d.errors import BrokenModel, ModelTooLarge
from vitrina.models3d.model import Bundle, Plain
from vitrina.models3d.wasi import GuestExit, MemoryFiles, OutOfRoom

LIBRARY = "gltfpack.wasm"
INPUT, OUTPUT = "model.glb", "small.glb"


@dataclass(frozen=True, slots=True)
class GeometryOptions:
    """Precision, and what the sandbox may use up."""

    position_bits: int = 14
    normal_bits: int = 10
    finest_texel: float = 1 / 8  # texture coordinates are kept to this part of a texel
    memory_bytes: int = 2**30
    fuel: int = 50_000_000_000
    output_bytes: int = 256 * 2**20


# What gltfpack 1.3 carries through. Of other extensions it drops the content.
KEPT = frozenset(
    {
        "EXT_mesh_gpu_instancing",
        "EXT_meshopt_compression",
        "KHR_lights_punctual",
        "KHR_materials_anisotropy",
        "KHR_materials_clearcoat",
        "KHR_materials_diffuse_transmission",
        "KHR_materials_dispersion",
        "KHR_materials_emissive_strength",
        "KHR_materials_ior",
        "KHR_materials_iridescence",
        "KHR_materials_pbrSpecularGlossiness",
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
# Dropping these changes nothing one can see.
INVISIBLE = frozenset({"KHR_xmp", "KHR_xmp_json_ld", "KHR_draco_mesh_compression"})


class LibraryMissing(RuntimeError):
    """gltfpack.wasm was not built into the package: a fault of the installation."""

    def __init__(self) -> None:
        super().__init__(
            f"vitrina/models3d/{LIBRARY} is missing. It is copied there by the front-end build: "
            "run `make build`."
        )


def compress(bundle: Bundle, options: GeometryOptions | None = None) -> Bundle:
    """The same model with small geometry; images, materials, variants and licence are kept.

    A model that uses an extension which gltfpack would lose keeps its geometry as it is, and says
    so in its notes: large and right is better than small and wrong.

    Raises:
        BrokenModel: gltfpack cannot read the model.
        ModelTooLarge: it needs more memory or time than the sandbox grants.
        LibraryMissing: the package was not built.
    """
    options = options or GeometryOptions()
    lost = set(bundle.document.get("extensionsUsed", [])) - KEPT - INVISIBLE
    if lost:
        note = (
            f"The geometry was left as it is: the model uses {', '.join(sorted(lost))}, which "
            "compressing would lose."
        )
        return replace(bundle, notes=(*bundle.notes, note))
    arguments = [
        *("-i", INPUT, "-o", OUTPUT),
        *("-cz", "-km", "-tr"),
        *("-vp", str(options.position_bits)),
        *("-vn", str(options.normal_bits)),
        *("-vt", str(_texture_bits(bundle, options))),
    ]
    pictures = bundle.document.get("images", [])
    names = [f"{index}.png" for index in range(len(pictures))]
    asked = {**bundle.document, "images": [{"uri": name} for name in names]}
    files = {INPUT: glb.write(asked, bundle.binary), **dict.fromkeys(names, _stand_in())}
    document, binary = glb.read(run_gltfpack(arguments, files, options))
    _restore_asset(document, bundle.document)
    originals = dict(zip(names, pictures, strict=True))
    for image in document.get("images", []):
        original = originals[image.pop("uri")]
        image |= {"uri": original["uri"], "mimeType": original["mimeType"]}
    kept = {image["uri"] for image in document.get("images", [])}
    small = {name: data for name, data in bundle.files.items() if name in kept}
    return replace(bundle, document=document, binary=binary, files=small)


def _stand_in() -> bytes:
    """A PNG of one transparent pixel.

    gltfpack looks whether a base colour has an alpha channel, and makes the material opaque if it
    does not find one: without this the weave of a wicker chair became a black shell.
    """
    return bytes(pyvips.Image.black(1, 1, bands=4).copy(interpretation="srgb").pngsave_buffer())


def _restore_asset(document: Plain, source: Plain) -> None:
    """Whose work it is must survive: gltfpack keeps ``extras`` but drops ``copyright``."""
    for key in ("copyright", "extras"):
        if key in source["asset"]:
            document["asset"][key] = copy.deepcopy(source["asset"][key])


def _texture_bits(bundle: Bundle, options: GeometryOptions) -> int:
    """Bits per texture coordinate that keep it within a fraction of a texel.

    The coordinates of a tiled fabric run from 0 to 20, say, so a step is twenty times coarser.
    """
    side_px = max(
        [1, *(max(i.width_px, i.height_px) for i in map(images.sniff, bundle.files.values()) if i)]
    )
    extent = 1.0
    for accessor in _texture_coordinates(bundle.document):
        if glb.is_coded(bundle.document, accessor):
            return 16
        values = glb.floats(bundle.document, bundle.binary, accessor)
        extent = max(extent, float((values.max(axis=0) - values.min(axis=0)).max()))
    extent *= _largest_texture_scale(bundle.document)
    return min(16, max(10, ceil(log2(extent * side_px / options.finest_texel))))


def _texture_coordinates(document: Plain) -> set[int]:
    return {
        accessor
        for mesh in document.get("meshes", [])
        for primitive in mesh["primitives"]
        for name, accessor in primitive["attributes"].items()
        if name.startswith("TEXCOORD_")
    }


def _largest_texture_scale(value: Any) -> float:
    """The greatest factor by which a KHR_texture_transform repeats a texture; at least 1."""
    largest = 1.0
    if isinstance(value, dict):
        transform = value.get("KHR_texture_transform")
        if isinstance(transform, dict):
            largest = max([largest, *(abs(s) for s in transform.get("scale", []))])
        for inner in value.values():
            largest = max(largest, _largest_texture_scale(inner))
    elif isinstance(value, list):
        for inner in value:
            largest = max(largest, _largest_texture_scale(inner))
    return largest


def run_gltfpack(
    arguments: list[str], inputs: Mapping[str, bytes], options: GeometryOptions
) -> bytes:
    """Run gltfpack in a folder of these files, and give back the model it wrote."""
    library = _library()
    store = wasmtime.Store(library.engine)
    store.set_limits(memory_size=options.memory_bytes)
    store.set_fuel(options.fuel)
    files = MemoryFiles(inputs, room_bytes=options.output_bytes)
    linker = wasmtime.Linker(library.engine)
    files.link(linker, store)
    exports = linker.instantiate(store, library.module).exports(store)
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.Memory)
    files.attach(memory)

    def call(name: str, *numbers: int) -> int:
        function = exports[name]
        assert isinstance(function, wasmtime.Func)
        return int(function(store, *numbers) or 0)

    try:
        call("__wasm_call_ctors")
        status = call("pack", *_place_arguments(["gltfpack", *arguments], call, memory, store))
    except (wasmtime.Trap, wasmtime.WasmtimeError, GuestExit, OutOfRoom) as error:
        # The library has no exceptions: without memory it aborts, without fuel it is stopped.
        raise ModelTooLarge(
            "Compressing the model takes more memory or time than the shop grants."
        ) from error
    if status != 0 or OUTPUT not in files.outputs:
        said = files.log.decode(errors="replace").replace(f"Error loading {INPUT}: ", "").strip()
        raise BrokenModel(f"The model's geometry cannot be read ({said[:200]}).")
    return files.outputs[OUTPUT]


def _place_arguments(
    arguments: list[str], call: Any, memory: wasmtime.Memory, store: wasmtime.Store
) -> tuple[int, int]:
    """Put C's ``argc`` and ``argv`` into the guest: pointers first, then the texts."""
    texts = [argument.encode() + b"\0" for argument in arguments]
    table_bytes = 4 * len(texts)
    address = call("malloc", table_bytes + sum(map(len, texts))) & 0xFFFFFFFF
    pointers, at = [], address + table_bytes
    for text in texts:
        pointers.append(at)
        at += len(text)
    table = struct.pack(f"<{len(texts)}I", *pointers)
    memory.write(store, table + b"".join(texts), address)
    return len(texts), address


@dataclass(frozen=True, slots=True)
class _Library:
    engine: wasmtime.Engine
    module: wasmtime.Module


@cache
def _library() -> _Library:
    config = wasmtime.Config()
    config.consume_fuel = True
    config.cranelift_nan_canonicalization = True
    engine = wasmtime.Engine(config)
    source = resources.files("vitrina.models3d") / LIBRARY
    try:
        code = source.read_bytes()
    except FileNotFoundError as error:
        raise LibraryMissing from error
    return _Library(engine, wasmtime.Module(engine, code))
