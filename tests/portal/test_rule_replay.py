"""`portal rules replay`: output and exit codes, over a database of the test."""

import json
from datetime import date
from pathlib import Path

import pytest

from domain.case.tables import StoredDecision
from domain.portal_clock import now
from portal import command_line
from portal.migration import migrate
from rules.engine import RuleBook

KIND, KEY = "warning_line", "outflow_warning_line"
FACTS = {"remaining_m2": "1100", "stored_m2": "10000"}


@pytest.fixture
def decided(tmp_path, monkeypatch, settings):
    """A database with one decision: the remaining area is 11 % of what was stored."""
    from portal.database import Database

    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    migrate(settings.database_url)
    made = RuleBook().decide(KIND, KEY, FACTS, date(2026, 6, 30), "ledger:310118:2026")
    database = Database(settings.database_url)
    with database.writing() as session:
        session.add(StoredDecision(
            kind=KIND, rule_set=KEY, subject=made.subject, edition="2026-01-01", digest=made.digest, outcome=made.outcome,
            message=made.message, decided_on=made.on, at=now(), document=made.to_json(),
        ))  # fmt: skip
        session.commit()
    database.dispose()


@pytest.fixture
def draft(tmp_path):
    """The shipped warning line at 12 %."""
    [rules] = RuleBook().editions(KIND, KEY)[-1:]
    text = Path(rules.file).read_text(encoding="utf-8")
    assert '"0.10"' in text
    file = tmp_path / "draft.yaml"
    file.write_text(text.replace('"0.10"', '"0.12"', 1), encoding="utf-8")
    return file


def test_which_districts_would_have_stopped(decided, draft, capsys):
    assert command_line.main(["rules", "replay", KEY, "--draft", str(draft)]) == 0
    shown = capsys.readouterr().out
    assert "比较 1 条，1 条会变，0 条不能回放" in shown and "青浦区　" in shown.splitlines()[-1] and "→ 停办" in shown


def test_as_json(decided, draft, capsys):
    assert command_line.main(["rules", "replay", KEY, "--draft", str(draft), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert (shown["compared"], shown["changed"], shown["unable"]) == (1, 1, 0)
    [change] = shown["changes"]
    assert (change["district"], change["before"]["outcome"], change["base"], change["after"]["outcome"]) == ("310118", "none", "none", "stop")


def test_a_broken_draft_a_wrong_key_and_a_missing_file(decided, draft, capsys, tmp_path):
    assert command_line.main(["rules", "replay", "other_line", "--draft", str(draft)]) == 2
    assert command_line.main(["rules", "replay", KEY, "--draft", str(tmp_path / "none.yaml")]) == 2
    assert "读不了文件" in capsys.readouterr().err
    draft.write_text("key: x\n", encoding="utf-8")
    assert command_line.main(["rules", "replay", KEY, "--draft", str(draft)]) == 1
    assert f"{draft}:1: " in capsys.readouterr().err
