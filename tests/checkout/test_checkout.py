"""A purchase from the cart to the paid order, and everything that can come in between."""

import contextlib
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import event, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.checkout.conftest import STOCKS
from tests.shopping import (
    MovableClock,
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
    work_off,
)
from vitrina.cart import service as cart_service
from vitrina.cart.model import Cart
from vitrina.cart.store import CartStore
from vitrina.catalogue.service import archive
from vitrina.checkout import jobs, service, transitions
from vitrina.checkout.errors import (
    AlreadyOrdered,
    AlreadyPaid,
    CartIsEmpty,
    CheckoutInProgress,
    CountryNotServed,
    KeyReused,
    NotSoldAnyMore,
    OrderCancelled,
    PaymentDeclined,
    PaymentUnavailable,
    QuoteChanged,
    SoldOut,
    UnknownConfirmation,
    UnknownOrder,
)
from vitrina.checkout.model import CancelReason, Order, OrderState, PaymentState
from vitrina.checkout.payments.provider import Charge, PaymentProvider
from vitrina.checkout.payments.test_provider import (
    ANSWER_LOST,
    CHARGES,
    DECLINED,
    NEEDS_CONFIRMATION,
    TestProvider,
)
from vitrina.checkout.store import ORDER_EVENTS, ORDERS, OrderStore
from vitrina.entrypoints.wiring import Services
from vitrina.kernel.ids import new_id
from vitrina.kernel.money import Money
from vitrina.platform.dynamo import StoreUnavailable
from vitrina.platform.outbox import OUTBOX

T = TypeVar("T")

PAID, CANCELLED, OPEN = OrderState.PAID, OrderState.CANCELLED, OrderState.AWAITING_PAYMENT


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


# --- idempotency ---


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


# --- the offer ---


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


# --- stock ---


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


# --- confirmation ---


def wait_for_confirmation(shop: Services, quantities: dict[str, int]) -> tuple[Order, str]:
    """An order that its shopper has to confirm, and the reference of the bank's page."""
    order = buy(shop, quantities, card=NEEDS_CONFIRMATION)
    assert order.state is OPEN
    assert order.payment.state is PaymentState.NEEDS_CONFIRMATION
    prefix, _, reference = order.payment.confirm_url.rpartition("/")
    assert prefix == "/checkout/confirm"
    return order, reference


def test_a_confirmed_payment_pays_the_order_and_empties_the_cart(shop: Services) -> None:
    order, reference = wait_for_confirmation(shop, {"CHAIR": 1})
    challenge, shown = service.find_challenge(shop, reference)
    assert (challenge.amount, shown) == (order.total, order)
    assert skus_in(shop, order.cart_id) == {"CHAIR": 1}

    paid = service.confirm_payment(shop, reference, approve=True)

    assert paid.state is PAID
    assert skus_in(shop, order.cart_id) == {}
    check_books(shop, STOCKS)


def test_a_refused_confirmation_cancels_the_order_and_keeps_the_cart(shop: Services) -> None:
    order, reference = wait_for_confirmation(shop, {"CHAIR": 1})

    cancelled = service.confirm_payment(shop, reference, approve=False)

    assert cancelled.cancel_reason is CancelReason.PAYMENT_DECLINED
    assert skus_in(shop, order.cart_id) == {"CHAIR": 1}
    check_books(shop, STOCKS)


def test_a_confirmation_counts_once(shop: Services) -> None:
    _, reference = wait_for_confirmation(shop, {"CHAIR": 1})
    service.confirm_payment(shop, reference, approve=True)

    for approve in (True, False):
        with pytest.raises(UnknownConfirmation):
            service.confirm_payment(shop, reference, approve=approve)
    with pytest.raises(UnknownConfirmation):
        service.find_challenge(shop, reference)
    with pytest.raises(UnknownConfirmation):
        service.find_challenge(shop, "never heard of")
    check_books(shop, STOCKS)


def test_a_repeat_while_the_confirmation_is_awaited_leads_to_the_same_page(
    shop: Services,
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id, NEEDS_CONFIRMATION)
    order = service.checkout(shop, cart_id, given, key="k")

    assert service.checkout(shop, cart_id, given, key="k") == order


def test_an_order_not_confirmed_in_time_is_cancelled_and_its_stock_returns(
    shop: Services, clock: MovableClock
) -> None:
    order, reference = wait_for_confirmation(shop, {"CHAIR": 4})
    clock.advance(seconds=shop.settings.payment_window_s - 1)
    work_off(shop)
    assert service.get_order_by_id(shop, order.id).state is OPEN
    assert stock_of(shop, "CHAIR") == 6

    clock.advance(seconds=1)
    work_off(shop)

    order = service.get_order_by_id(shop, order.id)
    assert order.cancel_reason is CancelReason.PAYMENT_LATE
    assert order.payment.state is PaymentState.CANCELLED
    with pytest.raises(UnknownConfirmation):
        service.confirm_payment(shop, reference, approve=True)
    check_books(shop, STOCKS)


