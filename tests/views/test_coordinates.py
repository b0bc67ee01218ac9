"""Coordinates on the screen: a file or a pasted table in two systems, its files, what is refused, and who sees a case's."""

import io
from dataclasses import replace
from urllib.parse import unquote

import numpy
import openpyxl
import pytest
from sqlmodel import select

from domain import case_range
from domain.audit import AuditEntry
from domain.boundary_points import read_boundary_points
from domain.control_point import ControlNet
from domain.coordinate_parameters import CoordinateParameters, shipped
from domain.coordinate_transformation import ControlPoint
from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import opened, stored, working
from tests.domain.space_fixtures import PUDONG, QINGPU, load_plots, read_file
from tests.views.pages import cells, faults, page, title

TXT = """[属性描述]
坐标系=上海城建坐标系
计量单位=米
[地块坐标]
4,0.2000,DK1,甲地块,面,,公路,1003,@
J1,1,3000.000,-35000.000
J2,1,3010.000,-35000.000
J3,1,3010.000,-34800.000
J4,1,3000.000,-34800.000
"""
PASTED = "J1\t3000.000\t-35000.000\nJ2\t3010.000\t-35000.000\n"
LOCAL = "上海城建坐标系"


@pytest.fixture
def browser(sign_in, person):
    return sign_in(person("district_handler", district=QINGPU))


def sent(browser, text=TXT, name="界址点.txt", **given):
    return browser.post("/coordinates", {"way": "national", **given}, files={"file": (name, text.encode(), "text/plain")})


def hidden(answer):
    return {each["name"]: each.get("value", "") for each in page(answer).select('form[action="/coordinates/file"] input[type=hidden]')}


def taken(browser, answer, form):
    return browser.post("/coordinates/file", {**hidden(answer), "form": form})


@pytest.mark.function("BASE-027", "c2", "c3")
def test_an_uploaded_file_stands_in_both_systems_with_its_control_points(browser):
    answer = sent(browser)
    assert title(answer) == "坐标对照表" and cells(answer, "界址点号") == ["J1", "J2", "J3", "J4"]
    assert cells(answer, "源 X（北）")[0] == "3000.000" and cells(answer, "源 Y（东）")[0] == "-35000.000"
    [(east, north)] = shipped().systems[LOCAL].transformation.apply(numpy.array([[-35000.0, 3000.0]]))
    assert cells(answer, "转换后 X（北）")[0] == f"{north:.3f}" and cells(answer, "转换后 Y（东）")[0] == f"{east + 40_000_000:.3f}"
    assert cells(answer, "经度")[0].startswith("121.1") and cells(answer, "对照点")[:1] == ["演示控制点1"]
    shown = page(answer).get_text()
    assert "通过：4 个对照点" in shown and "限差 0.1 米" in shown
    assert page(answer).select_one("figure svg path.m-pick")


def test_the_test_parameters_are_marked_on_every_page_and_in_every_file(browser, database):
    assert "测试参数" in page(browser.get("/coordinates")).get_text()
    answer = sent(browser)
    assert "不得用于实际成果" in page(answer).get_text()
    assert "转换参数=测试参数（演示）" in taken(browser, answer, "txt").content.decode("gb18030")
    book = openpyxl.load_workbook(io.BytesIO(taken(browser, answer, "xlsx").content))
    assert "测试参数（演示）" in book["坐标对照表"]["A3"].value
    with database.reading() as session:
        entries = session.exec(select(AuditEntry).where(AuditEntry.command == "coordinates.take")).all()
    assert [each.detail["format"] for each in entries] == ["txt", "xlsx"] and entries[0].detail["points"] == 4


def test_a_file_taken_here_goes_the_way_back_within_a_millimetre(browser):
    made = taken(browser, sent(browser), "txt")
    assert "界址点_转换.txt" in unquote(made.headers["content-disposition"])
    answer = sent(browser, made.content.decode("gb18030"), way="local")
    back = read_boundary_points(taken(browser, answer, "txt").content, (LOCAL,))
    first = back.parcels[0].rings[0][0]
    assert back.local_system == LOCAL and abs(first.north_m - 3000) <= 0.001 and abs(first.east_m + 35000) <= 0.001


