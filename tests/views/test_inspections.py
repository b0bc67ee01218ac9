"""Screens of 质检: the list, the new task, the findings with map and attributes, exceptions, exports, the variant; who may."""

import io
import json
import zipfile

import numpy
import pyogrio
import pytest
import shapely
from bs4 import BeautifulSoup
from sqlalchemy import event

from domain.demo import sample_package
from domain.inspection import schemes
from domain.inspection.task import course, engine, package
from tests.conftest import Browser
from tests.domain.inspection import paper_engine
from tests.domain.inspection.conftest import BAD, GOOD, Tasks


@pytest.fixture
def tasks(database, office, tmp_path, person, monkeypatch):
    paper_engine.put_in(monkeypatch)
    return Tasks(database, office, tmp_path, person)


@pytest.fixture
def real(database, office, tmp_path, person):
    """Tasks of an office with the shipped schemes."""
    made = Tasks(database, office, tmp_path, person)
    data = sample_package.package(schemes()["supplement_package"], "310118")
    made.files = lambda: package.receive(office.files, "包.gpkg", [data])
    return made


def soup(answer, status=200):
    assert answer.status_code == status, answer.text[:3000]
    return BeautifulSoup(answer.text, "html.parser")


def said(answer, status=200):
    return soup(answer, status).find("main").get_text(" ", strip=True)


def posted(browser, path, status=303, **data):
    answer = browser.post(path, data)
    assert answer.status_code == status, answer.text[:2000]
    return answer


@pytest.mark.function("DELTA-008", "c3", "c5")
def test_a_task_goes_from_upload_to_its_findings_and_is_deleted_and_restored(tasks, sign_in):
    browser = sign_in(tasks.handler)
    data = paper_engine.package(tasks.folder, BAD)
    form = soup(browser.get("/inspections/new"))
    assert [each["value"] for each in form.select("#district option")] == ["", "310118"]
    answer = browser.post("/inspections/new", {"scheme": "supplement_package", "district": "310118", "title": "第一次"}, files={"files": ("补划.gpkg", data)})
    assert answer.status_code == 303, answer.text[:2000]
    path = answer.headers["location"].removeprefix("http://testserver")
    assert "hx-trigger" in browser.get(path).text and "读取中" in said(browser.get(path))
    tasks.work()
    waiting = said(browser.get(path))
    assert "BHTB" in waiting and "CGCS2000" in waiting and "确认无误，开始质检" in waiting
    task = tasks.task(int(path.split("/")[-1].split("?")[0]))
    posted(browser, f"{path}/confirm", version=task.version)
    assert browser.get(f"{path}?watch=1", headers={"HX-Request": "true"}).text.lstrip().startswith('<div id="progress"')
    tasks.work()
    over = browser.get(f"{path}?watch=1", headers={"HX-Request": "true"})
    assert over.status_code == 204 and path in over.headers["HX-Redirect"]
    shown = said(browser.get(path))
    assert "不合格：2 处错误要改，1 处提示" in shown and "SX-02" in shown and "第一次" in said(browser.get("/inspections"))
    posted(browser, f"{path}/delete", version=tasks.task(task.id).version)
    assert "第一次" not in said(browser.get("/inspections")) and "第一次" in said(browser.get("/inspections?deleted=1"))
    assert browser.get(path).status_code == 404
    posted(browser, f"{path}/restore")
    assert "第一次" in said(browser.get("/inspections"))


def test_a_wrong_upload_is_said_at_its_field(tasks, sign_in):
    browser = sign_in(tasks.handler)
    good = {"scheme": "supplement_package", "district": "310118"}
    assert "请选择数据包" in said(browser.post("/inspections/new", good), 422)
    program = browser.post("/inspections/new", good, files={"files": ("病毒.exe", b"MZ\0\0")})
    assert program.status_code == 422 and soup(program, 422).select_one("#files-error")
    broken = browser.post("/inspections/new", good, files={"files": ("坏.zip", b"PK\x03\x04 nothing")})
    assert soup(broken, 422).select_one("#files-error")
    assert browser.post("/inspections/new", {**good, "district": "310115"}, files={"files": ("a.gpkg", b"x")}).status_code == 403


