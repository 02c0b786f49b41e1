"""One stocked shop for all tests of the whole web process."""

from collections.abc import Iterator

import pytest

from tests.builders import finishes, product
from tests.conftest import new_shop
from tests.serving import Client, serving
from tests.shopping import restock
from vitrina.catalogue.model import Category, Dimensions
from vitrina.catalogue.service import save_category, save_product
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services, build
from vitrina.platform import log
from vitrina.platform.embedded.supervisor import Embedded


@pytest.fixture(scope="package")
def services(platform: Embedded) -> Iterator[Services]:
    """A shop with a few products, among them those that the API document's examples name."""
    with new_shop(platform) as settings:
        shop = build(settings)
        stock_up(shop)
        yield shop
        shop.db.dispose()


def stock_up(shop: Services) -> None:
    for order, slug in enumerate(("chairs", "tables")):
        save_category(shop.catalogue, Category(slug, slug.capitalize(), order, "To live with."))
    chair = product(
        **finishes("oak-chair", {"Oak": "129.50", "Walnut": "149.00"}),
        summary="A chair.",
        description="Of oak.\n\nOr walnut.",
        category="chairs",
        tags=("dining", "oak"),
        dimensions=Dimensions(0.45, 0.8, 0.5),
    )
    tables = [
        product(f"table-{number}", f"{100 + number}.00", category="tables", summary="A table.")
        for number in range(30)
    ]
    for made in (chair, *tables):
        saved = save_product(shop.catalogue, made, now=shop.now())
        for variant in saved.variants:
            restock(shop, variant.stock_key, 1_000_000)


@pytest.fixture(scope="package")
def client(services: Services) -> Iterator[Client]:
    """The whole web process over the stocked shop."""
    log.configure("warning")
    with serving(create_app(services)) as client:
        yield client
