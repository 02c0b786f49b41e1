"""The collection on the shelves of a real, empty shop."""

from dataclasses import replace

import brotli

from vitrina.catalogue import service as catalogue
from vitrina.catalogue import stock
from vitrina.entrypoints.wiring import Services
from vitrina.kernel.clock import Clock
from vitrina.models3d import service as pipeline
from vitrina.settings import Settings
from vitrina.studio.collection import ITEMS, SHELVES
from vitrina.studio.service import Installed, furnish, install

POSTERS = sum(len({sku.finish for sku in item.skus}) for item in ITEMS)


def test_an_empty_shop_gets_the_whole_collection(services: Services, now: Clock) -> None:
    done = furnish(services.catalogue, services.assets, now=now())

    assert done == Installed(products=len(ITEMS), objects=len(ITEMS) + POSTERS)
    shelves = catalogue.categories(services.catalogue)
    assert [shelf.slug for shelf in shelves] == [shelf.slug for shelf in SHELVES]
    page = catalogue.list_products(services.catalogue, limit=100)
    newest = sorted(ITEMS, key=lambda item: item.published_at, reverse=True)
    assert [product.slug for product in page.items] == [item.slug for item in newest]
    skus = {sku.sku: sku.stock for item in ITEMS for sku in item.skus}
    assert stock.levels(services.db, skus) == skus


def test_what_a_product_names_lies_in_the_bucket_as_the_viewer_wants_it(
    services: Services, now: Clock
) -> None:
    furnish(services.catalogue, services.assets, now=now())

    product = catalogue.get_product(services.catalogue, "morgen-mug")
    assert product.model is not None
    stored = services.assets.get(product.model.levels[0].key)
    assert (stored.content_type, stored.content_encoding) == ("model/gltf-binary", "br")
    assert pipeline.model_key(brotli.decompress(stored.data)) == product.model.levels[0].key
    for poster in product.model.posters:
        picture = services.assets.get(poster.key)
        assert (picture.content_type, len(picture.data)) == ("image/webp", poster.size_bytes)
        assert picture.cache_control == "public, max-age=31536000, immutable"
    assert {variant.material_variant for variant in product.variants} == set(product.model.variants)


def test_the_second_time_nothing_is_done_and_the_merchants_changes_stay(
    services: Services, now: Clock
) -> None:
    furnish(services.catalogue, services.assets, now=now())
    mug = catalogue.find_product(services.catalogue, "morgen-mug")
    changed = catalogue.save_product(services.catalogue, replace(mug, title="Our mug"), now=now())
    catalogue.set_stock(services.catalogue, {"MORGEN-CHALK": 1})

    assert furnish(services.catalogue, services.assets, now=now()) == Installed(0, 0)

    assert catalogue.find_product(services.catalogue, "morgen-mug") == changed
    assert stock.levels(services.db, ["MORGEN-CHALK"]) == {"MORGEN-CHALK": 1}


def test_a_run_that_was_broken_off_is_finished_by_the_next(services: Services, now: Clock) -> None:
    furnish(services.catalogue, services.assets, now=now())
    lost = sorted(services.assets.keys("posters/"))[:3]
    for key in lost:
        services.assets.delete(key)

    assert furnish(services.catalogue, services.assets, now=now()) == Installed(0, len(lost))
    assert set(lost) <= set(services.assets.keys("posters/"))


def test_a_shop_nobody_is_connected_to_yet_is_furnished_from_its_settings(
    settings: Settings, services: Services
) -> None:
    assert install(settings).products == len(ITEMS)

    assert catalogue.get_product(services.catalogue, "tomo-dining-chair").is_published
