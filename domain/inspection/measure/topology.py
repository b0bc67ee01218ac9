"""How the polygons of a layer, or of two, lie to one another.

Only valid polygons are compared, and of equal ones the first: an invalid or repeated geometry is told by its own check.
A gap is a part of the plane that a layer encloses and no polygon covers. Its facts say between how many features it
lies, whether the layer is one that fills its extent (only then is a hole within a single feature a gap), and whether an
invalid feature stands beside it (then it may be of its making); rules decide.
"""

from collections.abc import Iterator

import numpy
import shapely

from domain.inspection.arrangement import Arrangement, interiors_meet
from domain.inspection.subject import Candidate, InspectedLayer, Subject, rounded


def repeated(subject: Subject) -> Iterator[Candidate]:
    """Geometries equal to one before, wherever their rings begin and whichever way they run."""
    for layer in subject.spatial():
        for row, first in sorted(_repeats(subject, layer).items()):
            point = shapely.point_on_surface(shapely.make_valid(layer.geometries[row]))
            yield Candidate("repeated", layer.name, {"other": _named(layer, first)}, row, x=point.x, y=point.y)


def _named(layer: InspectedLayer, row: int) -> str:
    key = layer.key_of(row)
    return f"第 {row + 1} 个要素（{key}）" if key else f"第 {row + 1} 个要素"


def _repeats(subject: Subject, layer: InspectedLayer) -> dict[int, int]:
    """Row of each repeated geometry and the first row equal to it; only those of equal bounds are compared."""
    name = ("repeats", layer.name)
    if name not in subject.shared:
        there = numpy.flatnonzero(~layer.is_empty)
        bounds = shapely.bounds(layer.geometries[there])
        _, group, count = numpy.unique(
            numpy.ascontiguousarray(bounds).view(numpy.dtype((numpy.void, 32))).ravel(), return_inverse=True, return_counts=True
        )
        subject.shared[name] = _equal(layer.geometries, there[count[group] > 1])
    return subject.shared[name]


def _equal(geometries: numpy.ndarray, rows: numpy.ndarray) -> dict[int, int]:
    first: dict[bytes, int] = {}
    found = {}
    blobs = shapely.to_wkb(shapely.normalize(geometries[rows])) if len(rows) else ()
    for row, blob in zip(rows.tolist(), blobs, strict=True):
        if first.setdefault(blob, row) != row:
            found[row] = first[blob]
    return found


def _compared(subject: Subject, layer: InspectedLayer) -> numpy.ndarray:
    """Rows of valid polygons that repeat none before."""
    repeats = _repeats(subject, layer)
    return layer.polygons[~numpy.isin(layer.polygons, list(repeats))]


def _arrangement(subject: Subject, layer: InspectedLayer) -> tuple[Arrangement, numpy.ndarray]:
    name = ("arrangement", layer.name)
    if name not in subject.shared:
        rows = _compared(subject, layer)
        subject.shared[name] = Arrangement(layer.geometries[rows]), rows
    return subject.shared[name]


def _areal(layer: InspectedLayer) -> bool:
    return layer.spec.geometry == "polygon"


def overlap(subject: Subject) -> Iterator[Candidate]:
    """Pairs of polygons of a layer that overlap, with the common part."""
    for layer in filter(_areal, subject.spatial()):
        arrangement, rows = _arrangement(subject, layer)
        first, second = arrangement.overlaps
        common = shapely.intersection(arrangement.polygons[first], arrangement.polygons[second])
        others = [_named(layer, int(row)) for row in rows[first]]
        yield from _common("overlap", layer, rows[second], common, others)


def _common(check: str, layer: InspectedLayer, rows, common: numpy.ndarray, others: list[str]) -> Iterator[Candidate]:
    areas = layer.area_of(common)
    for row, part, area, other in zip(rows, common, areas, others, strict=True):
        shape = _polygonal(part)
        facts = {"area_m2": rounded(area), "width_m": rounded(_width(layer, shape, area), 3), "other": other}
        x, y = _place(shape)
        yield Candidate(check, layer.name, facts, int(row), x=x, y=y, geometry=shape)


def _polygonal(geometry):
    """The polygons of an intersection, without the lines and points in which it also meets."""
    parts = shapely.get_parts(shapely.get_parts([geometry]))
    return shapely.multipolygons(parts[shapely.get_type_id(parts) == 3])


def _place(geometry) -> tuple[float | None, float | None]:
    point = shapely.point_on_surface(geometry)
    return (None, None) if point.is_empty else (point.x, point.y)


def _width(layer: InspectedLayer, geometry, area_m2: float) -> float:
    """Mean width in metres: twice the area by the perimeter."""
    rings = shapely.get_rings(shapely.get_parts([geometry]))
    points, ring = shapely.get_coordinates(rings, return_index=True)
    within = ring[1:] == ring[:-1]
    length = numpy.hypot(*layer.metres(points[:-1][within], points[1:][within]).T).sum() if len(points) else 0.0
    return 2 * area_m2 / length if length else 0.0


