"""Processes killed between any two steps: no half order, no lost stock, no lost money."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any, TypeVar

import pytest
from sqlalchemy import select

from tests.checkout.conftest import stocked
from tests.checkout.victim import Victims, victims
from tests.conftest import new_shop
from tests.shopping import (
    MovableClock,
    buy,
    cart_with,
    check_books,
    details,
    restock,
    skus_in,
    stock_of,
    work_off,
)
from vitrina.checkout import service, transitions
from vitrina.checkout.errors import OrderCancelled, PaymentDeclined
from vitrina.checkout.model import CheckoutDetails, Order, OrderState, PaymentState
from vitrina.checkout.payments.test_provider import (
    ANSWER_LOST,
    DECLINED,
    NEEDS_CONFIRMATION,
    SUCCEEDS,
    TestProvider,
)
from vitrina.entrypoints.wiring import Services, build
from vitrina.platform.embedded.supervisor import Embedded
from vitrina.platform.outbox import CLAIM, OUTBOX

T = TypeVar("T")
PIECES = {"CHAIR": 10_000, "LAMP": 10, "MUG": 10}


@pytest.fixture(scope="module")
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture(scope="module")
def shop(platform: Embedded, clock: MovableClock) -> Iterator[Services]:
    """One for all: whatever was killed before, the books must always agree."""
    with new_shop(platform) as settings:
        shop = stocked(replace(build(settings), now=clock))
        restock(shop, "CHAIR", PIECES["CHAIR"])
        yield shop
        shop.db.dispose()


@pytest.fixture(scope="module")
def processes(shop: Services) -> Iterator[Victims]:
    with victims(shop.settings) as processes:
        yield processes


def kill_everywhere(
    shop: Services,
    processes: Victims,
    action: str,
    prepare: Callable[[], T],
    arguments: Callable[[T], tuple[Any, ...]],
) -> list[T]:
    """Let one process after another do something, each killed one step later than the last.

    Args:
        action: see ``Victims.survive``.
        prepare: makes what the next process shall work on.
        arguments: those of the action, from what was prepared.

    Returns:
        What each of them worked on; the last one lived to the end.
    """
    prepared: list[T] = []
    for step in count():
        prepared.append(prepare())
        survived = processes.survive(step, shop.now(), action, *arguments(prepared[-1]))
        check_promises(shop)
        if survived:
            break
    return prepared


def check_promises(shop: Services) -> None:
    """What holds at every moment, also right after a kill: each open end has its message."""
    orders = check_books(shop, PIECES, settled=False)
    with shop.db.connect() as connection:
        promised = {
            (row.topic, row.subject)
            for row in connection.execute(select(OUTBOX.c.topic, OUTBOX.c.subject))
        }
    for order in orders:
        if order.state is OrderState.AWAITING_PAYMENT:
            assert (transitions.SETTLE, order.id) in promised
        if order.payment.state is PaymentState.CANCELLING:
            assert (transitions.CANCEL_PAYMENT, order.id) in promised


def settle(shop: Services, clock: MovableClock) -> None:
    """Let the worker do its part, until after the payment window; then the books must close."""
    for seconds in (0, transitions.FIRST_LOOK.total_seconds(), shop.settings.payment_window_s):
        clock.advance(seconds=seconds)
        work_off(shop)
    check_books(shop, PIECES)


def purchase(shop: Services, card: str = SUCCEEDS) -> tuple[str, CheckoutDetails, str]:
    """A filled cart and what its shopper sends: the arguments of a checkout."""
    cart_id = cart_with(shop, {"CHAIR": 2})
    return cart_id, details(shop, cart_id, card), "k"


def order_to_confirm(shop: Services) -> Order:
    return buy(shop, {"CHAIR": 2}, card=NEEDS_CONFIRMATION)


def reference_of(order: Order) -> str:
    return order.payment.confirm_url.rpartition("/")[2]


def state_of(shop: Services, order: Order) -> OrderState:
    return service.get_order_by_id(shop, order.id).state


@pytest.mark.parametrize(
    ("card", "steps"),
    [(SUCCEEDS, 15), (DECLINED, 13), (NEEDS_CONFIRMATION, 11), (ANSWER_LOST, 5)],
)
def test_a_checkout_killed_anywhere_is_finished_by_the_worker(
    shop: Services, processes: Victims, clock: MovableClock, card: str, steps: int
) -> None:
    purchases = kill_everywhere(
        shop, processes, "checkout", lambda: purchase(shop, card), lambda all_: all_
    )
    assert len(purchases) > steps

    settle(shop, clock)

    ends: set[object] = set()
    for cart_id, given, key in purchases:
        bought = [order for order in check_books(shop, PIECES) if order.cart_id == cart_id]
        assert len(bought) <= 1
        is_paid = any(order.state is OrderState.PAID for order in bought)
        assert skus_in(shop, cart_id) == ({} if is_paid else {"CHAIR": 2})
        if bought and not is_paid:
            with pytest.raises((PaymentDeclined, OrderCancelled)) as told:
                service.checkout(shop, cart_id, given, key=key)
            ends.add(told.type)
        ends.update(order.state for order in bought)
    if card == SUCCEEDS:  # killed before or after the money moved
        assert ends == {OrderState.PAID, OrderState.CANCELLED, OrderCancelled}
    if card == DECLINED:
        assert ends == {OrderState.CANCELLED, OrderCancelled, PaymentDeclined}


def test_a_checkout_killed_anywhere_is_finished_by_its_repeat(
    shop: Services, processes: Victims, clock: MovableClock
) -> None:
    before = stock_of(shop, "CHAIR")
    purchases = kill_everywhere(
        shop, processes, "checkout", lambda: purchase(shop), lambda all_: all_
    )

    clock.advance(seconds=transitions.PAYING.total_seconds())
    for cart_id, given, key in purchases:
        assert service.checkout(shop, cart_id, given, key=key).state is OrderState.PAID
        assert skus_in(shop, cart_id) == {}

    assert stock_of(shop, "CHAIR") == before - 2 * len(purchases)
    settle(shop, clock)


@pytest.mark.parametrize("approve", [True, False])
def test_a_confirmation_killed_anywhere_counts_if_the_bank_has_heard_it(
    shop: Services, processes: Victims, clock: MovableClock, approve: bool
) -> None:
    orders = kill_everywhere(
        shop,
        processes,
        "confirm",
        lambda: order_to_confirm(shop),
        lambda order: (reference_of(order), approve),
    )
    charges = [shop.payments.retrieve(order.id) for order in orders]

    settle(shop, clock)

    heard = [c is not None and c.state is not PaymentState.NEEDS_CONFIRMATION for c in charges]
    assert [state_of(shop, order) is OrderState.PAID for order in orders] == [
        approve and was_heard for was_heard in heard
    ]
    assert set(heard) == {False, True}


def test_an_order_called_off_by_a_process_that_dies_is_off_or_not_but_never_half(
    shop: Services, processes: Victims, clock: MovableClock
) -> None:
    kill_everywhere(
        shop,
        processes,
        "call_off",
        lambda: order_to_confirm(shop),
        lambda order: (order.number, order.email),
    )

    settle(shop, clock)


@pytest.mark.parametrize("charged", [True, False])
def test_a_settlement_killed_anywhere_is_done_when_the_message_comes_again(
    shop: Services, processes: Victims, clock: MovableClock, charged: bool
) -> None:
    def open_order() -> Order:
        while True:
            order = buy(shop, {"CHAIR": 1}, card=ANSWER_LOST)
            if (shop.payments.retrieve(order.id) is not None) == charged:
                clock.advance(seconds=transitions.FIRST_LOOK.total_seconds())
                return order

    orders = kill_everywhere(
        shop, processes, "job", open_order, lambda order: (transitions.SETTLE, order.id)
    )

    settle(shop, clock)

    assert {state_of(shop, order) for order in orders} == {
        OrderState.PAID if charged else OrderState.CANCELLED
    }


def test_emptying_the_cart_killed_anywhere_is_done_when_the_message_comes_again(
    shop: Services, processes: Victims, clock: MovableClock
) -> None:
    def paid_order() -> Order:
        """Paid, by a process that did not live to empty the cart."""
        order = order_to_confirm(shop)
        TestProvider(shop.db).answer(reference_of(order), approve=True)
        charge = shop.payments.retrieve(order.id)
        assert charge is not None
        return transitions.record(shop.db, order, charge, now=shop.now())

    orders = kill_everywhere(
        shop, processes, "job", paid_order, lambda order: (transitions.PAID, order.id)
    )

    settle(shop, clock)

    assert [skus_in(shop, order.cart_id) for order in orders] == [{}] * len(orders)


def test_returning_money_killed_anywhere_is_done_when_the_message_comes_again(
    shop: Services, processes: Victims, clock: MovableClock
) -> None:
    def order_paid_too_late() -> Order:
        order = order_to_confirm(shop)
        service.cancel_order(shop, order.number, order.email)
        return service.confirm_payment(shop, reference_of(order), approve=True)

    orders = kill_everywhere(
        shop,
        processes,
        "job",
        order_paid_too_late,
        lambda order: (transitions.CANCEL_PAYMENT, order.id),
    )

    settle(shop, clock)

    assert {state_of(shop, order) for order in orders} == {OrderState.CANCELLED}


def test_a_relay_killed_anywhere_loses_no_message(
    shop: Services, processes: Victims, clock: MovableClock
) -> None:
    def order_to_undo() -> Order:
        order = order_to_confirm(shop)
        return service.cancel_order(shop, order.number, order.email)

    for step in count():
        order_to_undo()
        survived = processes.survive(step, shop.now(), "relay")
        clock.advance(seconds=CLAIM.total_seconds())
        if survived:
            break
    assert step >= 6

    work_off(shop)
    check_books(shop, PIECES)
