"""From geometry to the shop's shelf: models through the real pipeline, posters, one list.

    collection/
        collection.jsonl              what the catalogue imports: categories, then products
        models/<slug>.glb.br          as it lies in the assets bucket: optimised, brotli-coded
        posters/<slug>.<finish>.webp

Models are made in processes of their own in which numpy keeps to the instructions every x86-64
processor has, so that two machines agree on the last bit and with it on every byte.
"""

from __future__ import annotations

import json
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyvips

from vitrina.models3d import pictures
from vitrina.models3d import service as pipeline
from vitrina.models3d.model import Manifest, Plain, to_plain
from vitrina.studio import product
from vitrina.studio.collection import ITEMS, SHELVES, Item

COLLECTION = Path(__file__).with_name("collection")
LIST = "collection.jsonl"
CURRENCY = "EUR"
# What numpy's x86-64 wheels use beyond their baseline where the processor has it.
BEYOND_BASELINE = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR"
# The same picture drawn by another build of Chromium: mean difference of all channels, of 255.
POSTER_TOLERANCE = 1.5

Progress = Callable[["Made"], None]


class UnknownItem(ValueError):
    """A slug that names no product of the collection."""

    def __init__(self, slug: str) -> None:
        known = ", ".join(item.slug for item in ITEMS)
        super().__init__(f"the studio makes no {slug!r}; it makes {known}")


@dataclass(frozen=True, slots=True)
class Made:
    """One product as the pipeline left it, before it is photographed."""

    slug: str
    glb: bytes
    stored: bytes  # the same as it lies in the bucket
    manifest: Manifest  # without posters
    source_bytes: int


@dataclass(frozen=True, slots=True)
class Difference:
    """A file of the collection that a fresh build does not give."""

    file: str
    what: str


def items(only: Sequence[str] = ()) -> list[Item]:
    """The products of these slugs, or all, in the collection's order.

    Raises:
        UnknownItem: there is no such product.
    """
    for slug in only:
        if all(slug != item.slug for item in ITEMS):
            raise UnknownItem(slug)
    return [item for item in ITEMS if not only or item.slug in only]


def build(
    into: Path = COLLECTION, *, only: Sequence[str] = (), progress: Progress = lambda _: None
) -> list[Made]:
    """Model the products, send them through the pipeline, photograph them and write all of it.

    Args:
        into: folder that gets the collection.
        only: slugs to build; of the others the folder keeps what it has.
        progress: told of each product once it is done.

    Raises:
        UnknownItem: a slug names no product.
        ChromiumMissing: posters need a browser. Nothing was written.
    """
    wanted = items(only)
    pictures.find_chromium()
    lines = product_lines(into) if only else {}
    results = []
    with pictures.Photographer() as photographer:
        for made in make(wanted):
            posters = photographer.posters(made.glb, made.manifest.variants)
            for variant in made.manifest.variants:
                _write(into / poster_file(made.slug, variant), posters[variant])
            _write(into / model_file(made.slug), made.stored)
            manifest = with_posters(made.manifest, posters)
            lines[made.slug] = product_line(_item(made.slug), manifest)
            results.append(made)
            progress(made)
    known = [lines[item.slug] for item in ITEMS if item.slug in lines]
    _write(into / LIST, "".join(map(_json, [*category_lines(), *known])).encode())
    return results


def check(
    folder: Path = COLLECTION, *, only: Sequence[str] = (), progress: Progress = lambda _: None
) -> list[Difference]:
    """What in the folder differs from a fresh build; nothing, when it is up to date.

    Models are compared byte for byte, posters as pictures, and only where Chromium is there.

    Raises:
        UnknownItem: a slug names no product.
    """
    differences: list[Difference] = []
    lines = product_lines(folder)
    with _photographer() as photographer:
        for made in make(items(only)):
            differences += _differences(made, folder, lines.get(made.slug), photographer)
            progress(made)
    if not only:
        expected = {LIST, *(model_file(item.slug) for item in ITEMS)}
        expected |= {poster_file(item.slug, sku.finish) for item in ITEMS for sku in item.skus}
        there = {
            path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
        }
        differences += [Difference(name, "belongs to no product") for name in there - expected]
    return sorted(differences, key=lambda difference: difference.file)


def make(wanted: Sequence[Item]) -> Iterator[Made]:
    """Products through the pipeline, as they get done, on all cores."""
    workers = max(1, min(len(wanted), os.cpu_count() or 1))
    with (
        _baseline_instructions(),
        ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool,
    ):
        futures = [pool.submit(make_one, item.slug) for item in wanted]
        for future in as_completed(futures):
            yield future.result()


