"""The web, in the shop's terms: what every route and every layer in front of the routes shares.

    a request
       │
    access      its id, one line in the log; answers 500 should a layer fail
    headers     security headers and content policy on every answer
    limits      400 414 431  addresses and headers that no browser sends
    files       /static and /assets, named after their content, from memory
    probes      /healthz, /readyz
    (closed)    503  in maintenance
    origin      403  writing from pages of other sites
    pagecache   public pages from memory: rendered once, ETag, brotli; HEAD; 304
    shedding    503  too much came in; checkouts last
    body        408 413 400  the whole body, in time, as text
       │
    FastAPI     the routes; whatever goes wrong there, ``answers`` translates

Each layer is one file of plain ASGI. ``entrypoints.http`` puts them together, and it matters in
which order: what is refused early costs least, a page from memory passes neither the queue nor
FastAPI, and every answer, a refusal too, gets its headers and its line in the log.
"""

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
