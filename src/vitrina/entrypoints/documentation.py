"""The API about itself: the OpenAPI document, a page to read it on, and what each problem means."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import APIRouter, Depends, FastAPI
from fastapi.openapi.utils import get_openapi
from minijinja import Environment
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from vitrina.cart.shopper import cart_cookie
from vitrina.kernel.errors import NotFound, ShopError
from vitrina.platform.dynamo import StoreUnavailable
from vitrina.platform.web import problems, services
from vitrina.platform.web.answers import accept_of, wants_problem
from vitrina.platform.web.errors import (
    BadRequest,
    BodyTooLarge,
    DatabaseUnavailable,
    InternalError,
    InvalidRequest,
    MalformedAddress,
    MalformedBody,
    OriginRefused,
    Overloaded,
    SlowRequest,
    UnsupportedMediaType,
)
from vitrina.platform.web.headers import DOCUMENTATION_POLICY
from vitrina.platform.web.problems import Problem, summary, type_uri
from vitrina.settings import Settings

OPENAPI_URL = "/api/v1/openapi.json"
_CACHE = {"Cache-Control": "public, max-age=60, s-maxage=300"}

# What every operation may answer with, whatever it does.
_EVERY = (MalformedAddress, InternalError, DatabaseUnavailable, StoreUnavailable, Overloaded)
_WRITING = (OriginRefused,)
_WITH_BODY = (MalformedBody, BodyTooLarge, UnsupportedMediaType, SlowRequest)

_SHOPPERS = {"cart", "checkout"}  # tags of operations that know a shopper by the cart's cookie
_TAGS = [
    {"name": "catalogue", "description": "Products, categories and search. Public, cacheable."},
    {"name": "cart", "description": "What a shopper means to buy, under the cookie `cart`."},
    {"name": "checkout", "description": "Quotes and orders. A guest needs no account."},
]
_DESCRIPTION = """\
Everything the shop's own pages do, as JSON.

- **Money** is whole minor units with a currency: an `amount` of 12950 in `EUR` is €129.50.
- **Lists** come in pages: pass `next_cursor` of one page as `cursor` of the next.
- **The cart** is named by a cookie that the first addition sets; keep it.
- **Placing an order** takes an `Idempotency-Key`: the same key twice is the same order once.
- **Problems** are RFC 9457 (`application/problem+json`). Compare `code`; show `detail`; quote
  `request_id` when asking for help. `retry` says whether the same request may succeed later.
