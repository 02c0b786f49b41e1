"""Security headers on every answer.

    access → HEADERS → limits → files, probes → origin → page cache → shedding → body → routes

A page may load its own scripts, styles and pictures, start its own workers and send forms to the
shop; nothing inline, nothing foreign. WebAssembly is allowed because the viewer decodes meshes
with it. Nonces would make pages uncacheable, so there are none.
"""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "worker-src 'self'",
        "connect-src 'self' blob:",
        "img-src 'self' blob:",
        "style-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# A worker does not inherit the page's policy: its script's answer brings its own.
WORKER_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "connect-src 'self' blob:",
        "img-src 'self' blob:",
    )
)
# Swagger UI draws its icons from data: addresses in its stylesheet and styles elements by script.
DOCUMENTATION_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "style-src 'self' 'unsafe-inline'",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'"

PERMISSIONS = "camera=(), geolocation=(), microphone=(), usb=(), xr-spatial-tracking=(self)"
TWO_YEARS_S = 63_072_000

Headers = list[tuple[bytes, bytes]]


class SecurityHeaders:
    """Adds what each kind of answer needs; a policy that the answer brings itself stays."""

    def __init__(self, app: ASGIApp, *, https: bool) -> None:
        self._app = app
        everywhere: Headers = [(b"x-content-type-options", b"nosniff")]
        if https:
            everywhere.append((b"strict-transport-security", f"max-age={TWO_YEARS_S}".encode()))
        self._page: Headers = [
            *everywhere,
            (b"referrer-policy", b"strict-origin-when-cross-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
            (b"permissions-policy", PERMISSIONS.encode()),
        ]
        self._data: Headers = [*everywhere, (b"cross-origin-resource-policy", b"same-origin")]
        upgrade = "; upgrade-insecure-requests" if https else ""
        self._page_policy = (b"content-security-policy", (PAGE_POLICY + upgrade).encode())
        self._data_policy = (b"content-security-policy", DATA_POLICY.encode())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            # A browser copies the headers of a 304 over those it has stored, so a policy made
            # for an answer without a body would replace the page's own.
            if message["type"] == "http.response.start" and message["status"] != 304:
                message = {**message, "headers": self._completed(message["headers"])}
            await send(message)

        await self._app(scope, receive, send_with_headers)

    def _completed(self, headers: Headers) -> Headers:
        is_page = brings_policy = False
        for name, value in headers:
            if name == b"content-type":
                is_page = value.startswith(b"text/html")
            elif name == b"content-security-policy":
                brings_policy = True
        completed = [*headers, *(self._page if is_page else self._data)]
        if not brings_policy:
            completed.append(self._page_policy if is_page else self._data_policy)
        return completed
