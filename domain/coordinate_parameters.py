"""The parameter sets of the local coordinate systems with their control points: shipped for trial, or sealed by the city.

A sealed document replaces the shipped ones; there is no way from a sealed one that cannot be opened to the shipped ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import yaml
from pyproj.exceptions import ProjError

from domain.control_point import ControlNet, control_net, load_control_nets
from domain.control_point import residuals as residuals_at
from domain.coordinate_transformation import LocalSystem, ResidualReport, load_local_systems, local_system
from domain.errors import InvalidData


@dataclass(frozen=True, slots=True)
class CoordinateParameters:
    """Local systems and control points, both by the name of the local system."""

    systems: Mapping[str, LocalSystem]
    nets: Mapping[str, ControlNet]

    @property
    def is_demonstration(self) -> bool:
        """True if one of the systems or its control points are made up."""
        return any(each.is_demonstration for each in (*self.systems.values(), *self.nets.values()))

    def residuals(self, local: LocalSystem) -> ResidualReport | None:
        """How well a local system meets its control points; None if it has none."""
        return residuals_at(local, self.nets)


def shipped() -> CoordinateParameters:
    """The test parameters that come with the portal, marked as such."""
    return CoordinateParameters(load_local_systems(), load_control_nets())


def parse(text: str) -> CoordinateParameters:
    """The parameters of a document (docs/manual/坐标转换.md shows one). InvalidData never repeats a value, since they are secret."""
    try:
        entry = yaml.safe_load(text)
        systems = [local_system(each) for each in entry["systems"]]
        nets = [control_net(each) for each in entry["control_points"]]
    except (yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError, ProjError, InvalidData) as error:
        raise InvalidData(f"坐标转换参数的内容不完整或格式不对（{_where(error)}）。请按《坐标转换》说明的样式改写后重新加密。") from None
    return _complete(systems, nets)


def _where(error: Exception) -> str:
    """Which key is missing, or what kind of fault it is."""
    return f"缺少 {error.args[0]}" if isinstance(error, KeyError) else type(error).__name__


def _complete(systems: list[LocalSystem], nets: list[ControlNet]) -> CoordinateParameters:
    by_name = {each.name: each for each in systems}
    if not systems or len(by_name) != len(systems):
        raise InvalidData("坐标转换参数里没有坐标系，或坐标系重名。请每个坐标系写一次。")
    if {each.name for each in nets} != set(by_name) or any(not each.points for each in nets):
        raise InvalidData("坐标转换参数里每个坐标系都要有控制点，控制点的坐标系名称也要一致。请补齐后重新加密。")
    return CoordinateParameters(by_name, {each.name: each for each in nets})

