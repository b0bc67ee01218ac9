"""Pages of thematic maps, of prints, and of saved views."""

import io

import openpyxl
import pytest
from pypdf import PdfReader

from domain import job
from domain.actor import SYSTEM
from domain.map_print import content_of, read_print
from tests.domain.space_fixtures import PUDONG, QINGPU, load_plots
from tests.views.pages import cells, faults, page, title

RANGES = "/thematic-maps/make?layer=land_use&kind=ranges&unit=district&classes=01&title=样例耕地分级图"
SINGLE = {"layer": "land_use", "kind": "single", "area": f"district:{QINGPU}", "title": "样例图"}


@pytest.fixture(autouse=True)
def plots(database):
    with database.writing() as session:
        load_plots(session)


@pytest.fixture
def planner(sign_in, person):
    return sign_in(person("district_handler", district=QINGPU, name="规划员"))


def made(answer):
    return page(answer), page(answer).select_one("picture img")


def test_the_page_shows_the_sheet_and_the_numbers_behind_it(planner):
    shown, picture = made(planner.get(RANGES))
    assert shown.select_one("h1").text == "样例耕地分级图" and picture["alt"].startswith("样例耕地分级图")
    assert "青浦区" in shown.select_one("table").text and shown.select_one("select[name=field] option[selected]")["value"] == "area"
    svg = planner.get(picture["src"])
    assert svg.headers["content-type"] == "image/svg+xml" and "sandbox" in svg.headers["content-security-policy"] and "样例耕地分级图" in svg.text
    phone = planner.get(shown.select_one("picture source")["srcset"])
    assert 'width="105mm"' in phone.text


@pytest.mark.parametrize("kind", ["single", "ranges", "dots", "heat", "flow"])
def test_every_kind_has_its_own_form(planner, kind):
    shown = page(planner.get("/thematic-maps/make?layer=land_use&area=district:310118&kind=single"))
    tab = next(each for each in shown.select(".tabs a") if f"kind={kind}" in each["href"])
    chosen, picture = made(planner.get(tab["href"]))
    assert picture is not None and chosen.select_one("input[name=kind]")["value"] == kind


def test_what_a_kind_before_had_is_left_behind(planner):
    assert planner.get("/thematic-maps/make?layer=annual_farmland&kind=single&field=ownership&area=district:310118").status_code == 200


def test_settings_that_cannot_be_drawn_are_named_beside_their_fields(planner):
    answer = planner.get(RANGES + "&count=99")
    assert faults(answer) == ["级数应为 3 至 9 的整数"]
    assert page(answer, 422).select_one("#count")["aria-invalid"] == "true" and page(answer, 422).select_one("picture") is None
    assert len(faults(planner.get("/thematic-maps/make?layer=nothing"))) == 1


def test_a_typed_boundary_stands_for_the_area(planner):
    shown, _picture = made(planner.get("/thematic-maps/make", params={**SINGLE, "shape": "121.06,31.06\n121.07,31.06\n121.07,31.07"}))
    assert "绘制范围" in shown.select_one("select[name=area] option[selected]").text
    shown, _picture = made(planner.get("/thematic-maps/make", params={**SINGLE, "shape": "121.06,31.06,121.07,31.07"}))
    assert shown.select_one("select[name=area] option[selected]")["value"].startswith("box:")


@pytest.mark.parametrize(("kind", "start"), [("pdf", b"%PDF"), ("png", b"\x89PNG"), ("svg", b"<svg"), ("xlsx", b"PK")])
def test_a_map_is_taken_home_in_every_format(planner, kind, start):
    answer = planner.post("/thematic-maps/export", {**SINGLE, "format": kind})
    assert answer.status_code == 200 and answer.content.startswith(start) and f".{kind}" in answer.headers["content-disposition"]


def test_a_large_map_is_made_by_a_job(monkeypatch, planner):
    monkeypatch.setattr("domain.thematic_map.export.HEAVY", 3)
    answer = planner.post("/thematic-maps/export", {**SINGLE, "format": "pdf"})
    assert answer.status_code == 303 and "/jobs/" in answer.headers["location"]
    assert planner.post("/thematic-maps/export", {**SINGLE, "format": "svg"}).status_code == 200
    assert planner.post("/thematic-maps/export", {**SINGLE, "format": "exe"}).status_code == 422


