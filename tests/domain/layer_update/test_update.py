"""Updates from the upload to the edition: whole, by district, by area, by feature, deletion, status; quality; stale; back."""

from dataclasses import replace

import pytest
import shapely

from domain import failpoint, layer_update
from domain.coordinate_parameters import CoordinateParameters
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.job import Job
from domain.layer import FeatureData, edition_on, history_of
from domain.layer_update import upload
from domain.portal_clock import today
from tests.domain.layer_update.conftest import PUDONG, QINGPU, Updates, farmland, geojson, plots, square

EMPTY = geojson([])
TINY = shapely.box(121.002, 31.1, 121.0025, 31.101)


@pytest.fixture
def loaded(updates: Updates) -> Updates:
    updates.load([farmland(n) for n in range(4)] + [farmland(1, PUDONG)])
    return updates


def rows(*numbers: int, district: str = QINGPU, code: str = "0101"):
    return [(f"GD{district}-{n:06d}", square(n, district), code) for n in numbers]


def maps(database, manager) -> Updates:
    return Updates(database, manager, "applied_map")


def map_file(*numbers: int, **values) -> bytes:
    told = {"TJBH": "YT-1", "TJMC": "地质图", "BLC": 5000, "ZT": "现势"} | values
    return geojson([({"DKBH": f"D{n}", **told}, square(n)) for n in numbers])


def test_a_file_in_the_citys_own_system_is_read_by_the_parameters_of_the_office(office):
    text = "[属性描述]\n坐标系=上海城建坐标系\n[地块坐标]\n4,1,D1,甲,面,,,,@\nJ1,1,3000,3000\nJ2,1,3000,3100\nJ3,1,3100,3100\nJ4,1,3100,3000\n"
    stored = layer_update.StoredUpload(office.files.put_bytes(text.encode(), "范围.txt").digest, "范围.txt")
    asked = layer_update.UpdateRequest("area", area=stored)
    assert upload.read(office, stored, asked).layers[0].count == 1
    with pytest.raises(InvalidData, match="上海城建坐标系"):
        upload.read(replace(office, coordinates=CoordinateParameters({}, {})), stored, asked)


# -- what is shown before anything is stored


def test_the_difference_is_shown_by_district_before_anything_is_stored(loaded):
    row = loaded.ask("region", plots([*rows(0, 1), ("GD310118-000002", TINY, "0101"), *rows(7), ("GD310118-000003", square(3), "0103")]), district=QINGPU)
    assert (row.found["refusals"], row.state, loaded.number()) == ([], "ready", 1)
    assert row.found["counts"] == {"kept": 2, "changed": 2, "added": 1}
    assert row.found["changes"] == {"class": 1, "shape": 1, "area": 1}
    (district,) = row.found["districts"]
    assert (district["code"], district["before"]["count"], district["after"]["count"], district["ended"]["count"]) == (QINGPU, 4, 5, 0)
    words = {each["key"]: each["what"] for each in row.found["items"]}
    assert words["GD310118-000003"] == "地类或类别 0101 → 0103"
    assert row.understood["layers"][0]["count"] == 5


def test_areas_of_the_difference_close(loaded):
    row = loaded.ask("region", plots([*rows(0), ("GD310118-000002", TINY, "0101"), *rows(7)]), district=QINGPU)
    total = {name: float(row.found["total"][name]["area"]) for name in ("before", "after", "added", "ended", "changed")}
    assert total["before"] + total["added"] - total["ended"] + total["changed"] == pytest.approx(total["after"], abs=1e-6)


def test_fields_that_the_file_has_not_stay(loaded):
    loaded.confirm(loaded.ask("feature", plots([("GD310118-000001", square(1), "0103")])))
    changed = loaded.now()["GD310118-000001"]
    assert (changed.class_code, changed.attributes["plot_name"], changed.attributes["class_code"]) == ("0103", "样例1号地块", "0103")