def shapefile(folder, encoding):
    """A zipped Shapefile in zone 40 with Chinese texts and neither .prj nor .cpg."""
    path = folder / "补划.shp"
    shape = shapely.to_wkb([shapely.box(40507000, 3436000, 40507100, 3436100)])
    names = numpy.array(["金泽镇补划一"], dtype=object)
    pyogrio.raw.write(path, shape, [names], ["MC"], crs="EPSG:4528", geometry_type="Polygon", encoding=encoding)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for suffix in (".shp", ".shx", ".dbf"):
            archive.write(path.with_suffix(suffix), path.with_suffix(suffix).name)
    return buffer.getvalue()


def test_a_file_without_a_coordinate_system_is_read_again_with_what_is_declared(tasks, sign_in, monkeypatch):
    monkeypatch.setattr(engine, "read", paper_engine.REAL_READ)
    browser = sign_in(tasks.handler)
    answer = browser.post(
        "/inspections/new", {"scheme": "supplement_package", "district": "310118"}, files={"files": ("补划.zip", shapefile(tasks.folder, "GBK"))}
    )
    path = answer.headers["location"].removeprefix("http://testserver")
    tasks.work()
    page = said(browser.get(path))
    assert "文件没有写明，请选定" in page and "金泽镇补划一" in page
    task_id = int(path.rpartition("/")[2])
    assert browser.post(f"{path}/reread", {"version": tasks.task(task_id).version, "declared_crs": "EPSG:1"}).status_code == 422
    posted(browser, f"{path}/reread", version=tasks.task(task_id).version, package=1, declared_crs="EPSG:4528")
    tasks.work()
    page = said(browser.get(path))
    assert "文件没有写明，请选定" not in page


@pytest.mark.function("DELTA-009", "c1", "c2", "c3", "c4", "c5")
def test_findings_by_class_with_panes_and_a_picked_one_that_is_located(tasks, sign_in):
    task = tasks.inspected(BAD)
    browser = sign_in(tasks.handler)
    page = soup(browser.get(f"/inspections/{task.id}"))
    assert [each.get_text(strip=True).split()[0] for each in page.select("nav[aria-label=查看窗口] a")] == ["错误信息3", "图层", "表格", "地图"]
    classes = page.select("details[open] ul.tasks a")
    assert [each.get_text(strip=True) for each in classes] == ["MJ-01 面积过小", "SX-01 图斑编号为空", "SX-02 图斑编号重复"]
    only = soup(browser.get(classes[1]["href"]))
    assert [row["data-number"] for row in only.select("[data-findings] tr[data-number]")] == ["1"]
    picked = soup(browser.get(page.select_one("#f2 [data-locate]")["href"]))
    assert picked.select_one("#f2")["class"] == ["picked"]
    assert "TBBH 有误" in picked.select_one("#finding-panel").get_text(" ", strip=True).replace("T1 ", "")
    data = json.loads(picked.select_one("[data-inspection-map]")["data-inspection-map"])
    assert data["picked"] == 2 and data["at"].startswith("121.08")
    assert picked.select_one("[data-inspection-map] svg .m-used")
    panel = browser.get(f"/inspections/{task.id}?finding=3", headers={"HX-Request": "true", "X-Block": "finding"}).text
    assert panel.lstrip().startswith('<div id="finding-panel"') and "面积过小" in panel
    assert "BHTB" in said(browser.get(f"/inspections/{task.id}?pane=layers"))
    table = soup(browser.get(f"/inspections/{task.id}?pane=table"))
    assert table.select_one(".table-box tbody tr").get_text(" ", strip=True).startswith("1 T1 310118 500")
    assert soup(browser.get(f"/inspections/{task.id}?pane=map")).select_one("[data-inspection-map]")


def test_the_map_gets_what_lies_in_its_bounds(tasks, sign_in):
    task = tasks.inspected(BAD)
    [run] = tasks.runs(task.id)
    browser = sign_in(tasks.handler)
    whole = "bounds=121,31,122,32"
    assert [each["properties"]["number"] for each in browser.get(f"/inspections/runs/{run.id}/findings?{whole}").json()["features"]] == [1, 2, 3]
    assert len(browser.get(f"/inspections/runs/{run.id}/features?{whole}").json()["features"]) == 3
    first = f"bounds={paper_engine.WEST},{paper_engine.SOUTH},{paper_engine.WEST + 0.0005},{paper_engine.SOUTH + 0.0005}"
    assert [each["properties"]["number"] for each in browser.get(f"/inspections/runs/{run.id}/features?{first}").json()["features"]] == [1]
    assert browser.get(f"/inspections/runs/{run.id}/findings?bounds=1,2").status_code == 422
    assert browser.get(f"/inspections/runs/{run.id}/findings?bounds=1,2,nan,4").status_code == 422


