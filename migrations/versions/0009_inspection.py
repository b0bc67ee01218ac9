"""Inspection tasks with their packages, findings, exceptions, and the variants laid over schemes."""

from alembic import op

from portal.migration_statements import run

revision = "0009_inspection"
down_revision = "0008_covering_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