def test_features_that_cannot_be_taken_in_are_all_told_in_words(loaded):
    bowtie = shapely.Polygon([(121, 31.1), (121.001, 31.101), (121.001, 31.1), (121, 31.101)])
    row = loaded.ask("feature", plots([("", square(8), "0101"), ("GD310118-000009", bowtie, "0101"), *rows(1, code="0103")]))
    assert row.state == "refused" and len(row.found["refusals"]) == 2
    assert "地块唯一编号" in row.found["refusals"][0] and "GD310118-000009" in row.found["refusals"][1]
    with pytest.raises(Refused, match="没有更新"):
        loaded.act(layer_update.confirm, row)


def test_other_layers_of_the_file_are_named(loaded):
    row = loaded.ask("feature", plots(rows(1, code="0103")))
    assert row.found["notes"] == []


def test_a_file_that_cannot_be_read_is_told_on_the_page(loaded):
    row = loaded.ask("feature", b'{"type": "FeatureCollection", "features": "no"}')
    assert row.state == "refused" and row.found["refusals"]


def test_an_update_without_a_difference_is_refused(loaded):
    row = loaded.ask("region", plots(rows(0, 1, 2, 3), MSSM=""), district=QINGPU)
    assert row.found["refusals"] == ["新数据与图层现有内容没有差别，没有要更新的。"]


# -- the ways


@pytest.mark.function("GEO-030", "c1")
def test_a_district_is_renewed_and_the_others_stay(loaded):
    row = loaded.confirm(loaded.ask("region", plots(rows(0, 9)), district=QINGPU, reason="补测"))
    assert row.state == "applied" and row.edition_number == 2
    assert sorted(loaded.now()) == ["GD310115-000001", "GD310118-000000", "GD310118-000009"]
    with loaded.database.reading() as session:
        made = edition_on(session, loaded.key)
        assert (made.extent, made.region_code, made.change, made.reason, made.person_name) == ("region", QINGPU, "region", "补测", "韩图形")
        assert (made.added_count, made.ended_count, made.note[:14]) == (1, 3, "NDGDZY.geojson")
        assert history_of(session, loaded.key, "GD310118-000001")[0].until.number == 2


@pytest.mark.function("GEO-030", "c1", "c2", "c3")
def test_an_area_is_renewed_with_its_borders_cut(loaded):
    area = geojson([({}, shapely.box(121.001, 31.1, 121.0025, 31.101))])
    row = loaded.ask("area", plots([("GD310118-000050", square(1), "0101")]), area)
    assert row.state == "refused" and "GD310118-000002（范围内" in row.found["refusals"][0]
    row = loaded.confirm(loaded.ask("area", plots([("GD310118-000050", square(1), "0101")]), area, border="cut"))
    assert row.found["counts"] == {"ended": 1, "cut": 1, "added": 1}
    now = loaded.now()
    assert sorted(now) == [f"GD{QINGPU}-{n:06d}" for n in (0, 2, 3, 50)] or "GD310115-000001" in now
    assert now["GD310118-000002"].area_m2 < farmland(2).area_m2 and "GD310118-000001" not in now


def test_the_area_may_be_what_the_new_features_cover(loaded):
    row = loaded.confirm(loaded.ask("area", plots([("N", shapely.box(121.001, 31.1, 121.003, 31.101), "0101")])))
    assert row.found["counts"] == {"ended": 2, "added": 1}
    assert sorted(loaded.now()) == ["GD310115-000001", "GD310118-000000", "GD310118-000003", "N"]


@pytest.mark.function("GEO-030", "c1")
def test_features_are_deleted_by_number_or_by_area(loaded):
    loaded.confirm(loaded.ask("delete", keys=("GD310118-000001",)))
    loaded.confirm(loaded.ask("delete", None, geojson([({}, square(3))])))
    assert sorted(loaded.now()) == ["GD310115-000001", "GD310118-000000", "GD310118-000002"]
    row = loaded.ask("delete", keys=("GD310118-000001", "X"))
    assert row.found["refusals"][0].startswith("图层里没有编号 GD310118-000001、X")


