"""Quotes and orders as values: what was offered, what was promised, and how it may go on."""

import base64
import hashlib
import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from vitrina.cart.model import PricedCart
from vitrina.checkout.delivery import Country, shipping_price
from vitrina.checkout.errors import CartIsEmpty, NotSoldAnyMore
from vitrina.checkout.tax import TaxCalculator, TaxLine
from vitrina.kernel.ids import new_id, new_number
from vitrina.kernel.money import Money

# Crockford's base 32, of which order numbers are made, has no I, L and O: they are misread digits.
_MISREAD = str.maketrans("ILO", "110")


class OrderState(StrEnum):
    """Where an order stands. docs/checkout.md draws the ways between."""

    AWAITING_PAYMENT = "awaiting_payment"
    PAID = "paid"
    CANCELLED = "cancelled"


# Every way an order can go; there is no other.
NEXT: Mapping[OrderState, frozenset[OrderState]] = {
    OrderState.AWAITING_PAYMENT: frozenset({OrderState.PAID, OrderState.CANCELLED}),
    OrderState.PAID: frozenset(),
    OrderState.CANCELLED: frozenset(),
}


class CancelReason(StrEnum):
    """Why an order was cancelled."""

    PAYMENT_DECLINED = "payment_declined"  # by the bank, or on the confirmation page
    PAYMENT_LOST = "payment_lost"  # the provider never heard of the payment
    PAYMENT_LATE = "payment_late"  # not confirmed before the payment window closed
    BY_SHOPPER = "by_shopper"


class PaymentState(StrEnum):
    """What we know of the money of an order."""

    OPEN = "open"  # nothing yet: not asked, or the answer was lost
    NEEDS_CONFIRMATION = "needs_confirmation"  # by the shopper, on a page of the bank
    SUCCEEDED = "succeeded"
    DECLINED = "declined"  # nothing was charged, and never will be
    CANCELLING = "cancelling"  # the order is off; the provider must still be told
    CANCELLED = "cancelled"  # voided or refunded: nothing remains charged, and never will be


@dataclass(frozen=True, slots=True)
class Payment:
    """The payment of an order, as we know it."""

    state: PaymentState = PaymentState.OPEN
    confirm_url: str = ""  # path of the page the shopper must visit while it needs confirmation


@dataclass(frozen=True, slots=True)
class Address:
    """Where the goods go."""

    name: str
    line1: str
    line2: str
    postal_code: str
    city: str
    country: str  # ISO 3166-1 alpha-2
    phone: str = ""


@dataclass(frozen=True, slots=True)
class CheckoutDetails:
    """What a shopper tells us to buy the cart."""

    email: str
    address: Address
    quote_id: str  # of the quote whose total the shopper saw
    payment_token: str = field(repr=False)  # stands for a card; never stored, never logged

    @property
    def fingerprint(self) -> str:
        """Tells two requests apart. The card is left out: even its hash is not ours to keep."""
        address = [getattr(self.address, name) for name in Address.__slots__]
        return _digest([self.email, *address, self.quote_id])


@dataclass(frozen=True, slots=True)
class OrderLine:
    """Units of one SKU at the price they were offered and ordered at."""

    sku: str
    title: str
    choices: tuple[str, ...]  # such as ("Walnut",), in the order the product names its options
    quantity: int
    unit_price: Money
    stock_key: str

    @property
    def total(self) -> Money:
        return self.unit_price * self.quantity

    @property
    def name(self) -> str:
        """Title and choices on one line: ``Oak chair, Walnut``."""
        return ", ".join((self.title, *self.choices))


