"""Use cases of 3D models: make a merchant's file small, and publish what came of it."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import cos, pi, sin
from typing import TypeAlias

import brotli
import pyvips

from vitrina.models3d import geometry, glb, preflight, scene, textures
from vitrina.models3d.images import sniff
from vitrina.models3d.model import Bundle, Level, Manifest, Poster
from vitrina.platform.objects import IMMUTABLE, ObjectStore

Step: TypeAlias = Callable[[Bundle], Bundle]

# Raised by hand whenever the same file would come out of the steps with other bytes.
PIPELINE = "1"
STEPS: tuple[Step, ...] = (textures.compress, geometry.compress)
# A model is coded once and sent a million times.
BROTLI_QUALITY = 11
GLB_TYPE = "model/gltf-binary"
WEBP_TYPE = "image/webp"


@dataclass(frozen=True, slots=True)
class StepReport:
    """What one step did to the size, and how long it took."""

    step: str
    size_bytes: int  # of the whole model after the step, as GLB
    took_s: float


@dataclass(frozen=True, slots=True)
class Prepared:
    """A model made small, ready to be published.

    Attributes:
        glb: the level "full" as the viewer reads it.
        stored: the same, brotli-coded, as it lies in the bucket and travels.
        manifest: without posters; ``publish`` adds them.
        notes: for the merchant: what was left as it was, and why.
        reports: one per step.
    """

    glb: bytes
    stored: bytes
    manifest: Manifest
    notes: tuple[str, ...]
    reports: tuple[StepReport, ...]


def prepare(source: bytes) -> Prepared:
    """Take a raw GLB through the pipeline. The same file always gives the same bytes.

    Raises:
        ModelRefused: the file is broken, hostile or too large; the message says how to mend it.
    """
    document, binary = preflight.check(source)
    bundle, reports = _run(glb.unpack(document, binary))
    small = glb.pack(bundle)
    stored = brotli.compress(small, quality=BROTLI_QUALITY)
    low, high = scene.bounds_m(document, binary)
    manifest = Manifest(
        source_sha256=hashlib.sha256(source).hexdigest(),
        pipeline=PIPELINE,
        tier=scene.tier(bundle.document),
        levels=(
            Level(
                name="full",
                key=model_key(small),
                size_bytes=len(small),
                stored_bytes=len(stored),
                triangles=scene.triangles(bundle.document),
            ),
        ),
        posters=(),
        variants=scene.variants(bundle.document),
        bounds_min_m=low,
        bounds_max_m=high,
        animations=len(bundle.document.get("animations", [])),
    )
    return Prepared(small, stored, manifest, bundle.notes, reports)


def publish(objects: ObjectStore, prepared: Prepared, posters: Mapping[str, bytes]) -> Manifest:
    """Put a model and its posters where shoppers get them. Safe to repeat.

    Names come from the content, so a file that is there already is the same file.

    Args:
        posters: WebP pictures by variant; "" is the model as it comes.

    Returns:
        The manifest with the posters in it.
    """
    level = prepared.manifest.levels[0]
    if not objects.exists(level.key):
        objects.put(
            level.key,
            prepared.stored,
            content_type=GLB_TYPE,
            content_encoding="br",
            cache_control=IMMUTABLE,
        )
    for picture in posters.values():
        key = poster_key(picture)
        if not objects.exists(key):
            objects.put(key, picture, content_type=WEBP_TYPE, cache_control=IMMUTABLE)
    return with_posters(prepared.manifest, posters)


def with_posters(manifest: Manifest, posters: Mapping[str, bytes]) -> Manifest:
    """The manifest naming these WebP pictures by variant.

    Raises:
        ValueError: one of them is no picture.
    """
    return replace(
        manifest, posters=tuple(_poster(variant, data) for variant, data in posters.items())
    )


def model_key(small: bytes) -> str:
    """Where a published model lies, from its content."""
    return f"models/{_content_name(small)}.glb"


def poster_key(picture: bytes) -> str:
    """Where a published poster lies, from its content."""
    return f"posters/{_content_name(picture)}.webp"


def neutral_poster(manifest: Manifest, *, size_px: int) -> bytes:
    """A drawing of the product's outer box, for as long as nobody could photograph it.

    Returns:
        A square WebP with a transparent ground.
    """
    drawing = pyvips.Image.svgload_buffer(_box(manifest, size_px).encode())
    return bytes(drawing.webpsave_buffer(lossless=True, keep=0))


def _box(manifest: Manifest, size_px: int) -> str:
    """The box of the bounds in an isometric view, as SVG."""
    width, height, depth = (
        max(high - low, 1e-6)
        for low, high in zip(manifest.bounds_min_m, manifest.bounds_max_m, strict=True)
    )

    def seen(x: float, y: float, z: float) -> tuple[float, float]:
        return (x - z) * cos(pi / 6), (x + z) * sin(pi / 6) - y

    corners = {
        (x, y, z): seen(x * width, y * height, z * depth)
        for x in (0, 1)
        for y in (0, 1)
        for z in (0, 1)
    }
    left, right = min(x for x, _ in corners.values()), max(x for x, _ in corners.values())
    top, bottom = min(y for _, y in corners.values()), max(y for _, y in corners.values())
    scale = 0.6 * size_px / max(right - left, bottom - top)

    def path(*names: tuple[int, int, int]) -> str:
        points = (corners[name] for name in names)
        return " ".join(
            f"{size_px / 2 + (x - (left + right) / 2) * scale:.1f},"
            f"{size_px / 2 + (y - (top + bottom) / 2) * scale:.1f}"
            for x, y in points
        )

    faces = {
        "#d9d5cd": path((0, 1, 0), (1, 1, 0), (1, 1, 1), (0, 1, 1)),
        "#c4bfb5": path((0, 1, 1), (1, 1, 1), (1, 0, 1), (0, 0, 1)),
        "#aea89d": path((1, 1, 1), (1, 1, 0), (1, 0, 0), (1, 0, 1)),
    }
    polygons = "".join(
        f'<polygon points="{points}" fill="{fill}" stroke="#8d877c" '
        f'stroke-width="{size_px / 512:.2f}" stroke-linejoin="round"/>'
        for fill, points in faces.items()
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{size_px}" height="{size_px}">'
        f"{polygons}</svg>"
    )


def _run(bundle: Bundle) -> tuple[Bundle, tuple[StepReport, ...]]:
    reports = []
    for step in STEPS:
        began = time.perf_counter()
        bundle = step(bundle)
        took_s = time.perf_counter() - began
        name = step.__module__.rpartition(".")[2]
        reports.append(StepReport(name, len(glb.pack(bundle)), took_s))
    return bundle, tuple(reports)


def _poster(variant: str, data: bytes) -> Poster:
    picture = sniff(data)
    if picture is None:
        raise ValueError(f"the poster of {variant or 'the model'!r} is no picture")
    return Poster(variant, poster_key(data), picture.width_px, picture.height_px, len(data))


def _content_name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
