"""Use cases of 3D models: make a merchant's file small, and publish what came of it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

import brotli

from vitrina.models3d import glb, preflight, scene
from vitrina.models3d.images import sniff
from vitrina.models3d.model import Level, Manifest, Poster
from vitrina.models3d.neutral import neutral_poster as neutral_poster
from vitrina.models3d.pipeline import PIPELINE, STEPS, StepReport, run
from vitrina.platform.objects import IMMUTABLE, ObjectStore

# A model is coded once and sent a million times.
BROTLI_QUALITY = 11
GLB_TYPE = "model/gltf-binary"
WEBP_TYPE = "image/webp"


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
    bundle, reports = run(STEPS, glb.unpack(document, binary))
    small = glb.pack(bundle)
    if len(small) >= len(source):
        # Somebody did our work before us, or the model is a handful of triangles.
        small, bundle = source, glb.unpack(document, binary)
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

    Raises:
        ValueError: a poster is no picture; nothing was written.
    """
    manifest = with_posters(prepared.manifest, posters)
    level = manifest.levels[0]
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
    return manifest


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


def _poster(variant: str, data: bytes) -> Poster:
    picture = sniff(data)
    if picture is None:
        raise ValueError(f"the poster of {variant or 'the model'!r} is no picture")
    return Poster(variant, poster_key(data), picture.width_px, picture.height_px, len(data))


def _content_name(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]
