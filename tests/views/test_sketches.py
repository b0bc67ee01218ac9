"""Sketches on the screen: typed without a script, measured, kept, handed on; what the map script asks for."""

import json

import pytest
import shapely
from bs4 import BeautifulSoup
from sqlmodel import select

from domain import sketch
from domain.area import area_m2
from domain.case.tables import Case
from domain.case_range import CaseRange
from domain.errors import NotFound
from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import opened, stored, working
from tests.domain.sketch.test_drawing import AWAY, INNER, SQUARE
from tests.domain.space_fixtures import PADDY, PERMANENT, PUDONG, QINGPU, geojson, load_plots

KNOT = "121.06,31.06\n121.07,31.07\n121.07,31.06\n121.06,31.07"


@pytest.fixture
def owner(database, person):
    with database.writing() as session:
        load_plots(session)
    return person("district_handler", district=QINGPU)


@pytest.fixture
def browser(owner, sign_in):
    return sign_in(owner)


def page_of(answer):
    return BeautifulSoup(answer.text, "html.parser")


def kept(browser, name="范围", text=SQUARE, kind="polygon"):
    answer = browser.post("/map/sketch", {"name": name, "kind": kind, "points": text})
    assert answer.status_code == 303, answer.text[:300]
    return answer.headers["location"]


def test_a_sketch_is_drawn_typed_and_changed_without_a_script(browser):
    measured = page_of(browser.post("/map/sketch", {"name": "", "kind": "polygon", "points": SQUARE, "only": "measure"}))
    area = area_m2(shapely.box(121.06, 31.06, 121.07, 31.07))
    assert f"面积 {area:,}" in measured.select_one("#sketch-words").text and measured.select_one("main svg[role=img]") is not None
    place = kept(browser)
    shown = page_of(browser.get(place))
    assert shown.select_one("#points").text.strip() == SQUARE and shown.select_one("#name")["value"] == "范围"
    sent = {"name": "带洞", "kind": "polygon", "points": f"{SQUARE}\n\n{INNER}", "version": shown.select_one("input[name=version]")["value"]}
    assert browser.post(place, sent).status_code == 303 and "8 点" in page_of(browser.get(place)).select_one("#sketch-words").text
    stale = browser.post(place, sent)
    assert stale.status_code == 409 and "别的窗口" in stale.text
    assert "带洞" in page_of(browser.get("/map/sketches")).select_one("main table").text


@pytest.mark.parametrize(("sent", "field"), [({"points": KNOT}, "points"), ({"name": ""}, "name"), ({"kind": "x"}, "kind"), ({"points": "a,b"}, "points")])
def test_what_cannot_be_kept_is_refused_with_the_form_as_it_was(browser, sent, field):
    answer = browser.post("/map/sketch", {"name": "范围", "kind": "polygon", "points": SQUARE} | sent)
    shown = page_of(answer)
    assert answer.status_code == 422 and shown.select_one(f"a[href='#{field}']").text.endswith("。")
    assert shown.select_one("#points").text.strip() == sent.get("points", SQUARE)


def test_a_sketch_put_away_can_be_taken_back(browser):
    place = kept(browser)
    gone = page_of(browser.get(browser.post(f"{place}/delete").headers["location"]))
    assert "已删除草图" in gone.text and browser.get(place).status_code == 404
    assert browser.post(gone.select_one(".toast form")["action"]).status_code == 303 and browser.get(place).status_code == 200


def test_a_range_file_is_shown_as_a_sketch(browser, database, owner):
    answer = browser.post("/map/sketches/upload", {"declared_crs": ""}, files={"file": ("青浦.geojson", geojson(PADDY))})
    assert answer.status_code == 303
    with database.reading() as session:
        [found] = sketch.sketches_of(session, owner)
    assert shapely.equals(found.geometry, PADDY) and found.source == "青浦.geojson"
    unnamed = browser.post("/map/sketches/upload", {}, files={"file": ("无.geojson", geojson(PADDY, crs=None))})
    assert unnamed.status_code == 422 and "坐标系" in page_of(unnamed).select_one("#file-field .error").text
    declared = browser.post("/map/sketches/upload", {"declared_crs": "EPSG:4490"}, files={"file": ("无.geojson", geojson(PADDY, crs=None))})
    assert declared.status_code == 303 and browser.post("/map/sketches/upload", {}).status_code == 422


