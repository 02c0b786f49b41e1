"""Stock in PostgreSQL: never below zero, whoever takes at once."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import IntegrityError

from vitrina.catalogue import stock
from vitrina.catalogue.errors import OutOfStock
from vitrina.catalogue.stock import MAX_LEVEL, STOCK, StockUnavailable


def stocked(db: Engine, **levels: int) -> None:
    with db.begin() as tx:
        for key, available in levels.items():
            stock.set_level(tx, key, available)


def test_levels_are_set_read_taken_and_given_back(db: Engine) -> None:
    stocked(db, chair=5, lamp=2)
    with db.begin() as tx:
        stock.take(tx, {"chair": 2, "lamp": 2})
    with db.begin() as tx:
        stock.give_back(tx, {"chair": 1, "vase": 4})
    stocked(db, lamp=7)

    assert stock.levels(db, ["chair", "lamp", "vase", "never"]) == {
        "chair": 4,
        "lamp": 7,
        "vase": 4,
        "never": 0,
    }
    assert stock.levels(db, []) == {}


def test_a_purchase_that_lacks_anything_takes_nothing_and_names_all_it_lacks(db: Engine) -> None:
    stocked(db, chair=5, lamp=1, vase=0)

    with pytest.raises(OutOfStock) as refusal, db.begin() as tx:
        stock.take(tx, {"vase": 1, "chair": 2, "lamp": 2})

    assert refusal.value.stock_keys == ("lamp", "vase")
    assert stock.levels(db, ["chair", "lamp", "vase"]) == {"chair": 5, "lamp": 1, "vase": 0}


def test_fifty_buyers_of_ten_pieces_get_exactly_ten(db: Engine) -> None:
    stocked(db, chair=10)

    def buy(_: int) -> bool:
        try:
            with db.begin() as tx:
                stock.take(tx, {"chair": 1})
        except OutOfStock:
            return False
        return True

    with ThreadPoolExecutor(16) as buyers:
        bought = list(buyers.map(buy, range(50)))

    assert bought.count(True) == 10
    assert stock.levels(db, ["chair"]) == {"chair": 0}


def test_buyers_of_the_same_things_in_any_order_do_not_wait_in_a_circle(db: Engine) -> None:
    keys = [f"key-{number}" for number in range(8)]
    stocked(db, **dict.fromkeys(keys, 1000))

    def buy(seed: int) -> None:
        shuffled = random.Random(seed).sample(keys, len(keys))
        with db.begin() as tx:
            stock.take(tx, dict.fromkeys(shuffled, 1))
        with db.begin() as tx:
            stock.give_back(tx, dict.fromkeys(reversed(shuffled), 1))

    with ThreadPoolExecutor(8) as buyers:
        list(buyers.map(buy, range(60)))

    assert stock.levels(db, keys) == dict.fromkeys(keys, 1000)


def test_the_table_itself_refuses_a_negative_stock(db: Engine) -> None:
    stocked(db, chair=1)

    with pytest.raises(IntegrityError, match="ck_stock_available_not_negative"), db.begin() as tx:
        tx.execute(STOCK.update().values(available=-1))


@pytest.mark.parametrize("available", [-1, MAX_LEVEL + 1])
def test_an_impossible_level_is_refused(db: Engine, available: int) -> None:
    with pytest.raises(ValueError, match="give 0 to 2147483647"), db.begin() as tx:
        stock.set_level(tx, "chair", available)
    assert stock.levels(db, ["chair"]) == {"chair": 0}


@pytest.mark.parametrize("pieces", [0, -3])
def test_nobody_takes_or_returns_less_than_one_piece(db: Engine, pieces: int) -> None:
    stocked(db, chair=5)

    with pytest.raises(ValueError, match="pieces of chair"), db.begin() as tx:
        stock.take(tx, {"chair": pieces})
    with pytest.raises(ValueError, match="pieces of chair"), db.begin() as tx:
        stock.give_back(tx, {"chair": pieces})
    assert stock.levels(db, ["chair"]) == {"chair": 5}


def test_a_database_that_is_down_is_said_to_be() -> None:
    nobody_listens = create_engine(
        "postgresql+psycopg://nobody@127.0.0.1:1/none", connect_args={"connect_timeout": 1}
    )

    with pytest.raises(StockUnavailable):
        stock.levels(nobody_listens, ["chair"])
