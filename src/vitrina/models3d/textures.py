"""Makes textures small: each by what the model uses it for, at the lowest quality that passes.

AVIF without chroma subsampling beats WebP on every texture tried, and keeps what WebP's 4:2:0
cannot: in normal and roughness maps each channel is a measurement of its own. Bytes and root mean
square error in levels of 255, 2048 × 2048 pixels but for the toy car's 1024 × 1024:

    texture                  source       WebP 90        AVIF 60, effort 3    CPU of the latter
    bottle, colour           2.2 MB    124 KB, 1.51        43 KB, 1.48             1.0 s
    bottle, roughness        3.6 MB    281 KB, 3.61       125 KB, 1.90             2.8 s
    toy car, normals         131 KB     95 KB, 7.24        24 KB, 2.54             0.3 s

Effort 4 costs six times the CPU of effort 3 for another 5 to 15 % of bytes. libaom's output depends
on the number of its threads, so it gets one, and several textures are coded side by side instead.
"""

import copy
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import pyvips
from numpy.typing import NDArray

from vitrina.models3d import images
from vitrina.models3d.errors import UnusableImage
from vitrina.models3d.model import Bundle, Plain

Pixels: TypeAlias = NDArray[np.uint8]  # shape (height, width, channels)

COLOUR, NORMAL, DATA = "colour", "normal", "data"
# Which channels of a texture a material reads, by the slot it is put in (glTF 2.0 and its ratified
# material extensions). Slots not listed here read all four.
SLOTS: dict[str, tuple[str, str]] = {
    "baseColorTexture": (COLOUR, "RGB"),  # and alpha, unless the material is opaque
    "emissiveTexture": (COLOUR, "RGB"),
    "sheenColorTexture": (COLOUR, "RGB"),
    "specularColorTexture": (COLOUR, "RGB"),
    "diffuseTransmissionColorTexture": (COLOUR, "RGB"),
    "normalTexture": (NORMAL, "RGB"),
    "clearcoatNormalTexture": (NORMAL, "RGB"),
    "metallicRoughnessTexture": (DATA, "GB"),
    "occlusionTexture": (DATA, "R"),
    "clearcoatTexture": (DATA, "R"),
    "clearcoatRoughnessTexture": (DATA, "G"),
    "sheenRoughnessTexture": (DATA, "A"),
    "specularTexture": (DATA, "A"),
    "transmissionTexture": (DATA, "R"),
    "thicknessTexture": (DATA, "G"),
    "iridescenceTexture": (DATA, "R"),
    "iridescenceThicknessTexture": (DATA, "G"),
    "anisotropyTexture": (DATA, "RGB"),
    "diffuseTransmissionTexture": (DATA, "A"),
}


@dataclass(frozen=True, slots=True)
class Bound:
    """How far a coded texture may stray from its source."""

    structure: float  # 1 − SSIM, mean over blocks of 8 × 8 texels and the channels used
    drift: float  # root mean square error of the blocks' means, levels of 255

    def stricter(self, other: "Bound") -> "Bound":
        return Bound(min(self.structure, other.structure), min(self.drift, other.drift))


@dataclass(frozen=True, slots=True)
class TextureOptions:
    """What the search for the smallest faithful texture may try."""

    largest_side_px: int = 2048
    qualities: tuple[int, ...] = (40, 50, 60, 70, 80, 90)
    avif_effort: int = 3
    lossless_side_px: int = 256  # up to this size, lossless WebP is worth a try
    constant_levels: int = 2  # a channel that varies by no more is one value
    worthwhile: float = 0.8  # share of the source's bytes; recoding loses quality, so must save
    bounds: dict[str, Bound] = field(
        default_factory=lambda: {
            COLOUR: Bound(structure=0.05, drift=1.0),
            NORMAL: Bound(structure=0.12, drift=0.75),
            DATA: Bound(structure=0.10, drift=1.5),
        }
    )


