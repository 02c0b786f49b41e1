"""Payments confirmed, refused, lost, late or called off, and who keeps the money."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from tests.checkout.conftest import STOCKS
from tests.shopping import (
    MovableClock,
    all_orders,
    buy,
    cart_with,
    check_books,
    details,
    history_of,
    skus_in,
    stock_of,
    work_off,
)
from vitrina.cart.model import Cart
from vitrina.cart.store import CartStore
from vitrina.checkout import jobs, service, transitions
from vitrina.checkout.errors import (
    AlreadyOrdered,
    AlreadyPaid,
    CheckoutInProgress,
    OrderCancelled,
    PaymentDeclined,
    PaymentUnavailable,
    UnknownConfirmation,
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
from vitrina.checkout.store import ORDERS, OrderStore
from vitrina.entrypoints.wiring import Services
from vitrina.kernel.money import Money
from vitrina.platform.dynamo import StoreUnavailable
from vitrina.platform.outbox import OUTBOX

T = TypeVar("T")

PAID, CANCELLED, OPEN = OrderState.PAID, OrderState.CANCELLED, OrderState.AWAITING_PAYMENT


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
        with suppress(UnknownConfirmation):
            service.confirm_payment(shop, reference, approve=True)

    with ThreadPoolExecutor(9) as both:
        settled = both.submit(work_off, shop)
        list(both.map(confirm, [reference for _, reference in waiting]))
        settled.result()
    work_off(shop)

    check_books(shop, STOCKS)


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


def test_an_order_is_not_called_off_while_a_request_is_at_it(
    shop: Services, clock: MovableClock
) -> None:
    order = lost(shop, charged=False)
    clock.advance(seconds=transitions.PAYING.total_seconds() - 1)

    jobs.settle_order(shop, order.id)

    assert service.get_order_by_id(shop, order.id).state is OPEN
    clock.advance(seconds=1)
    work_off(shop)
    assert service.get_order_by_id(shop, order.id).state is CANCELLED


@pytest.mark.parametrize("charged", [True, False])
def test_the_same_message_handled_by_many_at_once_settles_once(
    shop: Services, clock: MovableClock, charged: bool
) -> None:
    order = lost(shop, charged=charged)
    clock.advance(seconds=transitions.FIRST_LOOK.total_seconds())

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _: jobs.settle_order(shop, order.id), range(8)))
        list(workers.map(lambda _: jobs.cancel_payment(shop, order.id), range(8)))
        list(workers.map(lambda _: jobs.empty_cart(shop, order.id), range(8 if charged else 0)))

    assert history_of(shop, order) == (
        ["placed", "paid"] if charged else ["placed", "cancelled", "payment_cancelled"]
    )
    assert skus_in(shop, order.cart_id) == ({} if charged else {"MUG": 1})
    work_off(shop)
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
        with suppress(UnknownConfirmation):
            service.confirm_payment(shop, each[1], approve=True)

    def call_off(each: tuple[Order, str]) -> None:
        with suppress(AlreadyPaid):
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
