"""The whole web process: what a shopper and an operator rely on."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr

from tests.running import running_shop
from tests.serving import Client, serving
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services, build
from vitrina.platform.embedded.processes import free_port

PUBLIC = ["/", "/c/chairs", "/p/oak-chair", "/search?q=oak", "/api/v1/products"]
PUBLIC += ["/api/v1/products/oak-chair", "/api/v1/search?q=oak", "/api/v1/categories"]
PRIVATE = ["/cart", "/checkout", "/orders", "/api/v1/cart"]


@contextmanager
def without_database(services: Services) -> Iterator[Client]:
    """The shop while PostgreSQL is down."""
    nowhere = SecretStr(f"postgresql://vitrina@127.0.0.1:{free_port()}/shop")
    shop = build(services.settings.model_copy(update={"database_url": nowhere}))
    with serving(create_app(shop)) as client:
        yield client


@pytest.mark.parametrize("path", PUBLIC)
def test_public_pages_are_the_same_for_everybody_and_may_be_kept(client: Client, path: str) -> None:
    nobody = client.get(path)
    somebody = client.get(path, cookie="cart=O16p_iLmc4tSQKEwKzzi0w; cart_count=3")

    assert nobody.status == 200
    assert nobody.headers["cache-control"].startswith("public")
    assert nobody.headers["etag"] == somebody.headers["etag"]
    assert nobody.body == somebody.body
    assert "set-cookie" not in nobody.headers
    assert client.get(path, if_none_match=nobody.headers["etag"]).status == 304


@pytest.mark.parametrize("path", PRIVATE)
def test_what_is_a_shoppers_own_is_kept_by_nobody(client: Client, path: str) -> None:
    answer = client.get(path)

    assert "no-store" in answer.headers["cache-control"] or answer.status == 303
    assert "etag" not in answer.headers


@pytest.mark.parametrize(
    "cookie",
    [
        "cart=../../etc/passwd",
        "cart=%00%ff",
        "cart=" + "x" * 4000,
        "cart=' OR 1=1 --",
        "cart=\xff\xfe",
        "cart; cart=; =cart",
        'cart="O16p_iLmc4tSQKEwKzzi0w',
        "cart_count=-1; cart_count=NaN",
    ],
)
def test_a_tampered_cookie_is_no_cart(client: Client, cookie: str) -> None:
    read = client.send(
        f"GET /api/v1/cart HTTP/1.1\r\nHost: shop.example\r\nCookie: {cookie}\r\n\r\n".encode(
            "latin-1"
        )
    )
    page = client.send(
        f"GET /cart HTTP/1.1\r\nHost: shop.example\r\nCookie: {cookie}\r\n\r\n".encode("latin-1")
    )

    assert (read.status, json.loads(read.body)["lines"]) == (200, [])
    assert page.status == 200


def test_without_its_database_the_shop_can_be_looked_at(services: Services) -> None:
    with without_database(services) as client:
        assert client.get("/p/oak-chair").status == 200
        assert client.get("/api/v1/products/oak-chair").status == 200


def test_without_its_database_an_order_is_refused_with_503_and_not_500(
    services: Services,
) -> None:
    with without_database(services) as client:
        told = client.get("/api/v1/orders/7K3M-9QXD-2V?email=ada%40example.com")

    assert told.status == 503
    assert told.headers["retry-after"] == "5"
    assert json.loads(told.body)["code"] == "DatabaseUnavailable"
    assert b"psycopg" not in told.body


def test_in_maintenance_pages_say_so_and_probes_and_files_answer(services: Services) -> None:
    settings = services.settings.model_copy(update={"maintenance": True})
    with serving(create_app(replace(services, settings=settings))) as client:
        page = client.get("/p/oak-chair", accept="text/html")
        told = client.get("/api/v1/products")
        written = client.post("/api/v1/cart/items", "{}")

        assert (page.status, page.headers["retry-after"]) == (503, "5")
        assert "rearranging" in page.text
        assert json.loads(told.body)["code"] == "Maintenance"
        assert written.status == 503
        assert client.get("/healthz").status == 200
        assert client.get("/readyz").status == 200


def test_the_process_itself_logs_lines_of_json(services: Services, tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with running_shop(services.settings, log) as address:
        client = Client(int(address.rpartition(":")[2]))
        named = client.get("/p/oak-chair", x_request_id="from-the-proxy-7")
        client.get("/nothing")

    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    requests = [line for line in lines if line["event"] == "request"]
    assert named.headers["x-request-id"] == "from-the-proxy-7"
    assert [(line["path"], line["route"], line["status"]) for line in requests] == [
        ("/p/oak-chair", "/p/{slug}", 200),
        ("/nothing", "", 404),
    ]
    assert requests[0]["request_id"] == "from-the-proxy-7"


def test_a_wrong_setting_stops_the_process_with_a_sentence(
    services: Services, tmp_path: Path
) -> None:
    log = tmp_path / "web.log"

    with (
        pytest.raises(AssertionError, match="did not start"),
        running_shop(services.settings, log, VITRINA_LOG_LEVEL="loud"),
    ):
        pass

    assert "VITRINA_LOG_LEVEL='loud': Input should be 'debug'" in log.read_text()
    assert "Traceback" not in log.read_text()
