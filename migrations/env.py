"""What Alembic runs each time: one migration after the other, over the connection it is lent."""

from alembic import context

from vitrina.platform.sql import METADATA, sql_engine
from vitrina.settings import Settings


def run() -> None:
    connection = context.config.attributes.get("connection")
    if connection is None:  # `alembic` on the command line, over DATABASE_URL
        with sql_engine(Settings()).begin() as connection:
            migrate_over(connection)
    else:
        migrate_over(connection)


def migrate_over(connection: object) -> None:
    context.configure(connection=connection, target_metadata=METADATA)
    context.run_migrations()


run()
