"""The one translator from errors to answers: a problem for programs, a page for people."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

from botocore.exceptions import BotoCoreError, ClientError
from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from minijinja import Environment
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrina.kernel.errors import ShopError
from vitrina.platform.log import get_logger, request_id
from vitrina.platform.web.errors import (
    RETRY_AFTER_S,
    BadRequest,
    DatabaseUnavailable,
    FieldError,
    InternalError,
    InvalidRequest,
    MalformedBody,
    MethodNotAllowed,
    NeighbourUnavailable,
    NoSuchPage,
    OtherRefusal,
    UnsupportedMediaType,
)
from vitrina.platform.web.problems import MEDIA_TYPE, problem_json

log = get_logger()

_BUSY = {"ThrottlingException", "RequestLimitExceeded", "SlowDown", "ServiceUnavailable"}


def install_errors(app: FastAPI) -> None:
    """Translate every error that leaves a route of ``app``, in one place.

    Errors of the shop, of validation, of the HTTP library, and of a neighbour that is down keep
    their meaning; anything else is our mistake: logged once, answered with 500 and no details.
    """
    for expected in (
        ShopError,
        RequestValidationError,
        HTTPException,
        OperationalError,
        InterfaceError,
        PoolTimeout,
        BotoCoreError,
        ClientError,
    ):
        app.add_exception_handler(expected, _answer)
    app.add_middleware(_Unexpected)


def error_response(
    error: ShopError, scope: Scope, pages: Environment | None, headers: Mapping[str, str] = {}
) -> Response:
    """The answer to a request that could not be carried out.

    Args:
        error: why.
        scope: the request; its path and Accept header choose between problem and page.
        pages: renders ``error.html``; without it, or when it fails, the page is a plain one.
        headers: goes on top of the answer's own.
    """
    status = error.status
    own = {"Cache-Control": "no-store"}
    if status == 503:
        own["Retry-After"] = str(RETRY_AFTER_S)
    own.update(headers)
    path: str = scope["path"]
    if wants_problem(path, accept_of(scope)):
        body = problem_json(error, instance=path, request_id=request_id.get())
        return Response(body, status, own, media_type=MEDIA_TYPE)
    return Response(_page(error, pages), status, own, media_type="text/html")


def wants_problem(path: str, accept: str) -> bool:
    """Whether the client is a program: it calls the API, or asks for JSON and not for HTML."""
    if path.startswith(("/api/", "/static/", "/assets/")):
        return not (path.startswith("/api/docs") and "text/html" in accept)
    return "json" in accept and "text/html" not in accept


def accept_of(scope: Scope) -> str:
    """The Accept header, in lower case; empty when there is none."""
    for name, value in scope["headers"]:
        if name == b"accept":
            return str(value.decode("latin-1").lower())
    return ""


async def _answer(request: Request, cause: Exception) -> Response:
    pages = _pages(request.app)
    if isinstance(cause, HTTPException):
        return _http_answer(request, cause, pages)
    error = _meaning(request, cause)
    if error.status == 503 and not isinstance(cause, ShopError):
        log.warning("neighbour.unavailable", error=f"{type(cause).__name__}: {cause}")
    elif error.status >= 500 and error.status != 503:
        _log_mistake(request.scope, cause)
    return error_response(error, request.scope, pages)


def _meaning(request: Request, cause: Exception) -> ShopError:
    match cause:
        case ShopError():
            return cause
        case RequestValidationError():
            return _validation_error(request, cause.errors())
        case OperationalError() | InterfaceError() | PoolTimeout():
            return DatabaseUnavailable()
        case BotoCoreError():
            return NeighbourUnavailable()
        case ClientError() if _is_passing(cause):
            return NeighbourUnavailable()
    return InternalError()


def _is_passing(cause: ClientError) -> bool:
    status = cause.response["ResponseMetadata"]["HTTPStatusCode"]
    return status >= 500 or cause.response["Error"]["Code"] in _BUSY


def _http_answer(request: Request, cause: HTTPException, pages: Environment | None) -> Response:
    path: str = request.scope["path"]
    headers = dict(cause.headers or {})
    error: ShopError
    if cause.status_code == 404:
        if path.endswith("/") and path.strip("/") and request.method in {"GET", "HEAD"}:
            # Relative to this host, and never beginning with two slashes: `//evil.example/`
            # would otherwise send the shopper to another site.
            return Response(status_code=308, headers={"Location": _without_slashes(request)})
        error = NoSuchPage()
    elif cause.status_code == 405:
        allowed = ", ".join(_methods_at(request))
        headers["Allow"] = allowed
        error = MethodNotAllowed(request.method, allowed)
    elif cause.status_code == 400:
        error = _bad_request(cause)
    else:
        error = OtherRefusal(cause.status_code, str(cause.detail))
    return error_response(error, request.scope, pages, headers)


def _without_slashes(request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    location = "/" + quote(request.scope["path"].strip("/"), safe="/-._~!$&'()*+,;=:@")
    return f"{location}?{query}" if query else location


def _methods_at(request: Request) -> list[str]:
    """The methods of every route that this path fits, not only of the first."""
    path: str = request.scope["path"]
    methods: set[str] = set()
    for route in iter_route_contexts(request.app.routes):
        if route.methods and route.path_regex.match(path):
            methods |= route.methods
    if "GET" in methods:
        methods.add("HEAD")
    return sorted(methods)


def _bad_request(cause: HTTPException) -> ShopError:
    match cause.__cause__:
        case UnicodeDecodeError():
            return MalformedBody("The body is not UTF-8 text.")
        case RecursionError():
            return MalformedBody("The body is nested too deeply.")
        case ValueError():
            return MalformedBody("The body cannot be read.")
    return BadRequest(str(cause.detail))


def _validation_error(request: Request, found: Sequence[Any]) -> ShopError:
    first = found[0]
    if first["type"] == "json_invalid":
        reason, position = first["ctx"]["error"], first["loc"][-1]
        return MalformedBody(f"The body is not JSON: {reason} at character {position}.")
    is_raw_body = first["loc"] == ("body",) and isinstance(first.get("input"), bytes)
    if is_raw_body and "json" not in request.headers.get("content-type", ""):
        return UnsupportedMediaType()
    return InvalidRequest(
        tuple(
            FieldError(
                place=str(entry["loc"][0]) if entry["loc"] else "",
                field=".".join(str(part) for part in entry["loc"][1:]),
                message=str(entry["msg"]).removeprefix("Value error, "),
                code=str(entry["type"]),
            )
            for entry in found
        )
    )


class _Unexpected:
    """Catches what no handler knows, so that it is logged once and reveals nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as cause:
            _log_mistake(scope, cause)
            if started:
                return  # the server closes the connection: half an answer must not look whole
            response = error_response(InternalError(), scope, _pages(scope["app"]))
            await response(scope, receive, send)


def _log_mistake(scope: Scope, cause: Exception) -> None:
    log.error("request.failed", method=scope.get("method"), path=scope.get("path"), exc_info=cause)


def _pages(app: Any) -> Environment | None:
    return getattr(getattr(app.state, "services", None), "pages", None)


def _page(error: ShopError, pages: Environment | None) -> str:
    values: dict[str, Any] = {
        "status": error.status,
        "title": error.title,
        "detail": str(error),
        "retry": error.retry,
        "request_id": request_id.get(),
        "errors": [
            {"field": entry.field, "message": entry.message}
            for entry in getattr(error, "errors", ())
        ],
    }
    if pages is not None:
        name = "maintenance.html" if error.code == "Maintenance" else "error.html"
        try:
            return str(pages.render_template(name, **values))
        except Exception:
            log.exception("page.failed", template=name)
    return _PLAIN_PAGE.format_map({name: escape(str(value)) for name, value in values.items()})


# Stands on its own: it is what people see when the templates themselves are broken.
_PLAIN_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{detail}</p>
<p><a href="/">To the shop</a></p>
<p><small>{status} · {request_id}</small></p>
</main>
</body>
</html>
"""
