"""The SQL schema, brought up to date by Alembic from the scripts in ``migrations/``."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import text

from vitrina.platform.sql import sql_engine
from vitrina.settings import Settings

# Any number that only we use: whoever holds this lock of the server migrates.
_TURN = 0x7669_7472


def upgrade(settings: Settings) -> None:
    """Bring the database to the newest revision, in one transaction: all of it or nothing.

    Several processes may call it at once; one works and the others wait for it.
    """
    config = Config()
    config.set_main_option("script_location", str(scripts()))
    engine = sql_engine(settings)
    try:
        with engine.begin() as connection:
            # Building an index may take longer than a shopper would wait.
            connection.execute(text("SET LOCAL statement_timeout = 0"))
            connection.execute(text("SET LOCAL lock_timeout = 0"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
    finally:
        engine.dispose()


def scripts() -> Path:
    """The folder of the migration scripts: in the installed package, else in the checkout."""
    package = Path(__file__).parent.parent
    installed = package / "migrations"
    return installed if installed.exists() else package.parent.parent / "migrations"
