"""Puts the packaged collection on a shop's shelves."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from vitrina.catalogue import exchange
from vitrina.catalogue import service as catalogue_service
from vitrina.catalogue.errors import UnknownCategory, UnknownProduct
from vitrina.catalogue.service import Catalogue
from vitrina.kernel.clock import utc_now
from vitrina.models3d.model import Plain, from_plain
from vitrina.models3d.service import GLB_TYPE, WEBP_TYPE
from vitrina.platform import resources
from vitrina.platform.aws import dynamodb_client, s3_client
from vitrina.platform.dynamo import DynamoTable
from vitrina.platform.objects import IMMUTABLE, ObjectStore
from vitrina.platform.sql import sql_engine
from vitrina.settings import Settings
from vitrina.studio.build import COLLECTION, LIST, model_file, poster_file

# Uploads wait for the network most of the time.
_UPLOADS = 8


@dataclass(frozen=True, slots=True)
class Installed:
    """What was missing, and is there now."""

    products: int
    objects: int


def install(settings: Settings) -> Installed:
    """As ``furnish``, for a shop that nothing is connected to yet."""
    db = sql_engine(settings)
    try:
        catalogue = Catalogue.over(
            DynamoTable(dynamodb_client(settings), settings.named(resources.CATALOGUE.name)),
            db,
            currency=settings.currency,
            max_age_s=0,
        )
        assets = ObjectStore(s3_client(settings), settings.named(resources.ASSETS.name))
        return furnish(catalogue, assets, now=utc_now())
    finally:
        db.dispose()


def furnish(
    catalogue: Catalogue, assets: ObjectStore, *, now: datetime, folder: Path = COLLECTION
) -> Installed:
    """Give a shop those products of the collection that it does not have yet.

    Products that are there stay as the merchant left them, stock and prices included. What a
    run that was broken off has left undone, the next one does: pictures and models go first, then
    stock, then the products that show and sell them.

    Raises:
        ImportRefused: the collection breaks a rule of the catalogue, or uses another currency.
    """
    text = (folder / LIST).read_text(encoding="utf-8")
    lines: list[Plain] = [json.loads(line) for line in text.splitlines()]
    products = [line for line in lines if line["type"] == "product"]
    objects = _publish(assets, folder, products)

    missing = [line for line in products if not _has_product(catalogue, line["slug"])]
    if missing:
        shelves = [line for line in lines if line["type"] == "category"]
        categories = [line for line in shelves if not _has_category(catalogue, line["slug"])]
        levels = {
            variant["sku"]: variant.pop("stock") for line in missing for variant in line["variants"]
        }
        source = "".join(json.dumps(line) + "\n" for line in [*categories, *missing])
        exchange.import_lines(catalogue, io.BytesIO(source.encode()), now=now, dry_run=True)
        catalogue_service.set_stock(catalogue, levels)
        exchange.import_lines(catalogue, io.BytesIO(source.encode()), now=now)
    return Installed(len(missing), objects)


def _has_product(catalogue: Catalogue, slug: str) -> bool:
    try:
        catalogue_service.find_product(catalogue, slug)
    except UnknownProduct:
        return False
    return True


def _has_category(catalogue: Catalogue, slug: str) -> bool:
    try:
        catalogue_service.get_category(catalogue, slug)
    except UnknownCategory:
        return False
    return True


def _publish(assets: ObjectStore, folder: Path, products: Iterable[Plain]) -> int:
    """Upload the models and posters the bucket does not have; says how many."""
    there = {*assets.keys("models/"), *assets.keys("posters/")}
    uploads: dict[str, Callable[[], None]] = {}
    for line in products:
        manifest = from_plain(line["model"])
        for level in manifest.levels:
            uploads[level.key] = _upload(
                assets, level.key, folder / model_file(line["slug"]), GLB_TYPE, "br"
            )
        for poster in manifest.posters:
            picture = folder / poster_file(line["slug"], poster.variant or manifest.variants[0])
            uploads[poster.key] = _upload(assets, poster.key, picture, WEBP_TYPE, None)
    missing = [uploads[key] for key in uploads.keys() - there]
    with ThreadPoolExecutor(_UPLOADS) as pool:
        for done in [pool.submit(upload) for upload in missing]:
            done.result()
    return len(missing)


def _upload(
    assets: ObjectStore, key: str, file: Path, content_type: str, encoding: str | None
) -> Callable[[], None]:
    def put() -> None:
        assets.put(
            key,
            file.read_bytes(),
            content_type=content_type,
            content_encoding=encoding,
            cache_control=IMMUTABLE,
        )

    return put
