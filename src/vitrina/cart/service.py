"""Use cases of the cart: put in, change, take out, look."""

import random
import time
from collections.abc import Callable, Mapping
from datetime import datetime

from vitrina.cart.errors import CartChanged
from vitrina.cart.model import Cart, Line, PricedCart, PricedLine
from vitrina.cart.store import CartStore
from vitrina.catalogue.errors import UnknownSku
from vitrina.catalogue.service import Catalogue, find_variant
from vitrina.kernel.money import Money

# Two tabs of one shopper meet once or twice; a script that meets more often is told so.
_ATTEMPTS = 8
_LONGEST_PAUSE_S = 0.05


def read_cart(carts: CartStore, cart_id: str, *, now: datetime) -> Cart:
    """The cart as it stands; an empty one when there is none."""
    return carts.get(cart_id, now=now)


def add_item(
    carts: CartStore,
    catalogue: Catalogue,
    cart_id: str,
    sku: str,
    quantity: int,
    *,
    now: datetime,
) -> Cart:
    """Add units of a SKU at the catalogue's price.

    Raises:
        UnknownSku: the catalogue sells no such thing.
        CartFull, TooMany: more than a cart may hold; nothing was added.
        CartChanged: other requests kept writing this cart at the same moment.
    """
    _, variant = find_variant(catalogue, sku)
    return _change(
        carts, cart_id, lambda cart: cart.with_item(sku, quantity, variant.price), now=now
    )


def set_quantity(
    carts: CartStore,
    catalogue: Catalogue,
    cart_id: str,
    sku: str,
    quantity: int,
    *,
    now: datetime,
) -> Cart:
    """Set how many units of a SKU are in the cart, at the catalogue's price; 0 takes it out.

    Raises:
        UnknownSku: the catalogue does not sell it any more; it can only be taken out.
        NotInCart: the cart has no such line.
        TooMany: more than a line may hold; nothing was changed.
        CartChanged: other requests kept writing this cart at the same moment.
    """
    if quantity == 0:
        return remove_item(carts, cart_id, sku, now=now)
    _, variant = find_variant(catalogue, sku)
    return _change(
        carts, cart_id, lambda cart: cart.with_quantity(sku, quantity, variant.price), now=now
    )


def remove_item(carts: CartStore, cart_id: str, sku: str, *, now: datetime) -> Cart:
    """Take a SKU out of the cart. One that is not there stays out.

    Raises:
        CartChanged: other requests kept writing this cart at the same moment.
    """
    return _change(carts, cart_id, lambda cart: cart.without_item(sku), now=now)


def take_out_bought(
    carts: CartStore,
    cart_id: str,
    order_id: str,
    quantities: Mapping[str, int],
    *,
    now: datetime,
) -> Cart:
    """Take what an order has bought out of the cart, once per order, however often it is asked.

    Args:
        quantities: units ordered, by SKU.

    Raises:
        CartChanged: other requests kept writing this cart at the same moment.
    """
    return _change(carts, cart_id, lambda cart: cart.without_bought(order_id, quantities), now=now)


def price_cart(catalogue: Catalogue, cart: Cart, currency: str) -> PricedCart:
    """The cart at today's prices, each line beside the product as it is sold now.

    Args:
        currency: the shop's; that of the subtotal also when the cart is empty.
    """
    lines: list[PricedLine] = []
    gone: list[Line] = []
    for line in cart.lines:
        try:
            product, variant = find_variant(catalogue, line.sku)
        except UnknownSku:
            gone.append(line)
        else:
            lines.append(PricedLine(product, variant, line.quantity, line.unit_price))
    subtotal = Money.sum((line.total for line in lines), currency)
    return PricedCart(cart, tuple(lines), tuple(gone), subtotal)


def _change(
    carts: CartStore, cart_id: str, change: Callable[[Cart], Cart], *, now: datetime
) -> Cart:
    """Read, change, write; again from the start when another request was faster."""
    attempt = 1
    while True:
        cart = carts.get(cart_id, now=now)
        changed = change(cart)
        if changed == cart:
            return cart
        try:
            return carts.save(changed, now=now)
        except CartChanged:
            if attempt == _ATTEMPTS:
                raise
            attempt += 1
            time.sleep(random.uniform(0, _LONGEST_PAUSE_S))  # noqa: S311  spread, not secrecy
