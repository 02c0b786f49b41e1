"""The catalogue over HTTP, as the whole web process serves it."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode, urljoin

import pytest

from tests.builders import NOON, finishes, product
from tests.conftest import new_shop
from tests.serving import Client, serving
from vitrina.catalogue import service
from vitrina.catalogue.model import Category, Dimensions, PublicationState, asset_url
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import build
from vitrina.models3d.model import Level, Manifest, Poster, viewer_json
from vitrina.platform.embedded.supervisor import Embedded

MODEL = Manifest(
    source_sha256="0" * 64,
    pipeline="1",
    tier="core",
    levels=(Level("full", "models/abc.glb", 100, 90, 12),),
    posters=(
        Poster("", "posters/default.webp", 1024, 1024, 9000),
        Poster("ash", "posters/ash.webp", 1024, 1024, 9000),
    ),
    variants=("oak", "ash"),
    bounds_min_m=(-0.25, 0.0, -0.25),
    bounds_max_m=(0.25, 0.75, 0.25),
    animations=0,
)


@pytest.fixture(scope="module")
def client(platform: Embedded) -> Iterator[Client]:
    """A shop with a chair, a lamp, a renamed stool and a draft."""
    with new_shop(platform) as settings:
        services = build(settings.model_copy(update={"page_max_age_s": 0.0}))
        catalogue = services.catalogue
        service.save_category(catalogue, Category("chairs", "Chairs", 1, "To sit down."))
        service.save_category(catalogue, Category("lamps", "Lamps", 2))
        chair = product(
            **finishes("chair", {"Oak": "129.50", "Ash": "99"}),
            category="chairs",
            tags=("wood",),
            summary="A chair.",
            description="One.\n\nTwo.",
            dimensions=Dimensions(0.5, 0.75, 0.5),
            model=MODEL,
        )
        stool = service.save_product(catalogue, product("stool", category="chairs"), now=NOON)
        service.save_product(catalogue, replace(stool, slug="bar-stool"), now=NOON)
        service.save_product(catalogue, chair, now=NOON)
        service.save_product(catalogue, product("lamp", "40", category="lamps"), now=NOON)
        service.save_product(catalogue, product("draft", state=PublicationState.DRAFT), now=NOON)
        service.set_stock(catalogue, {"CHAIR-OAK": 2, "LAMP": 50})
        with serving(create_app(services)) as client:
            yield client


def get(client: Client, path: str, **query: Any) -> Any:
    answer = client.get(f"/api/v1{path}?{urlencode(query, doseq=True)}")
    assert answer.status == 200, answer.text
    return json.loads(answer.body)


def refused(client: Client, path: str, **query: Any) -> tuple[int, str]:
    answer = client.get(f"/api/v1{path}?{urlencode(query, doseq=True)}")
    assert answer.headers["Content-Type"] == "application/problem+json"
    return answer.status, json.loads(answer.body)["code"]


def slugs(answer: Any) -> list[str]:
    return [item["slug"] for item in answer["items"]]


def test_a_product_shows_its_variants_prices_availability_and_model(client: Client) -> None:
    shown = get(client, "/products/chair")

    ash_poster = {"url": "/assets/posters/ash.webp", "width": 1024, "height": 1024}
    assert shown == {
        "slug": "chair",
        "title": "Chair",
        "summary": "A chair.",
        "description": "One.\n\nTwo.",
        "category": "chairs",
        "tags": ["wood"],
        "options": [{"name": "Finish", "values": ["Oak", "Ash"]}],
        "variants": [
            {
                "sku": "CHAIR-OAK",
                "choices": {"Finish": "Oak"},
                "price": {"amount": 12950, "currency": "EUR", "formatted": "€129.50"},
                "availability": "few_left",
                "material_variant": "oak",
                "poster": {**ash_poster, "url": "/assets/posters/default.webp"},
            },
            {
                "sku": "CHAIR-ASH",
                "choices": {"Finish": "Ash"},
                "price": {"amount": 9900, "currency": "EUR", "formatted": "€99"},
                "availability": "sold_out",
                "material_variant": "ash",
                "poster": ash_poster,
            },
        ],
        "dimensions": {"width": 0.5, "height": 0.75, "depth": 0.5},
        "model": viewer_json(MODEL, asset_url),
        "updated_at": "2026-05-04T12:00:00Z",
    }


def test_a_listing_shows_cards_and_goes_on_by_cursor(client: Client) -> None:
    first = get(client, "/products", order="price", limit=2)
    second = get(client, "/products", order="price", limit=2, cursor=first["next_cursor"])

    assert [slugs(first), slugs(second)] == [["lamp", "chair"], ["bar-stool"]]
    assert second["next_cursor"] is None
    card = first["items"][1]
    assert [card["price_from"]["formatted"], card["price_to"]["formatted"]] == ["€99", "€129.50"]
    assert card["poster"]["url"] == "/assets/posters/default.webp"
    assert [item["availability"] for item in first["items"]] == ["in_stock", "few_left"]
    assert slugs(get(client, "/products", category="lamps")) == ["lamp"]


def test_a_search_narrows_by_facets_and_forgives_typos(client: Client) -> None:
    found = get(
        client, "/search", q="chiar", category="chairs", tag="wood", option="Finish:Oak",
        price_min=12950, price_max=12950,
    )  # fmt: skip

    assert (slugs(found), found["total"], found["corrected"]) == (["chair"], 1, "chair")
    assert found["facets"]["options"] == {
        "Finish": [{"value": "Ash", "count": 1}, {"value": "Oak", "count": 1}]
    }
    assert slugs(get(client, "/search", q="chair", price_max=1)) == []
    assert get(client, "/search")["total"] == 3


def test_categories_come_with_their_counts(client: Client) -> None:
    shelves = get(client, "/categories")["items"]

    assert [(shelf["slug"], shelf["count"], shelf["blurb"]) for shelf in shelves] == [
        ("chairs", 2, "To sit down."),
        ("lamps", 1, ""),
    ]
    assert shelves[0]["poster"]["url"] == "/assets/posters/default.webp"


def test_a_former_address_redirects_for_good(client: Client) -> None:
    former = "/api/v1/products/stool"
    answer = client.get(former)

    present = urljoin(former, answer.headers["Location"])
    assert (answer.status, present) == (308, "/api/v1/products/bar-stool")
    assert json.loads(client.get(present).body)["slug"] == "bar-stool"


def test_answers_may_be_kept_for_everybody(client: Client) -> None:
    for path in ("products", "products/chair", "search?q=chair", "categories"):
        caching = client.get(f"/api/v1/{path}").headers["Cache-Control"]
        assert "public" in caching and "s-maxage=5" in caching


@pytest.mark.parametrize(
    ("path", "query", "answer"),
    [
        ("/products/nothing", {}, (404, "UnknownProduct")),
        ("/products/draft", {}, (404, "UnknownProduct")),
        (f"/products/{'x' * 3000}", {}, (404, "UnknownProduct")),
        (f"/products/{quote('☃ %00')}", {}, (404, "UnknownProduct")),
        ("/products", {"category": "sofas"}, (404, "UnknownCategory")),
        ("/products", {"cursor": "broken"}, (422, "BadCursor")),
        ("/products", {"cursor": "x" * 401}, (422, "InvalidRequest")),
        ("/products", {"order": "size"}, (422, "InvalidRequest")),
        ("/products", {"limit": 0}, (422, "InvalidRequest")),
        ("/products", {"limit": 101}, (422, "InvalidRequest")),
        ("/products", {"limit": "many"}, (422, "InvalidRequest")),
        ("/search", {"cursor": "AAAA"}, (422, "BadCursor")),
        ("/search", {"q": "x" * 201}, (422, "InvalidRequest")),
        ("/search", {"option": "Finish"}, (422, "InvalidRequest")),
        ("/search", {"tag": ["t"] * 25}, (422, "InvalidRequest")),
        ("/search", {"price_min": -1}, (422, "InvalidRequest")),
        ("/search", {"price_max": 10**30}, (422, "InvalidRequest")),
    ],
)
def test_bad_requests_get_a_clear_problem(
    client: Client, path: str, query: dict[str, Any], answer: tuple[int, str]
) -> None:
    assert refused(client, path, **query) == answer


def test_the_api_document_shows_an_example_of_every_answer(client: Client) -> None:
    document = json.loads(client.get("/api/v1/openapi.json").body)
    schemas = document["components"]["schemas"]

    for path in ("/products", "/products/{slug}", "/search", "/categories"):
        operation = document["paths"][f"/api/v1{path}"]["get"]
        reference = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
        assert schemas[reference.rpartition("/")[2]]["examples"]
        assert operation["summary"] and operation["description"]
        assert "503" in operation["responses"]
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), parameter["name"]
