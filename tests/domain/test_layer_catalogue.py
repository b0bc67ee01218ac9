"""The catalogue of layers: who may open what, of which districts, and what is listed; on both databases."""

from collections.abc import Iterator
from datetime import date

import pytest
from sqlalchemy import event

from domain import role
from domain.actor import SYSTEM, Actor, Grant
from domain.errors import NotAllowed, NotFound
from domain.layer import catalogue, layer_definitions, load_layer
from domain.layer.catalogue import Listing, Opening
from domain.layer.reading import latest_editions
from domain.layer.rights import RIGHT
from tests.domain.space_fixtures import PADDY, PUDONG, QINGPU, load_plots
from tests.domain.space_fixtures import _feature as feature


def actor(key: str, district: str | None = QINGPU, **more) -> Actor:
    return Actor(1, "样例", (Grant(key, district, **more),))


CITY = actor("city_handler", None)


def test_every_defined_layer_is_listed_once_in_a_known_group():
    assert set(catalogue.listings()) == set(layer_definitions())
    assert {each.group for each in catalogue.listings().values()} == {each.key for each in catalogue.groups()}


@pytest.mark.parametrize(
    ("who", "key", "is_open"),
    [
        (actor("window"), "land_use", True), (actor("window"), "clue_patch", False), (actor("reviewer"), "clue_patch", False),
        (actor("reviewer"), "farmland_quality", True), (actor("window"), "farmland_quality", False), (actor("district_handler"), "clue_patch", True),
        (actor("town_inspector"), "clue_patch", True), (CITY, "clue_patch", True), (actor("system_admin", None), "administrative_area", False),
        (actor("applicant", None), "administrative_area", False), (Actor(1, "无岗位"), "administrative_area", False), (SYSTEM, "clue_patch", True),
    ],
)  # fmt: skip
def test_a_layer_is_open_to_the_roles_that_the_file_names_and_to_nobody_else(who, key, is_open):
    assert catalogue.may_open(who, key) is is_open


def test_what_is_not_open_is_refused_with_reason_and_whom_to_ask():
    with pytest.raises(NotAllowed, match="“线索图斑”没有开放给你的岗位（收件），没有打开。需要使用的，请联系市规划资源局执法监督部门"):
        catalogue.require(actor("window"), "clue_patch")
    with pytest.raises(NotFound, match="forest"):
        catalogue.require(CITY, "forest")
    assert catalogue.why_not(CITY, "clue_patch") == "" and not catalogue.may_open(CITY, "forest")


def test_a_layer_that_the_file_does_not_open_is_open_to_nobody(monkeypatch):
    listed = {key: each for key, each in catalogue.listings().items() if key != "land_use"}
    monkeypatch.setattr(catalogue, "listings", lambda: listed)
    assert not catalogue.may_open(CITY, "land_use") and "还没有在资源目录中开放" in catalogue.why_not(CITY, "land_use")


def test_rows_are_those_of_the_districts_granted_by_the_role_that_opens_the_layer():
    assert catalogue.districts_of(actor("district_handler"), "annual_farmland") == {QINGPU}
    assert catalogue.districts_of(actor("district_handler"), "land_use") is None
    assert catalogue.districts_of(CITY, "annual_farmland") is None and catalogue.districts_of(SYSTEM, "annual_farmland") is None
    both = Actor(1, "两区", (Grant("district_handler", QINGPU), Grant("district_chief", PUDONG), Grant("window", "310151")))
    assert catalogue.districts_of(both, "annual_farmland") == {QINGPU, PUDONG, "310151"}
    assert catalogue.districts_of(both, "clue_patch") == {QINGPU, PUDONG}
    with pytest.raises(NotAllowed):
        catalogue.districts_of(actor("window"), "clue_patch")


def test_a_grant_of_an_organisation_without_district_gives_no_rows_of_others():
    assert catalogue.districts_of(actor("reviewer", None, organisation_id=5), "annual_farmland") == frozenset()


def test_what_one_sees_of_a_layer_is_said():
    assert catalogue.limits(actor("window"), "annual_farmland") == "年度耕地资源层按岗位授权只含青浦区的要素"
    assert catalogue.limits(actor("window"), "land_use") == catalogue.limits(CITY, "annual_farmland") == ""
    with pytest.raises(NotAllowed):
        catalogue.limits(actor("window"), "clue_patch")


