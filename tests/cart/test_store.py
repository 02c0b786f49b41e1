"""Carts in the real table: revisions, lost answers, time that is over."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.exceptions import ConnectionClosedError
from botocore.httpsession import URLLib3Session

from tests.shopping import MovableClock
from vitrina.cart.errors import CartChanged
from vitrina.cart.model import LIFETIME, Cart
from vitrina.cart.store import CartStore
from vitrina.kernel.money import Money
from vitrina.platform import resources
from vitrina.platform.aws import dynamodb_client
from vitrina.platform.dynamo import DynamoTable
from vitrina.settings import Settings

PRICE = Money(12950, "EUR")


@pytest.fixture
def client(settings: Settings) -> Any:
    return dynamodb_client(settings)


@pytest.fixture
def carts(client: Any, settings: Settings) -> CartStore:
    return CartStore(DynamoTable(client, carts_table(settings)))


def test_a_cart_comes_back_as_it_was_written(carts: CartStore, clock: MovableClock) -> None:
    cart = Cart("c").with_item("CHAIR", 2, PRICE).with_item("MUG", 1, Money(1240, "EUR"))
    cart = cart.without_bought("order-1", {"MUG": 1})

    saved = carts.save(cart, now=clock())

    assert carts.get("c", now=clock()) == saved
    assert saved.lines == cart.lines
    assert saved.bought == ("order-1",)


def test_of_two_writes_from_the_same_reading_the_second_is_refused(
    carts: CartStore, clock: MovableClock
) -> None:
    read = carts.save(Cart("c").with_item("CHAIR", 1, PRICE), now=clock())
    first = carts.save(read.with_item("LAMP", 1, PRICE), now=clock())

    with pytest.raises(CartChanged):
        carts.save(read.with_item("MUG", 1, PRICE), now=clock())
    assert carts.get("c", now=clock()) == first


def test_two_first_writes_of_one_cart_cannot_both_succeed(
    carts: CartStore, clock: MovableClock
) -> None:
    carts.save(Cart("c").with_item("CHAIR", 1, PRICE), now=clock())

    with pytest.raises(CartChanged):
        carts.save(Cart("c").with_item("MUG", 1, PRICE), now=clock())


def test_a_cart_whose_time_is_over_is_empty_before_dynamodb_removes_it(
    carts: CartStore, clock: MovableClock
) -> None:
    carts.save(Cart("c").with_item("CHAIR", 1, PRICE), now=clock())
    clock.advance(seconds=LIFETIME.total_seconds() - 1)
    assert carts.get("c", now=clock()).units == 1

    clock.advance(seconds=1)

    assert carts.get("c", now=clock()) == Cart("c")
    fresh = carts.save(Cart("c").with_item("MUG", 1, PRICE), now=clock())
    assert carts.get("c", now=clock()) == fresh


def lose_the_next_answer(client: Any, *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Let the next PutItem reach the table, and cut the line before its answer arrives."""
    lost: list[AWSPreparedRequest] = []

    def lose(request: AWSPreparedRequest, **_: object) -> None:
        if not lost:
            lost.append(request)
            assert URLLib3Session().send(request).status_code == 200
            meanwhile()
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.dynamodb.PutItem", lose)


def test_a_write_whose_answer_was_lost_is_not_taken_for_somebody_elses(
    carts: CartStore, client: Any, clock: MovableClock
) -> None:
    before = carts.save(Cart("c").with_item("CHAIR", 1, PRICE), now=clock())
    lose_the_next_answer(client)

    saved = carts.save(before.with_item("CHAIR", 1, PRICE), now=clock())

    assert saved.units == 2
    assert carts.get("c", now=clock()) == saved


def test_a_lost_answer_and_a_third_writer_in_between_add_nothing_twice(
    carts: CartStore, client: Any, settings: Settings, clock: MovableClock
) -> None:
    before = carts.save(Cart("c").with_item("CHAIR", 1, PRICE), now=clock())
    others = CartStore(DynamoTable(dynamodb_client(settings), carts_table(settings)))

    def third_writer() -> None:
        others.save(others.get("c", now=clock()).with_item("MUG", 1, PRICE), now=clock())

    lose_the_next_answer(client, meanwhile=third_writer)

    saved = carts.save(before.with_item("CHAIR", 1, PRICE), now=clock())

    assert {line.sku: line.quantity for line in saved.lines} == {"CHAIR": 2, "MUG": 1}
    assert carts.get("c", now=clock()) == saved


def carts_table(settings: Settings) -> str:
    return settings.named(resources.CARTS.name)
