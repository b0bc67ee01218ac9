"""The function list: whole, clause by clause, and honest about what is proven."""

import ast
import json
from pathlib import Path

import pytest
import yaml

from domain.errors import InvalidData
from domain.function_list import functions, standings, unknown_claims
from portal import functions as command
from portal.command_line import main

ROOT = Path(__file__).resolve().parents[2]
REQUIREMENTS = ROOT.parent / "shared" / "requirements"


def required():
    if not REQUIREMENTS.is_dir():
        pytest.skip("../shared/requirements（业主的功能要求）不在这台机器上，无法逐条核对")
    return {entry["id"]: entry for path in REQUIREMENTS.glob("*.yaml") for entry in yaml.safe_load(path.read_text("utf-8"))}


def test_every_required_function_is_listed():
    assert {each.id for each in functions()} == set(required())


def test_the_clauses_of_a_function_are_its_whole_text():
    entries = required()
    differing = [each.id for each in functions() if "".join(each.clauses.values()) != entries[each.id]["shows"].strip()]
    assert differing == []


def test_tests_claim_only_clauses_that_exist():
    known = {each.id: each.clauses for each in functions()}
    wrong = []
    for path in (ROOT / "tests").rglob("test_*.py"):
        if path.name == "test_plugin.py":
            continue  # writes markers of its own into sample tests
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.function":
                id_, *clauses = [argument.value for argument in node.args]
                wrong += [f"{path.name}: {id_} {key}" for key in clauses if key not in known.get(id_, {})]
    assert wrong == []


@pytest.fixture
def sample(tmp_path):
    """Two functions, and a run that proved one of them and half of the other."""
    folder = tmp_path / "functions"
    folder.mkdir()
    rows = [
        {"id": "LAND-901", "title": "样例一", "path": "样例", "places": ["台账"], "clauses": {"stop": "停办，", "resume": "恢复。"}},
        {"id": "LAND-902", "title": "样例二", "path": "样例", "places": [], "clauses": {"c1": "看到。"}},
    ]
    (folder / "land.yaml").write_text(yaml.safe_dump(rows, allow_unicode=True), "utf-8")
    results = tmp_path / "test-results.json"
    found = {"LAND-901": {"stop": "passed", "resume": "failed"}, "LAND-902": {"c1": "passed"}, "LAND-903": {"x": "passed"}}
    results.write_text(json.dumps({"functions": found}), "utf-8")
    return folder, results


def test_a_function_is_proven_when_every_clause_passed(sample):
    folder, results = sample
    first, second = standings(results, folder)
    assert (first.is_proven, first.missing, first.passed_count) == (False, ("resume",), 1)
    assert second.is_proven and second.to_json()["missing"] == []


def test_without_a_full_run_nothing_is_proven(sample):
    folder, results = sample
    results.unlink()
    assert [each.passed_count for each in standings(results, folder)] == [0, 0]


def test_a_claim_for_a_clause_that_does_not_exist_is_found(sample):
    folder, results = sample
    assert unknown_claims(results, folder) == ("LAND-903 x",)


@pytest.mark.parametrize(
    ("text", "words"),
    [("- {id: LAND-901, title: 样例}", "LAND-901"), ("id: LAND-901", "列表"),
     ("- &a {id: LAND-901, title: 样例, path: 样例, places: [], clauses: {c1: 看到。}}\n- *a", "重复")],
)  # fmt: skip
def test_a_broken_list_is_refused_by_name(tmp_path, text, words):
    (tmp_path / "land.yaml").write_text(text, "utf-8")
    with pytest.raises(InvalidData, match=words):
        functions(tmp_path)


def test_the_command_prints_the_agreed_document(sample, monkeypatch, capsys):
    _, results = sample
    monkeypatch.setattr(command, "RESULTS", results)
    exit_code = main(["functions", "LAND-069", "--json"])
    said = capsys.readouterr()
    [entry] = json.loads(said.out)["functions"]
    assert set(entry) == {"id", "title", "places", "clauses", "passed", "proven", "missing"}
    assert entry["clauses"] == len(entry["missing"]) and entry["proven"] is False
    assert exit_code == 1 and "LAND-903 x" in said.err


def test_the_command_refuses_an_unknown_id(capsys):
    assert main(["functions", "LAND-999999"]) == 2
    assert "LAND-999999" in capsys.readouterr().err
