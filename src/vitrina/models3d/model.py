"""What the shop knows about a 3D model: the bundle it is worked on as, the manifest it leaves."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from math import isfinite
from typing import Any, Literal, TypeAlias

Plain: TypeAlias = dict[str, Any]
Vector: TypeAlias = tuple[float, float, float]
Tier: TypeAlias = Literal["core", "full"]

MANIFEST_VERSION = 1
TIERS: tuple[Tier, ...] = ("core", "full")


@dataclass(frozen=True, slots=True)
class Bundle:
    """A model on its way through the pipeline.

    Images are files by name and ``document["images"]`` refers to them by ``uri``, so a step
    replaces one without moving the rest of the buffer. Steps never change what they were given:
    they copy what they change.
    """

    document: Plain  # the glTF JSON
    binary: bytes  # buffer 0: geometry and animation
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # for the merchant: what was left out, and why


@dataclass(frozen=True, slots=True)
class Level:
    """One level of detail as published."""

    name: str  # "full"
    key: str  # in the assets bucket
    size_bytes: int  # what the viewer gets after decoding
    stored_bytes: int  # what lies in the bucket and travels: brotli-coded
    triangles: int


@dataclass(frozen=True, slots=True)
class Poster:
    """A still picture of one variant; ``variant`` is "" for the model as it comes."""

    variant: str
    key: str
    width_px: int
    height_px: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything a page and the viewer need to show a published model."""

    source_sha256: str  # of the file handed in, hexadecimal
    pipeline: str  # version of the code and settings that made the levels
    tier: Tier  # "core": the small renderer can draw it; "full": needs three.js
    levels: tuple[Level, ...]
    posters: tuple[Poster, ...]
    variants: tuple[str, ...]  # names of KHR_materials_variants, in the file's order
    bounds_min_m: Vector
    bounds_max_m: Vector
    animations: int
    version: int = MANIFEST_VERSION


def to_plain(manifest: Manifest) -> Plain:
    """The manifest as plain JSON values, for the catalogue to keep."""
    return {
        "version": manifest.version,
        "source_sha256": manifest.source_sha256,
        "pipeline": manifest.pipeline,
        "tier": manifest.tier,
        "levels": [
            {
                "name": level.name,
                "key": level.key,
                "size_bytes": level.size_bytes,
                "stored_bytes": level.stored_bytes,
                "triangles": level.triangles,
            }
            for level in manifest.levels
        ],
        "posters": [
            {
                "variant": poster.variant,
                "key": poster.key,
                "width_px": poster.width_px,
                "height_px": poster.height_px,
                "size_bytes": poster.size_bytes,
            }
            for poster in manifest.posters
        ],
        "variants": list(manifest.variants),
        "bounds_min_m": list(manifest.bounds_min_m),
        "bounds_max_m": list(manifest.bounds_max_m),
        "animations": manifest.animations,
    }


def from_plain(plain: object) -> Manifest:
    """Read what ``to_plain`` wrote; numbers may have become ``Decimal`` in between.

    Raises:
        ValueError: something is missing or of the wrong kind; the message says where.
    """
    read = _Reader(plain, "manifest")
    if read.whole("version") != MANIFEST_VERSION:
        raise ValueError(f"manifest.version: this code reads {MANIFEST_VERSION}")
    tier = read.text("tier")
    if tier not in TIERS:
        raise ValueError(f"manifest.tier: expected one of {TIERS}, found {tier!r}")
    levels = tuple(
        Level(
            name=level.text("name"),
            key=level.text("key"),
            size_bytes=level.whole("size_bytes"),
            stored_bytes=level.whole("stored_bytes"),
            triangles=level.whole("triangles"),
        )
        for level in read.objects("levels")
    )
    if not levels:
        raise ValueError("manifest.levels: a model without any level cannot be shown")
    return Manifest(
        source_sha256=read.text("source_sha256"),
        pipeline=read.text("pipeline"),
        tier="core" if tier == "core" else "full",
        levels=levels,
        posters=tuple(
            Poster(
                variant=poster.text("variant"),
                key=poster.text("key"),
                width_px=poster.whole("width_px"),
                height_px=poster.whole("height_px"),
                size_bytes=poster.whole("size_bytes"),
            )
            for poster in read.objects("posters")
        ),
        variants=read.texts("variants"),
        bounds_min_m=read.vector("bounds_min_m"),
        bounds_max_m=read.vector("bounds_max_m"),
        animations=read.whole("animations"),
    )


def viewer_json(manifest: Manifest, asset_url: Callable[[str], str]) -> Plain:
    """What ``<product-3d>`` reads. ``asset_url`` turns an object key into an address."""
    return {
        "version": manifest.version,
        "tier": manifest.tier,
        "levels": [
            {
                "name": level.name,
                "url": asset_url(level.key),
                # Decoded, because that is what a browser's stream counts while it loads.
                "bytes": level.size_bytes,
                "triangles": level.triangles,
            }
            for level in manifest.levels
        ],
        "variants": list(manifest.variants),
        "posters": {poster.variant: asset_url(poster.key) for poster in manifest.posters},
        "bounds": {"min": list(manifest.bounds_min_m), "max": list(manifest.bounds_max_m)},
    }


class _Reader:
    """Takes a plain object apart, and says where it is not what it should be."""

    def __init__(self, value: object, where: str) -> None:
        if not isinstance(value, dict):
            raise ValueError(f"{where}: expected an object, found {_kind(value)}")
        self._value = value
        self._where = where

    def _get(self, name: str) -> object:
        if name not in self._value:
            raise ValueError(f"{self._where}.{name}: missing")
        return self._value[name]

    def _list(self, name: str) -> list[object]:
        value = self._get(name)
        if not isinstance(value, list | tuple):
            raise ValueError(f"{self._where}.{name}: expected a list, found {_kind(value)}")
        return list(value)

    def text(self, name: str) -> str:
        value = self._get(name)
        if not isinstance(value, str):
            raise ValueError(f"{self._where}.{name}: expected a text, found {_kind(value)}")
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._list(name)
        if not all(isinstance(value, str) for value in values):
            raise ValueError(f"{self._where}.{name}: expected a list of texts")
        return tuple(str(value) for value in values)

    def whole(self, name: str) -> int:
        value = _number(self._get(name))
        if value is None or value < 0 or value != int(value):
            raise ValueError(f"{self._where}.{name}: expected a whole number of 0 or more")
        return int(value)

    def vector(self, name: str) -> Vector:
        numbers = [_number(value) for value in self._list(name)]
        match numbers:
            case [float(x), float(y), float(z)]:
                return (x, y, z)
        raise ValueError(f"{self._where}.{name}: expected three numbers")

    def objects(self, name: str) -> list["_Reader"]:
        return [
            _Reader(value, f"{self._where}.{name}[{index}]")
            for index, value in enumerate(self._list(name))
        ]


def _number(value: object) -> float | None:
    """A finite number as float, None for everything else. Truth values are not numbers here."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    return float(value) if isfinite(value) else None


def _kind(value: object) -> str:
    return "nothing" if value is None else type(value).__name__
