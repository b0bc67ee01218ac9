"""Points in two systems: the form, the table with the check of its parameters, and the files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import coordinate_conversion
from domain.coordinate_conversion import TO_LOCAL, TO_NATIONAL, ZONE, ZONES, Conversion, Wanted
from domain.coordinate_given import MOST_BYTES, decoded
from domain.coordinate_output import as_boundary_file, as_workbook, frame_words, row_texts
from domain.coordinate_table import CoordinateTable, ResidualCheck
from domain.coordinate_transformation import ResidualReport
from domain.errors import InvalidData, NotAllowed, Refused
from domain.projection import system_of_srid
from domain.role import handles_cases
from views import page
from views.files import disposition
from views.posted import FieldFault, by_field, digits, faults_of, text, upload
from views.range_sketch import Drawn, sketch
from views.shell import Crumb, Link

MOST_SHOWN = 500
"""Points on the page; the files hold them all."""
LONGEST_TEXT = MOST_BYTES
WAY_LABELS = {TO_NATIONAL: "城建坐标 → 国家2000坐标", TO_LOCAL: "国家2000坐标 → 城建坐标", ZONE: "国家2000坐标换带"}
FORMS = {
    "txt": (".txt", "text/plain; charset=gb18030"),
    "xlsx": (".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
}


@dataclass(frozen=True)
class FormPage:
    """The context of coordinates/form.html."""

    ways: tuple[Mapping[str, str], ...]
    zones: tuple[Mapping[str, str], ...]
    locals: tuple[Mapping[str, str], ...]
    given: Mapping[str, str]
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str]
    mark: str
    residuals: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class ResultPage:
    """The context of coordinates/result.html; `hidden` asks for the same again, as a file."""

    facts: tuple[Mapping[str, Any], ...]
    mark: str
    residuals: tuple[Mapping[str, Any], ...]
    rows: tuple[Mapping[str, Any], ...]
    more: int
    picture: Any
    hidden: Mapping[str, str]
    has_boundary_file: bool
    back: Link


def show(request: Request) -> Response:
    """The form; what was posted, or the range of a case, converted."""
    must_handle_cases(request)
    query = request.query_params
    if request.method == "POST":
        return _answer(request, _posted(request))
    case_id, range_id = digits(query.get("case")), digits(query.get("range"))
    if case_id is not None and range_id is not None:
        return _answer(request, {**_defaults(request), "case": str(case_id), "range": str(range_id)})
    return _form(request, _defaults(request))


def file(request: Request) -> Response:
    """The converted points as 界址点 TXT or workbook; that it was taken is on record."""
    must_handle_cases(request)
    given, form = _posted(request), text(request, "form", 8)
    if form not in FORMS:
        raise InvalidData("没有这种文件。请从界址点 TXT、Excel 里选。")
    with page.writing(request) as session:
        made, name = _converted(request, session, given)
        content = as_boundary_file(made.table) if form == "txt" else as_workbook(made.table, made.check)
        what = f"case:{given['case']}" if given["case"] else f"person:{page.actor(request).person_id}"
        coordinate_conversion.take(session, page.actor(request), what, form, made)
    ending, kind = FORMS[form]
    headers = {
        "Content-Disposition": disposition("attachment", f"{name.rpartition('.')[0] or name}_转换{ending}"), "Content-Encoding": "identity",
        "Cache-Control": "private, no-store", "Content-Security-Policy": "sandbox; default-src 'none'",
    }  # fmt: skip
    return Response(content, media_type=kind, headers=headers)


def must_handle_cases(request: Request) -> None:
    """Raise NotAllowed for staff who only administer the portal."""
    if not handles_cases(page.actor(request)):
        raise NotAllowed("坐标转换由办理业务的工作人员使用。需要使用的，请联系本单位的系统管理员。")


def _defaults(request: Request) -> dict[str, str]:
    systems = page.office(request).coordinates.systems
    return {
        "way": TO_NATIONAL, "local": next(iter(systems), ""), "source_srid": str(ZONES[0]), "target_srid": str(ZONES[0]),
        "points": "", "case": "", "range": "", "name": "",
    }  # fmt: skip


def _posted(request: Request) -> dict[str, str]:
    given = {**_defaults(request)}
    for name in ("way", "local", "source_srid", "target_srid", "case", "range"):
        given[name] = text(request, name, 40) or given[name]
    return {**given, "name": text(request, "name", 200), "points": text(request, "points", LONGEST_TEXT)}


def _answer(request: Request, given: dict[str, str]) -> Response:
    try:
        with page.reading(request) as session:
            made, given["name"] = _converted(request, session, given)
    except Refused as refusal:
        return _form(request, given, (FieldFault("", refusal.message),), shows_residuals=True)
    except InvalidData as fault:
        return _form(request, given, faults_of(fault))
    context = _result(request, made, given)
    return _render(request, "result", context, "坐标对照表")


def _converted(request: Request, session: Session, given: dict[str, str]) -> tuple[Conversion, str]:
    """What was asked, converted, and the name of the file it came from; an uploaded file becomes the text that is kept."""
    wanted = Wanted(given["way"], given["local"], digits(given["source_srid"]) or 0, digits(given["target_srid"]) or 0)
    if given["case"]:
        content, name = coordinate_conversion.range_content(
            session, page.actor(request), digits(given["case"]) or 0, digits(given["range"]) or 0
        )
        return coordinate_conversion.converted(session, content, wanted), name
    content, name = _content(request, given)
    made = coordinate_conversion.converted(session, content, wanted)
    given["points"] = decoded(content)
    return made, name


def _content(request: Request, given: Mapping[str, str]) -> tuple[bytes, str]:
    posted = page.form(request).get("file") if request.method == "POST" else None
    if getattr(posted, "filename", ""):
        found = upload(request, "file")
        return found.file.read(MOST_BYTES + 1), found.filename or ""
    return given["points"].encode(), given["name"] or "粘贴的坐标"


def _form(
    request: Request, given: Mapping[str, str], faults: tuple[FieldFault, ...] = (), shows_residuals: bool = False
) -> Response:
    parameters = page.office(request).coordinates
    context = FormPage(
        tuple({"value": way, "label": label} for way, label in WAY_LABELS.items()),
        tuple({"value": str(srid), "label": system_of_srid(srid).title} for srid in ZONES),
        tuple({"value": name, "label": name} for name in parameters.systems),
        given, faults, by_field(faults), _mark(parameters.is_demonstration),
        residual_rows(parameters.residuals(parameters.systems[given["local"]])) if shows_residuals else (),
    )  # fmt: skip
    return _render(request, "form", context, "坐标转换", 422 if faults else 200)


def _mark(is_demonstration: bool) -> str:
    return "本门户现在用的是测试参数，转换结果只供试用，不得用于实际成果。" if is_demonstration else ""


def _result(request: Request, made: Conversion, given: Mapping[str, str]) -> ResultPage:
    table = made.table
    in_case = {"case_id": digits(given["case"]), "range_id": digits(given["range"])}
    back = Link("range", "回范围页", in_case) if given["case"] else Link("coordinates", "转换另一份坐标")
    kept = {name: value for name, value in given.items() if value}
    return ResultPage(
        _facts(made), _mark(table.is_demonstration), _residuals(made.check),
        tuple({"cells": row_texts(row)} for row in table.rows[:MOST_SHOWN]), max(0, len(table.rows) - MOST_SHOWN),
        _picture(table), kept, table.has_rings, back,
    )  # fmt: skip


def _facts(made: Conversion) -> tuple[Mapping[str, Any], ...]:
    table = made.table
    facts = [
        {"label": "源坐标系", "value": frame_words(table.source)}, {"label": "目标坐标系", "value": frame_words(table.target)},
        {"label": "界址点", "value": f"{len(table.rows)} 个，{len(table.given.parcels)} 个地块"},
        {"label": "转换参数", "value": table.mark or "同一基准换带，不用转换参数"},
    ]  # fmt: skip
    if made.check is not None and made.check.report is not None:
        worst = made.check.report.largest
        words = f"通过：{len(made.check.report.residuals)} 个对照点，最大偏差 {worst.length_m:.3f} 米（{worst.name}），限差 {made.check.limit_m} 米"
        facts.append({"label": "对照点检验", "value": words})
    return tuple(facts)


def _residuals(check: ResidualCheck | None) -> tuple[Mapping[str, Any], ...]:
    return residual_rows(check.report) if check is not None else ()


def residual_rows(report: ResidualReport | None) -> tuple[Mapping[str, Any], ...]:
    """The rows of a residual report: what remains east, north, (up) and in all, in metres."""
    rows = report.residuals if report is not None else ()
    return tuple(
        {"cells": {"name": each.name, "length": f"{each.length_m:.3f}", **_axes(each.differences_m)}} for each in rows
    )


def _axes(differences: Sequence[float]) -> dict[str, str]:
    return {f"d{place}": f"{value:+.3f}" for place, value in enumerate(differences)}


def _picture(table: CoordinateTable) -> Any:
    """The outlines in the target plane; None for points that make none."""
    if not table.has_rings:
        return None
    parcels = [parcel.polygon for parcel in table.converted.parcels]
    return sketch(f"{len(parcels)} 个地块的形状", [Drawn("m-pick", parcels)], shapely.MultiPolygon(parcels), is_geographic=False)


def _render(request: Request, name: str, context: Any, title: str, status: int = 200) -> Response:
    path = (Crumb("坐标转换", Link("coordinates", "坐标转换")),) if name != "form" else ()
    crumbs = (Crumb("一张图", Link("map", "一张图")), *path, Crumb(title))
    return page.render(
        request, f"coordinates/{name}.html", context, title=title, crumbs=crumbs, current="map", audience="bench", status=status
    )
