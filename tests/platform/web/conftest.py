"""The real layers in front of a few routes that do what a test needs."""

import threading
from collections.abc import Iterator
from typing import Annotated

import pytest
from botocore.exceptions import EndpointConnectionError
from fastapi import APIRouter, Form
from pydantic import BaseModel, Field
from starlette.responses import HTMLResponse, JSONResponse, Response

from tests.conftest import new_shop
from tests.serving import Client, serving
from vitrina.entrypoints.http import create_app
from vitrina.entrypoints.wiring import Services, build
from vitrina.kernel.errors import Conflict, NotFound, Refused, Unavailable
from vitrina.platform import log
from vitrina.platform.embedded.supervisor import Embedded

PUBLIC = "public, max-age=0, s-maxage=60"


class Tangled(Conflict):
    """Two threads met."""


class NotForSale(Refused):
    """It is only shown."""


class Rose(BaseModel):
    name: str
    petals: Annotated[int, Field(gt=0)]


@pytest.fixture(scope="package")
def services(platform: Embedded) -> Iterator[Services]:
    """One shop for all tests here: they store next to nothing in it."""
    with new_shop(platform) as settings:
        built = build(settings)
        yield built
        built.db.dispose()


@pytest.fixture
def renders() -> list[str]:
    """The paths of public pages that were rendered, in order."""
    return []


@pytest.fixture
def garden(renders: list[str]) -> APIRouter:
    """Routes of a kind the shop has, and routes that fail in every way."""
    router = APIRouter()
    first_may_end = threading.Event()

    @router.get("/garden", include_in_schema=False)
    def page(color: str = "red") -> Response:
        renders.append(f"/garden?{color}")
        return HTMLResponse(f"<p>{color} roses</p>" * 200, headers={"Cache-Control": PUBLIC})

    @router.get("/garden/slow")
    def slow() -> Response:
        renders.append("/garden/slow")
        first_may_end.wait(0.3)
        return HTMLResponse("slow" * 500, headers={"Cache-Control": PUBLIC})

    @router.get("/garden/mine")
    def mine() -> Response:
        renders.append("/garden/mine")
        return HTMLResponse("mine" * 500, headers={"Cache-Control": "private, no-store"})

    @router.get("/garden/cookie")
    def cookie() -> Response:
        renders.append("/garden/cookie")
        response = HTMLResponse("cookie" * 500, headers={"Cache-Control": PUBLIC})
        response.set_cookie("seen", "yes")
        return response

    @router.get("/api/v1/roses")
    def roses() -> Response:
        renders.append("/api/v1/roses")
        return JSONResponse({"roses": ["Alba"] * 100}, headers={"Cache-Control": PUBLIC})

    @router.post("/api/v1/roses", status_code=201)
    def plant(rose: Rose) -> Rose:
        return rose

    @router.post("/garden", include_in_schema=False)
    def form(name: Annotated[str, Form()]) -> Response:
        return HTMLResponse(name)

    @router.get("/{place:path}/fails/{how}")
    def fail(place: str, how: str) -> None:
        raise {
            "absent": NotFound(f"No {place} here."),
            "tangled": Tangled("They met."),
            "refused": NotForSale("Only to look at."),
            "down": Unavailable("Not now."),
            "aws": EndpointConnectionError(endpoint_url="http://127.0.0.1:1"),
            "bug": RuntimeError("the password is rosebud"),
        }[how]

    return router


@pytest.fixture
def client(
    services: Services, garden: APIRouter, capsys: pytest.CaptureFixture[str]
) -> Iterator[Client]:
    """The whole web process with the garden in it; its log goes to ``capsys``."""
    log.configure("info")
    with serving(create_app(services, further=[garden])) as client:
        yield client
