"""年度预存计划 (LAND-057 to 064): plots reserved on upload, four reviews, layer and ledger move together."""

import json
from dataclasses import replace
from decimal import Decimal

import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain import hold, layer, ledger, plot
from domain.case import draft, operations
from domain.case.tables import CaseEvent
from domain.document.register import documents_of_case
from domain.errors import Conflict, NotAllowed, Refused
from domain.ledger.tables import ResourceDetail
from domain.portal_clock import today
from rules.engine import RuleBook
from rules.engine.rule_book import FOLDERS
from tests.domain.case.filing_steps import Walk
from tests.domain.plot_layer import PUDONG, QINGPU, farmland, load, number, of_plots, send, status_of, task_of

REVIEWS = ("district_review", "city_review", "city_leader_review", "bureau_review")
PDF = b"%PDF-1.4\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


@pytest.fixture
def reviewers(person):
    return {
        "district_review": person("district_leader", district=QINGPU), "city_review": person("city_handler"),
        "city_leader_review": person("city_leader"), "bureau_review": person("bureau_leader"),
    }


@pytest.fixture
def handler(database, person):
    load(database, [
        *(farmland(n, QINGPU, "1000.01") for n in range(1, 7)), farmland(7, QINGPU, "500", "已流出"), farmland(1, PUDONG, "800"),
    ])  # fmt: skip
    return person("district_handler", district=QINGPU)


def filled(database, handler, kind="annual", *numbers, **changed):
    walk = Walk(database, handler, "annual_reserve")
    values = {"request_kind": kind, "project_name": "青浦区年度预存（样例）", "district": QINGPU, "quota_scope": "district",
              "year": today().year, "reason": "排摸需求（样例）", **changed}
    assert walk.fill(handler, "apply", **values) == {}
    walk.attach("declaration", PDF, "预存申报表.pdf", "application/pdf")
    if numbers:
        send(database, handler, walk.id, of_plots(*numbers))
    return walk


def state(database):
    with database.reading() as session:
        return ledger.plan_state(session, QINGPU, today().year)


def opinion_sheet_of(database, case_id):
    with database.reading() as session:
        [(_, version)] = documents_of_case(session, case_id)
        return version.content


def reviewed(walk, reviewers, until="bureau_review"):
    for step in REVIEWS:
        if step == until:
            return walk
        walk.act(reviewers[step], step, "agree")
    return walk


@pytest.mark.function("LAND-057", "two_kinds_started")
@pytest.mark.function("LAND-058", "basics_saved", "materials_uploaded")
@pytest.mark.function("LAND-063", "review_order", "review_recorded")
@pytest.mark.function("LAND-064", "base_updated", "unapproved_unchanged")
@pytest.mark.function("LAND-100", "detail_listed")
def test_four_reviews_store_the_plots_in_layer_and_ledger(database, handler, reviewers):
    walk = filled(database, handler, "annual", number(1), number(2))
    walk.act(handler, "apply", "submit")
    for step in REVIEWS:
        assert [task.step for task in walk.open_tasks()] == [step]
        assert status_of(database, number(1)) == "可用"
        walk.act(reviewers[step], step, "approve" if step == "bureau_review" else "agree")
    case = walk.case
    assert (case.status, case.outcome) == ("closed", "granted")
    sheet = opinion_sheet_of(database, case.id)
    assert [each["step"] for each in sheet["opinions"]][-4:] == ["区分管领导审核", "市经办人审核", "市分管领导审核", "局领导审核"]
    assert {row["label"]: row["value"] for row in sheet["rows"]}["申请原因"] == "排摸需求（样例）"
    assert (status_of(database, number(1)), status_of(database, number(3))) == ("已预存", "可用")
    assert (state(database).stored_m2, state(database).remaining_m2) == (Decimal("2000.02"), Decimal("2000.02"))
    with database.reading() as session:
        [detail] = session.exec(select(ResourceDetail)).all()
        marks = hold.marks_of(session)
        edition = layer.edition_on(session, "annual_farmland")
        opinions = session.exec(select(CaseEvent.opinion).where(CaseEvent.case_id == case.id)).all()
    assert (detail.number, detail.amount, detail.scope, detail.list_key) == (case.number, Decimal("2000.02"), "district", "planned")
    assert marks == {number(1): "stored", number(2): "stored"}
    assert edition.case_id == case.id
    assert opinions.count("同意") == 5


