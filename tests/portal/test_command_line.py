"""The command line: commands found by the list, exit codes, refusals."""

import argparse
import json
import subprocess
import sys

import pytest

from portal import command_line
from portal.command_line import Command, CommandRefused
from portal.settings import PROJECT_DIR, SettingsError


@pytest.fixture
def listed(monkeypatch, tmp_path):
    """Makes a module the only listed command."""

    def make(source: str, name: str = "weigh") -> None:
        (tmp_path / "weighing.py").write_text(source, encoding="utf-8")
        monkeypatch.syspath_prepend(tmp_path)
        monkeypatch.delitem(sys.modules, "weighing", raising=False)
        commands = (Command(name, "weighing"), Command("later", "portal.absent"))
        monkeypatch.setattr(command_line, "COMMANDS", commands)

    return make


PARSER = """
import argparse
def add_parser(subparsers):
    parser = subparsers.add_parser("weigh", help="weigh things")
    parser.add_argument("--grams", type=int, default=0)
    parser.set_defaults(run=lambda arguments: arguments.grams)
"""


def test_exit_code_is_the_one_of_the_command(listed) -> None:
    listed(PARSER)
    assert command_line.main(["weigh", "--grams", "1"]) == 1
    assert command_line.main(["weigh"]) == 0


def test_commands_whose_module_is_absent_are_not_offered(listed, capsys) -> None:
    listed(PARSER)
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--help"])
    assert ended.value.code == 0
    offered = capsys.readouterr().out
    assert "weigh" in offered and "later" not in offered


@pytest.mark.parametrize("words", [[], ["fly"], ["later"], ["weigh", "--grams", "heavy"]])
def test_wrong_use_exits_2(listed, words: list[str], capsys) -> None:
    listed(PARSER)
    with pytest.raises(SystemExit) as ended:
        command_line.main(words)
    assert ended.value.code == 2


def test_module_that_is_there_but_broken_fails_aloud(listed) -> None:
    listed("import a_module_that_does_not_exist")
    with pytest.raises(ModuleNotFoundError, match="a_module_that_does_not_exist"):
        command_line.main(["weigh"])


@pytest.mark.parametrize(("error", "code"), [
    (CommandRefused("库中已有真实办件。", exit_code=1), 1),
    (CommandRefused("没有这个文件。"), 2),
    (SettingsError(["设置有误。"]), 2),
])
def test_refusal_is_a_sentence_and_no_traceback(monkeypatch, capsys, error: Exception, code: int) -> None:
    def refuse(arguments: argparse.Namespace) -> int:
        raise error

    parser = argparse.ArgumentParser()
    parser.set_defaults(run=refuse)
    monkeypatch.setattr(command_line, "build_parser", lambda commands: parser)
    assert command_line.main([]) == code
    assert capsys.readouterr().err == f"{error}\n"


def test_only_the_named_command_is_loaded(listed, monkeypatch, tmp_path) -> None:
    listed(PARSER)
    (tmp_path / "slow_to_load.py").write_text("raise AssertionError('loaded for another command')")
    monkeypatch.setattr(command_line, "COMMANDS", (*command_line.COMMANDS, Command("slow", "slow_to_load")))
    assert command_line.main(["weigh"]) == 0
    with pytest.raises(AssertionError, match="another command"):
        command_line.main(["slow"])


def test_module_form_is_the_same_command() -> None:
    answer = subprocess.run([sys.executable, "-m", "portal", "serve", "--help"], cwd=PROJECT_DIR,
                            capture_output=True, text=True, check=True)
    assert "--check" in answer.stdout


def test_benchmarks_are_listed_for_people_and_as_json(capsys) -> None:
    assert command_line.main(["bench", "list"]) == 0
    names = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert command_line.main(["bench", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["benchmarks"]
    assert [row["name"] for row in rows] == names
    assert all(row["measures"] for row in rows)
