"""The cart's use cases against the real table and catalogue."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.shopping import MovableClock, cart_with, reprice, skus_in
from vitrina.cart import service
from vitrina.cart.errors import CartFull, NotInCart, TooMany
from vitrina.cart.model import MAX_LINES, MAX_QUANTITY, Cart, Line
from vitrina.catalogue.errors import UnknownSku
from vitrina.catalogue.service import archive
from vitrina.entrypoints.wiring import Services
from vitrina.kernel.money import Money


def add(shop: Services, cart_id: str, sku: str, quantity: int = 1) -> Cart:
    return service.add_item(shop.carts, shop.catalogue, cart_id, sku, quantity, now=shop.now())


def test_two_tabs_adding_at_once_lose_nothing(shop: Services) -> None:
    with ThreadPoolExecutor(2) as tabs:
        list(tabs.map(lambda sku: add(shop, "c", sku), ["CHAIR", "LAMP"]))

    assert skus_in(shop, "c") == {"CHAIR": 1, "LAMP": 1}


def test_six_tabs_adding_the_same_thing_at_once_add_it_six_times(shop: Services) -> None:
    with ThreadPoolExecutor(6) as tabs:
        list(tabs.map(lambda _: add(shop, "c", "CHAIR"), range(6)))

    assert skus_in(shop, "c") == {"CHAIR": 6}


def test_the_price_in_the_cart_is_the_catalogues(shop: Services) -> None:
    assert add(shop, "c", "CHAIR").lines == (Line("CHAIR", 1, Money(12950, "EUR")),)


def test_what_the_catalogue_does_not_sell_cannot_enter_a_cart(shop: Services) -> None:
    archive(shop.catalogue, "lamp", now=shop.now())

    for sku in ("LAMP", "UNHEARD-OF", "", "chair", "🪑"):
        with pytest.raises(UnknownSku):
            add(shop, "c", sku)
    assert skus_in(shop, "c") == {}


def test_a_refused_addition_changes_nothing(shop: Services) -> None:
    full = Cart(
        "c", tuple(Line(f"SKU-{number}", 1, Money(1, "EUR")) for number in range(MAX_LINES))
    )
    shop.carts.save(full, now=shop.now())

    with pytest.raises(CartFull):
        add(shop, "c", "CHAIR")
    with pytest.raises(TooMany):
        add(shop, "c2", "CHAIR", MAX_QUANTITY + 1)

    assert shop.carts.get("c", now=shop.now()).lines == full.lines
    assert skus_in(shop, "c2") == {}


def test_a_quantity_is_set_at_todays_price_and_zero_takes_the_line_out(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1, "MUG": 2})
    reprice(shop, "chair", "99.00")

    def put(sku: str, quantity: int) -> Cart:
        return service.set_quantity(
            shop.carts, shop.catalogue, cart_id, sku, quantity, now=shop.now()
        )

    assert put("CHAIR", 3).lines[0] == Line("CHAIR", 3, Money(9900, "EUR"))
    assert put("MUG", 0).lines == (Line("CHAIR", 3, Money(9900, "EUR")),)
    with pytest.raises(NotInCart):
        put("LAMP", 1)
    assert skus_in(shop, cart_id) == {"CHAIR": 3}


def test_taking_out_what_is_not_there_writes_nothing(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    before = shop.carts.get(cart_id, now=shop.now())

    assert service.remove_item(shop.carts, cart_id, "LAMP", now=shop.now()) == before
    assert shop.carts.get(cart_id, now=shop.now()).revision == before.revision


def test_the_shopper_sees_todays_prices_and_what_they_were(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 2, "MUG": 1})
    reprice(shop, "chair", "150.00")
    cart = service.read_cart(shop.carts, cart_id, now=shop.now())

    priced = service.price_cart(shop.catalogue, cart, "EUR")

    assert [(line.sku, line.price_changed) for line in priced.lines] == [
        ("CHAIR", True),
        ("MUG", False),
    ]
    assert priced.lines[0].price_seen == Money(12950, "EUR")
    assert priced.subtotal == Money(2 * 15000 + 1240, "EUR")


def test_what_is_not_sold_any_more_is_named_and_costs_nothing(shop: Services) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1, "LAMP": 1})
    archive(shop.catalogue, "lamp", now=shop.now())
    cart = service.read_cart(shop.carts, cart_id, now=shop.now())

    priced = service.price_cart(shop.catalogue, cart, "EUR")

    assert [line.sku for line in priced.gone] == ["LAMP"]
    assert priced.subtotal == Money(12950, "EUR")


def test_an_expired_cart_starts_again_from_nothing(shop: Services, clock: MovableClock) -> None:
    cart_id = cart_with(shop, {"CHAIR": 1})
    clock.advance(days=30)

    assert add(shop, cart_id, "MUG").lines == (Line("MUG", 1, Money(1240, "EUR")),)
    assert skus_in(shop, cart_id) == {"MUG": 1}
