"""The panel of the outflow: the details that add up to the area, what they rest on, and how the plan pool stands."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from sqlmodel import Session
from starlette.requests import Request

from domain import case_range, outflow, portal_clock
from domain.area import sum_m2
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.ledger import active_freeze, plan_state
from domain.outflow import Outflow, OutflowRecord, OutflowRow
from views.panels import panel

MOST_ROWS = 300
COLUMNS = (
    {"key": "patch", "label": "地块或测绘报告"},
    {"key": "land_class", "label": "现状地类"},
    {"key": "protection", "label": "永久基本农田层"},
    {"key": "source", "label": "来源"},
    {"key": "area", "label": "面积（平方米）", "is_number": True},
    {"key": "paddy", "label": "其中水田（平方米）", "is_number": True},
)
SOURCES = {"report": "测绘报告", "overlay": "叠加分析"}
LAYERS = {"permanent_farmland": "永久基本农田层", "land_use": "土地利用现状层"}


@panel("outflow")
def outflow_panel(request: Request, session: Session, case: Case, _task: Task | None) -> Mapping[str, Any]:
    """The confirmed details while they hold, else what the ranges give now."""
    record = outflow.record_of(session, case.id)
    frozen = active_freeze(session, case.id)
    holds = record is not None and (frozen is not None or case.status == "closed" or _is_past(session, case, record))
    found = _recorded(record) if holds else _now(session, case)
    rows = found.rows if found else ()
    counted = [row for row in rows if row.is_counted]
    rest = [row for row in rows if not row.is_counted]
    return {
        "columns": COLUMNS,
        "counted": [_cells(request, row) for row in counted[:MOST_ROWS]], "counted_count": len(counted),
        "rest": [_cells(request, row) for row in rest[:MOST_ROWS]], "rest_m2": sum_m2(row.area_m2 for row in rest),
        "total": {"area": f"{found.area_m2:,}", "paddy": f"{found.paddy_m2:,}"} if found else None,
        "is_recorded": holds, "recorded_at": record.at if holds else None,
        "editions": [f"{LAYERS[key]}第 {each['number']} 版（{each['effective_on']} 起）" for key, each in (found.editions if found else {}).items()],
        "frozen_m2": frozen.amount if frozen else None,
        "plan": _plan(session, case),
    }


def _is_past(session: Session, case: Case, record: OutflowRecord) -> bool:
    """True while the task that confirmed the details is done and was not opened again."""
    task = session.get(Task, record.task_id) if record.task_id else None
    return task is not None and task.status == "done" and task.step not in case.steps.split(",")


def _recorded(record: OutflowRecord) -> Outflow:
    exact = ({**row, "area_m2": Decimal(row["area_m2"]), "paddy_m2": Decimal(row["paddy_m2"])} for row in record.rows)
    return Outflow(record.method, tuple(OutflowRow(**row) for row in exact), record.editions)


def _now(session: Session, case: Case) -> Outflow | None:
    """What the ranges give on today's layers; None without ranges or layers."""
    ranges = case_range.ranges_of(session, case.id)
    if not ranges or not outflow.is_loaded(session, outflow.FARMLAND_LAYER, outflow.LAND_LAYER):
        return None
    takes_reports = case_range.kind_of(case_type_of(session, case)) == case_range.SURVEY_REPORT
    return outflow.counted(session, ranges, outflow.REPORTS if takes_reports else outflow.PATCHES)


def _cells(request: Request, row: OutflowRow) -> Mapping[str, Any]:
    is_patch = row.source == "overlay"
    named = {"text": row.key, "sub": row.label} if is_patch else {"text": row.label}
    if is_patch and "map" in request.app.state.route_names:
        named["href"] = request.app.state.templates.url("map", {"plot": row.key})
    return {"cells": {
        "patch": named, "land_class": f"{row.class_code} {row.class_name}".strip() or "—", "protection": row.protection or "—",
        "source": SOURCES[row.source], "area": f"{row.area_m2:,}", "paddy": f"{row.paddy_m2:,}",
    }}


def _plan(session: Session, case: Case) -> Iterable[Mapping[str, str]]:
    """The plan pool of the case's district and year."""
    if case.district_code is None:
        return []
    year = int(case.values.get("year") or portal_clock.today(session).year)
    state = plan_state(session, case.district_code, year)
    named = (("剩余", state.remaining_m2), ("已冻结", state.frozen_m2), ("可用", state.available_m2))
    return [{"label": f"{year} 年度预存计划库{label}", "value": f"{value:,.2f} 平方米"} for label, value in named]
