"""An ASGI application behind a real socket, and a client that may send anything."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPResponse
from typing import Any

import uvicorn
from starlette.types import ASGIApp

TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Message
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


@dataclass(frozen=True, slots=True)
class Client:
    """Asks the application behind a port of 127.0.0.1; each request on a connection of its own."""

    port: int

    def ask(
        self, method: str, path: str, body: bytes | str | None = None, **headers: str
    ) -> Answer:
        """One well-formed request. ``if_none_match="…"`` becomes ``If-None-Match: …``."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=TIMEOUT_S)
        try:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, named)
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: bytes | str, **headers: str) -> Answer:
        return self.ask("POST", path, body, **{"content_type": "application/json", **headers})

    def send(self, *parts: bytes, pause_s: float = 0.0) -> Answer:
        """Any bytes, in parts with pauses between them; the first answer to them."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT_S) as connection:
            try:
                for part in parts:
                    connection.sendall(part)
                    time.sleep(pause_s)
            except OSError:
                pass  # refused before it was all sent: the answer says why
            return _first_answer(connection)


def _first_answer(connection: socket.socket) -> Answer:
    response = HTTPResponse(connection)
    response.begin()
    return Answer(response.status, response.headers, response.read())


@contextmanager
def serving(app: ASGIApp, **options: Any) -> Iterator[Client]:
    """``app`` on uvicorn, with the server options of the web process, in a thread."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        config = uvicorn.Config(
            app,
            **{
                "log_config": None,
                "access_log": False,
                "server_header": False,
                "proxy_headers": False,
                "timeout_graceful_shutdown": 2,
                **options,
            },
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            while not server.started and thread.is_alive():
                time.sleep(0.005)
            yield Client(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join(10)
