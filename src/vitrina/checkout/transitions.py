"""How an order moves: each function is one transaction, and the database decides races.

Every step writes its history and its messages in the transaction that takes it, so a process may
die anywhere: what has been promised is either not there at all or will be finished by a job. As
long as an order awaits its payment, exactly one ``order.settle`` timer exists for it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import Engine

from vitrina.catalogue import stock
from vitrina.catalogue.errors import OutOfStock
from vitrina.checkout.errors import AlreadyOrdered, CheckoutInProgress, SoldOut
from vitrina.checkout.model import (
    CancelReason,
    Order,
    OrderState,
    Payment,
    PaymentState,
)
from vitrina.checkout.payments.provider import Charge
from vitrina.checkout.store import OrderStore, key_scope
from vitrina.platform.outbox import Message, Outbox

SETTLE = "order.settle"
PAID = "order.paid"
CANCEL_PAYMENT = "payment.cancel"

# A provider gives up after 10 s; so long a request may take to write down what it said.
PAYING = timedelta(seconds=20)
# The first look at an order whose request may have died: after nobody can be at it any more.
FIRST_LOOK = timedelta(seconds=25)


class WrongAmount(RuntimeError):
    """A provider charged another amount than the order's: somebody has to look."""


def place_order(
    db: Engine, order: Order, *, key: str, fingerprint: str, provider: str
) -> tuple[Order, bool]:
    """Write an order, take its stock and set its timer: all of it or nothing.

    Once per idempotency key, and once per state of the cart. There is no look before the leap:
    unique indexes decide.

    Returns:
        The order of this key, and whether this call has placed it.

    Raises:
        SoldOut: fewer pieces are left than ordered; nothing was written.
        KeyReused: the key belongs to a request with other content.
        AlreadyOrdered: the cart was ordered with another key, and not changed since.
    """
    first_look = Message(SETTLE, order.id, order.placed_at + FIRST_LOOK)
    try:
        with db.begin() as tx:
            placed = OrderStore(tx).add(
                order,
                key=key,
                fingerprint=fingerprint,
                provider=provider,
                busy_until=order.placed_at + PAYING,
            )
            if placed:
                Outbox(tx).add(first_look)
                # Last, so that what many want at once is locked as briefly as can be.
                stock.take(tx, order.pieces)
    except OutOfStock as error:
        short = [line.name for line in order.lines if line.stock_key in error.stock_keys]
        raise SoldOut(short) from error
    if placed:
        return order, True
    with db.connect() as tx:
        orders = OrderStore(tx)
        before = orders.by_key(key_scope(order.cart_id), key, fingerprint)
        if before is not None:
            return before, False
        other = orders.by_cart(order.cart_id, order.cart_revision)
    if other is not None:
        raise AlreadyOrdered(other.number)
    # Whoever stood in the way has been cancelled meanwhile, so a repeat will get through.
    raise CheckoutInProgress


def claim_payment(db: Engine, order: Order, *, now: datetime) -> None:
    """Become the one who asks the provider to charge an order placed by an earlier request.

    Raises:
        CheckoutInProgress: somebody else is doing that.
    """
    with db.begin() as tx:
        if not OrderStore(tx).claim_payment(order.id, now=now, until=now + PAYING):
            raise CheckoutInProgress


def record(db: Engine, order: Order, charge: Charge, *, now: datetime) -> Order:
    """Write down what the provider said about the money of an order.

    Returns:
        The order as it stands afterwards, whoever moved it there.
    """
    if charge.amount != order.total:
        raise WrongAmount(f"order {order.number} is {order.total}, charged {charge.amount}")
    if charge.state is PaymentState.SUCCEEDED:
        return mark_paid(db, order, reference=charge.reference, now=now)
    if charge.state is PaymentState.NEEDS_CONFIRMATION:
        return await_confirmation(db, order, charge, now=now)
    return cancel(db, order, CancelReason.PAYMENT_DECLINED, payment=charge.state, now=now)