def test_a_whole_layer_is_renewed_and_made_from_nothing(updates):
    row = updates.ask("whole", plots(rows(0, 1)), expected=0)
    row = updates.confirm(row)
    assert row.edition_number == 1 and len(updates.now()) == 2


@pytest.mark.function("GEO-030", "c1", "c2", "c3", "c4", "c5")
def test_plots_of_an_applied_map_pass_the_quality_check_and_change_their_status(updates):
    layer = maps(updates.database, updates.manager)
    first = layer.ask("whole", map_file(0, 1, 2), expected=0)
    assert first.found["refusals"] == [], first.found["inspection"]
    assert layer.confirm(first).state == "applied"
    refused = layer.ask("feature", map_file(2, 3, ZT=""))
    assert refused.state == "refused" and not refused.found["inspection"]["passed"]
    assert "没有通过“应用性图件质检”" in refused.found["refusals"][0] and refused.found["inspection"]["findings"]
    layer.confirm(layer.ask("feature", map_file(2, 3, TJMC="地质图（新）")))
    layer.confirm(layer.ask("status", keys=("D1",), status="历史"))
    assert sorted(layer.now()) == ["D0", "D2", "D3"]
    with updates.database.reading() as session:
        (state,) = history_of(session, "applied_map", "D1")
        assert state.until.change == "status" and not state.is_current


def test_features_whose_status_is_history_do_not_come_in(updates):
    layer = maps(updates.database, updates.manager)
    row = layer.ask("whole", map_file(0, ZT="历史"), expected=0)
    assert any("不入现势图层" in words for words in row.found["refusals"])


def test_a_number_that_others_have_is_refused(loaded):
    row = loaded.ask("region", plots([(f"GD{PUDONG}-000001", square(8), "0101")]), district=QINGPU)
    assert "在图层里已有" in row.found["refusals"][0]


def test_what_lies_in_another_district_is_refused(loaded):
    row = loaded.ask("region", plots(rows(5, district=PUDONG)), district=QINGPU)
    assert "不在青浦区" in row.found["refusals"][0]


# -- rights, grounds, two at once


def test_the_manager_of_a_district_changes_that_district_alone(loaded, person):
    local = person("graphic_manager", district=QINGPU, name="区图形")
    row = loaded.ask("delete", keys=("GD310118-000001", "GD310115-000001"), by=local)
    assert "浦东新区，不在你的辖区内" in row.found["refusals"][0]
    with pytest.raises(NotAllowed, match="不在你的辖区内"):
        loaded.ask("region", plots(rows(5, district=PUDONG)), district=PUDONG, by=local)
    with pytest.raises(NotAllowed, match="全图层更新"):
        loaded.ask("whole", plots(rows(5)), by=local)
    assert loaded.confirm(loaded.ask("delete", keys=("GD310118-000001",), by=local), by=local).state == "applied"


def test_updates_of_the_city_are_not_shown_to_a_district(loaded, person):
    row = loaded.ask("delete", keys=("GD310118-000001",))
    local = person("graphic_manager", district=QINGPU)
    with loaded.database.reading() as session, pytest.raises(NotFound):
        layer_update.update_of(session, local, loaded.key, row.id)


def test_others_may_not_change_layers(loaded, person):
    with pytest.raises(NotAllowed, match="图形管理人员"):
        loaded.ask("delete", keys=("GD310118-000001",), by=person("district_handler", district=QINGPU))


@pytest.mark.parametrize(("given", "field"), [
    ({"way": "region"}, "district"), ({"way": "region", "district": QINGPU}, "file"), ({"way": "delete"}, "keys"),
    ({"way": "status"}, "way"), ({"way": "nothing"}, "way"), ({"way": "delete", "keys": ("A",), "reason": ""}, "reason"),
    ({"way": "annual", "content": EMPTY}, "data_year"), ({"way": "annual", "content": EMPTY, "year": 1999}, "data_year"),
])  # fmt: skip
def test_what_is_missing_is_told_by_field(loaded, given, field):
    with pytest.raises(InvalidData) as refused:
        loaded.ask(**given)
    assert field in refused.value.fields


