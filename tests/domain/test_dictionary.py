"""Dictionaries: shipped codes, and what administrators make of them."""

from datetime import date
from typing import Any

import pytest

from domain import dictionary
from domain.dictionary import add_entry, relabel_entry, reorder_entries, restore_entry, retire_entry
from domain.district import district_name
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from tests.domain.form_sample import definition
from tests.domain.keeping_office import ADMINISTRATOR, APPLICANT, KeepingOffice

pytest_plugins = ["tests.domain.keeping_fixtures"]


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return request.param


DAY = date(2027, 6, 1)


def codes(office: KeepingOffice, name: str, on: date = DAY) -> dict[str, tuple[str, bool]]:
    with office.reading() as session:
        return {each.value: (each.label, each.is_retired) for each in dictionary.entries(session, name, on)}


def act(office: KeepingOffice, command: Any, *args: Any, **kwargs: Any) -> Any:
    with office.writing() as session:
        return command(session, ADMINISTRATOR, *args, **kwargs)


def test_eight_places_for_other_than_construction_three_of_them_not_offered(keeping: KeepingOffice) -> None:
    found = codes(keeping, "nonbuild_types")
    assert len(found) == 8
    assert [label for label, is_retired in found.values() if not is_retired] == [
        "造林项目",
        "中小河道项目",
        "农村道路项目",
        "农田建设项目",
        "报备监管",
    ]


def test_districts_agree_with_the_boundaries() -> None:
    shipped = dictionary.defaults()["districts"]
    assert len(shipped) == 17
    assert {code: district_name(code) for code in shipped} == shipped


def test_every_dictionary_names_its_source() -> None:
    assert all(each.source and each.label and each.choices for each in dictionary.dictionaries().values())


def test_empty_place_is_named_and_offered(keeping: KeepingOffice) -> None:
    act(keeping, relabel_entry, "nonbuild_types", "reserved_6", "设施农业项目")
    assert codes(keeping, "nonbuild_types")["reserved_6"] == ("设施农业项目", True)
    act(keeping, restore_entry, "nonbuild_types", "reserved_6")
    assert codes(keeping, "nonbuild_types")["reserved_6"] == ("设施农业项目", False)
    assert keeping.audited() == ["dictionary.relabel_entry", "dictionary.restore_entry"]


def test_code_is_retired_from_its_day_on(keeping: KeepingOffice) -> None:
    act(keeping, retire_entry, "pipeline_kind", "heat", on=DAY)
    assert codes(keeping, "pipeline_kind", date(2027, 5, 31))["heat"] == ("热力", False)
    assert codes(keeping, "pipeline_kind", DAY)["heat"] == ("热力", True)


def test_new_code_stands_last_until_it_is_moved(keeping: KeepingOffice) -> None:
    act(keeping, add_entry, "use_type", "temporary", "临时使用")
    order = list(codes(keeping, "use_type"))
    assert order == ["construction", "non_construction", "turnover", "temporary"]
    act(keeping, reorder_entries, "use_type", order[::-1])
    assert list(codes(keeping, "use_type")) == order[::-1]


def test_form_gets_only_the_dictionaries_it_uses(keeping: KeepingOffice) -> None:
    text = "sections:\n  - key: m\n    label: 主\n    fields:\n      - {key: d, label: 区, type: district}\n"
    with keeping.reading() as session:
        assert set(dictionary.choices_of(session, definition(text), DAY)) == {"districts"}
        assert set(dictionary.choices(session, DAY)) == set(dictionary.dictionaries())


@pytest.mark.parametrize(
    ("command", "args", "error", "message"),
    [
        (add_entry, ("use_type", "turnover", "别名"), Conflict, "已有代码 turnover"),
        (add_entry, ("use_type", "有 空格", "别名"), InvalidData, "只能用英文字母"),
        (add_entry, ("use_type", "x", "周转使用"), Conflict, "已有名称「周转使用」"),
        (add_entry, ("use_type", "x", " "), InvalidData, "1 到 60 字"),
        (add_entry, ("no_such", "x", "名"), NotFound, "没有字典「no_such」"),
        (relabel_entry, ("use_type", "none", "名"), NotFound, "没有代码「none」"),
        (reorder_entries, ("use_type", ["turnover"]), Conflict, "字典又有了变化"),
    ],
)
def test_change_that_does_not_fit_is_refused(
    keeping: KeepingOffice, command: Any, args: tuple, error: type, message: str
) -> None:
    with pytest.raises(error, match=message):
        act(keeping, command, *args)


def test_last_code_cannot_be_retired(keeping: KeepingOffice) -> None:
    act(keeping, retire_entry, "quota_scope", "city")
    with pytest.raises(Conflict, match="最后一个可选的代码"):
        act(keeping, retire_entry, "quota_scope", "district")


def test_stale_page_does_not_overwrite(keeping: KeepingOffice) -> None:
    row = act(keeping, relabel_entry, "quota_scope", "city", "全市")
    version = row.version
    act(keeping, relabel_entry, "quota_scope", "city", "市级", version=version)
    with pytest.raises(Conflict, match="被改过"):
        act(keeping, relabel_entry, "quota_scope", "city", "旧页", version=version)


def test_only_the_system_administrator_keeps_dictionaries(keeping: KeepingOffice) -> None:
    with pytest.raises(NotAllowed), keeping.writing() as session:
        add_entry(session, APPLICANT, "use_type", "x", "名")