def test_an_uploaded_table_in_gbk_is_read_and_kept_as_text(browser):
    file = ("坐标.txt", PASTED.replace("J1", "甲点").encode("gb18030"), "text/plain")
    answer = browser.post("/coordinates", {"way": "national"}, files={"file": file})
    assert cells(answer, "界址点号") == ["甲点", "J2"] and hidden(answer)["points"].startswith("甲点")


def test_a_pasted_table_of_two_points_has_no_exchange_file(browser):
    answer = browser.post("/coordinates", {"way": "national", "points": PASTED, "target_srid": "4549"})
    assert cells(answer, "界址点号") == ["J1", "J2"] and not page(answer).select_one("figure svg")
    assert "每圈至少要有 3 个点" in page(answer).get_text()
    assert taken(browser, answer, "txt").status_code == 422
    assert taken(browser, answer, "xlsx").content[:2] == b"PK"


def test_points_change_their_zone(browser):
    given = {"way": "zone", "points": "J1,3467000.000,40600000.000", "source_srid": "4528", "target_srid": "4529"}
    answer = browser.post("/coordinates", given)
    assert cells(answer, "转换后 Y（东）")[0].startswith("41") and "不用转换参数" in page(answer).get_text()
    assert "不得用于实际成果" not in page(answer).get_text(), "between zones no parameter is used"


@pytest.mark.function("BASE-027", "c4")
@pytest.mark.parametrize(
    ("text", "given", "words"),
    [
        (TXT.replace(LOCAL, "2000国家大地坐标系").replace("计量单位", "带号=40\n计量单位").replace(",-3", ",4063"), {}, "不是城建坐标系（首个界址点 J1"),
        (TXT, {"way": "local"}, "不是国家2000坐标系（首个界址点 J1"),
        (TXT.replace("J3,1,3010.000", "J3,1,930100.000"), {}, "地块 DK1，界址点 J3"),
        (TXT.replace("J3,1,3010.000", "J3,1,abc"), {}, "第 8 行（地块 DK1，界址点 J3）"),
        (TXT, {"way": "no"}, "转换方向"), (TXT, {"target_srid": "3857"}, "投影带"), (TXT, {"target_srid": "x"}, "投影带"),
        ("", {}, "没有要转换的坐标"), ("J1,1", {}, "第 1 行应有 3 项"), ("J1,1,2\nJ2,x,3", {}, "第 2 行（点 J2）"), ("J1,0,1,2", {}, "不是正整数"),
        ("J1,3467000,40600000", {"way": "zone", "source_srid": "4549", "target_srid": "4529"}, "带号不符"),
        ("J1,3467000,600000", {"way": "zone", "source_srid": "4549", "target_srid": "4549"}, "与目标坐标系相同"),
        ("x" * 1_000_001, {}, "超过 1 MB"), ("\n".join(f"J{n},1,2" for n in range(20_001)), {}, "最多转换 20000 个"),
    ],
)
def test_what_cannot_be_converted_is_refused_in_words(browser, text, given, words):
    answer = sent(browser, text, **given)
    assert any(words in fault for fault in faults(answer)), faults(answer)
    assert not page(answer, 422).select('td[data-label="转换后 X（北）"]')


@pytest.mark.function("BASE-027", "c3")
def test_a_control_point_beyond_the_limit_stops_the_conversion_and_is_shown(browser, app, database, office):
    point = ControlPoint("K9", (0.0, 0.0), (640000.0, 3457000.2))
    bad = CoordinateParameters(shipped().systems, {LOCAL: ControlNet(LOCAL, (point,), True, "测试")})
    app.state.office = database.office = replace(office, coordinates=bad)
    answer = sent(browser)
    assert "对照点 K9 的偏差 0.200 米，超过限差 0.1 米" in faults(answer)[0]
    assert [each.get_text(strip=True) for each in page(answer, 422).select('td[data-label="北向偏差（米）"]')] == ["+0.200"]


@pytest.fixture
def survey(database, person):
    """A case of Qingpu with a confirmed range that was surveyed in the local system."""
    handler = person("district_handler", district=QINGPU)
    with database.writing() as session:
        load_plots(session)
    with working(database) as work:
        opened(work, QINGPU, "500000.00")
        stored(work, "100000.00", QINGPU)
    walk = Walk(database, handler, "nonbuild_usage")
    row = read_file(database, handler, walk.id, TXT.encode(), file_name="测绘.txt")
    address = f"/coordinates?case={walk.id}&range={row.id}"
    return handler, walk, row, address


