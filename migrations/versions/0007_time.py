"""Reminders that were escalated; series of observations with their readings and alarms."""

from alembic import op

from portal.migration_statements import run

revision = "0007_time"
down_revision = "0006_rule_replay"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(op.get_bind(), revision)
