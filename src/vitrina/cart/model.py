"""A cart as a value: what is in it, how it changes, and what it costs at today's prices."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta

from vitrina.cart.errors import CartFull, NotInCart, TooMany
from vitrina.catalogue.model import Product, Variant
from vitrina.kernel.money import Money

MAX_LINES = 50
MAX_QUANTITY = 99
LIFETIME = timedelta(days=30)  # counted from the last change


@dataclass(frozen=True, slots=True)
class Line:
    """Units of one SKU, and the price the shopper saw when putting them in."""

    sku: str
    quantity: int
    unit_price: Money


@dataclass(frozen=True, slots=True)
class Cart:
    """What one shopper means to buy."""

    id: str
    lines: tuple[Line, ...] = ()
    revision: str = ""  # changes with every write; empty means never stored
    bought: tuple[str, ...] = ()  # ids of the orders whose goods have left this cart
    # Revisions before this one, oldest first: how a repeated write recognises its first try.
    earlier: tuple[str, ...] = field(default=(), compare=False, repr=False)

    @property
    def units(self) -> int:
        """Pieces in all, as the badge shows them."""
        return sum(line.quantity for line in self.lines)

    def with_item(self, sku: str, quantity: int, unit_price: Money) -> "Cart":
        """Add units of a SKU. One already here grows in its place, at today's price.

        Raises:
            CartFull: one article more than ``MAX_LINES``.
            TooMany: more than ``MAX_QUANTITY`` units of this SKU.
        """
        held = next((line.quantity for line in self.lines if line.sku == sku), 0)
        return self._with(sku, held + _checked(quantity, sku), unit_price)

    def with_quantity(self, sku: str, quantity: int, unit_price: Money) -> "Cart":
        """Set how many units of a SKU are here, at today's price.

        Raises:
            NotInCart: the SKU is not in the cart.
            TooMany: more than ``MAX_QUANTITY``.
        """
        if all(line.sku != sku for line in self.lines):
            raise NotInCart(sku)
        return self._with(sku, _checked(quantity, sku), unit_price)

    def without_item(self, sku: str) -> "Cart":
        """Take a SKU out. One that is not here stays out."""
        return replace(self, lines=tuple(line for line in self.lines if line.sku != sku))

    def without_bought(self, order_id: str, quantities: Mapping[str, int]) -> "Cart":
        """Take the goods of an order out, once per order.

        What was added after the order was placed stays: only the ordered units leave.
        """
        if order_id in self.bought:
            return self
        left = (
            replace(line, quantity=line.quantity - quantities.get(line.sku, 0))
            for line in self.lines
        )
        return replace(
            self,
            lines=tuple(line for line in left if line.quantity > 0),
            bought=(*self.bought, order_id)[-MAX_LINES:],
        )

    def _with(self, sku: str, quantity: int, unit_price: Money) -> "Cart":
        if quantity > MAX_QUANTITY:
            raise TooMany(sku, MAX_QUANTITY)
        lines = {line.sku: line for line in self.lines}
        lines[sku] = Line(sku, quantity, unit_price)
        if len(lines) > MAX_LINES:
            raise CartFull(MAX_LINES)
        return replace(self, lines=tuple(lines.values()))


@dataclass(frozen=True, slots=True)
class PricedLine:
    """A line beside what the catalogue says about it now."""

    product: Product
    variant: Variant
    quantity: int
    price_seen: Money

    @property
    def sku(self) -> str:
        return self.variant.sku

    @property
    def unit_price(self) -> Money:
        return self.variant.price

    @property
    def total(self) -> Money:
        return self.variant.price * self.quantity

    @property
    def price_changed(self) -> bool:
        """Whether the price differs from the one the shopper put it in at."""
        return self.variant.price != self.price_seen


@dataclass(frozen=True, slots=True)
class PricedCart:
    """A cart at today's prices."""

    cart: Cart
    lines: tuple[PricedLine, ...]
    gone: tuple[Line, ...]  # not sold any more; they cost nothing and must leave before checkout
    subtotal: Money


def _checked(quantity: int, sku: str) -> int:
    if quantity < 1:
        raise ValueError(f"{quantity=} of {sku}")
    return quantity