@pytest.mark.function("LAND-063", "not_before_passed")
def test_a_later_reviewer_cannot_act_before_the_earlier_one(database, handler, reviewers):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    with pytest.raises((NotAllowed, StopIteration)):
        walk.act(reviewers["city_review"], "city_review", "agree")


def test_a_form_without_plots_cannot_be_submitted(database, handler):
    from domain.errors import InvalidData

    walk = filled(database, handler)
    with pytest.raises((InvalidData, Refused), match="还有 1 处要改"):
        walk.act(handler, "apply", "submit")
    assert walk.case.status == "draft"


def test_a_second_annual_plan_is_refused_by_name_and_a_supplement_is_not(database, handler):
    first = filled(database, handler, "annual", number(1))
    first.act(handler, "apply", "submit")
    second = filled(database, handler, "annual", number(2))
    with pytest.raises(Refused, match=f"已由办件 {first.case.number} 申报.*补充地块预存"):
        second.act(handler, "apply", "submit")
    for n in (3, 4):
        assert filled(database, handler, "supplement", number(n)).act(handler, "apply", "submit").status == "open"


def test_the_parameter_of_the_rules_opens_the_year_for_more_plans(database, handler, tmp_path):
    shipped = next(folder / name for folder in FOLDERS for name in ["annual_reserve/rules/reserve_filing.yaml"] if (folder / name).exists())
    text = shipped.read_text(encoding="utf-8")
    opened = text.replace("annual_once: {value: true", "annual_once: {value: false")
    assert opened != text
    (tmp_path / "city").mkdir()
    (tmp_path / "city" / shipped.name).write_text(opened, encoding="utf-8")
    book = RuleBook(FOLDERS, over=tmp_path / "city", demo=True)
    assert book.faults == ()
    database.office = replace(database.office, book=book)
    for n in (1, 2):
        assert filled(database, handler, "annual", number(n)).act(handler, "apply", "submit").status == "open"


def test_a_refused_plan_frees_the_year_and_its_plots(database, handler, reviewers):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    reviewed(walk, reviewers).act(reviewers["bureau_review"], "bureau_review", "refuse", opinion="不符合（样例）")
    assert (walk.case.outcome, status_of(database, number(1)), state(database).stored_m2) == ("refused", "可用", 0)
    again = filled(database, handler, "annual", number(1))
    assert again.act(handler, "apply", "submit").status == "open"


def test_returned_plots_stay_marked_and_a_discarded_draft_releases_them(database, handler, reviewers):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    with database.writing() as session:
        operations.send_back(session, reviewers["district_review"], walk.task("district_review"), "apply", "补材料（样例）")
    with database.reading() as session:
        assert hold.marks_of(session) == {number(1): "reserved"}
    dropped = filled(database, handler, "supplement", number(2))
    with database.writing() as session:
        draft.discard(session, handler, dropped.id)
    with database.reading() as session:
        assert hold.marks_of(session) == {number(1): "reserved"}


def test_books_that_are_not_open_stop_the_filing(database, person):
    load(database, [farmland(1, QINGPU, "100")], open_books=False)
    handler = person("district_handler", district=QINGPU)
    walk = filled(database, handler, "annual", number(1))
    with pytest.raises(Refused, match="还没有初始化"):
        walk.act(handler, "apply", "submit")


def test_a_layer_that_was_renewed_since_the_upload_is_not_stored_with_old_areas(database, handler, reviewers):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    reviewed(walk, reviewers)
    load(database, [farmland(1, QINGPU, "999.99")], open_books=False)
    with pytest.raises(Conflict, match="面积已变"):
        walk.act(reviewers["bureau_review"], "bureau_review", "approve")
    assert (state(database).stored_m2, walk.case.status) == (0, "open")