def test_settling_and_confirming_at_once_ends_in_one_of_both(
    shop: Services, clock: MovableClock
) -> None:
    waiting = [wait_for_confirmation(shop, {"MUG": 1}) for _ in range(8)]
    clock.advance(seconds=shop.settings.payment_window_s)

    def confirm(reference: str) -> None:
        with contextlib.suppress(UnknownConfirmation):
            service.confirm_payment(shop, reference, approve=True)

    with ThreadPoolExecutor(9) as both:
        settled = both.submit(work_off, shop)
        list(both.map(confirm, [reference for _, reference in waiting]))
        settled.result()
    work_off(shop)

    check_books(shop, STOCKS)


# --- lost answers ---


def lost(shop: Services, *, charged: bool) -> Order:
    """An order whose payment was answered by silence."""
    while True:
        order = buy(shop, {"MUG": 1}, card=ANSWER_LOST)
        assert order.state is OPEN
        if (shop.payments.retrieve(order.id) is not None) == charged:
            return order
        service.cancel_order(shop, order.number, order.email)
        work_off(shop)


def test_a_charge_whose_answer_was_lost_is_found_and_pays_the_order(
    shop: Services, clock: MovableClock
) -> None:
    order = lost(shop, charged=True)
    assert skus_in(shop, order.cart_id) == {"MUG": 1}

    clock.advance(seconds=transitions.FIRST_LOOK.total_seconds())
    work_off(shop)

    assert service.get_order_by_id(shop, order.id).state is PAID
    assert skus_in(shop, order.cart_id) == {}
    check_books(shop, STOCKS)


def test_a_charge_that_never_happened_cancels_the_order_and_can_never_happen_later(
    shop: Services, clock: MovableClock
) -> None:
    order = lost(shop, charged=False)

    clock.advance(seconds=transitions.FIRST_LOOK.total_seconds())
    work_off(shop)

    assert service.get_order_by_id(shop, order.id).cancel_reason is CancelReason.PAYMENT_LOST
    late = shop.payments.authorise(order.id, order.total, "4242424242424242")
    assert late.state is PaymentState.CANCELLED
    check_books(shop, STOCKS)


@pytest.mark.parametrize("charged", [True, False])
def test_a_repeat_after_a_lost_answer_goes_on_where_the_first_stopped(
    shop: Services, clock: MovableClock, charged: bool
) -> None:
    while True:
        cart_id = cart_with(shop, {"MUG": 1})
        given = details(shop, cart_id, ANSWER_LOST)
        order = service.checkout(shop, cart_id, given, key="k")
        if (shop.payments.retrieve(order.id) is not None) == charged:
            break
        service.cancel_order(shop, order.number, order.email)
    with pytest.raises(CheckoutInProgress):
        service.checkout(shop, cart_id, given, key="k")

    clock.advance(seconds=transitions.PAYING.total_seconds())
    again = service.checkout(
        shop, cart_id, replace(given, payment_token="4242 4242 4242 4242"), key="k"
    )

    assert (again.number, again.state) == (order.number, PAID)
    work_off(shop)
    check_books(shop, STOCKS)


def test_a_repeat_of_an_order_that_was_called_off_says_so(
    shop: Services, clock: MovableClock
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id, NEEDS_CONFIRMATION)
    service.checkout(shop, cart_id, given, key="k")
    clock.advance(hours=1)
    work_off(shop)

    with pytest.raises(OrderCancelled):
        service.checkout(shop, cart_id, given, key="k")
    assert service.checkout(shop, cart_id, details(shop, cart_id), key="another").state is PAID
    check_books(shop, STOCKS)


# --- calling off ---


def test_a_shopper_may_call_off_what_is_not_paid(shop: Services) -> None:
    order, reference = wait_for_confirmation(shop, {"CHAIR": 3})

    cancelled = service.cancel_order(shop, order.number, "ADA@example.com")

    assert cancelled.cancel_reason is CancelReason.BY_SHOPPER
    assert stock_of(shop, "CHAIR") == 10
    assert service.cancel_order(shop, order.number, order.email).state is CANCELLED
    work_off(shop)
    with pytest.raises(UnknownConfirmation):
        service.confirm_payment(shop, reference, approve=True)
    check_books(shop, STOCKS)


def test_what_is_paid_cannot_be_called_off(shop: Services) -> None:
    order = buy(shop, {"CHAIR": 1})

    with pytest.raises(AlreadyPaid):
        service.cancel_order(shop, order.number, order.email)
    check_books(shop, STOCKS)


