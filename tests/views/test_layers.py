"""The pages of layers: the catalogue, one layer, its features as of a day, one feature in time, what is written about it, exports."""

import json
from datetime import date
from decimal import Decimal

import openpyxl
import pyogrio
import pytest
import shapely
from bs4 import BeautifulSoup
from sqlmodel import select

from domain import job
from domain.actor import SYSTEM
from domain.audit import AuditEntry
from domain.layer import FeatureData, catalogue, change_features, load_layer, replace_features
from domain.layer.tables import LayerCard
from domain.map_tile import tiles_over
from tests.domain.ledger_books import working
from tests.domain.space_fixtures import DRY, PADDY, PUDONG, QINGPU, _feature, load_plots, plot
from tests.views.test_desk import counted

MARCH, APRIL = date(2026, 3, 1), date(2026, 4, 1)
SPLIT = shapely.box(*plot(2, 0, 0.5).bounds)


@pytest.fixture(autouse=True)
def layers(database):
    """The samples, then in March a new status of GD-2 and in April a half of GD-3 in its place, and a plot of 浦东新区."""
    with database.writing() as session:
        load_plots(session)
    theirs = _feature("GD-P", plot(40), "0103", "可用", plot_name="浦东样例", status="可用")
    with working(database) as work:
        change_features(work, "annual_farmland", ["GD-2"], MARCH, status="已流出", note="三月流出")
        half = _feature("GD-4", SPLIT, "0103", "可用", status="可用", data_year=2026)
        other = FeatureData("GD-P", PUDONG, "0103", theirs.area_m2, theirs.geometry, theirs.attributes, "可用")
        replace_features(work, "annual_farmland", ["GD-3"], [half, other], APRIL, note="四月更新局部")


@pytest.fixture
def handler(sign_in, person):
    return sign_in(person("district_handler", district=QINGPU))


@pytest.fixture
def city(sign_in, person):
    return sign_in(person("city_handler"))


def page(answer, status=200):
    assert answer.status_code == status, answer.text[:500]
    return BeautifulSoup(answer.text, "html.parser")


def head(shown):
    return shown.select_one("h1").get_text(" ", strip=True)


def rows(shown, label):
    box = shown.select_one(f"[aria-label={label}] table.data")
    return [[cell.get_text(" ", strip=True) for cell in row.select("td")] for row in box.select("tbody tr")] if box else []


def keys(shown):
    return [row[0] for row in rows(shown, "要素")]


@pytest.mark.function("ONEMAP-011", "c1")
def test_the_catalogue_lists_every_layer_in_its_group_with_its_edition(handler):
    shown = page(handler.get("/layers"))
    assert [each.text for each in shown.select("h2[id^=group-]")] == [each.title for each in catalogue.groups()]
    assert len(shown.select("tr[id^=layer-]")) == len(catalogue.listings())
    farmland = shown.select_one("#layer-annual_farmland").get_text(" ", strip=True)
    assert "第 3 版" in farmland and "2026-04-01" in farmland and "可打开" in farmland and "只列青浦区的要素" in farmland
    assert shown.select_one("#layer-annual_farmland a")["href"] == "/layers/annual_farmland"


@pytest.mark.function("ONEMAP-011", "c4")
def test_a_locked_layer_says_why_leads_nowhere_and_opens_nowhere(sign_in, person):
    window = sign_in(person("window", district=QINGPU))
    row = page(window.get("/layers")).select_one("#layer-clue_patch")
    assert "锁定" in row.text and "没有开放给你的岗位（收件）" in row.text and row.select_one("a") is None
    for tail in ("", "/features", "/versions", "/feature?id=XS-1"):
        refused = window.get(f"/layers/clue_patch{tail}")
        assert refused.status_code == 403 and "没有开放给你的岗位" in refused.text
    assert window.post("/layers/clue_patch/export", data={"format": "xlsx"}).status_code == 403


def test_the_catalogue_is_searched_and_says_when_nothing_fits(handler):
    found = page(handler.get("/layers?q=一上")).select("tr[id^=layer-]")
    assert [each["id"] for each in found] == ["layer-annual_farmland"]
    assert "没有符合条件的图层" in handler.get("/layers?q=没有这样的").text


