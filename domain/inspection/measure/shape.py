"""Faults of single geometries: validity, vertices, edges, angles, width, parts and area; on arrays, never row by row."""

from collections.abc import Iterator

import numpy
import shapely

from domain.geometry import fault_of
from domain.inspection.scheme import UNITS
from domain.inspection.subject import Candidate, InspectedLayer, Subject, number_of, rounded

_CROSSINGS = ("Self-intersection", "Ring Self-intersection")


def empty(subject: Subject) -> Iterator[Candidate]:
    """Rows without geometry."""
    for layer in subject.spatial():
        yield from (Candidate("empty", layer.name, {}, int(row)) for row in numpy.flatnonzero(layer.is_empty))


def validity(subject: Subject) -> Iterator[Candidate]:
    """Geometries that are not valid under OGC rules for another reason than a crossing, with reason and place."""
    yield from _invalid(subject, "validity", crossing=False)


def self_crossing(subject: Subject) -> Iterator[Candidate]:
    """Boundaries that cross or touch themselves, with the place."""
    yield from _invalid(subject, "self_crossing", crossing=True)


def _invalid(subject: Subject, check: str, crossing: bool) -> Iterator[Candidate]:
    for layer in subject.spatial():
        for row in numpy.flatnonzero(~layer.is_valid):
            geometry = layer.geometries[row]
            if shapely.is_valid_reason(geometry).startswith(_CROSSINGS) is crossing:
                fault = fault_of(geometry)
                yield Candidate(check, layer.name, {"reason": fault.reason}, int(row), x=fault.x, y=fault.y)


def repeated_point(subject: Subject) -> Iterator[Candidate]:
    """Vertices at the very place of the one before: one candidate a feature, with their number and the first place."""
    for layer in subject.spatial():
        coordinates, ring, row = layer.vertices
        same = (ring[1:] == ring[:-1]) & (coordinates[1:] == coordinates[:-1]).all(axis=1)
        yield from _first_places(layer, "repeated_point", row[1:][same], coordinates[1:][same], None)


def short_edge(subject: Subject) -> Iterator[Candidate]:
    """Edges up to twice the parameter `short_edge_m`, the shortest of each feature; rules draw the line."""
    for layer in subject.spatial():
        row, ends, length = layer.edges
        short = (length > 0) & (length <= 2 * subject.limit("short_edge_m"))
        yield from _first_places(layer, "short_edge", row[short], ends[short][:, :2], length[short])


def _first_places(layer: InspectedLayer, check: str, rows, places, lengths) -> Iterator[Candidate]:
    """One candidate for each row: how many, and the place of the first or of the shortest."""
    order = numpy.lexsort((numpy.arange(len(rows)) if lengths is None else lengths, rows))
    unique, first, counts = numpy.unique(rows[order], return_index=True, return_counts=True)
    for row, at, count in zip(unique, order[first], counts, strict=True):
        facts = {"piece_count": int(count)} | ({} if lengths is None else {"length_m": rounded(lengths[at], 3)})
        yield Candidate(check, layer.name, facts, int(row), x=float(places[at][0]), y=float(places[at][1]))


def spike(subject: Subject) -> Iterator[Candidate]:
    """Vertices with an angle up to twice `spike_angle` degrees between edges: the sharpest of each feature.

    `length_m` is the shorter of its two edges: a spike is long and sharp.
    """
    for layer in subject.spatial():
        row, place, angle, length = _angles(layer)
        sharp = angle <= 2 * subject.limit("spike_angle")
        order = numpy.lexsort((angle[sharp], row[sharp]))
        unique, first = numpy.unique(row[sharp][order], return_index=True)
        for which, at in zip(unique, numpy.flatnonzero(sharp)[order[first]], strict=True):
            facts = {"angle": rounded(angle[at]), "length_m": rounded(length[at], 3)}
            yield Candidate("spike", layer.name, facts, int(which), x=float(place[at][0]), y=float(place[at][1]))


