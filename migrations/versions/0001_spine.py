"""The spine: people, cases, clocks, papers, exchange, jobs, ledgers, layers, audit."""

from alembic import op

from portal.migration_statements import run

revision = "0001_spine"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
