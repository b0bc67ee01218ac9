"""Many on many: intersection, clip, erase, identity, union, symmetric difference and dissolve.

Every operation takes two sets of sound polygons in EPSG:4490 and gives pieces that know the feature of either side they
come from. A piece is polygonal; a common edge or point is none. The area of the pieces of a feature and of what is left
of it add up to the feature, up to the rounding of doubles (the tests hold 1e-4 m²). Features that overlap
others of their own set yield overlapping pieces, as in every desktop GIS; `disjoint` gives an area to one of them only.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
import shapely

from domain.geometry import InvalidGeometry, multipolygon
from domain.overlay.features import FeatureSet, areas_of, require_sound_set, threaded

NONE = -1
_POLYGON_TYPES = (3, 6)
_INTERIORS_MEET = "T********"
_GRID = 1e-12
"""Degrees, a tenth of a micrometre."""
_AGREES = 1e-13
"""Square degrees, a thousandth of a square metre: ten times what many crossings of long edges leave by rounding. Of large
features `_SHARE` of their own area besides."""
_SHARE = 1e-10
_ROUNDING = 2.0**-45
"""Degrees, three nanometres: how far rounding moves a point at longitudes to 128 (two units in the last place)."""
_NOTHING = shapely.Polygon()


@dataclass(frozen=True)
class Pieces:
    """k pieces: the row of each in the left and in the right set (NONE where that side has no part in it), its geometry."""

    left: FeatureSet
    right: FeatureSet
    left_rows: numpy.ndarray
    right_rows: numpy.ndarray
    geometries: numpy.ndarray

    def __len__(self) -> int:
        return len(self.geometries)

    @cached_property
    def areas(self) -> numpy.ndarray:
        """Ellipsoidal area of each in m², not rounded."""
        return areas_of(self.geometries)

    def attributes(self, piece: int) -> dict[str, Any]:
        """Those of both sides; a name that both have stands for the left, and with `_2` for the right."""
        left = _values(self.left, self.left_rows[piece])
        right = _values(self.right, self.right_rows[piece])
        return {**left, **{f"{name}_2" if name in left else name: value for name, value in right.items()}}

    def keys(self, piece: int) -> tuple[str, str]:
        """The keys of the left and the right feature, empty where there is none."""
        left, right = int(self.left_rows[piece]), int(self.right_rows[piece])
        return (self.left.keys[left] if left != NONE else "", self.right.keys[right] if right != NONE else "")

    def as_features(self) -> FeatureSet:
        """The pieces as features with attributes of both sides, for the next operation; keys are `left+right`."""
        keys = tuple("+".join(filter(None, self.keys(piece))) for piece in range(len(self)))
        return FeatureSet(keys, self.geometries, tuple(self.attributes(piece) for piece in range(len(self))))

    def taken(self, chosen: numpy.ndarray) -> "Pieces":
        """The pieces of these places (or of a mask)."""
        return Pieces(self.left, self.right, self.left_rows[chosen], self.right_rows[chosen], self.geometries[chosen])


def intersection(left: FeatureSet, right: FeatureSet) -> Pieces:
    """What each feature of the left has in common with each of the right. Raises InvalidGeometry, CrsMismatch."""
    _require_sound(left, right)
    return sound_intersection(left, right)


def sound_intersection(left: FeatureSet, right: FeatureSet) -> Pieces:
    """`intersection` of sets that are known to be sound."""
    return _intersection(left, right, *_meeting(left, right))


def clip(left: FeatureSet, right: FeatureSet) -> Pieces:
    """What of each feature of the left lies in the right as a whole; the right gives no attributes."""
    _require_sound(left, right)
    rows, made = _against_all(shapely.intersection, left, right, *_meeting(left, right))
    return _one_sided(left, right, rows, made)


def erase(left: FeatureSet, right: FeatureSet) -> Pieces:
    """What of each feature of the left lies outside of the right (difference)."""
    _require_sound(left, right)
    return _erase(left, right, *_meeting(left, right))


def identity(left: FeatureSet, right: FeatureSet) -> Pieces:
    """The whole left, cut by the right: the intersection and what is left over."""
    _require_sound(left, right)
    return _identity(left, right, *_meeting(left, right))


def cut_apart(left: FeatureSet, right: FeatureSet) -> Pieces:
    """`identity` of sets that are known to be sound (empty ones among them give no piece), where the features of the right
    share no place.

    A feature of the left whose pieces add up to it, but for what rounding of their points can move along their edges, has
    nothing left over: what would be left is not computed. Of a layer that covers everything that is nearly all of the work.
    """
    left_rows, right_rows = _meeting(left, right)
    found = threaded(shapely.intersection, left.geometries[left_rows], right.geometries[right_rows])
    taken, edges = (numpy.bincount(left_rows, weights=each, minlength=len(left)) for each in (shapely.area(found), shapely.length(found)))
    whole = shapely.area(left.geometries)
    is_open = numpy.abs(whole - taken) > _ROUNDING * (edges + shapely.length(left.geometries))
    chosen = is_open[left_rows]
    checked = found[chosen]
    rest = left.with_geometries(numpy.where(is_open, left.geometries, _NOTHING))
    remaining = _erase(rest, right, left_rows[chosen], right_rows[chosen], checked)
    found[chosen] = checked
    return _joined(_kept(Pieces(left, right, left_rows, right_rows, polygonal(found))), remaining)


def union(left: FeatureSet, right: FeatureSet) -> Pieces:
    """Both sets cut by each other: the intersection and what either has alone."""
    _require_sound(left, right)
    left_rows, right_rows = _meeting(left, right)
    return _joined(_identity(left, right, left_rows, right_rows), _swapped(_erase(right, left, right_rows, left_rows)))


def symmetric_difference(left: FeatureSet, right: FeatureSet) -> Pieces:
    """What either set has alone."""
    _require_sound(left, right)
    left_rows, right_rows = _meeting(left, right)
    return _joined(_erase(left, right, left_rows, right_rows), _swapped(_erase(right, left, right_rows, left_rows)))


OPERATIONS: Mapping[str, Callable[[FeatureSet, FeatureSet], Pieces]] = {
    "intersection": intersection, "clip": clip, "erase": erase, "identity": identity, "union": union,
    "symmetric_difference": symmetric_difference,
}  # fmt: skip
"""The operations of two sets by name."""


def dissolve(features: FeatureSet, by: str) -> FeatureSet:
    """One feature for each class of a field: the union of its features, with the class and how many they were."""
    require_sound_set(features)
    rows_of: dict[str, list[int]] = {}
    for row, value in enumerate(features.classes(by)):
        rows_of.setdefault(value, []).append(row)
    values = sorted(rows_of)
    merged = _column([shapely.union_all(features.geometries[rows_of[value]]) for value in values])
    return FeatureSet(tuple(values), polygonal(merged), tuple({by: value, "count": len(rows_of[value])} for value in values))


def disjoint(features: FeatureSet, order: Sequence[int] | numpy.ndarray | None = None) -> tuple[FeatureSet, float]:
    """The set with every place given to one feature only, the first in `order` (rows; by default as they stand), and
    the m² that would have counted twice. Rows and keys stay; a feature wholly covered by earlier ones becomes empty.
    """
    rank = numpy.empty(len(features), dtype=int)
    rank[numpy.arange(len(features)) if order is None else numpy.asarray(order, dtype=int)] = numpy.arange(len(features))
    first, second = features.tree.query(features.geometries)  # by their boxes: whether they meet is asked once, by all threads
    earlier, later = first[rank[first] < rank[second]], second[rank[first] < rank[second]]
    meet = threaded(lambda a, b: shapely.relate_pattern(a, b, _INTERIORS_MEET), features.geometries[earlier], features.geometries[later])
    if not meet.any():
        return features, 0.0
    rows, made = _against_all(shapely.difference, features, features, later[meet], earlier[meet])
    left = features.geometries.copy()
    left[rows] = polygonal(made)
    return features.with_geometries(left), float((features.areas[rows] - areas_of(left[rows])).sum())


def pairs_of(left: FeatureSet, right: FeatureSet) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The rows of left and right that have at least a point in common, by left and right row; without checking soundness."""
    return _meeting(left, right)


