"""The rules workbench: editions, drafts, files in step, conflicts, and the counter of their changes."""

from pathlib import Path

from alembic import op

revision = "0005_rule_editions"
down_revision = "0004_case_counts"
branch_labels = None
depends_on = None

FOLDER = Path(__file__).resolve().parent.parent / "statements"
SEPARATOR = "\n--;\n"


def upgrade() -> None:
    connection = op.get_bind()
    path = FOLDER / f"{revision}.{connection.dialect.name}.sql"
    for statement in path.read_text(encoding="utf-8").strip().split(SEPARATOR):
        connection.exec_driver_sql(statement)
    connection.exec_driver_sql("INSERT INTO rule_shelf (version) VALUES (0)")
