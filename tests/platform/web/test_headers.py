"""Every answer carries its policy; none allows anything inline or foreign."""

from dataclasses import replace

import pytest
from fastapi import APIRouter

from tests.serving import Client, serving
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services
from vitrina.platform import static
from vitrina.platform.web.headers import DATA_POLICY, PAGE_POLICY, WORKER_POLICY

ANYTHING = ["/", "/garden", "/garden/fails/bug", "/nothing", "/%ff", "/api/v1/roses", "/api/docs"]
ANYTHING += ["/api/fails/down", "/healthz", "/assets/nothing", "/static/nothing", "/garden/"]


@pytest.mark.parametrize("path", ANYTHING)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
def test_every_answer_has_a_policy(client: Client, method: str, path: str) -> None:
    answer = client.ask(method, path, accept="text/html")

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'")
    assert "frame-ancestors 'none'" in policy
    script = next((p for p in policy.split("; ") if p.startswith("script-src")), "")
    assert "unsafe-inline" not in script
    assert "unsafe-eval" not in script.replace("wasm-unsafe-eval", "")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert len(answer.headers.get_all("content-security-policy", [])) == 1
    assert "access-control-allow-origin" not in answer.headers
    assert "server" not in answer.headers


def test_each_kind_of_answer_has_its_own_policy(client: Client) -> None:
    page = client.get("/garden")
    data = client.get("/api/v1/roses")
    worker = client.get(static.url("viewer-worker.js"))
    script = client.get(static.url("viewer.js"))

    assert page.headers["content-security-policy"] == PAGE_POLICY
    assert page.headers["referrer-policy"] == "strict-origin-when-cross-origin"
    assert data.headers["content-security-policy"] == DATA_POLICY
    assert data.headers["cross-origin-resource-policy"] == "same-origin"
    assert worker.headers["content-security-policy"] == WORKER_POLICY
    assert script.headers["content-security-policy"] == DATA_POLICY


def test_an_answer_that_nothing_changed_leaves_the_pages_policy_alone(client: Client) -> None:
    page = client.get("/garden")
    again = client.get("/garden", if_none_match=page.headers["etag"])

    assert again.status == 304
    assert "content-security-policy" not in again.headers


def test_https_is_asked_for_where_the_shop_has_it(
    client: Client, services: Services, garden: APIRouter
) -> None:
    settings = services.settings.model_copy(update={"public_url": "https://shop.example"})
    with serving(create_app(replace(services, settings=settings), further=[garden])) as secure:
        page = secure.get("/garden")

    assert page.headers["strict-transport-security"] == "max-age=63072000"
    assert page.headers["content-security-policy"].endswith("; upgrade-insecure-requests")
    assert "strict-transport-security" not in client.get("/garden").headers
