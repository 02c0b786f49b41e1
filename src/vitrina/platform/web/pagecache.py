"""Public pages from memory.

    access → headers → limits → files, probes → origin → PAGE CACHE → shedding → body → routes

A route declares its answer public with ``Cache-Control: public, …, s-maxage=N`` (N > 0). Such an
answer depends on nothing but the address, so it is rendered once for everybody, coded once, and
given a strong ETag:

    rendered ───────────────► half of max age ──────────► max age ─────────────────────► gone
      served from memory        served, while one            rendered before it is
                                renews it unseen             served; the old one only
                                                             if the shop cannot (5xx)

However many ask for a page at the same time, one of them renders it and the rest wait. Answers
that are not public, or set a cookie, or vary by more than their coding, pass through untouched.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import anyio.to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vitrina.platform.web.coding import BROTLI, IDENTITY, compressed, preferred

Key = tuple[str, bytes]
Headers = list[tuple[bytes, bytes]]

MAX_BYTES = 6 << 20
PAGE_MAX_BYTES = 2 << 20
STALE_IF_ERROR_S = 600.0
RETRY_S = 1.0  # between two attempts to render a page that the shop cannot render just now

_OVERHEAD_BYTES = 4096  # of an entry's objects, roughly
_INLINE_BYTES = 64 << 10  # coding more than this would hold the event loop for over 2 ms
_REMEMBERED_PRIVATE = 4096

# Campaign tags change nothing about a page: without this each would be a page of its own.
TRACKING = (b"utm_", b"gclid", b"fbclid", b"msclkid", b"mc_cid", b"mc_eid")

_NOT_COPIED = {b"content-length", b"etag", b"vary", b"connection", b"date"}


@dataclass(slots=True)
class _Page:
    headers: Headers
    body: bytes
    digest: bytes
    rendered_s: float
    max_age_s: float
    generation: int
    endpoint: Any
    codings: dict[bytes, bytes] = field(default_factory=dict)
    starts: dict[bytes, Message] = field(default_factory=dict)
    renew_at_s: float = 0.0
    excused_until_s: float = 0.0  # old, but the shop could not render it a moment ago

    @property
    def size_bytes(self) -> int:
        """With room for the codings, which are made when first asked for."""
        return len(self.body) * 3 // 2 + _OVERHEAD_BYTES


class PageCache:
    """Answers GET and HEAD of public pages, and HEAD of every page.

    Args:
        max_age_s: seconds an answer may be served without asking the shop; a smaller ``s-maxage``
            of the answer itself wins. 0 stores nothing and still renders once for all who wait.
        max_bytes: of all answers together; the least recently used make room.
        clock: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_age_s: float,
        max_bytes: int = MAX_BYTES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._max_age_s = max_age_s
        self._max_bytes = max_bytes
        self._clock = clock
        self._pages: OrderedDict[Key, _Page] = OrderedDict()
        self._size_bytes = 0
        self._rendering: dict[tuple[Key, int], asyncio.Future[_Page | None]] = {}
        self._private: OrderedDict[Key, None] = OrderedDict()
        self._renewals: set[asyncio.Task[None]] = set()
        self._generation = 0

    def invalidate(self) -> None:
        """Let no page rendered before this moment be served as fresh. Any thread may call it."""
        self._generation += 1

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        accept_encoding, if_none_match, is_named = _of_interest(scope)
        if is_named:  # an answer to somebody in particular
            await self._pass(scope, receive, send)
            return
        key = (scope["path"], _normalised(scope["query_string"]))
        page = self._fresh(key, scope)
        if page is None:
            page = await self._rendered(key, scope, receive, send)
        if page is not None:
            scope["endpoint"] = page.endpoint
            await _answer(page, accept_encoding, if_none_match, send)

    def _fresh(self, key: Key, scope: Scope) -> _Page | None:
        page = self._pages.get(key)
        if page is None:
            return None
        now_s = self._clock()
        if page.generation != self._generation or now_s - page.rendered_s >= page.max_age_s:
            return page if now_s < page.excused_until_s else None
        self._pages.move_to_end(key)
        if now_s >= page.renew_at_s and (key, self._generation) not in self._rendering:
            self._renew(key, scope)
        return page

    def _renew(self, key: Key, scope: Scope) -> None:
        """Render the page anew behind the back of whoever asked, with nothing of theirs."""
        nobodys = {
            name: value
            for name, value in scope.items()
            if name in ("type", "asgi", "http_version", "server", "client", "scheme", "root_path")
        } | {
            "method": "GET",
            "path": scope["path"],
            "raw_path": scope["raw_path"],
            "query_string": key[1],
            "headers": [pair for pair in scope["headers"] if pair[0] == b"host"],
            "state": dict(scope.get("state", {})),
        }

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(_message: Message) -> None:
            """An answer that is not public any more has nobody to go to."""

        async def renew() -> None:
            await self._rendered(key, nobodys, receive, send)

        task = asyncio.create_task(renew())
        self._renewals.add(task)
        task.add_done_callback(self._renewals.discard)

    async def _rendered(self, key: Key, scope: Scope, receive: Receive, send: Send) -> _Page | None:
        """The page, rendered by this request or by one under way; None if it went to ``send``."""
        if key in self._private:
            await self._pass(scope, receive, send)
            return None
        turn = (key, self._generation)
        under_way = self._rendering.get(turn)
        if under_way is not None:
            # Shielded: a client that leaves must not cancel the rendering for the others.
            page = await asyncio.shield(under_way)
            if page is None:
                await self._pass(scope, receive, send)
            return page
        done: asyncio.Future[_Page | None] = asyncio.get_running_loop().create_future()
        self._rendering[turn] = done
        page = None
        try:
            page = await self._render(key, scope, receive, send, done)
        finally:
            del self._rendering[turn]
            if not done.done():
                done.set_result(page)
        return page

    async def _render(
        self,
        key: Key,
        scope: Scope,
        receive: Receive,
        send: Send,
        done: "asyncio.Future[_Page | None]",
    ) -> _Page | None:
        generation = self._generation
        started_s = self._clock()
        former = self._pages.get(key)
        if former is not None and started_s - former.rendered_s >= STALE_IF_ERROR_S:
            former = None
        collected = _Collected(send, can_fall_back=former is not None)

        def on_private() -> None:
            # Those who wait go their own way at once, not after this one's last byte.
            if not done.done():
                done.set_result(None)
            self._remember_private(key)

        collected.on_private = on_private
        inner = {**scope, "method": "GET", "query_string": key[1]}
        await self._app(inner, receive, collected.send)
        scope["endpoint"] = inner.get("endpoint")
        if former is not None and collected.failed:
            former.renew_at_s = former.excused_until_s = self._clock() + RETRY_S
            return former
        if not collected.is_public:
            return None
        max_age_s = min(self._max_age_s, collected.max_age_s)
        page = _Page(
            headers=[pair for pair in collected.headers if pair[0] not in _NOT_COPIED],
            body=b"".join(collected.chunks),
            digest=b"",
            rendered_s=started_s,
            max_age_s=max_age_s,
            generation=generation,
            endpoint=inner.get("endpoint"),
            renew_at_s=started_s + max_age_s / 2,
        )
        await _code(page, former)
        if self._max_age_s > 0:
            self._store(key, page)
        return page

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "GET":
            await self._app(scope, receive, send)
            return
        # The server leaves the body of an answer to HEAD out.
        inner = {**scope, "method": "GET"}
        await self._app(inner, receive, send)
        scope["endpoint"] = inner.get("endpoint")

    def _store(self, key: Key, page: _Page) -> None:
        former = self._pages.pop(key, None)
        if former is not None:
            self._size_bytes -= former.size_bytes
        self._pages[key] = page
        self._size_bytes += page.size_bytes
        while self._size_bytes > self._max_bytes:
            _, oldest = self._pages.popitem(last=False)
            self._size_bytes -= oldest.size_bytes

    def _remember_private(self, key: Key) -> None:
        self._private[key] = None
        if len(self._private) > _REMEMBERED_PRIVATE:
            self._private.popitem(last=False)


