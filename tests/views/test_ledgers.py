"""Ledger pages: what each user sees, red rows, the statement with both sides, details, exports within one's right."""

import io
from decimal import Decimal

import openpyxl
import pytest
from bs4 import BeautifulSoup
from sqlmodel import select

from domain import ledger
from domain.job import Job
from domain.portal_clock import today
from portal.runner import Runner
from tests.domain.ledger_books import LINGANG, PUDONG, QINGPU, new_case, working

YEAR = today().year


@pytest.fixture
def books(database):
    """青浦 is stopped (stored 100, out 91); 浦东 is not; 临港 has stock alone."""
    with working(database) as work:
        for area in (QINGPU, PUDONG, LINGANG):
            ledger.post(work, "opening", Decimal(100_000), area=area, year=YEAR, key=f"opening:{area}")
        for area in (QINGPU, PUDONG):
            case = new_case(work, area, title=f"预存{area}（样例）")
            ledger.post(work, "store", Decimal(10_000), area=area, year=YEAR, case=case, detail=ledger.Detail("planned", scope="district"))
        case = new_case(work, QINGPU, title="流出（样例）")
        ledger.freeze(work, case, Decimal(9_100), year=YEAR)
        ledger.settle(work, case, ledger.Detail("nonbuild_outflow", scope="own_district", resource_type="0101", paddy_m2=Decimal(100)))
        ledger.freeze(work, new_case(work, QINGPU, title="在办（样例）"), Decimal(300), year=YEAR)
    return database


def soup(response, status=200):
    assert response.status_code == status, response.text[:500]
    return BeautifulSoup(response.text, "html.parser")


def areas(page):
    return [row.th.get_text(strip=True) for row in page.select_one("table.cards").select("tbody tr")]


@pytest.mark.function("LAND-097", "each_sees_own", "district_own", "lingang_own")
@pytest.mark.parametrize(("role", "district", "seen"), [
    ("district_handler", QINGPU, ["青浦区"]), ("lingang_user", LINGANG, ["临港新片区"]), ("district_leader", PUDONG, ["浦东新区"]),
])
def test_a_user_of_one_area_sees_that_area_alone(books, sign_in, person, role, district, seen):
    browser = sign_in(person(role, district=district))
    assert areas(soup(browser.get("/ledgers"))) == seen


@pytest.mark.function("LAND-097", "city_all")
@pytest.mark.function("LAND-096", "row_red", "not_below_normal")
@pytest.mark.function("LAND-093", "one_per_district", "two_pools", "areas_shown")
def test_a_city_user_sees_every_area_and_its_own_row_and_the_stopped_one_in_red(books, sign_in, person):
    page = soup(sign_in(person("city_viewer")).get("/ledgers"))
    assert len(areas(page)) == 18 and areas(page)[0] == "市级"
    [red] = page.select("tr.stopped")
    assert red.th.get_text(strip=True) == "青浦区" and "停办" in red.get_text()
    assert "其中冻结 0.0300" in red.get_text()
    assert "青浦区停办" in page.h1.get_text()
    assert [head.get_text() for head in page.select_one("table.cards").select("th[scope=colgroup]")] == ["现状资源库", "年度预存计划库"]
    heads = [head.get_text() for head in page.select_one("table.cards").select("th[scope=col]")]
    assert heads[1:7] == ["现状耕地总面积", "剩余耕地面积", "周转耕地面积"] * 2


@pytest.mark.function("LAND-069", "warning_line_computed")
@pytest.mark.function("LAND-096", "row_red", "not_below_normal")
def test_the_chart_sets_what_remains_against_the_warning_line(books, sign_in, person):
    figure = soup(sign_in(person("city_viewer")).get("/ledgers")).select_one("figure.chart")
    rows = [[cell.get_text() for cell in row.select("th, td")] for row in figure.select("tbody tr")]
    assert rows == [
        ["浦东新区", "1.0000", "1.0000", "0.0000", "0.1000", "＋ 0.9000", "可办"],
        ["青浦区", "1.0000", "0.0900", "0.0300", "0.1000", "− 0.0100", "停办"],
    ]
    desk, phone = figure.select("svg")
    assert (desk["class"], phone["class"]) == (["desk"], ["phone"]) and int(phone["width"]) <= 360
    assert all(len(svg.select(".warnline")) == 2 and len(svg.select("rect.f-bad")) == 1 for svg in (desk, phone))
    assert "停办" in figure.select_one("text.bad + text.bad").get_text()
    assert "15 个区本年还没有预存" in figure.small.get_text()


