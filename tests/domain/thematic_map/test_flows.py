"""Flows read from the attributes of a layer: added up, drawn between places, refused where a code matches nothing."""

from dataclasses import replace
from datetime import date

import pytest

from domain.actor import SYSTEM
from domain.errors import InvalidData, NotAllowed
from domain.layer import load_layer
from domain.thematic_map import make, read_spec
from domain.thematic_map.content import Curve
from domain.thematic_map.kinds import FLOW_WIDTHS
from tests.domain.space_fixtures import BUILT, DRY, PADDY, PERMANENT, PUDONG, QINGPU, _feature, load_plots

ACTOR = replace(SYSTEM, name="样例制图人")
FROM_LAYER = {"layer": "added_farmland", "kind": "flow", "origin": "district", "destination": "used_by_code"}
CHONGMING = "310151"


@pytest.fixture
def load(database):
    """Load the added farmland, four patches of one district, with the districts or plots that use them."""

    days = (date(2026, 2, day) for day in range(1, 28))
    with database.writing() as session:
        load_plots(session)

    def of(*used_by):
        with database.writing() as session:
            rows = [
                _feature(f"XZ-{number}", shape, "0101", used_by_code=code)
                for number, (shape, code) in enumerate(zip((PERMANENT, PADDY, DRY, BUILT), used_by, strict=True))
            ]
            load_layer(session, SYSTEM, "added_farmland", rows, next(days))

    return of


@pytest.fixture
def made(database):
    def of(actor=ACTOR, **texts):
        with database.reading() as session:
            return make(session, actor, read_spec({**FROM_LAYER, **texts}))

    return of


def rows(found):
    return {(origin, destination): value for origin, destination, value in found.tables[0].rows}


@pytest.mark.function("ONEMAP-012", "c1")
def test_features_are_added_up_by_the_districts_that_two_fields_name(load, made):
    load(PUDONG, f"{PUDONG}001", "崇明区", QINGPU)
    found = made(field="count")
    assert rows(found) == {("青浦区", "浦东新区"): 2, ("青浦区", "崇明区"): 1, ("青浦区", "青浦区"): 1}
    assert found.tables[0].total[2] == 4 and found.tables[0].heads[2] == "数值（个）"
    curves = [each for each in found.content.drawn.marks if isinstance(each, Curve)]
    assert len(curves) == 2, "what stays in its district is only in the table"
    assert any("起讫相同" in note for note in found.content.notes) and "新增耕地资源层" in found.content.source[0]


def test_the_amount_is_the_area_or_a_number_of_the_layer(load, made):
    load(PUDONG, PUDONG, CHONGMING, CHONGMING)
    areas = rows(made())
    assert sum(areas.values()) * 10_000 == sum(each.area_m2 for each in made().selection.placed)
    with pytest.raises(InvalidData, match="数值字段"):
        made(field="used_by_code")


def test_widths_go_by_classes_that_the_legend_names_with_their_counts(load, made):
    load(PUDONG, PUDONG, PUDONG, CHONGMING)
    found = made(field="count")
    legend = {key.label: (key.line_mm, key.number) for key in found.content.drawn.legend.keys}
    assert legend == {"1": (FLOW_WIDTHS[-2], "1"), "3": (FLOW_WIDTHS[-1], "1")}
    widths = {each.width_mm for each in found.content.drawn.marks if isinstance(each, Curve)}
    assert widths == {FLOW_WIDTHS[-2], FLOW_WIDTHS[-1]}


def test_codes_that_match_nothing_are_listed_and_refused(load, made):
    load(PUDONG, "999999", "天津", "999999")
    with pytest.raises(InvalidData, match="“指标使用区代码”的 999999、天津（3 个要素）对不上任何地点") as refused:
        made()
    assert list(refused.value.fields) == ["destination"] and "999999、天津" in refused.value.fields["destination"], "the page shows what stands at the field"


def test_features_that_name_no_end_are_left_out_and_said(load, made):
    load(PUDONG, "", "", "")
    found = made(field="count")
    assert rows(found) == {("青浦区", "浦东新区"): 1} and any("另有 3 个要素没有填" in note for note in found.content.notes)
    load("", "", "", "")
    with pytest.raises(InvalidData, match="没有起点和终点都填了的要素"):
        made()


def test_an_end_may_be_a_feature_of_another_layer_by_its_key(load, made):
    load("DL-4", "DL-4", "DL-1", "DL-1")
    found = made(origin="self", destination_layer="land_use", field="count")
    assert rows(found)[("XZ-0", "DL-4")] == 1 and len(rows(found)) == 4
    starts = [each for each in found.content.drawn.marks if isinstance(each, Curve)]
    assert len(starts) == 4 and all(each.start != each.end for each in starts)
    load("DL-9", "DL-4", "DL-1", "DL-1")
    with pytest.raises(InvalidData, match="DL-9"):
        made(origin="self", destination_layer="land_use")


def test_within_one_district_towns_are_places(database, made):
    with database.writing() as session:
        load_plots(session)
        town = "310118102"
        load_layer(session, SYSTEM, "land_use", [
            _feature("DL-1", PERMANENT, "0101", class_code="0101", location_unit_code=f"{town}000", owner_unit_code="310118103000"),
            _feature("DL-2", PADDY, "0101", class_code="0101", location_unit_code="310118103000", owner_unit_code="310118103000"),
        ], date(2026, 3, 1))
    found = made(layer="land_use", area=f"district:{QINGPU}", origin="owner_unit_code", destination="location_unit_code", field="count")
    assert sorted(rows(found).values()) == [1, 1] and all("镇" in name or "街道" in name for pair in rows(found) for name in pair)


@pytest.mark.parametrize(("texts", "field"), [({"destination": ""}, "destination"), ({"origin": ""}, "origin"), ({"origin": "nothing"}, "origin")])
def test_both_ends_have_to_be_fields_of_the_layer(load, made, texts, field):
    load(PUDONG, PUDONG, PUDONG, PUDONG)
    with pytest.raises(InvalidData) as refused:
        made(**texts)
    assert field in refused.value.fields


def test_flows_to_features_of_a_layer_closed_to_one_are_refused(load, made, person):
    load("DL-1", "DL-1", "DL-1", "DL-1")
    with pytest.raises(NotAllowed):
        made(actor=person("window", district=QINGPU), layer="land_use", origin="district", destination="patch_number", destination_layer="clue_patch")
