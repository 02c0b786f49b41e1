"""The least an ASGI application can do: the ceiling that a web process is compared with."""

from starlette.types import Receive, Scope, Send

_START = {
    "type": "http.response.start",
    "status": 200,
    "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")],
}
_BODY = {"type": "http.response.body", "body": b"hello"}


async def hello(scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer ``hello`` to everything."""
    if scope["type"] == "http":
        await send(_START)
        await send(_BODY)
