"""The built-in test provider: a bank of our own that moves no money.

It keeps its books in the SQL schema ``testpay``, apart from the shop's, and touches nothing else.
What happens depends on the card number alone, so the product needs no switch for tests. Card
numbers are looked at and forgotten.
"""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    Engine,
    Row,
    Table,
    Text,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from vitrina.checkout.errors import PaymentUnavailable, UnknownConfirmation
from vitrina.checkout.model import PaymentState
from vitrina.checkout.payments.provider import Charge
from vitrina.kernel.ids import new_id
from vitrina.kernel.money import Money
from vitrina.platform.sql import METADATA

SUCCEEDS = "4242424242424242"
DECLINED = "4000000000000002"
NEEDS_CONFIRMATION = "4000000000003220"
ANSWER_LOST = "4000000000009995"
CARDS = {
    SUCCEEDS: "is charged",
    DECLINED: "is declined",
    NEEDS_CONFIRMATION: "asks for a confirmation on a page of the bank",
    ANSWER_LOST: "loses the answer: every second order is charged all the same",
}

CONFIRM_PATH = "/checkout/confirm/"

CHARGES = Table(
    "charges",
    METADATA,
    Column("order_id", Text, primary_key=True),
    Column("reference", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("amount_minor", BigInteger, nullable=False),
    Column("currency", Text, nullable=False),
    Column("charged_minor", BigInteger, nullable=False),
    Column("refunded_minor", BigInteger, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    CheckConstraint(
        "state IN ('needs_confirmation', 'succeeded', 'declined', 'cancelled')", name="state"
    ),
    CheckConstraint(
        "CASE state WHEN 'succeeded' THEN charged_minor = amount_minor AND refunded_minor = 0"
        " WHEN 'cancelled' THEN charged_minor IN (0, amount_minor)"
        " AND refunded_minor = charged_minor"
        " ELSE charged_minor = 0 AND refunded_minor = 0 END",
        name="money_follows_state",
    ),
    schema="testpay",
)


class PaymentMismatch(ValueError):
    """One order was charged twice with different amounts: a mistake of the caller."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A payment that waits for its shopper's word, as the bank's page shows it."""

    reference: str
    order_id: str
    amount: Money


class TestProvider:
    """A provider whose cards do what their numbers say. Threads may share it."""

    __test__ = False  # no test case, whatever pytest thinks of the name
    name = "test"

    def __init__(self, db: Engine) -> None:
        self._db = db

    def authorise(self, order_id: str, amount: Money, token: str) -> Charge:
        card = "".join(token.split()).replace("-", "")
        if card == ANSWER_LOST and _is_lost_on_the_way_in(order_id):
            raise PaymentUnavailable
        state = {
            SUCCEEDS: PaymentState.SUCCEEDED,
            ANSWER_LOST: PaymentState.SUCCEEDED,
            NEEDS_CONFIRMATION: PaymentState.NEEDS_CONFIRMATION,
        }.get(card, PaymentState.DECLINED)
        charge = self._charge_once(order_id, amount, state)
        if card == ANSWER_LOST:
            raise PaymentUnavailable
        return charge

    def retrieve(self, order_id: str) -> Charge | None:
        row = self._one(select(CHARGES).where(CHARGES.c.order_id == order_id))
        return _charge(row) if row is not None else None

    def cancel(self, order_id: str, amount: Money) -> Charge:
        # The row is written also when no charge ever arrived: then it refuses the one to come.
        tombstone = insert(CHARGES).values(_row(order_id, amount, PaymentState.CANCELLED))
        undo = tombstone.on_conflict_do_update(
            index_elements=[CHARGES.c.order_id],
            set_={"state": PaymentState.CANCELLED, "refunded_minor": CHARGES.c.charged_minor},
            where=CHARGES.c.state != PaymentState.DECLINED,
        )
        self._one(undo.returning(CHARGES.c.order_id))
        charge = self.retrieve(order_id)
        assert charge is not None
        return charge

    def challenge(self, reference: str) -> Challenge:
        """The payment that waits for a confirmation under a reference.

        Raises:
            UnknownConfirmation: there is none, or it has been answered.
        """
        row = self._one(select(CHARGES).where(*_waiting(reference)))
        if row is None:
            raise UnknownConfirmation
        return Challenge(row.reference, row.order_id, Money(row.amount_minor, row.currency))

    def answer(self, reference: str, *, approve: bool) -> str:
        """Confirm or refuse a payment, as its shopper does on the bank's page.

        Returns:
            The id of the order it pays.

        Raises:
            UnknownConfirmation: no payment waits there, or not any more.
        """
        row = self._one(
            update(CHARGES)
            .where(*_waiting(reference))
            .values(
                state=PaymentState.SUCCEEDED if approve else PaymentState.DECLINED,
                charged_minor=CHARGES.c.amount_minor if approve else 0,
            )
            .returning(CHARGES.c.order_id)
        )
        if row is None:
            raise UnknownConfirmation
        order_id: str = row.order_id
        return order_id

    def _charge_once(self, order_id: str, amount: Money, state: PaymentState) -> Charge:
        row = self._one(
            insert(CHARGES)
            .values(_row(order_id, amount, state))
            .on_conflict_do_nothing(index_elements=[CHARGES.c.order_id])
            .returning(*CHARGES.c)
        )
        charge = _charge(row) if row is not None else self.retrieve(order_id)
        assert charge is not None
        if charge.amount != amount:
            raise PaymentMismatch(f"order {order_id}: first {charge.amount}, now {amount}")
        return charge

    def _one(self, statement: Any) -> Row[Any] | None:
        try:
            with self._db.begin() as tx:
                return tx.execute(statement).one_or_none()
        except (DBAPIError, PoolTimeout) as error:
            raise PaymentUnavailable from error


def _is_lost_on_the_way_in(order_id: str) -> bool:
    """Every second order: lost before it was charged, instead of on the way back."""
    return sha256(order_id.encode()).digest()[0] % 2 == 0


def _waiting(reference: str) -> tuple[Any, ...]:
    waiting = CHARGES.c.state == PaymentState.NEEDS_CONFIRMATION
    return CHARGES.c.reference == reference, waiting


def _row(order_id: str, amount: Money, state: PaymentState) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "reference": new_id(),
        "state": state,
        "amount_minor": amount.minor,
        "currency": amount.currency,
        "charged_minor": amount.minor if state is PaymentState.SUCCEEDED else 0,
        "refunded_minor": 0,
    }


def _charge(row: Row[Any]) -> Charge:
    state = PaymentState(row.state)
    waits = state is PaymentState.NEEDS_CONFIRMATION
    return Charge(
        state=state,
        amount=Money(row.amount_minor, row.currency),
        reference=row.reference,
        confirm_url=f"{CONFIRM_PATH}{row.reference}" if waits else "",
    )
