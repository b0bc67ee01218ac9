"""The results of one full test run: tests counted, per database too, and each clause proven or not.

`python -m tests.results PARTIAL FINAL --failed-steps N` ends a run: it prints the counts, keeps them as the
last full run, and exits 1 if anything failed or the two databases did not run the same number of tests.
"""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATABASES = ("sqlite", "postgresql")
OUTCOMES = ("passed", "failed", "skipped")


def nothing_per_database() -> dict[str, int]:
    """Zero for each database, so that one without tests is seen."""
    return dict.fromkeys(DATABASES, 0)


def nothing_per_outcome() -> dict[str, int]:
    """Zero for each outcome of a test."""
    return dict.fromkeys(OUTCOMES, 0)


@dataclass
class Results:
    """Counts of one or several pytest runs."""

    functions: dict[str, dict[str, str]] = field(default_factory=dict)
    databases: dict[str, int] = field(default_factory=nothing_per_database)
    tests: dict[str, int] = field(default_factory=nothing_per_outcome)

    def add_test(self, outcome: str, proves: Sequence[tuple[str, Sequence[str]]],
                 database: str | None) -> None:
        """Count one test: a clause is proven by a passed test and no failed one; skipping proves nothing."""
        self.tests[outcome] += 1
        if outcome == "passed" and database is not None:
            self.databases[database] += 1
        if outcome == "skipped":
            return
        for function, clauses in proves:
            for clause in clauses:
                self._add_clause(function, clause, outcome)

    def merge(self, other: "Results") -> None:
        """Add the counts of another run; a clause that failed in one of them has failed."""
        for name, count in other.tests.items():
            self.tests[name] += count
        for name, count in other.databases.items():
            self.databases[name] += count
        for function, clauses in other.functions.items():
            for clause, outcome in clauses.items():
                self._add_clause(function, clause, outcome)

    def faults(self) -> list[str]:
        """What a full run must not show although every single test passed."""
        counts = self.databases
        if 0 in counts.values():
            return [f"没有数据库测试在 {name} 上通过。" for name, count in counts.items() if count == 0]
        if len(set(counts.values())) > 1:
            return [f"两种数据库上通过的测试数不同：{self.database_line()}。"]
        return []

    def database_line(self) -> str:
        """The number of database tests that passed on each database."""
        return "，".join(f"{name} {count}" for name, count in self.databases.items())

    def write(self, path: Path) -> None:
        """Write as JSON, whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        text = json.dumps(self.__dict__, ensure_ascii=False, indent=1, sort_keys=True)
        draft.write_text(text + "\n", "utf-8")
        draft.replace(path)

    def _add_clause(self, function: str, clause: str, outcome: str) -> None:
        clauses = self.functions.setdefault(function, {})
        if clauses.get(clause) != "failed":
            clauses[clause] = outcome


def read_results(path: Path) -> Results:
    """The results in a file; empty ones when there is no file yet."""
    if not path.exists():
        return Results()
    document: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return Results(document["functions"], document["databases"], document["tests"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Close a full run; the last line printed is "N passed, N failed"."""
    parser = argparse.ArgumentParser(description="Close a full test run")
    parser.add_argument("partial", type=Path)
    parser.add_argument("final", type=Path)
    parser.add_argument("--failed-steps", type=int, default=0,
                        help="checks outside pytest that failed, and pytest runs that ended early")
    options = parser.parse_args(arguments)
    results = read_results(options.partial)
    results.write(options.final)
    options.partial.unlink(missing_ok=True)
    faults = results.faults()
    for fault in faults:
        print(f"未通过：{fault}")
    print(f"数据库测试通过数：{results.database_line()}")
    clauses = [outcome for clauses in results.functions.values() for outcome in clauses.values()]
    print(f"功能条款：{clauses.count('passed')} 条已证明，{clauses.count('failed')} 条未通过")
    failed = results.tests["failed"] + options.failed_steps + len(faults)
    print(f"跳过 {results.tests['skipped']}")
    print(f"{results.tests['passed']} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
