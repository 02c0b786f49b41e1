"""Use cases of the checkout: quote, buy, confirm, call off, look up."""

from datetime import timedelta
from typing import Protocol

from sqlalchemy import Engine

from vitrina.cart import service as cart_service
from vitrina.cart.store import CartStore
from vitrina.catalogue.service import Catalogue
from vitrina.checkout import transitions
from vitrina.checkout.delivery import find_country
from vitrina.checkout.errors import (
    AlreadyPaid,
    OrderCancelled,
    PaymentDeclined,
    PaymentUnavailable,
    QuoteChanged,
    UnknownOrder,
)
from vitrina.checkout.model import (
    CancelReason,
    CheckoutDetails,
    Order,
    OrderState,
    PaymentState,
    Quote,
    tidy_number,
)
from vitrina.checkout.payments.provider import PaymentProvider
from vitrina.checkout.payments.test_provider import Challenge, TestProvider
from vitrina.checkout.store import OrderStore, key_scope
from vitrina.checkout.tax import included_vat
from vitrina.kernel.clock import Clock
from vitrina.kernel.errors import ShopError
from vitrina.platform.log import get_logger
from vitrina.settings import Settings

log = get_logger()


class Shop(Protocol):
    """What the checkout needs of the shop."""

    @property
    def settings(self) -> Settings: ...
    @property
    def now(self) -> Clock: ...
    @property
    def db(self) -> Engine: ...
    @property
    def carts(self) -> CartStore: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def payments(self) -> PaymentProvider: ...


def quote_cart(shop: Shop, cart_id: str, country: str) -> Quote:
    """What the cart costs today, delivered to a country.

    Args:
        country: ISO 3166-1 alpha-2.

    Raises:
        CountryNotServed: we do not deliver there.
        CartIsEmpty: there is nothing to buy.
        NotSoldAnyMore: the cart holds something the shop has stopped selling.
    """
    destination = find_country(country)
    cart = cart_service.read_cart(shop.carts, cart_id, now=shop.now())
    priced = cart_service.price_cart(shop.catalogue, cart, shop.settings.currency)
    return Quote.of(priced, destination, included_vat)


def checkout(shop: Shop, cart_id: str, details: CheckoutDetails, *, key: str) -> Order:
    """Buy the cart: place the order, charge the card, empty the cart.

    Once per cart and idempotency key. A repeat with the same key goes on where the first request
    stopped, or gives what it gave; the card of a repeat is used only if the first never got to
    the provider.

    Returns:
        The order, ``PAID``; or ``AWAITING_PAYMENT``, when the shopper must confirm the payment at
        ``order.payment.confirm_url``, or when the provider's answer was lost and a job will
        settle the order within a minute.

    Raises:
        PaymentDeclined: nothing was charged, the stock is back, the cart as it was.
        QuoteChanged: the shopper saw another total; nothing was placed.
        SoldOut: fewer pieces are left than wanted; nothing was placed.
        AlreadyOrdered: the cart was bought with another key, and not changed since.
        OrderCancelled: the order of this key was called off since.
        CheckoutInProgress: a request with this key is being worked on.
        KeyReused: the key belongs to a request with other content.
        CountryNotServed, CartIsEmpty, NotSoldAnyMore: as of ``quote_cart``.
    """
    order, is_new = _place(shop, cart_id, details, key)
    if is_new:
        log.info("order.placed", order=order.number, total=str(order.total))
    if order.state is OrderState.AWAITING_PAYMENT and order.payment.state is PaymentState.OPEN:
        if not is_new:
            transitions.claim_payment(shop.db, order, now=shop.now())
        order = _charge(shop, order, details.payment_token)
    return _delivered(shop, order)


def get_order(shop: Shop, number: str, email: str) -> Order:
    """The order with this number, if this is the e-mail address it was placed with.

    Raises:
        UnknownOrder: there is none. Which of the two is wrong is not said.
    """
    with shop.db.connect() as connection:
        order = OrderStore(connection).by_number(tidy_number(number))
    if order is None or order.email.casefold() != email.strip().casefold():
        raise UnknownOrder
    return order


def get_order_by_id(shop: Shop, order_id: str) -> Order:
    """The order with this id: 128 random bits that only its buyer's browser holds.

    Raises:
        UnknownOrder: there is none.
    """
    with shop.db.connect() as connection:
        order = OrderStore(connection).by_id(order_id)
    if order is None:
        raise UnknownOrder
    return order