@pytest.mark.parametrize("place", ["posting:after_debit", "posting:after_credit", "effect:store_reserve"])
def test_a_failure_half_way_changes_nothing(database, handler, reviewers, failing_at, place):
    walk = filled(database, handler, "annual", number(1), number(2))
    walk.act(handler, "apply", "submit")
    reviewed(walk, reviewers)
    with failing_at(place), pytest.raises(RuntimeError, match=place):
        walk.act(reviewers["bureau_review"], "bureau_review", "approve")
    assert (status_of(database, number(1)), state(database).stored_m2, walk.case.status) == ("可用", 0, "open")
    with database.reading() as session:
        assert set(hold.marks_of(session).values()) == {"reserved"}
    assert walk.act(reviewers["bureau_review"], "bureau_review", "approve").outcome == "granted"


@pytest.fixture
def failing_at():
    from contextlib import contextmanager

    from domain import failpoint

    @contextmanager
    def at(place):
        def fail(name):
            if name == place:
                raise RuntimeError(place)

        failpoint.install(fail)
        try:
            yield
        finally:
            failpoint.install(None)

    return at


class TestPlots:
    @pytest.mark.function("LAND-061", "single_deleted")
    @pytest.mark.function("LAND-062", "cleared", "uploaded_again")
    def test_plots_are_removed_one_by_one_or_all_and_may_be_used_again(self, database, handler):
        walk = filled(database, handler, "annual", number(1), number(2), number(3))
        assert walk.case.values["plot_list"] == {"plots": 3, "area_m2": "3000.03"}
        with database.writing() as session:
            plot.remove(session, handler, task_of(session, walk.id), number(2))
        assert Decimal(str(walk.case.values["plots_area_m2"])) == Decimal("2000.02")
        with database.writing() as session:
            assert plot.clear(session, handler, task_of(session, walk.id)) == 2
        assert "plot_list" not in walk.case.values
        other = filled(database, handler, "supplement", number(1), number(2), number(3))
        assert other.case.values["plot_list"]["plots"] == 3

    def test_an_empty_list_cannot_be_cleared_nor_a_missing_plot_removed(self, database, handler):
        walk = filled(database, handler)
        with database.writing() as session, pytest.raises(Conflict, match="本来就是空的"):
            plot.clear(session, handler, task_of(session, walk.id))
        with database.writing() as session, pytest.raises(Conflict, match="已不在明细中"):
            plot.remove(session, handler, task_of(session, walk.id), number(1))

    @pytest.mark.function("LAND-060", "occupied_refused", "number_named")
    def test_every_row_that_does_not_fit_is_named_and_none_is_taken(self, database, handler):
        holder = filled(database, handler, "annual", number(3))
        walk = filled(database, handler, "supplement")
        content = of_plots(number(1), number(3), number(1), number(7), number(99), number(1, PUDONG))
        with pytest.raises(plot.PlotsRefused, match="整批没有上传，共有 5 行要改") as refused:
            send(database, handler, walk.id, content)
        reasons = {row.row_no: row.reason for row in refused.value.rows}
        assert list(reasons) == [3, 4, 5, 6, 7]
        assert f"已被办件 {holder.case.draft_number} 预占（自 " in reasons[3]
        assert reasons[4] == "与第 2 行重复"
        assert "“已流出”，已被占用过" in reasons[5]
        assert reasons[6] == "年度耕地资源层中没有这个编号"
        assert reasons[7] == "地块在浦东新区，不在本区"
        with database.reading() as session:
            assert plot.summary(session, walk.id).count == 0
            assert set(hold.marks_of(session)) == {number(3)}

    def test_a_plot_that_is_in_the_case_already_is_not_taken_twice(self, database, handler):
        walk = filled(database, handler, "annual", number(1))
        with pytest.raises(plot.PlotsRefused) as refused:
            send(database, handler, walk.id, of_plots(number(1), number(2)))
        assert [row.reason for row in refused.value.rows] == ["已在本案地块明细中"]

    def test_the_district_on_the_sheet_must_be_that_of_the_plot(self, database, handler):
        from tests.domain.plot_layer import workbook

        walk = filled(database, handler)
        with pytest.raises(plot.PlotsRefused) as refused:
            send(database, handler, walk.id, workbook([(number(1), "浦东新区"), (number(2), QINGPU)]))
        assert [(row.row_no, row.reason) for row in refused.value.rows] == [(2, "表中行政区写的是“浦东新区”，地块在青浦区")]

    def test_plots_cannot_be_changed_by_a_reviewer(self, database, handler, reviewers):
        walk = filled(database, handler, "annual", number(1))
        walk.act(handler, "apply", "submit")
        with pytest.raises(NotAllowed, match="不能改动地块"):
            send(database, reviewers["district_review"], walk.id, of_plots(number(2)))