def mark_paid(db: Engine, order: Order, *, reference: str, now: datetime) -> Order:
    """The money has arrived. If the order was cancelled before, the money goes back."""
    paid = order.paid(now)
    with db.begin() as tx:
        orders, outbox = OrderStore(tx), Outbox(tx)
        if orders.move(paid):
            orders.set_payment(order.id, paid.payment, reference=reference)
            orders.note(order.id, "paid", at=now)
            outbox.drop(SETTLE, order.id)
            outbox.add(Message(PAID, order.id, now))
            return paid
        found = _reread(orders, order)
        if found.state is OrderState.CANCELLED and orders.set_payment(
            order.id,
            Payment(PaymentState.CANCELLING),
            reference=reference,
            only_from=[PaymentState.OPEN, PaymentState.NEEDS_CONFIRMATION, PaymentState.DECLINED],
        ):
            orders.note(order.id, "paid_too_late", at=now)
            outbox.add(Message(CANCEL_PAYMENT, order.id, now))
        return found


def await_confirmation(db: Engine, order: Order, charge: Charge, *, now: datetime) -> Order:
    """The shopper has to confirm the payment, before the payment window closes."""
    payment = Payment(PaymentState.NEEDS_CONFIRMATION, charge.confirm_url)
    with db.begin() as tx:
        orders = OrderStore(tx)
        first = orders.set_payment(
            order.id, payment, reference=charge.reference, only_from=[PaymentState.OPEN]
        )
        if first:
            orders.note(order.id, "confirmation_needed", at=now)
            _remind(Outbox(tx), order, order.pay_by)
            return replace(order, payment=payment)
        return _reread(orders, order)


def cancel(
    db: Engine, order: Order, reason: CancelReason, *, payment: PaymentState, now: datetime
) -> Order:
    """Call an order off and give its stock back, exactly once.

    Args:
        payment: ``DECLINED`` or ``CANCELLED`` when the provider has said so. ``CANCELLING`` when
            it has not: then a job sees to it that no money is kept.
    """
    cancelled = order.cancelled(reason, payment, now)
    with db.begin() as tx:
        orders, outbox = OrderStore(tx), Outbox(tx)
        if not orders.move(cancelled):
            return _reread(orders, order)
        orders.set_payment(order.id, cancelled.payment)
        orders.note(order.id, "cancelled", at=now, reason=reason)
        outbox.drop(SETTLE, order.id)
        if payment is PaymentState.CANCELLING:
            outbox.add(Message(CANCEL_PAYMENT, order.id, now))
        stock.give_back(tx, order.pieces)
    return cancelled


def mark_money_returned(db: Engine, order: Order, *, now: datetime) -> None:
    """The provider has confirmed that nothing remains charged."""
    with db.begin() as tx:
        orders = OrderStore(tx)
        done = Payment(PaymentState.CANCELLED)
        if orders.set_payment(order.id, done, only_from=[PaymentState.CANCELLING]):
            orders.note(order.id, "payment_cancelled", at=now)


def return_money_later(db: Engine, order: Order, at: datetime) -> None:
    """The provider did not answer. Not left to the queue, which gives up after a few tries."""
    with db.begin() as tx:
        outbox = Outbox(tx)
        outbox.drop(CANCEL_PAYMENT, order.id)
        outbox.add(Message(CANCEL_PAYMENT, order.id, at))


def look_again(db: Engine, order: Order, at: datetime) -> None:
    """Set the order's one timer to another time, unless it no longer awaits its payment."""
    with db.begin() as tx:
        if _reread(OrderStore(tx), order).state is OrderState.AWAITING_PAYMENT:
            _remind(Outbox(tx), order, at)


def _remind(outbox: Outbox, order: Order, at: datetime) -> None:
    outbox.drop(SETTLE, order.id)
    outbox.add(Message(SETTLE, order.id, at))


def _reread(orders: OrderStore, order: Order) -> Order:
    found = orders.by_id(order.id)
    if found is None:
        raise LookupError(f"order {order.id} has vanished")
    return found