@dataclass(frozen=True, slots=True)
class Quote:
    """What a cart costs, delivered to a country. ``subtotal + shipping == total``, and the
    lines of ``taxes`` divide exactly that total."""

    cart_id: str
    cart_revision: str
    country: str
    lines: tuple[OrderLine, ...]
    subtotal: Money
    shipping: Money
    taxes: tuple[TaxLine, ...]

    @classmethod
    def of(cls, priced: PricedCart, country: Country, tax: TaxCalculator) -> "Quote":
        """Work out what a cart costs at today's prices.

        Raises:
            CartIsEmpty: there is nothing to buy.
            NotSoldAnyMore: the cart holds something the shop has stopped selling.
        """
        if priced.gone:
            raise NotSoldAnyMore([line.sku for line in priced.gone])
        if not priced.lines:
            raise CartIsEmpty
        shipping = shipping_price(country, priced.subtotal)
        return cls(
            cart_id=priced.cart.id,
            cart_revision=priced.cart.revision,
            country=country.code,
            lines=tuple(
                OrderLine(
                    sku=line.sku,
                    title=line.product.title,
                    choices=line.variant.choices,
                    quantity=line.quantity,
                    unit_price=line.unit_price,
                    stock_key=line.variant.stock_key,
                )
                for line in priced.lines
            ),
            subtotal=priced.subtotal,
            shipping=shipping,
            taxes=tax(country, priced.subtotal, shipping),
        )

    @property
    def total(self) -> Money:
        return self.subtotal + self.shipping

    @property
    def tax(self) -> Money:
        """Tax contained in the total."""
        return Money.sum((line.tax for line in self.taxes), self.total.currency)

    @property
    def id(self) -> str:
        """The same for the same goods at the same prices and shipping, and only then."""
        lines = [[line.sku, line.quantity, line.unit_price.minor] for line in self.lines]
        return _digest([self.total.currency, self.shipping.minor, lines])


@dataclass(frozen=True, slots=True)
class Order:
    """A promise: these goods, at these prices, to this address."""

    id: str
    number: str  # for people; unguessable
    state: OrderState
    email: str
    address: Address
    lines: tuple[OrderLine, ...]
    subtotal: Money
    shipping: Money
    taxes: tuple[TaxLine, ...]
    cart_id: str
    cart_revision: str
    placed_at: datetime
    pay_by: datetime  # an order not paid by then is cancelled
    finished_at: datetime | None = None  # when it was paid or cancelled
    cancel_reason: CancelReason | None = None
    payment: Payment = Payment()

    @classmethod
    def place(
        cls, quote: Quote, *, email: str, address: Address, now: datetime, payment_window: timedelta
    ) -> "Order":
        """Promise what was quoted."""
        return cls(
            id=new_id(),
            number=new_number(),
            state=OrderState.AWAITING_PAYMENT,
            email=email,
            address=address,
            lines=quote.lines,
            subtotal=quote.subtotal,
            shipping=quote.shipping,
            taxes=quote.taxes,
            cart_id=quote.cart_id,
            cart_revision=quote.cart_revision,
            placed_at=now,
            pay_by=now + payment_window,
        )

    @property
    def total(self) -> Money:
        return self.subtotal + self.shipping

    @property
    def tax(self) -> Money:
        """Tax contained in the total."""
        return Money.sum((line.tax for line in self.taxes), self.total.currency)

    @property
    def pieces(self) -> dict[str, int]:
        """Units by stock key: what was taken from stock for this order."""
        pieces: Counter[str] = Counter()
        for line in self.lines:
            pieces[line.stock_key] += line.quantity
        return dict(pieces)

    def paid(self, now: datetime) -> "Order":
        """The order once its money has arrived."""
        payment = Payment(PaymentState.SUCCEEDED)
        return replace(self, state=OrderState.PAID, finished_at=now, payment=payment)

    def cancelled(self, reason: CancelReason, payment: PaymentState, now: datetime) -> "Order":
        """The order once it is off."""
        return replace(
            self,
            state=OrderState.CANCELLED,
            finished_at=now,
            cancel_reason=reason,
            payment=Payment(payment),
        )


def tidy_number(text: str) -> str:
    """An order's number as it is stored, from the way somebody typed it."""
    plain = re.sub(r"[\W_]", "", text.upper()).translate(_MISREAD)
    return f"{plain[:4]}-{plain[4:8]}-{plain[8:]}"


def _digest(value: object) -> str:
    """22 characters that stand for a value of lists, strings and numbers."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()[:16]).decode()[:22]
