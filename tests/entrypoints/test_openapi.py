"""The API document leaves nothing open: every operation, value and problem is described."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, ConsoleMessage

from tests.serving import Client

JSON = "application/json"
PROBLEM = "application/problem+json"


@pytest.fixture(scope="module")
def document(client: Client) -> Any:
    return json.loads(client.get("/api/v1/openapi.json").body)


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def test_it_says_whose_it_is_and_where(document: Any, client: Client) -> None:
    info = document["info"]

    assert document["openapi"] == "3.1.0"
    assert (info["title"], info["license"]["identifier"]) == ("Vitrina API", "Apache-2.0")
    assert info["contact"]["url"].rstrip("/") == document["servers"][0]["url"]
    assert "Problems" in info["description"]
    tags = {tag["name"] for tag in document["tags"]}
    assert all(set(operation["tags"]) <= tags for _, operation in operations(document))
    assert all(tag["description"] for tag in document["tags"])


def test_every_use_case_is_there(document: Any) -> None:
    names = [operation["operationId"] for _, operation in operations(document)]

    assert len(names) == len(set(names))
    assert {
        "list_products", "get_product", "search_products", "list_categories",
        "read_cart", "add_item", "set_quantity", "remove_item",
        "list_countries", "quote_cart", "place_order", "get_order", "cancel_order",
    } <= set(names)  # fmt: skip


def test_every_operation_is_described(document: Any) -> None:
    for name, operation in operations(document):
        assert operation["description"], name
        successes = [status for status in operation["responses"] if status.startswith("2")]
        assert successes, name
        for status, response in operation["responses"].items():
            assert response["description"] not in ("", "Successful Response"), (name, status)


def test_every_operation_names_its_problems_with_examples(document: Any) -> None:
    for name, operation in operations(document):
        responses = operation["responses"]
        expected = {"400", "500", "503"}
        if "requestBody" in operation:
            expected |= {"403", "408", "413", "415", "422"}
        assert expected <= set(responses), name
        for status, response in responses.items():
            if int(status) < 400:
                continue
            content = response["content"][PROBLEM]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            for code, example in content["examples"].items():
                assert (example["value"]["code"], str(example["value"]["status"])) == (code, status)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_every_body_and_answer_has_an_example(document: Any) -> None:
    schemas = document["components"]["schemas"]

    def is_exemplified(schema: Any) -> bool:
        if "$ref" in schema:
            return is_exemplified(schemas[schema["$ref"].rpartition("/")[2]])
        if "examples" in schema or "enum" in schema or "default" in schema or "const" in schema:
            return True
        if "items" in schema:
            return is_exemplified(schema["items"])
        if "anyOf" in schema:
            return any(is_exemplified(option) for option in schema["anyOf"])
        properties = schema.get("properties", {})
        return bool(properties) and all(map(is_exemplified, properties.values()))

    for name, operation in operations(document):
        if "requestBody" in operation:
            assert is_exemplified(operation["requestBody"]["content"][JSON]["schema"]), name
        for status, response in operation["responses"].items():
            if status.startswith("2"):
                assert is_exemplified(response["content"][JSON]["schema"]), (name, status)
        for parameter in operation.get("parameters", []):
            described = parameter.get("description") or parameter["schema"].get("description")
            assert described, (name, parameter["name"])


def test_every_reference_leads_somewhere(document: Any) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            for key, inner in value.items():
                if key == "$ref":
                    yield inner
                else:
                    yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in references(document):
        place = document
        for part in reference.removeprefix("#/").split("/"):
            place = place[part]


def test_who_knows_a_shopper_says_by_which_cookie(document: Any) -> None:
    scheme = document["components"]["securitySchemes"]["cart"]
    by_name = dict(operations(document))

    assert (scheme["in"], scheme["name"]) == ("cookie", "cart")
    assert by_name["POST /api/v1/cart/items"]["security"] == [{}, {"cart": []}]
    assert "security" not in by_name["GET /api/v1/products"]


def test_the_page_about_it_works_under_its_policy(client: Client, browser: Browser) -> None:
    trouble: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            trouble.append(message.text)

    page = browser.new_page()
    page.on("console", listen)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    try:
        page.goto(f"http://127.0.0.1:{client.port}/api/docs")
        page.get_by_role("heading", name="Vitrina API").wait_for(timeout=20_000)
        page.get_by_text("/api/v1/cart/items").first.click()
        page.get_by_text("OAK-CHAIR-OAK").first.wait_for(timeout=20_000)
        hosts = page.evaluate(
            "performance.getEntriesByType('resource').map(entry => new URL(entry.name).host)"
        )
    finally:
        page.close()

    assert trouble == []
    assert set(hosts) == {f"127.0.0.1:{client.port}"}
