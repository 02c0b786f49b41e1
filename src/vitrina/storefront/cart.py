"""The cart's pages and forms. Each form answers with "see other", so that reloading is safe."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Query
from fastapi.responses import Response

from vitrina.cart import service as cart_service
from vitrina.cart.model import MAX_QUANTITY, Cart, PricedCart, PricedLine
from vitrina.cart.shopper import Shopper, Visitor
from vitrina.catalogue import service as catalogue_service
from vitrina.catalogue.model import (
    MAX_NAME_LENGTH,
    MAX_SKU_LENGTH,
    MAX_SLUG_LENGTH,
    Availability,
)
from vitrina.storefront.shop import Shop, ShopDep, all_rooms, private_page, see_other
from vitrina.storefront.views import Picture, Room, nearest_variant, tint_of

router = APIRouter()

Sku = Annotated[str, Form(max_length=MAX_SKU_LENGTH)]
Slug = Annotated[str, Form(max_length=MAX_SLUG_LENGTH)]
Chosen = Annotated[str, Form(max_length=MAX_NAME_LENGTH)]
DRAWER = "drawer"  # the answer is shown in the page that asked, instead of the cart's own page


@dataclass(frozen=True, slots=True)
class CartLine:
    """A line of the cart as the pages show it."""

    line: PricedLine
    name: str  # the choices, such as "Oak, large"
    url: str
    picture: Picture | None
    tint: int
    availability: Availability


@router.get("/cart")
def show_cart(shop: ShopDep, shopper: Shopper) -> Response:
    """What is in the cart, at today's prices."""
    priced = _priced(shop, shopper)
    page = private_page(
        shop,
        "cart.html",
        priced=priced,
        lines=cart_lines(shop, priced, all_rooms(shop)),
        max_quantity=MAX_QUANTITY,
    )
    if not shopper.is_new:
        shopper.remember(page, priced.cart)
    return page


@router.post("/cart/items")
def add_item(
    shop: ShopDep,
    shopper: Shopper,
    sku: Sku = "",
    product: Slug = "",
    choice_1: Chosen = "",
    choice_2: Chosen = "",
    choice_3: Chosen = "",
    choice_4: Chosen = "",
    quantity: Annotated[int, Form(ge=1, le=MAX_QUANTITY)] = 1,
    view: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Put units in the cart: of a SKU, or of a product with a value chosen for each option.

    What is sold out stays out, and so does what is not made: the product's page says so.
    """
    if product:
        found = catalogue_service.get_product(shop.catalogue, product)
        choices = (choice_1, choice_2, choice_3, choice_4)
        variant = nearest_variant(found, choices)
        if variant.choices != choices[: len(found.options)]:
            return see_other(f"/p/{found.slug}?variant={quote(variant.sku)}")
    else:
        found, variant = catalogue_service.find_variant(shop.catalogue, sku)
    available = catalogue_service.availability(shop.catalogue, [variant.stock_key])
    if available[variant.stock_key] is Availability.SOLD_OUT:
        return see_other(f"/p/{found.slug}?variant={quote(variant.sku)}")
    cart = cart_service.add_item(
        shop.carts, shop.catalogue, shopper.cart_id, variant.sku, quantity, now=shop.now()
    )
    if view == DRAWER:
        priced = cart_service.price_cart(shop.catalogue, cart, shop.settings.currency)
        lines = cart_lines(shop, priced, all_rooms(shop))
        added = next(line for line in lines if line.line.sku == variant.sku)
        answer: Response = private_page(
            shop, "drawer.html", added=added, quantity=quantity, priced=priced
        )
    else:
        answer = see_other("/cart")
    shopper.remember(answer, cart)
    return answer


@router.post("/cart/items/{sku}")
def change_item(
    shop: ShopDep,
    shopper: Shopper,
    sku: str,
    quantity: Annotated[int, Form(ge=0, le=MAX_QUANTITY)],
) -> Response:
    """Set how many units of a SKU are in the cart; 0 takes it out."""
    cart = cart_service.set_quantity(
        shop.carts, shop.catalogue, shopper.cart_id, sku, quantity, now=shop.now()
    )
    answer = see_other("/cart")
    shopper.remember(answer, cart)
    return answer


def cart_lines(shop: Shop, priced: PricedCart, rooms: Sequence[Room]) -> list[CartLine]:
    """The lines with their pictures and what the stock says."""
    keys = [line.variant.stock_key for line in priced.lines]
    available = catalogue_service.availability(shop.catalogue, keys)
    return [
        CartLine(
            line=line,
            name=", ".join(line.variant.choices),
            url=f"/p/{line.product.slug}?variant={quote(line.sku)}",
            picture=Picture.of(line.product.poster(line.variant.material_variant)),
            tint=tint_of(line.product.category, rooms),
            availability=available[line.variant.stock_key],
        )
        for line in priced.lines
    ]


def _priced(shop: Shop, shopper: Visitor) -> PricedCart:
    if shopper.is_new:
        cart = Cart(shopper.cart_id)
    else:
        cart = cart_service.read_cart(shop.carts, shopper.cart_id, now=shop.now())
    return cart_service.price_cart(shop.catalogue, cart, shop.settings.currency)
