"""Replays of rule drafts over past decisions, the monthly tally of decisions, and the indexes that both read by."""

from pathlib import Path

from alembic import op

revision = "0006_rule_replay"
down_revision = "0005_rule_editions"
branch_labels = None
depends_on = None

FOLDER = Path(__file__).resolve().parent.parent / "statements"
SEPARATOR = "\n--;\n"


def upgrade() -> None:
    connection = op.get_bind()
    path = FOLDER / f"{revision}.{connection.dialect.name}.sql"
    for statement in path.read_text(encoding="utf-8").strip().split(SEPARATOR):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("INSERT INTO rule_tally_mark (last_id) VALUES (0)")
    # Decisions about a book were kept with the subject of the case that moved it; the area is what they are about.
    connection.exec_driver_sql(
        "UPDATE decision SET subject = document ->> 'subject' WHERE subject <> COALESCE(document ->> 'subject', subject)"
    )
