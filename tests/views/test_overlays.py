"""Overlay pages: the analysis of supplement patches, a free overlay, what a form refuses, comparing, who sees what."""

import json
from dataclasses import replace

import pytest
import shapely
from sqlmodel import select

from domain.area import area_m2
from domain.format import thousands
from domain.layer import catalogue
from domain.overlay_run import OverlayRun
from domain.spatial_file.reading import KINDS
from tests.domain.overlay_run.samples import ANALYSIS, load_all, with_layers, work_off
from tests.domain.space_fixtures import PUDONG, QINGPU, plot
from tests.views.pages import cells, faults, page, title

__all__ = ["with_layers"]
SCHEME = f"/overlays/analyses/{ANALYSIS}"


@pytest.fixture
def layers(with_layers, database):
    load_all(database)


@pytest.fixture
def handler(layers, sign_in, person):
    return sign_in(person("district_handler", district=QINGPU))


def done(database, office, answer) -> str:
    """Work off what was posted; the address of its result."""
    assert answer.status_code == 303, answer.text[:1000]
    work_off(database, office)
    return answer.headers["location"]


def free(**changes):
    return {"title": "现状", "source": "layer", "layer": "protected_space_supplement", "layers": "land_use", "by_land_use": "class_code", **changes}


@pytest.mark.function("LAND-077", "c1", "c2", "c3", "c4")
def test_the_analysis_is_run_twice_and_every_result_stays_to_be_seen(handler, database, office):
    assert "按永久基本农田类型分别列出调入、调出" in page(handler.get(SCHEME)).get_text()
    first = done(database, office, handler.post(SCHEME, {"note": "第一稿"}))
    second = done(database, office, handler.post(SCHEME, {"note": "第二稿"}))
    answer = handler.get(first)
    square = thousands(area_m2(plot(0.5, 0, 1, 1)), 2)
    assert cells(answer, "耕地平均质量等别") == ["—", "7.50", "8.00", ""] and square in cells(answer, "水田面积")
    assert [text.count("等 ") for text in cells(answer, "各等别的面积")] == [0, 2, 1, 0]
    assert page(answer).select_one("figure svg path.m-paddy")
    listed = page(handler.get(SCHEME))
    assert [each.get_text(strip=True) for each in listed.select('td[data-label="名称"] .sub')] == ["第二稿", "第一稿"]
    assert "两次结果一致" in title(handler.get(f"/overlays/compare?first={first.split('/')[-1]}&second={second.split('/')[-1]}"))


