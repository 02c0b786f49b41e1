"""RFC 9457 problems: how an error looks to a program, and in the API document."""

import json
from collections import defaultdict
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, Field

from vitrina.kernel.errors import ShopError
from vitrina.platform.web.errors import InvalidRequest

MEDIA_TYPE = "application/problem+json"
PROBLEM_REF = "#/components/schemas/Problem"


class ProblemField(BaseModel):
    """One field that does not fit."""

    place: str = Field(description="body, query, path, header or cookie", examples=["body"])
    field: str = Field(
        description="Path inside it; empty for the whole of it", examples=["address.country"]
    )
    message: str = Field(examples=["Field required"])
    code: str = Field(examples=["missing"])


class Problem(BaseModel):
    """Why a request was not carried out (RFC 9457)."""

    type: str = Field(
        description="Address of a page that explains this kind of problem",
        examples=["/problems/NoSuchPage"],
    )
    title: str = Field(description="The kind of problem, for people", examples=["Not found"])
    status: int = Field(description="The HTTP status, repeated", examples=[404])
    detail: str = Field(
        description="This very problem, for the person who has to act on it",
        examples=["There is nothing at this address."],
    )
    instance: str = Field(description="Path that was asked for", examples=["/api/v1/nothing"])
    code: str = Field(description="Stable name that programs may compare", examples=["NoSuchPage"])
    retry: bool = Field(
        description="Whether the very same request may succeed later", examples=[False]
    )
    request_id: str = Field(
        description="Finds the request in the shop's log", examples=["3nYqZ5c1TqWk0m8sVwz8Zg"]
    )
    errors: list[ProblemField] = Field(
        default=[], description="Each field that does not fit; only with InvalidRequest"
    )


def type_uri(code: str) -> str:
    """Where the page about a problem lies, relative to the shop's address."""
    return f"/problems/{code}"


def problem_json(error: ShopError, *, instance: str, request_id: str) -> bytes:
    """The body of a problem answer."""
    problem: dict[str, Any] = {
        "type": type_uri(error.code),
        "title": error.title,
        "status": error.status,
        "detail": str(error),
        "instance": instance,
        "code": error.code,
        "retry": error.retry,
        "request_id": request_id,
    }
    if isinstance(error, InvalidRequest):
        problem["errors"] = [
            {"place": e.place, "field": e.field, "message": e.message, "code": e.code}
            for e in error.errors
        ]
    return json.dumps(problem, ensure_ascii=False, separators=(",", ":")).encode()


def problems(*errors: type[ShopError]) -> dict[int | str, dict[str, Any]]:
    """What an operation may answer with instead, for ``responses=`` of a route.

    Each error becomes one named example under its status.
    """
    by_status: dict[int, list[type[ShopError]]] = defaultdict(list)
    for error in errors:
        by_status[error.status].append(error)
    return {
        status: {
            "description": "; ".join(f"`{error.__name__}`: {summary(error)}" for error in group),
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": PROBLEM_REF},
                    "examples": {error.__name__: _example(error) for error in group},
                }
            },
        }
        for status, group in sorted(by_status.items())
    }


def summary(error: type[ShopError]) -> str:
    """First paragraph of an error's docstring, on one line."""
    text = (error.__doc__ or HTTPStatus(error.status).phrase).strip().split("\n\n")[0]
    return " ".join(text.split())


def _example(error: type[ShopError]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "type": type_uri(error.__name__),
        "title": error.title,
        "status": error.status,
        "detail": summary(error),
        "instance": "/api/v1/…",
        "code": error.__name__,
        "retry": error.retry,
        "request_id": "3nYqZ5c1TqWk0m8sVwz8Zg",
    }
    if issubclass(error, InvalidRequest):
        value["errors"] = [
            {
                "place": "body",
                "field": "quantity",
                "message": "Input should be greater than 0",
                "code": "greater_than",
            }
        ]
    return {"summary": summary(error), "value": value}
