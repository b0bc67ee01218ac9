"""The spine: people, cases, clocks, papers, exchange, jobs, layers, audit."""

from alembic import op

from domain import schema

revision = "0001_spine"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    schema.METADATA.create_all(op.get_bind())
