"""What the pages need of the shop, and the two ways to show one: to everybody, to one shopper."""

from typing import Annotated, Any, Protocol

from fastapi import Depends
from fastapi.responses import HTMLResponse, RedirectResponse
from minijinja import Environment
from sqlalchemy import Engine

from vitrina.cart.store import CartStore
from vitrina.catalogue import service as catalogue_service
from vitrina.catalogue.service import Catalogue
from vitrina.checkout.payments.provider import PaymentProvider
from vitrina.kernel.clock import Clock
from vitrina.platform.web import services
from vitrina.settings import Settings
from vitrina.storefront.views import Room, rooms

# A CDN asks again after a minute, and shows the last good page while the shop is down.
PUBLIC = "public, max-age=0, s-maxage=60, stale-while-revalidate=600, stale-if-error=86400"
PRIVATE = "private, no-store"


class Shop(Protocol):
    """What the pages need of the shop."""

    @property
    def settings(self) -> Settings: ...
    @property
    def now(self) -> Clock: ...
    @property
    def db(self) -> Engine: ...
    @property
    def catalogue(self) -> Catalogue: ...
    @property
    def carts(self) -> CartStore: ...
    @property
    def payments(self) -> PaymentProvider: ...
    @property
    def pages(self) -> Environment: ...


ShopDep = Annotated[Shop, Depends(services)]


def all_rooms(shop: Shop) -> tuple[Room, ...]:
    """The categories that hold something, for the menu of every page."""
    return rooms(catalogue_service.categories(shop.catalogue))


def public_page(shop: Shop, template: str, **values: Any) -> HTMLResponse:
    """A page that is the same for everybody; caches may keep it."""
    return HTMLResponse(
        shop.pages.render_template(template, **values), headers={"Cache-Control": PUBLIC}
    )


def private_page(shop: Shop, template: str, *, status: int = 200, **values: Any) -> HTMLResponse:
    """A page for one shopper; nobody keeps it."""
    return HTMLResponse(
        shop.pages.render_template(template, categories=all_rooms(shop), **values),
        status,
        headers={"Cache-Control": PRIVATE},
    )


def see_other(address: str) -> RedirectResponse:
    """Answer a form: look there, with GET."""
    return RedirectResponse(address, 303, headers={"Cache-Control": PRIVATE})
