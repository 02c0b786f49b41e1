"""What a load balancer is told, also when nothing works."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from pydantic import SecretStr
from starlette.responses import PlainTextResponse

from tests.serving import Client, serving
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services
from vitrina.platform.embedded.processes import free_port
from vitrina.platform.sql import sql_engine
from vitrina.platform.web.probes import Probes


def test_a_shop_with_all_its_neighbours_is_ready(client: Client) -> None:
    assert json.loads(client.get("/healthz").body) == {"status": "ok"}

    answer = client.get("/readyz")

    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.body) == {
        "status": "ok",
        "neighbours": {"database": "ok", "carts": "ok"},
    }


def test_a_shop_without_its_database_lives_and_is_not_ready(services: Services) -> None:
    nowhere = SecretStr(f"postgresql://vitrina@127.0.0.1:{free_port()}/shop")
    dead = sql_engine(services.settings.model_copy(update={"database_url": nowhere}))
    with serving(create_app(replace(services, db=dead))) as client:
        assert client.get("/healthz").status == 200
        answer = client.get("/readyz")

    assert (answer.status, answer.headers["retry-after"]) == (503, "1")
    assert json.loads(answer.body) == {
        "status": "unavailable",
        "neighbours": {"database": "unavailable", "carts": "ok"},
    }


def test_a_neighbour_that_hangs_is_waited_for_one_second() -> None:
    let_go = threading.Event()
    asked: list[str] = []

    def hang() -> None:
        asked.append("hang")
        let_go.wait(10)

    probes = Probes(PlainTextResponse("through"), neighbours={"slow": hang, "quick": list})
    with serving(probes, lifespan="off") as client:
        try:
            began = time.monotonic()
            with ThreadPoolExecutor(5) as crowd:
                answers = list(crowd.map(lambda _: client.get("/readyz"), range(5)))
            took_s = time.monotonic() - began
        finally:
            let_go.set()

    assert {answer.status for answer in answers} == {503}
    assert json.loads(answers[0].body)["neighbours"] == {
        "slow": "no answer in time",
        "quick": "ok",
    }
    assert took_s == pytest.approx(1.0, abs=0.6)
    assert asked == ["hang"], "however many ask, a neighbour is asked once"
