"""The outbox: messages written in the transaction they tell of, and sent afterwards.

A row is a promise to send a message when it is due; so it is also a timer that survives every
process. ``relay`` sends what is due to the queue: at least once, never before its transaction
has committed. A sent row is deleted.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Connection,
    DateTime,
    Engine,
    Identity,
    Index,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from vitrina.platform.queue import MessageQueue
from vitrina.platform.sql import METADATA

OUTBOX = Table(
    "outbox",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("topic", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    CheckConstraint("topic <> ''", name="topic_named"),
    CheckConstraint("subject <> ''", name="subject_named"),
    Index("ix_outbox_due_at", "due_at"),
    Index("ix_outbox_subject", "subject", "topic"),
)

BATCH = 100
# A relay that dies between sending and deleting leaves its rows to the next one after this.
CLAIM = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Message:
    """What a job is told: ``topic`` says which, ``subject`` names the thing it is about."""

    topic: str
    subject: str
    due_at: datetime
    body: Mapping[str, Any] = field(default_factory=dict)


class Outbox:
    """Messages of one transaction. They exist if, and only if, it commits."""

    def __init__(self, tx: Connection) -> None:
        self._tx = tx

    def add(self, *messages: Message) -> None:
        """Promise to send messages, each when it is due, in one statement."""
        self._tx.execute(
            insert(OUTBOX),
            [
                {
                    "topic": message.topic,
                    "subject": message.subject,
                    "body": dict(message.body),
                    "due_at": message.due_at,
                }
                for message in messages
            ],
        )

    def drop(self, topic: str, subject: str) -> None:
        """Take back what has not been sent: a timer that need not ring any more."""
        self._tx.execute(delete(OUTBOX).where(OUTBOX.c.topic == topic, OUTBOX.c.subject == subject))


def relay(db: Engine, queue: MessageQueue, *, now: datetime) -> int:
    """Send what is due, at most ``BATCH`` messages. Several processes may do so at once.

    Rows are claimed by moving their time, and that commits before the first message leaves:
    no lock is held while SQS is spoken to, and no two relays send the same row. A relay that
    dies in between leaves rows that come due again, so a message may be sent twice.

    Returns:
        The number of messages sent; ``BATCH`` means that there may be more.
    """
    due = (
        select(OUTBOX.c.id)
        .where(OUTBOX.c.due_at <= now)
        .order_by(OUTBOX.c.due_at)
        .limit(BATCH)
        .with_for_update(skip_locked=True)
        .cte("due")
    )
    claim = (
        update(OUTBOX)
        .where(OUTBOX.c.id.in_(select(due.c.id)))
        .values(due_at=now + CLAIM)
        .returning(OUTBOX.c.id, OUTBOX.c.topic, OUTBOX.c.subject, OUTBOX.c.body)
    )
    with db.begin() as tx:
        rows = sorted(tx.execute(claim).all(), key=lambda row: row.id)
    if not rows:
        return 0
    queue.send([{"topic": row.topic, "subject": row.subject, **row.body} for row in rows])
    with db.begin() as tx:
        tx.execute(delete(OUTBOX).where(OUTBOX.c.id.in_([row.id for row in rows])))
    return len(rows)


def next_due(db: Engine) -> datetime | None:
    """When the next message is due; ``None`` when none waits."""
    with db.connect() as connection:
        due_at: datetime | None = connection.scalar(select(func.min(OUTBOX.c.due_at)))
    return due_at
