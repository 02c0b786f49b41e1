"""The real parts, embedded: every test gets a shop of its own on one set of running stores."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright
from pydantic import SecretStr
from sqlalchemy import Engine
from sqlalchemy.engine import URL, make_url

from tests.browsing import FLAGS, SOFTWARE_GPU
from vitrina.entrypoints.wiring import Services, build
from vitrina.kernel.clock import Clock
from vitrina.models3d.pictures import ChromiumMissing, find_chromium
from vitrina.platform.embedded.provision import provision
from vitrina.platform.embedded.supervisor import Embedded
from vitrina.platform.sql import sql_engine
from vitrina.settings import Settings

_shops = count(1)


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Embedded]:
    """The embedded AWS and PostgreSQL, started once for all tests."""
    with Embedded(tmp_path_factory.mktemp("platform")) as embedded:
        yield embedded


@pytest.fixture
def settings(platform: Embedded) -> Iterator[Settings]:
    """Settings of a new, empty shop: tables, queues, buckets and a database of its own."""
    with new_shop(platform) as shop:
        yield shop


@contextmanager
def new_shop(platform: Embedded) -> Iterator[Settings]:
    """An empty shop for as long as the context lasts, for fixtures of any scope."""
    template = make_url(platform.settings.database_url.get_secret_value())
    name = f"shop{next(_shops)}"
    _sql(template, f'CREATE DATABASE {name} TEMPLATE "{template.database}"')
    database = template.set(database=name).render_as_string(hide_password=False)
    settings = platform.settings.model_copy(
        update={"prefix": name, "database_url": SecretStr(database)}
    )
    provision(settings)
    yield settings
    _sql(template, f"DROP DATABASE {name} WITH (FORCE)")


def _sql(server: URL, statement: str) -> None:
    address = server.set(database="postgres", drivername="postgresql")
    conninfo = address.render_as_string(hide_password=False)
    with closing(psycopg.connect(conninfo, autocommit=True, connect_timeout=5)) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def db(settings: Settings) -> Iterator[Engine]:
    """The test's own database, migrated and empty."""
    engine = sql_engine(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def services(settings: Settings) -> Iterator[Services]:
    """The test's shop, wired as every entry point wires it."""
    built = build(settings)
    yield built
    built.db.dispose()


@pytest.fixture
def now() -> Clock:
    """A clock that stands still."""
    return lambda: datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return Path(__file__).parent.parent


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The browser's program; without one the tests that want it are skipped, and say so."""
    try:
        return find_chromium()
    except ChromiumMissing as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """One for all browser tests: a process can run only one."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(playwright: Playwright, chromium: Path) -> Iterator[Browser]:
    """A Chromium that draws 3D without a graphics card."""
    browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, *SOFTWARE_GPU])
    yield browser
    browser.close()
