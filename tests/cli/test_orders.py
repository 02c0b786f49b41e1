"""``vitrina orders`` over a shop that has sold something."""

import json
import os
from collections.abc import Callable

import pytest
from typer.testing import CliRunner, Result

from tests.shopping import buy, on_shelf
from vitrina.checkout.errors import PaymentDeclined
from vitrina.checkout.model import Order
from vitrina.checkout.payments.test_provider import DECLINED
from vitrina.cli.main import app
from vitrina.entrypoints.wiring import Services

Run = Callable[..., Result]


@pytest.fixture
def vitrina(services: Services) -> Run:
    """The command ``vitrina orders`` over the test's shop."""
    environment = {
        **os.environ,
        "DATABASE_URL": services.settings.database_url.get_secret_value(),
        "VITRINA_PREFIX": services.settings.prefix,
    }

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(app, ["orders", *arguments, "--no-embedded"], env=environment)

    return run


@pytest.fixture
def paid(services: Services) -> Order:
    """The older of two orders; the newer one was declined."""
    on_shelf(services, "chair", "129.50")
    order = buy(services, {"CHAIR": 2})
    with pytest.raises(PaymentDeclined):
        buy(services, {"CHAIR": 1}, card=DECLINED)
    return order


def test_the_last_orders_are_listed_newest_first(vitrina: Run, paid: Order) -> None:
    listed = vitrina("list")

    assert listed.exit_code == 0, listed.output
    newest, oldest = listed.output.splitlines()
    assert "cancelled" in newest
    assert oldest.split()[0] == paid.number
    assert "paid" in oldest
    assert "€259" in oldest
    assert "ada@example.com" in oldest


def test_a_list_can_be_narrowed_and_read_by_programs(vitrina: Run, paid: Order) -> None:
    listed = vitrina("list", "--state", "paid", "--limit", "5", "--json")

    (order,) = json.loads(listed.stdout)
    assert order["number"] == paid.number
    assert order["total"]["amount"] == 25900


def test_one_order_is_shown_with_its_history(vitrina: Run, paid: Order) -> None:
    shown = vitrina("show", paid.number.lower())

    assert shown.exit_code == 0, shown.output
    for part in (paid.number, "2 × Chair (CHAIR)", "total     €259", "VAT 21 %", "placed", "paid"):
        assert part in shown.output
    as_json = json.loads(vitrina("show", paid.number, "--json").stdout)
    assert [event["what"] for event in as_json["history"]] == ["placed", "paid"]


def test_an_order_that_does_not_exist_ends_with_status_1(vitrina: Run, paid: Order) -> None:
    missing = vitrina("show", "0000-0000-00")

    assert missing.exit_code == 1
    assert "There is no order 0000-0000-00." in missing.output
    assert vitrina("list", "--limit", "0").exit_code == 2
    assert vitrina("list", "--state", "shipped").exit_code == 2


def test_a_shop_that_has_sold_nothing_says_so(vitrina: Run) -> None:
    empty = vitrina("list")

    assert empty.exit_code == 0
    assert empty.stdout == ""
    assert json.loads(vitrina("list", "--json").stdout) == []
