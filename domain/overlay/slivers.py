"""Slivers: pieces too small or too narrow to be meant, and the one rule by which they are handled.

A sliver is a piece whose area is below `area_m2` and whose mean width (twice the area by the perimeter) is below
`width_m`; a limit of None is not asked. Given to a neighbour: within the same left feature, so that every feature keeps
its area, to the piece with the longest common edge that is no sliver itself (of equal ones the first); slivers that meet
only slivers follow in a next round, and one without any neighbour stays. Dropped: left out and reported, the area is part
of the residual. Nothing is handled without being listed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy
import shapely

from domain.area import rounded_m2, sum_m2
from domain.errors import InvalidData
from domain.overlay.lengths import lengths_m
from domain.overlay.operations import NONE, Pieces, polygonal

GIVE, DROP, KEEP = "neighbour", "drop", "keep"


@dataclass(frozen=True, slots=True)
class SliverRule:
    """The limits and what is done: neighbour | drop | keep (only reported)."""

    area_m2: Decimal | None = Decimal("1.00")
    width_m: Decimal | None = Decimal("0.10")
    treatment: str = GIVE

    def __post_init__(self) -> None:
        if self.treatment not in (GIVE, DROP, KEEP) or (self.area_m2 is None and self.width_m is None):
            raise InvalidData("碎面规则应写明面积或宽度上限，处理方式为：并入相邻、舍去或保留。请补全后再叠加。")


@dataclass(frozen=True, slots=True)
class Sliver:
    """One sliver: the keys of both sides, its area and mean width, what was done, and the right key that received it."""

    left_key: str
    right_key: str
    area_m2: Decimal
    width_m: Decimal
    treatment: str
    given_to: str = ""


@dataclass(frozen=True, slots=True)
class SliverReport:
    """Every sliver that was found."""

    slivers: tuple[Sliver, ...]

    def area_of(self, treatment: str) -> Decimal:
        """The area of those that were treated so."""
        return sum_m2(each.area_m2 for each in self.slivers if each.treatment == treatment)


def handle_slivers(pieces: Pieces, rule: SliverRule, *, keeps_place: bool = False) -> tuple[Pieces, SliverReport]:
    """The pieces after the rule, and what it did.

    `keeps_place`: a dropped piece stays as a place of its left feature where the right has nothing, for tables that close.
    """
    widths = widths_m(pieces)
    found = numpy.ones(len(pieces), dtype=bool)
    if rule.area_m2 is not None:
        found &= pieces.areas < float(rule.area_m2)
    if rule.width_m is not None:
        found &= widths < float(rule.width_m)
    places = numpy.flatnonzero(found)
    if rule.treatment == GIVE:
        receivers = _receivers(pieces, places)
        made = _merged(pieces, receivers)
    else:
        receivers, made = {}, pieces
    if rule.treatment == DROP:
        made = _without_right(pieces, found) if keeps_place else pieces.taken(~found)
    return made, SliverReport(tuple(_listed(pieces, place, widths, rule, receivers) for place in places.tolist()))


def widths_m(pieces: Pieces) -> numpy.ndarray:
    """Mean width of each piece in metres: twice the area by the perimeter."""
    around = lengths_m(pieces.geometries)
    return numpy.divide(2 * pieces.areas, around, out=numpy.zeros(len(pieces)), where=around > 0)


def _without_right(pieces: Pieces, dropped: numpy.ndarray) -> Pieces:
    right_rows = numpy.where(dropped, NONE, pieces.right_rows)
    return Pieces(pieces.left, pieces.right, pieces.left_rows, right_rows, pieces.geometries)


def _listed(pieces: Pieces, place: int, widths: numpy.ndarray, rule: SliverRule, receivers: dict[int, int]) -> Sliver:
    left, right = pieces.keys(place)
    receiver = receivers.get(place)
    treatment = KEEP if rule.treatment == GIVE and receiver is None else rule.treatment
    given_to = pieces.keys(receiver)[1] if receiver is not None else ""
    return Sliver(left, right, rounded_m2(pieces.areas[place]), rounded_m2(widths[place]), treatment, given_to)


def _receivers(pieces: Pieces, places: numpy.ndarray) -> dict[int, int]:
    """The piece that receives each sliver, in rounds from the pieces that are none."""
    edges = list(_common_edges(pieces, places))
    slivers, receivers = set(places.tolist()), {}
    while True:
        found: dict[int, tuple[float, int]] = {}
        for sliver, other, length in edges:
            if sliver in receivers or (other in slivers and other not in receivers):
                continue
            target = receivers.get(other, other)
            best = found.get(sliver)
            if best is None or (length, -target) > (best[0], -best[1]):
                found[sliver] = (length, target)
        if not found:
            return receivers
        receivers |= {sliver: target for sliver, (_length, target) in found.items()}


def _common_edges(pieces: Pieces, places: numpy.ndarray) -> Iterator[tuple[int, int, float]]:
    """Each sliver, each other piece of its left feature that it has an edge in common with, and the metres of it."""
    tree = shapely.STRtree(pieces.geometries)
    mine, others = tree.query(pieces.geometries[places], predicate="intersects")
    slivers = places[mine]
    same = (pieces.left_rows[slivers] == pieces.left_rows[others]) & (slivers != others) & (pieces.left_rows[slivers] >= 0)
    slivers, others = slivers[same], others[same]
    common = shapely.intersection(shapely.boundary(pieces.geometries[slivers]), shapely.boundary(pieces.geometries[others]))
    lengths = lengths_m(common)
    for place in numpy.flatnonzero(lengths > 0).tolist():
        yield int(slivers[place]), int(others[place]), float(lengths[place])


def _merged(pieces: Pieces, receivers: dict[int, int]) -> Pieces:
    gifts: dict[int, list[int]] = {}
    for sliver, receiver in receivers.items():
        gifts.setdefault(receiver, []).append(sliver)
    geometries = pieces.geometries.copy()
    for receiver, given in gifts.items():
        geometries[receiver] = polygonal(numpy.array([shapely.union_all(pieces.geometries[[receiver, *given]])], dtype=object))[0]
    kept = numpy.ones(len(pieces), dtype=bool)
    kept[list(receivers)] = False
    return Pieces(pieces.left, pieces.right, pieces.left_rows, pieces.right_rows, geometries).taken(kept)
