"""Is it alive, and can it serve: the two questions a load balancer asks.

    access → headers → limits → files, PROBES → origin → page cache → shedding → body → routes

``/healthz`` says that the process answers. ``/readyz`` asks every neighbour, all at once, and says
within a second which of them does not answer. Neither depends on a free thread of the routes.
"""

import asyncio
import time
from collections.abc import Callable, Mapping

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from vitrina.platform.log import get_logger

log = get_logger()

TIMEOUT_S = 1.0
_BELIEVED_S = 1.0  # however many ask, the neighbours are asked once a second


class Probes:
    """Answers ``/healthz`` and ``/readyz``.

    Args:
        neighbours: by name, a function that returns when the neighbour answers and raises when it
            does not.
    """

    def __init__(self, app: ASGIApp, *, neighbours: Mapping[str, Callable[[], object]]) -> None:
        self._app = app
        self._neighbours = neighbours
        self._asking: asyncio.Task[dict[str, str]] | None = None
        self._asked_s = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            if scope["path"] == "/healthz":
                await JSONResponse({"status": "ok"}, headers=_FRESH)(scope, receive, send)
                return
            if scope["path"] == "/readyz":
                states = await asyncio.shield(self._states())
                is_ready = all(state == "ok" for state in states.values())
                answer = JSONResponse(
                    {"status": "ok" if is_ready else "unavailable", "neighbours": states},
                    200 if is_ready else 503,
                    headers=_FRESH if is_ready else {**_FRESH, "Retry-After": "1"},
                )
                await answer(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _states(self) -> "asyncio.Task[dict[str, str]]":
        now_s = time.monotonic()
        if self._asking is None or (self._asking.done() and now_s - self._asked_s > _BELIEVED_S):
            self._asked_s = now_s
            self._asking = asyncio.create_task(self._ask_all())
        return self._asking

    async def _ask_all(self) -> dict[str, str]:
        names = list(self._neighbours)
        states = await asyncio.gather(*(self._ask(name) for name in names))
        return dict(zip(names, states, strict=True))

    async def _ask(self, name: str) -> str:
        try:
            async with asyncio.timeout(TIMEOUT_S):
                await asyncio.to_thread(self._neighbours[name])
        except TimeoutError:
            state = "no answer in time"
        except Exception as error:
            log.warning("neighbour.unavailable", neighbour=name, error=f"{type(error).__name__}")
            state = "unavailable"
        else:
            state = "ok"
        return state


_FRESH = {"Cache-Control": "no-store"}