@pytest.mark.function("BASE-027", "c1", "c2")
def test_the_range_of_a_case_leads_to_its_points_in_both_systems(database, survey, sign_in, person):
    handler, walk, row, address = survey
    browser = sign_in(handler)
    shown = f"/cases/{walk.id}/ranges/{row.id}"
    assert not page(browser.get(shown)).select_one(f'a[href="{address}"]'), "not before it is confirmed"
    assert browser.get(address).status_code == 404
    with database.writing() as session:
        case_range.confirm(session, handler, walk.id, row.id)
    link = page(browser.get(shown)).select_one('a[href^="/coordinates?"]')
    answer = browser.get(link["href"])
    assert cells(answer, "界址点号") == ["J1", "J2", "J3", "J4"] and "points" not in hidden(answer)
    made = taken(browser, answer, "txt")
    assert made.status_code == 200 and "测绘_转换.txt" in unquote(made.headers["content-disposition"])
    with database.reading() as session:
        [entry] = session.exec(select(AuditEntry).where(AuditEntry.command == "coordinates.take")).all()
    assert entry.subject == f"case:{walk.id}"


def test_another_district_learns_nothing_of_the_range(database, survey, sign_in, person):
    handler, walk, row, address = survey
    with database.writing() as session:
        case_range.confirm(session, handler, walk.id, row.id)
    other = sign_in(person("district_handler", district=PUDONG))
    assert other.get(address).status_code == 404
    posted = {"way": "national", "case": str(walk.id), "range": str(row.id), "form": "txt"}
    assert other.post("/coordinates/file", posted).status_code == 404
    assert other.post("/coordinates", posted).status_code == 404


@pytest.mark.parametrize("address", ["/coordinates", "/coordinates/fit"])
def test_neither_applicants_nor_administrators_convert(sign_in, person, address):
    assert sign_in(person("applicant", enterprise="甲公司")).get(address).status_code in (403, 404)
    assert sign_in(person("system_admin")).get(address).status_code == 403


def fit(browser, lines):
    return browser.post("/coordinates/fit", {"points": "\n".join(lines)})


def test_four_parameters_are_fitted_and_every_residual_shown(browser):
    """A shift of 100 north and 200 east; one point 4 cm off leaves residuals that sum to nothing."""
    answer = fit(browser, ["K1,0,0,100,200", "K2 1000 0 1100 200", "K3\t1000\t1000\t1100\t1200", "K4，0，1000，100.04，1200"])
    shown = page(answer).get_text(" ", strip=True)
    assert "北平移（north_shift_m）" in shown and "至少 2 点" in shown
    north = [float(each) for each in cells(answer, "北向（米）")]
    assert len(north) == 4 and abs(sum(north)) < 0.002 and north[3] > 0.005
    assert cells(answer, "控制点") == ["K1", "K2", "K3", "K4"]


def test_seven_parameters_are_fitted(browser):
    points = [(-2850017.4, 4655232.7, 3289034.4), (-2840017.4, 4665232.7, 3283034.4), (-2860017.4, 4645232.7, 3295534.4), (-2850017.4, 4645232.7, 3303034.4)]
    answer = fit(browser, [",".join(["K" + str(n), *map(str, p), *(str(value + 10) for value in p)]) for n, p in enumerate(points)])
    assert "平移（shifts_m）" in page(answer).get_text() and cells(answer, "Z（米）") == ["+0.000"] * 4 or cells(answer, "Z（米）") == ["-0.000"] * 4


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ([], "没有控制点"), (["K1,1,2,3"], "有 4 项"), (["K1,0,0,1,1"], "至少要 2 个"), (["K1,0,0,1,1", "K1,1,1,2,2"], "重复"),
        (["K1,0,0,1,1", "K2,0,0,1,1"], "位置重合"), (["K1,0,0,1,1", "K2,0,0,0,1,1,1"], "第 2 行有 7 项"), (["K1,0,0,1,x"], "不是数字"),
    ],
)  # fmt: skip
def test_control_points_that_do_not_suffice_are_refused_in_words(browser, lines, words):
    assert words in page(fit(browser, lines), 422).get_text()