def test_money_that_arrives_for_a_cancelled_order_goes_back(shop: Services) -> None:
    order, reference = wait_for_confirmation(shop, {"CHAIR": 1})
    service.cancel_order(shop, order.number, order.email)
    # The provider has not been told yet, and its page still takes the shopper's word.
    late = service.confirm_payment(shop, reference, approve=True)
    assert late.state is CANCELLED

    work_off(shop)

    with shop.db.connect() as connection:
        charge = connection.execute(select(CHARGES)).one()
    assert (charge.charged_minor, charge.refunded_minor) == (order.total.minor, order.total.minor)
    check_books(shop, STOCKS)


def test_money_that_arrives_after_a_decline_was_written_down_goes_back_too(
    shop: Services,
) -> None:
    order, reference = wait_for_confirmation(shop, {"CHAIR": 1})
    transitions.cancel(
        shop.db,
        order,
        CancelReason.PAYMENT_DECLINED,
        payment=PaymentState.DECLINED,
        now=shop.now(),
    )

    service.confirm_payment(shop, reference, approve=True)
    work_off(shop)

    assert history_of(shop, order)[-2:] == ["paid_too_late", "payment_cancelled"]
    check_books(shop, STOCKS)


def test_calling_off_and_confirming_at_once_ends_in_one_of_both(shop: Services) -> None:
    waiting = [wait_for_confirmation(shop, {"MUG": 1}) for _ in range(8)]

    def confirm(each: tuple[Order, str]) -> None:
        with contextlib.suppress(UnknownConfirmation):
            service.confirm_payment(shop, each[1], approve=True)

    def call_off(each: tuple[Order, str]) -> None:
        with contextlib.suppress(AlreadyPaid):
            service.cancel_order(shop, each[0].number, each[0].email)

    with ThreadPoolExecutor(16) as both:
        running = [both.submit(act, each) for each in waiting for act in (confirm, call_off)]
        for each in running:
            each.result()
    work_off(shop)

    check_books(shop, STOCKS)


def test_cancelling_one_order_many_times_at_once_returns_its_stock_once(shop: Services) -> None:
    order, _ = wait_for_confirmation(shop, {"CHAIR": 5})

    with ThreadPoolExecutor(8) as tabs:
        list(tabs.map(lambda _: service.cancel_order(shop, order.number, order.email), range(8)))

    assert stock_of(shop, "CHAIR") == 10
    assert history_of(shop, order).count("cancelled") == 1


# --- looking up ---


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


# --- the database ---


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


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "shipped"},
        {"state": "paid"},  # without the moment
        {"state": "cancelled"},  # without a reason
        {"total_minor": 1},
        {"tax_minor": -1},
        {"tax_minor": 10**6},
        {"country": "Netherlands"},
        {"email": None},
    ],
    ids=str,
)
def test_the_database_refuses_an_order_that_contradicts_itself(
    shop: Services, broken: dict[str, Any]
) -> None:
    wait_for_confirmation(shop, {"CHAIR": 1})

    with pytest.raises(IntegrityError), shop.db.begin() as tx:
        tx.execute(update(ORDERS).values(broken))


def test_history_is_only_ever_added_to(shop: Services) -> None:
    order = buy(shop, {"CHAIR": 1})

    for change in (
        update(ORDER_EVENTS).values(what="refunded"),
        ORDER_EVENTS.delete(),
    ):
        with pytest.raises(DBAPIError, match="append-only"), shop.db.begin() as tx:
            tx.execute(change)
    assert history_of(shop, order) == ["placed", "paid"]


def test_an_order_only_moves_along_the_ways_that_exist(shop: Services, clock: MovableClock) -> None:
    paid = buy(shop, {"CHAIR": 1})
    with pytest.raises(PaymentDeclined):
        buy(shop, {"CHAIR": 1}, card=DECLINED)
    cancelled = next(order for order in all_orders(shop) if order.state is CANCELLED)

    with shop.db.begin() as tx:
        orders = OrderStore(tx)
        assert not orders.move(
            paid.cancelled(CancelReason.BY_SHOPPER, PaymentState.CANCELLED, clock())
        )
        assert not orders.move(paid.paid(clock()))
        assert not orders.move(cancelled.paid(clock()))
    check_books(shop, STOCKS)


def test_a_charge_of_another_amount_stops_everything(shop: Services) -> None:
    order, _ = wait_for_confirmation(shop, {"CHAIR": 1})
    charge = shop.payments.retrieve(order.id)
    assert charge is not None

    with pytest.raises(transitions.WrongAmount):
        transitions.record(shop.db, order, replace(charge, amount=Money(1, "EUR")), now=shop.now())
    assert service.get_order_by_id(shop, order.id) == order


