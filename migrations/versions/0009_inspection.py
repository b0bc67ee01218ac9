"""Inspection tasks with their packages, findings, exceptions, and the variants laid over schemes; notices that speak of them."""

import sqlalchemy as sa
from alembic import op

from portal.migration_statements import run

revision = "0009_inspection"
down_revision = "0008_covering_indexes"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("notice", sa.Column("subject", sa.String(80), nullable=True))
    run(op.get_bind(), revision)
