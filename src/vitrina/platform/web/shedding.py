"""Says no early, so that what was begun is finished in good time.

    access → headers → limits → files, probes → origin → page cache → SHEDDING → body → routes

Two signs tell that too much came in: the event loop runs late while requests wait for a thread,
and too many wait. (A late loop alone may only mean that another program has the processor, and
refusing the few who are here would not help.) Pages in the cache are served all the same; browsing
gives way before carts and checkouts do.
"""

import asyncio
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from vitrina.platform.web.errors import Overloaded
from vitrina.platform.web.limits import Refuse

LAG_S = 0.25
LAST_LAG_S = 1.0  # a checkout is only refused when everything else already is
PROBE_S = 0.1
_WEIGHT = 0.3  # of the newest probe; a single pause of the collector sheds nobody


class LoadShedder:
    """Answers 503 with Retry-After when the process is overloaded.

    Args:
        is_last: whether a path is shed only at the very end.
        max_waiting: requests under way in the routes beyond which browsing is shed; four times
            as many before anything is.
        crowd: fewer than so many under way are served however late the loop runs.
    """

    def __init__(
        self,
        app: ASGIApp,
        refuse: Refuse,
        *,
        is_last: Callable[[str], bool],
        max_waiting: int,
        crowd: int,
        lag_s: float = LAG_S,
        last_lag_s: float = LAST_LAG_S,
    ) -> None:
        self._app = app
        self._refuse = refuse
        self._is_last = is_last
        self._max_waiting = max_waiting
        self._crowd = crowd
        self._lag_limit_s = lag_s
        self._last_lag_limit_s = last_lag_s
        self._waiting = 0
        self._lag_s = 0.0
        self._due_s: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._due_s is None:
            self._probe_again()
        if self._is_too_much(scope["path"]):
            await self._refuse(Overloaded(), scope)(scope, receive, send)
            return
        self._waiting += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._waiting -= 1

    @property
    def lag_s(self) -> float:
        """Seconds by which the event loop runs late, smoothed."""
        return self._lag_s

    def _is_too_much(self, path: str) -> bool:
        lag_s = self._lag_s if self._waiting >= self._crowd else 0.0
        if lag_s < self._lag_limit_s and self._waiting < self._max_waiting:
            return False
        if not self._is_last(path):
            return True
        return lag_s >= self._last_lag_limit_s or self._waiting >= 4 * self._max_waiting

    def _probe_again(self) -> None:
        self._due_s = time.monotonic() + PROBE_S
        asyncio.get_running_loop().call_later(PROBE_S, self._probe)

    def _probe(self) -> None:
        assert self._due_s is not None
        late_s = max(0.0, time.monotonic() - self._due_s)
        self._lag_s += _WEIGHT * (late_s - self._lag_s)
        self._probe_again()
