"""Dots strewn over features, and kernel densities on a grid: both in metres of a projection about the middle of the map."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy
import shapely
from shapely.geometry.base import BaseGeometry

from domain.thematic_map.projection import MapProjection, projection_of
from domain.thematic_map.selection import Placed

CELLS = 180
"""Cells along the longer side of the grid."""
BANDWIDTH_SHARE = 0.06
"""Without a stated bandwidth: this part of the longer side."""
_TRIES = 40


def strewn(placed: Sequence[Placed], amounts: Sequence[Decimal], value: Decimal, seed: int) -> numpy.ndarray:
    """Places (rows of longitude and latitude) of dots that each stand for `value` of the amounts; the same for the same seed.

    What is left over of one feature is carried to the next, so that the number of dots is the whole divided by the value.
    """
    random = numpy.random.default_rng(seed)
    places, carried = [], Decimal(0)
    for each, amount in zip(placed, amounts, strict=True):
        carried += amount
        count = int(carried // value)
        carried -= count * value
        if count:
            places.append(_inside(each.geometry, count, random))
    return numpy.concatenate(places) if places else numpy.empty((0, 2))


def _inside(shape: BaseGeometry, count: int, random: numpy.random.Generator) -> numpy.ndarray:
    """So many places inside a polygon, by drawing in its box; a point of its own where it is too thin to be met."""
    west, south, east, north = shape.bounds
    shapely.prepare(shape)
    found = numpy.empty((0, 2))
    for _ in range(_TRIES):
        drawn = random.uniform((west, south), (east, north), (max(16, 3 * count), 2))
        found = numpy.concatenate([found, drawn[shapely.contains_xy(shape, drawn[:, 0], drawn[:, 1])]])
        if len(found) >= count:
            return found[:count]
    point = shapely.point_on_surface(shape)
    return numpy.concatenate([found, numpy.repeat([[point.x, point.y]], count - len(found), axis=0)])


@dataclass(frozen=True)
class Surface:
    """A density on a grid: amount per square kilometre at the corners of cells; only what lies in the extent is drawn."""

    projection: MapProjection
    values: numpy.ndarray
    west: float
    south: float
    cell_m: float
    bandwidth_m: float
    extent: BaseGeometry
    is_inside: numpy.ndarray

    @property
    def highest(self) -> float:
        """The highest density, above zero."""
        return float(self.values[self.is_inside].max(initial=0.0)) or 1.0

    def share_above(self, level: float) -> float:
        """The part of the extent where the density reaches a level, by the corners of the grid in it."""
        inside = self.values[self.is_inside]
        return float((inside >= level).mean()) if len(inside) and level < self.highest else 0.0

    def above(self, level: float) -> BaseGeometry:
        """Where the density reaches a level, as polygons in EPSG:4490 within the extent."""
        cells = _cells_above(self.values, level)
        if not cells:
            return shapely.MultiPolygon()
        joined = shapely.union_all(cells, grid_size=1e-6)
        metres = shapely.transform(joined, lambda xy: xy * self.cell_m + (self.west, self.south))
        return shapely.intersection(self.projection.to_degrees(metres), self.extent)


def _cells_above(values: numpy.ndarray, level: float) -> list[BaseGeometry]:
    """The parts of the grid where the values reach a level, in units of cells: whole cells in rows, cut triangles at the edge."""
    above = values >= level
    corners = above[:-1, :-1].astype(int) + above[:-1, 1:] + above[1:, :-1] + above[1:, 1:]
    found: list[BaseGeometry] = []
    for row in range(corners.shape[0]):
        full = numpy.concatenate([[0], (corners[row] == 4).astype(int), [0]])
        starts, ends = numpy.flatnonzero(numpy.diff(full) == 1), numpy.flatnonzero(numpy.diff(full) == -1)
        found += [shapely.box(start, row, end, row + 1) for start, end in zip(starts.tolist(), ends.tolist(), strict=True)]
    for row, column in zip(*numpy.nonzero((corners > 0) & (corners < 4)), strict=True):
        found += _cut_cell(values, int(row), int(column), level)
    return found


def _cut_cell(values: numpy.ndarray, row: int, column: int, level: float) -> list[BaseGeometry]:
    """The two triangles of a cell cut at a level, on which the value is linear."""
    corners = [(column, row), (column + 1, row), (column + 1, row + 1), (column, row + 1)]
    parts = []
    for triangle in ((0, 1, 2), (0, 2, 3)):
        points = []
        for here, there in zip(triangle, (*triangle[1:], triangle[0]), strict=True):
            (x, y), (other_x, other_y) = corners[here], corners[there]
            value, other = values[y, x], values[other_y, other_x]
            if value >= level:
                points.append((x, y))
            if (value >= level) != (other >= level):
                share = (level - value) / (other - value)
                points.append((x + (other_x - x) * share, y + (other_y - y) * share))
        if len(points) > 2:
            parts.append(shapely.Polygon(points))
    return [part for part in parts if part.area > 1e-9]


def kernel_density(placed: Sequence[Placed], amounts: Sequence[float], extent: BaseGeometry, bandwidth: Decimal | None) -> Surface:
    """The density of amounts about every corner of a grid over the extent, in amount per square kilometre.

    The kernel is quartic, 3 / (π h²) · (1 − d²/h²)² within the bandwidth h; every feature stands at a point inside it.
    """
    projection = projection_of(extent)
    metres = projection.to_metres(extent)
    west, south, east, north = metres.bounds
    longest = max(east - west, north - south)
    reach, cell = float(bandwidth) if bandwidth else round(longest * BANDWIDTH_SHARE, -2) or 100.0, longest / CELLS
    columns, rows = int((east - west) // cell) + 2, int((north - south) // cell) + 2
    values = numpy.zeros((rows, columns))
    points = shapely.get_coordinates(projection.to_metres(shapely.point_on_surface(numpy.array([each.geometry for each in placed], dtype=object))))
    xs, ys = west + cell * numpy.arange(columns), south + cell * numpy.arange(rows)
    for (x, y), amount in zip(points.tolist(), amounts, strict=True):
        _add(values, xs, ys, x, y, amount, reach)
    values *= 3 / (numpy.pi * reach**2) * 1_000_000
    grid_x, grid_y = numpy.meshgrid(xs, ys)
    shapely.prepare(metres)
    inside = shapely.contains_xy(metres, grid_x, grid_y)
    return Surface(projection, values, west, south, cell, reach, extent, inside)


def _add(values: numpy.ndarray, xs: numpy.ndarray, ys: numpy.ndarray, x: float, y: float, amount: float, reach: float) -> None:
    """Add the kernel of one point to the corners that it reaches."""
    left, right = numpy.searchsorted(xs, (x - reach, x + reach))
    low, high = numpy.searchsorted(ys, (y - reach, y + reach))
    distance = ((xs[left:right] - x) ** 2)[None, :] + ((ys[low:high] - y) ** 2)[:, None]
    values[low:high, left:right] += amount * numpy.clip(1 - distance / reach**2, 0, None) ** 2
