"""The table of an overlay: ranges by the classes of one or several layers at once, which closes to the hundredth.

Every place of a range falls in exactly one row: where features of a layer overlap, the first in order of `priority`, then
of key, has it; where ranges overlap, the first has it (both are reported); where a layer has nothing, its class is empty.
Rows of a range are its pieces summed by their classes and districts and adjusted to the range's own area (rounded once to
0.01 m², or the registered area where one is given): each row is within 0.01 m² of its exact area, and sums by class, by
range, by district and in all are exact sums of rows. Decisions on a hundredth (does a range touch protected land) are
those of `overlay_areas`, which rounds every piece.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import numpy
import shapely

from domain.area import rounded_m2, sum_m2
from domain.overlay.adjustment import adjusted
from domain.overlay.features import FeatureSet, areas_of, require_sound_set
from domain.overlay.operations import NONE, Pieces, cut_apart, disjoint, sound_intersection
from domain.overlay.slivers import SliverReport, SliverRule, handle_slivers

DISTRICT = "district_code"
NOISE_M2 = 1e-6
"""A remainder below this is what rounding of doubles leaves along an edge, no place of its own."""


@dataclass(frozen=True)
class OverlayLayer:
    """One layer of the overlay: its features, the field that classes them, classes that come first where they overlap."""

    key: str
    features: FeatureSet
    by: str
    priority: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TableRow:
    """The area of a range in one combination of classes (one a layer, empty where it has nothing) and one district."""

    range_key: str
    district_code: str
    classes: tuple[str, ...]
    area_m2: Decimal


@dataclass(frozen=True)
class OverlayTable:
    """Rows that add up to the ranges; `pieces` holds the geometry behind them where it was asked for.

    `repeated` by layer key (and "" for the ranges among themselves) is what would have counted twice in the ranges, in m²
    before rounding.
    """

    layer_keys: tuple[str, ...]
    rows: tuple[TableRow, ...]
    range_areas: Mapping[str, Decimal]
    repeated: Mapping[str, float]
    slivers: Mapping[str, SliverReport]
    pieces: FeatureSet | None = None

    @property
    def repeated_m2(self) -> dict[str, Decimal]:
        """`repeated`, each rounded to 0.01 m²."""
        return {key: rounded_m2(area) for key, area in self.repeated.items()}

    @property
    def total_m2(self) -> Decimal:
        """All ranges together, each place once; equals the sum of the rows."""
        return sum_m2(self.range_areas.values())

    def by_class(self, layer: int = 0) -> dict[str, Decimal]:
        """Area by class of a layer; the empty class is what the layer does not cover."""
        return self.summed(lambda row: row.classes[layer])

    def by_range(self, layer: int = 0) -> dict[str, dict[str, Decimal]]:
        """For each range the area by class of a layer."""
        found = self.summed(lambda row: (row.range_key, row.classes[layer]))
        made: dict[str, dict[str, Decimal]] = {}
        for (key, value), area in found.items():
            made.setdefault(key, {})[value] = area
        return made

    def by_district(self) -> dict[str, Decimal]:
        """Area by district code; empty where neither range nor layer names one."""
        return self.summed(lambda row: row.district_code)

    def residual_m2(self, layer: int = 0) -> Decimal:
        """What a layer does not cover."""
        return self.by_class(layer).get("", Decimal("0.00"))

    def summed(self, key: Callable[[TableRow], Any]) -> dict[Any, Decimal]:
        """Exact sums of the rows by any key, keys in order."""
        sums: defaultdict[Any, Decimal] = defaultdict(lambda: Decimal("0.00"))
        for row in self.rows:
            sums[key(row)] += row.area_m2
        return dict(sorted(sums.items()))


Watch = Callable[[int, str], None]


def overlay_table(
    ranges: FeatureSet,
    layers: Sequence[OverlayLayer],
    *,
    slivers: SliverRule | None = None,
    registered_m2: Mapping[str, Decimal] | None = None,
    keeps_pieces: bool = False,
    watch: Watch = lambda done, doing: None,
) -> OverlayTable:
    """Overlay many ranges with one or several layers in one pass.

    Ranges and features are sound polygons in EPSG:4490 (InvalidGeometry or CrsMismatch by key otherwise). `registered_m2`
    gives areas by range key that the parts are adjusted to. `watch` is told how many layers are done.
    """
    require_sound_set(ranges)
    single, repeated = disjoint(ranges)
    found = table_of_disjoint(single, layers, slivers, range_areas(single, registered_m2 or {}), keeps_pieces, watch)
    return replace(found, repeated={"": repeated, **found.repeated})


def table_of_disjoint(
    ranges: FeatureSet, layers: Sequence[OverlayLayer], slivers: SliverRule | None, areas: Mapping[str, Decimal], keeps_pieces: bool,
    watch: Watch | None = None,
) -> OverlayTable:  # fmt: skip
    """The table of sound ranges that share no place, each adjusted to its area in `areas`."""
    repeated, reports, parts = {}, {}, _Parts.of(ranges)
    for place, layer in enumerate(layers):
        if watch is not None:
            watch(place, layer.key)
        near = near_features(layer.features, ranges)
        require_sound_set(near)
        single, twice = disjoint(near, _order(near, layer))
        cut = _without_noise(cut_apart(parts.pieces, single))
        repeated[layer.key] = _repeated_within(parts.pieces, near, single) if twice else 0.0
        if slivers is not None:
            cut, reports[layer.key] = handle_slivers(cut, slivers, keeps_place=True)
        parts = parts.cut(cut, layer.by)
    if watch is not None:
        watch(len(layers), "")
    keys = tuple(layer.key for layer in layers)
    return OverlayTable(keys, _rows(parts, ranges, areas), areas, repeated, reports, parts.as_features(ranges, keys) if keeps_pieces else None)


def _repeated_within(parts: FeatureSet, before: FeatureSet, after: FeatureSet) -> float:
    """What of the parts features that overlap each other would have covered twice."""
    changed = numpy.flatnonzero(before.geometries != after.geometries)
    return float(sound_intersection(parts, before.taken(changed)).areas.sum() - sound_intersection(parts, after.taken(changed)).areas.sum())


@dataclass(frozen=True)
class _Parts:
    """The ranges as cut so far: pieces, and for each its range's row, its district, and its classes."""

    pieces: FeatureSet
    owners: numpy.ndarray
    districts: tuple[str, ...]
    classes: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, ranges: FeatureSet) -> "_Parts":
        rows = numpy.flatnonzero(~shapely.is_empty(ranges.geometries))
        own = ranges.classes(DISTRICT)
        return cls(ranges.taken(rows), rows, tuple(own[row] for row in rows), ((),) * len(rows))

    def cut(self, cut: Pieces, by: str) -> "_Parts":
        values, districts = cut.right.classes(by), cut.right.classes(DISTRICT)
        left, right = cut.left_rows.tolist(), cut.right_rows.tolist()
        pieces = FeatureSet(tuple(self.pieces.keys[row] for row in left), cut.geometries, tuple(self.pieces.attributes[row] for row in left))
        named = tuple(self.districts[row] or (districts[met] if met != NONE else "") for row, met in zip(left, right, strict=True))
        classes = tuple(
            (*self.classes[row], values[met] if met != NONE else "") for row, met in zip(left, right, strict=True)
        )
        return _Parts(pieces, self.owners[cut.left_rows], named, classes)

    def as_features(self, ranges: FeatureSet, layer_keys: tuple[str, ...]) -> FeatureSet:
        """One feature for each range, district and combination of classes, with the pieces merged."""
        groups: dict[tuple[int, str, tuple[str, ...]], list[int]] = {}
        for place, group in enumerate(zip(self.owners.tolist(), self.districts, self.classes, strict=True)):
            groups.setdefault(group, []).append(place)
        order, geometries = sorted(groups), numpy.empty(len(groups), dtype=object)
        for place, group in enumerate(order):
            found = self.pieces.geometries[groups[group]]
            geometries[place] = shapely.union_all(found) if len(found) > 1 else found[0]
        keys = tuple(ranges.keys[owner] for owner, _district, _classes in order)
        attributes = tuple({DISTRICT: district, **dict(zip(layer_keys, classes, strict=True))} for _owner, district, classes in order)
        return FeatureSet(keys, geometries, attributes)