def test_a_layer_tells_what_it_is_with_fields_codes_and_legend(handler):
    shown = page(handler.get("/layers/annual_farmland"))
    assert head(shown).startswith("年度耕地资源层：第 3 版，3 个要素")
    text = shown.select_one("main").get_text(" ", strip=True)
    assert all(each in text for each in ("“一上”", "CGCS2000", "内部", "每年更新底板", "土地管理法", "NDGDZY"))
    fields = {row[1]: row for row in rows(shown, "字段")}
    assert "QYZZ锁定" in fields["DKZT"][3] and fields["TBMJ"][4] == "TD/T 1057-2020" and "小数 2 位" in fields["TBMJ"][2]
    assert {"可用", "已流出"} <= {each.text for each in shown.select("section[aria-labelledby=legend-title] span")}
    assert page(handler.get("/layers/clue_patch")).select_one(".empty") and handler.get("/layers/forest").status_code == 404


@pytest.mark.function("LAND-054", "c2")
@pytest.mark.function("LAND-055", "c2")
@pytest.mark.parametrize(("key", "labels"), [
    ("annual_farmland", ("行政区代码", "行政区名称", "地类编码", "地类名称", "耕地等别", "耕地等级", "图斑面积", "补划说明", "数据年度")),
    ("added_farmland", ("行政区名称", "项目编号", "验收文号", "新增耕地地类", "耕地等别", "耕地等级", "新增耕地面积")),
])  # fmt: skip
def test_the_farmland_layers_have_the_fields_that_are_asked_for(database, handler, key, labels):
    shown = page(handler.get(f"/layers/{key}"))
    assert set(labels) <= {row[0] for row in rows(shown, "字段")}
    values = {"feature_code": "1", "project_number": "XM-1", "acceptance_number": "验〔2026〕1号", "class_code": "0101", "quality_class": 6}
    with database.writing() as session:
        load_layer(session, SYSTEM, key, [_feature("F-1", PADDY, "0101", **values)], APRIL)
    told = page(handler.get(f"/layers/{key}/feature?id=F-1")).select_one("dl").get_text(" ", strip=True)
    assert all(label in told for label in labels)
    if key == "added_farmland":
        assert "XM-1" in told and "验〔2026〕1号" in told


@pytest.fixture
def farmland(database):
    """Both farmland layers with one plot each, and what is found of them by an attribute."""
    annual = _feature("GD-7", PADDY, "0101", "可用", status="可用", plot_name="样例七号", supplement_note="补划自样例", class_code="0101")
    added = _feature("XZ-1", DRY, "0103", project_number="XM-样例-1", acceptance_number="验〔2026〕1号", class_code="0103", quality_class=7)
    with database.writing() as session:
        load_layer(session, SYSTEM, "annual_farmland", [annual], APRIL)
        load_layer(session, SYSTEM, "added_farmland", [added], APRIL)


def drawn_at(browser, key, edition, shape):
    return browser.get(f"/map/tiles/{key}/{edition}/" + "{0.zoom}/{0.column}/{0.row}".format(next(tiles_over(shape.bounds, 15)))).content


@pytest.mark.function("LAND-054", "c1", "c3", "c4")
@pytest.mark.usefixtures("farmland")
def test_the_annual_farmland_is_on_the_map_is_told_at_a_point_and_found_by_an_attribute(handler):
    _on_map_told_and_found(handler, "annual_farmland", 4, PADDY, "GD-7", "补划自样例", ("图斑面积", "补划自样例", "可用"))


@pytest.mark.function("LAND-055", "c1", "c3", "c4")
@pytest.mark.usefixtures("farmland")
def test_the_added_farmland_is_on_the_map_is_told_at_a_point_and_found_by_an_attribute(handler):
    _on_map_told_and_found(handler, "added_farmland", 1, DRY, "XZ-1", "XM-样例", ("项目编号", "XM-样例-1", "验〔2026〕1号"))


def _on_map_told_and_found(browser, layer, edition, shape, key, words, told):
    assert layer in json.loads(page(browser.get("/map")).select_one("#map")["data-map-page"])["tiles"]
    assert key.encode() in drawn_at(browser, layer, edition, shape)
    said = browser.get(f"/map/facts?at={shape.centroid.x},{shape.centroid.y}").text
    assert all(each in said for each in (key, *told))
    found = page(browser.get(f"/layers/{layer}/features?words={words}"))
    assert keys(found) == [key] and keys(page(browser.get(f"/layers/{layer}/features?words=没有"))) == []
    feature = page(browser.get(found.select_one("[aria-label=要素] tbody a")["href"]))
    place = json.loads(page(browser.get(feature.select_one("a[href^='/map?plot']")["href"])).select_one("#map")["data-map-page"])
    [outline] = browser.get(place["selected"]).json()["features"]
    assert outline["properties"]["key"] == key and shapely.equals(shapely.geometry.shape(outline["geometry"]), shape)


