"""Polygons for overlay tests: near Shanghai, valid, some sets disjoint and some not."""

import shapely
from hypothesis import assume
from hypothesis import strategies as st

from domain.overlay import FeatureSet, disjoint

WEST, SOUTH, STEP = 121.2, 31.1, 0.0001
"""About ten metres a step."""

POINTS = st.tuples(st.integers(0, 40), st.integers(0, 40))


def at(x: float, y: float) -> tuple[float, float]:
    """A point by steps from the corner."""
    return WEST + x * STEP, SOUTH + y * STEP


@st.composite
def polygons(draw) -> shapely.Polygon:
    """A box, or the hull of some points; valid and with an area."""
    if draw(st.booleans()):
        west, south, width, height = (draw(st.integers(0, 30)), draw(st.integers(0, 30)), draw(st.integers(1, 15)), draw(st.integers(1, 15)))
        return shapely.box(*at(west, south), *at(west + width, south + height))
    hull = shapely.convex_hull(shapely.MultiPoint([at(*each) for each in draw(st.lists(POINTS, min_size=3, max_size=7, unique=True))]))
    assume(hull.geom_type == "Polygon" and hull.is_valid)
    return hull


def features(geometries, kinds="甲乙丙") -> FeatureSet:
    """Keyed from 1, classed in turn."""
    found = FeatureSet.without_attributes(list(geometries))
    return FeatureSet(found.keys, found.geometries, tuple({"kind": kinds[place % len(kinds)]} for place in range(len(found))))


SETS = st.lists(polygons(), min_size=1, max_size=8).map(features)
"""Features that may overlap each other."""

DISJOINT = SETS.map(lambda each: _without_empty(disjoint(each)[0]))
"""Features of which no two share a place."""


def _without_empty(found: FeatureSet) -> FeatureSet:
    return found.taken([row for row, each in enumerate(found.geometries) if not each.is_empty])
