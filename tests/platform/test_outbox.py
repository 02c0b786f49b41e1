"""The outbox over the real database and queue: nothing unsent, nothing before its time."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError
from sqlalchemy import Engine, event, func, select

from tests.builders import NOON
from vitrina.platform import outbox
from vitrina.platform.aws import sqs_client
from vitrina.platform.outbox import BATCH, CLAIM, OUTBOX, Message, Outbox
from vitrina.platform.queue import MessageQueue
from vitrina.platform.resources import EVENTS
from vitrina.settings import Settings


@pytest.fixture
def queue(settings: Settings) -> MessageQueue:
    return MessageQueue(sqs_client(settings), settings.named(EVENTS.name))


def write(db: Engine, *messages: Message) -> None:
    with db.begin() as tx:
        Outbox(tx).add(*messages)


def waiting(db: Engine) -> int:
    with db.connect() as connection:
        return connection.execute(select(func.count()).select_from(OUTBOX)).scalar_one()


def received(queue: MessageQueue) -> list[dict[str, str]]:
    bodies = []
    while messages := queue.receive(wait_s=0):
        for message in messages:
            bodies.append(json.loads(message.body))
            queue.done(message)
    return bodies


def test_what_is_due_is_sent_with_all_it_says_and_forgotten(
    db: Engine, queue: MessageQueue
) -> None:
    write(db, Message("order.paid", "o1", NOON, {"total": 12}), Message("order.paid", "o2", NOON))

    assert outbox.relay(db, queue, now=NOON) == 2

    assert sorted(received(queue), key=lambda body: body["subject"]) == [
        {"topic": "order.paid", "subject": "o1", "total": 12},
        {"topic": "order.paid", "subject": "o2"},
    ]
    assert waiting(db) == 0
    assert outbox.relay(db, queue, now=NOON) == 0


def test_a_timer_rings_when_it_is_due_and_not_before(db: Engine, queue: MessageQueue) -> None:
    write(db, Message("order.settle", "o1", NOON + timedelta(seconds=25)))

    assert outbox.relay(db, queue, now=NOON + timedelta(seconds=24.9)) == 0
    assert received(queue) == []
    assert outbox.relay(db, queue, now=NOON + timedelta(seconds=25)) == 1
    assert len(received(queue)) == 1


def test_a_transaction_rolled_back_has_promised_nothing(db: Engine, queue: MessageQueue) -> None:
    with pytest.raises(ZeroDivisionError), db.begin() as tx:
        Outbox(tx).add(Message("order.paid", "o1", NOON))
        _ = 1 / 0

    assert outbox.relay(db, queue, now=NOON) == 0


def test_a_timer_taken_back_does_not_ring(db: Engine, queue: MessageQueue) -> None:
    write(
        db,
        Message("order.settle", "o1", NOON),
        Message("order.settle", "o2", NOON),
        Message("order.paid", "o1", NOON),
    )
    with db.begin() as tx:
        Outbox(tx).drop("order.settle", "o1")

    outbox.relay(db, queue, now=NOON)

    assert {(body["topic"], body["subject"]) for body in received(queue)} == {
        ("order.settle", "o2"),
        ("order.paid", "o1"),
    }


def test_several_relays_at_once_send_each_message_once(db: Engine, queue: MessageQueue) -> None:
    total = 3 * BATCH
    write(db, *(Message("order.paid", f"o{number}", NOON) for number in range(total)))

    with ThreadPoolExecutor(4) as relays:
        sent = sum(relays.map(lambda _: outbox.relay(db, queue, now=NOON), range(4)))

    assert sent == total
    subjects = [body["subject"] for body in received(queue)]
    assert len(subjects) == len(set(subjects)) == total
    assert waiting(db) == 0


def test_a_batch_is_bounded_and_takes_what_is_longest_due(db: Engine, queue: MessageQueue) -> None:
    write(db, Message("order.paid", "late", NOON))
    write(
        db,
        *(
            Message("order.paid", f"o{number}", NOON - timedelta(seconds=1))
            for number in range(BATCH)
        ),
    )

    assert outbox.relay(db, queue, now=NOON) == BATCH
    assert "late" not in {body["subject"] for body in received(queue)}
    assert outbox.relay(db, queue, now=NOON) == 1


def test_while_the_queue_is_away_messages_wait_and_none_is_lost(
    db: Engine, queue: MessageQueue, settings: Settings
) -> None:
    write(db, Message("order.paid", "o1", NOON))
    nowhere = MessageQueue(sqs_client(settings), "no-such-queue")

    with pytest.raises(ClientError):
        outbox.relay(db, nowhere, now=NOON)

    assert outbox.relay(db, queue, now=NOON) == 0  # claimed by the one that failed
    assert outbox.relay(db, queue, now=NOON + CLAIM) == 1
    assert len(received(queue)) == 1


def test_no_lock_is_held_while_the_queue_is_spoken_to(db: Engine, queue: MessageQueue) -> None:
    write(db, Message("order.settle", "o1", NOON))
    moments = []

    class SlowQueue(MessageQueue):
        def send(self, bodies: list[dict[str, object]]) -> None:
            # A checkout that finishes meanwhile takes its timer back without waiting.
            with db.begin() as tx:
                Outbox(tx).drop("order.settle", "o1")
            moments.append(len(bodies))

    slow = SlowQueue(queue._client, queue.name)
    assert outbox.relay(db, slow, now=NOON) == 1
    assert moments == [1]
    assert waiting(db) == 0


def test_an_idle_look_is_one_statement(db: Engine, queue: MessageQueue) -> None:
    statements: list[str] = []
    outbox.relay(db, queue, now=NOON)
    event.listen(db, "before_cursor_execute", lambda *args: statements.append(args[2]))

    outbox.relay(db, queue, now=NOON)

    assert len(statements) == 1
