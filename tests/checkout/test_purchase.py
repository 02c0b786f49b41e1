"""A purchase: what was offered, what is in stock, what is written, who may look."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, update
from sqlalchemy.exc import DBAPIError

from tests.checkout.conftest import STOCKS
from tests.shopping import (
    all_orders,
    buy,
    cart_with,
    check_books,
    details,
    history_of,
    on_shelf,
    reprice,
    restock,
    skus_in,
    stock_of,
)
from vitrina.cart import service as cart_service
from vitrina.catalogue.service import archive
from vitrina.checkout import service
from vitrina.checkout.errors import (
    CartIsEmpty,
    CountryNotServed,
    NotSoldAnyMore,
    PaymentDeclined,
    QuoteChanged,
    SoldOut,
    UnknownOrder,
)
from vitrina.checkout.model import CancelReason, OrderState
from vitrina.checkout.payments.test_provider import (
    DECLINED,
)
from vitrina.checkout.store import ORDER_EVENTS
from vitrina.entrypoints.wiring import Services
from vitrina.kernel.ids import new_id
from vitrina.kernel.money import Money

PAID = OrderState.PAID


def test_a_purchase_is_paid_for_taken_from_stock_and_leaves_an_empty_cart(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 2, "MUG": 1})

    order = service.checkout(shop, cart_id, details(shop, cart_id), key="k")

    assert order.state is PAID
    assert order.total == Money(2 * 12950 + 1240, "EUR")  # 250 euro and more: delivered free
    assert order.tax == Money(4710, "EUR")
    assert (stock_of(shop, "CHAIR"), stock_of(shop, "MUG")) == (8, 9)
    assert skus_in(shop, cart_id) == {}
    assert service.get_order(shop, order.number, "ada@example.com") == order
    assert history_of(shop, order) == ["placed", "paid"]
    check_books(shop, STOCKS)


def test_what_was_ordered_is_what_was_quoted_whatever_the_catalogue_says_later(
    shop: Services,
) -> None:
    order = buy(shop, {"CHAIR": 1})
    reprice(shop, "chair", "999.00")
    archive(shop.catalogue, "chair", now=shop.now())

    line = service.get_order_by_id(shop, order.id).lines[0]
    assert (line.title, line.unit_price) == ("Chair", Money(12950, "EUR"))


def test_a_declined_card_costs_nothing_and_leaves_the_cart_as_it_was(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 2})

    with pytest.raises(PaymentDeclined):
        service.checkout(shop, cart_id, details(shop, cart_id, DECLINED), key="k")

    (order,) = check_books(shop, STOCKS)
    assert order.cancel_reason is CancelReason.PAYMENT_DECLINED
    assert stock_of(shop, "CHAIR") == 10
    assert skus_in(shop, cart_id) == {"CHAIR": 2}


def test_after_a_declined_card_another_one_buys_the_same_cart(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 2})
    with pytest.raises(PaymentDeclined):
        service.checkout(shop, cart_id, details(shop, cart_id, DECLINED), key="first")

    order = service.checkout(shop, cart_id, details(shop, cart_id), key="second")

    assert order.state is PAID
    assert [each.state for each in check_books(shop, STOCKS)].count(PAID) == 1


def test_a_card_nobody_knows_is_declined(shop: Services) -> None:
    with pytest.raises(PaymentDeclined):
        buy(shop, {"CHAIR": 1}, card="1234")

    check_books(shop, STOCKS)


def test_a_price_that_changed_since_the_total_was_seen_stops_the_purchase(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    seen = details(shop, cart_id)
    reprice(shop, "chair", "139.50")

    with pytest.raises(QuoteChanged, match=r"€151\.50"):
        service.checkout(shop, cart_id, seen, key="k")
    assert check_books(shop, STOCKS) == []

    assert service.checkout(shop, cart_id, details(shop, cart_id), key="k").state is PAID


def test_a_cart_that_changed_since_stops_it_too_even_at_the_same_total(shop: Services) -> None:
    on_shelf(shop, "stool", "129.50")
    cart_id = cart_with(shop, {"CHAIR": 1})
    seen = details(shop, cart_id)
    cart_service.remove_item(shop.carts, cart_id, "CHAIR", now=shop.now())
    cart_service.add_item(shop.carts, shop.catalogue, cart_id, "STOOL", 1, now=shop.now())

    with pytest.raises(QuoteChanged):
        service.checkout(shop, cart_id, seen, key="k")
    assert all_orders(shop) == []


def test_a_shipping_price_that_differs_by_country_has_to_be_seen_first(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    seen = details(shop, cart_id)
    to_zurich = replace(seen.address, country="CH", postal_code="8001")

    with pytest.raises(QuoteChanged):
        service.checkout(shop, cart_id, replace(seen, address=to_zurich), key="k")
    with pytest.raises(CountryNotServed):
        service.checkout(
            shop, cart_id, replace(seen, address=replace(to_zurich, country="US")), key="k"
        )
    assert all_orders(shop) == []


def test_nothing_can_be_bought_with_an_empty_cart(shop: Services) -> None:
    given = details(shop, cart_with(shop, {"CHAIR": 1}))

    with pytest.raises(CartIsEmpty):
        service.checkout(shop, new_id(), given, key="k")


def test_something_not_sold_any_more_has_to_leave_the_cart_first(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1, "LAMP": 1})
    seen = details(shop, cart_id)
    archive(shop.catalogue, "lamp", now=shop.now())

    with pytest.raises(NotSoldAnyMore, match="LAMP"):
        service.checkout(shop, cart_id, seen, key="k")
    assert check_books(shop, STOCKS) == []


def test_fifty_at_once_for_ten_pieces_sell_exactly_ten(shop: Services) -> None:
    purchases = []
    for _ in range(50):
        cart_id = cart_with(shop, {"CHAIR": 1})
        purchases.append((cart_id, details(shop, cart_id)))

    def submit(purchase: tuple[str, Any]) -> str:
        cart_id, given = purchase
        try:
            return service.checkout(shop, cart_id, given, key="k").state
        except SoldOut:
            return "sold out"

    with ThreadPoolExecutor(50) as shoppers:
        answers = Counter(shoppers.map(submit, purchases))

    assert answers == {"paid": 10, "sold out": 40}
    assert stock_of(shop, "CHAIR") == 0
    assert len(check_books(shop, STOCKS)) == 10


def test_many_wanting_the_same_things_in_another_order_never_block_each_other(
    shop: Services,
) -> None:
    orders = [["CHAIR", "LAMP", "MUG"], ["MUG", "LAMP", "CHAIR"], ["LAMP", "MUG", "CHAIR"]]
    purchases = []
    for number in range(18):
        cart_id = cart_with(shop, dict.fromkeys(orders[number % 3], 1))
        purchases.append((cart_id, details(shop, cart_id)))

    def submit(purchase: tuple[str, Any]) -> str:
        try:
            return service.checkout(shop, *purchase, key="k").state
        except SoldOut:
            return "sold out"

    with ThreadPoolExecutor(18) as shoppers:
        answers = Counter(shoppers.map(submit, purchases))

    assert answers == {"paid": 10, "sold out": 8}
    check_books(shop, STOCKS)


def test_who_comes_too_late_is_told_what_is_missing_and_nothing_is_written(
    shop: Services,
) -> None:
    restock(shop, "LAMP", 1)
    cart_id = cart_with(shop, {"CHAIR": 1, "LAMP": 2, "MUG": 1})

    with pytest.raises(SoldOut, match="Lamp") as refused:
        service.checkout(shop, cart_id, details(shop, cart_id), key="k")

    assert refused.value.titles == ("Lamp",)
    assert check_books(shop, {**STOCKS, "LAMP": 1}) == []
    assert skus_in(shop, cart_id) == {"CHAIR": 1, "LAMP": 2, "MUG": 1}


def test_an_order_is_found_by_number_and_address_together_only(shop: Services) -> None:
    order = buy(shop, {"CHAIR": 1})

    assert service.get_order(shop, order.number.lower(), " ADA@Example.com ") == order
    for number, email in [
        (order.number, "eve@example.com"),
        (order.number, ""),
        ("0000-0000-00", order.email),
        ("", ""),
        (order.id, order.email),
    ]:
        with pytest.raises(UnknownOrder):
            service.get_order(shop, number, email)
    with pytest.raises(UnknownOrder):
        service.get_order_by_id(shop, order.number)


def test_a_connection_lost_in_the_middle_leaves_no_half_order(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)
    seen: list[str] = []
    own = shop.db.raw_connection()
    killer = own.driver_connection
    assert killer is not None
    killer.autocommit = True

    @event.listens_for(shop.db, "before_cursor_execute")
    def cut(connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("UPDATE stock") and not seen:
            seen.append(statement)
            pid = connection.connection.driver_connection.info.backend_pid
            killer.execute("SELECT pg_terminate_backend(%s)", (pid,))

    with pytest.raises(DBAPIError):
        service.checkout(shop, cart_id, given, key="k")
    own.close()

    assert seen
    assert check_books(shop, STOCKS) == []
    assert service.checkout(shop, cart_id, given, key="k").state is PAID
    check_books(shop, STOCKS)


def test_a_purchase_takes_few_statements(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)
    statements: list[str] = []
    event.listen(shop.db, "before_cursor_execute", lambda *args: statements.append(args[2]))

    service.checkout(shop, cart_id, given, key="k")

    assert len(statements) == 12, "\n".join(statements)


def test_history_is_only_ever_added_to(shop: Services) -> None:
    order = buy(shop, {"CHAIR": 1})

    for change in (
        update(ORDER_EVENTS).values(what="refunded"),
        ORDER_EVENTS.delete(),
    ):
        with pytest.raises(DBAPIError, match="append-only"), shop.db.begin() as tx:
            tx.execute(change)
    assert history_of(shop, order) == ["placed", "paid"]