def test_an_exception_is_asked_for_and_approved_on_the_page(tasks, sign_in):
    task = tasks.inspected((("", "310118", 500.0),))
    [run] = tasks.runs(task.id)
    browser, chief = sign_in(tasks.handler), sign_in(tasks.chief)
    path = f"/inspections/{task.id}"
    refused = browser.post(f"{path}/exceptions", {"version": task.version, "run": run.id, "finding": ["1"], "reason": ""})
    assert "没有办成" in said(refused, 422) and "理由" in said(refused, 422)
    posted(browser, f"{path}/exceptions", version=task.version, run=run.id, finding=["1"], reason="区里同意")
    waiting = soup(chief.get(path))
    assert not soup(browser.get(path)).select("form[action$='/decide']")
    posted(chief, waiting.select_one("form[action$='/decide']")["action"], decision="approve", opinion="可以")
    shown = said(browser.get(path))
    assert "合格，成绩 100.00 分，1 处例外" in shown and "已同意" in shown
    assert browser.get(f"/inspections/runs/{run.id}/certificate").json()["package"] == run.digest


def test_packing_and_admission_are_refused_in_words_while_there_are_errors(tasks, sign_in):
    task = tasks.inspected(BAD)
    browser = sign_in(tasks.handler)
    page = soup(browser.get(f"/inspections/{task.id}"))
    button = page.select_one("form[action$='/admit'] button")
    assert button.has_attr("disabled") and "2 处错误" in page.find("main").get_text()
    refused = browser.post(f"/inspections/{task.id}/packages/1/admit", {"version": task.version})
    assert "没有入库" in said(refused, 422)
    assert browser.get(f"/inspections/runs/{tasks.runs(task.id)[0].id}/certificate").status_code == 422


def test_an_admitted_package_links_to_the_map(tasks, sign_in):
    task = tasks.inspected(GOOD)
    browser = sign_in(tasks.handler)
    posted(browser, f"/inspections/{task.id}/packages/1/admit", version=task.version)
    waiting = soup(browser.get(f"/inspections/{task.id}"))
    assert "正在入库" in waiting.find("main").get_text() and not waiting.select("form[action$='/admit']")
    assert waiting.select_one("#progress[hx-get]") and not waiting.select("form[action$='/cancel'] button")
    tasks.work()
    page = soup(browser.get(f"/inspections/{task.id}"))
    assert "已预入库" in page.find("main").get_text() and page.find("a", string="在一张图上看")["href"].startswith("/map")


@pytest.mark.function("DELTA-008", "c4")
def test_a_variant_is_laid_out_kept_and_changes_the_result(tasks, sign_in, person):
    task = tasks.inspected(BAD)
    planner = sign_in(person("section_chief", district="310118"))
    assert "补划数据包" in said(planner.get("/inspections/variants"))
    form = "/inspections/variants/new?scheme=supplement_package"
    assert "请填写" in said(planner.post(form, {"title": "", "on": ["MJ-01"]}), 422)
    posted(planner, form, title="只查面积", on=["MJ-01"], **{"p-least": "450"})
    page = said(planner.get("/inspections/variants"))
    assert "只查面积" in page and "2 项" in page and "1 个" in page
    browser = sign_in(tasks.handler)
    chosen = soup(browser.get(f"/inspections/{task.id}")).select_one("#variant option:nth-of-type(2)")["value"]
    posted(browser, f"/inspections/{task.id}/rerun", version=tasks.task(task.id).version, variant=chosen)
    tasks.work()
    shown = said(browser.get(f"/inspections/{task.id}"))
    assert "合格，成绩 98.00 分，2 处提示" in shown and "只查面积（关闭 2 项检查，改动 1 个参数）" in shown and "只供自查" in shown


def test_a_stale_page_is_told_who_was_faster(tasks, sign_in, person):
    task = tasks.inspected(GOOD)
    other = person("district_handler", district="310118", name="吴经办")
    posted(sign_in(other), f"/inspections/{task.id}/rename", version=task.version, title="新名")
    stale = sign_in(tasks.handler).post(f"/inspections/{task.id}/rerun", {"version": task.version})
    assert stale.status_code == 409 and "吴经办" in stale.text


