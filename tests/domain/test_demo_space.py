"""The demo layers as they are stored: two years of land use that compare, supplements with quality, boreholes, all generated."""

from sqlmodel import select

from domain.actor import SYSTEM
from domain.demo import space
from domain.demo_cadastre import demo_settings
from domain.layer import Layer, all_features, comparison, edition_on
from domain.layer.comparison import Extent, Side
from portal.demo import load_part


def test_a_fresh_demo_has_two_years_that_compare_and_layers_for_the_preset_analysis(database, monkeypatch):
    monkeypatch.setattr(space, "demo_settings", lambda: demo_settings() | {"patches": 4_000, "fewest_per_area": 60})
    with database.writing() as session:
        load_part(session, SYSTEM, "space", space.load)
    with database.reading() as session:
        assert {each.is_generated for each in session.exec(select(Layer)).all()} == {True}
        assert edition_on(session, "land_use").number == 2 and edition_on(session, "geology_borehole").feature_count > 100
        planned = comparison.plan(session, SYSTEM, Side("land_use", 1), Side("land_use", 2), Extent(district="310118"))
        made = comparison.compare(session, planned)
        patches = all_features(session, "protected_space_supplement")
        graded = {each.geometry.wkb for each in all_features(session, "farmland_quality")}
    assert made.patches and 0 < made.changed_m2 < made.total_m2 / 2 and made.sliver_count == 0
    assert patches and all(each.geometry.wkb in graded for each in patches)
