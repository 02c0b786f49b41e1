"""What no browser sends is refused before anybody reads it."""

import json
from collections.abc import Iterator

import pytest
from starlette.responses import PlainTextResponse

from tests.serving import Client, serving
from vitrina.platform.web.answers import error_response
from vitrina.platform.web.limits import (
    ADDRESS_MAX_BYTES,
    HEADERS_MAX,
    HEADERS_MAX_BYTES,
    Limits,
)


@pytest.fixture
def client() -> Iterator[Client]:
    app = Limits(
        PlainTextResponse("through"), lambda error, scope: error_response(error, scope, None)
    )
    with serving(app, lifespan="off") as client:
        yield client


def request(path: str, *headers: str, host: str | None = "shop.example") -> bytes:
    hosts = [f"Host: {host}"] if host is not None else []
    return "\r\n".join((f"GET {path} HTTP/1.1", *hosts, *headers, "", "")).encode("latin-1")


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (request("/" + "a" * (ADDRESS_MAX_BYTES - 1)), 200),
        (request("/" + "a" * ADDRESS_MAX_BYTES), 414),
        (request("/?" + "a" * (ADDRESS_MAX_BYTES - 1)), 200),
        (request("/?" + "a" * ADDRESS_MAX_BYTES), 414),
        (request("/", f"Cookie: {'c' * (HEADERS_MAX_BYTES - 100)}"), 200),
        (request("/", f"Cookie: {'c' * HEADERS_MAX_BYTES}"), 431),
        (request("/", *["X: y"] * (HEADERS_MAX - 1)), 200),
        (request("/", *["X: y"] * HEADERS_MAX), 431),
    ],
)
def test_the_limits_lie_where_they_are_said_to(client: Client, sent: bytes, status: int) -> None:
    assert client.send(sent).status == status


@pytest.mark.parametrize(
    "host", [None, "", "a b", "shop.example/evil", "shop.example:port", "user@shop.example", "a,b"]
)
def test_a_host_that_is_no_name_is_refused(client: Client, host: str | None) -> None:
    assert client.send(request("/", host=host)).status == 400


def test_two_hosts_are_none(client: Client) -> None:
    assert client.send(request("/", "Host: other.example")).status == 400


@pytest.mark.parametrize("host", ["shop.example", "127.0.0.1:8000", "[::1]:8000", "localhost"])
def test_a_host_that_is_a_name_is_taken(client: Client, host: str) -> None:
    assert client.send(request("/", host=host)).status == 200


@pytest.mark.parametrize(
    "path",
    ["/p/%ff", "/p/%c3%28", "/p/%00", "/p/%0a", "/search?q=%ff", "/search?q=a%00b", "/?%ff=1"],
)
def test_an_address_that_is_no_text_is_refused(client: Client, path: str) -> None:
    answer = client.send(request(path, "Accept: application/json"))

    assert (answer.status, json.loads(answer.body)["code"]) == (400, "MalformedAddress")


@pytest.mark.parametrize(
    "path", ["/p/st%C3%BChl", "/search?q=st%C3%BChl+%26+tisch%0A", "/search?q"]
)
def test_an_address_in_any_language_is_taken(client: Client, path: str) -> None:
    assert client.send(request(path)).status == 200
