"""Control points: read from the deployment's files, compared with the parameters, marked as a demonstration."""

import shutil

import pytest

from domain import control_point
from domain.coordinate_transformation import load_local_systems

LOCAL = load_local_systems()["上海城建坐标系"]


def test_the_shipped_points_say_that_they_are_a_demonstration():
    net = control_point.load_control_nets()["上海城建坐标系"]
    assert net.is_demonstration and "演示" in net.note and len(net.points) == 4


def test_residuals_are_national_less_transformed_by_hand():
    """Point 4: 5000 east, 2000 north, turned by 12.5 arc seconds, scaled by 3.2 ppm and shifted."""
    report = control_point.residuals(LOCAL, control_point.load_control_nets())
    [fourth] = [each for each in report.residuals if each.name == "演示控制点4"]
    angle, scale = 12.5 / 3600 * 3.141592653589793 / 180, 1 + 3.2e-6
    east = 640000 + scale * (5000 - 2000 * angle)
    north = 3457000 + scale * (2000 + 5000 * angle)
    assert fourth.differences_m == pytest.approx((644999.884 - east, 3459000.303 - north), abs=1e-3)


def test_a_system_without_points_cannot_be_checked(tmp_path):
    assert control_point.residuals(LOCAL, control_point.load_control_nets(tmp_path)) is None


def test_a_shifted_point_is_the_largest_residual(tmp_path):
    text = (control_point.FOLDER / "shanghai_local.yaml").read_text(encoding="utf-8").replace('"644999.884"', '"645000.884"')
    shutil.copy(control_point.FOLDER / "shanghai_local.yaml", tmp_path / "net.yaml")
    (tmp_path / "net.yaml").write_text(text, encoding="utf-8")
    worst = control_point.residuals(LOCAL, control_point.load_control_nets(tmp_path)).largest
    assert worst.name == "演示控制点4" and worst.length_m == pytest.approx(0.989, abs=0.01)
