"""The worker as a process, its loops, and the Lambda function that does the same jobs."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import text, update

from tests.conftest import new_shop
from tests.shopping import buy, check_books, on_shelf, skus_in
from vitrina.checkout import service, transitions
from vitrina.checkout.model import Order, OrderState
from vitrina.checkout.payments.test_provider import ANSWER_LOST
from vitrina.entrypoints import aws_lambda, worker
from vitrina.entrypoints.jobs import Job, MalformedJob
from vitrina.entrypoints.wiring import Services, build
from vitrina.platform.aws import sqs_client
from vitrina.platform.embedded.supervisor import Embedded
from vitrina.platform.outbox import OUTBOX
from vitrina.platform.queue import MessageQueue
from vitrina.platform.resources import EVENTS
from vitrina.settings import Settings

PATIENCE_S = 30.0


@pytest.fixture
def shop(platform: Embedded) -> Iterator[Services]:
    with new_shop(platform) as settings:
        shop = build(settings)
        on_shelf(shop, "mug", "12.40", 1_000)
        yield shop
        shop.db.dispose()


@dataclass(frozen=True, slots=True)
class Worker:
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)


@contextmanager
def working(settings: Settings, log: Path) -> Iterator[Worker]:
    """The worker process over these settings' stores."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "vitrina.entrypoints.worker"],
            env={**os.environ, **environment_of(settings)},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        eventually(lambda: "worker.started" in log.read_text() or process.poll() is not None)
        yield Worker(process, log)
    finally:
        process.kill()
        process.wait()


def environment_of(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url.get_secret_value(),
        "VITRINA_PREFIX": settings.prefix,
    }


def eventually(holds: Any) -> None:
    until = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < until, "it never came true"
        time.sleep(0.05)


def unanswered_charge(shop: Services) -> Order:
    """An order that was charged and whose answer was lost."""
    while True:
        order = buy(shop, {"MUG": 1}, card=ANSWER_LOST)
        if shop.payments.retrieve(order.id) is not None:
            return order


def ring_now(shop: Services, at: datetime) -> None:
    with shop.db.begin() as tx:
        tx.execute(update(OUTBOX).values(due_at=at))
        tx.execute(text("UPDATE payments SET busy_until = :at"), {"at": at})


def test_a_worker_settles_an_order_soon_after_it_is_due_and_stops_cleanly(
    shop: Services, tmp_path: Path
) -> None:
    order = unanswered_charge(shop)
    with working(shop.settings, tmp_path / "log") as worker_process:
        due_at = shop.now()
        ring_now(shop, due_at)
        eventually(lambda: service.get_order_by_id(shop, order.id).state is OrderState.PAID)
        settled = service.get_order_by_id(shop, order.id)
        eventually(lambda: skus_in(shop, order.cart_id) == {})

        assert settled.finished_at is not None
        assert settled.finished_at - due_at < timedelta(seconds=10)
        assert worker_process.stop() == 0
        assert "worker.stopped" in worker_process.log.read_text()
    check_books(shop, {"MUG": 1_000}, settled=False)


def test_a_worker_killed_outright_leaves_its_work_to_the_next(
    shop: Services, tmp_path: Path
) -> None:
    orders = [unanswered_charge(shop) for _ in range(5)]
    visible_again_after(shop, seconds=1)
    with working(shop.settings, tmp_path / "first") as first:
        ring_now(shop, shop.now())
        eventually(lambda: "order.settled" in first.log.read_text())
        first.process.kill()
    with working(shop.settings, tmp_path / "second"):
        eventually(
            lambda: all(
                service.get_order_by_id(shop, order.id).state is OrderState.PAID for order in orders
            )
        )
    check_books(shop, {"MUG": 1_000}, settled=False)


def test_a_worker_refuses_a_schema_of_another_version(shop: Services, tmp_path: Path) -> None:
    with shop.db.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with working(shop.settings, tmp_path / "log") as worker_process:
        assert worker_process.process.wait(PATIENCE_S) == 1
        assert "which a later version of the shop has made" in worker_process.log.read_text()


def test_loops_that_are_told_to_stop_stop(shop: Services) -> None:
    stop = Event()
    thread = Thread(target=worker.work, args=(shop, stop))
    thread.start()

    stop.set()
    thread.join(PATIENCE_S)

    assert not thread.is_alive()


