"""The features of one cell of a comparison: what is the same on both sides is only measured, the rest is overlaid.

A feature belongs wholly to the cell of the south-west corner of its bounding box. What lies around it is read with it, so
that a place that several features cover is given to the same one whatever the cell: the first side before the second, in
a side the smaller key.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import Row, and_, or_, select
from sqlmodel import Session

from domain.area import unrounded_areas_m2
from domain.layer.reading import in_edition, near
from domain.layer.tables import Feature, LayerEdition
from domain.overlay import FeatureSet, OverlayLayer, disjoint, overlay_table
from domain.overlay.operations import polygonal, sound_intersection
from domain.overlay.table import DISTRICT, NOISE_M2
from domain.spatial_file.columns import as_column

CELL_DEGREES = 0.05
MOST_IN_CELL = 4_000
_READ_AT_ONCE = 10_000
_CLASS, _BEFORE, _AFTER = "class", "before", "after"
UNCLASSED = "—"
"""Stands for the class of a feature that has none, as an empty class says that there is no feature."""


@dataclass(frozen=True)
class Sources:
    """The two editions, the districts of each that count (None: all), the polygon, how classes are told apart."""

    before: LayerEdition
    after: LayerEdition
    before_districts: frozenset[str] | None
    after_districts: frozenset[str] | None
    polygon: BaseGeometry | None
    level: int
    is_classed_alike: bool

    @property
    def is_one_layer(self) -> bool:
        """True for two editions of the same layer."""
        return self.before.layer_id == self.after.layer_id

    def conditions(self) -> Any:
        """Which rows of `feature` are part of either side."""
        return or_(_condition(self.before, self.before_districts), _condition(self.after, self.after_districts))

    def sides_of(self, row: Row) -> tuple[bool, bool]:
        """Whether a row is part of the first and of the second side."""
        return _holds(self.before, self.before_districts, row), _holds(self.after, self.after_districts, row)

    def class_of(self, row: Row) -> str:
        """The class of a row as it is compared."""
        return (row.class_code[: self.level] if self.level else row.class_code) or UNCLASSED

    def cells_of(self, boxes: numpy.ndarray) -> Iterator[numpy.ndarray]:
        """The rows of `boxes` (id, west, south, east, north) of each cell, at most `MOST_IN_CELL`."""
        column, row = (numpy.floor(boxes[:, place] / CELL_DEGREES) for place in (1, 2))
        order = numpy.lexsort((boxes[:, 0], column, row))
        begins = numpy.flatnonzero(numpy.diff(column[order]) != 0) + 1, numpy.flatnonzero(numpy.diff(row[order]) != 0) + 1
        for group in numpy.split(order, numpy.union1d(*begins)):
            for start in range(0, len(group), MOST_IN_CELL):
                yield boxes[group[start : start + MOST_IN_CELL]]


@dataclass
class Found:
    """What the cells gave so far: m² by pair of classes without difference, geometries that differ, m² of both sides."""

    same: defaultdict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    different: defaultdict[tuple[str, str, str], list[BaseGeometry]] = field(default_factory=lambda: defaultdict(list))
    common_m2: float = 0.0


def cells(session: Session, sources: Sources) -> tuple[numpy.ndarray, tuple[int, int]]:
    """Identifier and bounding box of every feature that either side has in the area, and how many each side has."""
    columns = (Feature.id, Feature.west, Feature.south, Feature.east, Feature.north)
    statement = select(*columns, Feature.layer_id, Feature.district_code, Feature.from_number, Feature.until_number).where(sources.conditions())
    if sources.polygon is not None:
        statement = statement.where(near(session, sources.polygon.bounds))
    found, counts = [], numpy.zeros(2, dtype=int)
    for rows in session.execute(statement.execution_options(yield_per=_READ_AT_ONCE)).partitions():
        found.append(numpy.array([row[:5] for row in rows], dtype=float))
        counts += numpy.array([sources.sides_of(row) for row in rows]).sum(axis=0)
    boxes = numpy.concatenate(found) if found else numpy.empty((0, 5))
    return boxes, (int(counts[0]), int(counts[1]))


def compare_cell(session: Session, sources: Sources, members: numpy.ndarray, found: Found) -> None:
    """Add what the features of a cell give."""
    rows, sides = _read(session, sources, members)
    features = FeatureSet(
        tuple(row.key for row in rows), as_column(row.geometry for row in rows),
        tuple({DISTRICT: row.district_code, _CLASS: sources.class_of(row)} for row in rows),
    )  # fmt: skip
    own = numpy.isin([row.id for row in rows], members[:, 0].astype(int))
    ranges = _ranges(features, own, sources.polygon)
    calm = _calm(features, sides)
    still, moved = ((numpy.flatnonzero(chosen & ~shapely.is_empty(ranges))) for chosen in (calm & own, ~calm & own))
    for row, area in zip(still.tolist(), unrounded_areas_m2(ranges[still]).tolist(), strict=True):
        value = features.attributes[row][_CLASS]
        found.same[value, value] += area
        found.common_m2 += area
    if len(moved):
        _overlay(sources, features, sides, ranges, moved, found)


def _read(session: Session, sources: Sources, members: numpy.ndarray) -> tuple[list[Row], numpy.ndarray]:
    """The features around the members in order of precedence, and for each whether it is of the first, the second side."""
    bounds = (*members[:, 1:3].min(axis=0).tolist(), *members[:, 3:5].max(axis=0).tolist())
    statement = select(
        Feature.id, Feature.layer_id, Feature.key, Feature.district_code, Feature.class_code, Feature.geometry,
        Feature.from_number, Feature.until_number,
    ).where(sources.conditions())  # fmt: skip
    met = list(session.execute(statement.where(near(session, bounds))))
    sides = [sources.sides_of(row) for row in met]
    order = sorted(range(len(met)), key=lambda place: (not sides[place][0], met[place].key))
    rows, chosen = [met[place] for place in order], numpy.array([sides[place] for place in order])
    return _without_twins(rows, chosen) if sources.is_one_layer else (rows, chosen)


def _without_twins(rows: list[Row], sides: numpy.ndarray) -> tuple[list[Row], numpy.ndarray]:
    """A feature that a new edition has again as it was is one feature of both."""
    known = {_content(row): place for place, row in enumerate(rows) if sides[place, 0] and not sides[place, 1]}
    kept = numpy.ones(len(rows), dtype=bool)
    for place in numpy.flatnonzero(~sides[:, 0] & sides[:, 1]).tolist() if known else ():
        earlier = known.get(_content(rows[place]))
        if earlier is not None:
            sides[earlier, 1], kept[place] = True, False
    return [row for row, is_kept in zip(rows, kept, strict=True) if is_kept], sides[kept]


def _content(row: Row) -> tuple[str, str, str, bytes]:
    return row.key, row.district_code, row.class_code, shapely.to_wkb(row.geometry)


def _ranges(features: FeatureSet, own: numpy.ndarray, polygon: BaseGeometry | None) -> numpy.ndarray:
    """What of each own feature is its place alone, and in the polygon."""
    single, _repeated = disjoint(features)
    made = single.geometries.copy()
    if polygon is not None:
        shapely.prepare(polygon)
        outside = own & ~shapely.contains_properly(polygon, made)
        made[outside] = polygonal(shapely.intersection(made[outside], polygon))
    return made


def _calm(features: FeatureSet, sides: numpy.ndarray) -> numpy.ndarray:
    """Which features are the same on both sides, with nothing of the second side alone over them."""
    same, later = numpy.flatnonzero(sides.all(axis=1)), numpy.flatnonzero(~sides[:, 0])
    calm = numpy.zeros(len(features), dtype=bool)
    calm[same] = True
    if len(same) and len(later):
        over = sound_intersection(features.taken(same), features.taken(later))
        calm[same[over.left_rows[over.areas >= NOISE_M2]]] = False
    return calm


def _overlay(
    sources: Sources, features: FeatureSet, sides: numpy.ndarray, ranges: numpy.ndarray, moved: numpy.ndarray, found: Found
) -> None:
    own = FeatureSet(tuple(str(row) for row in moved.tolist()), ranges[moved], tuple(features.attributes[row] for row in moved.tolist()))
    layers = [
        OverlayLayer(name, features.taken(numpy.flatnonzero(sides[:, side])), _CLASS) for side, name in enumerate((_BEFORE, _AFTER))
    ]
    pieces = overlay_table(own, layers, keeps_pieces=True).pieces
    for geometry, values, area in zip(pieces.geometries, pieces.attributes, pieces.areas.tolist(), strict=True):
        before, after = values[_BEFORE], values[_AFTER]
        found.common_m2 += area if before and after else 0.0
        if before != after if sources.is_classed_alike else not (before and after):
            found.different[values[DISTRICT], before, after].append(geometry)
        else:
            found.same[before, after] += area


def _condition(edition: LayerEdition, districts: frozenset[str] | None) -> Any:
    narrowed = () if districts is None else (Feature.district_code.in_(sorted(districts)),)
    return and_(*in_edition(edition), *narrowed)


def _holds(edition: LayerEdition, districts: frozenset[str] | None, row: Row) -> bool:
    is_valid = row.from_number <= edition.number and (row.until_number is None or row.until_number > edition.number)
    return row.layer_id == edition.layer_id and is_valid and (districts is None or row.district_code in districts)