@pytest.mark.function("LAND-064", "seen_on_map")
def test_stored_plots_are_found_on_the_map_as_stored(database, handler, reviewers, sign_in):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    reviewed(walk, reviewers).act(reviewers["bureau_review"], "bureau_review", "approve")
    page = BeautifulSoup(sign_in(handler).get(f"/map?plot={number(1)}").text, "html5lib")
    assert "已预存" in page.select_one("#map-facts").get_text()


@pytest.mark.function("LAND-061", "all_located", "overlaid_with_layers")
def test_all_plots_of_a_plan_are_located_from_its_list(database, handler, sign_in):
    walk, browser = filled(database, handler, "annual", number(1), number(4)), sign_in(handler)
    listed = BeautifulSoup(browser.get(f"/cases/{walk.id}/plots").text, "html5lib")
    [link] = [a["href"] for a in listed.select("a") if a.get_text(strip=True) == "在一张图上看全部地块"]
    page = BeautifulSoup(browser.get(link).text, "html5lib")
    data = json.loads(page.select_one("#map")["data-map-page"])
    assert data["selected"] and not page.select("[role=alert]")
    drawn = browser.get(data["selected"]).json()["features"]
    assert sorted(each["properties"]["key"] for each in drawn) == [number(1), number(4)]
    (south, west), (north, east) = data["bounds"]
    assert east - west < 0.01 and north - south < 0.01
    assert all(each in page.select_one("#map-facts").get_text() for each in (number(1), number(4)))


@pytest.mark.function("LAND-057", "demand_registered")
def test_the_demand_of_every_department_is_registered_and_read_in_review(database, handler, reviewers, sign_in):
    rows = (("区水务局（样例）", "中小河道整治", "false", "1200.50"), ("市道路运输局（样例）", "快速路配套", "true", "800"))
    posted = {
        f"demand-{place}-{key}": value
        for place, row in enumerate(rows)
        for key, value in zip(("department", "purpose", "is_major", "demand_m2"), row, strict=True)
    }
    walk = filled(database, handler, "annual", number(1), **posted)
    assert [(each["department"], each["is_major"], each["demand_m2"]) for each in walk.case.values["demand"]] == [
        ("区水务局（样例）", False, "1200.50"), ("市道路运输局（样例）", True, "800.00"),
    ]
    walk.act(handler, "apply", "submit")
    page = sign_in(reviewers["district_review"]).get(f"/cases/{walk.id}/tabs/form").text
    assert all(word in page for word in ("区水务局（样例）", "快速路配套", "1,200.50", "800.00"))


@pytest.mark.function("LAND-057", "own_todo_and_done")
def test_district_and_city_see_what_they_have_to_do_and_what_they_did(database, handler, reviewers, sign_in):
    walk = filled(database, handler, "annual", number(1))
    walk.act(handler, "apply", "submit")
    walk.act(reviewers["district_review"], "district_review", "agree")
    boxes = {(handler, "done"), (reviewers["district_review"], "done"), (reviewers["city_review"], "todo")}
    for actor, box in boxes:
        assert walk.case.title in sign_in(actor).get(f"/desk?box={box}").text
    assert walk.case.title not in sign_in(reviewers["city_leader_review"]).get("/desk?box=todo").text