"""

router = APIRouter(include_in_schema=False)


class Shop(Protocol):
    """What these pages need of the shop."""

    @property
    def pages(self) -> Environment: ...


ShopDep = Annotated[Shop, Depends(services)]


class UnknownProblem(NotFound):
    """No problem has this code."""

    def __init__(self, code: str) -> None:
        super().__init__(f"No problem is called {code!r}.")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """One kind of problem, as the page about it shows it."""

    code: str
    status: int
    title: str
    meaning: str
    retry: bool


@router.get(OPENAPI_URL)
async def openapi(request: Request) -> Response:
    """The OpenAPI document."""
    state = request.app.state
    if not hasattr(state, "openapi"):
        # The text is a tenth of the objects it is made from, so only the text stays.
        state.openapi = json.dumps(
            request.app.openapi(), ensure_ascii=False, separators=(",", ":")
        ).encode()
    return Response(state.openapi, headers=_CACHE, media_type="application/json")


@router.get("/api/docs")
async def documentation(shop: ShopDep) -> Response:
    """The document as a page one can read and try."""
    page = shop.pages.render_template("documentation.html", openapi_url=OPENAPI_URL)
    return HTMLResponse(page, headers={**_CACHE, "Content-Security-Policy": DOCUMENTATION_POLICY})


@router.get("/problems")
async def all_problems(request: Request, shop: ShopDep) -> Response:
    """Every kind of problem there is."""
    return _problems_answer(list(problem_kinds()), request, shop)


@router.get("/problems/{code}")
async def one_problem(code: str, request: Request, shop: ShopDep) -> Response:
    """What one kind of problem means: where the ``type`` of a problem leads."""
    found = [kind for kind in problem_kinds() if kind.code == code]
    if not found:
        raise UnknownProblem(code)
    return _problems_answer(found, request, shop)


def problem_kinds() -> Iterator[ProblemKind]:
    """Every error the running code may answer with, by status and name."""
    for error in sorted(_leaves(ShopError), key=lambda kind: (kind.status, kind.__name__)):
        yield ProblemKind(error.__name__, error.status, error.title, summary(error), error.retry)


def describe(app: FastAPI, settings: Settings, *, version: str) -> None:
    """Let ``app.openapi()`` give the whole document."""

    def document() -> dict[str, Any]:
        return _complete(
            get_openapi(
                title=f"{settings.shop_name} API",
                version=version,
                openapi_version="3.1.0",
                summary="A shop in 3D.",
                description=_DESCRIPTION,
                routes=app.routes,
                tags=_TAGS,
                servers=[{"url": settings.public_url, "description": "This shop"}],
                contact={"name": settings.shop_name, "url": settings.public_url},
                license_info={"name": "Apache License 2.0", "identifier": "Apache-2.0"},
            ),
            cart_cookie=cart_cookie(secure=settings.secure_cookies),
        )

    app.openapi = document  # type: ignore[method-assign]


def _problems_answer(kinds: list[ProblemKind], request: Request, shop: Shop) -> Response:
    if wants_problem("", accept_of(request.scope)):
        listed = [
            {
                "type": type_uri(kind.code),
                "status": kind.status,
                "title": kind.title,
                "meaning": kind.meaning,
                "retry": kind.retry,
            }
            for kind in kinds
        ]
        return JSONResponse({"problems": listed})
    return HTMLResponse(shop.pages.render_template("problems.html", problems=kinds))


def _leaves(error: type[ShopError]) -> Iterator[type[ShopError]]:
    """The errors that are raised: those nobody derives from, and those raised themselves."""
    derived = error.__subclasses__()
    if not derived or error is BadRequest:
        yield error
    for subclass in derived:
        yield from _leaves(subclass)


def _complete(document: dict[str, Any], *, cart_cookie: str) -> dict[str, Any]:
    """Name the problems that every operation shares, and put ours where FastAPI put its own."""
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for foreign in ("HTTPValidationError", "ValidationError"):
        schemas.pop(foreign, None)
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs")
    schemas["Problem"] = problem
    document["components"]["securitySchemes"] = {
        "cart": {
            "type": "apiKey",
            "in": "cookie",
            "name": cart_cookie,
            "description": "Names the cart. The first addition to a cart sets it.",
        }
    }
    for path in document["paths"].values():
        for method, operation in path.items():
            _describe_success(operation, schemas)
            _add_problems(operation, _shared(method, operation))
            operation["operationId"] = operation["operationId"].split("_api_v1_")[0]
            if _SHOPPERS & set(operation.get("tags", ())):
                operation["security"] = [{}, {"cart": []}]
    return document


def _describe_success(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say what comes back in the words of the value itself."""
    for response in operation["responses"].values():
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        shape = schemas.get(schema.get("$ref", "").rpartition("/")[2], {})
        if response.get("description") == "Successful Response" and "description" in shape:
            response["description"] = shape["description"]


def _shared(method: str, operation: dict[str, Any]) -> list[type[ShopError]]:
    shared: list[type[ShopError]] = [*_EVERY]
    if method != "get":
        shared += _WRITING
    if "requestBody" in operation:
        shared += _WITH_BODY
    if "requestBody" in operation or "parameters" in operation:
        shared.append(InvalidRequest)
    return shared


def _add_problems(operation: dict[str, Any], shared: Iterable[type[ShopError]]) -> None:
    """Add each problem as an example of its status, beside those the route names itself."""
    responses = operation["responses"]
    if "HTTPValidationError" in json.dumps(responses.get("422", "")):
        del responses["422"]
    for status, added in problems(*shared).items():
        present = responses.setdefault(str(status), {"content": {}})
        for media_type, content in added["content"].items():
            own = present.setdefault("content", {}).setdefault(media_type, content)
            own["examples"] = {**content["examples"], **own["examples"]}
        described = present.get("description")
        present["description"] = "; ".join(filter(None, (described, added["description"])))
    operation["responses"] = dict(sorted(responses.items()))
