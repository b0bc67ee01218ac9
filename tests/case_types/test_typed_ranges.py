"""Two boundary-point files typed by hand, zones 40 and 41, walked over HTTP: upload, confirm, overlay, decision.

What is expected is worked out in the plane of the survey by hand; the ellipsoidal area is that less the square of the
scale of the plane, which is 1 + e² / 2R² at a distance e from the central meridian.
"""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
import shapely
from bs4 import BeautifulSoup

from domain.actor import SYSTEM
from domain.area import area_m2
from domain.layer import FeatureData, load_layer
from domain.projection import to_storage, zone_system
from tests.domain.case.filing_steps import Walk
from tests.domain.ledger_books import opened, stored, working

SAMPLES = Path(__file__).parents[1] / "data" / "ranges"
SONGJIANG, PUDONG = "310117", "310115"
# zone, file, district, a farmland rectangle in the plane (east, north), its overlap with the range in plane m², metres from the meridian
MET = {
    "40": ("zone40_two_parcels_gbk.txt", SONGJIANG, (605150, 3441900, 605300, 3442200), 50 * 100, 105_150),
    "41": ("zone41_without_prefix_utf8.txt", PUDONG, (366000, 3452000, 367000, 3454000), None, -133_310),
}
CLEAR = {"40": (605200, 3441900, 605300, 3442200), "41": (366800, 3452000, 367000, 3454000)}
"""Beside the range: the first shares the whole eastern edge of its first parcel."""
SHOELACE_41 = abs(
    (3453000.120 * 366700.110 - 3453080.450 * 366600.350) + (3453080.450 * 366790.990 - 3453010.880 * 366700.110)
    + (3453010.880 * 366690.020 - 3452930.010 * 366790.990) + (3452930.010 * 366600.350 - 3453000.120 * 366690.020)
) / 2
"""The area of the second file by the shoelace formula over its four points."""


def page(answer, status=200):
    assert answer.status_code == status, answer.text[:800]
    return BeautifulSoup(answer.text, "html5lib")


def load_farmland(database, zone, district, bounds, kind="永久基本农田"):
    """One patch of farmland as the two layers hold it, from a rectangle in the plane of the zone."""
    patch = to_storage(shapely.box(*bounds), zone_system(int(zone), has_zone_prefix=False))
    with database.writing() as session:
        for layer, code in (("permanent_farmland", kind), ("land_use", "0101")):
            feature = FeatureData(f"{layer}-1", district, code, area_m2(patch), patch, {"class_code": "0101", "protection_type": kind})
            load_layer(session, SYSTEM, layer, [feature], date(2026, 1, 1), is_generated=True)


@pytest.fixture
def begin(database, person, sign_in):
    """A case of the district of the file with its range uploaded and confirmed by hand; its walk and browser."""

    def begun(zone):
        name, district, *_rest = MET[zone]
        with working(database) as work:
            opened(work, district, "500000.00")
            stored(work, "100000.00", district)
        handler = person("district_handler", district=district)
        walk, browser = Walk(database, handler, "nonbuild_usage"), sign_in(handler)
        walk.fill(handler, "apply", project_name="样例河道", district=district, project_type="small_rivers", project_owner="样例单位")
        sent = browser.post(f"/cases/{walk.id}/ranges/new", files={"file": (name, (SAMPLES / name).read_bytes(), "text/plain")})
        assert sent.status_code == 303
        read = page(browser.get(sent.headers["location"]))
        assert f"第 {zone} 带" in read.text and "0 处发现" in read.text
        assert browser.post(f"{sent.headers['location']}/confirm").status_code == 303
        return walk, browser

    return begun


def submit(walk, browser):
    address = f"/cases/{walk.id}/tasks/{walk.task('apply')}/act/submit"
    form = page(browser.get(address)).select_one("form[method=post]")
    fields = {each["name"]: each.get("value", "") for each in form.select("input[name]")}
    return browser.post(address, fields)


@pytest.mark.function("LAND-065", "usage_control_by_uploaded_range", "overlap_shown", "any_overlap_denied")
@pytest.mark.parametrize("zone", ["40", "41"])
def test_a_typed_range_on_permanent_farmland_is_denied_with_its_area(database, begin, zone):
    _name, district, bounds, plane_m2, off_m = MET[zone]
    load_farmland(database, zone, district, bounds)
    walk, browser = begin(zone)
    expected = (plane_m2 or SHOELACE_41) / (1 + off_m**2 / 2 / 6_371_000**2) ** 2
    overlap = Decimal(walk.case.values["overlap_m2"])
    assert float(overlap) == pytest.approx(expected, abs=0.1)
    assert f"{overlap:,}" in page(browser.get(f"/cases/{walk.id}")).text
    refused = submit(walk, browser)
    assert f"占用永久基本农田 {overlap:,} 平方米，不准入" in page(refused, refused.status_code).text and refused.status_code == 422
    assert walk.case.status == "draft"


@pytest.mark.function("LAND-065", "zero_admitted")
@pytest.mark.parametrize("zone", ["40", "41"])
def test_a_typed_range_beside_permanent_farmland_is_admitted(database, begin, zone):
    load_farmland(database, zone, MET[zone][1], CLEAR[zone])
    walk, browser = begin(zone)
    assert walk.case.values["overlap_m2"] == "0.00"
    assert submit(walk, browser).status_code == 303
    assert walk.case.steps == "declare"
