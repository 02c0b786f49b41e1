"""Only pages of the shop itself may change something in the shopper's name."""

import json
from collections.abc import Iterator

import pytest
from starlette.responses import PlainTextResponse

from tests.serving import Client, serving
from vitrina.platform.web.answers import error_response
from vitrina.platform.web.origin import OriginCheck


@pytest.fixture
def client() -> Iterator[Client]:
    app = OriginCheck(
        PlainTextResponse("done"),
        lambda error, scope: error_response(error, scope, None),
        public_url="https://Shop.example",
    )
    with serving(app, lifespan="off") as client:
        yield client


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"origin": "https://shop.example"},
        {"origin": "http://10.0.0.7:8000", "host": "10.0.0.7:8000"},
        {},
        {"cookie": "cart=abc"},
    ],
    ids=str,
)
def test_the_shop_itself_and_programs_may_write(client: Client, headers: dict[str, str]) -> None:
    assert client.ask("POST", "/cart/items", b"", **headers).status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
        {"sec_fetch_site": "cross-site", "origin": "https://shop.example"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://shop.example.evil.example"},
        {"origin": "http://shop.example"},
        {"origin": "http://10.0.0.7.evil.example", "host": "10.0.0.7"},
        {"origin": "http://10.0.0.7:8001", "host": "10.0.0.7:8000"},
    ],
    ids=str,
)
def test_other_sites_may_not(client: Client, method: str, headers: dict[str, str]) -> None:
    answer = client.ask(method, "/api/v1/cart/items", b"", **headers)

    assert (answer.status, json.loads(answer.body)["code"]) == (403, "OriginRefused")


def test_a_link_on_another_site_may_lead_here(client: Client) -> None:
    assert client.get("/p/oak-chair", sec_fetch_site="cross-site").status == 200
    assert client.ask("HEAD", "/", origin="https://evil.example").status == 200