def test_the_pages_are_for_those_who_may(tasks, sign_in, person):
    task = tasks.inspected(GOOD)
    [run] = tasks.runs(task.id)
    for who, status in ((person("window", district="310118"), 403), (person("district_handler", district="310115"), 404), (person("applicant"), 403)):
        browser = sign_in(who)
        for path in (f"/inspections/{task.id}", f"/inspections/runs/{run.id}/findings?bounds=1,2,3,4", f"/inspections/runs/{run.id}/package"):
            assert browser.get(path).status_code == status
    viewer = sign_in(person("city_viewer"))
    page = soup(viewer.get(f"/inspections/{task.id}"))
    assert not page.select("form[action$='/rerun'], form[action$='/delete'], form[action$='/exceptions'], form[action$='/admit']")
    assert viewer.post(f"/inspections/{task.id}/rerun", {"version": task.version}).status_code == 403
    assert "质检" in soup(viewer.get("/inspections")).select_one("nav.mainnav").get_text()


def test_the_list_asks_the_database_six_times_at_most(tasks, sign_in, database):
    for number in range(3):
        tasks.made(GOOD, title=f"任务{number}")
    browser = sign_in(tasks.handler)
    browser.get("/inspections")
    statements = []

    def listener(*args):
        statements.append(args[2])

    event.listen(database.engine, "before_cursor_execute", listener)
    try:
        assert browser.get("/inspections").status_code == 200
    finally:
        event.remove(database.engine, "before_cursor_execute", listener)
    assert len([each for each in statements if each.lstrip().upper().startswith("SELECT")]) <= 6


def test_many_findings_make_a_page_of_fifty(tasks, sign_in):
    task = tasks.inspected(tuple(("", "310118", 10.0) for _ in range(60)))
    browser = sign_in(tasks.handler)
    page = soup(browser.get(f"/inspections/{task.id}"))
    assert len(page.select("[data-findings] tr[data-number]")) == 50
    behind = soup(browser.get(page.select_one("nav[aria-label=问题分页] a[rel=next]")["href"]))
    assert behind.select_one("[data-findings] tr[data-number]")["data-number"] == "51"
    picked = soup(browser.get(f"/inspections/{task.id}?finding=77"))
    assert picked.select_one("#f77")


def test_a_batch_lists_its_packages_and_opens_the_one_in_need(tasks, sign_in):
    task = tasks.inspected(GOOD, BAD)
    page = soup(sign_in(tasks.handler).get(f"/inspections/{task.id}"))
    rows = [row.get_text(" ", strip=True) for row in page.select("[aria-label=批量任务的数据包] tbody tr")]
    assert len(rows) == 2 and "合格" in rows[0] and "不合格" in rows[1]
    assert page.find("h1").get_text().startswith("不合格：2 处错误")


def test_what_is_no_certificate_is_refused(app):
    public = Browser(app, base_url="http://testserver")
    public.csrf = soup(public.get("/inspections/verify")).select_one("input[name=csrf_token]")["value"]
    refused = public.post("/inspections/verify", {"digest": "0" * 64}, files={"certificate": ("证书.json", b"{}")})
    assert "不是质检证书" in said(refused, 422)
    assert "请选择文件" in said(public.post("/inspections/verify", {"digest": "0" * 64}), 422)


def test_a_certificate_and_its_package_are_found_genuine_and_another_package_is_not(real, sign_in, app):
    task = real.act(course.create, "supplement_package", "包", "310118", real.files())
    real.work()
    real.act(course.confirm, task.id, real.task(task.id).version)
    real.work()
    [run] = real.runs(task.id)
    certificate = sign_in(real.handler).get(f"/inspections/runs/{run.id}/certificate").content
    rules = zipfile.ZipFile(io.BytesIO(sign_in(real.handler).get(f"/inspections/runs/{run.id}/rules").content))
    assert sorted(rules.namelist()) == ["lists/third_survey.csv", "rules.json", "supplement_package.yaml"]
    public = Browser(app, base_url="http://testserver")
    public.csrf = soup(public.get("/inspections/verify")).select_one("input[name=csrf_token]")["value"]
    data = real.office.files.read_bytes(run.digest)
    for content, words in ((data, "核验通过"), (data + b" ", "核验不通过")):
        answer = public.post("/inspections/verify", {}, files={"certificate": ("证书.json", certificate), "package": ("包.gpkg", content)})
        assert words in said(answer)
