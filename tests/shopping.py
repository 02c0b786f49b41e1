"""Going shopping in a test's shop: goods on the shelf, a filled cart, a purchase, the books."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from tests.builders import product
from vitrina.cart import service as cart_service
from vitrina.catalogue import stock
from vitrina.catalogue.service import find_product, save_product
from vitrina.checkout import service
from vitrina.checkout.model import Address, CheckoutDetails, Order, OrderState, PaymentState
from vitrina.checkout.payments.test_provider import CHARGES, SUCCEEDS
from vitrina.checkout.store import ORDER_EVENTS, ORDERS, OrderStore
from vitrina.entrypoints.wiring import Services
from vitrina.entrypoints.worker import consume_once
from vitrina.kernel.ids import new_id
from vitrina.platform import outbox

ADDRESS = Address(
    name="Ada Byron",
    line1="Keizersgracht 1",
    line2="",
    postal_code="1015 CJ",
    city="Amsterdam",
    country="NL",
)
MOVED = {"paid": OrderState.PAID, "cancelled": OrderState.CANCELLED}


# The embedded DynamoDB removes carts whose time is over by the real clock: so it lies ahead of it.
LONG_AHEAD = datetime(2100, 5, 4, 12, 0, tzinfo=UTC)


class MovableClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self._now = LONG_AHEAD

    def __call__(self) -> datetime:
        return self._now

    def advance(self, **by: float) -> None:
        self._now += timedelta(**by)


def on_shelf(
    shop: Services, slug: str = "oak-chair", price: str = "129.50", pieces: int = 10
) -> str:
    """Put a product on sale, with a stock. Returns its SKU."""
    saved = save_product(shop.catalogue, product(slug, price), now=shop.now())
    sku = saved.variants[0].sku
    restock(shop, sku, pieces)
    return sku


def reprice(shop: Services, slug: str, price: str) -> None:
    """Change the price of a product that ``on_shelf`` made."""
    before = find_product(shop.catalogue, slug)
    after = replace(before, variants=product(slug, price).variants)
    save_product(shop.catalogue, after, now=shop.now())


def restock(shop: Services, sku: str, pieces: int) -> None:
    with shop.db.begin() as tx:
        stock.set_level(tx, sku, pieces)


def stock_of(shop: Services, sku: str) -> int:
    return stock.levels(shop.db, [sku])[sku]


def cart_with(shop: Services, quantities: dict[str, int]) -> str:
    """A new cart with these units. Returns its id."""
    cart_id = new_id()
    for sku, quantity in quantities.items():
        cart_service.add_item(shop.carts, shop.catalogue, cart_id, sku, quantity, now=shop.now())
    return cart_id


def skus_in(shop: Services, cart_id: str) -> dict[str, int]:
    cart = cart_service.read_cart(shop.carts, cart_id, now=shop.now())
    return {line.sku: line.quantity for line in cart.lines}


def details(shop: Services, cart_id: str, card: str = SUCCEEDS, **changes: Any) -> CheckoutDetails:
    """What a shopper sends who has just seen the total."""
    address = replace(ADDRESS, **changes.pop("address", {}))
    quote = service.quote_cart(shop, cart_id, address.country)
    given = CheckoutDetails("ada@example.com", address, quote.id, card)
    return replace(given, **changes)


def buy(shop: Services, quantities: dict[str, int], card: str = SUCCEEDS) -> Order:
    """Fill a cart and check it out."""
    cart_id = cart_with(shop, quantities)
    return service.checkout(shop, cart_id, details(shop, cart_id, card), key=new_id())


def work_off(shop: Services) -> int:
    """Do what the worker does until nothing is due. Returns the number of jobs done."""
    done = 0
    with ThreadPoolExecutor(outbox.BATCH) as hands:
        while True:
            sent = outbox.relay(shop.db, shop.events, now=shop.now())
            taken = consume_once(shop, hands, wait_s=0)
            done += taken
            if not sent and not taken:
                return done


def all_orders(shop: Services) -> list[Order]:
    with shop.db.connect() as connection:
        return OrderStore(connection).newest(limit=10_000)


def history_of(shop: Services, order: Order) -> list[str]:
    with shop.db.connect() as connection:
        return [what for _, what, _ in OrderStore(connection).history(order.id)]


def check_books(shop: Services, stocks: dict[str, int], *, settled: bool = True) -> list[Order]:
    """Assert that goods, orders, money and history agree to the last piece and cent.

    Args:
        stocks: pieces by SKU before anything was sold.
        settled: nothing may be left open: each order is paid or cancelled, no money lies wrong.

    Returns:
        Every order.
    """
    orders = all_orders(shop)
    held = dict.fromkeys(stocks, 0)
    with shop.db.connect() as connection:
        charges = {row.order_id: row for row in connection.execute(select(CHARGES))}
        rows = {row.id: row for row in connection.execute(select(ORDERS))}
        histories: dict[str, list[str]] = {order.id: [] for order in orders}
        for row in connection.execute(select(ORDER_EVENTS).order_by(ORDER_EVENTS.c.id)):
            histories[row.order_id].append(row.what)
    assert charges.keys() <= rows.keys(), "a charge without its order"
    for order in orders:
        assert order.lines
        assert order.subtotal.minor == sum(line.total.minor for line in order.lines)
        assert order.total.minor == rows[order.id].total_minor
        assert order.total.minor == sum(line.gross.minor for line in order.taxes)
        history = histories[order.id]
        assert history[0] == "placed"
        ends = [MOVED[what] for what in history if what in MOVED]
        assert ends == ([] if order.state is OrderState.AWAITING_PAYMENT else [order.state])
        if order.state is not OrderState.CANCELLED:
            for line in order.lines:
                held[line.sku] += line.quantity
        if settled:
            assert order.state is not OrderState.AWAITING_PAYMENT
            assert order.payment.state is not PaymentState.CANCELLING
            charge = charges.get(order.id)
            kept = charge.charged_minor - charge.refunded_minor if charge else 0
            assert kept == (order.total.minor if order.state is OrderState.PAID else 0)
    for sku, pieces in stocks.items():
        assert stock_of(shop, sku) + held[sku] == pieces, sku
    return orders