def gap(subject: Subject) -> Iterator[Candidate]:
    """Parts of the plane that a layer encloses and does not cover, each with its neighbours."""
    for layer in filter(_areal, subject.spatial()):
        arrangement, rows = _arrangement(subject, layer)
        gaps = arrangement.gaps
        face, near = arrangement.tree.query(gaps, predicate="intersects") if len(gaps) else (numpy.empty(0, dtype=int),) * 2
        beside = _beside_invalid(layer, gaps)
        for number, (shape, area) in enumerate(zip(gaps, layer.area_of(gaps), strict=True)):
            neighbours = numpy.sort(rows[near[face == number]])
            yield _gap("gap", layer, shape, float(area), neighbours, bool(beside[number]))


def _gap(check: str, layer: InspectedLayer, shape, area: float, neighbours: numpy.ndarray, beside: bool) -> Candidate:
    facts = {
        "area_m2": rounded(area), "width_m": rounded(_width(layer, shape, area), 3), "piece_count": len(neighbours),
        "fills_extent": layer.spec.fills, "beside_invalid": beside,
    }  # fmt: skip
    x, y = _place(shape)
    row = int(neighbours[0]) if len(neighbours) else None
    return Candidate(check, layer.name, facts, row, x=x, y=y, geometry=shape)


def _beside_invalid(layer: InspectedLayer, gaps: numpy.ndarray) -> numpy.ndarray:
    """Which gaps touch the outline of a feature that is not valid."""
    bad = numpy.flatnonzero(~layer.is_valid & ~layer.is_empty)
    found = numpy.zeros(len(gaps), dtype=bool)
    if len(bad) and len(gaps):
        outlines = shapely.STRtree(shapely.boundary(layer.geometries[bad]))
        found[outlines.query(gaps, predicate="intersects")[0]] = True
    return found


def _pairs(subject: Subject, kind: str) -> Iterator[tuple[InspectedLayer, InspectedLayer]]:
    """Layers with those that the scheme sets against them, where both are in the package and of one system."""
    for layer in subject.spatial():
        for name in getattr(layer.spec, kind):
            other = subject.layer(name)
            if other is not None and other.layer.system == layer.layer.system:
                yield layer, other


def layer_overlap(subject: Subject) -> Iterator[Candidate]:
    """Polygons of one layer that overlap polygons of another which must keep apart."""
    for layer, other in _pairs(subject, "apart"):
        left, right = layer.polygons, other.polygons
        at, against = shapely.STRtree(other.geometries[right]).query(layer.geometries[left])
        meets = interiors_meet(layer.geometries[left[at]], other.geometries[right[against]])
        at, against = left[at[meets]], right[against[meets]]
        order = numpy.lexsort((against, at))
        common = shapely.intersection(layer.geometries[at[order]], other.geometries[against[order]])
        others = [f"{other.name} {_named(other, int(row))}" for row in against[order]]
        yield from _common("layer_overlap", layer, at[order], common, others)


def layer_gap(subject: Subject) -> Iterator[Candidate]:
    """Parts of the plane that two layers together enclose and do not cover, where they touch both."""
    for layer, other in _pairs(subject, "closes"):
        left, right = _compared(subject, layer), _compared(subject, other)
        arrangement = Arrangement(numpy.concatenate([layer.geometries[left], other.geometries[right]]))
        gaps = arrangement.gaps
        beside = _beside_invalid(layer, gaps) | _beside_invalid(other, gaps)
        for number, (shape, area) in enumerate(zip(gaps, layer.area_of(gaps), strict=True)):
            near = numpy.sort(arrangement.tree.query(shape, predicate="intersects"))
            mine = left[near[near < len(left)]]
            if len(mine) and len(mine) < len(near):
                found = _gap("layer_gap", layer, shape, float(area), mine, bool(beside[number]))
                yield Candidate(
                    found.check, found.layer, found.facts | {"piece_count": len(near), "other": other.name}, found.row,
                    x=found.x, y=found.y, geometry=shape,
                )  # fmt: skip


def outside_layer(subject: Subject) -> Iterator[Candidate]:
    """Features that reach out of the layer in which they must lie; points and lines are in or out."""
    for layer, other in _pairs(subject, "inside"):
        rows = numpy.flatnonzero(layer.is_valid & ~layer.is_empty)
        bodies = other.geometries[other.polygons]
        tree = shapely.STRtree(bodies)
        held = numpy.unique(tree.query(layer.geometries[rows], predicate="covered_by")[0]) if len(rows) else ()
        for row in numpy.delete(rows, held):
            yield from _outside(layer, other, int(row), bodies[tree.query(layer.geometries[row], predicate="intersects")])


def _outside(layer: InspectedLayer, other: InspectedLayer, row: int, bodies: numpy.ndarray) -> Iterator[Candidate]:
    rest = shapely.difference(layer.geometries[row], shapely.union_all(bodies))
    if rest.is_empty:
        return
    is_area = layer.types[row] in (3, 6)
    area = rounded(layer.area_of(numpy.array([rest], dtype=object))[0]) if is_area else rounded(0)
    x, y = _place(rest)
    facts = {"area_m2": area, "is_area": is_area, "other": other.name, "expected": other.spec.alias or other.name}
    yield Candidate("outside_layer", layer.name, facts, row, x=x, y=y, geometry=rest if is_area else None)


MEASURES = {
    "repeated": repeated, "overlap": overlap, "gap": gap, "layer_overlap": layer_overlap, "layer_gap": layer_gap,
    "outside_layer": outside_layer,
}  # fmt: skip
