"""The cart over HTTP, under the cookie that the first addition sets."""

from typing import Annotated, Protocol

from fastapi import APIRouter, Depends, Path, Response

from vitrina.cart import service
from vitrina.cart.errors import CartChanged, CartFull, NotInCart, TooMany
from vitrina.cart.model import Cart
from vitrina.cart.shopper import Shopper, Visitor
from vitrina.cart.store import CartStore
from vitrina.cart.views import AddItem, CartView, SetQuantity
from vitrina.catalogue import service as catalogue_service
from vitrina.catalogue.errors import UnknownSku
from vitrina.catalogue.model import MAX_SKU_LENGTH
from vitrina.catalogue.service import Catalogue
from vitrina.kernel.clock import Clock
from vitrina.platform.web import problems, services
from vitrina.settings import Settings

router = APIRouter(prefix="/cart", tags=["cart"])


class Shop(Protocol):
    """What these routes need of the shop."""

    @property
    def settings(self) -> Settings: ...
    @property
    def now(self) -> Clock: ...
    @property
    def carts(self) -> CartStore: ...
    @property
    def catalogue(self) -> Catalogue: ...


ShopDep = Annotated[Shop, Depends(services)]
SkuPath = Annotated[
    str,
    Path(
        max_length=MAX_SKU_LENGTH, description="Of a line of the cart", examples=["OAK-CHAIR-OAK"]
    ),
]


@router.get("")
def read_cart(shopper: Shopper, shop: ShopDep, response: Response) -> CartView:
    """The cart at today's prices; an empty one for a shopper without."""
    if shopper.is_new:
        return _view(shop, Cart(shopper.cart_id), response)
    cart = service.read_cart(shop.carts, shopper.cart_id, now=shop.now())
    return _kept(shop, shopper, cart, response)


@router.post(
    "/items", status_code=201, responses=problems(UnknownSku, CartFull, TooMany, CartChanged)
)
def add_item(body: AddItem, shopper: Shopper, shop: ShopDep, response: Response) -> CartView:
    """Add units of a product. The price comes from the catalogue, never from the browser."""
    cart = service.add_item(
        shop.carts, shop.catalogue, shopper.cart_id, body.sku, body.quantity, now=shop.now()
    )
    return _kept(shop, shopper, cart, response)


@router.patch("/items/{sku}", responses=problems(UnknownSku, NotInCart, TooMany, CartChanged))
def set_quantity(
    sku: SkuPath, body: SetQuantity, shopper: Shopper, shop: ShopDep, response: Response
) -> CartView:
    """Set how many units of a product are in the cart. Sending it twice changes nothing more."""
    cart = service.set_quantity(
        shop.carts, shop.catalogue, shopper.cart_id, sku, body.quantity, now=shop.now()
    )
    return _kept(shop, shopper, cart, response)


@router.delete("/items/{sku}", responses=problems(CartChanged))
def remove_item(sku: SkuPath, shopper: Shopper, shop: ShopDep, response: Response) -> CartView:
    """Take a product out of the cart. What is not in it stays out."""
    cart = service.remove_item(shop.carts, shopper.cart_id, sku, now=shop.now())
    return _kept(shop, shopper, cart, response)


def _kept(shop: Shop, shopper: Visitor, cart: Cart, response: Response) -> CartView:
    shopper.remember(response, cart)
    return _view(shop, cart, response)


def _view(shop: Shop, cart: Cart, response: Response) -> CartView:
    response.headers["Cache-Control"] = "private, no-store"
    priced = service.price_cart(shop.catalogue, cart, shop.settings.currency)
    keys = [line.variant.stock_key for line in priced.lines]
    return CartView.of(priced, catalogue_service.availability(shop.catalogue, keys))