def test_a_finished_order_leaves_no_timer_behind(shop: Services, clock: MovableClock) -> None:
    buy(shop, {"CHAIR": 1})
    with pytest.raises(PaymentDeclined):
        buy(shop, {"CHAIR": 1}, card=DECLINED)
    _, reference = wait_for_confirmation(shop, {"CHAIR": 1})
    service.confirm_payment(shop, reference, approve=True)

    with shop.db.connect() as connection:
        waiting = connection.execute(select(OUTBOX.c.topic)).scalars().all()
    assert set(waiting) == {transitions.PAID}
    work_off(shop)
    clock.advance(days=1)
    assert work_off(shop) == 0


def test_an_order_that_awaits_its_payment_always_has_one_timer(shop: Services) -> None:
    order, _ = wait_for_confirmation(shop, {"CHAIR": 1})
    open_order = lost(shop, charged=True)

    with shop.db.connect() as connection:
        timers = connection.execute(
            select(OUTBOX.c.subject, OUTBOX.c.due_at).where(OUTBOX.c.topic == transitions.SETTLE)
        ).all()
    assert sorted(tuple(timer) for timer in timers) == sorted(
        [(order.id, order.pay_by), (open_order.id, open_order.placed_at + timedelta(seconds=25))]
    )


def test_the_test_provider_charges_once_per_order_whatever_card_comes_next(
    shop: Services,
) -> None:
    provider = TestProvider(shop.db)
    amount = Money(100, "EUR")

    first = provider.authorise("order", amount, DECLINED)

    assert provider.authorise("order", amount, "4242424242424242") == first
    assert provider.retrieve("order") == first
    assert provider.cancel("order", amount).state is PaymentState.DECLINED
    assert provider.retrieve("another") is None


# --- a provider that does not answer ---


class SilentProvider:
    """The test provider behind a bad line: it answers only from the ``answers_from``-th call on."""

    name = "test"

    def __init__(self, provider: PaymentProvider, *, answers_from: int, hears: bool) -> None:
        self._provider = provider
        self._silent_calls = answers_from
        self._hears = hears

    def authorise(self, order_id: str, amount: Money, token: str) -> Charge:
        return self._call(lambda: self._provider.authorise(order_id, amount, token))

    def retrieve(self, order_id: str) -> Charge | None:
        return self._call(lambda: self._provider.retrieve(order_id))

    def cancel(self, order_id: str, amount: Money) -> Charge:
        return self._call(lambda: self._provider.cancel(order_id, amount))

    def _call(self, act: Callable[[], T]) -> T:
        self._silent_calls -= 1
        if self._silent_calls >= 0:
            if self._hears:
                act()
            raise PaymentUnavailable
        return act()


@pytest.mark.parametrize("hears", [True, False], ids=["answers lost", "calls lost"])
def test_while_the_provider_is_silent_the_order_waits_and_is_settled_afterwards(
    shop: Services, clock: MovableClock, hears: bool
) -> None:
    # More often than the queue would bring one message again.
    silent = SilentProvider(shop.payments, answers_from=8, hears=hears)
    behind = replace(shop, payments=silent)
    order = buy(behind, {"CHAIR": 1})
    assert order.state is OPEN

    for _ in range(12):
        clock.advance(seconds=jobs.PROVIDER_PAUSE.total_seconds())
        work_off(behind)

    settled = service.get_order_by_id(shop, order.id)
    assert settled.state is (PAID if hears else CANCELLED)
    check_books(shop, STOCKS)


@pytest.mark.parametrize("hears", [True, False], ids=["answers lost", "calls lost"])
def test_while_the_provider_is_silent_it_is_asked_on_to_return_the_money(
    shop: Services, clock: MovableClock, hears: bool
) -> None:
    order, reference = wait_for_confirmation(shop, {"CHAIR": 1})
    service.cancel_order(shop, order.number, order.email)
    service.confirm_payment(shop, reference, approve=True)
    silent = SilentProvider(shop.payments, answers_from=8, hears=hears)

    for _ in range(12):
        work_off(replace(shop, payments=silent))
        clock.advance(seconds=jobs.PROVIDER_PAUSE.total_seconds())

    assert history_of(shop, order)[-1] == "payment_cancelled"
    check_books(shop, STOCKS)


def test_a_paid_order_stands_when_its_cart_cannot_be_reached(
    shop: Services, clock: MovableClock
) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    given = details(shop, cart_id)

    class LockedCarts(CartStore):
        def save(self, cart: Cart, *, now: datetime) -> Cart:
            raise StoreUnavailable

    locked = LockedCarts(shop.carts._table)
    order = service.checkout(replace(shop, carts=locked), cart_id, given, key="k")

    assert order.state is PAID
    assert skus_in(shop, cart_id) == {"CHAIR": 1}
    with pytest.raises(AlreadyOrdered):  # what is still in it cannot be bought twice by mistake
        service.checkout(shop, cart_id, given, key="another")
    work_off(shop)
    assert skus_in(shop, cart_id) == {}
    check_books(shop, STOCKS)