def cancel_order(shop: Shop, number: str, email: str) -> Order:
    """Call off an order that is not paid yet. The stock is free at once.

    Raises:
        UnknownOrder: as of ``get_order``.
        AlreadyPaid: the money was faster.
    """
    order = get_order(shop, number, email)
    if order.state is OrderState.AWAITING_PAYMENT:
        order = transitions.cancel(
            shop.db,
            order,
            CancelReason.BY_SHOPPER,
            payment=PaymentState.CANCELLING,
            now=shop.now(),
        )
    if order.state is OrderState.PAID:
        raise AlreadyPaid(order.number)
    return order


def find_challenge(shop: Shop, reference: str) -> tuple[Challenge, Order]:
    """What the test bank's page shows: the payment that waits there, and its order.

    Raises:
        UnknownConfirmation: no payment waits under this reference.
    """
    challenge = TestProvider(shop.db).challenge(reference)
    return challenge, get_order_by_id(shop, challenge.order_id)


def confirm_payment(shop: Shop, reference: str, *, approve: bool) -> Order:
    """Answer on the test bank's page, and settle the order.

    Returns:
        The order: paid, cancelled when refused, or still awaiting when the provider's answer was
        lost and a job will settle it.

    Raises:
        UnknownConfirmation: no payment waits under this reference, or not any more.
    """
    order_id = TestProvider(shop.db).answer(reference, approve=approve)
    order = get_order_by_id(shop, order_id)
    try:
        charge = shop.payments.retrieve(order.id)
    except PaymentUnavailable:
        return order
    if charge is not None:
        order = transitions.record(shop.db, order, charge, now=shop.now())
    return _with_cart_emptied(shop, order)


def take_out_of_cart(shop: Shop, order: Order) -> None:
    """Take the goods of a paid order out of its cart, once however often it is asked.

    Raises:
        CartChanged, StoreUnavailable: not done; try again.
    """
    bought = {line.sku: line.quantity for line in order.lines}
    cart_service.take_out_bought(shop.carts, order.cart_id, order.id, bought, now=shop.now())


def _place(shop: Shop, cart_id: str, details: CheckoutDetails, key: str) -> tuple[Order, bool]:
    """The order of this key, and whether it has just been placed."""
    fingerprint = details.fingerprint
    try:
        quote = quote_cart(shop, cart_id, details.address.country)
        if quote.id != details.quote_id:
            raise QuoteChanged(str(quote.total))
    except ShopError:
        # A repeat finds its cart emptied, or at other prices: then the order is the answer.
        with shop.db.connect() as connection:
            before = OrderStore(connection).by_key(key_scope(cart_id), key, fingerprint)
        if before is None:
            raise
        return before, False
    order = Order.place(
        quote,
        email=details.email,
        address=details.address,
        now=shop.now(),
        payment_window=timedelta(seconds=shop.settings.payment_window_s),
    )
    return transitions.place_order(
        shop.db, order, key=key, fingerprint=fingerprint, provider=shop.payments.name
    )


def _charge(shop: Shop, order: Order, token: str) -> Order:
    try:
        charge = shop.payments.authorise(order.id, order.total, token)
    except PaymentUnavailable:
        # Money may have moved or not. The order's timer will ask, when an answer can be had.
        log.warning("payment.answer_lost", order=order.number)
        return order
    order = transitions.record(shop.db, order, charge, now=shop.now())
    log.info("payment.answered", order=order.number, charge=charge.state, state=order.state)
    return order


def _delivered(shop: Shop, order: Order) -> Order:
    """What a checkout answers with for an order in this state."""
    if order.state is OrderState.CANCELLED:
        if order.cancel_reason is CancelReason.PAYMENT_DECLINED:
            raise PaymentDeclined(order.number)
        raise OrderCancelled(order.number)
    return _with_cart_emptied(shop, order)


def _with_cart_emptied(shop: Shop, order: Order) -> Order:
    """An order stands whatever becomes of its cart: the job of ``order.paid`` does this as well."""
    if order.state is OrderState.PAID:
        try:
            take_out_of_cart(shop, order)
        except ShopError as error:
            log.warning("cart.not_emptied", order=order.number, reason=str(error))
    return order
