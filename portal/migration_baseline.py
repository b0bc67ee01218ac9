"""Writes the first migration from the tables of the code; only until the first release, after which it stands.

`python -m portal.migration_baseline` compiles every statement that creates the tables, for each database, into
migrations/baseline/. Statements are kept as they are, because the full text tables, the R*Tree with its
triggers and the partial and GiST indexes have no common form.
"""

import sys
from pathlib import Path
from typing import Any

from sqlalchemy import create_mock_engine

from domain import schema
from portal.settings import PROJECT_DIR

FOLDER = PROJECT_DIR / "migrations" / "baseline"
DIALECTS = {"sqlite": "sqlite://", "postgresql": "postgresql+psycopg://"}
SEPARATOR = "\n--;\n"


def statements(dialect: str) -> list[str]:
    """Every statement that creates the tables on a database, in order."""
    found: list[str] = []

    def note(statement: Any, *_arguments: Any, **_options: Any) -> None:
        text = str(statement.compile(dialect=engine.dialect)).strip()
        if text.startswith("SELECT"):
            return  # GeoAlchemy2 enters columns in SpatiaLite's register, which we do without
        # The driver's escape of the percent sign has no place in a statement without parameters.
        found.append("\n".join(line.rstrip() for line in text.replace("%%", "%").expandtabs(4).splitlines()))

    engine = create_mock_engine(DIALECTS[dialect], note)
    schema.METADATA.create_all(engine, checkfirst=False)
    return found


def path_of(dialect: str) -> Path:
    """Where the statements for a database are kept."""
    return FOLDER / f"0001_spine.{dialect}.sql"


def read(dialect: str) -> list[str]:
    """The statements as kept."""
    return path_of(dialect).read_text(encoding="utf-8").strip().split(SEPARATOR)


def main() -> int:
    """Write both files."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for dialect in DIALECTS:
        path_of(dialect).write_text(SEPARATOR.join(statements(dialect)) + "\n", encoding="utf-8")
        print(f"已写出 {path_of(dialect).relative_to(PROJECT_DIR)}。")
    return 0


if __name__ == "__main__":
    sys.exit(main())
