"""Takes a request's body in, whole, before any route sees it.

    access → headers → limits → files, probes → origin → page cache → shedding → BODY → routes

Bodies are small here (raw models go straight to S3), so they are read first: a body that is too
large, too slow or no text is refused in one place, and a slow client never holds a thread.
"""

import asyncio
import re
from urllib.parse import unquote_to_bytes

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrina.kernel.errors import ShopError
from vitrina.platform.web.errors import BodyTooLarge, MalformedBody, SlowRequest
from vitrina.platform.web.limits import Refuse

TIMEOUT_S = 15.0
_DISCARD_S = 2.0
_DISCARD_TIMES_LIMIT = 4

_CLOSE = {"Connection": "close"}
# Escapes that JSON allows and no text holds: NUL, and one half of a surrogate pair.
_NO_CHARACTER = re.compile(
    rb"\\u0000"
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


class _Disconnected(Exception):
    """The client went away before its request was complete: nobody waits for an answer."""


class WholeBody:
    """Reads the body within bounds of size and time, checks that text is text, hands it on.

    Args:
        limit_bytes: a larger body is refused with 413, whatever Content-Length says.
        timeout_s: a body that takes longer is refused with 408.
    """

    def __init__(
        self, app: ASGIApp, refuse: Refuse, *, limit_bytes: int, timeout_s: float = TIMEOUT_S
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._limit_bytes = limit_bytes
        self._timeout_s = timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared_bytes, content_type, expects_leave = _announced(scope)
        if declared_bytes == 0:
            await self._app(scope, receive, send)
            return
        try:
            if declared_bytes > self._limit_bytes:
                if not expects_leave:
                    await self._discard(receive)
                raise BodyTooLarge(self._limit_bytes)
            body = await self._read(receive)
            _check_text(body, content_type)
        except _Disconnected:
            return
        except MalformedBody as error:
            await self._refuse(error, scope)(scope, receive, send)
            return
        except ShopError as error:
            response = self._refuse(error, scope)
            response.headers.update(_CLOSE)  # the rest of the body is not a next request
            await response(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size_bytes = 0
        more = True
        try:
            async with asyncio.timeout(self._timeout_s):
                while more and size_bytes <= self._limit_bytes:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Disconnected
                    chunks.append(message.get("body", b""))
                    size_bytes += len(chunks[-1])
                    more = message.get("more_body", False)
        except TimeoutError:
            raise SlowRequest(self._timeout_s) from None
        if size_bytes > self._limit_bytes:
            if more:
                await self._discard(receive)
            raise BodyTooLarge(self._limit_bytes)
        return b"".join(chunks)

    async def _discard(self, receive: Receive) -> None:
        """Read on a little: a client that is still sending hears no answer."""
        size_bytes = 0
        try:
            async with asyncio.timeout(_DISCARD_S):
                while size_bytes < self._limit_bytes * _DISCARD_TIMES_LIMIT:
                    message = await receive()
                    if message["type"] == "http.disconnect" or not message.get("more_body"):
                        return
                    size_bytes += len(message.get("body", b""))
        except TimeoutError:
            return


def _announced(scope: Scope) -> tuple[int, bytes, bool]:
    """Bytes announced (-1: in chunks), content type, and whether the client waits for a go."""
    size_bytes, content_type, expects_leave = 0, b"", False
    for name, value in scope["headers"]:
        if name == b"content-length":
            size_bytes = int(value)  # the server has refused what is no number
        elif name == b"transfer-encoding":
            size_bytes = -1
        elif name == b"content-type":
            content_type = value.lower()
        elif name == b"expect":
            expects_leave = True
    return size_bytes, content_type, expects_leave


def _check_text(body: bytes, content_type: bytes) -> None:
    """Refuse broken UTF-8, and what no store takes: NUL characters, half surrogate pairs."""
    if b"json" in content_type:
        plain = body
        is_storable = _NO_CHARACTER.search(body) is None
    elif content_type.startswith(b"application/x-www-form-urlencoded"):
        plain = unquote_to_bytes(body)
        is_storable = b"\x00" not in plain
    else:
        return
    try:
        plain.decode()
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8 text.") from None
    if not is_storable:
        raise MalformedBody("The body holds an escape that stands for no character.")


def _replay(body: bytes, receive: Receive) -> Receive:
    pending: Message | None = {"type": "http.request", "body": body, "more_body": False}

    async def replay() -> Message:
        nonlocal pending
        if pending is None:
            return await receive()
        message, pending = pending, None
        return message

    return replay