def near_features(features: FeatureSet, ranges: FeatureSet) -> FeatureSet:
    """The features that a range meets; those elsewhere are neither judged nor cut."""
    if len(features) > len(ranges):
        _ours, met = features.tree.query(ranges.geometries, predicate="intersects")
    else:
        met, _ours = ranges.tree.query(features.geometries, predicate="intersects")
    return features.taken(numpy.unique(met))


def _order(features: FeatureSet, layer: OverlayLayer) -> list[int]:
    rank = {value: place for place, value in enumerate(layer.priority)}
    classes = features.classes(layer.by)
    return sorted(range(len(features)), key=lambda row: (rank.get(classes[row], len(rank)), features.keys[row]))


def _without_noise(pieces: Pieces) -> Pieces:
    left_over = pieces.right_rows == NONE
    kept = ~left_over
    kept[left_over] = areas_of(pieces.geometries[left_over]) >= NOISE_M2
    return pieces.taken(kept)


def range_areas(ranges: FeatureSet, registered_m2: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """The area that the rows of each range add up to: the registered one, else its own rounded once."""
    return {
        key: registered_m2.get(key, rounded_m2(area)) for key, area in zip(ranges.keys, ranges.areas.tolist(), strict=True)
    }


def _rows(parts: _Parts, ranges: FeatureSet, areas: Mapping[str, Decimal]) -> tuple[TableRow, ...]:
    sums: defaultdict[int, defaultdict[tuple[str, tuple[str, ...]], float]] = defaultdict(lambda: defaultdict(float))
    exact = areas_of(parts.pieces.geometries).tolist()
    for owner, district, classes, area in zip(parts.owners.tolist(), parts.districts, parts.classes, exact, strict=True):
        sums[owner][district, classes] += area
    rows = []
    for owner in sorted(sums):
        key, groups = ranges.keys[owner], sorted(sums[owner])
        shares = adjusted([sums[owner][group] for group in groups], areas[key])
        rows += [TableRow(key, *group, area) for group, area in zip(groups, shares, strict=True) if area]
    return tuple(rows)
