"""The spine: people, cases, clocks, papers, exchange, jobs, ledgers, layers, audit."""

from alembic import op

from portal.migration_baseline import read

revision = "0001_spine"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    for statement in read(connection.dialect.name):
        connection.exec_driver_sql(statement)
