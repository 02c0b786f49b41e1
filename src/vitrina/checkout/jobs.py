"""What is done for orders when nobody waits. Every job may run twice, late, and in any order."""

from datetime import timedelta

from vitrina.checkout import transitions
from vitrina.checkout.errors import PaymentUnavailable
from vitrina.checkout.model import CancelReason, Order, OrderState, PaymentState
from vitrina.checkout.service import Shop, get_order_by_id, take_out_of_cart
from vitrina.checkout.store import OrderStore
from vitrina.platform.log import get_logger

log = get_logger()

# How long a provider that does not answer is left alone.
PROVIDER_PAUSE = timedelta(seconds=30)


def settle_order(shop: Shop, order_id: str) -> None:
    """Ask the provider what happened to an order's money, and finish the order.

    Paid, or cancelled with its stock given back. It stays open only while its shopper may still
    confirm the payment, while a request is at it, or while the provider does not answer; then
    its timer is set again.
    """
    order = get_order_by_id(shop, order_id)
    if order.state is not OrderState.AWAITING_PAYMENT:
        return
    now = shop.now()
    with shop.db.connect() as connection:
        busy_until = OrderStore(connection).busy_until(order.id)
    if order.payment.state is PaymentState.OPEN and now < busy_until:
        transitions.look_again(shop.db, order, busy_until)
        return
    try:
        charge = shop.payments.retrieve(order.id)
    except PaymentUnavailable:
        log.warning("payment.provider_silent", order=order.number)
        transitions.look_again(shop.db, order, now + PROVIDER_PAUSE)
        return
    if charge is None:
        order = _call_off(shop, order, CancelReason.PAYMENT_LOST)
    elif charge.state is not PaymentState.NEEDS_CONFIRMATION:
        order = transitions.record(shop.db, order, charge, now=now)
    elif now >= order.pay_by:
        order = _call_off(shop, order, CancelReason.PAYMENT_LATE)
    elif order.payment.state is PaymentState.OPEN:
        order = transitions.record(shop.db, order, charge, now=now)
    else:
        transitions.look_again(shop.db, order, order.pay_by)
    log.info("order.settled", order=order.number, state=order.state)


def cancel_payment(shop: Shop, order_id: str) -> None:
    """See to it that no money is kept for a cancelled order."""
    order = get_order_by_id(shop, order_id)
    if order.payment.state is not PaymentState.CANCELLING:
        return
    now = shop.now()
    try:
        shop.payments.cancel(order.id, order.total)
    except PaymentUnavailable:
        log.warning("payment.provider_silent", order=order.number)
        transitions.return_money_later(shop.db, order, now + PROVIDER_PAUSE)
        return
    transitions.mark_money_returned(shop.db, order, now=now)
    log.info("payment.cancelled", order=order.number)


def empty_cart(shop: Shop, order_id: str) -> None:
    """Take the goods of a paid order out of its cart, if the checkout did not live to do it."""
    take_out_of_cart(shop, get_order_by_id(shop, order_id))


def _call_off(shop: Shop, order: Order, reason: CancelReason) -> Order:
    return transitions.cancel(
        shop.db, order, reason, payment=PaymentState.CANCELLING, now=shop.now()
    )