def test_downloads_are_what_was_kept(browser):
    place = kept(browser)
    found = browser.get(f"{place}/file?format=geojson")
    assert shapely.equals(shapely.geometry.shape(found.json()["features"][0]["geometry"]), shapely.box(121.06, 31.06, 121.07, 31.07))
    assert "[地块坐标]" in browser.get(f"{place}/file?format=txt").content.decode("gb18030")
    line = kept(browser, "线", AWAY, "line")
    assert browser.get(f"{line}/file?format=txt").status_code == 422 and browser.get(f"{line}/file?format=exe").status_code == 422


@pytest.mark.function("ONEMAP-014", "c1")
def test_a_sketch_is_the_range_of_a_query(browser):
    corners = "\n".join(f"{x!r},{y!r}" for x, y in PERMANENT.exterior.coords[:-1])
    kept(browser, "水田", corners)
    href = page_of(browser.get("/map/sketches")).find("a", string="按它查询")["href"]
    for asked in (f"{href}&layer=land_use", "/map/query?layer=land_use&sketch=1"):
        rows = page_of(browser.get(asked)).select("section[aria-label=清单] tbody tr")
        assert [row.select_one("a").text for row in rows] == ["DL-1"]
    assert "points=" in href and page_of(browser.get("/map/query")).select_one("#sketch option[value='1']").text == "水田"


def test_a_drawing_becomes_the_range_of_what_was_asked_before(browser):
    shown = page_of(browser.get("/map/query?layer=land_use&class=01&bounds=121,31,121.2,31.2"))
    form = page_of(browser.get(shown.find("a", string="在图上画或上传范围")["href"])).select_one("#sketch-form")
    corners = "\n".join(f"{x!r},{y!r}" for x, y in PADDY.exterior.coords[:-1])
    sent = {"kind": "polygon", "points": corners, "name": "", "query": form.select_one("[name=query]")["value"]}
    answer = browser.post("/map/sketch", sent | {"only": "query"})
    rows = page_of(browser.get(answer.headers["location"])).select("section[aria-label=清单] tbody tr")
    assert answer.status_code == 303 and [row.select_one("a").text for row in rows] == ["DL-2"]
    saved = browser.post("/map/sketch", sent | {"name": "水田"}).headers["location"]
    assert "layer=land_use" in page_of(browser.get(saved)).find("a", string="按它查询")["href"]
    many = "\n".join(f"121.{100 + n:03d},31.1" for n in range(201))
    assert "先保存" in browser.post("/map/sketch", sent | {"only": "query", "points": many, "kind": "line"}).text
    assert browser.post("/map/sketch", sent | {"only": "query", "points": KNOT}).status_code == 422


def test_nobody_else_reaches_a_sketch(browser, sign_in, person):
    place, other = kept(browser), sign_in(person("district_handler", district=PUDONG))
    assert other.get("/map/query?layer=land_use&sketch=1").status_code == 404
    for path in (place, f"{place}/file"):
        assert other.get(path).status_code == 404
    for path in (place, f"{place}/delete", f"{place}/restore", f"{place}/range"):
        assert other.post(path, {"version": "1", "name": "x", "kind": "line", "points": AWAY, "case": "1"}).status_code == 404
    assert "范围" not in (page_of(other.get("/map/sketches")).select_one("main table") or page_of(other.get("/map/query")).select_one("#sketch")).text


def test_a_sketch_goes_to_a_case_by_the_door_of_range_files(database, owner, browser):
    with working(database) as work:
        opened(work, QINGPU, "50000")
        stored(work, "40000")
    walk = Walk(database, owner, "nonbuild_usage")
    with database.reading() as session:
        case = session.get_one(Case, walk.id)
    place = kept(browser, "红线", "\n".join(f"{x!r},{y!r}" for x, y in PADDY.exterior.coords[:-1]))
    refused = browser.post(f"{place}/range", {"case": "没有这件"})
    assert refused.status_code == 422 and "没有编号" in refused.text
    answer = browser.post(f"{place}/range", {"case": case.draft_number})
    assert answer.status_code == 303
    with database.reading() as session:
        row = session.exec(select(CaseRange).where(CaseRange.case_id == case.id)).one()
    assert row.file_name == "红线.geojson" and row.confirmed_at is None and f"/ranges/{row.id}" in answer.headers["location"]
    assert "核对范围" in browser.get(answer.headers["location"]).text


