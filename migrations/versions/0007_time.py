"""Reminders that were escalated; series of observations with their readings and alarms."""

from pathlib import Path

from alembic import op

revision = "0007_time"
down_revision = "0006_rule_replay"
branch_labels = None
depends_on = None

FOLDER = Path(__file__).resolve().parent.parent / "statements"
SEPARATOR = "\n--;\n"


def upgrade() -> None:
    connection = op.get_bind()
    path = FOLDER / f"{revision}.{connection.dialect.name}.sql"
    for statement in path.read_text(encoding="utf-8").strip().split(SEPARATOR):
        connection.exec_driver_sql(statement)