class _Collected:
    """Takes the app's messages: keeps a public answer, lets any other through as it comes."""

    def __init__(self, send: Send, *, can_fall_back: bool) -> None:
        self._send = send
        self._can_fall_back = can_fall_back
        self._size_bytes = 0
        self.headers: Headers = []
        self.chunks: list[bytes] = []
        self.max_age_s = 0.0
        self.is_public = False
        self.failed = False
        self.on_private: Callable[[], None] = lambda: None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            await self._start(message)
        elif self.failed:
            return
        elif not self.is_public:
            await self._send(message)
        else:
            await self._keep(message)

    async def _start(self, message: Message) -> None:
        status: int = message["status"]
        if status >= 500 and self._can_fall_back:
            self.failed = True
            return
        self.headers = list(message["headers"])
        self.max_age_s = _public_age_s(self.headers) if status == 200 else 0.0
        self.is_public = self.max_age_s > 0
        self._message = message
        if not self.is_public:
            if status < 400:  # an error says nothing about the next answer
                self.on_private()
            await self._send(message)

    async def _keep(self, message: Message) -> None:
        chunk: bytes = message.get("body", b"")
        self.chunks.append(chunk)
        self._size_bytes += len(chunk)
        if self._size_bytes <= PAGE_MAX_BYTES:
            return
        self.is_public = False
        self.on_private()
        await self._send(self._message)
        await self._send({**message, "body": b"".join(self.chunks)})
        self.chunks.clear()


