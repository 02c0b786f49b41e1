"""The cart over HTTP: cookies in, cookies out, and what is refused."""

import json
from collections.abc import Iterator
from dataclasses import replace
from http.cookies import SimpleCookie
from typing import Any

import pytest

from tests.cart.conftest import stocked
from tests.conftest import new_shop
from tests.serving import Answer, Client, serving
from tests.shopping import MovableClock, cart_with, on_shelf, reprice, restock, skus_in
from vitrina.cart.model import MAX_QUANTITY
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services, build
from vitrina.kernel.ids import is_id
from vitrina.platform.embedded.supervisor import Embedded

CART = "/api/v1/cart"
ITEMS = f"{CART}/items"


@pytest.fixture(scope="module")
def shop(platform: Embedded) -> Iterator[Services]:
    """One for all tests here: each has a cart of its own."""
    with new_shop(platform) as settings:
        built = build(settings)
        yield stocked(replace(built, now=MovableClock()))
        built.db.dispose()


@pytest.fixture(scope="module")
def client(shop: Services) -> Iterator[Client]:
    with serving(create_app(shop)) as client:
        yield client


def cookies_of(answer: Answer) -> SimpleCookie:
    return SimpleCookie("\r\n".join(answer.headers.get_all("Set-Cookie", [])))


def add(client: Client, sku: str, quantity: Any = 1, **headers: str) -> Answer:
    return client.post(ITEMS, json.dumps({"sku": sku, "quantity": quantity}), **headers)


def test_the_first_addition_sets_the_cookies_and_the_next_visit_finds_the_cart(
    client: Client,
) -> None:
    answer = add(client, "CHAIR", 2)

    assert answer.status == 201
    cookies = cookies_of(answer)
    assert is_id(cookies["cart"].value)
    assert cookies["cart"]["httponly"]
    assert cookies["cart"]["samesite"] == "lax"
    assert cookies["cart"]["path"] == "/"
    assert int(cookies["cart"]["max-age"]) == 30 * 24 * 3600
    assert cookies["cart_count"].value == "2"
    assert not cookies["cart_count"]["httponly"]
    found = client.get(CART, cookie=f"cart={cookies['cart'].value}")
    assert found.headers["Cache-Control"] == "private, no-store"
    assert json.loads(found.text) == json.loads(answer.text)
    assert json.loads(found.text)["subtotal"]["amount"] == 25900


def test_looking_sets_no_cookie_and_stores_nothing(client: Client) -> None:
    answer = client.get(CART)

    assert json.loads(answer.text) == {
        "lines": [],
        "gone": [],
        "units": 0,
        "subtotal": {"amount": 0, "currency": "EUR", "formatted": "€0"},
    }
    assert answer.headers.get_all("Set-Cookie") is None


@pytest.mark.parametrize(
    "tampered",
    [
        "cart=",
        "cart=x",
        "cart=../../etc/passwd",
        "cart=%00%00%00%00%00%00%00%00%00%00%00",
        "cart=AAAAAAAAAAAAAAAAAAAAAA; cart=",
        f"cart={'A' * 4000}",
        "cart=<script>alert(1)</scri",
        "=; ;;;cart",
    ],
)
def test_a_tampered_cookie_is_no_cart(client: Client, tampered: str) -> None:
    assert json.loads(client.get(CART, cookie=tampered).text)["units"] == 0
    answer = add(client, "CHAIR", cookie=tampered)

    assert answer.status == 201
    assert is_id(cookies_of(answer)["cart"].value)


def test_with_https_the_cookies_are_secure_and_bound_to_the_host(shop: Services) -> None:
    settings = shop.settings.model_copy(update={"public_url": "https://shop.example"})
    with serving(create_app(replace(shop, settings=settings))) as client:
        answer = add(client, "CHAIR", host="shop.example")

    assert answer.status == 201
    cookies = cookies_of(answer)
    assert "cart" not in cookies
    assert cookies["__Host-cart"]["secure"]
    assert cookies["cart_count"]["secure"]


def test_quantities_are_set_and_lines_leave(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1, "MUG": 1})
    cookie = f"cart={cart_id}"

    changed = client.ask(
        "PATCH", f"{ITEMS}/CHAIR", '{"quantity": 4}', cookie=cookie, content_type="application/json"
    )
    removed = client.ask("DELETE", f"{ITEMS}/MUG", cookie=cookie)
    again = client.ask("DELETE", f"{ITEMS}/MUG", cookie=cookie)

    assert (changed.status, removed.status, again.status) == (200, 200, 200)
    assert cookies_of(changed)["cart_count"].value == "5"
    assert skus_in(shop, cart_id) == {"CHAIR": 4}


def test_a_line_says_what_changed_and_what_is_left(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {on_shelf(shop, "stool", "129.50"): 1, on_shelf(shop, "vase"): 1})
    reprice(shop, "stool", "100.00")
    restock(shop, "VASE", 0)

    stool, vase = json.loads(client.get(CART, cookie=f"cart={cart_id}").text)["lines"]

    assert stool["unit_price"]["amount"] == 10000
    assert stool["price_before"]["amount"] == 12950
    assert stool["slug"] == "stool"
    assert vase["price_before"] is None
    assert vase["availability"] == "sold_out"


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ('{"sku": "CHAIR", "quantity": 0}', 422, "InvalidRequest"),
        ('{"sku": "CHAIR", "quantity": -3}', 422, "InvalidRequest"),
        ('{"sku": "CHAIR", "quantity": 100}', 422, "InvalidRequest"),
        ('{"sku": "CHAIR", "quantity": "many"}', 422, "InvalidRequest"),
        ('{"sku": "CHAIR", "quantity": 1.5}', 422, "InvalidRequest"),
        ('{"sku": "CHAIR", "quantity": 1e99}', 422, "InvalidRequest"),
        ('{"sku": ["CHAIR"], "quantity": 1}', 422, "InvalidRequest"),
        ('{"sku": "CHAIR", "quantity": 1, "price": 1}', 422, "InvalidRequest"),
        ('{"quantity": 1}', 422, "InvalidRequest"),
        ("[]", 422, "InvalidRequest"),
        ('{"sku": "NOTHING", "quantity": 1}', 404, "UnknownSku"),
        ('{"sku": "CHAIR" "quantity": 1}', 400, "MalformedBody"),
    ],
)
def test_a_bad_addition_is_refused_by_name_and_stores_nothing(
    client: Client, shop: Services, body: str, status: int, code: str
) -> None:
    cart_id = cart_with(shop, {"MUG": 1})

    answer = client.post(ITEMS, body, cookie=f"cart={cart_id}")

    assert answer.status == status
    assert json.loads(answer.text)["code"] == code
    assert skus_in(shop, cart_id) == {"MUG": 1}


def test_more_than_a_line_may_hold_is_refused_little_by_little_too(
    client: Client, shop: Services
) -> None:
    cart_id = cart_with(shop, {"MUG": MAX_QUANTITY})

    answer = add(client, "MUG", cookie=f"cart={cart_id}")

    assert answer.status == 422
    assert json.loads(answer.text)["code"] == "TooMany"
    assert skus_in(shop, cart_id) == {"MUG": MAX_QUANTITY}
