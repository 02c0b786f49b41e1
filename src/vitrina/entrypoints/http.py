"""The web process: the routes of every domain behind the layers of ``platform.web``.

uvicorn --factory vitrina.entrypoints.http:app
"""

import gc
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from importlib.metadata import version

import anyio.to_thread
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from pydantic import ValidationError
from sqlalchemy import text
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vitrina.cart import routes as cart_routes
from vitrina.catalogue import routes as catalogue_routes
from vitrina.checkout import routes as checkout_routes
from vitrina.entrypoints import documentation
from vitrina.entrypoints.wiring import Services, build
from vitrina.kernel.errors import ShopError
from vitrina.platform import log, static
from vitrina.platform.web import install_errors
from vitrina.platform.web.access import AccessLog
from vitrina.platform.web.answers import error_response
from vitrina.platform.web.body import WholeBody
from vitrina.platform.web.errors import Maintenance
from vitrina.platform.web.files import Assets, StaticFiles
from vitrina.platform.web.headers import SecurityHeaders
from vitrina.platform.web.limits import Limits
from vitrina.platform.web.origin import OriginCheck
from vitrina.platform.web.pagecache import PageCache
from vitrina.platform.web.probes import Probes
from vitrina.platform.web.shedding import LoadShedder
from vitrina.settings import Settings, explain
from vitrina.storefront import routes as storefront_routes

# As many as the SQL pool lends connections: a further thread would only wait for one.
THREADS = 20
# Beyond this many requests in the routes, the next would wait for longer than people do.
MAX_WAITING = 4 * THREADS

API = "/api/v1"
API_ROUTERS: tuple[APIRouter, ...] = (
    catalogue_routes.router,
    cart_routes.router,
    checkout_routes.router,
)
PAGE_ROUTERS: tuple[APIRouter, ...] = (storefront_routes.router, documentation.router)

_SHED_LAST = tuple(
    prefix + path for prefix in ("", API) for path in ("/cart", "/checkout", "/orders")
)


def app() -> ASGIApp:
    """The web process as uvicorn's factory wants it, from the environment's settings.

    Raises:
        SystemExit: a setting is wrong; says which, and what is allowed.
    """
    try:
        settings = Settings()
    except ValidationError as error:
        raise SystemExit(explain(error)) from None
    log.configure(settings.log_level)
    shop = create_app(build(settings))
    # What is here now stays: the collector need not look through it with every full pass.
    gc.collect()
    gc.freeze()
    return shop


def create_app(services: Services, *, further: Sequence[APIRouter] = ()) -> ASGIApp:
    """The shop as an ASGI application. See ``platform.web`` for the order of its layers.

    Args:
        further: routes beside the shop's own.

    Raises:
        StaticNotBuilt: the front end has not been built.
    """
    static.manifest()
    settings = services.settings
    routes = create_routes(services, further)
    templates = {
        route.endpoint: route.path for route in iter_route_contexts(routes.routes) if route.path
    }

    def refuse(error: ShopError, scope: Scope) -> Response:
        return error_response(error, scope, services.pages)

    def template_of(scope: Scope) -> str:
        return templates.get(scope.get("endpoint"), "")

    layered: ASGIApp = routes
    layered = WholeBody(layered, refuse, limit_bytes=settings.request_body_max_bytes)
    layered = LoadShedder(
        layered,
        refuse,
        is_last=lambda path: path.startswith(_SHED_LAST),
        max_waiting=MAX_WAITING,
        crowd=THREADS,
    )
    layered = PageCache(layered, max_age_s=settings.page_max_age_s)
    routes.state.page_cache = layered
    layered = OriginCheck(layered, refuse, public_url=settings.public_url)
    if settings.maintenance:
        layered = _closed(layered, refuse)
    layered = Probes(layered, neighbours=_neighbours(services))
    layered = Assets(layered, refuse, assets=services.assets)
    layered = StaticFiles(layered, refuse)
    layered = Limits(layered, refuse)
    layered = SecurityHeaders(layered, https=settings.public_url.startswith("https://"))
    return AccessLog(
        layered, refuse, template_of=template_of, enabled=settings.log_level in ("debug", "info")
    )


def create_routes(services: Services, further: Sequence[APIRouter] = ()) -> FastAPI:
    """The routes of every domain, without the layers in front of them."""

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = THREADS
        yield
        services.db.dispose()

    routes = FastAPI(
        lifespan=lifespan,
        redirect_slashes=False,
        openapi_url=None,  # documentation.py serves it, and the page about it
        docs_url=None,
        redoc_url=None,
    )
    routes.state.services = services
    install_errors(routes)
    for router in API_ROUTERS:
        routes.include_router(router, prefix=API)
    for router in (*PAGE_ROUTERS, *further):
        routes.include_router(router)
    documentation.describe(routes, services.settings, version=version("vitrina"))
    return routes


def _closed(layered: ASGIApp, refuse: Callable[[ShopError, Scope], Response]) -> ASGIApp:
    """In front of everything but files and probes: the maintenance page."""

    async def closed(scope: Scope, receive: Receive, send: Send) -> None:
        answer = refuse(Maintenance(), scope) if scope["type"] == "http" else layered
        await answer(scope, receive, send)

    return closed


def _neighbours(services: Services) -> dict[str, Callable[[], object]]:
    def database() -> None:
        with services.db.connect() as connection:
            connection.execute(text("SELECT 1"))

    def carts() -> None:
        services.carts.get("readyz", now=services.now())

    return {"database": database, "carts": carts}
