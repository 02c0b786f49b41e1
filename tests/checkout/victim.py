"""A process that is killed at its Nth step, to see what it leaves behind.

A step is anything another process could see the world after: each SQL statement, each commit
before it is sent and after it is done, each write to DynamoDB before it is sent and after its
answer. The code that runs is the product's own and knows nothing of this.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

import boto3
import botocore.session
from sqlalchemy import event

from vitrina.checkout import service
from vitrina.checkout.model import CheckoutDetails
from vitrina.entrypoints.jobs import Job, run_job
from vitrina.entrypoints.wiring import Services, build
from vitrina.kernel.errors import ShopError
from vitrina.platform import outbox
from vitrina.settings import Settings

TIMEOUT_S = 60.0


def checkout(shop: Services, cart_id: str, details: CheckoutDetails, key: str) -> None:
    service.checkout(shop, cart_id, details, key=key)


def confirm(shop: Services, reference: str, approve: bool) -> None:
    service.confirm_payment(shop, reference, approve=approve)


def call_off(shop: Services, number: str, email: str) -> None:
    service.cancel_order(shop, number, email)


def job(shop: Services, topic: str, order_id: str) -> None:
    run_job(Job(topic, order_id), shop)


def relay(shop: Services) -> None:
    outbox.relay(shop.db, shop.events, now=shop.now())


class Victims:
    """Processes over one shop, each for one deed."""

    def __init__(self, line: Connection) -> None:
        self._line = line

    def survive(self, step: int, now: datetime, action: str, *arguments: Any) -> bool:
        """Let a new process do something, and kill it at a step.

        Args:
            step: counted from 0.
            action: the name of a function of this module.

        Returns:
            Whether it lived to the end, because it has no step of that number.
        """
        self._line.send((step, now, action, arguments))
        assert self._line.poll(TIMEOUT_S), f"{action} hangs at step {step}"
        status = self._line.recv()
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert killed or status == 0, f"{action} failed at step {step}"
        return not killed


@contextmanager
def victims(settings: Settings) -> Iterator[Victims]:
    """A process that has the product loaded and the shop built, to fork victims from.

    It has no threads and no connection, so its children are as good as freshly started ones.
    """
    processes = multiprocessing.get_context("forkserver")
    line, other_end = processes.Pipe()
    parent = processes.Process(target=_bear, args=(other_end, settings, dict(os.environ)))
    parent.start()
    other_end.close()
    try:
        yield Victims(line)
    finally:
        line.close()
        parent.join(TIMEOUT_S)


class _Fate:
    """Counts the steps of a victim, and ends it at the one that is set."""

    def __init__(self) -> None:
        self.step = -1
        self._steps = count()

    def tick(self, *_: object, **__: object) -> None:
        if self.step >= 0 and next(self._steps) == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def _bear(line: Connection, settings: Settings, environment: dict[str, str]) -> None:
    os.environ.update(environment)
    fate = _Fate()
    session = botocore.session.get_session()
    for moment in ("before-send", "after-call"):
        for call in ("dynamodb.PutItem", "sqs.SendMessageBatch"):
            session.register(f"{moment}.{call}", fate.tick)
    boto3.setup_default_session(botocore_session=session)
    shop = build(settings)
    for moment in ("before_cursor_execute", "commit", "checkin"):
        event.listen(shop.db, moment, fate.tick)
    with suppress(EOFError):
        while True:
            fate.step, now, action, arguments = line.recv()
            child = os.fork()
            if child == 0:
                _live(shop, now, action, arguments)
            line.send(os.waitpid(child, 0)[1])


def _live(shop: Services, now: datetime, action: str, arguments: tuple[Any, ...]) -> None:
    shop = replace(shop, now=lambda: now)
    status = 1
    try:
        with suppress(ShopError):  # an answer like any other
            globals()[action](shop, *arguments)
        status = 0
    finally:
        os._exit(status)
