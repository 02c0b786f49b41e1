"""Who is shopping: the cart cookie in, the cart cookies out."""

from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends, Request
from starlette.responses import Response

from vitrina.cart.model import LIFETIME, Cart
from vitrina.kernel.ids import is_id, new_id
from vitrina.platform.web import services
from vitrina.settings import Settings

COUNT_COOKIE = "cart_count"  # readable by scripts: the badge on pages that are cached for everybody
_LIFETIME_S = int(LIFETIME.total_seconds())


class _Shop(Protocol):
    @property
    def settings(self) -> Settings: ...


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a cart. The id is fresh when the request brought none, or no real one."""

    cart_id: str
    is_new: bool
    secure_cookies: bool

    def remember(self, response: Response, cart: Cart) -> None:
        """Let the browser keep the cart's id, and the number of units for the badge."""
        response.set_cookie(
            cart_cookie(secure=self.secure_cookies),
            cart.id,
            max_age=_LIFETIME_S,
            path="/",
            secure=self.secure_cookies,
            httponly=True,
            samesite="lax",
        )
        response.set_cookie(
            COUNT_COOKIE,
            str(cart.units),
            max_age=_LIFETIME_S,
            path="/",
            secure=self.secure_cookies,
            samesite="lax",
        )

    def clear_badge(self, response: Response) -> None:
        """After a purchase. What stayed in the cart is counted at the next look into it."""
        response.delete_cookie(COUNT_COOKIE, path="/", secure=self.secure_cookies, samesite="lax")


def cart_cookie(*, secure: bool) -> str:
    """The cookie's name: with HTTPS the prefix keeps other hosts of the domain from setting it."""
    return "__Host-cart" if secure else "cart"


async def shopper(request: Request, shop: Annotated[_Shop, Depends(services)]) -> Visitor:
    """Read the cart cookie. Anything that is not an id of ours counts as no cart.

    It waits for nothing: being a coroutine function spares each request a trip through the thread
    pool.
    """
    secure = shop.settings.secure_cookies
    cart_id = request.cookies.get(cart_cookie(secure=secure), "")
    known = is_id(cart_id)
    return Visitor(cart_id if known else new_id(), is_new=not known, secure_cookies=secure)


Shopper = Annotated[Visitor, Depends(shopper)]
