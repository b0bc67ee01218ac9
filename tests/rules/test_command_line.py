"""`portal rules …` and `python -m rules.engine …`: output and exit codes."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest

import rules
from portal.rules import add_parser
from rules.engine.command_line import main

SETS = Path(rules.__file__).parent / "sets"
LINE = SETS / "outflow_warning_line.yaml"
BROKEN = Path(__file__).with_name("broken") / "unknown_operator.yaml"


def test_check(capsys: pytest.CaptureFixture) -> None:
    assert main(["check", str(LINE)]) == 0
    assert "没有错误" in capsys.readouterr().out
    assert main(["check", str(BROKEN)]) == 1
    assert capsys.readouterr().out.startswith(
        f"{BROKEN.relative_to(Path.cwd())}:18: rules.too_large.when.abov: "
    )


def test_check_json(capsys: pytest.CaptureFixture) -> None:
    assert main(["check", str(BROKEN), "--json"]) == 1
    shown = json.loads(capsys.readouterr().out)
    assert (shown["ok"], shown["checked"], shown["faults"][0]["line"]) == (False, 1, 18)


def test_test_json_has_the_agreed_shape(capsys: pytest.CaptureFixture) -> None:
    assert main(["test", str(LINE), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["failed"] == []
    (row,) = shown["sets"]
    assert (row["key"], row["kind"]) == ("outflow_warning_line", "warning_line")
    assert row["cases"] == row["passed"] > 0
    assert main(["test", str(BROKEN)]) == 1


def test_mutate(capsys: pytest.CaptureFixture) -> None:
    assert main(["mutate", str(LINE)]) == 0
    assert "outflow_warning_line：" in capsys.readouterr().out


def facts_file(tmp_path: Path, text: str) -> str:
    file = tmp_path / "facts.json"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_explain(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    facts = facts_file(tmp_path, '{"remaining_m2": 9.99, "stored_m2": 100}')
    assert main(["explain", "outflow_warning_line", "--facts", facts, "--on", "2026-06-30"]) == 0
    assert "结论：停办。剩余 9.99 平方米 低于警戒线 10.00 平方米" in capsys.readouterr().out
    assert main(["explain", str(LINE), "--facts", facts, "--on", "2026-06-30", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["outcome"] == "stop"


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["check", "no/such/folder"], "没有文件或文件夹"),
        (["explain", "no_such_set", "--facts", "FACTS", "--on", "2026-06-30"], "没有键为 no_such_set"),
        (["explain", str(BROKEN), "--facts", "FACTS"], "是否 above"),
        (["explain", "outflow_warning_line", "--facts", "FACTS", "--on", "2020-01-01"], "在 2020-01-01 生效"),
        (
            ["explain", "permanent_farmland_admission", "--facts", "FACTS", "--on", "2026-06-30"],
            "不读事实 remaining_m2",
        ),
        (["explain", "outflow_warning_line", "--facts", "no/such.json"], "没有文件 no/such.json。请核对路径"),
        (["explain", "outflow_warning_line", "--facts", str(BROKEN.parent)], "不是 UTF-8 的文本文件"),
        (["mutate", str(BROKEN)], "是否 above"),
    ],
)
def test_what_cannot_be_done_ends_in_2(
    arguments: list, reason: str, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    facts = facts_file(tmp_path, '{"remaining_m2": 9}')
    assert main([facts if part == "FACTS" else part for part in arguments]) == 2
    assert reason in capsys.readouterr().err


def test_facts_that_are_no_json_end_in_2(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    for text, reason in (("{", "不是合法的 JSON"), ("[]", "应是一个 JSON 对象")):
        assert main(["explain", str(LINE), "--facts", facts_file(tmp_path, text)]) == 2
        assert reason in capsys.readouterr().err


def test_the_portal_hangs_the_commands_into_its_own_parser(capsys: pytest.CaptureFixture) -> None:
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    arguments = parser.parse_args(["rules", "check", str(LINE)])
    assert arguments.run(arguments) == 0


def test_module_runs() -> None:
    command = [sys.executable, "-m", "rules.engine", "check", str(BROKEN)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=Path(rules.__file__).parent.parent
    )
    assert done.returncode == 1
    assert "abov" in done.stdout