def test_a_stale_request_is_refused_by_name(loaded, person):
    loaded.confirm(loaded.ask("delete", keys=("GD310118-000001",), by=person("graphic_manager", name="李图形")))
    with pytest.raises(Conflict, match="已由韩图形于"):
        loaded.ask("delete", keys=("GD310118-000002",), expected=1)


def test_an_update_whose_layer_changed_meanwhile_is_refused_by_name_and_compared_again(loaded, person):
    first, second = loaded.ask("delete", keys=("GD310118-000001",)), loaded.ask("delete", keys=("GD310118-000002",))
    other = person("graphic_manager", name="李图形")
    loaded.confirm(first, by=other)
    second = loaded.confirm(second)
    assert second.state == "refused" and "已由李图形于" in second.found["refusals"][0]
    with loaded.database.reading() as session:
        assert session.get(Job, second.job_id).status == "failed"
    second = loaded.act(layer_update.compare_again, second)
    loaded.work()
    assert loaded.confirm(loaded.row(second.id)).state == "applied"
    assert sorted(loaded.now()) == ["GD310115-000001", "GD310118-000000", "GD310118-000003"]


def _break(name: str) -> None:
    if name == "layer_update:written":
        raise RuntimeError(name)


def test_a_broken_write_leaves_the_layer_as_it_was(loaded):
    row = loaded.ask("region", plots(rows(0, 9)), district=QINGPU)
    failpoint.install(_break)
    try:
        loaded.confirm(row)
    finally:
        failpoint.install(None)
    assert loaded.number() == 1 and len(loaded.now()) == 5


def test_an_update_is_given_up(loaded):
    row = loaded.act(layer_update.drop, loaded.ask("delete", keys=("GD310118-000001",)))
    assert row.state == "dropped" and loaded.number() == 1
    with pytest.raises(Conflict, match="已经放弃"):
        loaded.act(layer_update.confirm, row)


def test_a_page_that_is_out_of_date_is_refused(loaded):
    row = loaded.ask("delete", keys=("GD310118-000001",))
    loaded.act(layer_update.drop, row)
    with pytest.raises(Conflict, match="请刷新后再提交"):
        loaded.act(layer_update.confirm, row)


# -- the way back


def test_an_update_is_taken_back_by_the_same_right(loaded, person):
    before = loaded.now()
    loaded.confirm(loaded.ask("region", plots(rows(0, 9)), district=QINGPU))
    local = person("graphic_manager", district=PUDONG)
    with loaded.database.writing() as session, pytest.raises(NotAllowed):
        layer_update.restore(session, local, loaded.key, 2, "误传")
    with loaded.database.writing() as session, pytest.raises(InvalidData, match="回退理由"):
        layer_update.restore(session, loaded.manager, loaded.key, 2, "")
    with loaded.database.writing() as session:
        assert layer_update.restore(session, loaded.manager, loaded.key, 2, "误传").effective_on == today(session)
    assert loaded.now() == before and loaded.number() == 3


def test_a_feature_is_matched_by_the_number_of_those_who_send_it(updates):
    """The demo land use has keys of its own beside the survey's numbers."""
    layer = Updates(updates.database, updates.manager, "land_use")
    shape = square(0)
    layer.load([FeatureData("DL-1", QINGPU, "0101", farmland(0).area_m2, shape, {"feature_code": "3101180000000001"})])
    layer.confirm(layer.ask("feature", geojson([({"BSM": "3101180000000001", "DLBM": "0701"}, shape)])))
    assert {key: each.class_code for key, each in layer.now().items()} == {"DL-1": "0701"}
