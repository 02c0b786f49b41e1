"""Whatever goes wrong, the answer says what and what to do, and no more than that."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from fastapi import APIRouter
from minijinja import Environment

from tests.serving import Client, serving
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services

IDENTIFIED = re.compile(r"[A-Za-z0-9_.:=-]{8,128}")


def problem(client: Client, path: str, **headers: str) -> dict[str, Any]:
    answer = client.get(path, **headers)
    assert answer.headers["content-type"] == "application/problem+json"
    read: dict[str, Any] = json.loads(answer.body)
    assert read["status"] == answer.status
    assert read["request_id"] == answer.headers["x-request-id"]
    assert IDENTIFIED.fullmatch(read["request_id"])
    return read


@pytest.mark.parametrize(
    ("how", "status", "code", "detail", "retry"),
    [
        ("absent", 404, "NotFound", "No api here.", False),
        ("tangled", 409, "Tangled", "They met.", False),
        ("refused", 422, "NotForSale", "Only to look at.", False),
        ("down", 503, "Unavailable", "Not now.", True),
    ],
)
def test_an_error_of_the_shop_keeps_its_name_and_words(
    client: Client, how: str, status: int, code: str, detail: str, retry: bool
) -> None:
    told = problem(client, f"/api/fails/{how}")

    assert (told["status"], told["code"], told["detail"]) == (status, code, detail)
    assert told["type"] == f"/problems/{code}"
    assert told["instance"] == f"/api/fails/{how}"
    assert told["retry"] is retry
    assert "errors" not in told


def test_a_person_gets_a_page_in_the_shops_look_and_a_program_a_problem(client: Client) -> None:
    page = client.get("/garden/fails/absent", accept="text/html,*/*;q=0.8")
    told = problem(client, "/garden/fails/absent", accept="application/json")

    assert page.status == 404
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-store"
    assert "No garden here." in page.text
    assert "storefront-" in page.text  # the shop's own stylesheet
    assert page.headers["x-request-id"] in page.text
    assert told["detail"] == "No garden here."


def test_what_an_error_says_is_escaped_in_a_page(client: Client) -> None:
    page = client.get("/%3Cscript%3Ealert(1)%3C%2Fscript%3E/fails/absent", accept="text/html")

    assert page.status == 404
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;alert" in page.text


def test_a_bug_is_logged_once_and_reveals_nothing(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = client.get("/garden/fails/bug", accept="text/html")
    told = problem(client, "/api/fails/bug", x_request_id="from-the-proxy-1")

    assert answer.status == 500
    assert told == {
        "type": "/problems/InternalError",
        "title": "Something went wrong",
        "status": 500,
        "detail": "This is our mistake, and it has been noted. Please try again.",
        "instance": "/api/fails/bug",
        "code": "InternalError",
        "retry": False,
        "request_id": "from-the-proxy-1",
    }
    assert b"rosebud" not in answer.body
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    failures = [line for line in lines if "rosebud" in json.dumps(line)]
    assert [line["request_id"] for line in failures] == [
        answer.headers["x-request-id"],
        "from-the-proxy-1",
    ]
    assert all("Traceback" in line["exception"] for line in failures)


def test_a_neighbour_that_does_not_answer_is_no_mistake_of_ours(client: Client) -> None:
    answer = client.get("/api/fails/aws")

    assert answer.status == 503
    assert answer.headers["retry-after"] == "5"
    assert json.loads(answer.body)["code"] == "NeighbourUnavailable"


def test_every_field_that_does_not_fit_is_named(client: Client) -> None:
    answer = client.post("/api/v1/roses", '{"petals": 0}')

    told = json.loads(answer.body)
    assert (answer.status, told["code"], told["detail"]) == (
        422,
        "InvalidRequest",
        "2 fields do not fit.",
    )
    assert told["errors"] == [
        {"place": "body", "field": "name", "message": "Field required", "code": "missing"},
        {
            "place": "body",
            "field": "petals",
            "message": "Input should be greater than 0",
            "code": "greater_than",
        },
    ]


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"name": "Alba", ', "The body is not JSON"),
        (b"\xff\xfe", "The body is not UTF-8 text."),
        (b'{"name": "\\u0000", "petals": 5}', "The body holds an escape"),
        (b'{"name": "\\ud83c.", "petals": 5}', "The body holds an escape"),
        (b'{"name": "\\udf39", "petals": 5}', "The body holds an escape"),
        (b"[" * 100_000, "The body is nested too deeply."),
        (b'{"petals": ' + b"9" * 5000 + b"}", "The body cannot be read."),
    ],
    ids=["cut short", "not UTF-8", "NUL", "first half", "second half", "deep", "huge number"],
)
def test_a_broken_body_is_a_bad_request(client: Client, body: bytes, detail: str) -> None:
    answer = client.post("/api/v1/roses", body)

    told = json.loads(answer.body)
    assert (answer.status, told["code"]) == (400, "MalformedBody")
    assert told["detail"].startswith(detail)


def test_characters_beyond_the_first_plane_are_text(client: Client) -> None:
    answer = client.post("/api/v1/roses", b'{"name": "\\ud83c\\udf39", "petals": 5}')

    assert (answer.status, json.loads(answer.body)["name"]) == (201, "🌹")


def test_a_body_of_another_type_is_not_read_as_json(client: Client) -> None:
    answer = client.post("/api/v1/roses", '{"name": "Alba", "petals": 5}', content_type="text/xml")

    assert answer.status == 415
    assert json.loads(answer.body)["code"] == "UnsupportedMediaType"


@pytest.mark.parametrize("body", [b"name=%ff", b"name=a%00b"], ids=["not UTF-8", "NUL"])
def test_a_form_that_is_no_text_is_a_bad_request(client: Client, body: bytes) -> None:
    answer = client.post("/garden", body, content_type="application/x-www-form-urlencoded")

    assert answer.status == 400
    assert answer.headers["content-type"] == "text/html; charset=utf-8"


def test_nothing_is_nothing_to_people_and_programs(client: Client) -> None:
    page = client.get("/no/such/thing", accept="text/html")
    told = problem(client, "/api/v1/nothing")

    assert (page.status, told["status"], told["code"]) == (404, 404, "NoSuchPage")
    assert "There is nothing at this address." in page.text


def test_a_method_that_is_not_for_an_address_names_all_that_are(client: Client) -> None:
    answer = client.ask("DELETE", "/api/v1/roses")

    assert answer.status == 405
    assert answer.headers["allow"] == "GET, HEAD, POST"
    assert json.loads(answer.body)["detail"] == "DELETE is not possible here; GET, HEAD, POST is."


@pytest.mark.parametrize(
    ("asked", "location"),
    [
        ("/garden/", "/garden"),
        ("/garden///?color=white", "/garden?color=white"),
        ("//evil.example/", "/evil.example"),
        ("/%5C%5Cevil.example/", "/%5C%5Cevil.example"),
        ("/a%0d%0aSet-Cookie:x/", None),
    ],
)
def test_a_slash_too_many_leads_to_this_shop_only(
    client: Client, asked: str, location: str | None
) -> None:
    answer = client.send(f"GET {asked} HTTP/1.1\r\nHost: evil.example\r\n\r\n".encode())

    assert answer.headers["location"] == location
    assert answer.status == (308 if location else 400)


def test_a_page_that_cannot_be_rendered_falls_back_to_a_plain_one(
    services: Services, garden: APIRouter, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = Environment(templates={"error.html": "{{ nobody.gave.this }}"})
    app = create_app(replace(services, pages=broken), further=[garden])

    with serving(app) as client:
        page = client.get("/%3Cb%3E/fails/absent", accept="text/html")

    assert page.status == 404
    assert "<h1>Not found</h1>" in page.text
    assert "No &lt;b&gt; here." in page.text
    assert "page.failed" in capsys.readouterr().out


def test_the_type_of_a_problem_leads_to_what_it_means(client: Client) -> None:
    page = client.get("/problems/NoSuchPage", accept="text/html")
    told = client.get("/problems/NoSuchPage", accept="application/json")

    assert page.status == 200
    assert "Nothing is served under this address." in page.text
    assert json.loads(told.body)["problems"][0]["meaning"] == (
        "Nothing is served under this address."
    )
    assert client.get("/problems/Nonsense").status == 404
