"""Requests that come again: with the same key or another, at once or much later."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from tests.checkout.conftest import STOCKS
from tests.shopping import (
    cart_with,
    check_books,
    details,
    history_of,
    reprice,
    skus_in,
)
from vitrina.cart import service as cart_service
from vitrina.checkout import service
from vitrina.checkout.errors import (
    AlreadyOrdered,
    CartIsEmpty,
    CheckoutInProgress,
    KeyReused,
    PaymentDeclined,
)
from vitrina.checkout.payments.test_provider import (
    DECLINED,
    NEEDS_CONFIRMATION,
)
from vitrina.entrypoints.wiring import Services


def test_the_same_key_twice_gives_one_order_also_when_the_cart_is_long_empty(
    shop: Services,
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)
    first = service.checkout(shop, cart_id, given, key="k")
    reprice(shop, "chair", "1.00")

    assert service.checkout(shop, cart_id, given, key="k") == first
    assert len(check_books(shop, STOCKS)) == 1


def test_a_repeat_leaves_what_was_put_into_the_cart_since(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)
    service.checkout(shop, cart_id, given, key="k")
    cart_service.add_item(shop.carts, shop.catalogue, cart_id, "CHAIR", 1, now=shop.now())

    service.checkout(shop, cart_id, given, key="k")

    assert skus_in(shop, cart_id) == {"CHAIR": 1}


def test_a_key_with_other_content_is_refused(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)
    service.checkout(shop, cart_id, given, key="k")

    with pytest.raises(KeyReused):
        service.checkout(shop, cart_id, replace(given, email="eve@example.com"), key="k")
    assert len(check_books(shop, STOCKS)) == 1


def test_two_shoppers_may_choose_the_same_key(shop: Services) -> None:
    carts = [cart_with(shop, {"CHAIR": 1}), cart_with(shop, {"CHAIR": 1})]

    orders = [service.checkout(shop, each, details(shop, each), key="k") for each in carts]

    assert orders[0].number != orders[1].number
    check_books(shop, STOCKS)


def test_a_declined_key_stays_declined_and_is_not_charged_with_another_card(
    shop: Services,
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    with pytest.raises(PaymentDeclined):
        service.checkout(shop, cart_id, details(shop, cart_id, DECLINED), key="k")

    with pytest.raises(PaymentDeclined):
        service.checkout(shop, cart_id, details(shop, cart_id), key="k")
    assert len(check_books(shop, STOCKS)) == 1


def test_sixteen_requests_with_one_key_at_once_give_one_order_and_one_charge(
    shop: Services,
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)

    def submit(_: int) -> str:
        try:
            return service.checkout(shop, cart_id, given, key="k").number
        except CheckoutInProgress:
            return "in progress"

    with ThreadPoolExecutor(16) as tabs:
        answers = Counter(tabs.map(submit, range(16)))

    (order,) = check_books(shop, STOCKS)
    assert set(answers) <= {order.number, "in progress"}
    assert answers[order.number] >= 1
    assert history_of(shop, order) == ["placed", "paid"]


def test_one_cart_bought_in_two_tabs_with_two_keys_is_bought_once(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)

    def submit(key: str) -> str:
        try:
            return service.checkout(shop, cart_id, given, key=key).state
        except (AlreadyOrdered, CartIsEmpty) as error:
            return type(error).__name__

    with ThreadPoolExecutor(8) as tabs:
        answers = Counter(tabs.map(submit, [f"key-{number}" for number in range(8)]))

    assert answers["paid"] == 1
    assert len(check_books(shop, STOCKS)) == 1


def test_a_cart_ordered_already_names_the_order(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id, NEEDS_CONFIRMATION)
    order = service.checkout(shop, cart_id, given, key="first")

    with pytest.raises(AlreadyOrdered, match=order.number):
        service.checkout(shop, cart_id, given, key="second")