def test_the_versions_say_when_how_far_and_why(handler):
    found = rows(page(handler.get("/layers/annual_farmland/versions")), "版本")
    assert [row[0] for row in found] == ["第 3 版", "第 2 版", "第 1 版"]
    assert found[0][1].startswith("2026-04-01") and found[0][2:] == ["按图形更新", "四月更新局部", "2", "1", "3"]
    assert found[2][2] == "全图层更新" and found[1][3] == "三月流出"
    assert keys(page(handler.get("/layers/annual_farmland/features?edition=2"))) == ["GD-2", "GD-3"]
    assert keys(page(handler.get("/layers/annual_farmland/features?edition=2&on=2026-04-01"))) == ["GD-2", "GD-4"]
    assert "没有第 9 版" in page(handler.get("/layers/annual_farmland/features?edition=9"), 422).text


@pytest.mark.function("LAND-056", "c4")
@pytest.mark.function("GEO-030", "c4")
def test_features_are_listed_as_they_stood_on_a_day_and_the_past_ones_apart(handler, city):
    assert keys(page(handler.get("/layers/annual_farmland/features"))) == ["GD-2", "GD-4"]
    then = page(handler.get("/layers/annual_farmland/features?on=2026-03-15"))
    assert keys(then) == ["GD-2", "GD-3"] and "第 2 版，2026-03-01 起施行" in then.text
    past = rows(page(handler.get("/layers/annual_farmland/features?state=past")), "要素")
    assert [(row[0], row[-1]) for row in past] == [("GD-2", "第 1 版 第 2 版转入历史"), ("GD-3", "第 1 版至第 2 版 第 3 版转入历史")]
    assert keys(page(handler.get("/layers/annual_farmland/features?state=past&on=2026-03-15"))) == ["GD-2"]
    assert keys(page(city.get("/layers/annual_farmland/features"))) == ["GD-2", "GD-4", "GD-P"]


@pytest.mark.parametrize(("query", "found"), [
    ("words=已流出", ["GD-2"]), ("words=浦东样例", ["GD-P"]), ("words=GD-4", ["GD-4"]), ("words=2026&field=data_year", ["GD-4"]),
    ("words=gd-4", ["GD-4"]), ("words=D-", ["GD-2", "GD-4", "GD-P"]), ("words=GD-4&field=status", []), ("words=%25", []), ("class=0103", ["GD-4", "GD-P"]), ("class=01", ["GD-2", "GD-4", "GD-P"]),
    (f"district={PUDONG}", ["GD-P"]), ("status=可用", ["GD-4", "GD-P"]), ("sort=-key", ["GD-P", "GD-4", "GD-2"]),
    ("sort=area_m2", ["GD-4", "GD-2", "GD-P"]), ("sort=-district_code", ["GD-2", "GD-4", "GD-P"]),
])  # fmt: skip
@pytest.mark.function("LAND-054", "c4")
def test_every_condition_and_order_is_the_database_s(city, query, found):
    assert keys(page(city.get(f"/layers/annual_farmland/features?{query}"))) == found


def test_the_table_says_counts_sums_and_the_classes_there_are(city):
    shown = page(city.get("/layers/annual_farmland/features?class=0103"))
    assert head(shown).startswith("年度耕地资源层：2 个要素")
    choices = [each.text for each in shown.select("#filter-class option")]
    assert "水田（0101） 1" in [" ".join(each.split()) for each in choices] and any("0103" in each and each.endswith("2") for each in choices)


def test_rows_of_another_district_stay_out_whatever_is_asked(handler):
    for query in ("", "words=浦东样例", f"district={PUDONG}", "words=GD-P"):
        assert "GD-P" not in keys(page(handler.get(f"/layers/annual_farmland/features?{query}")))
    assert [each["value"] for each in page(handler.get("/layers/annual_farmland/features")).select("#filter-district option")] == ["", QINGPU]
    assert handler.get("/layers/annual_farmland/feature?id=GD-P").status_code == 404
    assert handler.get("/layers/land_use/feature?id=DL-1").status_code == 200


