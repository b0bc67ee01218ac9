"""The statements of a migration that makes tables, kept as SQL for each database beside the migrations.

Statements are kept as they are, because the full text tables, the R*Tree with its triggers and the partial and
GiST indexes have no common form.
"""

from sqlalchemy import Connection

from portal.settings import PROJECT_DIR

FOLDER = PROJECT_DIR / "migrations" / "statements"
DIALECTS = ("sqlite", "postgresql")
SEPARATOR = "\n--;\n"


def run(connection: Connection, revision: str) -> None:
    """Run the statements that are kept for a revision on this database, in order."""
    path = FOLDER / f"{revision}.{connection.dialect.name}.sql"
    for statement in path.read_text(encoding="utf-8").strip().split(SEPARATOR):
        connection.exec_driver_sql(statement)
