"""Outermost: gives each request its id, and the log one line about it.

    ACCESS → headers → limits → files, probes → origin → page cache → shedding → body → routes

A well-formed ``X-Request-Id`` from a proxy is kept, so that one request has one name everywhere.

The line is put together by hand, and lines are written a twentieth of a second's worth at a time:
through the general way it would cost as much as all other layers together.
"""

import asyncio
import re
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from json.encoder import encode_basestring as quoted

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrina.kernel.ids import new_id
from vitrina.platform.log import get_logger, request_id
from vitrina.platform.web.errors import InternalError
from vitrina.platform.web.limits import Refuse

log = get_logger()

_WELL_FORMED = re.compile(rb"[A-Za-z0-9_.:=-]{8,128}")
_QUIET = {"/healthz", "/readyz"}  # asked every few seconds by machines
_WRITE_EVERY_S = 0.05


class AccessLog:
    """Logs method, path, route, status, duration and bytes; answers 500 if a layer failed.

    Args:
        template_of: the route's path with its parameters as names, such as ``/p/{slug}``; empty
            when no route was reached.
        enabled: whether lines are written at all.
    """

    def __init__(
        self,
        app: ASGIApp,
        refuse: Refuse,
        *,
        template_of: Callable[[Scope], str],
        enabled: bool = True,
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._template_of = template_of
        self._enabled = enabled
        self._lines: list[str] = []
        # Unique, not secret: a counter costs a tenth of random bits for every request.
        self._process = new_id()[:10]
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            try:
                await self._app(scope, receive, send)
            finally:
                self._write()  # the server is stopping
            return
        began_s = time.perf_counter()
        own_id = _given_id(scope) or f"{self._process}-{next(self._numbers):x}"
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
            if self._enabled and scope["path"] not in _QUIET:
                self._note(
                    f'{{"event":"request","level":"info","time":"{_now()}",'
                    f'"request_id":"{own_id}","method":"{scope["method"]}",'
                    f'"path":{quoted(scope["path"])},"route":{quoted(self._template_of(scope))},'
                    f'"status":{status},"ms":{(time.perf_counter() - began_s) * 1000:.2f},'
                    f'"bytes":{0 if scope["method"] == "HEAD" else size_bytes}}}\n'
                )

    def _note(self, line: str) -> None:
        if not self._lines:
            asyncio.get_running_loop().call_later(_WRITE_EVERY_S, self._write)
        self._lines.append(line)

    def _write(self) -> None:
        if self._lines:
            sys.stdout.write("".join(self._lines))
            sys.stdout.flush()
            self._lines.clear()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _given_id(scope: Scope) -> str:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _WELL_FORMED.fullmatch(value):
            return str(value.decode())
    return ""
