"""Four or seven parameters by least squares from pairs of control points, with what remains at each."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.coordinate_given import read_pairs
from domain.coordinate_transformation import (
    GeocentricTransformation,
    PlaneTransformation,
    ResidualReport,
    fit_geocentric,
    fit_plane,
)
from domain.errors import InvalidData
from views import page
from views.coordinates.pages import must_handle_cases, residual_rows
from views.posted import text
from views.shell import Crumb, Link

LONGEST_TEXT = 100_000


@dataclass(frozen=True)
class FitPage:
    """The context of coordinates/fit.html; `facts` is empty before anything was asked, or where `fault` says why not."""

    given: str
    fault: str
    facts: tuple[Mapping[str, Any], ...]
    residuals: tuple[Mapping[str, Any], ...]
    axes: tuple[str, ...]


def show(request: Request) -> Response:
    """The form, and the parameters that fit best; nothing is kept."""
    must_handle_cases(request)
    given = text(request, "points", LONGEST_TEXT) if request.method == "POST" else ""
    context = FitPage(given, "", (), (), ()) if request.method == "GET" else _fitted(given)
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("坐标转换", Link("coordinates", "坐标转换")), Crumb("求转换参数"))
    return page.render(request, "coordinates/fit.html", context, title="求转换参数", crumbs=crumbs, current="map", audience="bench",
                       status=422 if context.fault else 200)


def _fitted(given: str) -> FitPage:
    try:
        points = read_pairs(given)
        is_plane = len(points[0].source) == 2
        found, report = (fit_plane if is_plane else fit_geocentric)(points)
    except InvalidData as refusal:
        return FitPage(given, refusal.message, (), (), ())
    axes = ("东向（米）", "北向（米）") if is_plane else ("X（米）", "Y（米）", "Z（米）")
    return FitPage(given, "", _facts(found, report), residual_rows(report), axes)


def _facts(found: PlaneTransformation | GeocentricTransformation, report: ResidualReport) -> tuple[Mapping[str, Any], ...]:
    """The parameters as portal coordinates seal takes them, and how well they fit."""
    if isinstance(found, PlaneTransformation):
        values = {
            "东平移（east_shift_m）": f"{found.east_shift_m:.4f} 米", "北平移（north_shift_m）": f"{found.north_shift_m:.4f} 米",
            "旋转（rotation_arcsec）": f"{found.rotation_arcsec:.6f} 角秒，逆时针为正",
        }  # fmt: skip
    else:
        shifts, turns = found.shifts_m, found.rotations_arcsec
        values = {
            "平移（shifts_m）": "，".join(f"{each:.4f}" for each in shifts) + " 米",
            "旋转（rotations_arcsec）": "，".join(f"{each:.6f}" for each in turns) + " 角秒，位置矢量约定",
        }  # fmt: skip
    values |= {
        "尺度（scale_ppm）": f"{found.scale_ppm:.6f} ppm", "中误差": f"{report.root_mean_square_m:.3f} 米，{len(report.residuals)} 个点",
        "最大残差": f"{report.largest.length_m:.3f} 米（{report.largest.name}）",
    }  # fmt: skip
    return tuple({"label": label, "value": value} for label, value in values.items())