def _require_sound(*sets: FeatureSet) -> None:
    for each in sets:
        require_sound_set(each)


def _meeting(left: FeatureSet, right: FeatureSet) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Asks the tree of the larger set with the smaller one."""
    if len(right) > len(left):
        left_rows, right_rows = right.tree.query(left.geometries, predicate="intersects")
    else:
        right_rows, left_rows = left.tree.query(right.geometries, predicate="intersects")
    order = numpy.lexsort((right_rows, left_rows))
    return left_rows[order], right_rows[order]


def _intersection(left: FeatureSet, right: FeatureSet, left_rows: numpy.ndarray, right_rows: numpy.ndarray) -> Pieces:
    found = threaded(shapely.intersection, left.geometries[left_rows], right.geometries[right_rows])
    return _kept(Pieces(left, right, left_rows, right_rows, polygonal(found)))


def _erase(
    left: FeatureSet, right: FeatureSet, left_rows: numpy.ndarray, right_rows: numpy.ndarray, pieces: numpy.ndarray | None = None
) -> Pieces:
    rows, made = _against_all(shapely.difference, left, right, left_rows, right_rows, pieces)
    remaining = left.geometries.copy()
    remaining[rows] = made
    return _one_sided(left, right, numpy.arange(len(left)), remaining)


def _identity(left: FeatureSet, right: FeatureSet, left_rows: numpy.ndarray, right_rows: numpy.ndarray) -> Pieces:
    found = threaded(shapely.intersection, left.geometries[left_rows], right.geometries[right_rows])
    remaining = _erase(left, right, left_rows, right_rows, found)
    return _joined(_kept(Pieces(left, right, left_rows, right_rows, polygonal(found))), remaining)


def _against_all(
    operation: Callable[..., Any], left: FeatureSet, right: FeatureSet, left_rows: numpy.ndarray, right_rows: numpy.ndarray,
    pieces: numpy.ndarray | None = None,
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The rows of the left that are met, and each with all that meets it: its difference from, or intersection with, them.

    `pieces` are the intersections of the pairs where they are known; those that prove wrong are mended in it.

    Edges that nearly coincide can make GEOS answer wrongly (a whole feature for nothing, valid and silent). So what is
    taken away is compared with the pieces taken one by one, and what does not agree is made again on a fine grid, which
    cannot go wrong so. Raises InvalidGeometry by key if even that does not agree.
    """
    order = numpy.argsort(left_rows, kind="stable")
    rows, starts = numpy.unique(left_rows[order], return_index=True)
    if not len(rows):
        return rows, numpy.empty(0, dtype=object)
    sorted_left, sorted_right = left_rows[order], right_rows[order]
    groups = _column(numpy.split(right.geometries[sorted_right], starts[1:]))
    whole = left.geometries[rows]
    made = threaded(lambda ours, met: operation(ours, _column([each[0] if len(each) == 1 else shapely.union_all(each) for each in met])), whole, groups)
    taken = threaded(shapely.intersection, left.geometries[sorted_left], right.geometries[sorted_right]) if pieces is None else pieces[order]
    sums = numpy.add.reduceat(shapely.area(taken), starts)
    ends = numpy.append(starts[1:], len(taken))
    limits = _AGREES + _SHARE * shapely.area(whole)
    for place in numpy.flatnonzero(numpy.abs(_covered(operation, whole, made) - sums) > limits).tolist():
        mine = polygonal(taken[starts[place] : ends[place]])
        if abs(_covered(operation, whole[place], made[place]) - shapely.area(shapely.union_all(mine))) <= limits[place]:
            continue
        fine = polygonal(shapely.intersection(whole[place], groups[place], grid_size=_GRID))
        expected = shapely.area(shapely.union_all(fine, grid_size=_GRID))
        if abs(_covered(operation, whole[place], made[place]) - expected) > limits[place]:
            made[place] = operation(whole[place], shapely.union_all(groups[place], grid_size=_GRID), grid_size=_GRID)
        if abs(_covered(operation, whole[place], made[place]) - expected) > limits[place]:
            raise InvalidGeometry(f"要素 {left.keys[rows[place]]} 与其他要素的边几乎重合，叠加结果核对不上，没有采用。请修正该处的界址点。")
        if pieces is not None:
            pieces[order[starts[place] : ends[place]]] = fine
    return rows, made


