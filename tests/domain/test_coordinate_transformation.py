"""Four and seven parameters: recovered from control points made with known parameters, with honest residuals."""

import numpy
import pyproj
import pytest
import shapely

from domain.coordinate_transformation import (
    ControlPoint,
    GeocentricTransformation,
    PlaneTransformation,
    fit_geocentric,
    fit_plane,
    load_local_systems,
    residual_report,
)
from domain.errors import InvalidData

PLANE = [
    (660_000.0, 3_440_000.0),
    (690_000.0, 3_445_000.0),
    (670_000.0, 3_480_000.0),
    (655_000.0, 3_470_000.0),
]
GEOCENTRIC = [(-2_850_000.0, 4_655_000.0, 3_290_000.0), (-2_870_000.0, 4_640_000.0, 3_300_000.0),
              (-2_830_000.0, 4_670_000.0, 3_280_000.0), (-2_860_000.0, 4_660_000.0, 3_275_000.0)]  # fmt: skip


def test_quarter_turn_with_shift_by_hand():
    turned = PlaneTransformation(10.0, 20.0, 90 * 3600.0, 0.0).apply(numpy.array([[3.0, 4.0]]))
    assert turned[0] == pytest.approx([10 - 4, 20 + 3])


def test_scale_by_hand():
    assert PlaneTransformation(0, 0, 0, 100.0).apply(numpy.array([[10_000.0, 0.0]]))[0] == pytest.approx(
        [10_001.0, 0.0]
    )


def test_four_parameters_are_recovered():
    rotation, scale = 37.5, -12.25
    angle, factor = rotation * numpy.pi / 648_000, 1 + scale * 1e-6
    points = [
        ControlPoint(f"K{i}", (x, y), (
            factor * (x * numpy.cos(angle) - y * numpy.sin(angle)) + 1234.5,
            factor * (x * numpy.sin(angle) + y * numpy.cos(angle)) - 987.25,
        )) for i, (x, y) in enumerate(PLANE)
    ]  # fmt: skip
    fitted, report = fit_plane(points)
    assert (fitted.rotation_arcsec, fitted.scale_ppm) == pytest.approx((rotation, scale), abs=1e-5)
    assert (fitted.east_shift_m, fitted.north_shift_m) == pytest.approx((1234.5, -987.25), abs=1e-4)
    assert report.root_mean_square_m < 1e-6


def test_wrong_control_point_is_the_largest_residual():
    points = [ControlPoint(f"K{i}", p, (p[0] + 5, p[1] + 7)) for i, p in enumerate(PLANE)]
    points[2] = ControlPoint("K2", PLANE[2], (PLANE[2][0] + 5.8, PLANE[2][1] + 7))
    _, report = fit_plane(points)
    assert report.largest.name == "K2" and 0.2 < report.largest.length_m < 0.8
    assert sum(residual.differences_m[0] for residual in report.residuals) == pytest.approx(0, abs=1e-6)


def test_seven_parameters_agree_with_proj():
    """EPSG method 1033 as PROJ computes it, on four points, to a hundredth of a millimetre."""
    helmert = pyproj.Transformer.from_pipeline(
        "+proj=helmert +x=24.5 +y=-123.25 +z=-94 +rx=0.3 +ry=-0.25 +rz=0.8 +s=1.1 +convention=position_vector"
    )
    expected = numpy.column_stack(helmert.transform(*numpy.array(GEOCENTRIC).T))
    ours = GeocentricTransformation((24.5, -123.25, -94.0), (0.3, -0.25, 0.8), 1.1)
    assert ours.apply(numpy.array(GEOCENTRIC)) == pytest.approx(expected, abs=1e-5)
    points = [
        ControlPoint(f"K{i}", s, tuple(t)) for i, (s, t) in enumerate(zip(GEOCENTRIC, expected, strict=True))
    ]
    fitted, report = fit_geocentric(points)
    assert fitted.rotations_arcsec == pytest.approx((0.3, -0.25, 0.8), abs=1e-3)
    assert fitted.scale_ppm == pytest.approx(1.1, abs=1e-3)
    assert report.largest.length_m < 1e-4


@pytest.mark.parametrize("transformation", [PlaneTransformation(640_000, 3_457_000, 12.5, 3.2)])
def test_reverse_undoes_apply(transformation):
    points = numpy.array([[100.0, -250.0], [20_000.0, 30_000.0]])
    assert transformation.reverse(transformation.apply(points)) == pytest.approx(points, abs=1e-8)


def test_seven_parameters_reverse():
    ours = GeocentricTransformation((24.5, -123.25, -94.0), (0.3, -0.25, 0.8), 1.1)
    points = numpy.array(GEOCENTRIC)
    assert ours.reverse(ours.apply(points)) == pytest.approx(points, abs=1e-7)


@pytest.mark.parametrize(
    ("fit", "points", "words"),
    [
        (fit_plane, [ControlPoint("K1", (0, 0), (1, 1))], "至少要 2 个"),
        (fit_plane, [ControlPoint("K1", (5, 5), (1, 1)), ControlPoint("K2", (5, 5), (1, 1))], "位置重合"),
        (
            fit_plane,
            [ControlPoint("K1", (5, 5, 1), (1, 1)), ControlPoint("K2", (6, 5), (1, 1))],
            "K1 的坐标不是 2 维",
        ),
        (fit_geocentric, [ControlPoint(f"K{i}", (i, 0, 0), (i, 0, 0)) for i in range(2)], "至少要 3 个"),
        (
            fit_geocentric,
            [ControlPoint(f"K{i}", (1e4 * i, 2e4 * i, 0.0), (1e4 * i, 2e4 * i, 0.0)) for i in range(4)],
            "一条直线",
        ),
    ],
)
def test_control_points_that_do_not_suffice_are_refused(fit, points, words):
    with pytest.raises(InvalidData, match=words):
        fit(points)


def test_residual_report_is_given_less_transformed():
    report = residual_report(PlaneTransformation(1, 1, 0, 0), [ControlPoint("K1", (0.0, 0.0), (4.0, 5.0))])
    assert report.residuals[0].differences_m == (3.0, 4.0) and report.root_mean_square_m == 5.0


def test_shipped_local_system_says_that_it_is_a_demonstration():
    local = load_local_systems()["上海城建坐标系"]
    assert local.is_demonstration and "演示" in local.note
    square = shapely.box(1000, 2000, 1100, 2100)
    assert shapely.equals_exact(local.from_zone(local.to_zone(square)), square, tolerance=1e-8)
