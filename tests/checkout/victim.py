"""A process that is killed at its Nth step, to see what it leaves behind.

A step is anything another process could see the world after: each SQL statement, each commit
before it is sent and after it is done, each write to DynamoDB before it is sent and after its
answer. The code that runs is the product's own and knows nothing of this.
"""

import multiprocessing
import os
import signal
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

import boto3
import botocore.session
from botocore.loaders import Loader
from sqlalchemy import event

from vitrina.checkout import service
from vitrina.checkout.model import CheckoutDetails
from vitrina.entrypoints.jobs import Job, run_job
from vitrina.entrypoints.wiring import Services, build
from vitrina.kernel.errors import ShopError
from vitrina.platform import outbox
from vitrina.settings import Settings

TIMEOUT_S = 60
_SURVIVED = 0

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload([__name__])
# boto3 reads megabytes of JSON for its clients: once, in the server all victims are forked from.
_boto3_models = Loader()
for _name in ("dynamodb", "s3", "sqs"):
    _boto3_models.load_service_model(_name, "service-2")


def survives(shop: Services, step: int, action: str, *arguments: Any) -> bool:
    """Let a process of its own do something in the shop, and kill it at a step.

    Args:
        step: counted from 0.
        action: the name of a function of this module.

    Returns:
        Whether it lived to the end, because it has no step of that number.
    """
    process = _processes.Process(
        target=_live,
        args=(shop.settings, dict(os.environ), shop.now(), step, action, arguments),
    )
    process.start()
    process.join(TIMEOUT_S)
    assert process.exitcode in (_SURVIVED, -signal.SIGKILL), f"{action} failed at step {step}"
    return process.exitcode == _SURVIVED


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


def _live(
    settings: Settings,
    environment: dict[str, str],
    now: datetime,
    step: int,
    action: str,
    arguments: tuple[Any, ...],
) -> None:
    os.environ.update(environment)
    steps = count()

    def tick(*_: object, **__: object) -> None:
        if next(steps) == step:
            os.kill(os.getpid(), signal.SIGKILL)

    session = botocore.session.get_session()
    session.register_component("data_loader", _boto3_models)
    for moment in ("before-send", "after-call"):
        for call in ("dynamodb.PutItem", "sqs.SendMessageBatch"):
            session.register(f"{moment}.{call}", tick)
    boto3.setup_default_session(botocore_session=session)
    shop = replace(build(settings), now=lambda: now)
    event.listen(shop.db, "before_cursor_execute", tick)
    event.listen(shop.db, "commit", tick)
    event.listen(shop.db, "checkin", tick)
    with suppress(ShopError):  # an answer like any other
        globals()[action](shop, *arguments)
    os._exit(_SURVIVED)
