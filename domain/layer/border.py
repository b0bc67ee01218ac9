"""Features against an area that is renewed: which lie in it, which cross its border, and what is left of those if they are cut.

Areas close: the part inside and the part outside of a feature that is cut add up to the feature's area to 0.01 m². A part
of less than 0.005 m² is none, so that a common border is no crossing.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import rounded_m2, unrounded_areas_m2
from domain.geometry import multipolygon
from domain.layer.definition import FeatureData
from domain.overlay.adjustment import adjusted

REFUSE, CUT = "refuse", "cut"
_ZERO = Decimal("0.00")
_MOST_NAMED = 10


@dataclass(frozen=True, slots=True)
class CutFeature:
    """A feature that crosses the border: as it was, what is left of it outside, and the area that goes."""

    feature: FeatureData
    remainder: FeatureData
    inside_m2: Decimal


@dataclass(frozen=True, slots=True)
class Divided:
    """Features by how they lie to an area; those outside it are not named."""

    inside: tuple[FeatureData, ...]
    crossing: tuple[CutFeature, ...]

    def refusal(self) -> str:
        """Why the area cannot be renewed without cutting, in words; empty if nothing crosses its border."""
        if not self.crossing:
            return ""
        named = "、".join(f"{each.feature.key}（范围内 {each.inside_m2:,}、范围外 {each.remainder.area_m2:,} 平方米）" for each in self.crossing[:_MOST_NAMED])
        more = f"等 {len(self.crossing)} 个" if len(self.crossing) > _MOST_NAMED else ""
        return f"原有图形 {named}{more}跨在范围边界上。请调整范围，或选择“沿边界切开”。"


def divided(features: Sequence[FeatureData], area: BaseGeometry) -> Divided:
    """How features lie to an area (both EPSG:4490)."""
    inside: list[FeatureData] = []
    crossing: list[CutFeature] = []
    within, left = _parts(features, area)
    for feature, outside, *measured in zip(features, left, _areas(within), _areas(left), strict=True):
        if measured[0] == _ZERO:
            continue
        if measured[1] == _ZERO:
            inside.append(feature)
        else:
            crossing.append(_cut(feature, measured, outside))
    return Divided(tuple(inside), tuple(crossing))


def _parts(features: Sequence[FeatureData], area: BaseGeometry) -> tuple[list[shapely.MultiPolygon], list[shapely.MultiPolygon]]:
    shapes = numpy.array([feature.geometry for feature in features], dtype=object)
    within, left = shapely.intersection(shapes, area), shapely.difference(shapes, area)
    return [multipolygon(each) for each in within], [multipolygon(each) for each in left]


def _areas(shapes: Sequence[shapely.MultiPolygon]) -> list[Decimal]:
    return [rounded_m2(each) for each in unrounded_areas_m2(shapes).tolist()]


def _cut(feature: FeatureData, measured: Sequence[Decimal], left: shapely.MultiPolygon) -> CutFeature:
    inside_m2, left_m2 = adjusted(measured, feature.area_m2)
    return CutFeature(feature, replace(feature, geometry=left, area_m2=left_m2), inside_m2)


def strangers(features: Sequence[FeatureData], area: BaseGeometry) -> list[str]:
    """The keys of new features that reach out of the area by 0.01 m² or more."""
    if not features:
        return []
    _within, left = _parts(features, area)
    return [feature.key for feature, outside_m2 in zip(features, _areas(left), strict=True) if outside_m2 > _ZERO]
