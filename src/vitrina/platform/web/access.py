"""Outermost: gives each request its id, and the log one line about it.

    ACCESS → headers → limits → files, probes → origin → page cache → shedding → body → routes

A well-formed ``X-Request-Id`` from a proxy is kept, so that one request has one name everywhere.
"""

import re
import time
from collections.abc import Callable

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrina.kernel.ids import new_id
from vitrina.platform.log import request_id
from vitrina.platform.web.errors import InternalError
from vitrina.platform.web.limits import Refuse

log = structlog.stdlib.get_logger()

_WELL_FORMED = re.compile(rb"[A-Za-z0-9_.:=-]{8,128}")
_QUIET = {"/healthz", "/readyz"}  # asked every few seconds by machines


class AccessLog:
    """Logs method, path, route, status, duration and bytes; answers 500 if a layer failed.

    Args:
        template_of: the route's path with its parameters as names, such as ``/p/{slug}``; empty
            when no route was reached.
    """

    def __init__(
        self, app: ASGIApp, refuse: Refuse, *, template_of: Callable[[Scope], str]
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._template_of = template_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = time.perf_counter()
        own_id = _request_id(scope)
        request_id.set(own_id)
        id_header = (b"x-request-id", own_id.encode())
        status = size_bytes = 0

        async def send_and_count(message: Message) -> None:
            nonlocal status, size_bytes
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], id_header]}
            else:
                size_bytes += len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, send_and_count)
        except Exception:
            log.exception("request.failed", method=scope["method"], path=scope["path"])
            if not status:
                await self._refuse(InternalError(), scope)(scope, receive, send_and_count)
        finally:
            if scope["path"] not in _QUIET:
                log.info(
                    "request",
                    method=scope["method"],
                    path=scope["path"],
                    route=self._template_of(scope),
                    status=status,
                    ms=round((time.perf_counter() - began_s) * 1000, 2),
                    bytes=0 if scope["method"] == "HEAD" else size_bytes,
                )


def _request_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _WELL_FORMED.fullmatch(value):
            return str(value.decode())
    return new_id()
