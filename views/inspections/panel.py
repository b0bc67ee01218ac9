"""The parts of a task's page that show places: the map, the attribute panel of a finding, layers and their rows."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request

from domain.geometry import polygons_of
from domain.inspection.task import findings, picture
from domain.inspection.task.findings import FindingQuery
from domain.inspection.task.picture import Shown
from domain.inspection.task.tables import InspectionFinding, InspectionRun, InspectionTask
from views import page
from views.inspections.words import finding_state, severity_tag, url
from views.posted import digits
from views.range_sketch import Drawn, sketch

ROWS = 50
NEAR_DEGREES = 0.0015
"""How far around a finding the still picture reaches: about 150 m."""
MOST_NEAR = 400


@dataclass(frozen=True)
class AttributePanel:
    """A finding with the fields of its feature, the wrong one marked, and its neighbours in the list."""

    finding: InspectionFinding
    tag: Mapping[str, str]
    state: str
    fields: Sequence[Mapping[str, Any]]
    place: str
    bounds: str
    previous_href: str | None
    next_href: str | None
    picture: Any


def of_finding(
    request: Request, session: Session, task: InspectionTask, run: InspectionRun, query: FindingQuery, number: int, kept: Mapping[str, Any]
) -> AttributePanel:
    """The panel of one finding. Raises NotFound if the inspection has it not."""
    row = findings.one(session, run.id or 0, number)
    before, behind = findings.beside(session, run.id or 0, query, number)

    def at(other: int | None) -> str | None:
        return None if other is None else url(request, "inspection", {**kept, "finding": other}, task_id=task.id)

    path = _path(request, run)
    shown = picture.feature(path, row.layer, row.feature) if path and row.feature else None
    return AttributePanel(
        row, severity_tag(row.severity), finding_state(row.state), _fields(run, row, shown), _place(row), _bounds(row), at(before), at(behind),
        _still(path, row, shown),
    )  # fmt: skip


def _path(request: Request, run: InspectionRun) -> Path | None:
    return page.office(request).files.path_of(run.picture) if run.picture else None


def fields_of(run: InspectionRun, layer: str) -> list[Mapping[str, Any]]:
    """The fields of a layer as the package declares them."""
    return next((each["fields"] for each in run.understood.get("layers", []) if each["name"] == layer), [])


def _fields(run: InspectionRun, row: InspectionFinding, shown: Shown | None) -> list[Mapping[str, Any]]:
    values = {} if shown is None else shown.values
    return [
        {
            "name": each["name"], "alias": each.get("alias") or "", "value": values.get(f"f_{place}"),
            "is_wrong": bool(row.field) and row.field.lower() == each["name"].lower(),
        }
        for place, each in enumerate(fields_of(run, row.layer))
    ] if shown is not None else []  # fmt: skip


def _place(row: InspectionFinding) -> str:
    if row.x is None or row.y is None:
        return "没有位置"
    return f"{row.x:.6f}，{row.y:.6f}" if abs(row.x) <= 360 else f"{row.x:.3f}，{row.y:.3f}"


def _bounds(row: InspectionFinding) -> str:
    return "" if row.west is None else ",".join(f"{each:.7f}" for each in (row.west, row.south, row.east, row.north))


def _still(path: Path | None, row: InspectionFinding, shown: Shown | None) -> Any:
    """The surroundings drawn by the server, for whoever has no script."""
    if path is None or row.geometry is None or row.geometry.is_empty:
        return None
    near = shapely.box(*shapely.buffer(row.geometry.centroid, NEAR_DEGREES).bounds)
    around = [each.geometry for each in picture.in_bounds(path, row.layer, near.bounds, MOST_NEAR) if _drawable(each.geometry)]
    marked = row.geometry if polygons_of(row.geometry) else shapely.buffer(row.geometry, NEAR_DEGREES / 25)
    own = [shown.geometry] if shown is not None and _drawable(shown.geometry) else []
    return sketch(f"第 {row.number} 条问题的位置", [Drawn("m-parcel m-garden", around), Drawn("m-pick", own), Drawn("m-used", [marked])], near, is_geographic=True)


def _drawable(geometry: Any) -> bool:
    return geometry is not None and not geometry.is_empty and geometry.geom_type in ("Polygon", "MultiPolygon")


def map_of(request: Request, run: InspectionRun, kept: Mapping[str, str], picked: AttributePanel | None) -> Mapping[str, Any] | None:
    """What the map script needs: where the findings and the features around come from, the bounds, what is picked."""
    if not run.picture or not run.bounds:
        return None
    data = {
        "bounds": run.bounds, "findings": url(request, "inspection_findings", kept, run_id=run.id), "features": url(request, "inspection_features", run_id=run.id),
        "at": picked.bounds if picked else "", "picked": picked.finding.number if picked else None,
    }  # fmt: skip
    return {"data": json.dumps(data, ensure_ascii=False), "picture": picked.picture if picked else None}


def layers_of(request: Request, run: InspectionRun, here: Callable[..., str]) -> list[Mapping[str, Any]]:
    """Every layer of the package with its fields and the number of its findings."""
    return [
        {**each, "table_href": here(pane="table", layer=each["name"]), "errors_href": here(pane="errors", layer=each["name"]), "checked": run.checked.get(each["name"])}
        for each in run.understood.get("layers", [])
    ]


def table_of(request: Request, run: InspectionRun, here: Callable[..., str]) -> Mapping[str, Any] | None:
    """Fifty rows of a layer as they are in the package."""
    layers = run.understood.get("layers", [])
    path = _path(request, run)
    if path is None or not layers:
        return None
    wanted = request.query_params.get("layer", "")
    layer = next((each for each in layers if each["name"] == wanted), layers[0])
    first = (max(digits(request.query_params.get("page", "")) or 1, 1) - 1) * ROWS
    rows = picture.page_of(path, layer["name"], first, ROWS)
    number = first // ROWS + 1

    def at(other: int) -> str:
        return here(layer=layer["name"], page=other)

    return {
        "layer": layer, "layers": [{"label": each["name"], "href": here(layer=each["name"]), "is_current": each["name"] == layer["name"], "count": each["count"]} for each in layers],
        "rows": rows, "first": first + 1, "last": first + len(rows), "total": layer["count"],
        "previous_href": at(number - 1) if number > 1 else None, "next_href": at(number + 1) if first + len(rows) < layer["count"] else None,
    }  # fmt: skip