def test_a_running_overlay_shows_its_job_and_the_card_gives_way_to_the_result(handler, database, office):
    answer = handler.post("/overlays/new", free())
    place = answer.headers["location"]
    assert "排队中" in page(handler.get(place)).select_one(".job").get_text()
    assert "现状" in handler.get(place, headers={"HX-Request": "true"}).text
    done(database, office, answer)
    assert handler.get(place, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    found = page(handler.get(place))
    assert "第 1 版" in found.get_text() and "GEOS" in found.get_text()


def test_an_uploaded_file_is_overlaid_with_slivers_handled(handler, database, office):
    strip = shapely.geometry.mapping(plot(1.9999, 0, 1, 1))
    file = {"type": "FeatureCollection", "crs": {"type": "name", "properties": {"name": "EPSG:4490"}},
            "features": [{"type": "Feature", "properties": {"name": "东段"}, "geometry": strip}]}  # fmt: skip
    posted = free(source="file", sliver_treatment="neighbour", sliver_area_m2="5000", sliver_width_m="0.1")
    answer = handler.post("/overlays/new", posted, files={"file": ("范围.geojson", json.dumps(file).encode())})
    found = handler.get(done(database, office, answer))
    assert cells(found, "处理") == ["并入相邻，给 L2"] and "碎面 1 个" in page(found).get_text()
    assert cells(found, "类") == ["旱地（0103）"]


@pytest.mark.parametrize(
    ("change", "fault"),
    [({"title": ""}, "请填写名称"), ({"layers": ""}, "请至少选一个要叠加的图层"), ({"source": "case", "case": "没有"}, "没有这个办件，请核对编号"),
     ({"source": "file"}, "请选择文件"), ({"sliver_treatment": "drop", "sliver_area_m2": "-1"}, "应为大于 0 的数"),
     ({"district": PUDONG}, "所选的行政区不在你的辖区内，没有提交。请选本区，或请市级人员办理。"), ({"layers": "no_layer"}, None)],
)  # fmt: skip
def test_a_form_that_cannot_be_used_comes_back_with_what_was_typed(handler, change, fault):
    given = {key: value for key, value in free(**change).items() if value or key == "title"}
    answer = handler.post("/overlays/new", given)
    said = faults(answer)
    assert said and (fault is None or fault in said)
    assert page(answer, 422).select_one("#title")["value"] == given["title"]


def test_a_colleague_of_another_district_sees_none_of_it_and_only_the_owner_may_delete(handler, layers, database, office, sign_in, person):
    place = done(database, office, handler.post("/overlays/new", free()))
    other, same = sign_in(person("district_chief", district=PUDONG)), sign_in(person("district_chief", district=QINGPU))
    for path in (place, f"{place}/file", f"{place}/delete"):
        assert other.get(path).status_code == 404
    for act in ("again", "export", "delete"):
        assert other.post(f"{place}/{act}").status_code == 404
    assert "还没有保存的叠加分析" in page(other.get("/overlays")).get_text()
    assert page(same.get(place)) and same.post(f"{place}/delete").status_code == 403
    assert handler.get(f"{place}/file").content[:6] == b"SQLite"
    assert handler.post(f"{place}/delete").status_code == 303
    with database.reading() as session:
        assert session.exec(select(OverlayRun)).all() == []


def test_without_its_layers_the_analysis_says_which_are_missing(with_layers, sign_in, person):
    found = page(sign_in(person("city_handler")).get(SCHEME)).get_text()
    assert "永久基本农田补划退出" in found and "还没有数据，不能分析" in found


def test_comparing_wants_two_different_results(handler):
    assert handler.get("/overlays/compare?first=1&second=1").status_code == 422
    assert handler.get("/overlays/compare").status_code == 422


def test_the_form_shows_only_what_the_source_of_the_ranges_needs_and_folds_the_rest(handler):
    shown = {source: page(handler.get(f"/overlays/new?source={source}")) for source in ("layer", "file", "case", "nonsense")}
    names = {source: {each["name"] for each in found.select("form.sheet [name]")} for source, found in shown.items()}
    own = {"layer": {"layer", "district", "value"}, "file": {"file", "crs", "encoding"}, "case": {"case"}}
    for source, wanted in own.items():
        assert wanted <= names[source] and not names[source] & (set().union(*own.values()) - wanted)
        assert shown[source].select_one('input[name="source"]')["value"] == source
    assert names["nonsense"] == names["layer"]
    assert [each.has_attr("open") for each in shown["layer"].select("form.sheet details")] == [False, False]
    said = shown["file"].select_one("#file-hint").get_text()
    formats = {name for name in KINDS.values() if name != "dBASE 表"}
    assert len(formats) == 13 and all(name.removesuffix(" 表") in said for name in formats)


def test_a_fault_in_what_is_folded_opens_it(handler):
    answer = handler.post("/overlays/new", free(sliver_treatment="drop", sliver_area_m2="-1"))
    assert [each.has_attr("open") for each in page(answer, 422).select("form.sheet details")] == [False, True]


def test_layers_that_are_not_open_to_the_person_are_not_offered(layers, sign_in, person):
    offered = {role: {each["value"] for each in page(sign_in(person(role, district=QINGPU)).get("/overlays/new")).select('input[name="layers"]')}
               for role in ("district_handler", "window")}  # fmt: skip
    assert offered["district_handler"] - offered["window"] == {"protected_space_supplement", "farmland_quality"} and "land_use" in offered["window"]


def test_the_encoding_must_be_one_of_the_list(handler):
    answer = handler.post("/overlays/new", free(source="file", encoding="x"), files={"file": ("a.geojson", b"{}")})
    assert "所选的坐标系或编码不在列表中" in page(answer, 422).get_text()


def test_a_layer_without_areas_is_neither_offered_nor_taken(handler, monkeypatch):
    known = catalogue.listings()
    points = {**known, "farmland_quality": replace(known["farmland_quality"], geometry="point")}
    monkeypatch.setattr(catalogue, "listings", lambda: points)
    offered = {each["value"] for each in page(handler.get("/overlays/new")).select('input[name="layers"]')}
    assert "land_use" in offered and "farmland_quality" not in offered
    said = faults(handler.post("/overlays/new", free(layers="farmland_quality", by_farmland_quality="quality_class")))
    assert "图层“耕地质量等别层”没有面，不能叠加面积" in "".join(said)
