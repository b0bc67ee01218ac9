"""Sketches that are kept: private, named once, versioned, taken back, handed on."""

import json

import pytest
import shapely
from sqlmodel import select

from domain import sketch
from domain.audit import AuditEntry
from domain.boundary_points import read_boundary_points
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.projection import to_storage
from domain.range_file import read_range
from tests.domain.sketch.test_drawing import AWAY, INNER, SQUARE
from tests.domain.space_fixtures import PADDY, QINGPU, geojson


@pytest.fixture
def owner(person):
    return person("district_handler", district=QINGPU)


@pytest.fixture
def done(database):
    def run(act, *args):
        with database.writing() as session:
            return act(session, *args)

    return run


def test_a_sketch_is_seen_by_its_owner_alone(database, done, owner, person):
    kept = done(sketch.draw, owner, " 我的  范围 ", "polygon", f"{SQUARE}\n\n{INNER}")
    assert (kept.name, kept.kind, kept.point_count) == ("我的 范围", "polygon", 8)
    other = person("district_handler", district=QINGPU)
    with database.reading() as session:
        assert shapely.equals(sketch.find(session, owner, kept.id).geometry, kept.geometry)
        assert [each.name for each in sketch.sketches_of(session, owner)] == ["我的 范围"] and sketch.sketches_of(session, other) == []
        with pytest.raises(NotFound):
            sketch.find(session, other, kept.id)
    for act, args in ((sketch.change, (kept.id, 1, "x", "polygon", SQUARE)), (sketch.delete, (kept.id,)), (sketch.restore, (kept.id,))):
        with pytest.raises(NotFound):
            done(act, other, *args)


def test_every_act_is_in_the_trail_and_a_stale_window_keeps_nothing(database, done, owner):
    kept = done(sketch.draw, owner, "一", "polygon", SQUARE)
    changed = done(sketch.change, owner, kept.id, 1, "二", "line", AWAY)
    assert (changed.name, changed.kind, changed.version, changed.area_m2) == ("二", "line", 2, None)
    with pytest.raises(Conflict):
        done(sketch.change, owner, kept.id, 1, "三", "line", AWAY)
    done(sketch.delete, owner, kept.id)
    with database.reading() as session, pytest.raises(NotFound):
        sketch.find(session, owner, kept.id)
    done(sketch.restore, owner, kept.id)
    with database.reading() as session:
        acts = session.exec(select(AuditEntry.command).where(AuditEntry.subject == f"sketch:{kept.id}").order_by(AuditEntry.id)).all()
    assert acts == ["sketch.draw", "sketch.change", "sketch.delete", "sketch.restore"]


def test_names_are_checked_and_only_map_users_draw(done, owner, person):
    done(sketch.draw, owner, "一", "polygon", SQUARE)
    for name in ("一", "", "长" * 41):
        with pytest.raises(InvalidData) as fault:
            done(sketch.draw, owner, name, "polygon", SQUARE)
        assert "name" in fault.value.fields
    with pytest.raises(NotAllowed):
        done(sketch.draw, person("applicant", enterprise="某公司"), "一", "polygon", SQUARE)


def test_a_range_file_becomes_a_sketch_and_leaves_as_files_that_say_the_same(done, owner):
    kept = [done(sketch.read_file, owner, geojson(PADDY), "青浦.geojson") for _ in range(2)]
    assert [each.name for each in kept] == ["青浦", "青浦 2"] and shapely.equals(kept[0].geometry, PADDY)
    content, name = sketch.file_of(kept[0], "geojson")
    assert name == "青浦.geojson" and json.loads(content)["features"] and shapely.equals(read_range(content, name).geometry, PADDY)
    text, name = sketch.file_of(kept[0], "txt")
    file = read_boundary_points(text)
    assert name == "青浦.txt" and file.system.zone == 40
    back = to_storage(shapely.MultiPolygon([each.polygon for each in file.parcels]), file.system)
    assert shapely.hausdorff_distance(back, PADDY) < 1e-7  # the file keeps millimetres; edges were cut to 20 m
    with pytest.raises(InvalidData):
        done(sketch.read_file, owner, geojson(shapely.Polygon([(121.06, 31.06), (121.07, 31.07), (121.07, 31.06), (121.06, 31.07)])), "结.geojson")


def test_boundary_points_hold_areas_only(done, owner):
    kept = done(sketch.draw, owner, "线", "line", AWAY)
    with pytest.raises(InvalidData, match="只放面"):
        sketch.file_of(kept, "txt")
    assert json.loads(sketch.file_of(kept, "geojson")[0])["features"][0]["geometry"]["type"] == "MultiLineString"
