"""What Alembic runs each time: one script after the other, over the connection it is lent."""

from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