def test_while_the_database_is_away_the_worker_waits_and_goes_on(
    shop: Services, caplog: pytest.LogCaptureFixture
) -> None:
    tries: list[float] = []
    stop = Event()

    def step() -> None:
        tries.append(time.monotonic())
        if len(tries) == 1:
            raise ConnectionError("the database is away")
        stop.set()

    worker._repeat("relay", step, stop)

    assert len(tries) == 2
    assert tries[1] - tries[0] >= 1.0


def visible_again_after(shop: Services, *, seconds: int) -> None:
    client = sqs_client(shop.settings)
    client.set_queue_attributes(
        QueueUrl=shop.events.url, Attributes={"VisibilityTimeout": str(seconds)}
    )


def test_a_message_nobody_can_handle_is_put_aside_after_a_few_tries(shop: Services) -> None:
    visible_again_after(shop, seconds=0)
    shop.events.send([{"topic": "no.such.topic", "subject": "x"}])
    aside = MessageQueue(sqs_client(shop.settings), shop.settings.named(EVENTS.failed_name))

    with ThreadPoolExecutor(2) as hands:
        tries = sum(worker.consume_once(shop, hands, wait_s=0) for _ in range(EVENTS.attempts + 3))

    assert tries == EVENTS.attempts
    assert [message.body for message in aside.receive(wait_s=1)] == [
        '{"topic":"no.such.topic","subject":"x"}'
    ]


def test_one_bad_message_does_not_hold_up_the_others(shop: Services) -> None:
    order = unanswered_charge(shop)
    later = replace(shop, now=lambda: order.pay_by)
    shop.events.send(
        [
            {"topic": transitions.SETTLE, "subject": "no such order"},
            {"topic": transitions.SETTLE, "subject": order.id},
        ]
    )

    with ThreadPoolExecutor(2) as hands:
        while worker.consume_once(later, hands, wait_s=0):
            pass

    assert service.get_order_by_id(shop, order.id).state is OrderState.PAID


@pytest.mark.parametrize(
    "body",
    [
        "",
        "not json",
        "[]",
        "null",
        '{"topic": "order.settle"}',
        '{"topic": "order.settle", "subject": 7}',
        '{"topic": ["order.settle"], "subject": "x"}',
        '{"topic": "rm -rf", "subject": "x"}',
    ],
)
def test_what_is_no_job_is_named(body: str) -> None:
    with pytest.raises(MalformedJob):
        Job.parse(body)


def test_the_lambda_function_does_the_same_jobs_and_names_what_failed(
    shop: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment_of(shop.settings).items():
        monkeypatch.setenv(name, value)
    order = unanswered_charge(shop)
    with shop.db.begin() as tx:
        tx.execute(text("UPDATE payments SET busy_until = now()"))
    records = [
        {"messageId": "good", "body": f'{{"topic":"order.settle","subject":"{order.id}"}}'},
        {"messageId": "bad", "body": "{"},
        {"messageId": "unknown", "body": '{"topic":"order.settle","subject":"nobody"}'},
        {"messageId": "again", "body": f'{{"topic":"order.settle","subject":"{order.id}"}}'},
    ]

    answer = aws_lambda.events({"Records": records}, None)

    aws_lambda.services().db.dispose()
    aws_lambda.services.cache_clear()
    assert answer == {
        "batchItemFailures": [{"itemIdentifier": "bad"}, {"itemIdentifier": "unknown"}]
    }
    assert service.get_order_by_id(shop, order.id).state is OrderState.PAID


def test_the_lambda_function_and_the_worker_load_no_web_framework() -> None:
    code = (
        "import sys, vitrina.entrypoints.aws_lambda, vitrina.entrypoints.worker\n"
        "print([name for name in ('fastapi', 'starlette', 'uvicorn') if name in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_every_topic_of_the_checkout_has_a_job(root: Path) -> None:
    source = (root / "src/vitrina/checkout/transitions.py").read_text()
    topics = re.findall(r'^[A-Z_]+ = "([a-z]+\.[a-z_]+)"$', source, re.MULTILINE)

    assert len(topics) == 3
    for topic in topics:
        assert Job.parse(f'{{"topic": "{topic}", "subject": "x"}}').topic == topic