def _of_interest(scope: Scope) -> tuple[bytes, bytes, bool]:
    """Accept-Encoding, If-None-Match, and whether the request carries a name of somebody's."""
    accept_encoding = if_none_match = b""
    is_named = False
    for name, value in scope["headers"]:
        if name == b"accept-encoding":
            accept_encoding = value
        elif name == b"if-none-match":
            if_none_match = value
        elif name == b"authorization":
            is_named = True
    return accept_encoding, if_none_match, is_named


def _normalised(query: bytes) -> bytes:
    """The query without campaign tags, its parameters in order of their names."""
    if not query:
        return query
    kept = [part for part in query.split(b"&") if part and not part.startswith(TRACKING)]
    kept.sort(key=_parameter_name)
    return b"&".join(kept)


def _parameter_name(part: bytes) -> bytes:
    return part.partition(b"=")[0]


def _public_age_s(headers: Headers) -> float:
    """Seconds that everybody may be given this answer; 0 when it is not for everybody."""
    age_s = 0.0
    for name, value in headers:
        if name == b"cache-control":
            directives = [part.strip() for part in value.lower().split(b",")]
            if b"public" not in directives:
                return 0.0
            for directive in directives:
                if directive.startswith(b"s-maxage=") and directive[9:].isdigit():
                    age_s = float(directive[9:])
        elif name in (b"set-cookie", b"content-encoding") or _varies(name, value):
            return 0.0
    return age_s


def _varies(name: bytes, value: bytes) -> bool:
    return name == b"vary" and value.strip().lower() != b"accept-encoding"


async def _code(page: _Page, former: _Page | None) -> None:
    """Fill in digest and brotli; a page that came out the same keeps what was made before."""
    page.digest = hashlib.blake2b(page.body, digest_size=12).hexdigest().encode()
    if former is not None and former.digest == page.digest:
        page.codings = dict(former.codings)
    elif len(page.body) <= _INLINE_BYTES:
        page.codings = {BROTLI: compressed(page.body, BROTLI)}
    else:
        small = await anyio.to_thread.run_sync(compressed, page.body, BROTLI)
        page.codings = {BROTLI: small}


async def _answer(page: _Page, accept_encoding: bytes, if_none_match: bytes, send: Send) -> None:
    coding = preferred(accept_encoding)
    if if_none_match and _matches(page, if_none_match):
        await send({"type": "http.response.start", "status": 304, "headers": _short(page, coding)})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        return
    start = page.starts.get(coding)
    if start is None:
        start = _start(page, coding)
    body = page.codings[coding] if coding else page.body
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


def _start(page: _Page, coding: bytes) -> Message:
    if coding == IDENTITY:
        body = page.body
    else:
        if coding not in page.codings:
            page.codings[coding] = compressed(page.body, coding)
        body = page.codings[coding]
    headers = [
        *page.headers,
        (b"content-length", str(len(body)).encode()),
        (b"etag", _etag(page, coding)),
        (b"vary", b"Accept-Encoding"),
    ]
    if len(body) < len(page.body):
        headers.append((b"content-encoding", coding))
    start: Message = {"type": "http.response.start", "status": 200, "headers": headers}
    page.starts[coding] = start
    return start


def _etag(page: _Page, coding: bytes) -> bytes:
    """Strong, so each coding has its own."""
    return b'"%s-%s"' % (page.digest, coding) if coding else b'"%s"' % page.digest


def _matches(page: _Page, if_none_match: bytes) -> bool:
    """Whether one of the client's tags is of this page, in whatever coding it was sent."""
    for tag in if_none_match.split(b","):
        plain = tag.strip().removeprefix(b"W/").strip(b'"')
        if plain == b"*" or plain.partition(b"-")[0] == page.digest:
            return True
    return False


def _short(page: _Page, coding: bytes) -> Headers:
    kept = [pair for pair in page.headers if pair[0] in (b"cache-control", b"expires")]
    return [*kept, (b"etag", _etag(page, coding)), (b"vary", b"Accept-Encoding")]
