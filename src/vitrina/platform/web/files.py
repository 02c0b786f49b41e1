"""Files with immutable names: the built front end, and what the asset bucket holds.

    access → headers → limits → FILES, probes → origin → page cache → shedding → body → routes

Both are named after their content, so an answer may be kept for ever and its ETag is its name.
"""

import asyncio
import re
import time
from collections import OrderedDict
from pathlib import Path

import brotli
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from vitrina.kernel.errors import ShopError
from vitrina.platform import static
from vitrina.platform.objects import IMMUTABLE, NoSuchObject, ObjectStore, StoredObject
from vitrina.platform.web.coding import BROTLI, GZIP, IDENTITY, preferred
from vitrina.platform.web.errors import MethodNotAllowed, NoSuchPage
from vitrina.platform.web.headers import WORKER_POLICY
from vitrina.platform.web.limits import Refuse

ASSETS_PREFIX = "/assets/"
ASSETS_MAX_BYTES = 32 << 20
ASSET_MAX_BYTES = 8 << 20  # a larger one is served, and not kept
DECODED_MAX_BYTES = 256 << 20
_ABSENT_S = 5.0  # how long "there is none" is believed: the asset may be published any moment
_ABSENT_MAX = 1024

_KEY = re.compile(r"[a-z0-9]{1,32}/[0-9a-f]{32}\.[a-z0-9]{2,5}")
_TYPES = {
    ".avif": "image/avif",
    ".bin": "application/octet-stream",
    ".css": "text/css; charset=utf-8",
    ".glb": "model/gltf-binary",
    ".ico": "image/x-icon",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".usdz": "model/vnd.usdz+zip",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
_FINGERPRINTED = re.compile(r"[A-Za-z0-9_.-]+-[0-9A-F]{8}\.[a-z0-9]+")
_WORKER = re.compile(r"(?:.+-)?worker-[0-9A-F]{8}\.js")
_SUFFIXES = {BROTLI: ".br", GZIP: ".gz"}


class StaticFiles:
    """Serves ``/static/<fingerprinted name>`` from the package, in the coding that was built.

    The files are few and small: each is read once and stays in memory.
    """

    def __init__(self, app: ASGIApp, refuse: Refuse) -> None:
        self._app = app
        self._refuse = refuse
        self._files: dict[tuple[str, bytes], tuple[bytes, bytes]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(static.URL_PREFIX):
            await self._app(scope, receive, send)
            return
        name = scope["path"][len(static.URL_PREFIX) :]
        try:
            _only_reading(scope)
            data, coding = self._file(name, preferred(_header(scope, b"accept-encoding")))
        except ShopError as error:
            await _refused(self._refuse, error, scope)(scope, receive, send)
            return
        headers = {
            "Cache-Control": IMMUTABLE,
            "ETag": f'"{name}"',
            "Vary": "Accept-Encoding",
        }
        if _WORKER.fullmatch(name):
            headers["Content-Security-Policy"] = WORKER_POLICY
        if coding:
            headers["ETag"] = f'"{name}-{coding.decode()}"'
        if _is_held(scope, name):
            await Response(status_code=304, headers=headers)(scope, receive, send)
            return
        if coding:
            headers["Content-Encoding"] = coding.decode()
        response = Response(data, headers=headers, media_type=_type_of(name))
        await response(scope, receive, send)

    def _file(self, name: str, coding: bytes) -> tuple[bytes, bytes]:
        found = self._files.get((name, coding))
        if found is None:
            # Not only what the manifest names: a page of the build before may still be open.
            if not _FINGERPRINTED.fullmatch(name):
                raise NoSuchPage
            try:
                found = _read_file(static.FOLDER / name, coding)
            except FileNotFoundError:
                raise NoSuchPage from None
            self._files[name, coding] = found
        return found


class Assets:
    """Serves ``/assets/<key>`` from the asset bucket through a bounded memory.

    Objects stored with brotli go out as they lie, and decoded to the rare client without it.
    Ranges are not offered: a client that asks for one gets the whole, as HTTP allows.
    """

    def __init__(
        self,
        app: ASGIApp,
        refuse: Refuse,
        *,
        assets: ObjectStore,
        max_bytes: int = ASSETS_MAX_BYTES,
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._assets = assets
        self._max_bytes = max_bytes
        self._size_bytes = 0
        self._kept: OrderedDict[str, StoredObject] = OrderedDict()
        self._absent_since_s: OrderedDict[str, float] = OrderedDict()
        self._reading: dict[str, asyncio.Task[StoredObject]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(ASSETS_PREFIX):
            await self._app(scope, receive, send)
            return
        key = scope["path"][len(ASSETS_PREFIX) :]
        try:
            _only_reading(scope)
            if not _KEY.fullmatch(key):
                raise NoSuchPage
            found = await self._get(key)
        except ShopError as error:
            shown = NoSuchPage() if isinstance(error, NoSuchObject) else error
            await _refused(self._refuse, shown, scope)(scope, receive, send)
            return
        response = await _asset_answer(key, found, scope)
        await response(scope, receive, send)

    async def _get(self, key: str) -> StoredObject:
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        if time.monotonic() - self._absent_since_s.get(key, -_ABSENT_S) < _ABSENT_S:
            raise NoSuchObject(key)
        reading = self._reading.get(key)
        if reading is None:
            reading = asyncio.create_task(self._read(key))
            self._reading[key] = reading
            reading.add_done_callback(lambda done: self._forget(key, done))
        # Shielded: a client that leaves must not cancel the reading for the others.
        return await asyncio.shield(reading)

    def _forget(self, key: str, done: "asyncio.Task[StoredObject]") -> None:
        del self._reading[key]
        if not done.cancelled():
            done.exception()  # seen, also when everybody who waited has left

    async def _read(self, key: str) -> StoredObject:
        try:
            found = await asyncio.to_thread(self._assets.get, key)
        except NoSuchObject:
            self._absent_since_s[key] = time.monotonic()
            if len(self._absent_since_s) > _ABSENT_MAX:
                self._absent_since_s.popitem(last=False)
            raise
        if len(found.data) <= ASSET_MAX_BYTES:
            self._keep(key, found)
        return found

    def _keep(self, key: str, found: StoredObject) -> None:
        self._kept[key] = found
        self._size_bytes += len(found.data)
        while self._size_bytes > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._size_bytes -= len(oldest.data)


async def _asset_answer(key: str, found: StoredObject, scope: Scope) -> Response:
    is_coded = found.content_encoding == "br"
    passes = is_coded and preferred(_header(scope, b"accept-encoding")) == BROTLI
    headers = {"Cache-Control": IMMUTABLE, "ETag": f'"{key}"', "Accept-Ranges": "none"}
    if is_coded:
        headers["Vary"] = "Accept-Encoding"
    if passes:
        headers["ETag"] = f'"{key}-br"'
    if _is_held(scope, key):
        return Response(status_code=304, headers=headers)
    if passes:
        headers["Content-Encoding"] = "br"
    data = found.data
    if is_coded and not passes:
        data = await asyncio.to_thread(_decoded, data)
    return Response(data, headers=headers, media_type=found.content_type)


def _decoded(data: bytes) -> bytes:
    decoder = brotli.Decompressor()
    plain: bytes = decoder.process(data, output_buffer_limit=DECODED_MAX_BYTES)
    if not decoder.is_finished():
        raise ValueError(f"an asset is larger than {DECODED_MAX_BYTES} bytes, or cut short")
    return plain


def _read_file(path: Path, coding: bytes) -> tuple[bytes, bytes]:
    if coding != IDENTITY:
        sibling = path.with_name(path.name + _SUFFIXES[coding])
        if sibling.is_file():
            return sibling.read_bytes(), coding
    return path.read_bytes(), IDENTITY


def _only_reading(scope: Scope) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        raise MethodNotAllowed(scope["method"], "GET, HEAD")


def _refused(refuse: Refuse, error: ShopError, scope: Scope) -> Response:
    response = refuse(error, scope)
    if isinstance(error, MethodNotAllowed):
        response.headers["Allow"] = error.allowed
    return response


def _is_held(scope: Scope, name: str) -> bool:
    """Whether the client has this very file already: its tag begins with the file's name."""
    return f'"{name}'.encode() in _header(scope, b"if-none-match")


def _header(scope: Scope, wanted: bytes) -> bytes:
    return next((value for name, value in scope["headers"] if name == wanted), b"")


def _type_of(name: str) -> str:
    return _TYPES.get(Path(name).suffix, "application/octet-stream")
