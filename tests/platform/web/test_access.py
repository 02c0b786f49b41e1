"""Every request has a name, and one line in the log."""

import json
import re
import time
from collections.abc import Iterator
from http.client import HTTPException
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from tests.serving import Client, serving
from vitrina.platform import log
from vitrina.platform.web.access import AccessLog
from vitrina.platform.web.answers import error_response


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def requests(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [line for line in lines(capsys) if line["event"] == "request"]


@pytest.fixture
def broken() -> Iterator[Client]:
    """A layer that fails at ``/before`` and ``/amid`` an answer."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/before":
            raise RuntimeError("before")
        if scope["path"] == "/amid":
            await send(
                {
                    "type": "http.response.start",
                    "status": 200,
                    "headers": [(b"content-length", b"9")],
                }
            )
            raise RuntimeError("amid")
        await PlainTextResponse("fine")(scope, receive, send)

    log.configure("info")
    logged = AccessLog(
        app,
        lambda error, scope: error_response(error, scope, None),
        template_of=lambda _: "/{any}",
    )
    with serving(logged, lifespan="off") as client:
        yield client


def test_the_line_tells_route_status_duration_and_bytes(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [
        client.get("/api/v1/roses"),
        client.get("/api/v1/roses"),
        client.get("/garden/fails/refused?secret=1"),
        client.ask("HEAD", "/garden"),
        client.get('/no"thing%5C'),
    ]
    client.get("/healthz")
    time.sleep(0.1)
    told = requests(capsys)

    assert [(line["method"], line["path"], line["route"], line["status"]) for line in told] == [
        ("GET", "/api/v1/roses", "/api/v1/roses", 200),
        ("GET", "/api/v1/roses", "/api/v1/roses", 200),  # from memory
        ("GET", "/garden/fails/refused", "/{place:path}/fails/{how}", 422),
        ("HEAD", "/garden", "/garden", 200),
        ("GET", '/no"thing\\', "", 404),
    ]
    assert [line["bytes"] for line in told] == [len(answer.body) for answer in answers]
    assert [line["request_id"] for line in told] == [
        answer.headers["x-request-id"] for answer in answers
    ]
    assert len({line["request_id"] for line in told}) == 5
    assert all(0 < line["ms"] < 20_000 for line in told)
    assert all(re.fullmatch(r"20\d\d-.*\+00:00", line["time"]) for line in told)
    assert "secret" not in json.dumps(told)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Root=1-67891233-abcdef012345678912345678", True),
        ("0123-4567", True),
        ("short", False),
        ("x" * 129, False),
        ('quote"quote', False),
        ("spaces are not kept", False),
    ],
)
def test_a_proxys_name_for_a_request_is_kept_when_well_formed(
    client: Client, given: str, kept: bool
) -> None:
    assert (client.get("/", x_request_id=given).headers["x-request-id"] == given) is kept


def test_a_layer_that_fails_is_answered_and_logged_once(
    broken: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = broken.get("/before", accept="application/json")

    assert answer.status == 500
    assert json.loads(answer.body)["code"] == "InternalError"
    failures = [line for line in lines(capsys) if line["event"] == "request.failed"]
    assert [line["request_id"] for line in failures] == [answer.headers["x-request-id"]]


def test_half_an_answer_never_looks_whole(broken: Client) -> None:
    with pytest.raises((HTTPException, ConnectionError)):
        broken.get("/amid")
    assert broken.get("/").body == b"fine"
