"""A catalogue over the real table and database of one test, or of one module."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from tests.conftest import new_shop
from vitrina.catalogue.model import Category
from vitrina.catalogue.service import Catalogue, save_category
from vitrina.platform import resources
from vitrina.platform.aws import dynamodb_client
from vitrina.platform.dynamo import DynamoTable
from vitrina.platform.embedded.supervisor import Embedded
from vitrina.platform.sql import sql_engine
from vitrina.settings import Settings


@pytest.fixture
def table(settings: Settings) -> DynamoTable:
    return _table(settings)


@pytest.fixture
def catalogue(table: DynamoTable, db: Engine) -> Catalogue:
    """One that remembers nothing, with a category "chairs"."""
    return _catalogue(table, db)


@contextmanager
def catalogue_of_its_own(platform: Embedded) -> Iterator[Catalogue]:
    """As ``catalogue``, for fixtures that many tests only read."""
    with new_shop(platform) as settings:
        db = sql_engine(settings)
        yield _catalogue(_table(settings), db)
        db.dispose()


def _table(settings: Settings) -> DynamoTable:
    return DynamoTable(dynamodb_client(settings), settings.named(resources.CATALOGUE.name))


def _catalogue(table: DynamoTable, db: Engine) -> Catalogue:
    catalogue = Catalogue.over(table, db, currency="EUR", max_age_s=0)
    save_category(catalogue, Category("chairs", "Chairs"))
    return catalogue