def _angles(layer: InspectedLayer) -> tuple[numpy.ndarray, ...]:
    """Row, place, angle in degrees and shorter edge in metres of every vertex of every ring, repeated ones left out."""
    coordinates, ring, row = layer.vertices
    moved = numpy.concatenate([[True], (ring[1:] != ring[:-1]) | (coordinates[1:] != coordinates[:-1]).any(axis=1)])[: len(ring)]
    coordinates, ring, row = coordinates[moved], ring[moved], row[moved]
    _, start, count = numpy.unique(ring, return_index=True, return_counts=True)
    last = numpy.zeros(len(ring), dtype=bool)
    last[start + count - 1] = True
    here = numpy.flatnonzero(~last)
    before = here - 1
    before[numpy.isin(here, start)] = (start + count - 2)[count > 1]
    incoming = layer.metres(coordinates[here], coordinates[before])
    outgoing = layer.metres(coordinates[here], coordinates[here + 1])
    sizes = numpy.hypot(*incoming.T), numpy.hypot(*outgoing.T)
    cross = incoming[:, 0] * outgoing[:, 1] - incoming[:, 1] * outgoing[:, 0]
    angle = numpy.degrees(numpy.abs(numpy.arctan2(cross, (incoming * outgoing).sum(axis=1))))
    return row[here], coordinates[here], angle, numpy.minimum(*sizes)


def sliver(subject: Subject) -> Iterator[Candidate]:
    """Polygons of a mean width (twice the area by the perimeter) up to twice `sliver_width_m`; `ratio` is 4πA/P²."""
    for layer in subject.spatial():
        rows = layer.polygons
        area, length = layer.areas_m2[rows], layer.perimeters_m[rows]
        width, ratio = 2 * area / length, 4 * numpy.pi * area / length**2
        for at in numpy.flatnonzero(width <= 2 * subject.limit("sliver_width_m")):
            point = shapely.point_on_surface(layer.geometries[rows[at]])
            facts = {"width_m": rounded(width[at], 3), "ratio": rounded(ratio[at], 2)}
            yield Candidate("sliver", layer.name, facts, int(rows[at]), x=point.x, y=point.y)


def multipart(subject: Subject) -> Iterator[Candidate]:
    """Features of more than one part."""
    for layer in subject.spatial():
        parts = shapely.get_num_geometries(layer.geometries)
        for row in numpy.flatnonzero(parts > 1):
            yield Candidate("multipart", layer.name, {"piece_count": int(parts[row])}, int(row))


def small_area(subject: Subject) -> Iterator[Candidate]:
    """Polygons of an area up to twice `smallest_area_m2`."""
    for layer in subject.spatial():
        rows = layer.polygons
        for row in rows[layer.areas_m2[rows] <= 2 * subject.limit("smallest_area_m2")]:
            yield Candidate("small_area", layer.name, {"area_m2": rounded(layer.areas_m2[row])}, int(row))


def area_value(subject: Subject) -> Iterator[Candidate]:
    """Areas written in a field that differ from the ellipsoidal one (plane area is not taken: the standards ask for this)."""
    for layer in subject.spatial():
        column = layer.column(layer.spec.area_field) if layer.spec.area_field else None
        if column is None or layer.system is None:
            continue
        for row in layer.polygons:
            stated, computed = number_of(column[row]), rounded(layer.areas_m2[row])
            if stated is None:
                continue
            difference = abs(stated * UNITS[layer.spec.area_unit] - computed)
            if difference > 0:
                yield _area_candidate(layer, int(row), column[row], computed, difference)


def _area_candidate(layer: InspectedLayer, row: int, stated, computed, difference) -> Candidate:
    share = rounded(100 * difference / computed, 4) if computed else rounded(100, 4)
    facts = {"difference_m2": rounded(difference), "share": share, "area_m2": computed, "actual": str(stated), "field": layer.spec.area_field}
    return Candidate("area_value", layer.name, facts, row, layer.spec.area_field, str(stated))


MEASURES = {
    "empty": empty, "validity": validity, "self_crossing": self_crossing, "repeated_point": repeated_point, "short_edge": short_edge,
    "spike": spike, "sliver": sliver, "multipart": multipart, "small_area": small_area, "area_value": area_value,
}  # fmt: skip
