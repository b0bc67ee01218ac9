"""What the map of a task asks for: findings and features around what is seen, never a whole package at once."""

import json
from collections.abc import Iterable
from typing import Any

import shapely
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.errors import InvalidData
from domain.inspection.task import access, findings, picture
from domain.inspection.task.findings import MOST_ON_MAP, FindingQuery
from domain.inspection.task.picture import MOST_SHOWN
from views import page

NOT_KEPT = {"Cache-Control": "no-store"}


def found(request: Request) -> Response:
    """The findings that lie in the bounds of the query, as GeoJSON; `more` says that there are others."""
    given = request.query_params
    query = FindingQuery(given.get("code", ""), given.get("layer", ""), given.get("severity", ""), given.get("state", ""))
    bounds = _bounds(request)
    with page.reading(request) as session:
        _, run = access.run_of(session, page.actor(request), request.path_params["run_id"])
        rows = findings.in_bounds(session, run.id or 0, query, bounds)
    shown = [
        _feature(row.geometry, {"number": row.number, "severity": row.severity, "state": row.state, "check": row.check, "message": row.message})
        for row in rows[:MOST_ON_MAP]
    ]
    return _answer(shown, len(rows) > MOST_ON_MAP)


def around(request: Request) -> Response:
    """The features of every layer that lie in the bounds, as GeoJSON, so many as a map can show."""
    bounds = _bounds(request)
    with page.reading(request) as session:
        _, run = access.run_of(session, page.actor(request), request.path_params["run_id"])
    if not run.picture:
        return _answer([], False)
    path, shown, is_more = page.office(request).files.path_of(run.picture), [], False
    for layer in run.understood.get("layers", []):
        if layer["geometry_type"]:
            rows = picture.in_bounds(path, layer["name"], bounds)
            is_more = is_more or len(rows) > MOST_SHOWN
            shown += [_feature(each.geometry, {"layer": layer["name"], "number": each.number}) for each in rows[:MOST_SHOWN]]
    return _answer(shown, is_more)


def _feature(geometry: Any, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": json.loads(shapely.to_geojson(geometry)) if geometry is not None else None}


def _answer(shown: Iterable[dict[str, Any]], is_more: bool) -> JSONResponse:
    return JSONResponse({"type": "FeatureCollection", "features": list(shown), "more": is_more}, headers=NOT_KEPT)


def _bounds(request: Request) -> tuple[float, float, float, float]:
    parts = request.query_params.get("bounds", "").split(",")
    try:
        west, south, east, north = (float(part) for part in parts)
    except ValueError as error:
        raise InvalidData("地图范围应是四个数字：西、南、东、北。请从任务页面打开地图。") from error
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InvalidData("地图范围不是经纬度。请从任务页面打开地图。")
    return west, south, east, north