def test_a_workbook_of_flows_becomes_a_map(planner):
    book, content = openpyxl.Workbook(), io.BytesIO()
    for row in (("起点", "终点", "数值"), ("青浦区", "松江区", 12)):
        book.active.append(row)
    book.save(content)
    files = {"file": ("起讫.xlsx", content.getvalue(), "application/octet-stream")}
    answer = planner.post("/thematic-maps/flows", {"layer": "land_use", "area": "city"}, files=files)
    assert answer.status_code == 303
    assert "松江区" in made(planner.get(answer.headers["location"]))[0].select_one("table").text
    refused = planner.post("/thematic-maps/flows", {"layer": "land_use"}, files={"file": ("x.xlsx", b"no", "application/octet-stream")})
    assert "不是 .xlsx 工作簿" in faults(refused)[0]


def test_a_map_is_saved_opened_renamed_copied_deleted_and_taken_back(planner, sign_in, person):
    answer = planner.post("/thematic-maps/save", {**SINGLE, "name": "样例模板"})
    place = answer.headers["location"]
    shown, _picture = made(planner.get(place))
    assert "样例模板" in shown.text and shown.select_one("#name")["value"] == "样例模板"
    assert planner.post(f"{place}/share", {"shared_with": f"district:{PUDONG}"}).status_code == 303
    other = sign_in(person("district_handler", district=PUDONG, name="别区"))
    assert cells(other.get("/thematic-maps"), "名称") == ["样例模板"] and "不能直接改" in page(other.get(place)).text
    assert other.post(f"{place}/delete").status_code == 403
    copied = other.post(f"{place}/copy").headers["location"]
    assert copied != place and "副本" in page(other.get(copied)).text
    deleted = planner.post(f"{place}/delete").headers["location"]
    assert cells(other.get("/thematic-maps"), "名称") == ["样例模板　副本"]
    undo = page(planner.get(deleted)).select_one(".toast form")["action"]
    assert planner.post(undo).status_code == 303 and cells(planner.get("/thematic-maps"), "名称") == ["样例模板"]
    assert faults(planner.post("/thematic-maps/save", {**SINGLE, "name": ""})) == ["要写 1 到 40 字"]


def test_a_saved_map_is_changed_and_kept_under_its_name(planner):
    place = planner.post("/thematic-maps/save", {**SINGLE, "name": "样例模板"}).headers["location"]
    form = page(planner.get(place)).select_one("form.sheet")
    texts = {each["name"]: each.get("value", "") for each in form.select("input[name]")} | {"layer": "land_use", "area": f"district:{QINGPU}", "field": "class"}
    changed = page(planner.get("/thematic-maps/make", params={**texts, "classes": "01"}))
    keep = next(each for each in changed.select("aside form") if "保存改动到模板" in each.text)
    answer = planner.post(keep["action"], {each["name"]: each.get("value", "") for each in keep.select("input[name]") if each["name"] != "csrf_token"})
    assert answer.headers["location"] == place and "0701" not in page(planner.get(place)).select_one("table").text
    stale = planner.post(keep["action"], {each["name"]: each.get("value", "") for each in keep.select("input[name]") if each["name"] != "csrf_token"})
    assert stale.status_code == 409
    assert planner.post(f"{place}/rename", {"name": "新名", "version": "2"}).status_code == 303 and cells(planner.get("/thematic-maps"), "名称") == ["新名"]
    assert faults(planner.post(f"{place}/rename", {"name": "", "version": "3"})) == ["要写 1 到 40 字"]


def test_a_saved_map_says_that_the_layer_is_newer(database, planner):
    from datetime import date

    from domain.layer import change_features
    from tests.domain.ledger_books import working

    place = planner.post("/thematic-maps/save", {**SINGLE, "name": "样例模板"}).headers["location"]
    with working(database) as work:
        change_features(work, "land_use", ["DL-1"], date(2026, 6, 1), status="")
    assert "上次保存时是第 1 版，现按第 2 版重新绘制" in page(planner.get(place)).text


def test_people_of_the_hall_make_no_maps(sign_in, person):
    browser = sign_in(person("applicant", enterprise="样例公司"))
    assert browser.get(RANGES).status_code == 403 and browser.get("/map/print").status_code == 403 and browser.get("/map/views").status_code == 403