def _covered(operation: Callable[..., Any], whole: Any, made: Any) -> Any:
    """Square degrees of the wholes that the other side covers, by what an operation made of them."""
    return shapely.area(made) if operation is shapely.intersection else shapely.area(whole) - shapely.area(made)


def _one_sided(left: FeatureSet, right: FeatureSet, rows: numpy.ndarray, geometries: numpy.ndarray) -> Pieces:
    return _kept(Pieces(left, right, rows, numpy.full(len(rows), NONE), polygonal(geometries)))


def _kept(pieces: Pieces) -> Pieces:
    """Without the empty ones."""
    return pieces.taken(~shapely.is_empty(pieces.geometries))


def _joined(first: Pieces, second: Pieces) -> Pieces:
    columns = [
        numpy.concatenate([getattr(first, name), getattr(second, name)]) for name in ("left_rows", "right_rows", "geometries")
    ]
    return Pieces(first.left, first.right, *columns)


def _swapped(pieces: Pieces) -> Pieces:
    return Pieces(pieces.right, pieces.left, pieces.right_rows, pieces.left_rows, pieces.geometries)


def polygonal(geometries: numpy.ndarray) -> numpy.ndarray:
    """The polygons of each; lines and points are left out."""
    others = ~numpy.isin(shapely.get_type_id(geometries), _POLYGON_TYPES)
    if others.any():
        geometries = geometries.copy()
        geometries[others] = [multipolygon(each) for each in geometries[others]]
    return geometries


def _column(values: Sequence[Any]) -> numpy.ndarray:
    made = numpy.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        made[place] = value
    return made


def _values(features: FeatureSet, row: int) -> Mapping[str, Any]:
    return features.attributes[row] if row != NONE else {}
