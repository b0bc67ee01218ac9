"""年度耕地资源底板更新: the survey against the last edition, marks of cases kept, conflicts decided, last year by its day."""

from datetime import timedelta

import pytest
import shapely
from sqlmodel import select

from domain import hold, layer_update
from domain.area import area_m2
from domain.errors import InvalidData, Refused
from domain.hold import PLOT, holders
from domain.layer import edition_on
from domain.layer_update.marks import KEEP, TAKE
from domain.notice import Notice
from tests.domain.layer_update.conftest import QINGPU, Updates, farmland, geojson, plots, square
from tests.domain.ledger_books import new_case, working

YEAR = 2026
SMALLER = shapely.box(121.002, 31.1, 121.0027, 31.101)


@pytest.fixture
def loaded(updates: Updates) -> Updates:
    """Five plots: 0 free, 1 reserved, 2 stored, 3 used, 4 free."""
    updates.load([farmland(n, status={1: "预占", 2: "已预存", 3: "已流出"}.get(n, "可用")) for n in range(5)], data_year=2024)
    return updates


@pytest.fixture
def cases(loaded, person):
    """The cases that hold plots 1 to 3, by the number of the plot."""
    holder = person("district_handler", district=QINGPU, name="周经办")
    found = {}
    for n, mark in ((1, "reserved"), (2, "stored"), (3, "used")):
        with working(loaded.database, holder) as work:
            case = new_case(work)
            hold.take(work, case, PLOT, [number(n)], mark)
            found[n] = case.id
    return found


def number(n: int) -> str:
    return f"GD{QINGPU}-{n:06d}"


def rows(*numbers: int, code: str = "0101"):
    return [(number(n), square(n), code) for n in numbers]


def survey(*patches, **columns) -> bytes:
    """A table of the survey: number of the patch, shape, class; it knows no plots."""
    told = {"DLMC": "水田", "SJNF": YEAR, "ZLDWDM": "3101181040000000000"} | columns
    return geojson([({"BSM": key, "TBBH": key[-8:], "DLBM": code, **told}, shape) for key, shape, code in patches])


def marks(updates: Updates) -> dict[str, str]:
    with updates.database.reading() as session:
        return {key: each.mark for key, each in holders(session, PLOT, [number(n) for n in range(9)]).items()}


@pytest.mark.function("LAND-056", "c1", "c2", "c3", "c4")
def test_the_survey_renews_the_layer_and_last_year_is_there_by_its_day(loaded, cases):
    before = loaded.now()
    file = survey(
        *[(f"31011800000{n:05d}", square(n), "0101") for n in range(4)], ("3101180000000009", square(9), "0103"), ("3101180000000077", square(20), "0701"),
    )  # fmt: skip
    row = loaded.ask("annual", file, year=YEAR, name="DLTB.geojson")
    assert (row.state, loaded.number(), loaded.now()) == ("ready", 1, before)
    assert row.found["counts"] == {"changed": 4, "ended": 1, "added": 1}
    assert "共 6 个图斑，取其中地类编码以 01 开头的 5 个" in row.found["notes"][0]
    row = loaded.confirm(row)
    now = loaded.now()
    assert row.state == "applied" and {each.attributes["data_year"] for each in now.values()} == {YEAR}
    assert sorted(now) == ["3101180000000009", *(number(n) for n in range(4))]
    assert [now[number(n)].status for n in range(4)] == ["可用", "预占", "已预存", "已流出"] and now["3101180000000009"].status == "可用"
    assert (now[number(1)].attributes["plot_name"], now[number(1)].attributes["feature_code"]) == ("样例1号地块", "3101180000000001")
    assert marks(loaded) == {number(1): "reserved", number(2): "stored", number(3): "used"}
    with loaded.database.reading() as session:
        made = edition_on(session, loaded.key)
        last = edition_on(session, loaded.key, made.effective_on - timedelta(days=1))
        assert (made.data_year, last.data_year, made.change) == (YEAR, 2024, "annual")
        assert loaded.on(last.effective_on) == before


@pytest.mark.function("LAND-056", "c1")
def test_a_result_in_the_layers_own_table_is_compared_by_plot_number(loaded):
    row = loaded.ask("annual", plots([*rows(0, 1, 2, 3), (number(4), square(4), "0103")]), year=YEAR)
    assert row.found["counts"] == {"kept": 4, "changed": 1} and row.found["changes"] == {"class": 1}
    loaded.confirm(row)
    assert {each.attributes["data_year"] for each in loaded.now().values()} == {YEAR}
    assert loaded.now()[number(2)].status == "已预存"


def test_held_patches_that_go_or_change_their_area_are_listed_and_refused_until_decided(loaded, cases):
    row = loaded.ask("annual", plots([*rows(0, 3, 4), (number(2), SMALLER, "0101")]), year=YEAR)
    assert [(each["key"], each["after"] is None) for each in row.found["conflicts"]] == [(number(1), True), (number(2), False)]
    assert "预占（自" in row.found["conflicts"][0]["words"]
    with pytest.raises(Refused, match="2 个有占用标记，还没有决定"):
        loaded.act(layer_update.confirm, row)
    assert loaded.number() == 1


