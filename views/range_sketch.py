"""A small picture of a range drawn by the server: patches, control lines and the range, without a script or tiles."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy
import shapely
from markupsafe import Markup, escape
from shapely.geometry.base import BaseGeometry

from domain.geometry import polygons_of

WIDTH, HEIGHT, MARGIN = 520, 260, 0.12


@dataclass(frozen=True, slots=True)
class Drawn:
    """Geometries in one style (a class of the map styles), in one system of coordinates, x east and y north."""

    mark: str
    geometries: Sequence[BaseGeometry]


def sketch(label: str, layers: Iterable[Drawn], around: BaseGeometry, is_geographic: bool) -> Markup:
    """An SVG picture of layers around a geometry; degrees are shown with the right proportions of the place."""
    frame = _Frame(around, is_geographic)
    paths = Markup("").join(
        Markup('<path class="{}" fill-rule="evenodd" d="{}"/>').format(layer.mark, path)
        for layer in layers
        if (path := frame.path(layer.geometries))
    )
    return Markup(
        '<svg viewBox="0 0 {0} {1}" role="img" aria-label="{2}"><rect class="m-ground" width="{0}" height="{1}"/>{3}</svg>'
    ).format(WIDTH, HEIGHT, escape(label), paths)


class _Frame:
    """Carries coordinates to the picture: north is up, the range fills it but for a margin."""

    def __init__(self, around: BaseGeometry, is_geographic: bool) -> None:
        west, south, east, north = around.bounds
        self.stretch = math.cos(math.radians((south + north) / 2)) if is_geographic else 1.0
        width, height = (east - west) * self.stretch or 1.0, north - south or 1.0
        self.scale = min(WIDTH * (1 - 2 * MARGIN) / width, HEIGHT * (1 - 2 * MARGIN) / height)
        self.x, self.y = (west + east) / 2, (south + north) / 2

    def path(self, geometries: Sequence[BaseGeometry]) -> str:
        polygons = [part for geometry in geometries for part in polygons_of(geometry) if not part.is_empty]
        return "".join(self._ring(shapely.get_coordinates(ring)) for ring in shapely.get_rings(polygons))

    def _ring(self, points: numpy.ndarray) -> str:
        x = WIDTH / 2 + (points[:, 0] - self.x) * self.stretch * self.scale
        y = HEIGHT / 2 - (points[:, 1] - self.y) * self.scale
        return "M" + "L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x[:-1], y[:-1], strict=True)) + "z"
