"""Builds every store and client once, from the settings, and hands them on as one value."""

from dataclasses import dataclass
from pathlib import Path

from minijinja import Environment
from sqlalchemy import Engine

import vitrina.storefront
from vitrina.cart.store import CartStore
from vitrina.catalogue.service import Catalogue
from vitrina.checkout.payments.provider import PaymentProvider
from vitrina.checkout.payments.test_provider import TestProvider
from vitrina.kernel.clock import Clock, utc_now
from vitrina.platform import pages, resources
from vitrina.platform.aws import dynamodb_client, made_when_used, s3_client, sqs_client
from vitrina.platform.dynamo import DynamoTable
from vitrina.platform.objects import ObjectStore
from vitrina.platform.queue import MessageQueue
from vitrina.platform.sql import sql_engine
from vitrina.settings import Settings

STOREFRONT_TEMPLATES = Path(vitrina.storefront.__file__).with_name("templates")


@dataclass(frozen=True, slots=True)
class Services:
    """What the routes, the worker and the commands work with. Threads may share all of it."""

    settings: Settings
    now: Clock
    db: Engine
    catalogue: Catalogue
    carts: CartStore
    assets: ObjectStore
    uploads: ObjectStore
    events: MessageQueue
    payments: PaymentProvider
    pages: Environment


def build(settings: Settings) -> Services:
    """Everything, ready to use. Connects to nothing yet."""
    dynamodb = dynamodb_client(settings)
    s3 = made_when_used(lambda: s3_client(settings))
    sqs = made_when_used(lambda: sqs_client(settings))
    db = sql_engine(settings)
    return Services(
        settings=settings,
        now=utc_now,
        db=db,
        catalogue=Catalogue.over(
            DynamoTable(dynamodb, settings.named(resources.CATALOGUE.name)),
            db,
            currency=settings.currency,
            max_age_s=settings.catalogue_max_age_s,
        ),
        carts=CartStore(DynamoTable(dynamodb, settings.named(resources.CARTS.name))),
        assets=ObjectStore(s3, settings.named(resources.ASSETS.name)),
        uploads=ObjectStore(s3, settings.named(resources.UPLOADS.name)),
        events=MessageQueue(sqs, settings.named(resources.EVENTS.name)),
        payments=TestProvider(db),
        pages=pages.environment(settings, STOREFRONT_TEMPLATES),
    )