def test_what_a_kept_patch_would_lie_under_is_said_before_the_decision(loaded, cases):
    """The square of plot 1 goes and another comes over a part of it; plot 2 shrinks, and nothing new comes where it was."""
    over = shapely.box(121.0012, 31.1, 121.0018, 31.1005)
    row = loaded.ask("annual", plots([*rows(0, 3), (number(2), SMALLER, "0101"), (number(7), over, "0101")]), year=YEAR)
    gone, smaller = row.found["conflicts"]
    assert (gone["key"], gone["overlaps"]) == (number(1), [[number(7), str(area_m2(over))]])
    assert (smaller["key"], smaller["overlaps"]) == (number(2), [])


def test_neighbours_of_a_kept_patch_do_not_count_as_overlaps(loaded, cases):
    row = loaded.ask("annual", plots([*rows(0, 2, 3, 4), (number(8), square(5), "0101")]), year=YEAR)
    assert [each["overlaps"] for each in row.found["conflicts"]] == [[]]


def test_a_decision_keeps_the_patch_with_its_mark_and_says_who_decided_why(loaded, cases):
    row = loaded.ask("annual", plots([*rows(0, 3, 4), (number(2), SMALLER, "0101")]), year=YEAR)
    row = loaded.act(layer_update.decide, row, {number(1): KEEP, number(2): KEEP}, "办件未办结，先保留")
    told = row.decisions[number(1)]
    assert (told["choice"], told["by"], told["reason"]) == (KEEP, "韩图形", "办件未办结，先保留") and told["at"]
    loaded.confirm(row)
    now = loaded.now()
    assert now[number(2)].area_m2 == farmland(2).area_m2 and now[number(1)].status == "预占"
    assert now[number(1)].attributes["data_year"] == YEAR
    assert marks(loaded) == {number(1): "reserved", number(2): "stored", number(3): "used"}


def test_a_patch_that_goes_by_decision_lets_its_mark_go_and_its_holder_is_told(loaded, cases):
    row = loaded.ask("annual", plots([*rows(0, 4), (number(2), SMALLER, "0101")]), year=YEAR)
    row = loaded.act(layer_update.decide, row, {number(n): TAKE for n in (1, 2, 3)}, "实地已建设")
    loaded.confirm(row)
    now = loaded.now()
    assert sorted(now) == [number(0), number(2), number(4)]
    assert (now[number(2)].status, now[number(2)].area_m2 < farmland(2).area_m2) == ("已预存", True)
    assert marks(loaded) == {number(2): "stored", number(3): "used"}
    with loaded.database.reading() as session:
        (told,) = session.exec(select(Notice).where(Notice.kind == "layer_update")).all()
        assert number(1) in told.title and "实地已建设" in told.body and told.case_id == cases[1]


def test_what_is_taken_back_brings_the_released_mark_back(loaded, cases):
    before = loaded.now()
    row = loaded.ask("annual", plots(rows(0, 2, 3, 4)), year=YEAR)
    loaded.confirm(loaded.act(layer_update.decide, row, {number(1): TAKE}, "实地已建设"))
    assert number(1) not in marks(loaded)
    with loaded.database.writing() as session:
        layer_update.restore(session, loaded.manager, loaded.key, 2, "调查成果有误")
    assert loaded.now() == before and marks(loaded)[number(1)] == "reserved"


def test_a_mark_that_comes_after_the_confirmation_is_asked_about(loaded, cases, person):
    row = loaded.ask("annual", plots(rows(1, 2, 3, 4)), year=YEAR)
    assert row.found["conflicts"] == []
    with working(loaded.database, person("district_handler", district=QINGPU)) as work:
        hold.take(work, new_case(work), PLOT, [number(0)], "reserved")
    row = loaded.confirm(row)
    assert row.state == "refused" and "有了新的占用标记" in row.found["refusals"][0] and loaded.number() == 1
    row = loaded.act(layer_update.compare_again, row)
    loaded.work()
    assert [each["key"] for each in loaded.row(row.id).found["conflicts"]] == [number(0)]


def test_other_ways_keep_marks_and_ask_too(loaded, cases):
    row = loaded.ask("delete", keys=(number(1),))
    assert [each["key"] for each in row.found["conflicts"]] == [number(1)]
    loaded.confirm(loaded.ask("feature", plots([(number(2), square(2), "0103")], DKZT="可用")))
    assert loaded.now()[number(2)].status == "已预存"


@pytest.mark.parametrize(("choices", "reason"), [({}, "理由"), ({"X": KEEP}, "理由"), ({number(1): "perhaps"}, "理由"), ({number(1): KEEP}, "")])
def test_a_decision_needs_a_choice_of_what_is_open_and_a_reason(loaded, cases, choices, reason):
    row = loaded.ask("annual", plots(rows(0, 2, 3, 4)), year=YEAR)
    with pytest.raises(InvalidData):
        loaded.act(layer_update.decide, row, choices, reason)


def test_an_earlier_year_is_refused(loaded):
    with pytest.raises(InvalidData) as refused:
        loaded.ask("annual", plots(rows(0)), year=2023)
    assert "2024" in refused.value.fields["data_year"]


def test_a_survey_without_classes_is_refused_in_words(loaded):
    row = loaded.ask("annual", geojson([({"BSM": "1"}, square(0))]), year=YEAR, name="DLTB.geojson")
    assert "没有地类编码字段 DLBM" in row.found["refusals"][0]
