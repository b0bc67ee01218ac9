"""The projection of a map: transverse Mercator on CGCS2000 about the meridian through the middle of what is shown.

About that meridian lengths are true (at 60 km from it too long by 0.005 %), so that a scale on paper means what it says,
and the meridian itself runs straight up the sheet.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy
import pyproj
import shapely
from shapely.geometry.base import BaseGeometry

from domain.area import FLATTENING, SEMI_MAJOR_AXIS_M

_GEOGRAPHIC = f"+proj=longlat +a={SEMI_MAJOR_AXIS_M} +rf={1 / FLATTENING} +no_defs"


@dataclass(frozen=True)
class MapProjection:
    """Metres east of the meridian and north of the equator, from degrees in EPSG:4490, and back."""

    meridian: float

    @cached_property
    def _transformer(self) -> pyproj.Transformer:
        plane = f"+proj=tmerc +lat_0=0 +lon_0={self.meridian} +k=1 +x_0=0 +y_0=0 +a={SEMI_MAJOR_AXIS_M} +rf={1 / FLATTENING} +units=m +no_defs"
        return pyproj.Transformer.from_crs(_GEOGRAPHIC, plane, always_xy=True)

    def to_metres(self, geometry: Any) -> Any:
        """A geometry, or an array of them, in metres; vertex by vertex."""
        return shapely.transform(geometry, lambda xy: numpy.column_stack(self._transformer.transform(xy[:, 0], xy[:, 1])))

    def to_degrees(self, geometry: BaseGeometry) -> BaseGeometry:
        """A geometry back in degrees."""
        return shapely.transform(geometry, self.degrees_of)

    def degrees_of(self, metres: numpy.ndarray) -> numpy.ndarray:
        """Rows of x and y as rows of longitude and latitude."""
        return numpy.column_stack(self._transformer.transform(metres[:, 0], metres[:, 1], direction="INVERSE"))

    def metres_of(self, degrees: numpy.ndarray) -> numpy.ndarray:
        """Rows of longitude and latitude as rows of x and y."""
        return numpy.column_stack(self._transformer.transform(degrees[:, 0], degrees[:, 1]))

    def convergence_minutes(self, longitude: float, latitude: float) -> float:
        """The angle between a meridian and the vertical of the sheet at a place, in minutes of arc."""
        return abs(longitude - self.meridian) * math.sin(math.radians(latitude)) * 60


def projection_of(extent: BaseGeometry) -> MapProjection:
    """The projection about the middle of an extent in degrees; the meridian is a whole minute."""
    west, _south, east, _north = extent.bounds
    return MapProjection(round((west + east) / 2 * 60) / 60)
