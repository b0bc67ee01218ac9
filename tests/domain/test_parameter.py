"""Parameters: declared defaults, changed within limits, with a trail."""

from typing import Any

import pytest

from domain import parameter
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.parameter import change, reset
from tests.domain.keeping_office import ADMINISTRATOR, APPLICANT, KeepingOffice

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
    assert value(keeping, "correction_days") == 15
    act(keeping, change, "correction_days", "20")
    assert value(keeping, "correction_days") == 20
    act(keeping, reset, "correction_days", 1)
    assert value(keeping, "correction_days") == 15
    assert keeping.audited() == ["parameter.change", "parameter.reset"]


def test_truth_value_is_read_back_as_one(keeping: KeepingOffice) -> None:
    act(keeping, change, "ledger_carry_over", "true")
    assert value(keeping, "ledger_carry_over") is True


def test_list_says_value_and_version(keeping: KeepingOffice) -> None:
    act(keeping, change, "correction_days", "20")
    with keeping.reading() as session:
        found = {each.definition.key: (each.words, each.version) for each in parameter.settings(session)}
    assert found["correction_days"] == ("20 日", 1) and found["ledger_carry_over"] == ("否", 0)


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [("0", False), ("1", True), ("90", True), ("91", False), ("1.5", False), ("多", False)],
)
def test_limits_are_kept(keeping: KeepingOffice, text: str, is_taken: bool) -> None:
    if is_taken:
        act(keeping, change, "correction_days", text)
        assert value(keeping, "correction_days") == int(text)
    else:
        with pytest.raises(InvalidData, match="没有保存"):
            act(keeping, change, "correction_days", text)


def test_refused_changes(keeping: KeepingOffice) -> None:
    with pytest.raises(NotFound, match="没有参数"):
        act(keeping, change, "nothing", "1")
    with pytest.raises(Conflict, match="本来就是缺省值"):
        act(keeping, reset, "correction_days", 0)
    act(keeping, change, "correction_days", "20")
    with pytest.raises(Conflict, match="被改过"):
        act(keeping, change, "correction_days", "30", 0)
    with pytest.raises(NotAllowed), keeping.writing() as session:
        change(session, APPLICANT, "correction_days", "30", 1)