@pytest.mark.parametrize(("query", "words"), [
    ("on=2025-01-01", "还没有数据"), ("on=gestern", "不是日期"), ("words=1&field=geometry", "没有所选的字段"), ("sort=geometry", "不能按这一列排序"),
])  # fmt: skip
def test_what_cannot_be_shown_is_said(handler, query, words):
    assert words in page(handler.get(f"/layers/annual_farmland/features?{query}"), 422).select_one("main").text


def test_a_page_of_fifty_is_one_page(database, city):
    many = [_feature(f"M-{n:03}", plot(n), "0101", "可用") for n in range(60)]
    with database.writing() as session:
        load_layer(session, SYSTEM, "annual_farmland", many, APRIL)
    first = page(city.get("/layers/annual_farmland/features?status=可用"))
    following = first.select_one("a[rel=next]")["href"]
    assert len(keys(first)) == 50 and keys(page(city.get(following))) == [f"M-{n:03}" for n in range(50, 60)] and "status=" in following


@pytest.mark.function("GEO-030", "c2", "c4")
def test_a_feature_is_told_through_its_editions(handler):
    shown = page(handler.get("/layers/annual_farmland/feature?id=GD-2"))
    assert "现势：自第 2 版，2026-03-01起" in shown.text and shown.select_one("figure svg")["aria-label"] == "GD-2 的位置"
    spans = rows(shown, "历史")
    assert [row[:2] for row in spans] == [["第 2 版，2026-03-01", "现势"], ["第 1 版，2026-01-01", "第 2 版，2026-03-01"]]
    assert spans[0][5:] == ["状态：已预存 → 已流出", "三月流出"] and spans[1][5] == "入库"
    assert shown.find("a", string="在一张图上看")["href"] == "/map?plot=GD-2" or shown.select_one("a[href='/map?plot=GD-2']")
    earlier = page(handler.get("/layers/annual_farmland/feature?id=GD-2&on=2026-02-01"))
    assert "历史：自第 1 版，2026-01-01起，第 2 版，2026-03-01转入历史" in earlier.text and "已预存" in earlier.select_one("dl").text
    assert "已预存" in page(handler.get("/layers/annual_farmland/feature?id=GD-2&edition=1")).select_one("dl").text


def test_a_feature_that_is_past_is_still_shown_as_it_was(handler):
    shown = page(handler.get("/layers/annual_farmland/feature?id=GD-3"))
    assert "第 3 版，2026-04-01转入历史" in shown.text and shown.select_one("a[href^='/map?plot']") is None
    assert handler.get("/layers/annual_farmland/feature?id=GD-3&edition=2").status_code == 404
    assert handler.get("/layers/annual_farmland/feature?id=nobody").status_code == 404


WRITTEN = {"summary": "新的说明", "source": "新的来源", "owner": "新的单位", "update_cycle": "每季", "security_level": "secret", "basis": "新的依据"}


def test_a_data_manager_writes_what_a_layer_is_and_it_is_in_the_trail(database, city, handler):
    assert page(city.get("/layers/land_use")).select_one("a[href$='/edit']") and not page(handler.get("/layers/land_use")).select_one("a[href$='/edit']")
    assert page(city.get("/layers/land_use/edit")).select_one("[name=version]")["value"] == "0"
    saved = city.post("/layers/land_use/edit", data={**WRITTEN, "version": "0"})
    assert saved.status_code == 303
    for address in ("/layers", "/layers/land_use"):
        shown = handler.get(address).text
        assert "新的说明" in shown and "涉密" in shown and "新的单位" in shown
    with database.reading() as session:
        assert session.exec(select(LayerCard)).one().version == 1 and catalogue.security_level(session, "land_use") == "secret"
        [entry] = session.exec(select(AuditEntry).where(AuditEntry.command == "layer.describe")).all()
        assert entry.subject == "layer:land_use"