def test_the_current_map_is_printed_with_its_layers_day_and_place(planner):
    address = "/map/print?at=121.0645,31.063,15&layers=land_use.paddy,annual_farmland.stored&opacity=land_use:60&title=样例打印"
    shown, picture = made(planner.get(address))
    assert title(planner.get(address)).startswith("打印当前地图：1:")
    assert [row.select("td")[1].text for row in shown.select("tbody tr")] == ["水田", "已预存"]
    svg = planner.get(picture["src"]).text
    assert 'opacity="0.6"' in svg and "样例打印" in svg and "旱地" not in svg
    untouched = planner.get(made(planner.get(address.replace("opacity=land_use:60&", "")))[1]["src"]).text
    assert 'opacity="0.9"' in untouched, "paper has the opacity that the screen has before anybody moves the slider"
    form = next(each for each in shown.select("aside form") if "导出 PDF" in each.text)
    fields = {each["name"]: each["value"] for each in form.select("input[name]") if each["name"] != "csrf_token"}
    pdf = planner.post(form["action"], {**fields, "format": "pdf"})
    assert "样例打印" in PdfReader(io.BytesIO(pdf.content)).pages[0].extract_text()
    starts = {"png": b"\x89PNG", "svg": b"<svg", "xlsx": b"PK"}
    assert all(planner.post(form["action"], {**fields, "format": kind}).content.startswith(start) for kind, start in starts.items())
    assert planner.post(form["action"], {**fields, "format": "exe"}).status_code == 422


def test_a_print_of_very_much_is_made_by_a_job(database, monkeypatch, planner):
    monkeypatch.setattr("domain.thematic_map.export.HEAVY", 3)
    answer = planner.post("/map/print/export", {"at": "121.0645,31.063,15", "title": "样例打印", "format": "pdf"})
    assert answer.status_code == 303 and "/jobs/" in answer.headers["location"]
    with database.writing() as session:
        claimed = job.claim(session, SYSTEM)
    result = job.run(claimed, database, database.office, lambda: False)
    content = database.office.files.read_bytes(result.file.digest)
    assert result.name == "样例打印.pdf" and "样例打印" in PdfReader(io.BytesIO(content)).pages[0].extract_text()


def test_a_print_points_out_what_the_map_does(planner):
    svg = planner.get(made(planner.get("/map/print?plot=GD-2"))[1]["src"]).text
    assert "GD-2" in svg and "#f2b52a" in svg


def test_a_map_without_any_layer_is_printed_and_kept_as_such(planner):
    """An address that says that no layer is shown means something else than one that says nothing."""
    shown, picture = made(planner.get("/map/print?at=121.0645,31.063,15&layers="))
    assert not shown.select("tbody tr") and "没有显示图层" in planner.get(picture["src"]).text
    planner.post("/map/views/save", {"state": "at=121.1,31.1,13&layers=&opacity=land_use:30", "name": "空图"})
    opened = planner.get(page(planner.get("/map/views")).select_one("td a")["href"], follow_redirects=False).headers["location"]
    assert "layers=" in opened and "layers=l" not in opened and "opacity=land_use%3A30" in opened


@pytest.mark.parametrize("bad", ["at=1,2,3", "at=x", "on=x", "opacity=a:200", "paper=a9"])
def test_a_print_that_cannot_be_read_is_refused_in_words(planner, bad):
    assert planner.get(f"/map/print?{bad}").status_code == 422


def test_a_print_of_a_day_before_the_layer_is_refused(planner):
    assert planner.get("/map/print?at=121.06,31.06,15&on=2020-01-01").status_code == 404


def test_ranges_of_cases_out_of_scope_are_not_printed(database, person):
    with database.reading() as session:
        content = content_of(session, person("district_handler", district=PUDONG), read_print({"at": "121.06,31.06,15", "layers": "ranges.range"}), None)
    assert content.drawn.marks == []


def test_a_view_is_kept_from_the_maps_address_and_opens_it(planner):
    shown = page(planner.get("/map/views?at=121.1,31.1,13&layers=land_use.paddy"))
    state = shown.select_one("input[name=state]")["value"]
    assert planner.post("/map/views/save", {"state": state, "name": "水田"}).status_code == 303
    listed = page(planner.get("/map/views"))
    opened = planner.get(listed.select_one("td a")["href"], follow_redirects=False)
    assert opened.status_code == 303 and "at=121.1%2C31.1%2C13" in opened.headers["location"]
    view = next(each["href"] for each in listed.select("td a") if not each["href"].endswith("/open"))
    assert planner.post(f"{view}/rename", {"name": "青浦水田"}).status_code == 303
    assert planner.post(f"{view}/share", {"chosen": f"district:{PUDONG}"}).status_code == 303
    assert "区：浦东新区" in page(planner.get(view)).text
    assert faults(planner.post(f"{view}/share", {"person": "nobody"})) == ["没有这个工作人员"]
    deleted = planner.post(f"{view}/delete").headers["location"]
    assert planner.post(page(planner.get(deleted)).select_one(".toast form")["action"]).status_code == 303
    assert cells(planner.get("/map/views"), "名称") == ["青浦水田"]
