"""The manuals 使用手册 for users: docs/manual/manuals.yaml lists them, each is one Markdown file."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rules.engine.document import read_document

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "manual"


@dataclass(frozen=True, slots=True)
class Manual:
    """One manual: its key in URLs, its file, what it is called, and whom it is for."""

    key: str
    file: str
    title: str
    readers: str

    def text(self) -> str:
        """The Markdown below the first heading, which repeats the title."""
        lines = (FOLDER / self.file).read_text("utf-8").splitlines()
        return "\n".join(line for line in lines if not line.startswith("# "))


@cache
def manuals() -> tuple[Manual, ...]:
    """Every manual, in the order of the list."""
    return tuple(Manual(**each) for each in read_document(FOLDER / "manuals.yaml")["manuals"])
