"""Refuses what is too long or no text before anybody reads it.

access → headers → LIMITS → files, probes → origin → page cache → shedding → body → routes
"""

import re
from collections.abc import Callable
from urllib.parse import unquote_to_bytes

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vitrina.kernel.errors import ShopError
from vitrina.platform.web.errors import (
    AddressTooLong,
    HeadersTooLarge,
    MalformedAddress,
    MalformedHost,
)

# What CloudFront lets through: 8,192 bytes of address; browsers send 1 to 2 KB of headers.
ADDRESS_MAX_BYTES = 8192
HEADERS_MAX_BYTES = 16384
HEADERS_MAX = 100
_LINE_BYTES = 4  # colon, space, carriage return, line feed

_HOST = re.compile(rb"(?:[A-Za-z0-9_.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?")
_CONTROL = re.compile("[\x00-\x1f\x7f\ufffd]")  # U+FFFD stands where bytes were not UTF-8

Refuse = Callable[[ShopError, Scope], Response]


class Limits:
    """Answers 400, 414 or 431 to addresses and headers that no client of ours would send."""

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (error := _objection(scope)) is not None:
            await self._refuse(error, scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _objection(scope: Scope) -> ShopError | None:
    query: bytes = scope["query_string"]
    if len(scope["raw_path"]) + len(query) > ADDRESS_MAX_BYTES:
        return AddressTooLong(ADDRESS_MAX_BYTES)
    headers = scope["headers"]
    size_bytes, hosts = 0, 0
    host = b""
    for name, value in headers:
        size_bytes += len(name) + len(value) + _LINE_BYTES
        if name == b"host":
            host = value
            hosts += 1
    if size_bytes > HEADERS_MAX_BYTES or len(headers) > HEADERS_MAX:
        return HeadersTooLarge(HEADERS_MAX_BYTES)
    if hosts != 1 or not _HOST.fullmatch(host):
        return MalformedHost()
    if _CONTROL.search(scope["path"]) or (b"%" in query and not _is_text(query)):
        return MalformedAddress()
    return None


def _is_text(query: bytes) -> bool:
    plain = unquote_to_bytes(query)
    if b"\x00" in plain:
        return False  # PostgreSQL stores no NUL
    try:
        plain.decode()
    except UnicodeDecodeError:
        return False
    return True
