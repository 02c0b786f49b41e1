"""Stock: how many pieces can be sold. It lives in PostgreSQL, beside the orders that take it.

The number never falls below zero because each statement asks for enough in the row it changes,
and because the table forbids it; no reader's idea of the stock decides anything.
"""

from collections.abc import Iterable, Mapping

from sqlalchemy import CheckConstraint, Column, Connection, Engine, Integer, Table, Text, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from vitrina.catalogue.errors import OutOfStock
from vitrina.kernel.errors import Unavailable
from vitrina.platform.sql import METADATA

STOCK = Table(
    "stock",
    METADATA,
    Column("stock_key", Text, primary_key=True),
    Column("available", Integer, nullable=False),
    CheckConstraint("available >= 0", name="available_not_negative"),
)
MAX_LEVEL = 2**31 - 1  # of PostgreSQL's integer


class StockUnavailable(Unavailable):
    """The stock cannot be read just now."""

    def __init__(self) -> None:
        super().__init__("The stock cannot be read just now. Try again in a moment.")


def take(tx: Connection, needs: Mapping[str, int]) -> None:
    """Take pieces out of stock within the caller's transaction.

    Keys are taken in sorted order, so that two purchases of the same things cannot wait for each
    other in a circle.

    Args:
        needs: stock key -> pieces, 1 or more each.

    Raises:
        OutOfStock: names every key of which too few are left. The caller's transaction must end
            without a commit, else the other keys stay taken.
    """
    short = []
    for stock_key, pieces in _in_order(needs):
        taken = tx.execute(
            STOCK.update()
            .where(STOCK.c.stock_key == stock_key, STOCK.c.available >= pieces)
            .values(available=STOCK.c.available - pieces)
        )
        if taken.rowcount == 0:
            short.append(stock_key)
    if short:
        raise OutOfStock(short)


def give_back(tx: Connection, pieces_by_key: Mapping[str, int]) -> None:
    """Return pieces to stock within the caller's transaction, in the order ``take`` uses."""
    for stock_key, pieces in _in_order(pieces_by_key):
        statement = insert(STOCK).values(stock_key=stock_key, available=pieces)
        tx.execute(
            statement.on_conflict_do_update(
                index_elements=[STOCK.c.stock_key],
                set_={"available": STOCK.c.available + statement.excluded.available},
            )
        )


def set_level(tx: Connection, stock_key: str, available: int) -> None:
    """Say how many pieces there are.

    Raises:
        ValueError: negative, or more than the table can hold.
    """
    if not 0 <= available <= MAX_LEVEL:
        raise ValueError(f"the stock of {stock_key} is {available}: give 0 to {MAX_LEVEL}")
    statement = insert(STOCK).values(stock_key=stock_key, available=available)
    tx.execute(
        statement.on_conflict_do_update(
            index_elements=[STOCK.c.stock_key], set_={"available": statement.excluded.available}
        )
    )


def levels(db: Engine, stock_keys: Iterable[str]) -> dict[str, int]:
    """Pieces that can be sold, by stock key; 0 for a key without a stock.

    Raises:
        StockUnavailable: PostgreSQL does not answer.
    """
    found = dict.fromkeys(stock_keys, 0)
    if not found:
        return found
    rows = select(STOCK.c.stock_key, STOCK.c.available).where(STOCK.c.stock_key.in_(list(found)))
    try:
        with db.connect() as connection:
            found.update((row.stock_key, row.available) for row in connection.execute(rows))
    except (DBAPIError, PoolTimeout) as error:
        raise StockUnavailable from error
    return found


def _in_order(pieces_by_key: Mapping[str, int]) -> list[tuple[str, int]]:
    for stock_key, pieces in pieces_by_key.items():
        if pieces < 1:
            raise ValueError(f"{pieces} pieces of {stock_key}")
    return sorted(pieces_by_key.items())
