"""Two states of layers compared: patches of difference and a table of class changes that closes.

Compared are two editions of one layer, or two layers, in a district, in a polygon, or everywhere the actor may look. Every
place that either side covers falls in exactly one pair of classes (from, to); where a side has nothing, its class is empty.
Where features of a side overlap, the smaller key has the place. Sides whose features are classed by the same field (two
editions always are) differ where their classes differ; other sides differ where only one of them covers a place.

A patch of difference is a connected place of one district and one pair of classes. Sliver rule: a part below 1.00 m² whose
mean width is below 0.10 m, or that rounds to 0.00 m², is what is left where the same edge was drawn twice: it counts as
unchanged under its first class, and how many there were and their area are told. Rounding rule: each patch is rounded once
to 0.01 m², each class pair without difference once, and every total is a sum of those: list, table and totals agree.

Memory is bounded: features are taken cell by cell (comparison_cell.py), each wholly in one cell, so that none is cut.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy
import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session, select

from domain.actor import Actor
from domain.area import rounded_m2, sum_m2, unrounded_areas_m2
from domain.errors import InvalidData, NotFound
from domain.geometry import require_polygons
from domain.layer import catalogue
from domain.layer.comparison_cell import Found, Sources, cells, compare_cell
from domain.layer.definition import layer_definition
from domain.layer.reading import edition_on, find_edition
from domain.layer.tables import Layer, LayerEdition
from domain.overlay import FeatureSet, SliverRule, handle_slivers
from domain.overlay.operations import NONE, Pieces

SLIVERS = SliverRule(Decimal("1.00"), Decimal("0.10"), "drop")
MOST_PATCHES = 100_000
Watch = Callable[[int, int], None]


class NothingComparable(InvalidData):
    """The two sides have no place in common in the area that was asked for."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side: a layer in the edition of a number, or in force on a day; without both the latest."""

    layer: str
    edition: int | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """Where: the features of a district, and what of them lies in a polygon (EPSG:4490); empty for everywhere."""

    district: str = ""
    polygon: BaseGeometry | None = None


EVERYWHERE = Extent()


@dataclass(frozen=True, slots=True)
class SideUsed:
    """The edition that a side was."""

    layer: str
    edition: int
    token: str
    effective_on: date

    @property
    def title(self) -> str:
        """The title of the layer."""
        return layer_definition(self.layer).title