@dataclass(slots=True)
class Use:
    """What a model uses an image for."""

    roles: set[str] = field(default_factory=set)
    channels: set[str] = field(default_factory=set)


def compress(bundle: Bundle, options: TextureOptions | None = None) -> Bundle:
    """The same model with small textures; images that nothing shows are dropped.

    Raises:
        UnusableImage: an image cannot be decoded.
    """
    options = options or TextureOptions()
    # Settings of libvips, for the whole process: see the module's head for the first.
    pyvips.concurrency_set(1)
    pyvips.cache_set_max(0)
    uses = uses_of(bundle.document)
    pictures = bundle.document.get("images", [])

    def smallest(index: int) -> bytes:
        data = bundle.files[pictures[index]["uri"]]
        try:
            return code(data, uses[index], options)
        except pyvips.Error as error:
            name = pictures[index].get("name")
            which = f'Image {index} ("{name}")' if name else f"Image {index}"
            raise UnusableImage(f"{which} is damaged and cannot be read.") from error

    with ThreadPoolExecutor(max_workers=min(4, os.cpu_count() or 1)) as pool:
        coded = dict(zip(uses, pool.map(smallest, uses), strict=True))
    return _with_images(bundle, coded)


def _with_images(bundle: Bundle, coded: dict[int, bytes]) -> Bundle:
    """Put new images in place of the old, each content once, named after it."""
    document = copy.deepcopy(bundle.document)
    files: dict[str, bytes] = {}
    entries: list[Plain] = []
    moved_to: dict[int, int] = {}
    place: dict[str, int] = {}
    for index in sorted(coded):
        info = images.sniff(coded[index])
        assert info is not None
        uri = f"{hashlib.sha256(coded[index]).hexdigest()[:16]}.{info.suffix}"
        if uri not in place:
            place[uri] = len(entries)
            files[uri] = coded[index]
            names = {k: v for k, v in document["images"][index].items() if k == "name"}
            entries.append({**names, "uri": uri, "mimeType": info.mime})
        moved_to[index] = place[uri]
    for texture in document.get("textures", []):
        source = texture.pop("source", None)
        if source in moved_to:
            texture["source"] = moved_to[source]
    document["images"] = entries
    return replace(bundle, document=document, files=files)


def uses_of(document: Plain) -> dict[int, Use]:
    """Image index to what it is used for, by the materials that some variant of the model wears."""
    uses: dict[int, Use] = {}
    textures = document.get("textures", [])
    for index in sorted(_worn_materials(document)):
        material = document["materials"][index]
        for slot, texture in _slots(material):
            image = textures[texture["index"]].get("source")
            if image is None:
                continue
            role, channels = SLOTS.get(slot, (DATA, "RGBA"))
            use = uses.setdefault(image, Use())
            use.roles.add(role)
            use.channels.update(channels)
            if slot == "baseColorTexture" and material.get("alphaMode", "OPAQUE") != "OPAQUE":
                use.channels.add("A")
    return dict(sorted(uses.items()))


def _worn_materials(document: Plain) -> set[int]:
    worn: set[int] = set()
    for mesh in document.get("meshes", []):
        for primitive in mesh["primitives"]:
            extension = primitive.get("extensions", {}).get("KHR_materials_variants", {})
            worn.update(mapping["material"] for mapping in extension.get("mappings", []))
            if "material" in primitive:
                worn.add(primitive["material"])
    return worn


