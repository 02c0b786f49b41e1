"""Too much came in: what was begun is finished, browsing gives way first, pages stay."""

import asyncio
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.serving import Client, serving
from vitrina.platform.web.answers import error_response
from vitrina.platform.web.pagecache import PageCache
from vitrina.platform.web.shedding import LoadShedder

PUBLIC = {"Cache-Control": "public, s-maxage=60"}


async def shop(scope: Scope, receive: Receive, send: Send) -> None:
    """Thinks a while about ``/slow``, holds the event loop for ``/checkout/hog``."""
    if scope["path"].endswith("/slow"):
        await asyncio.sleep(1.0)
    if scope["path"] == "/checkout/hog":
        time.sleep(0.5)
    await PlainTextResponse("served", headers=PUBLIC)(scope, receive, send)


def shedding(app: ASGIApp, crowd: int = 0) -> LoadShedder:
    return LoadShedder(
        app,
        lambda error, scope: error_response(error, scope, None),
        is_last=lambda path: path.startswith("/checkout"),
        max_waiting=3,
        crowd=crowd,
        lag_s=0.1,
        last_lag_s=30.0,
    )


@pytest.fixture
def client() -> Iterator[Client]:
    with serving(shedding(shop), lifespan="off") as client:
        yield client


def test_beyond_what_can_wait_browsing_is_refused_and_checkouts_are_not(client: Client) -> None:
    with ThreadPoolExecutor(4) as crowd:
        begun = [crowd.submit(client.get, "/slow") for _ in range(3)]
        time.sleep(0.3)
        refused = client.get("/", accept="application/json")
        bought = client.get("/checkout")
        finished = [future.result().status for future in begun]

    assert (refused.status, json.loads(refused.body)["code"]) == (503, "Overloaded")
    assert refused.headers["retry-after"] == "5"
    assert bought.status == 200
    assert finished == [200, 200, 200], "what was begun is finished"
    assert client.get("/").status == 200


def test_even_checkouts_have_an_end(client: Client) -> None:
    with ThreadPoolExecutor(13) as crowd:
        begun = [crowd.submit(client.get, "/checkout/slow") for _ in range(12)]
        time.sleep(0.5)
        refused = client.get("/checkout")
        finished = [future.result().status for future in begun]

    assert refused.status == 503
    assert finished == [200] * 12


def test_a_loop_that_runs_late_sheds_browsing_until_it_keeps_up_again(client: Client) -> None:
    def status_becomes(wanted: int) -> bool:
        return any(client.get("/").status == wanted for _ in range(50))

    with ThreadPoolExecutor(1) as hog:
        hogged = hog.submit(lambda: [client.get("/checkout/hog").status for _ in range(8)])
        assert status_becomes(503)
        assert client.get("/checkout").status == 200
        assert hogged.result() == [200] * 8

    time.sleep(1.0)
    assert status_becomes(200)


def test_a_late_loop_refuses_nobody_while_hardly_anybody_is_there() -> None:
    with (
        serving(shedding(shop, crowd=3), lifespan="off") as client,
        ThreadPoolExecutor(1) as hog,
    ):
        hogged = hog.submit(lambda: [client.get("/checkout/hog").status for _ in range(6)])
        answers = []
        while not hogged.done():
            answers.append(client.get("/").status)

    assert set(answers) == {200}


def test_pages_in_memory_are_served_when_all_else_is_shed() -> None:
    with (
        serving(PageCache(shedding(shop), max_age_s=60), lifespan="off") as client,
        ThreadPoolExecutor(4) as crowd,
    ):
        client.get("/page")
        begun = [crowd.submit(client.get, f"/{number}/slow") for number in range(3)]
        time.sleep(0.3)

        assert client.get("/page").status == 200
        assert client.get("/other").status == 503
        assert [future.result().status for future in begun] == [200] * 3
