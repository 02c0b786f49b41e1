"""The PostgreSQL engine: one pool per process, checked connections, time limits."""

from sqlalchemy import Engine, MetaData, create_engine
from sqlalchemy.engine import make_url

from vitrina.settings import Settings

# Names for constraints, so that a migration and a caught violation can say which one.
METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

POOL_SIZE = 10
STATEMENT_TIMEOUT_MS = 10_000


def sql_engine(settings: Settings) -> Engine:
    """An engine over psycopg 3 for ``DATABASE_URL``. Nothing connects until the first use."""
    url = make_url(settings.database_url.get_secret_value())
    return create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=POOL_SIZE,
        max_overflow=POOL_SIZE,
        pool_timeout=5.0,
        pool_pre_ping=True,  # after a failover the first request must not meet a dead connection
        connect_args={
            "connect_timeout": 5,
            "application_name": "vitrina",
            "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c lock_timeout=5000",
        },
    )
