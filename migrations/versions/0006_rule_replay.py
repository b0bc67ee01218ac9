"""Replays of rule drafts over past decisions, the monthly tally of decisions, and the indexes that both read by."""

from alembic import op

from portal.migration_statements import run

revision = "0006_rule_replay"
down_revision = "0005_rule_editions"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    run(connection, revision)
    connection.exec_driver_sql("INSERT INTO rule_tally_mark (last_id) VALUES (0)")
    # Decisions about a book were kept with the subject of the case that moved it; the area is what they are about.
    connection.exec_driver_sql(
        "UPDATE decision SET subject = document ->> 'subject' WHERE subject <> COALESCE(document ->> 'subject', subject)"
    )
