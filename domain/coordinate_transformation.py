"""Similarity (Helmert) transformations between a local coordinate system and CGCS2000, with their residuals.

Four parameters for plane coordinates (east, north, metres), seven for geocentric ones (X, Y, Z, metres). The
parameters of a real local system are secret: a deployment keeps its own sealed (domain/coordinate_parameters.py); the
shipped ones are marked 演示.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pyproj
import shapely
import yaml
from shapely.geometry.base import BaseGeometry

from domain.errors import InvalidData
from domain.projection import CoordinateSystem, system_of_srid

FOLDER = Path(__file__).parent / "reference" / "coordinate_transformations"
_MILLIMETRE = Decimal("0.001")
_ARC_SECOND = math.pi / 180 / 3600


@dataclass(frozen=True, slots=True)
class Residual:
    """What remains at one control point: given less transformed, per axis, and its length, in metres."""

    name: str
    differences_m: tuple[float, ...]

    @property
    def length_m(self) -> float:
        """Distance between the given and the transformed point."""
        return math.hypot(*self.differences_m)


@dataclass(frozen=True, slots=True)
class ResidualReport:
    """How well a transformation meets its control points."""

    residuals: tuple[Residual, ...]

    @property
    def root_mean_square_m(self) -> float:
        """Root of the mean squared distance."""
        return math.sqrt(sum(r.length_m**2 for r in self.residuals) / len(self.residuals))

    @property
    def largest(self) -> Residual:
        """The control point that fits worst."""
        return max(self.residuals, key=lambda r: r.length_m)

    @property
    def max_residual_m(self) -> Decimal:
        """Its distance in metres to 0.001, as rules read it."""
        return Decimal(self.largest.length_m).quantize(_MILLIMETRE)


@dataclass(frozen=True, slots=True)
class ControlPoint:
    """A point known in both systems, in metres: (east, north) or (X, Y, Z)."""

    name: str
    source: tuple[float, ...]
    target: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PlaneTransformation:
    """Four parameters: shift in metres, rotation counter-clockwise in arc seconds, scale in parts per
    million.
    """

    east_shift_m: float
    north_shift_m: float
    rotation_arcsec: float
    scale_ppm: float

    def apply(self, points: numpy.ndarray) -> numpy.ndarray:
        """Points (n × 2: east, north, metres) in the target system."""
        return points @ self._matrix().T + (self.east_shift_m, self.north_shift_m)

    def reverse(self, points: numpy.ndarray) -> numpy.ndarray:
        """Points of the target system back in the source system, exactly."""
        return (points - (self.east_shift_m, self.north_shift_m)) @ numpy.linalg.inv(self._matrix()).T

    def _matrix(self) -> numpy.ndarray:
        angle, scale = self.rotation_arcsec * _ARC_SECOND, 1 + self.scale_ppm * 1e-6
        c, s = scale * math.cos(angle), scale * math.sin(angle)
        return numpy.array([[c, -s], [s, c]])


@dataclass(frozen=True, slots=True)
class GeocentricTransformation:
    """Seven parameters (Bursa–Wolf, position vector): shifts in metres, rotations in arc seconds, scale in
    ppm.

    Rotations are taken as small (below one minute of arc), as in EPSG method 1033.
    """

    shifts_m: tuple[float, float, float]
    rotations_arcsec: tuple[float, float, float]
    scale_ppm: float

    def apply(self, points: numpy.ndarray) -> numpy.ndarray:
        """Points (n × 3: X, Y, Z, metres) in the target system."""
        return points @ self._matrix().T + self.shifts_m

    def reverse(self, points: numpy.ndarray) -> numpy.ndarray:
        """Points of the target system back in the source system, exactly."""
        return (points - numpy.array(self.shifts_m)) @ numpy.linalg.inv(self._matrix()).T

    def _matrix(self) -> numpy.ndarray:
        rx, ry, rz = (angle * _ARC_SECOND for angle in self.rotations_arcsec)
        return (1 + self.scale_ppm * 1e-6) * numpy.array([[1, -rz, ry], [rz, 1, -rx], [-ry, rx, 1]])


class SpatialPlaneTransformation:
    """Seven parameters between two planes: a local plane of another ellipsoid, given as a PROJ text, and a CGCS2000 zone.

    Points are taken to lie on the ellipsoid, as boundary points have no height. The way back is the inverse of the way
    there to better than 0.01 mm.
    """

    _ROUNDS = 3

    def __init__(self, seven: GeocentricTransformation, local: str, target: CoordinateSystem) -> None:
        self.seven = seven
        self._from, self._to = _Earth(local), _Earth(_plane_of(target))

    def apply(self, points: numpy.ndarray) -> numpy.ndarray:
        """Points (n × 2: east, north, metres) in the plane of the target zone."""
        return self._to.plane(self.seven.apply(self._from.geocentric(points)))

    def reverse(self, points: numpy.ndarray) -> numpy.ndarray:
        """Points of the target zone in the local plane; what the neglected height leaves is taken back step by step."""
        found = nearly = self._nearly_reverse(points)
        for _ in range(self._ROUNDS):
            found = found + nearly - self._nearly_reverse(self.apply(found))
        return found

    def _nearly_reverse(self, points: numpy.ndarray) -> numpy.ndarray:
        return self._from.plane(self.seven.reverse(self._to.geocentric(points)))


def _plane_of(zone: CoordinateSystem) -> str:
    """A zone as a PROJ text; the ellipsoid of CGCS2000 has the axis and flattening of GRS 80."""
    false_east = 500_000 + (zone.zone * 1_000_000 if zone.has_zone_prefix else 0)
    return f"+proj=tmerc +lat_0=0 +lon_0={zone.central_meridian} +k=1 +x_0={false_east} +y_0=0 +ellps=GRS80 +units=m"


class _Earth:
    """One plane on its ellipsoid: between plane and geocentric coordinates, in metres."""

    def __init__(self, proj: str) -> None:
        ellipsoid = pyproj.CRS.from_user_input(proj).ellipsoid
        semi_major, flattening = ellipsoid.semi_major_metre, ellipsoid.inverse_flattening
        self._proj = pyproj.Proj(proj)
        self._cart = pyproj.Transformer.from_pipeline(f"+proj=cart +a={semi_major!r} +rf={flattening!r}")

    def geocentric(self, points: numpy.ndarray) -> numpy.ndarray:
        longitude, latitude = self._proj(points[:, 0], points[:, 1], inverse=True)
        return numpy.column_stack(self._cart.transform(longitude, latitude, numpy.zeros(len(points)), radians=False))

    def plane(self, points: numpy.ndarray) -> numpy.ndarray:
        longitude, latitude, _ = self._cart.transform(*points.T, direction="INVERSE", radians=False)
        return numpy.column_stack(self._proj(longitude, latitude))


@dataclass(frozen=True, slots=True)
class PlaneBounds:
    """Where points of a local system may lie, in metres: least and greatest east and north."""

    east_m: tuple[float, float]
    north_m: tuple[float, float]


@dataclass(frozen=True, slots=True)
class LocalSystem:
    """A local plane system, the CGCS2000 zone it is carried to, and where its parameters come from."""

    name: str
    target: CoordinateSystem
    transformation: PlaneTransformation | SpatialPlaneTransformation
    is_demonstration: bool
    note: str
    bounds: PlaneBounds

    @property
    def title(self) -> str:
        """The name a person reads."""
        return self.name

    def to_zone(self, geometry: BaseGeometry) -> BaseGeometry:
        """A geometry (x east, y north, metres) in the plane of the target zone."""
        return shapely.transform(geometry, self.transformation.apply)

    def from_zone(self, geometry: BaseGeometry) -> BaseGeometry:
        """A geometry of the target zone in the local plane."""
        return shapely.transform(geometry, self.transformation.reverse)


def fit_plane(points: Sequence[ControlPoint]) -> tuple[PlaneTransformation, ResidualReport]:
    """Least-squares four parameters from two or more control points; InvalidData for fewer or coincident
    ones.
    """
    source, target = _columns(points, 2, 2)
    centre_s, centre_t = source.mean(axis=0), target.mean(axis=0)
    s, t = source - centre_s, target - centre_t
    spread = (s**2).sum()
    if spread < 1e-6:
        raise InvalidData("控制点的位置重合，无法求出四参数。请提供相互分开的控制点。")
    a = (s * t).sum() / spread
    b = (s[:, 0] * t[:, 1] - s[:, 1] * t[:, 0]).sum() / spread
    shift = centre_t - numpy.array([[a, -b], [b, a]]) @ centre_s
    fitted = PlaneTransformation(
        float(shift[0]), float(shift[1]), math.atan2(b, a) / _ARC_SECOND, (math.hypot(a, b) - 1) * 1e6
    )
    return fitted, residual_report(fitted, points)


def fit_geocentric(points: Sequence[ControlPoint]) -> tuple[GeocentricTransformation, ResidualReport]:
    """Least-squares seven parameters from three or more control points; InvalidData for fewer or collinear
    ones.
    """
    source, target = _columns(points, 3, 3)
    centre = source.mean(axis=0)
    design, wanted = [], (target - source).ravel()
    for x, y, z in source - centre:
        design += [[1, 0, 0, 0, z, -y, x], [0, 1, 0, -z, 0, x, y], [0, 0, 1, y, -x, 0, z]]
    solution, _, rank, _ = numpy.linalg.lstsq(_balanced(design), wanted, rcond=1e-10)
    if rank < 7:
        raise InvalidData("控制点几乎在一条直线上，无法求出七参数。请补充不在同一直线上的控制点。")
    scale = solution[6] * 1e-6
    rotations = solution[3:6] * 1e-6 / (1 + scale)
    turned = GeocentricTransformation((0.0, 0.0, 0.0), tuple(rotations / _ARC_SECOND), scale * 1e6)
    shift = centre + solution[:3] - turned.apply(centre[None, :])[0]
    fitted = GeocentricTransformation(
        tuple(map(float, shift)), tuple(map(float, turned.rotations_arcsec)), scale * 1e6
    )
    return fitted, residual_report(fitted, points)


def residual_report(
    transformation: PlaneTransformation | GeocentricTransformation, points: Sequence[ControlPoint]
) -> ResidualReport:
    """Given less transformed coordinates at every control point, in metres."""
    source = numpy.array([p.source for p in points], dtype=float)
    target = numpy.array([p.target for p in points], dtype=float)
    differences = target - transformation.apply(source)
    return ResidualReport(
        tuple(Residual(p.name, tuple(map(float, d))) for p, d in zip(points, differences, strict=True))
    )


def load_local_systems(folder: Path = FOLDER) -> dict[str, LocalSystem]:
    """The shipped local systems by the name that a boundary-point file gives them."""
    entries = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))]
    return {system.name: system for system in map(local_system, entries)}


def local_system(entry: Mapping[str, Any]) -> LocalSystem:
    """A local system from its written form, with four (`plane`) or seven (`geocentric`) parameters.

    Raises KeyError, TypeError or ValueError for a form that is not complete.
    """
    target, bounds = system_of_srid(entry["target_epsg"]), entry["bounds"]
    if ("plane" in entry) == ("geocentric" in entry):
        raise ValueError("exactly one of plane and geocentric")
    return LocalSystem(
        entry["name"], target, _transformation(entry, target), bool(entry["is_demonstration"]), entry["note"],
        PlaneBounds(_range(bounds["east_m"]), _range(bounds["north_m"])),
    )  # fmt: skip


def _transformation(
    entry: Mapping[str, Any], target: CoordinateSystem
) -> PlaneTransformation | SpatialPlaneTransformation:
    if "plane" in entry:
        return PlaneTransformation(**{key: float(value) for key, value in entry["plane"].items()})
    seven = entry["geocentric"]
    shifts, rotations = (tuple(float(value) for value in seven[key]) for key in ("shifts_m", "rotations_arcsec"))
    if len(shifts) != 3 or len(rotations) != 3:
        raise ValueError("three shifts and three rotations")
    found = GeocentricTransformation(shifts, rotations, float(seven["scale_ppm"]))
    return SpatialPlaneTransformation(found, seven["local_plane"], target)


def _range(pair: Sequence[Any]) -> tuple[float, float]:
    least, most = map(float, pair)
    if not least < most:
        raise ValueError(f"{least} to {most}")
    return least, most


def _columns(points: Sequence[ControlPoint], axes: int, fewest: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    if len(points) < fewest:
        raise InvalidData(f"只有 {len(points)} 个控制点，求参数至少要 {fewest} 个。请补充控制点。")
    for point in points:
        if len(point.source) != axes or len(point.target) != axes:
            raise InvalidData(f"控制点 {point.name} 的坐标不是 {axes} 维。请补全该点的坐标。")
    return (
        numpy.array([p.source for p in points], dtype=float),
        numpy.array([p.target for p in points], dtype=float),
    )


def _balanced(design: list[list[float]]) -> numpy.ndarray:
    """The design matrix with rotations and scale in millionths, so that its columns are of similar size."""
    matrix = numpy.array(design, dtype=float)
    matrix[:, 3:] *= 1e-6
    return matrix
