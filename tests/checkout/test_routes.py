"""The checkout over HTTP: a purchase, its repeats, and every refusal by name."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from tests.checkout.conftest import stocked
from tests.conftest import new_shop
from tests.serving import Answer, Client, serving
from tests.shopping import (
    MovableClock,
    all_orders,
    cart_with,
    on_shelf,
    reprice,
    restock,
    skus_in,
    stock_of,
)
from vitrina.catalogue.service import archive
from vitrina.checkout import transitions
from vitrina.checkout.delivery import COUNTRIES
from vitrina.checkout.payments.test_provider import ANSWER_LOST, DECLINED, NEEDS_CONFIRMATION
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services, build
from vitrina.kernel.ids import new_id
from vitrina.platform.embedded.supervisor import Embedded

ORDERS = "/api/v1/checkout/orders"
ADDRESS = {
    "name": "Ada Byron",
    "line1": "Keizersgracht 1",
    "country": "NL",
    "postal_code": "1015 CJ",
    "city": "Amsterdam",
}


@pytest.fixture(scope="module")
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="module")
def shop(platform: Embedded, clock: MovableClock) -> Iterator[Services]:
    """One for all tests here: each has a cart of its own."""
    with new_shop(platform) as settings:
        shop = stocked(replace(build(settings), now=clock))
        restock(shop, "CHAIR", 1_000)
        yield shop
        shop.db.dispose()


@pytest.fixture(scope="module")
def client(shop: Services) -> Iterator[Client]:
    with serving(create_app(shop)) as client:
        yield client


def seen_total(client: Client, cart_id: str, country: str = "NL") -> str:
    answer = client.post(
        "/api/v1/checkout/quote", json.dumps({"country": country}), cookie=f"cart={cart_id}"
    )
    assert answer.status == 200, answer.text
    quoted: str = json.loads(answer.text)["id"]
    return quoted


def body(client: Client, cart_id: str, card: str = "4242 4242 4242 4242", **changes: Any) -> str:
    form = {
        "quote_id": seen_total(client, cart_id),
        "email": "ada@example.com",
        "address": ADDRESS,
        "payment_token": card,
    }
    return json.dumps({**form, **changes})


def order(client: Client, cart_id: str, sent: str, key: str | None = None) -> Answer:
    return client.post(
        ORDERS, sent, cookie=f"cart={cart_id}", idempotency_key=key or f'"{new_id()}"'
    )


def problem(answer: Answer) -> tuple[int, str]:
    assert answer.headers["Content-Type"].startswith("application/problem+json")
    return answer.status, json.loads(answer.text)["code"]


def test_a_purchase_by_the_api(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 2, "MUG": 1})
    before = stock_of(shop, "CHAIR")

    answer = order(client, cart_id, body(client, cart_id))

    assert answer.status == 201
    assert answer.headers["Cache-Control"] == "private, no-store"
    bought = json.loads(answer.text)
    assert bought["state"] == "paid"
    assert bought["total"] == {"amount": 27140, "currency": "EUR", "formatted": "€271.40"}
    assert bought["taxes"][0]["rate_percent"] == 21.0
    assert [line["sku"] for line in bought["lines"]] == ["CHAIR", "MUG"]
    assert 'cart_count=""' in " ".join(answer.headers.get_all("Set-Cookie", []))
    assert skus_in(shop, cart_id) == {}
    assert stock_of(shop, "CHAIR") == before - 2
    found = client.get(f"/api/v1/orders/{bought['number']}?email=ada%40example.com")
    assert json.loads(found.text) == bought


def test_a_quote_shows_what_will_be_asked_and_writes_nothing(
    client: Client, shop: Services
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})

    answer = client.post("/api/v1/checkout/quote", '{"country": "ch"}', cookie=f"cart={cart_id}")

    quoted = json.loads(answer.text)
    assert quoted["country"] == "CH"
    assert quoted["subtotal"]["amount"] + quoted["shipping"]["amount"] == quoted["total"]["amount"]
    assert quoted["taxes"][0]["label"] == "Export, free of VAT"
    assert not [o for o in all_orders(shop) if o.cart_id == cart_id]


def test_every_country_is_listed_with_its_price(client: Client) -> None:
    items = json.loads(client.get("/api/v1/checkout/countries").text)["items"]

    assert [item["name"] for item in items] == sorted(each.name for each in COUNTRIES.values())
    assert {item["shipping"]["amount"] for item in items} == {1200, 3900}


@pytest.mark.parametrize("key", [None, "", '""', '"unclosed', "with space", "ü", "x" * 256])
def test_a_key_that_is_missing_or_none_at_all_is_a_bad_request(
    client: Client, shop: Services, key: str | None
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    headers = {} if key is None else {"idempotency_key": key}

    answer = client.post(ORDERS, body(client, cart_id), cookie=f"cart={cart_id}", **headers)

    assert problem(answer) == (400, "KeyMissing")
    assert skus_in(shop, cart_id) == {"CHAIR": 1}


def test_a_key_means_the_same_with_and_without_its_quotes(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    sent, key = body(client, cart_id), new_id()

    quoted, bare = (order(client, cart_id, sent, each) for each in (f'"{key}"', key))

    assert quoted.status == bare.status == 201
    assert quoted.text == bare.text


def test_the_triple_submit_gives_one_order(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    sent = body(client, cart_id)

    with ThreadPoolExecutor(3) as fingers:
        answers = list(fingers.map(lambda _: order(client, cart_id, sent, "k"), range(3)))

    for answer in answers:
        if answer.status != 201:
            assert problem(answer) == (409, "CheckoutInProgress")
            assert json.loads(answer.text)["retry"] is True
    assert 201 in {answer.status for answer in answers}
    assert len([each for each in all_orders(shop) if each.cart_id == cart_id]) == 1


def test_a_key_used_for_something_else_is_refused(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    sent = body(client, cart_id)
    assert order(client, cart_id, sent, "k").status == 201

    other = json.dumps({**json.loads(sent), "email": "eve@example.com"})
    assert problem(order(client, cart_id, other, "k")) == (422, "KeyReused")


def test_a_lost_answer_is_in_progress_for_a_moment(
    client: Client, shop: Services, clock: MovableClock
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    sent = body(client, cart_id, ANSWER_LOST)
    first = order(client, cart_id, sent, "k")
    assert (first.status, json.loads(first.text)["state"]) == (201, "awaiting_payment")

    assert problem(order(client, cart_id, sent, "k")) == (409, "CheckoutInProgress")
    clock.advance(seconds=transitions.PAYING.total_seconds())
    assert order(client, cart_id, body(client, cart_id), "k").status == 201


def test_a_declined_card_is_a_problem_of_its_own(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})

    assert problem(order(client, cart_id, body(client, cart_id, DECLINED))) == (
        402,
        "PaymentDeclined",
    )
    assert skus_in(shop, cart_id) == {"CHAIR": 1}


def test_an_order_to_confirm_says_where_and_may_be_called_off(
    client: Client, shop: Services
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    answer = json.loads(order(client, cart_id, body(client, cart_id, NEEDS_CONFIRMATION)).text)
    assert answer["state"] == "awaiting_payment"
    assert answer["payment"]["state"] == "needs_confirmation"
    assert answer["payment"]["confirm_url"].startswith("/checkout/confirm/")
    path = f"/api/v1/orders/{answer['number']}/cancel"

    stranger = client.post(path, '{"email": "eve@example.com"}')
    cancelled = client.post(path, '{"email": "ada@example.com"}')

    assert problem(stranger) == (404, "UnknownOrder")
    assert json.loads(cancelled.text)["cancel_reason"] == "by_shopper"


def test_a_paid_order_cannot_be_called_off(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    number = json.loads(order(client, cart_id, body(client, cart_id)).text)["number"]

    answer = client.post(f"/api/v1/orders/{number}/cancel", '{"email": "ada@example.com"}')

    assert problem(answer) == (409, "AlreadyPaid")


@pytest.mark.parametrize("email", ["", "eve@example.com", "%00", "a" * 254])
def test_a_number_alone_opens_nothing(client: Client, shop: Services, email: str) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    number = json.loads(order(client, cart_id, body(client, cart_id)).text)["number"]

    answer = client.get(f"/api/v1/orders/{number}?email={email}")
    unknown = client.get(f"/api/v1/orders/0000-0000-00?email={email}")

    assert answer.status == unknown.status
    assert answer.status in (400, 404)
    assert json.loads(answer.text)["detail"] == json.loads(unknown.text)["detail"]


def test_a_price_that_moved_is_told_before_anything_is_charged(
    client: Client, shop: Services
) -> None:
    cart_id = cart_with(shop, {on_shelf(shop, "stool", "50.00"): 1})
    sent = body(client, cart_id)
    reprice(shop, "stool", "60.00")

    answer = order(client, cart_id, sent)

    assert problem(answer) == (409, "QuoteChanged")
    assert "€72" in json.loads(answer.text)["detail"]


def test_losers_of_a_race_get_a_clean_conflict(client: Client, shop: Services) -> None:
    sku = on_shelf(shop, "vase", "40.00", pieces=2)
    purchases = []
    for _ in range(8):
        cart_id = cart_with(shop, {sku: 1})
        purchases.append((cart_id, body(client, cart_id)))

    with ThreadPoolExecutor(8) as shoppers:
        answers = list(shoppers.map(lambda each: order(client, *each), purchases))

    lost = [problem(answer) for answer in answers if answer.status != 201]
    assert lost == [(409, "SoldOut")] * 6
    assert stock_of(shop, sku) == 0


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"email": "nobody"}, ["email"]),
        ({"email": None}, ["email"]),
        ({"email": "ada@example.com\r\nBcc: eve@example.com"}, ["email"]),
        ({"address": {}}, ["address.name", "address.line1", "address.country"]),
        ({"address": {**ADDRESS, "country": "US"}}, ["address.country"]),
        ({"address": {**ADDRESS, "postal_code": "1"}}, ["address.postal_code"]),
        ({"address": {**ADDRESS, "is_admin": True}}, ["address.is_admin"]),
        ({"address": "Amsterdam"}, ["address"]),
        ({"payment_token": ""}, ["payment_token"]),
        ({"payment_token": {"$ne": ""}}, ["payment_token"]),
        ({"quote_id": 7}, ["quote_id"]),
        ({"total": 1}, ["total"]),
        ({"price": {"amount": 1}}, ["price"]),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_placed(
    client: Client, shop: Services, changes: dict[str, Any], fields: list[str]
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})

    answer = order(client, cart_id, body(client, cart_id, **changes))

    assert problem(answer) == (422, "InvalidRequest")
    named = [each["field"] for each in json.loads(answer.text)["errors"]]
    assert named[: len(fields)] == fields
    assert not [each for each in all_orders(shop) if each.cart_id == cart_id]


def test_a_refusal_never_repeats_the_card_number(client: Client, shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    card = "4000000000000002"

    for changes in ({"email": ""}, {"unknown": card}, {"payment_token": [card]}):
        sent = body(client, cart_id, card, **changes)
        assert card not in order(client, cart_id, sent).text


def test_nothing_is_sold_to_an_empty_cart_or_one_with_gone_goods(
    client: Client, shop: Services
) -> None:
    full = cart_with(shop, {on_shelf(shop, "lantern"): 1})
    sent = body(client, full)

    empty = order(client, new_id(), sent)
    archive(shop.catalogue, "lantern", now=shop.now())
    gone = order(client, full, sent)
    nowhere = client.post("/api/v1/checkout/quote", '{"country": "NL"}')

    assert problem(empty) == (422, "CartIsEmpty")
    assert problem(gone) == (409, "NotSoldAnyMore")
    assert problem(nowhere) == (422, "CartIsEmpty")


def test_numbers_that_are_none_are_simply_unknown(client: Client) -> None:
    for number in ("x", "%F0%9F%8D%B5", "' OR 1=1 --", "0" * 32):
        path = f"/api/v1/orders/{quote(number, safe='%')}?email=ada%40example.com"
        assert problem(client.get(path)) == (404, "UnknownOrder")
