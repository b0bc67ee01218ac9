"""Features in columns: keys, geometries and attributes by row, as overlays of many on many need them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import unrounded_areas_m2
from domain.errors import InvalidData
from domain.geometry import InvalidGeometry, require_degrees, require_polygons

THREADS = 2
"""shapely leaves the interpreter free while it works, so two threads use two cores."""

_CHUNK = 4_096
_POLYGONAL = (3, 6)


class OverlayFeature(Protocol):
    """What an overlay needs of a feature: its key and its geometry in EPSG:4490."""

    key: str
    geometry: BaseGeometry


def require_sound(features: Sequence[OverlayFeature]) -> None:
    """Refuse a feature that cannot be measured, by its key; leaving it out would hide its area."""
    for feature in features:
        try:
            require_polygons(feature.geometry)
        except InvalidData as fault:
            raise type(fault)(f"要素 {feature.key} 不能叠加：{fault.message}") from fault


@dataclass(frozen=True)
class FeatureSet:
    """n features: their keys, n geometries in EPSG:4490, and a mapping of attributes for each.

    The geometries may be invalid; the operations refuse those by key (`require_sound_set`), `repaired` mends them.
    """

    keys: tuple[str, ...]
    geometries: numpy.ndarray
    attributes: tuple[Mapping[str, Any], ...]

    @classmethod
    def of(cls, features: Sequence[OverlayFeature]) -> "FeatureSet":
        """The features in their order; fields of their own (district, class, status) are attributes beside the others."""
        return cls(
            tuple(each.key for each in features), _array(each.geometry for each in features), tuple(_attributes(each) for each in features)
        )

    @classmethod
    def without_attributes(cls, geometries: Sequence[Any] | numpy.ndarray) -> "FeatureSet":
        """Bare geometries, keyed by their place from 1."""
        return cls(tuple(str(place + 1) for place in range(len(geometries))), _array(geometries), ({},) * len(geometries))

    def __len__(self) -> int:
        return len(self.keys)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """The search tree, built once."""
        return shapely.STRtree(self.geometries)

    @cached_property
    def areas(self) -> numpy.ndarray:
        """Ellipsoidal area of each in m², not rounded."""
        return areas_of(self.geometries)

    def taken(self, rows: Sequence[int] | numpy.ndarray) -> "FeatureSet":
        """The features of these rows, in this order."""
        rows = numpy.asarray(rows, dtype=int)
        return FeatureSet(
            tuple(self.keys[row] for row in rows), self.geometries[rows], tuple(self.attributes[row] for row in rows)
        )

    def with_geometries(self, geometries: numpy.ndarray) -> "FeatureSet":
        """The same features with other geometries."""
        return FeatureSet(self.keys, geometries, self.attributes)

    def classes(self, by: str) -> list[str]:
        """The class of each by a field; empty text where it has none."""
        return ["" if (value := each.get(by)) is None else str(value) for each in self.attributes]


def require_sound_set(features: FeatureSet) -> None:
    """Refuse what cannot be measured, naming the key of the first: no polygon, empty, invalid, no degrees."""
    found = features.geometries
    sound = numpy.isin(shapely.get_type_id(found), _POLYGONAL) & ~shapely.is_empty(found)
    sound &= threaded(shapely.is_valid, found)
    if sound.all():
        require_degrees(found)
        return
    row = int(numpy.flatnonzero(~sound)[0])
    if found[row] is None:
        raise InvalidGeometry(f"要素 {features.keys[row]} 不能叠加：没有图形。请补充图形，或先去掉这个要素。")
    require_sound([_Bare(features.keys[row], found[row])])


@dataclass(frozen=True)
class _Bare:
    key: str
    geometry: Any


def threaded(work: Callable[..., numpy.ndarray], *columns: numpy.ndarray) -> numpy.ndarray:
    """A function of whole columns, done in chunks by several threads; the answers in order."""
    count = len(columns[0])
    if count <= _CHUNK // 8:
        return work(*columns)
    chunk = min(_CHUNK, max(1, count // (4 * THREADS)))
    parts = [tuple(column[start : start + chunk] for column in columns) for start in range(0, count, chunk)]
    with ThreadPoolExecutor(THREADS) as pool:
        return numpy.concatenate(list(pool.map(lambda part: work(*part), parts)))


def areas_of(geometries: numpy.ndarray) -> numpy.ndarray:
    """Ellipsoidal area of each in m², not rounded, measured by several threads: each the same as measured alone."""
    return threaded(unrounded_areas_m2, geometries)


def _array(geometries: Iterable[Any]) -> numpy.ndarray:
    found = list(geometries)
    made = numpy.empty(len(found), dtype=object)
    made[:] = found
    return made


def _attributes(feature: OverlayFeature) -> Mapping[str, Any]:
    own = {
        name: value for name in ("district_code", "class_code", "status", "kind") if (value := getattr(feature, name, None)) is not None
    }
    return {**dict(getattr(feature, "attributes", {})), **own}
