"""A shop with a small collection, behind a real socket, and somebody who walks through it."""

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.builders import finishes, product
from tests.conftest import new_shop
from tests.serving import Answer, Client, serving
from tests.storefront.visitor import Visitor
from vitrina.catalogue.model import Category, Dimensions, Product
from vitrina.catalogue.service import save_category, save_product, set_stock
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services, build
from vitrina.models3d.model import Level, Manifest, Poster
from vitrina.platform.embedded.supervisor import Embedded

CATEGORIES = (
    Category("chairs", "Chairs & benches", 0, "To sit at, in and on."),
    Category("lamps", "Lamps", 1),
    Category("empty", "Empty shelf", 2),
)
_PATIENCE = 50


def look_of(name: str, *variants: str) -> Manifest:
    """A published model with a poster for each finish."""
    return Manifest(
        source_sha256=name,
        pipeline="1",
        tier="full",
        levels=(Level("full", f"models/{name}.glb", 2000, 1000, 12),),
        posters=tuple(
            Poster(variant, f"posters/{name}{variant}.webp", 1024, 1024, 5000)
            for variant in ("", *variants)
        ),
        variants=variants,
        bounds_min_m=(0.0, 0.0, 0.0),
        bounds_max_m=(0.5, 0.8, 0.5),
        animations=0,
    )


def chair() -> Product:
    """Two finishes at two prices."""
    return replace(
        product(),
        **finishes("tomo-chair", {"Oak": "495", "Walnut": "595"}),
        title="Tomo chair",
        summary="A turned frame and a wound seat.",
        description="First paragraph.\n\nSecond paragraph.",
        category="chairs",
        tags=("dining", "solid wood"),
        dimensions=Dimensions(0.48, 0.80, 0.52),
        model=look_of("tomo", "oak", "walnut"),
    )


def lamp() -> Product:
    return replace(
        product("maane-lamp", "320"),
        title="Måne lamp",
        category="lamps",
        dimensions=Dimensions(0.2, 0.31, 0.2),
        model=look_of("maane"),
    )


@pytest.fixture(scope="package")
def shop(platform: Embedded) -> Iterator[Services]:
    """One shop for all tests that only look. Nothing is remembered between two requests."""
    with new_shop(platform) as settings:
        fresh = settings.model_copy(update={"page_max_age_s": 0.0, "catalogue_max_age_s": 0.0})
        built = build(fresh)
        furnish(built)
        yield built
        built.db.dispose()


def furnish(shop: Services) -> None:
    """Put the collection on the shelves."""
    for category in CATEGORIES:
        save_category(shop.catalogue, category)
    for each in (chair(), lamp()):
        save_product(shop.catalogue, each, now=shop.now())
    set_stock(shop.catalogue, {"TOMO-CHAIR-OAK": 9, "TOMO-CHAIR-WALNUT": 2, "MAANE-LAMP": 5})


class Patient(Client):
    """Tries again when asked to: on a busy machine the shop sheds load, as it should."""

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> Answer:
        answer = Client.ask(self, method, path, body, **headers)
        for _ in range(_PATIENCE):
            if answer.status != 503 or b"Very many people" not in answer.body:
                break
            time.sleep(0.2)
            answer = Client.ask(self, method, path, body, **headers)
        return answer


@pytest.fixture(scope="package")
def client(shop: Services) -> Iterator[Client]:
    with serving(create_app(shop)) as client:
        yield Patient(client.port)


@pytest.fixture
def visitor(client: Client) -> Visitor:
    """Somebody who comes for the first time."""
    return Visitor(client)


@pytest.fixture
def own_shop(services: Services) -> Services:
    """A shop of the test's own, to change and to buy in."""
    furnish(services)
    return services


@pytest.fixture
def shopper(own_shop: Services) -> Iterator[Visitor]:
    """Somebody in a shop of their own."""
    with serving(create_app(own_shop)) as client:
        yield Visitor(Patient(client.port))