def make_one(slug: str) -> Made:
    """One product through the pipeline, in this process."""
    source = product.write(_item(slug).make())
    prepared = pipeline.prepare(source)
    return Made(slug, prepared.glb, prepared.stored, prepared.manifest, len(source))


def model_file(slug: str) -> str:
    return f"models/{slug}.glb.br"


def poster_file(slug: str, variant: str) -> str:
    return f"posters/{slug}.{variant}.webp"


def with_posters(manifest: Manifest, posters: Mapping[str, bytes]) -> Manifest:
    """The manifest with a poster per finish; the first finish is the model's own look."""
    shown = {"": manifest.variants[0], **{name: name for name in manifest.variants}}
    return pipeline.with_posters(manifest, {name: posters[of] for name, of in shown.items()})


def category_lines() -> list[Plain]:
    return [
        {
            "type": "category",
            "slug": shelf.slug,
            "title": shelf.title,
            "position": position,
            "blurb": shelf.blurb,
        }
        for position, shelf in enumerate(SHELVES, 1)
    ]


def product_line(item: Item, manifest: Manifest) -> Plain:
    """A product as the catalogue imports it. Its size is that of the geometry, to a millimetre."""
    low, high = manifest.bounds_min_m, manifest.bounds_max_m
    width, height, depth = (round(b - a, 3) for a, b in zip(low, high, strict=True))
    return {
        "type": "product",
        "slug": item.slug,
        "title": item.title,
        "summary": item.summary,
        "description": item.description,
        "category": item.category,
        "tags": list(item.tags),
        "options": [{"name": name, "values": list(values)} for name, values in item.options],
        "variants": [
            {
                "sku": sku.sku,
                "choices": list(sku.choices),
                "price": {"amount": f"{sku.euros}.00", "currency": CURRENCY},
                "material_variant": sku.finish,
                "stock": sku.stock,
            }
            for sku in item.skus
        ],
        "dimensions": {"width_m": width, "height_m": height, "depth_m": depth},
        "model": to_plain(manifest),
        "state": "published",
        "created_at": item.published_at,
        "updated_at": item.published_at,
        "published_at": item.published_at,
    }


def product_lines(folder: Path) -> dict[str, Plain]:
    """The products a folder lists, by slug; none when there is no list."""
    if not (folder / LIST).exists():
        return {}
    lines = map(json.loads, (folder / LIST).read_text(encoding="utf-8").splitlines())
    return {line["slug"]: line for line in lines if line["type"] == "product"}


def _item(slug: str) -> Item:
    return items([slug])[0]


def _differences(
    made: Made,
    folder: Path,
    line: Plain | None,
    photographer: pictures.Photographer | None,
) -> Iterator[Difference]:
    if _read(folder / model_file(made.slug)) != made.stored:
        yield Difference(model_file(made.slug), "other bytes than a fresh build gives")
    names = made.manifest.variants
    there = {name: _read(folder / poster_file(made.slug, name)) for name in names}
    missing = [name for name in names if not there[name]]
    yield from (Difference(poster_file(made.slug, name), "is missing") for name in missing)
    if missing:
        return
    if line != product_line(_item(made.slug), with_posters(made.manifest, there)):
        yield Difference(LIST, f"another line for {made.slug} than a fresh build gives")
    if photographer is None:
        return
    fresh = photographer.posters(made.glb, names)
    for name in names:
        distance = picture_distance(there[name], fresh[name])
        if distance > POSTER_TOLERANCE:
            what = f"shows something else: {distance:.1f} of 255 apart"
            yield Difference(poster_file(made.slug, name), what)


def picture_distance(first: bytes, second: bytes) -> float:
    """Mean difference of two pictures over all their channels, of 255; 255 when sizes differ."""
    one, other = (
        np.asarray(pyvips.Image.new_from_buffer(data, "").numpy(), dtype=np.float64)
        for data in (first, second)
    )
    return float(np.abs(one - other).mean()) if one.shape == other.shape else 255.0


@contextmanager
def _photographer() -> Iterator[pictures.Photographer | None]:
    """One that can take pictures, or none."""
    try:
        pictures.find_chromium()
    except pictures.ChromiumMissing:
        yield None
        return
    with pictures.Photographer() as photographer:
        yield photographer


@contextmanager
def _baseline_instructions() -> Iterator[None]:
    """Processes started in here compute with the same instructions on every machine."""
    name = "NPY_DISABLE_CPU_FEATURES"
    before = os.environ.get(name)
    os.environ[name] = BEYOND_BASELINE
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def _json(line: Plain) -> str:
    return json.dumps(line, ensure_ascii=False) + "\n"


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _write(path: Path, content: bytes) -> None:
    """Replace a file whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(content)
    partial.replace(path)


def stored_size_bytes(folder: Path = COLLECTION) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
