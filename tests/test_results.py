"""The counts of a full run: merged over runs, and honest about what failed."""

import json
from pathlib import Path

import pytest

from tests import results
from tests.results import Results, read_results

FUNCTION = "LAND-069"


def run(*tests: tuple[str, str | None]) -> Results:
    """The results of a run in which every test claims the same clause."""
    made = Results()
    for outcome, database in tests:
        made.add_test(outcome, [(FUNCTION, ["stop"])], database)
    return made


@pytest.mark.parametrize(("outcomes", "clause"), [
    (["passed"], "passed"),
    (["passed", "failed"], "failed"),
    (["failed", "passed"], "failed"),
    (["passed", "skipped"], "passed"),
])
def test_clause_is_proven_by_a_pass_and_no_failure(outcomes: list[str], clause: str) -> None:
    assert run(*((outcome, None) for outcome in outcomes)).functions == {FUNCTION: {"stop": clause}}


def test_skipped_test_proves_nothing() -> None:
    assert run(("skipped", None)).functions == {}


def test_only_passed_tests_count_for_a_database() -> None:
    assert run(("passed", "sqlite"), ("failed", "sqlite"), ("skipped", "postgresql")).databases == {
        "sqlite": 1, "postgresql": 0}


@pytest.mark.parametrize(("first", "second"), [("passed", "failed"), ("failed", "passed")])
def test_failure_in_one_of_several_runs_stays(first: str, second: str) -> None:
    merged = run((first, "sqlite"))
    merged.merge(run((second, "postgresql")))
    assert merged.functions == {FUNCTION: {"stop": "failed"}}
    assert merged.tests == {"passed": 1, "failed": 1, "skipped": 0}


def test_file_holds_what_was_counted(tmp_path: Path) -> None:
    path = tmp_path / "var" / "results.json"
    run(("passed", "sqlite"), ("skipped", None)).write(path)
    assert read_results(path) == run(("passed", "sqlite"), ("skipped", None))
    assert set(json.loads(path.read_text())) == {"functions", "databases", "tests"}
    assert [entry.name for entry in path.parent.iterdir()] == ["results.json"]


@pytest.mark.parametrize(("tests", "failed_steps", "code", "last_line"), [
    ([("passed", "sqlite"), ("passed", "postgresql")], 0, 0, "2 passed, 0 failed"),
    ([("passed", "sqlite"), ("passed", "postgresql")], 1, 1, "2 passed, 1 failed"),
    ([("passed", "sqlite"), ("failed", "sqlite"), ("passed", "postgresql")], 0, 1, "2 passed, 1 failed"),
    ([("passed", "sqlite"), ("passed", "sqlite"), ("passed", "postgresql")], 0, 1, "3 passed, 1 failed"),
    ([("passed", "sqlite")], 0, 1, "1 passed, 1 failed"),
    ([], 0, 1, "0 passed, 2 failed"),
])
def test_end_of_a_run(tmp_path: Path, capsys, tests, failed_steps: int, code: int, last_line: str) -> None:
    partial, final = tmp_path / "partial.json", tmp_path / "final.json"
    if tests:
        run(*tests).write(partial)
    assert results.main([str(partial), str(final), "--failed-steps", str(failed_steps)]) == code
    assert capsys.readouterr().out.splitlines()[-1] == last_line
    assert read_results(final) == run(*tests)
    assert not partial.exists()
