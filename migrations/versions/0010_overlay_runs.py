"""Saved overlays and the rows of their results."""

from alembic import op

from portal.migration_statements import run

revision = "0010_overlay_runs"
down_revision = "0009_inspection"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
