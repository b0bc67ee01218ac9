"""Control points 控制点 known in a local system and in the national one, to check a transformation with.

A deployment writes its own beside the parameters; the shipped ones are marked 演示.
"""

from dataclasses import dataclass
from pathlib import Path

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
    """The configured control points by the name of their local system."""
    nets = {}
    for path in sorted(folder.glob("*.yaml")):
        entry = yaml.safe_load(path.read_text(encoding="utf-8"))
        points = tuple(
            ControlPoint(point["name"], tuple(map(float, point["local"])), tuple(map(float, point["national"])))
            for point in entry["points"]
        )
        nets[entry["name"]] = ControlNet(entry["name"], points, entry["is_demonstration"], entry["note"])
    return nets


def residuals(local: LocalSystem, folder: Path = FOLDER) -> ResidualReport | None:
    """How well the parameters of a local system meet its control points; None if it has none."""
    net = load_control_nets(folder).get(local.name)
    return residual_report(local.transformation, net.points) if net and net.points else None
