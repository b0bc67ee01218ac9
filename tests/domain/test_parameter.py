"""Parameters: declared defaults, changed within limits, with a trail."""

from pathlib import Path
from typing import Any

import pytest

from domain import parameter
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.parameter import change, reset
from tests.domain.keeping_office import ADMINISTRATOR, APPLICANT, KeepingOffice

ROOT = Path(__file__).resolve().parents[2]
pytest_plugins = ["tests.domain.keeping_fixtures"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return request.param


def act(office: KeepingOffice, command: Any, *args: Any) -> Any:
    with office.writing() as session:
        return command(session, ADMINISTRATOR, *args)


def value(office: KeepingOffice, key: str) -> Any:
    with office.reading() as session:
        return parameter.value(session, key)


def test_default_holds_until_it_is_changed_and_again_after_reset(keeping: KeepingOffice) -> None:
    assert value(keeping, "rule_draft_lock_minutes") == 30
    act(keeping, change, "rule_draft_lock_minutes", "20")
    assert value(keeping, "rule_draft_lock_minutes") == 20
    act(keeping, reset, "rule_draft_lock_minutes", 1)
    assert value(keeping, "rule_draft_lock_minutes") == 30
    assert keeping.audited() == ["parameter.change", "parameter.reset"]


def test_every_parameter_is_read_somewhere() -> None:
    """One that nothing reads could be changed without any effect."""
    read = "".join(file.read_text("utf-8") for file in (ROOT / "domain").rglob("*.py"))
    assert [key for key in parameter.definitions() if f'"{key}"' not in read] == []


def test_truth_value_is_read_back_as_one(keeping: KeepingOffice) -> None:
    act(keeping, change, "ledger_carry_over", "true")
    assert value(keeping, "ledger_carry_over") is True


def test_list_says_value_and_version(keeping: KeepingOffice) -> None:
    act(keeping, change, "rule_draft_lock_minutes", "20")
    with keeping.reading() as session:
        found = {each.definition.key: (each.words, each.version) for each in parameter.settings(session)}
    assert found["rule_draft_lock_minutes"] == ("20 分钟", 1) and found["ledger_carry_over"] == ("否", 0)


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [("0", False), ("1", True), ("480", True), ("481", False), ("1.5", False), ("多", False)],
)
def test_limits_are_kept(keeping: KeepingOffice, text: str, is_taken: bool) -> None:
    if is_taken:
        act(keeping, change, "rule_draft_lock_minutes", text)
        assert value(keeping, "rule_draft_lock_minutes") == int(text)
    else:
        with pytest.raises(InvalidData, match="没有保存"):
            act(keeping, change, "rule_draft_lock_minutes", text)


def test_refused_changes(keeping: KeepingOffice) -> None:
    with pytest.raises(NotFound, match="没有参数"):
        act(keeping, change, "nothing", "1")
    with pytest.raises(Conflict, match="本来就是缺省值"):
        act(keeping, reset, "rule_draft_lock_minutes", 0)
    act(keeping, change, "rule_draft_lock_minutes", "20")
    with pytest.raises(Conflict, match="被改过"):
        act(keeping, change, "rule_draft_lock_minutes", "30", 0)
    with pytest.raises(NotAllowed), keeping.writing() as session:
        change(session, APPLICANT, "rule_draft_lock_minutes", "30", 1)
