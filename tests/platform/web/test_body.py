"""A body arrives whole, in time, within its bounds, as text; or nothing behind sees it."""

import json
import socket
import time
from collections.abc import Iterator

import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.serving import Client, serving
from vitrina.kernel.errors import ShopError
from vitrina.platform.web.answers import error_response
from vitrina.platform.web.body import WholeBody

LIMIT_BYTES = 1000


@pytest.fixture
def heard() -> list[bytes]:
    """The bodies that came through."""
    return []


@pytest.fixture
def client(heard: list[bytes]) -> Iterator[Client]:
    async def listen(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            heard.append((await receive())["body"])
            await Response("heard")(scope, receive, send)

    with serving(_whole(listen), lifespan="off") as client:
        yield client


def _whole(app: ASGIApp) -> WholeBody:
    def refuse(error: ShopError, scope: Scope) -> Response:
        return error_response(error, scope, None)

    return WholeBody(app, refuse, limit_bytes=LIMIT_BYTES, timeout_s=0.4)


def head(*lines: str) -> bytes:
    first = ("POST /api/v1/x HTTP/1.1", "Host: shop.example", *lines)
    return "\r\n".join((*first, "", "")).encode()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def test_a_body_in_pieces_is_handed_on_whole(client: Client, heard: list[bytes]) -> None:
    answer = client.send(
        head("Transfer-Encoding: chunked"),
        chunk(b"a" * 400),
        chunk(b"b" * 600),
        chunk(b""),
        pause_s=0.02,
    )

    assert answer.status == 200
    assert heard == [b"a" * 400 + b"b" * 600]


def test_a_request_without_a_body_waits_for_none(client: Client, heard: list[bytes]) -> None:
    assert client.get("/").status == 200
    assert client.send(head("Content-Length: 0")).status == 200
    assert heard == [b"", b""]


@pytest.mark.parametrize(
    "request_",
    [
        (head(f"Content-Length: {LIMIT_BYTES + 1}"), b"x" * (LIMIT_BYTES + 1)),
        (head("Content-Length: 999999999999"),),
        (head("Content-Length: 999999999999", "Expect: 100-continue"),),
        (head("Transfer-Encoding: chunked"), chunk(b"x" * 600), chunk(b"x" * 401), chunk(b"")),
        (head("Transfer-Encoding: chunked"), *[chunk(b"x" * 600)] * 200),
    ],
    ids=["one byte over", "announced", "asked first", "in pieces", "without end"],
)
def test_a_body_over_the_limit_is_refused_and_the_connection_closed(
    client: Client, heard: list[bytes], request_: tuple[bytes, ...]
) -> None:
    answer = client.send(*request_)

    assert (answer.status, json.loads(answer.body)["code"]) == (413, "BodyTooLarge")
    assert answer.headers["connection"] == "close"
    assert heard == []


def test_a_client_that_asks_first_is_refused_at_once(client: Client) -> None:
    began = time.monotonic()

    client.send(head("Content-Length: 5000", "Expect: 100-continue"))

    assert time.monotonic() - began < 1.0


@pytest.mark.parametrize(
    "request_",
    [
        (head("Content-Length: 10"), b"x" * 9),
        (head("Transfer-Encoding: chunked"), chunk(b"x")),
        (head("Content-Length: 900"), *[b"x"] * 20),
    ],
    ids=["one byte short", "no last piece", "drop by drop"],
)
def test_a_body_that_does_not_come_to_its_end_in_time_is_refused(
    client: Client, heard: list[bytes], request_: tuple[bytes, ...]
) -> None:
    answer = client.send(*request_, pause_s=0.03)

    assert (answer.status, json.loads(answer.body)["code"]) == (408, "SlowRequest")
    assert answer.headers["connection"] == "close"
    assert heard == []


def test_what_follows_a_body_is_not_part_of_it(client: Client, heard: list[bytes]) -> None:
    following = head("Content-Length: 3") + b"def"

    answer = client.send(head("Content-Length: 3") + b"abc" + following, pause_s=0.3)

    assert answer.status == 200
    assert heard == [b"abc", b"def"]


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -1",),
        ("Content-Length: 1e3",),
        ("Content-Length: 3", "Content-Length: 4"),
        ("Content-Length: 3", "Transfer-Encoding: chunked"),
    ],
)
def test_an_ambiguous_length_is_refused(
    client: Client, heard: list[bytes], lines: tuple[str, ...]
) -> None:
    assert client.send(head(*lines), b"abc").status == 400
    assert heard == []


def test_a_client_that_leaves_is_not_answered(client: Client, heard: list[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", client.port)) as connection:
        connection.sendall(head("Content-Length: 10") + b"x")

    assert client.get("/").status == 200
    assert heard == [b""]


def test_bytes_that_are_neither_json_nor_a_form_are_left_alone(
    client: Client, heard: list[bytes]
) -> None:
    answer = client.post("/", b"\xff\x00", content_type="application/octet-stream")

    assert answer.status == 200
    assert heard == [b"\xff\x00"]
