"""The SQL schema, brought up to date by the scripts in ``vitrina/migrations/versions``.

Forward only. A script is named ``m0001_what_it_brings.py`` and its revision is ``0001``: the
highest number is the schema this version of the shop works with.
"""

import re
import time
from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from vitrina.platform.sql import sql_engine
from vitrina.settings import Settings

FOLDER = Path(__file__).parent.parent / "migrations"

# Any number that only we use: whoever holds this lock of the server migrates.
_TURN = 0x7669_7472
_LONGEST_TURN_S = 60
# A statement that has to wait for a table holds up everybody behind it: so it waits briefly,
# lets them through and tries again.
_LOCK_TIMEOUT_S = 2
_ATTEMPTS = 10
_PAUSE_S = 1.0
_LOCK_NOT_AVAILABLE = "55P03"


class SchemaMismatch(RuntimeError):
    """The database's schema does not fit this version of the shop. The message says what to do."""


def newest() -> str:
    """The revision this version of the shop works with."""
    return _revisions()[-1]


def upgrade(settings: Settings) -> bool:
    """Bring the database to the newest revision, in one transaction: all of it or nothing.

    Several processes may call it at once; one works and the others wait for it.

    Returns:
        Whether there was anything to do.

    Raises:
        SchemaMismatch: a later version of the shop has been here; nothing was changed.
    """
    engine = sql_engine(settings)
    try:
        with engine.connect() as connection:
            if _is_newest(connection):
                return False
        attempt = 1
        while True:
            try:
                with engine.begin() as connection:
                    return _upgrade(connection)
            except OperationalError as error:
                is_busy = getattr(error.orig, "sqlstate", None) == _LOCK_NOT_AVAILABLE
                if not is_busy or attempt == _ATTEMPTS:
                    raise
                attempt += 1
                time.sleep(_PAUSE_S)
    finally:
        engine.dispose()


def check(db: Engine) -> None:
    """Refuse to work on a schema of another version.

    Raises:
        SchemaMismatch: older or newer than this version of the shop.
    """
    with db.connect() as connection:
        if not _is_newest(connection):
            found = _current(connection)
            here = f"is at revision {found}" if found else "is empty"
            raise SchemaMismatch(
                f"The database {here}; this version of the shop needs {newest()}. Start it with "
                "`vitrina up`, which brings the schema up to date."
            )


def _upgrade(connection: Connection) -> bool:
    connection.execute(text(f"SET LOCAL lock_timeout = '{_LONGEST_TURN_S}s'"))
    # Building an index may take longer than a shopper would wait.
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": _TURN})
    if _is_newest(connection):
        return False
    connection.execute(text(f"SET LOCAL lock_timeout = '{_LOCK_TIMEOUT_S}s'"))
    # Imported here: a shop whose schema is up to date starts without it, 0.2 s sooner.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    return True


def _is_newest(connection: Connection) -> bool:
    current = _current(connection)
    if current is not None and current not in _revisions():
        raise SchemaMismatch(
            f"The database is at revision {current}, which a later version of the shop has made; "
            f"this one knows revisions up to {newest()}. Start that version, or give this one "
            "another database."
        )
    return current == newest()


def _current(connection: Connection) -> str | None:
    # Not to_regclass: what it once did not find it still does not find after waiting for a lock.
    exists = text(
        "SELECT EXISTS (SELECT FROM pg_catalog.pg_tables"
        " WHERE schemaname = current_schema() AND tablename = 'alembic_version')"
    )
    if not connection.scalar(exists):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def _revisions() -> list[str]:
    names = (re.fullmatch(r"m(\d{4})_\w+\.py", path.name) for path in FOLDER.glob("versions/*"))
    return sorted(name[1] for name in names if name)
