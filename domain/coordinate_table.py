"""A table of boundary points in two coordinate systems 坐标点转换: each point carried over by itself, and what is refused.

Three ways: from a local system to a CGCS2000 zone, back, and from zone to zone. Coordinates are named as surveyors do:
X is north, Y is east, in metres.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import numpy
import yaml

from domain.boundary_points import (
    BoundaryFault,
    BoundaryParcel,
    BoundaryPoint,
    BoundaryPointFile,
    InvalidBoundaryFile,
)
from domain.coordinate_parameters import CoordinateParameters
from domain.coordinate_transformation import LocalSystem, ResidualReport
from domain.decision import refuses
from domain.errors import Refused
from domain.projection import STORAGE, CoordinateSystem, UnknownCrs, moved
from rules.engine import Decision, RuleBook

Frame = LocalSystem | CoordinateSystem
"""A plane that coordinates stand in: a local one, or a zone."""

BOUNDS = Path(__file__).parent / "reference" / "coordinate_bounds.yaml"
FEWEST = 3
"""Points of a ring."""
RESIDUAL_RULES = ("usage_gate", "coordinate_residual_gate")


class ImplausibleCoordinates(InvalidBoundaryFile):
    """Points outside the bounds within which the city can lie; each is named."""

    lead = "坐标超出合理范围，没有转换："


@dataclass(frozen=True, slots=True)
class TableRow:
    """One point: where it is named, its X (north) and Y (east) in both systems in metres, and its degrees."""

    parcel: str
    name: str
    ring: int
    source: tuple[float, float]
    target: tuple[float, float]
    longitude: float
    latitude: float


@dataclass(frozen=True, slots=True)
class ResidualCheck:
    """The control points of a local system against the limit: what remains at each, and what the rule set says."""

    report: ResidualReport | None
    decision: Decision
    limit_m: Decimal

    @property
    def passed(self) -> bool:
        """True if there are control points and none deviates more than the limit."""
        return not refuses(self.decision)


@dataclass(frozen=True, slots=True)
class CoordinateTable:
    """The points of a file in two systems; `converted` is the same file with the points of the target system."""

    given: BoundaryPointFile
    converted: BoundaryPointFile
    source: Frame
    target: Frame
    rows: tuple[TableRow, ...]

    @property
    def local(self) -> LocalSystem | None:
        """The local system on either side; None between zones."""
        return next((each for each in (self.source, self.target) if isinstance(each, LocalSystem)), None)

    @property
    def is_demonstration(self) -> bool:
        """True if parameters were used that are made up."""
        return bool(self.local and self.local.is_demonstration)

    @property
    def has_rings(self) -> bool:
        """True if every ring has the points that a ring must have."""
        return all(len(ring) >= FEWEST for parcel in self.given.parcels for ring in parcel.rings)

    @property
    def mark(self) -> str:
        """What is said of the parameters wherever the result is shown or written; "" between zones."""
        return self.local.note if self.local else ""


def convert(file: BoundaryPointFile, target: Frame, parameters: CoordinateParameters) -> CoordinateTable:
    """Carry every point of a file to a target system.

    Raises UnknownCrs if source and target do not go together, and ImplausibleCoordinates with every point (up to the
    most that are told) that lies outside the bounds, given or converted.
    """
    source = _source(file, parameters)
    _must_differ(file, source, target)
    given = numpy.array([(point.east_m, point.north_m) for _, point in placed_points(file)], dtype=float)
    _must_lie_within(file, source, given)
    zone, zone_system = _to_zone(given, source)
    degrees = moved(zone, zone_system, STORAGE)
    _must_be_in_the_city(file, degrees)
    found = _from_zone(zone, zone_system, target)
    return CoordinateTable(file, _with_points(file, target, found), source, target, tuple(_rows(file, found, degrees)))


def _source(file: BoundaryPointFile, parameters: CoordinateParameters) -> Frame:
    return parameters.systems[file.local_system] if file.local_system else file.system


def _must_differ(file: BoundaryPointFile, source: Frame, target: Frame) -> None:
    if source.title == target.title:
        raise UnknownCrs(
            f"源坐标系已经是{source.title}（{_first_point(file)}），与目标坐标系相同，没有转换。请核对文件和转换方向。"
        )


def must_be_local(file: BoundaryPointFile) -> None:
    """Raise UnknownCrs, naming the first point, for a file that is not in a local system."""
    if not file.local_system:
        raise UnknownCrs(
            f"源坐标系是{file.system.title}，不是城建坐标系（{_first_point(file)}），没有转换。"
            "请核对文件头的坐标系，或改选转换方向。"
        )


def must_be_national(file: BoundaryPointFile) -> None:
    """Raise UnknownCrs, naming the first point, for a file that is in a local system."""
    if file.local_system:
        raise UnknownCrs(
            f"源坐标系是{file.local_system}，不是国家2000坐标系（{_first_point(file)}），没有转换。"
            "请核对文件头的坐标系，或改选转换方向。"
        )


def _first_point(file: BoundaryPointFile) -> str:
    point = file.parcels[0].rings[0][0]
    return f"首个界址点 {point.name}：X {point.north_m:.3f}，Y {point.east_m:.3f}"


def placed_points(file: BoundaryPointFile) -> list[tuple[BoundaryParcel, BoundaryPoint]]:
    """Every point with its parcel, in the order of parcels and rings."""
    return [(parcel, point) for parcel in file.parcels for ring in parcel.rings for point in ring]


def _to_zone(points: numpy.ndarray, source: Frame) -> tuple[numpy.ndarray, CoordinateSystem]:
    return (source.transformation.apply(points), source.target) if isinstance(source, LocalSystem) else (points, source)


def _from_zone(points: numpy.ndarray, zone: CoordinateSystem, target: Frame) -> numpy.ndarray:
    if isinstance(target, LocalSystem):
        return target.transformation.reverse(moved(points, zone, target.target))
    return moved(points, zone, target)


@cache
def _city_bounds() -> Mapping[str, Any]:
    return yaml.safe_load(BOUNDS.read_text(encoding="utf-8"))


def _must_lie_within(file: BoundaryPointFile, source: Frame, given: numpy.ndarray) -> None:
    if not isinstance(source, LocalSystem):
        return
    (west, east), (south, north) = source.bounds.east_m, source.bounds.north_m
    outside = (given < (west, south)) | (given > (east, north))
    limits = f"X 应在 {south:.0f} 至 {north:.0f} 米之间，Y 应在 {west:.0f} 至 {east:.0f} 米之间"
    _refuse_outside(file, outside.any(axis=1), limits)


def _must_be_in_the_city(file: BoundaryPointFile, degrees: numpy.ndarray) -> None:
    (west, east), (south, north) = _city_bounds()["longitude"], _city_bounds()["latitude"]
    inside = (degrees >= (west, south)) & (degrees <= (east, north))  # not a number is inside of nothing
    limits = f"换算后应在东经 {west}°–{east}°、北纬 {south}°–{north}° 之间"
    _refuse_outside(file, ~inside.all(axis=1), limits)


def _refuse_outside(file: BoundaryPointFile, outside: numpy.ndarray, limits: str) -> None:
    faults = [
        BoundaryFault(
            point.line, parcel.number or parcel.name, point.name,
            f"X {point.north_m:.3f}、Y {point.east_m:.3f} 超出合理范围，{limits}", "请核对坐标系、带号，以及 X、Y 是否写反",
        )
        for (parcel, point), is_outside in zip(placed_points(file), outside, strict=True) if is_outside
    ]  # fmt: skip
    if faults:
        raise ImplausibleCoordinates(faults)


def _with_points(file: BoundaryPointFile, target: Frame, found: numpy.ndarray) -> BoundaryPointFile:
    """The file with its points replaced one by one, in the order of parcels and rings."""
    each = iter(found.tolist())

    def placed(point: BoundaryPoint) -> BoundaryPoint:
        east, north = next(each)
        return replace(point, north_m=north, east_m=east)

    parcels = tuple(
        replace(parcel, rings=tuple(tuple(placed(point) for point in ring) for ring in parcel.rings))
        for parcel in file.parcels
    )
    if isinstance(target, LocalSystem):
        return replace(file, parcels=parcels, system=None, local_system=target.name)
    return replace(file, parcels=parcels, system=target, local_system="")


def _rows(file: BoundaryPointFile, found: numpy.ndarray, degrees: numpy.ndarray) -> Iterator[TableRow]:
    rows = zip(placed_points(file), found.tolist(), degrees.tolist(), strict=True)
    for (parcel, point), (east, north), (longitude, latitude) in rows:
        yield TableRow(
            parcel.number or parcel.name, point.name, point.ring, (point.north_m, point.east_m), (north, east), longitude,
            latitude,
        )  # fmt: skip


def check_residuals(local: LocalSystem, parameters: CoordinateParameters, book: RuleBook, on: date) -> ResidualCheck:
    """Judge a local system by its control points under the rules in force on a day."""
    report = parameters.residuals(local)
    largest = None if report is None else report.max_residual_m
    facts = {"layer_present": True, "converted": True, "max_residual_m": largest}
    decision = book.decide(*RESIDUAL_RULES, facts, on)
    return ResidualCheck(report, decision, book.rule_set(*RESIDUAL_RULES, on).parameters["tolerance_m"].general(on))


def must_pass(check: ResidualCheck) -> None:
    """Raise Refused unless the control points are met within the limit."""
    if check.report is None:
        raise Refused("没有已知对照点，转换参数无法检验，没有转换。请联系管理员补充控制点。", (check.decision,))
    if not check.passed:
        worst = check.report.largest
        raise Refused(
            f"对照点 {worst.name} 的偏差 {worst.length_m:.3f} 米，超过限差 {check.limit_m} 米，没有转换。请核对转换参数与控制点。",
            (check.decision,),
        )
