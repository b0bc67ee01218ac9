"""Guards over the tree: what no reviewer should have to remember."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
CODE = [path for top in ("portal", "views", "domain", "rules", "integrations") for path in (ROOT / top).rglob("*.py")]
CASE_TYPES = sorted(path.parent.name for path in (ROOT / "rules" / "case_types").glob("*/case_type.yaml"))


def texts_of(source: str) -> set[str]:
    """Every string constant of a module that is not a docstring, the fixed parts of f-strings included."""
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and _has_text(node)}
    return {
        node.value for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings
    }


def _has_text(node: ast.AST) -> bool:
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)


def test_there_are_case_types_to_guard():
    assert CASE_TYPES


@pytest.mark.parametrize("key", CASE_TYPES)
def test_no_module_names_a_case_type(key):
    named = [str(path.relative_to(ROOT)) for path in CODE if names(path.read_text(encoding="utf-8"), key)]
    assert named == []


def names(source: str, key: str) -> bool:
    """True if a text of the module holds the key as a word of its own: alone, in a path, in a query."""
    word = re.compile(rf"(?<!\w){re.escape(key)}(?!\w)")
    return any(word.search(text) for text in texts_of(source))


@pytest.mark.parametrize(("source", "is_named"), [
    ('if case.case_type == "sample_permit": pass', True),
    ('path = f"rules/{x}/sample_permit/form.yaml"', True),
    ('KEYS = {"sample_permit": 1}', True),
    ('def act():\n    """Like sample_permit."""', False),
    ('fact = "sample_permit_number"', False),
    ('sample_permit = 1', False),
])
def test_the_guard_of_case_types_tells_a_key_from_what_is_none(source, is_named):
    assert names(source, "sample_permit") is is_named


def test_only_the_command_layer_commits():
    allowed = {"domain/command.py", "domain/sign_in.py", "domain/job.py"}  # session use and progress are no acts
    found = {
        str(path.relative_to(ROOT)) for path in CODE
        if re.search(r"\bsession\.commit\(\)", path.read_text(encoding="utf-8")) and "domain" in path.parts
    }
    assert found <= allowed


def test_nobody_asks_the_machine_for_the_time():
    asking = re.compile(r"datetime\.now\(|date\.today\(|datetime\.utcnow\(")
    found = {str(path.relative_to(ROOT)) for path in CODE if asking.search(path.read_text(encoding="utf-8"))}
    command_line = "rules/engine/command_line.py"  # decides as of today when no day is given
    assert found <= {"domain/portal_clock.py", command_line, *_outside_clocks()}


def _outside_clocks() -> set[str]:
    """Simulators and clients speak for other systems, whose clocks are not ours; logs are written in real time."""
    return {str(path.relative_to(ROOT)) for path in CODE if path.is_relative_to(ROOT / "integrations")} | {"portal/logging.py"}


def test_no_file_holds_a_path_of_a_machine():
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True)
    paths = re.compile(r"/(?:w[o]rk|r[o]ot|h[o]me/[a-z]+)/")
    wrong = []
    for name in listed.stdout.splitlines():
        path = ROOT / name
        is_text = path.suffix in {".py", ".yaml", ".md", ".html", ".js", ".css", ".toml", ".sh", ".json"} and path.is_file()
        if is_text and paths.search(path.read_text(encoding="utf-8", errors="replace")):
            wrong.append(name)
    assert wrong == []


def test_templates_have_no_inline_style_or_script():
    wrong = []
    for path in (ROOT / "templates").rglob("*.html"):
        if "documents" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        if re.search(r"<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=\"", text):
            wrong.append(str(path.relative_to(ROOT)))
    assert wrong == []


def test_imports_keep_their_direction():
    command = [Path(sys.executable).parent / "lint-imports", "--no-cache"]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout[-3000:]


def test_every_rule_set_names_its_basis():
    for path in (ROOT / "rules").rglob("*.yaml"):
        if path.parent.name in ("sets", "rules"):
            content = yaml.safe_load(path.read_text(encoding="utf-8"))
            assert all(rule.get("basis") for rule in content["rules"]), path
