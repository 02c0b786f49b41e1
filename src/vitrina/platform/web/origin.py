"""Refuses what a page of another site sends in the shopper's name.

    access → headers → limits → files, probes → ORIGIN → page cache → shedding → body → routes

Every browser says where a writing request comes from: in ``Sec-Fetch-Site``, and older ones at
least in ``Origin``. A request with neither comes from a program, which holds no shopper's cookies.
"""

from collections.abc import Iterable

from starlette.types import ASGIApp, Receive, Scope, Send

from vitrina.platform.web.errors import OriginRefused
from vitrina.platform.web.limits import Refuse

_SAFE = {"GET", "HEAD", "OPTIONS"}
_OWN = {b"same-origin", b"none"}  # "none": typed in, a bookmark


class OriginCheck:
    """Answers 403 to unsafe methods from other origins.

    Args:
        public_url: where shoppers reach the shop; its origin is always the shop's own, also when
            a proxy changes the Host header.
    """

    def __init__(self, app: ASGIApp, refuse: Refuse, *, public_url: str) -> None:
        self._app = app
        self._refuse = refuse
        scheme, _, rest = public_url.partition("://")
        self._own_origin = f"{scheme}://{rest.split('/')[0]}".lower().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if (
            scope["type"] == "http"
            and scope["method"] not in _SAFE
            and not self._is_own(scope["headers"])
        ):
            await self._refuse(OriginRefused(), scope)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_own(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        site = origin = host = None
        for name, value in headers:
            if name == b"sec-fetch-site":
                site = value
            elif name == b"origin":
                origin = value.lower()
            elif name == b"host":
                host = value.lower()
        if site is not None:
            return site in _OWN
        if origin is None or origin == self._own_origin:
            return True
        return origin.partition(b"://")[2] == host