def test_a_district_sees_its_own_bar_and_one_without_a_plan_no_chart(books, sign_in, person):
    own = soup(sign_in(person("district_handler", district=PUDONG)).get("/ledgers"))
    assert [row.th.get_text() for row in own.select("figure.chart tbody tr")] == ["浦东新区"]
    page = soup(sign_in(person("lingang_user", district=LINGANG)).get("/ledgers"))
    assert not page.select("figure.chart") and "剩余 0，先预存" in page.get_text()


def test_the_statement_draws_its_year(books, sign_in, person):
    figure = soup(sign_in(person("district_handler", district=QINGPU)).get(f"/ledgers/accounts/plan/{QINGPU}")).select_one("figure.chart")
    last = [cell.get_text() for cell in figure.select("tbody tr")[-1].select("th, td")]
    assert last == [f"{today().month} 月", "0.0900", "1.0000", "0.1000"]
    assert all(svg.select_one("path.s1")["d"].startswith("M") and svg.select_one("path.warnline") for svg in figure.select("svg"))
    assert not soup(sign_in(person("city_viewer")).get(f"/ledgers/accounts/stock/{QINGPU}")).select("figure.chart")


@pytest.mark.function("LAND-097", "others_refused")
@pytest.mark.parametrize("path", [f"/ledgers/accounts/plan/{PUDONG}", f"/ledgers/details/planned?area={PUDONG}", f"/ledgers/changes?area={PUDONG}",
                                  "/ledgers/accounts/plan/000000", "/ledgers/accounts/nothing/310118", "/ledgers/accounts/outside/310118", "/ledgers/details/nothing"])
def test_what_lies_outside_ones_right_is_not_found(books, sign_in, person, path):
    soup(sign_in(person("district_handler", district=QINGPU)).get(path), 404)


@pytest.mark.parametrize("role", ["window", "system_admin"])
def test_who_has_no_ledgers_gets_none(books, sign_in, person, role):
    soup(sign_in(person(role, district=QINGPU if role == "window" else None)).get("/ledgers"), 403)


def test_the_statement_names_both_sides_the_frozen_case_and_the_running_balance(books, sign_in, person):
    page = soup(sign_in(person("district_handler", district=QINGPU)).get(f"/ledgers/accounts/plan/{QINGPU}"))
    frozen, out, stored = page.select(".table-box tbody tr")
    assert "held" in frozen["class"] and "锁定，未扣" in frozen.get_text() and "在办（样例）" in frozen.get_text()
    assert "− 0.9100" in out.get_text() and "已流出面积" in out.get_text() and out.select("td")[-1].get_text() == "0.0900"
    assert "＋ 1.0000" in stored.get_text() and "现状资源库" in stored.get_text()
    assert stored.a["href"].startswith("/cases/")
    assert "停办" in page.select_one(".notice.bad").get_text()


def test_the_statement_is_filtered_by_kind_and_date(books, sign_in, person):
    browser = sign_in(person("city_viewer"))
    rows = soup(browser.get(f"/ledgers/accounts/plan/{QINGPU}?kind=store")).select(".table-box tbody tr")
    assert len(rows) == 1 and "预存入库" in rows[0].get_text()
    assert "没有符合条件的流水" in soup(browser.get(f"/ledgers/accounts/plan/{QINGPU}?until=2020-01-01&kind=store")).get_text()
    soup(browser.get(f"/ledgers/accounts/plan/{QINGPU}?since=yesterday"), 422)


@pytest.mark.function("LAND-100", "detail_listed", "opens_case", "scoped")
def test_the_planned_list_has_its_columns_and_only_ones_own_rows(books, sign_in, person):
    page = soup(sign_in(person("district_handler", district=QINGPU)).get("/ledgers/details/planned"))
    heads = [head.get_text(strip=True) for head in page.select("thead th")]
    assert heads == ["行政区", "案件编号", "年度", "案件名称", "指标范围", "耕地面积（公顷）", "审批时间"]
    [row] = page.select("tbody tr")
    assert "区级指标" in row.get_text() and row.a["href"].startswith("/cases/")
    assert len(soup(sign_in(person("city_viewer")).get("/ledgers/details/planned")).select("tbody tr")) == 2


@pytest.mark.function("LAND-101", "conversion_listed", "usage_control_listed", "opens_case")
@pytest.mark.parametrize(("key", "heads", "count"), [
    ("conversion_outflow", ["项目名称", "行政区", "耕地总量（公顷）", "水田总量（公顷）", "资源类型", "资源使用范围"], 0),
    ("nonbuild_outflow", ["行政区", "项目名称", "耕地总量（公顷）", "水田总量（公顷）", "资源类型", "资源使用范围", "办结时间"], 1),
])
def test_the_two_outflow_lists(books, sign_in, person, key, heads, count):
    page = soup(sign_in(person("city_viewer")).get(f"/ledgers/details/{key}"))
    assert len(page.select("tbody tr")) == count
    if count:
        assert [head.get_text(strip=True) for head in page.select("thead th")] == heads
        assert all(word in page.select_one("tbody tr").get_text() for word in ("0.9100", "0.0100", "水田", "本区范围"))
        assert page.select_one("tbody tr a")["href"].startswith("/cases/")


