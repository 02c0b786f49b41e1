"""The schema: the same as the code's tables, made once, never worked on by the wrong version."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import CheckConstraint, Engine, create_engine, inspect, text
from sqlalchemy.engine import make_url

import vitrina.catalogue.stock
import vitrina.checkout.payments.test_provider
import vitrina.checkout.store
import vitrina.platform.outbox  # noqa: F401  each declares tables
from vitrina.platform import migrate
from vitrina.platform.embedded.supervisor import Embedded
from vitrina.platform.sql import METADATA, sql_engine
from vitrina.settings import Settings

SCHEMAS = {None, "testpay"}


@pytest.fixture
def empty(platform: Embedded) -> Iterator[Settings]:
    """Settings of a database without any table."""
    url = make_url(platform.settings.database_url.get_secret_value())
    server = create_engine(
        url.set(drivername="postgresql+psycopg", database="postgres"),
        isolation_level="AUTOCOMMIT",
    )
    with server.connect() as connection:
        connection.execute(text("CREATE DATABASE bare"))
        bare = url.set(database="bare").render_as_string(hide_password=False)
        yield platform.settings.model_copy(update={"database_url": SecretStr(bare)})
        connection.execute(text("DROP DATABASE bare WITH (FORCE)"))
    server.dispose()


def revisions(settings: Settings) -> list[str]:
    engine = sql_engine(settings)
    with engine.connect() as connection:
        found = connection.scalars(text("SELECT version_num FROM alembic_version")).all()
    engine.dispose()
    return list(found)


def test_the_migrations_make_the_tables_the_code_declares(db: Engine) -> None:
    def ours(_object: Any, name: str, kind: str, *_: Any) -> bool:
        return not (kind == "table" and name == "alembic_version")

    with db.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_schemas": True, "include_object": ours}
        )
        assert compare_metadata(context, METADATA) == []


def test_every_check_of_the_code_stands_in_the_database(db: Engine) -> None:
    declared = {
        (table.fullname, str(constraint.name))
        for table in METADATA.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }
    found = {
        (f"{schema}.{name}" if schema else name, check["name"])
        for schema in SCHEMAS
        for name in inspect(db).get_table_names(schema=schema)
        for check in inspect(db).get_check_constraints(name, schema=schema)
    }
    assert found == declared
    assert len(found) > 15


def test_a_second_upgrade_has_nothing_to_do(empty: Settings) -> None:
    assert migrate.upgrade(empty) is True
    assert migrate.upgrade(empty) is False
    assert revisions(empty) == [migrate.newest()]


def test_of_several_processes_starting_at_once_one_migrates(empty: Settings) -> None:
    with ThreadPoolExecutor(6) as starting:
        did = list(starting.map(migrate.upgrade, [empty] * 6))

    assert sorted(did) == [False] * 5 + [True]


def test_a_schema_of_a_later_version_is_refused_and_left_alone(empty: Settings) -> None:
    migrate.upgrade(empty)
    engine = sql_engine(empty)
    with engine.begin() as tx:
        tx.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for refuse in (lambda: migrate.upgrade(empty), lambda: migrate.check(engine)):
        with pytest.raises(migrate.SchemaMismatch, match=r"revision 9999.*later version"):
            refuse()
    engine.dispose()
    assert revisions(empty) == ["9999"]


def test_an_older_or_empty_schema_is_not_worked_on(empty: Settings) -> None:
    engine = sql_engine(empty)

    with pytest.raises(migrate.SchemaMismatch, match=r"is empty.*`vitrina up`"):
        migrate.check(engine)
    migrate.upgrade(empty)
    migrate.check(engine)
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(
    empty: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    for script in migrate.FOLDER.glob("*.py"):
        (tmp_path / script.name).write_text(script.read_text())
    for script in migrate.FOLDER.glob("versions/m*.py"):
        (versions / script.name).write_text(script.read_text())
    (versions / "m9998_broken.py").write_text(
        f'from alembic import op\n\nrevision = "9998"\ndown_revision = "{migrate.newest()}"\n\n\n'
        'def upgrade() -> None:\n    op.execute("CREATE TABLE half (id int)")\n'
        '    op.execute("SELECT 1 / 0")\n'
    )
    monkeypatch.setattr(migrate, "FOLDER", tmp_path)

    with pytest.raises(Exception, match="division by zero"):
        migrate.upgrade(empty)

    engine = sql_engine(empty)
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_a_start_on_an_up_to_date_schema_never_loads_alembic(settings: Settings) -> None:
    code = (
        "import sys\n"
        "from vitrina.platform import migrate\n"
        "from vitrina.platform.sql import sql_engine\n"
        "from vitrina.settings import Settings\n"
        "assert migrate.upgrade(Settings()) is False\n"
        "migrate.check(sql_engine(Settings()))\n"
        "assert 'alembic' not in sys.modules\n"
    )
    url = settings.database_url.get_secret_value()
    subprocess.run([sys.executable, "-c", code], env={"DATABASE_URL": url}, check=True, timeout=60)