def test_a_layer_that_was_made_secret_is_shared_no_more(city, handler):
    asked = {"layer": "land_use", "purpose": "planning", "format": "service", "file_kind": "gpkg", "until_on": "2026-12-31", "districts": QINGPU,
             "fields": "class_code", "reason": "样例理由写够十个字以上"}  # fmt: skip
    assert handler.post("/shares/apply", data=asked).status_code == 303
    assert city.post("/layers/land_use/edit", data={**WRITTEN, "version": "0"}).status_code == 303
    refused = handler.post("/shares/apply", data=asked)
    assert refused.status_code == 422 and "涉密" in refused.text


def test_two_who_write_at_once_do_not_overwrite_each_other(city):
    assert city.post("/layers/land_use/edit", data={**WRITTEN, "version": "0"}).status_code == 303
    late = city.post("/layers/land_use/edit", data={**WRITTEN, "summary": "别的", "version": "0"})
    assert late.status_code == 409 and "没有保存" in late.text


@pytest.mark.parametrize(("name", "value", "words"), [("summary", "", "没有填写"), ("owner", "长" * 61, "不能超过 60 字"), ("security_level", "top", "请从列表里选密级")])
def test_what_is_written_badly_comes_back_with_its_fault(city, name, value, words):
    shown = page(city.post("/layers/land_use/edit", data={**WRITTEN, name: value, "version": "0"}), 422)
    assert words in shown.select_one("[role=alert]").text and shown.select_one("[name=source]")["value"] == "新的来源"


def test_only_the_data_managers_of_the_city_write(handler):
    assert handler.get("/layers/land_use/edit").status_code == 403
    assert handler.post("/layers/land_use/edit", data={**WRITTEN, "version": "0"}).status_code == 403


def exported(database, browser, kind, key="annual_farmland", **asked):
    """What the job of an export made."""
    answer = browser.post(f"/layers/{key}/export", data={"format": kind, **asked})
    assert answer.status_code == 303, answer.text
    with database.writing() as session:
        claimed = job.claim(session, SYSTEM)
    return job.run(claimed, database, database.office, lambda: False)


def export(database, browser, kind, tmp_path, **asked):
    """The file of an export."""
    result = exported(database, browser, kind, **asked)
    path = tmp_path / f"exported.{kind}"
    path.write_bytes(database.office.files.read_bytes(result.file.digest))
    return path


def test_an_export_holds_what_the_table_shows(database, handler, city, tmp_path):
    book = openpyxl.load_workbook(export(database, handler, "xlsx", tmp_path)).active
    head_row, *found = list(book.iter_rows(values_only=True))
    assert head_row[0] == "账户区" and "图斑面积（TBMJ）" in head_row and len(found) == 2
    area = head_row.index("图斑面积（TBMJ）")
    assert [Decimal(str(row[area])) for row in found] == [_feature("", PADDY, "").area_m2, _feature("", SPLIT, "").area_m2]
    then = openpyxl.load_workbook(export(database, city, "xlsx", tmp_path, on="2026-03-15", **{"class": "0103"})).active
    assert then.max_row == 2


def test_an_export_of_an_edition_bears_its_number(database, city):
    made = exported(database, city, "xlsx", edition="2")
    assert (made.name, made.document) == ("年度耕地资源层第2版.xlsx", {"features": 2, "edition": 2})


def test_a_geopackage_has_the_standard_columns_and_the_exact_shapes(database, city, tmp_path):
    path = export(database, city, "gpkg", tmp_path, sort="-key")
    assert pyogrio.read_info(path)["crs"] == "EPSG:4490"
    meta, _ids, blobs, columns = pyogrio.raw.read(path, layer="NDGDZY")
    values = dict(zip(meta["fields"], columns, strict=True))
    assert list(values["DKZT"]) == ["可用", "可用", "已流出"] and len(blobs) == 3
    assert shapely.equals(shapely.from_wkb(blobs[2]), shapely.MultiPolygon([PADDY]))
    assert city.post("/layers/annual_farmland/export", data={"format": "dwg"}).status_code == 422


@pytest.mark.parametrize("tail", ["/layers", "/layers/annual_farmland", "/layers/annual_farmland/features", "/layers/annual_farmland/versions"])
def test_pages_take_a_fixed_number_of_statements(database, city, tail):
    counts = []
    for number in (1, 40):
        with database.writing() as session:
            load_layer(session, SYSTEM, "annual_farmland", [_feature(f"M-{number}-{n}", plot(n), "0101", "可用") for n in range(number)], APRIL)
        city.get(tail)
        with counted(database) as statements:
            assert city.get(tail).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1] <= 8