@pytest.mark.function("LAND-101", "scoped")
def test_another_district_sees_no_outflow_of_this_one(books, sign_in, person):
    assert soup(sign_in(person("district_handler", district=QINGPU)).get("/ledgers/details/nonbuild_outflow")).select("tbody tr")
    assert not soup(sign_in(person("district_handler", district=PUDONG)).get("/ledgers/details/nonbuild_outflow")).select("tbody tr")


def test_details_are_searched_and_sorted(books, sign_in, person):
    browser = sign_in(person("city_viewer"))
    assert len(soup(browser.get("/ledgers/details/planned?q=310115")).select("tbody tr")) == 1
    assert "没有符合条件的明细" in soup(browser.get("/ledgers/details/planned?q=%25")).get_text()
    for sort, first in (("area", "浦东新区"), ("-area", "青浦区")):
        assert first in soup(browser.get(f"/ledgers/details/planned?sort={sort}")).select_one("tbody tr").get_text()


def test_the_log_names_the_case_that_stopped_the_district(books, sign_in, person):
    [row] = soup(sign_in(person("city_viewer")).get("/ledgers/changes")).select("tbody tr")
    assert all(word in row.get_text() for word in ("青浦区", "停办", "0.0900", "0.1000")) and row.a["href"].startswith("/cases/")


def exported(books, office, browser, **data):
    """Ask for an export and run it; the rows of the workbook."""
    assert browser.post("/ledgers/export", data).status_code == 303
    runner = Runner(books, office)
    while runner._work_at_job():
        pass
    with books.reading() as session:
        job = session.exec(select(Job).where(Job.kind == "ledger_export").order_by(Job.id.desc())).first()
        assert job.status == "done", job.fault
        content = office.files.read_bytes(job.result_file)
    return list(openpyxl.load_workbook(io.BytesIO(content)).active.iter_rows(values_only=True))


@pytest.mark.function("LAND-098", "exported", "district_file_own", "city_file_all")
def test_an_export_holds_what_its_owner_may_see(books, office, sign_in, person):
    own = exported(books, office, sign_in(person("district_handler", district=QINGPU)), what="overview", year=YEAR)
    whole = exported(books, office, sign_in(person("city_viewer")), what="overview", year=YEAR)
    assert [row[0] for row in own[1:]] == ["青浦区"] and len(whole) == 19
    assert own[1][own[0].index("年度预存计划库 剩余耕地面积（平方米）")] == 900 and own[1][-1] == "停办"


@pytest.mark.parametrize(("what", "extra", "rows"), [
    ("statement", {"pool": "plan", "area": QINGPU, "measure": "remaining", "year": YEAR}, 2), ("details", {"list": "planned"}, 1), ("changes", {}, 1),
])
def test_every_list_can_be_exported(books, office, sign_in, person, what, extra, rows):
    assert len(exported(books, office, sign_in(person("district_handler", district=QINGPU)), what=what, **extra)) == rows + 1


@pytest.mark.function("LAND-098", "other_district_refused")
def test_an_export_of_another_district_is_refused(books, sign_in, person):
    browser = sign_in(person("district_handler", district=QINGPU))
    data = {"what": "statement", "pool": "plan", "area": PUDONG, "measure": "remaining", "year": YEAR}
    assert browser.post("/ledgers/export", data).status_code == 404
    assert browser.post("/ledgers/export", {"what": "everything"}).status_code == 404
    with books.reading() as session:
        assert session.exec(select(Job)).all() == []


def test_the_overview_runs_a_fixed_number_of_queries(books, sign_in, person, database):
    from sqlalchemy import event

    browser, counted = sign_in(person("city_viewer")), []
    browser.get("/ledgers")
    event.listen(database.engine, "before_cursor_execute", lambda *args: counted.append(args[2]))
    browser.get("/ledgers")
    reads = [each for each in counted if "ledger" in each]
    assert len(reads) <= 6, reads


def test_a_recount_shows_what_it_changes_and_is_for_city_users(database, sign_in, person):
    from tests.domain.plot_layer import farmland, load

    load(database, [farmland(1, QINGPU, "10000")])
    load(database, [farmland(1, QINGPU, "25000")], open_books=False)
    browser = sign_in(person("city_viewer"))
    assert "＋ 1.5000" in soup(browser.get("/ledgers/recount")).get_text()
    assert browser.post("/ledgers/recount").status_code == 303
    assert "重算过" in soup(browser.get("/ledgers/recount")).get_text()
    soup(sign_in(person("district_handler", district=QINGPU)).get("/ledgers/recount"), 403)
