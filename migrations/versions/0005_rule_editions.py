"""The rules workbench: editions, drafts, files in step, conflicts, and the counter of their changes."""

from alembic import op

from portal.migration_statements import run

revision = "0005_rule_editions"
down_revision = "0004_case_counts"
branch_labels = None
depends_on = None


def upgrade() -> None:
    connection = op.get_bind()
    run(connection, revision)
    connection.exec_driver_sql("INSERT INTO rule_shelf (version) VALUES (0)")