def test_the_map_is_told_what_a_text_draws_and_what_is_wrong(browser):
    found = browser.get("/map/sketch/read", params={"points": SQUARE, "kind": "polygon"}).json()
    assert found["parts"] == [[[121.06, 31.06], [121.07, 31.06], [121.07, 31.07], [121.06, 31.07]]] and "面积" in found["words"]
    knot = browser.get("/map/sketch/read", params={"points": KNOT, "kind": "polygon"})
    assert knot.status_code == 422 and "自相交" in knot.json()["fault"] and len(knot.json()["parts"][0]) == 4
    refused = page_of(browser.post("/map/sketch", {"name": "结", "kind": "polygon", "points": KNOT}))
    assert len(json.loads(refused.select_one("[data-sketch]")["data-sketch"])["parts"][0]) == 4
    assert "保存时" in browser.get("/map/sketch/read", params={"points": "1" * 20001, "kind": "point"}).json()["fault"]


def test_shapes_to_snap_to_are_exact_and_only_those_that_are_open(browser, sign_in, person):
    asked = {"bounds": "121.05,31.05,121.08,31.08", "layers": "land_use,nothing"}
    rings = browser.get("/map/sketch/near", params=asked).json()["shapes"]
    assert len(rings) == 4 and any(shapely.equals(shapely.Polygon(ring), PERMANENT) for ring in rings)
    assert len(browser.get("/map/sketch/near", params=asked | {"layers": "annual_farmland"}).json()["shapes"]) == 2
    elsewhere = sign_in(person("district_handler", district=PUDONG))
    assert elsewhere.get("/map/sketch/near", params=asked | {"layers": "annual_farmland"}).json()["shapes"] == []
    assert browser.get("/map/sketch/near", params={"bounds": "1,2"}).status_code == 422


def test_the_map_begins_at_the_drawing_or_where_the_address_says(browser):
    data = json.loads(page_of(browser.get("/map/sketch?at=121.1,31.1,16")).select_one("[data-sketch]")["data-sketch"])
    assert data["at"] == [121.1, 31.1, 16] and data["parts"] == [] and data["editions"]["land_use"]["address"] == "/map/tiles/land_use/1"
    assert json.loads(page_of(browser.get("/map/sketch?at=1,2,3")).select_one("[data-sketch]")["data-sketch"])["at"] == [121.45, 31.15, 10]


@pytest.mark.function("ONEMAP-014", "c1")
def test_a_large_sketch_is_shared_by_its_address_until_the_owner_ends_it(database, browser, sign_in, person):
    ring = shapely.segmentize(PERMANENT, 0.00001).exterior.coords[:-1]
    assert len(ring) > 200
    place = kept(browser, "大范围", "\n".join(f"{x!r},{y!r}" for x, y in ring))
    other = sign_in(person("district_handler", district=QINGPU))
    own = page_of(browser.get(place)).find("a", string="按它查询")["href"]
    assert other.get(f"{own}&layer=land_use").status_code == 404 and "只有自己能打开" in browser.get(f"{own}&layer=land_use").text
    assert browser.post(f"{place}/share", {}).status_code == 303
    shared = page_of(browser.get(place)).find("a", string="发给别人的查询地址")["href"]
    asked = f"{shared}&layer=land_use"
    shown = page_of(other.get(asked))
    assert [row.select_one("a").text for row in shown.select("section[aria-label=清单] tbody tr")] == ["DL-1"]
    assert "共享的范围“大范围”" in shown.text and shown.select_one("input[name=range]").has_attr("checked")
    assert other.get(shown.select_one("[data-query-map]") and asked.replace("/map/query", "/map/query/shapes")).json()["features"][0]["properties"]["what"] == "range"
    elsewhere = page_of(sign_in(person("district_handler", district=PUDONG)).get(f"{shared}&layer=annual_farmland"))
    assert not elsewhere.select("section[aria-label=清单] tbody tr a"), "a shared range shows nobody more of a layer"
    assert other.post(f"{place}/share", {}).status_code == 404
    assert browser.post(f"{place}/share", {"end": "1"}).status_code == 303
    assert other.get(asked).status_code == 404 and "已经取消" in other.get(asked).text
    browser.post(f"{place}/share", {})
    assert page_of(browser.get(place)).find("a", string="发给别人的查询地址")["href"] == shared


def test_a_shared_range_stays_as_it_was_shared_and_ends_with_its_sketch(database, owner):
    ring, moved = SQUARE, AWAY
    with database.writing() as session:
        made = sketch.draw(session, owner, "范围", "polygon", ring).id
        digest, before = sketch.share(session, owner, made).digest, sketch.find(session, owner, made).geometry.wkb
        sketch.change(session, owner, made, 1, "改过", "line", moved)
        assert sketch.find_shared(session, digest).geometry.wkb == before and sketch.shared_of(session, sketch.find(session, owner, made)) is None
        sketch.delete(session, owner, made)
    with database.reading() as session, pytest.raises(NotFound):
        sketch.find_shared(session, digest)
