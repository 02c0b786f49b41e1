"""The template environment."""

from pathlib import Path

import pytest
from minijinja import TemplateError
from pydantic import SecretStr

from vitrina.platform import pages
from vitrina.settings import Settings

SETTINGS = Settings.model_construct(
    database_url=SecretStr(""),
    shop_name="Sten & Kiri",
    public_url="https://shop.example",
    payment_provider="test",
)


def rendered(folder: Path, source: str, **values: object) -> str:
    (folder / "page.html").write_text(source, encoding="utf-8")
    return pages.environment(SETTINGS, folder).render_template("page.html", **values)


def test_values_are_escaped(tmp_path: Path) -> None:
    assert rendered(tmp_path, "{{ name }}", name="<b>&'\"") == "&lt;b&gt;&amp;&#x27;&quot;"


def test_every_template_knows_the_shop(tmp_path: Path) -> None:
    source = "{{ shop_name }} {{ public_url | address }} {{ 1 if test_payments else 0 }}"

    assert rendered(tmp_path, source) == "Sten &amp; Kiri https://shop.example 1"


def test_things_are_counted_in_english(tmp_path: Path) -> None:
    source = "{% for n in (0, 1, 2, 1200) %}{{ n | plural('chair', 'chairs') }};{% endfor %}"

    assert rendered(tmp_path, source) == "0 chairs;1 chair;2 chairs;1,200 chairs;"


def test_an_address_is_readable_and_cannot_leave_its_attribute(tmp_path: Path) -> None:
    source = "{{ path | address }}"

    assert rendered(tmp_path, source, path="/c/a?x=1&y=2%2C3") == "/c/a?x=1&amp;y=2%2C3"
    assert rendered(tmp_path, source, path="\"><i>'") == "%22%3E%3Ci%3E%27"


def test_an_undefined_name_is_an_error_that_keeps_the_values_to_itself(tmp_path: Path) -> None:
    with pytest.raises(TemplateError) as failure:
        rendered(tmp_path, "\n{{ pirce }}", price="ada@example.com")

    assert "page.html:2" in str(failure.value)
    assert "ada@example.com" not in str(failure.value)


def test_the_shops_own_templates_come_first_and_others_are_found(tmp_path: Path) -> None:
    (tmp_path / "base.html").write_text("another base")
    environment = pages.environment(SETTINGS, tmp_path)

    with pytest.raises(TemplateError):
        environment.render_template("nowhere.html")
    assert "another base" not in environment.render_template("maintenance.html")
    assert "<main" in environment.render_template(
        "error.html", status=404, title="Not found", detail="Nothing here."
    )