def _slots(value: Any) -> Iterator[tuple[str, Plain]]:
    """Every texture of a material and its extensions, with the name of its slot."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key.endswith("Texture") and isinstance(inner, dict) and "index" in inner:
                yield key, inner
            elif key != "extras":
                yield from _slots(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _slots(inner)


def code(data: bytes, use: Use, options: TextureOptions) -> bytes:
    """The smallest form of an image that is good enough for its use; often, the image as it is.

    Raises:
        pyvips.Error: the image cannot be decoded.
    """
    image = _decode(data)
    is_whole = max(image.width, image.height) <= options.largest_side_px
    if not is_whole:
        image = _shrunk(image, options.largest_side_px, has_alpha="A" in use.channels)
    pixels = _relevant(np.asarray(image.numpy()).reshape(image.height, image.width, -1), use)
    spread = pixels.reshape(-1, pixels.shape[2])
    if int((spread.max(axis=0) - spread.min(axis=0)).max()) <= options.constant_levels:
        return _lossless(np.round(spread.mean(axis=0)).astype(np.uint8).reshape(1, 1, -1))
    candidates = []
    if min(image.width, image.height) >= BLOCK:
        candidates.append(_lossy(pixels, use, options))
    if not candidates or max(image.width, image.height) <= options.lossless_side_px:
        candidates.append(_lossless(pixels))
    smallest = min(candidates, key=len)
    return data if is_whole and len(smallest) > options.worthwhile * len(data) else smallest


def _decode(data: bytes) -> pyvips.Image:
    """An image as 8-bit RGB or RGBA, pixels as stored: colour profiles are not for textures.

    The decoder is chosen by the header that preflight has checked, never by guessing, so that
    none of libvips' other loaders can be reached.
    """
    info = images.sniff(data)
    loaders = {
        "image/png": pyvips.Image.pngload_buffer,
        "image/jpeg": pyvips.Image.jpegload_buffer,
        "image/webp": pyvips.Image.webpload_buffer,
        "image/avif": pyvips.Image.heifload_buffer,
    }
    if info is None or info.mime not in loaders:
        raise pyvips.Error("not a format that textures come in")
    image = loaders[info.mime](data, fail_on="error")
    if (image.width, image.height) != (info.width_px, info.height_px):
        raise pyvips.Error("the header lies about the size")
    if image.format == "ushort":
        image = (image >> 8).cast("uchar")
    if image.interpretation == "cmyk" or image.bands < 3:
        image = image.copy(interpretation="b-w" if image.bands < 3 else "cmyk").colourspace("srgb")
    return image.cast("uchar").copy(interpretation="srgb").copy_memory()


def _shrunk(image: pyvips.Image, side_px: int, *, has_alpha: bool) -> pyvips.Image:
    scale = side_px / max(image.width, image.height)
    if image.hasalpha() and has_alpha:
        # What is transparent has no colour that could bleed into its neighbours.
        image = image.premultiply().resize(scale).unpremultiply()
    else:
        image = image.resize(scale)
    return image.rint().cast("uchar").copy(interpretation="srgb").copy_memory()


def _relevant(pixels: Pixels, use: Use) -> Pixels:
    """Only the channels that are read: others repeat one that is, which costs next to nothing."""
    if pixels.shape[2] == 4 and ("A" not in use.channels or pixels[..., 3].min() == 255):
        pixels = pixels[..., :3]
    read = ["RGBA".index(c) for c in sorted(use.channels, key="RGBA".index)]
    read = [channel for channel in read if channel < pixels.shape[2]]
    kept = pixels.copy()
    stand_in = next((channel for channel in read if channel < 3), None)
    for channel in range(3):
        if channel not in read:
            kept[..., channel] = 0 if stand_in is None else pixels[..., stand_in]
    return kept


def _lossless(pixels: Pixels) -> bytes:
    image = _image(pixels)
    return bytes(image.webpsave_buffer(lossless=True, exact=True, effort=6, keep="none"))


def _avif(pixels: Pixels, quality: int, options: TextureOptions) -> bytes:
    return bytes(
        _image(pixels).heifsave_buffer(
            compression="av1",
            Q=quality,
            effort=options.avif_effort,
            bitdepth=8,
            subsample_mode="off",
            keep="none",
        )
    )


def _image(pixels: Pixels) -> pyvips.Image:
    return pyvips.Image.new_from_array(np.ascontiguousarray(pixels)).copy(interpretation="srgb")


def _lossy(pixels: Pixels, use: Use, options: TextureOptions) -> bytes:
    """AVIF at the lowest quality within the bound: searched on a sample, checked on the whole."""
    bound = _bound(use, options)
    sample = _sample(pixels)
    low, high = 0, len(options.qualities) - 1
    while low < high:
        middle = (low + high) // 2
        if _passes(sample, _avif(sample, options.qualities[middle], options), bound):
            high = middle
        else:
            low = middle + 1
    looser = Bound(bound.structure * WHOLE_SLACK, bound.drift * WHOLE_SLACK)
    for quality in options.qualities[low:-1]:
        coded = _avif(pixels, quality, options)
        if sample is pixels or _passes(pixels, coded, looser):
            return coded
    return _avif(pixels, options.qualities[-1], options)


def _bound(use: Use, options: TextureOptions) -> Bound:
    bounds = [options.bounds[role] for role in sorted(use.roles)]
    strictest = bounds[0]
    for bound in bounds[1:]:
        strictest = strictest.stricter(bound)
    return strictest


BLOCK = 8
TILE_PX = 256
TILES_A_SIDE = 2
WHOLE_SLACK = 1.2  # the sample leaves quiet places out, so the whole may look a little worse


def _sample(pixels: Pixels) -> Pixels:
    """A mosaic of four tiles, from quiet to busy, that stands for a large texture.

    The quietest third is left out: it is often the empty space between the parts of an atlas.
    """
    height, width = pixels.shape[:2]
    if height * width <= (TILE_PX * TILES_A_SIDE) ** 2 or min(height, width) < TILE_PX:
        return pixels
    tiles = [
        pixels[y : y + TILE_PX, x : x + TILE_PX]
        for y in range(0, height - TILE_PX + 1, TILE_PX)
        for x in range(0, width - TILE_PX + 1, TILE_PX)
    ]
    tiles.sort(key=lambda tile: float(tile.std()))
    tiles = tiles[len(tiles) // 3 :]
    count = TILES_A_SIDE**2
    chosen = [tiles[round(i * (len(tiles) - 1) / (count - 1))] for i in range(count)]
    rows = [
        np.concatenate(chosen[start : start + TILES_A_SIDE], axis=1)
        for start in range(0, count, TILES_A_SIDE)
    ]
    return np.concatenate(rows, axis=0)


def _passes(source: Pixels, coded: bytes, bound: Bound) -> bool:
    decoded = np.asarray(_decode(coded).numpy()).reshape(*source.shape[:2], -1)
    found = difference(source, decoded[..., : source.shape[2]])
    return found.structure <= bound.structure and found.drift <= bound.drift


def difference(source: Pixels, coded: Pixels) -> Bound:
    """How far two textures are apart, in blocks of 8 × 8 texels.

    Structure is 1 − SSIM (Wang, Bovik, Sheikh, Simoncelli 2004, with their constants for 8 bits)
    without the luminance term, which drift measures in plain levels.
    """
    a, b = _blocks(source), _blocks(coded)
    mean_a, mean_b = a.mean(axis=2), b.mean(axis=2)
    a, b = a - mean_a[:, :, None], b - mean_b[:, :, None]
    contrast = (0.03 * 255) ** 2
    covariance = (a * b).mean(axis=2)
    alike = (2 * covariance + contrast) / ((a * a).mean(axis=2) + (b * b).mean(axis=2) + contrast)
    drift = float(np.sqrt(((mean_a - mean_b) ** 2).mean()))
    return Bound(structure=1 - float(alike.mean()), drift=drift)


def _blocks(pixels: Pixels) -> NDArray[np.float32]:
    """Shape (rows of blocks, blocks, texels of a block, channels); ragged edges are left out."""
    rows, columns = pixels.shape[0] // BLOCK, pixels.shape[1] // BLOCK
    cut = pixels[: rows * BLOCK, : columns * BLOCK]
    blocks = cut.reshape(rows, BLOCK, columns, BLOCK, -1).transpose(0, 2, 1, 3, 4)
    return blocks.reshape(rows, columns, BLOCK * BLOCK, -1).astype(np.float32)