def test_layers_that_look_different_to_different_people_are_told():
    assert catalogue.is_restricted("annual_farmland") and catalogue.is_restricted("clue_patch") and not catalogue.is_restricted("land_use")


@pytest.mark.parametrize("row", [{"to": ["nobody"], "rows": "all"}, {"to": ["city"], "rows": "some"}])
def test_a_line_that_names_no_role_or_no_rows_is_refused(row, tmp_path, monkeypatch):
    file = tmp_path / "layer_catalogue.yaml"
    text = catalogue.FILE.read_text(encoding="utf-8")
    written = f"- {{to: [{row['to'][0]}], rows: {row['rows']}}}"
    file.write_text(text.replace("- {to: [town, district, city, staff], rows: all}", written, 1), encoding="utf-8")
    monkeypatch.setattr(catalogue, "FILE", file)
    _forget()
    try:
        with pytest.raises(ValueError, match="layer_catalogue.yaml 第"):
            catalogue.listings()
    finally:
        monkeypatch.undo()
        _forget()


def _forget() -> None:
    for each in (catalogue.words, catalogue.groups, catalogue.listings):
        each.cache_clear()


def test_who_may_change_layers_may_open_every_layer():
    changing = [key for key, each in role.roles().items() if RIGHT in each.may]
    assert changing and all(catalogue.may_open(actor(key), layer) for key in changing for layer in catalogue.listings())


def test_opening_speaks_of_levels_and_of_single_roles():
    opening = Opening(frozenset({"district", "reviewer"}), "own")
    fitting = {each for each in role.keys() if opening.fits(Grant(each))}  # noqa: SIM118
    assert fitting == {"reviewer"} | {each.key for each in role.roles().values() if each.level == "district"}


@pytest.fixture
def loaded(database) -> Iterator:
    with database.writing() as session:
        load_plots(session)
        load_layer(session, SYSTEM, "annual_farmland", [feature("GD-9", PADDY, "0101", "可用")], date(2026, 2, 1))
    return database


def counted(database, ask) -> tuple[int, object]:
    statements: list[str] = []
    note = lambda *given: statements.append(given[2])
    event.listen(database.engine, "before_cursor_execute", note)
    try:
        with database.reading() as session:
            found = ask(session)
    finally:
        event.remove(database.engine, "before_cursor_execute", note)
    return len([each for each in statements if each.lstrip().upper().startswith("SELECT")]), found


def test_latest_editions_are_read_in_one_statement(loaded):
    count, found = counted(loaded, latest_editions)
    assert count == 1 and set(found) == {"annual_farmland", "land_use", "permanent_farmland"}
    latest = found["annual_farmland"]
    assert (latest.number, latest.effective_on, latest.feature_count, latest.is_generated) == (2, date(2026, 2, 1), 1, False)
    assert found["land_use"].number == 1 and found["land_use"].is_generated


@pytest.mark.function("ONEMAP-011", "c4")
def test_entries_list_open_and_locked_layers_with_their_editions(loaded):
    count, found = counted(loaded, lambda session: catalogue.entries(session, actor("window")))
    by_key = {each.key: each for each in found}
    assert count == 2 and list(by_key) == list(catalogue.listings())
    land, clue, farmland = by_key["land_use"], by_key["clue_patch"], by_key["annual_farmland"]
    assert (land.is_open, land.edition, land.feature_count, land.group.title, land.districts) == (True, 1, 4, "现状调查", None)
    assert (clue.is_open, clue.has_data, clue.districts) == (False, False, frozenset()) and "没有开放给你的岗位" in clue.why_not
    assert (farmland.edition, farmland.districts, farmland.title) == (2, {QINGPU}, "年度耕地资源层")


def test_open_keys_are_those_with_data_that_one_may_open(loaded):
    with loaded.reading() as session:
        assert catalogue.open_keys(session, actor("window")) == ["land_use", "annual_farmland", "permanent_farmland"]
        assert catalogue.open_keys(session, Actor(1, "无岗位")) == []
        assert isinstance(catalogue.listings()["land_use"], Listing)
