"""Where rule files lie: those shipped with the portal, only read; those of the city, read and written."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from rules.engine.rule_book import rule_files

SHIPPED, CITY = "shipped:", "city:"


@dataclass(frozen=True)
class RuleFolders:
    """The folders, and names of files that do not depend on where the portal is installed."""

    shipped: tuple[Path, ...]
    city: Path

    def files(self) -> dict[str, Path]:
        """Every rule file by its name, the shipped ones first."""
        found = {}
        for folder in self.shipped:
            for path in rule_files([folder] if folder.exists() else []):
                found[SHIPPED + path.relative_to(folder.parent).as_posix()] = path
        for path in rule_files([self.city] if self.city.exists() else []):
            found[CITY + path.relative_to(self.city).as_posix()] = path
        return found

    def path_of(self, name: str) -> Path:
        """Where a file of the city lies or is to lie."""
        return self.city / name.removeprefix(CITY)


def write_whole(path: Path, text: str) -> None:
    """Write a file so that readers see the old text or the new one, never a part. Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with open(beside, "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
