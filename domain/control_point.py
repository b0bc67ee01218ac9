"""Control points 控制点 known in a local system and in the national one, to check a transformation with.

A deployment seals its own with the parameters; the shipped ones are marked 演示.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from domain.coordinate_transformation import ControlPoint, LocalSystem, ResidualReport, residual_report

FOLDER = Path(__file__).parent / "reference" / "control_points"


@dataclass(frozen=True, slots=True)
class ControlNet:
    """The control points of one local system; coordinates in metres (east, north)."""

    name: str
    points: tuple[ControlPoint, ...]
    is_demonstration: bool
    note: str


def load_control_nets(folder: Path = FOLDER) -> dict[str, ControlNet]:
    """The shipped control points by the name of their local system."""
    entries = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.yaml"))]
    return {net.name: net for net in map(control_net, entries)}


def control_net(entry: Mapping[str, Any]) -> ControlNet:
    """Control points from their written form; raises KeyError, TypeError or ValueError for one that is not complete."""
    points = tuple(
        ControlPoint(str(point["name"]), _pair(point["local"]), _pair(point["national"])) for point in entry["points"]
    )
    return ControlNet(entry["name"], points, bool(entry["is_demonstration"]), entry["note"])


def _pair(values: Sequence[Any]) -> tuple[float, float]:
    east, north = map(float, values)
    return east, north


def residuals(local: LocalSystem, nets: Mapping[str, ControlNet]) -> ResidualReport | None:
    """How well the parameters of a local system meet its control points; None if it has none."""
    net = nets.get(local.name)
    return residual_report(local.transformation, net.points) if net and net.points else None
