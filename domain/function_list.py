"""The function list 功能清单: every function the portal owes, clause by clause, and what the last full test run proved."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.errors import InvalidData

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "functions"
RESULTS_NAME = "test-results.json"


@dataclass(frozen=True, slots=True)
class Function:
    """One function: what it is called, where it is in the portal, and its clauses by key."""

    id: str
    title: str
    path: str
    places: tuple[str, ...]
    clauses: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a function stands after the last full run; `missing` are the keys of the clauses not proven."""

    function: Function
    missing: tuple[str, ...]

    @property
    def clause_count(self) -> int:
        return len(self.function.clauses)

    @property
    def passed_count(self) -> int:
        return self.clause_count - len(self.missing)

    @property
    def is_proven(self) -> bool:
        return not self.missing

    def to_json(self) -> dict[str, Any]:
        """The entry of `portal functions --json`."""
        return {
            "id": self.function.id, "title": self.function.title, "places": list(self.function.places),
            "clauses": self.clause_count, "passed": self.passed_count, "proven": self.is_proven,
            "missing": list(self.missing),
        }  # fmt: skip


@cache
def functions(folder: Path = FOLDER) -> tuple[Function, ...]:
    """Every function in the order of the files. Raises InvalidData that names the file and what is wrong in it."""
    found = tuple(_function(path, row) for path in sorted(folder.glob("*.yaml")) for row in _rows(path))
    ids = [function.id for function in found]
    if repeated := sorted({each for each in ids if ids.count(each) > 1}):
        raise InvalidData(f"功能编号重复：{'、'.join(repeated)}。请在 docs/functions 中各留一条。")
    return found


def _rows(path: Path) -> Sequence[Any]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    rows = yaml.load(path.read_text(encoding="utf-8"), Loader=loader)
    if not isinstance(rows, list):
        raise InvalidData(f"{path.name} 应是功能的列表。请按其他文件的样子改正。")
    return rows


def _function(path: Path, row: Any) -> Function:
    expected = {"id", "title", "path", "places", "clauses"}
    if not isinstance(row, dict) or set(row) != expected or not row["clauses"]:
        name = row.get("id", "?") if isinstance(row, dict) else "?"
        raise InvalidData(f"{path.name} 的 {name} 应恰有 {'、'.join(sorted(expected))} 各项，且至少一条 clauses。请改正。")
    return Function(row["id"], row["title"], row["path"], tuple(row["places"]), row["clauses"])


def outcomes(results_file: Path) -> dict[str, dict[str, str]]:
    """What the last full run found, by function and clause; empty when there was none."""
    if not results_file.exists():
        return {}
    return json.loads(results_file.read_text(encoding="utf-8"))["functions"]


def standings(results_file: Path, folder: Path = FOLDER) -> tuple[Standing, ...]:
    """Every function with what is not proven yet; a clause counts only if a test of it passed and none failed."""
    seen = outcomes(results_file)
    return tuple(
        Standing(each, tuple(key for key in each.clauses if seen.get(each.id, {}).get(key) != "passed"))
        for each in functions(folder)
    )


def unknown_claims(results_file: Path, folder: Path = FOLDER) -> tuple[str, ...]:
    """What tests claim to prove but the list does not hold, as "ID clause"."""
    known = {each.id: each.clauses for each in functions(folder)}
    seen = outcomes(results_file)
    return tuple(f"{id_} {key}" for id_ in seen for key in seen[id_] if key not in known.get(id_, {}))
