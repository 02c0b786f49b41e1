"""A catalogue over the real table and database of one test."""

import pytest
from sqlalchemy import Engine

from vitrina.catalogue.model import Category
from vitrina.catalogue.service import Catalogue, save_category
from vitrina.platform import resources
from vitrina.platform.aws import dynamodb_client
from vitrina.platform.dynamo import DynamoTable
from vitrina.settings import Settings


@pytest.fixture
def table(settings: Settings) -> DynamoTable:
    return DynamoTable(dynamodb_client(settings), settings.named(resources.CATALOGUE.name))


@pytest.fixture
def catalogue(table: DynamoTable, db: Engine) -> Catalogue:
    """One that remembers nothing, with a category "chairs"."""
    catalogue = Catalogue.over(table, db, currency="EUR", max_age_s=0)
    save_category(catalogue, Category("chairs", "Chairs"))
    return catalogue