@dataclass(frozen=True, slots=True)
class Patch:
    """A connected place where the sides differ: its number from 1, district, classes (empty: nothing there), m², geometry."""

    number: int
    district_code: str
    before_class: str
    after_class: str
    area_m2: Decimal
    geometry: shapely.Polygon


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class: its area before and after, what of it stayed, what it lost and what it gained, in m²."""

    class_code: str
    before_m2: Decimal
    after_m2: Decimal
    kept_m2: Decimal

    @property
    def lost_m2(self) -> Decimal:
        """What was of the class and is no more."""
        return self.before_m2 - self.kept_m2

    @property
    def gained_m2(self) -> Decimal:
        """What was not of the class and is now."""
        return self.after_m2 - self.kept_m2

    @property
    def change_m2(self) -> Decimal:
        """After less before."""
        return self.after_m2 - self.before_m2


@dataclass(frozen=True)
class Comparison:
    """The result. `table` has the m² of every pair of classes that occurs (empty class: that side has nothing there)."""

    before: SideUsed
    after: SideUsed
    is_classed_alike: bool
    patches: tuple[Patch, ...]
    table: Mapping[tuple[str, str], Decimal]
    sliver_count: int = 0
    sliver_m2: Decimal = Decimal("0.00")

    @cached_property
    def changed_m2(self) -> Decimal:
        """The patches together."""
        return sum_m2(each.area_m2 for each in self.patches)

    @cached_property
    def total_m2(self) -> Decimal:
        """Every place that either side covers."""
        return sum_m2(self.table.values())

    @property
    def unchanged_m2(self) -> Decimal:
        """Where the sides do not differ."""
        return self.total_m2 - self.changed_m2

    def before_m2(self, class_code: str | None = None) -> Decimal:
        """What the first side covers, or one class of it."""
        return sum_m2(area for (value, _), area in self.table.items() if (value if class_code is None else value == class_code))

    def after_m2(self, class_code: str | None = None) -> Decimal:
        """What the second side covers, or one class of it."""
        return sum_m2(area for (_, value), area in self.table.items() if (value if class_code is None else value == class_code))

    @cached_property
    def classes(self) -> tuple[ClassRow, ...]:
        """Each class in order; the empty one, what a side does not cover, is none."""
        found = sorted({value for pair in self.table for value in pair} - {""})
        zero = Decimal("0.00")
        return tuple(ClassRow(each, self.before_m2(each), self.after_m2(each), self.table.get((each, each), zero)) for each in found)

    @cached_property
    def changes(self) -> tuple[tuple[str, str, int, Decimal], ...]:
        """Each pair of classes that patches have, with how many and their m²; the largest first."""
        found: dict[tuple[str, str], list[Decimal]] = defaultdict(list)
        for each in self.patches:
            found[each.before_class, each.after_class].append(each.area_m2)
        rows = [(*pair, len(areas), sum_m2(areas)) for pair, areas in found.items()]
        return tuple(sorted(rows, key=lambda row: (-row[3], row[:2])))


@dataclass(frozen=True)
class Plan:
    """What is to be compared, read and permitted, before anything is computed; `size` is how many features it takes."""

    sources: Sources
    before: SideUsed
    after: SideUsed
    boxes: numpy.ndarray = field(repr=False)

    @property
    def size(self) -> int:
        """How many features are to be read."""
        return len(self.boxes)


def plan(session: Session, actor: Actor, before: Side, after: Side, extent: Extent = EVERYWHERE, level: int = 0) -> Plan:
    """What a comparison would take. `level`: classes are told apart by so many first characters (0: by all).

    Raises NotFound for a layer or edition that there is not, NotAllowed for a layer that the actor may not open, InvalidData
    for two sides that are the same or an unfit polygon, NothingComparable if one side has nothing there.
    """
    if extent.polygon is not None:
        require_polygons(extent.polygon)
    for each in (before, after):
        if layer_definition(each.layer).geometry != "polygon":
            raise InvalidData(f"图层“{layer_definition(each.layer).title}”不是面，没有面积可比。请选面图层。", {"after": "请选面图层"})
    first, second = (edition_of(session, each) for each in (before, after))
    if first.id == second.id:
        raise InvalidData("两期是同一个版本，没有可比的。请选两个不同的时点，或两个图层。", {"after": "请选另一个时点或图层"})
    districts = tuple(_districts(actor, each.layer, extent.district) for each in (before, after))
    is_alike = layer_definition(before.layer).class_field == layer_definition(after.layer).class_field
    sources = Sources(first, second, *districts, extent.polygon, level, is_alike)
    boxes, counts = cells(session, sources)
    for side, edition, count in zip((before, after), (first, second), counts, strict=True):
        if not count:
            raise NothingComparable(
                f"无可比范围：图层“{layer_definition(side.layer).title}”{edition.effective_on:%Y-%m-%d} 版在所选范围内没有要素。"
                "请换一个范围或时点。"
            )
    return Plan(sources, _used(before, first), _used(after, second), boxes)


def compare(session: Session, planned: Plan, watch: Watch = lambda done, total: None) -> Comparison:
    """Compute what was planned; `watch` is told how many features of how many are done, and may raise to end it.

    Raises NothingComparable if the sides do not meet, InvalidData for more than `MOST_PATCHES` patches.
    """
    found, done = Found(), 0
    for members in planned.sources.cells_of(planned.boxes):
        compare_cell(session, planned.sources, members, found)
        done += len(members)
        watch(done, planned.size)
    if found.common_m2 < float(SLIVERS.area_m2 or 0):
        raise NothingComparable("无可比范围：所选的两期或两类数据在这个范围内没有相交的地方。请换一个范围，或另选数据。")
    return _result(planned, found)


def edition_of(session: Session, side: Side) -> LayerEdition:
    """The edition of a side. Raises NotFound."""
    if side.edition is None:
        return edition_on(session, side.layer, side.on)
    found = find_edition(session, side.layer, side.edition)
    if found is None:
        raise NotFound(f"图层“{layer_definition(side.layer).title}”没有第 {side.edition} 版。请从版本列表中选择。")
    return found


def editions(session: Session, keys: Collection[str]) -> dict[str, list[LayerEdition]]:
    """The editions of each of these layers, the newest first, in one statement; none for a layer without data."""
    found: dict[str, list[LayerEdition]] = {key: [] for key in keys}
    statement = select(Layer.key, LayerEdition).join(Layer, Layer.id == LayerEdition.layer_id).where(Layer.key.in_(sorted(found)))
    for key, edition in session.exec(statement.order_by(LayerEdition.number.desc())).all():
        found[key].append(edition)
    return found


def _districts(actor: Actor, layer_key: str, wanted: str) -> frozenset[str] | None:
    allowed = catalogue.districts_of(actor, layer_key)
    if not wanted:
        return allowed
    return frozenset({wanted}) if allowed is None else allowed & {wanted}


def _used(side: Side, edition: LayerEdition) -> SideUsed:
    return SideUsed(side.layer, edition.number, edition.token, edition.effective_on)


def _result(planned: Plan, found: Found) -> Comparison:
    parts, owners = _connected(found)
    areas = unrounded_areas_m2(parts)
    kept = _meant(parts, areas)
    table: dict[tuple[str, str], float] = defaultdict(float, found.same)
    for place in numpy.flatnonzero(~kept).tolist():
        _district, before, after = owners[place]
        pair = (before or after, before or after) if planned.sources.is_classed_alike else (before, after)
        table[pair] += float(areas[place])
    closed = defaultdict(lambda: Decimal("0.00"), {pair: rounded_m2(area) for pair, area in table.items()})
    patches = _patches(parts[kept], [owners[place] for place in numpy.flatnonzero(kept)], areas[kept])
    for each in patches:
        closed[each.before_class, each.after_class] += each.area_m2
    pairs = {pair: closed[pair] for pair in sorted(closed) if closed[pair]}
    slivers = rounded_m2(float(areas[~kept].sum()))
    return Comparison(planned.before, planned.after, planned.sources.is_classed_alike, patches, pairs, int((~kept).sum()), slivers)


def _connected(found: Found) -> tuple[numpy.ndarray, list[tuple[str, str, str]]]:
    """The connected parts of every district and pair of classes, and whose they are."""
    groups = sorted(found.different)
    merged = [shapely.union_all(found.different[group]) for group in groups]
    parts, owner = shapely.get_parts(numpy.array(merged, dtype=object), return_index=True)
    if len(parts) > MOST_PATCHES:
        raise InvalidData(f"差异图斑有 {len(parts):,} 个，一次最多列出 {MOST_PATCHES:,} 个。请按行政区分次对比。")
    return parts, [groups[place] for place in owner.tolist()]


def _meant(parts: numpy.ndarray, areas: numpy.ndarray) -> numpy.ndarray:
    """Which parts are patches, by the sliver rule."""
    bare = FeatureSet.without_attributes(parts)
    pieces = Pieces(bare, bare, numpy.arange(len(parts)), numpy.full(len(parts), NONE), parts)
    _left, report = handle_slivers(pieces, SLIVERS)
    kept = areas >= float(Decimal("0.005"))
    kept[[int(each.left_key) - 1 for each in report.slivers]] = False
    return kept


def _patches(parts: numpy.ndarray, owners: list[tuple[str, str, str]], areas: numpy.ndarray) -> tuple[Patch, ...]:
    """Numbered by district, the largest first."""
    bounds, rounded = shapely.bounds(parts).tolist(), [rounded_m2(area) for area in areas]
    order = sorted(range(len(parts)), key=lambda place: (owners[place][0], -rounded[place], bounds[place]))
    return tuple(Patch(number, *owners[place], rounded[place], parts[place]) for number, place in enumerate(order, start=1))
