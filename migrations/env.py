"""Alembic's environment: the portal's engine, all its tables, both databases."""

from alembic import context
from sqlalchemy import Connection

from domain import schema
from portal.migration import is_compared


def run(connection: Connection) -> None:
    """Run the migrations in one transaction each."""
    context.configure(
        connection=connection,
        target_metadata=schema.METADATA,
        include_object=is_compared,
        compare_type=False,
        transaction_per_migration=True,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()


run(context.config.attributes["connection"])
