"""Measuring by coordinates: a page for typed ones, and the same answer as a fragment for those clicked on the map."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData
from domain.measuring import Measured, measure, read_points
from views import page
from views.map_found import url
from views.shell import Crumb

LONGEST_TEXT = 20_000


@dataclass(frozen=True)
class MeasurePage:
    """The context of map/measure.html; `measured` is None before anything was asked, or where `fault` says why not."""

    given: str
    is_ring: bool
    measured: Measured | None
    rows: tuple[Mapping[str, str], ...]
    fault: str
    map_href: str


def show(request: Request) -> Response:
    """Length and area of the points that were typed or clicked."""
    given, is_ring = request.query_params.get("points", "")[:LONGEST_TEXT], request.query_params.get("kind") == "area"
    measured, fault = None, ""
    if given.strip():
        try:
            measured = measure(read_points(given), is_ring)
        except InvalidData as refusal:
            fault = refusal.message
    rows = _rows(measured) if measured else ()
    context = MeasurePage(given, is_ring, measured, rows, fault, url(request, "map"))
    crumbs = (Crumb("一张图"), Crumb("按坐标量算"))
    block = "result" if page.is_htmx(request) else None
    return page.render(request, "map/measure.html", context, title="一张图：按坐标量算", crumbs=crumbs, current="map",
                       audience="bench", block=block, status=422 if fault else 200)


def _rows(measured: Measured) -> tuple[Mapping[str, str], ...]:
    """Each point with the length of the leg that begins there; the last point of a way begins none."""
    legs = [f"{leg:,}" for leg in measured.legs_m] + ["—"]
    return tuple(
        {"name": str(number), "x": f"{x:.8f}", "y": f"{y:.8f}", "leg": leg}
        for number, ((x, y), leg) in enumerate(zip(measured.points, legs, strict=False), start=1)
    )
