"""The plugin, tried on small test folders in processes of their own, with and without xdist."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from portal.settings import PROJECT_DIR

SAMPLE = '''
import os
import pytest

@pytest.fixture(params=["sqlite", "postgresql"])
def database(request):
    return request.param

@pytest.mark.function("LAND-001", "file", "track")
def test_both(database):
    pass

@pytest.mark.function("LAND-002", "stop")
def test_only_on_one(database):
    assert database == "sqlite"

@pytest.mark.function("LAND-003", "resume")
def test_broken_setup(request):
    request.getfixturevalue("absent")

@pytest.fixture
def breaks_afterwards():
    yield
    raise ValueError("teardown")

@pytest.mark.function("LAND-004", "close")
def test_broken_teardown(breaks_afterwards):
    pass

@pytest.mark.function("LAND-005", "print")
def test_skipped():
    pytest.skip("no printer")

@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
@pytest.mark.parametrize("name", ["postgresql"])
def test_name_of_a_database_elsewhere_does_not_count(database, name):
    pytest.skip("counted by its database only")

def test_settings_of_the_developer_are_unseen():
    assert "DATABASE_URL" not in os.environ and "DEBUG" not in os.environ
'''


def run_pytest(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run pytest on a folder with the plugin of this project, as a developer with settings of his own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "tests.plugin", "-p", "no:cacheprovider", *words]
    (folder / "pytest.ini").write_text("[pytest]\nmarkers = function(id, *clauses): proves\n")
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PROJECT_DIR), "DEBUG": "1",
                               "DATABASE_URL": "sqlite:///elsewhere"})


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["one process", "two workers"])
def test_counts_and_clauses(tmp_path: Path, workers: list[str]) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    answer = run_pytest(tmp_path, "--record-results", "results.json", *workers)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["functions"] == {
        "LAND-001": {"file": "passed", "track": "passed"},
        "LAND-002": {"stop": "failed"},
        "LAND-003": {"resume": "failed"},
        "LAND-004": {"close": "failed"},
    }
    assert found["databases"] == {"sqlite": 2, "postgresql": 1}
    assert found["tests"] == {"passed": 4, "failed": 3, "skipped": 3}
    assert "database tests passed: sqlite 2，postgresql 1" in answer.stdout


def test_second_run_is_added_to_the_first(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text(SAMPLE)
    run_pytest(tmp_path, "--record-results", "results.json", "-k", "test_both")
    run_pytest(tmp_path, "--record-results", "results.json", "-k", "test_only_on_one")
    found = json.loads((tmp_path / "results.json").read_text())
    assert found["functions"] == {
        "LAND-001": {"file": "passed", "track": "passed"},
        "LAND-002": {"stop": "failed"},
    }
    assert found["databases"] == {"sqlite": 2, "postgresql": 1}


def test_nothing_is_recorded_unless_asked(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text("def test_true():\n    pass\n")
    assert run_pytest(tmp_path).returncode == 0
    assert not list(tmp_path.glob("**/*.json"))


@pytest.mark.parametrize("claim", ['"LAND-001"', "", '"LAND-001", 7', 'id="LAND-001"'])
def test_marker_without_a_clause_is_refused(tmp_path: Path, claim: str) -> None:
    (tmp_path / "test_sample.py").write_text(
        f"import pytest\n@pytest.mark.function({claim})\ndef test_true():\n    pass\n")
    answer = run_pytest(tmp_path)
    assert answer.returncode == 4
    assert 'write @pytest.mark.function("ID", "clause", …)' in answer.stdout + answer.stderr
