"""The web, in the shop's terms: what every route and every layer in front of the routes shares."""

from typing import Any

from starlette.requests import Request

from vitrina.platform.web.answers import install_errors
from vitrina.platform.web.problems import problems

__all__ = ["install_errors", "problems", "services"]


async def services(request: Request) -> Any:
    """What wiring built, for ``Depends``. A domain names what it needs of it as a Protocol.

        class Shop(Protocol):
            @property
            def carts(self) -> CartStore: ...

        ShopDep = Annotated[Shop, Depends(services)]

    It is a coroutine function because that spares each request a trip through the thread pool.
    """
    return request.app.state.services
