"""Ranges of a case: the panel, the upload, what was understood of a file, confirming, replacing, taking away."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import case_range, range_mapping, role
from domain.area import sum_m2
from domain.case import access, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.case.words import code_of
from domain.case_range import CaseRange, RangeUpload, Understood
from domain.errors import InvalidData, NotFound, OutsideSystemDown, Refused
from domain.file_store import StoredFile
from domain.layer import features_in
from domain.layer.reading import edition_on
from domain.range_file import ProjectRange
from views import page
from views.decision_card import fresh_card
from views.declared_system import SYSTEMS, system_choices
from views.files import file_response
from views.panels import panel
from views.posted import FieldFault, by_field, digits, faults_of, given_texts, number, text, upload
from views.range_sketch import Drawn, sketch
from views.shell import Crumb, Link

MOST_POINTS = 400
"""Points listed on the page; the file holds them all."""
"""What a file without a coordinate system may be declared as; the others write it into the file."""


@dataclass(frozen=True)
class RangeRow:
    """One range as the panel lists it."""

    row: CaseRange
    href: str
    replace_href: str
    remove_href: str
    is_gone: bool


@dataclass(frozen=True)
class UploadPage:
    """The context of cases/range_upload.html."""

    base: str
    action: str
    back: Link
    is_report: bool
    replaced: CaseRange | None
    systems: tuple[Mapping[str, str], ...]
    faults: tuple[FieldFault, ...]
    given: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RangePage:
    """The context of cases/range.html: what was understood of one range."""

    base: str
    row: CaseRange
    is_report: bool
    can_change: bool
    hrefs: Mapping[str, str]
    facts: tuple[Mapping[str, Any], ...]
    findings: tuple[Mapping[str, Any], ...]
    quality: Mapping[str, Any]
    fault: str
    overlaps: tuple[tuple[str, Decimal], ...]
    other_districts: tuple[str, ...]
    picture: Any
    points: tuple[Mapping[str, str], ...]
    points_crs: str
    more_points: int
    systems: tuple[Mapping[str, str], ...]
    asks_crs: bool
    mapping: Mapping[str, Any] = field(default_factory=dict)
    refused: str = ""


@panel("range")
def range_panel(request: Request, session: Session, case: Case, task: Task | None) -> Mapping[str, Any]:
    """The ranges of a case with their total, and what was replaced or taken away."""
    rows = case_range.history_of(session, case.id)
    present = [row for row in reversed(rows) if row.removed_at is None]
    is_mine = task is not None and (access.holds(page.actor(request), task) or access.may_claim(page.actor(request), task))
    can_change = is_mine and case_range.may_change(session, case, task)
    return {
        "rows": [_row(request, case, row) for row in present],
        "gone": [_row(request, case, row) for row in rows if row.removed_at is not None],
        "is_report": case_range.kind_of(case_type_of(session, case)) == case_range.SURVEY_REPORT,
        "total_m2": sum_m2(row.area_m2 for row in present),
        "repeated_m2": case_range.repeated_m2(present),
        "can_change": can_change,
        "new_href": _url(request, "new_range", case_id=case.id),
        "map_href": _url(request, "map", {"case": case.id}) if _sees_map(request) else "",
        "frame_href": _url(request, "case_map", case_id=case.id) if _sees_map(request) and present else "",
        "csrf_token": getattr(request.state, "csrf_token", None),
    }


def _sees_map(request: Request) -> bool:
    return not page.actor(request).is_applicant and "map" in request.app.state.route_names


def _row(request: Request, case: Case, row: CaseRange) -> RangeRow:
    params = {"case_id": case.id, "range_id": row.id}
    return RangeRow(
        row, _url(request, "range", **params), _url(request, "new_range", {"replaces": row.id}, case_id=case.id),
        _url(request, "remove_range", **params), row.removed_at is not None,
    )


def _url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    return request.app.state.templates.url(name, query, **params)


def new(request: Request) -> Response:
    """The upload form, and what was posted with it."""
    if request.method == "GET":
        return _upload_page(request, ())
    try:
        row = _receive(request)
    except InvalidData as fault:
        return _upload_page(request, faults_of(fault), 422)
    return page.redirect(request, "range", case_id=row.case_id, range_id=row.id)


def _receive(request: Request) -> CaseRange:
    case_id, file = request.path_params["case_id"], upload(request, "file")
    name = file.filename or ""
    content = case_range.receive(page.office(request).files, name, file.file.read())
    given = RangeUpload(
        content, name, _declared(request), text(request, "name", 100), text(request, "report_number", 60),
        _area(request, "protected_m2"), _area(request, "paddy_m2"), number(request, "replaces"),
    )
    with page.writing(request) as session:
        return case_range.read_upload(session, page.actor(request), case_id, given)


def _declared(request: Request) -> str:
    declared = text(request, "declared_crs", 32)
    if declared and declared not in SYSTEMS:
        raise InvalidData("所选坐标系不在列表中。请从列表选择。", {"declared_crs": "请从列表选择"})
    return declared


def _area(request: Request, name: str) -> Decimal | None:
    """A posted area in m² with at most two decimals; None if it is empty: the report does not deal with it."""
    given = text(request, name, 20).replace(",", "").replace("，", "")
    if not given:
        return None
    try:
        value = Decimal(given)
    except InvalidOperation as error:
        raise InvalidData(f"面积“{given}”不是数字。请按平方米填写，保留两位小数。", {name: "不是数字"}) from error
    if not value.is_finite() or not 0 <= value < Decimal("1e10") or value != round(value, 2):
        raise InvalidData(f"面积“{given}”应不小于 0，最多两位小数。请按平方米填写。", {name: "应不小于 0，最多两位小数"})
    return value


def _upload_page(request: Request, faults: tuple[FieldFault, ...], status: int = 200) -> Response:
    case_id = request.path_params["case_id"]
    given = dict(given_texts(request)) or {"replaces": request.query_params.get("replaces", "")}
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), case_id)
        replaces = digits(given.get("replaces"))
        replaced = case_range.find_range(session, case_id, replaces) if replaces is not None else None
        context = UploadPage(
            base=_base(request), action=_url(request, "new_range", case_id=case_id), back=_back(request, case),
            is_report=case_range.kind_of(case_type_of(session, case)) == case_range.SURVEY_REPORT,
            replaced=replaced, systems=system_choices(), faults=faults, given=_filled(given, replaced), errors=by_field(faults),
        )
        crumbs = _crumbs(request, case, "上传范围")
    return page.render(request, "cases/range_upload.html", context, title="上传范围", crumbs=crumbs, status=status)


def _filled(given: Mapping[str, str], replaced: CaseRange | None) -> dict[str, str]:
    """What stands in the form: what was posted, else what the replaced report said."""
    keys = ("name", "report_number", "protected_m2", "paddy_m2")
    before = {key: "" if replaced is None or getattr(replaced, key) is None else str(getattr(replaced, key)) for key in keys}
    return {"declared_crs": "", "replaces": "", **before, **given}


def _base(request: Request) -> str:
    return "base_public.html" if page.actor(request).is_applicant else "base_bench.html"


def _back(request: Request, case: Case) -> Link:
    if page.actor(request).is_applicant:
        return Link("filing", "返回填报", {"code": case.draft_number})
    return Link("case", "返回办件", {"case_id": case.id})


def _crumbs(request: Request, case: Case, label: str) -> tuple[Crumb, ...]:
    if page.actor(request).is_applicant:
        return (Crumb("我的办件", Link("my_cases", "我的办件")), Crumb(case.title or code_of(case), _back(request, case)), Crumb(label))
    return (Crumb("办件", Link("cases", "办件")), Crumb(code_of(case), _back(request, case)), Crumb(label))


def show(request: Request) -> Response:
    """What was understood of a range: to be confirmed, or as it counts."""
    return _range_page(request)


def _range_page(request: Request, refused: str = "", status: int = 200) -> Response:
    params = request.path_params
    with page.reading(request) as session:
        actor = page.actor(request)
        case = scope.find(session, actor, params["case_id"])
        row = case_range.find_range(session, case.id, params["range_id"])
        found = case_range.understand(session, case, row)
        task = access.task_in_hand(session, actor, case)
        can_change = row.removed_at is None and case_range.may_change(session, case, task)
        context = _context(request, session, case, row, found, can_change, refused)
        crumbs = _crumbs(request, case, row.label)
    title = "核对范围" if row.confirmed_at is None else f"范围 {row.label}"
    block = "mapping" if "gis" in request.query_params and page.is_htmx(request) else None
    return page.render(request, "cases/range.html", context, title=title, crumbs=crumbs, status=status, block=block)


def _context(
    request: Request, session: Session, case: Case, row: CaseRange, found: Understood, can_change: bool, refused: str
) -> RangePage:
    points, system, more = _points(found.range)
    params = {"case_id": case.id, "range_id": row.id}
    hrefs = {key: _url(request, name, **params) for key, name in _ROUTES.items()}
    back = _back(request, case)
    hrefs["points"] = _conversion_href(request, row, found)
    hrefs |= {"back": request.app.state.templates.href(back), "again": _url(request, "new_range", case_id=case.id)}
    document = found.quality.to_json()
    return RangePage(
        base=_base(request), row=row, is_report=row.kind == case_range.SURVEY_REPORT, can_change=can_change, hrefs=hrefs,
        facts=tuple(_facts(row, found)), findings=tuple(_findings(document)), quality=fresh_card(found.quality),
        fault=(case_range.district_fault(case, found) or "") if row.confirmed_at is None else "",
        overlaps=tuple((each.label, area) for each, area in found.overlaps),
        other_districts=tuple(f"{each.area.name} {each.area_m2:,} 平方米" for each in found.shares[1:]),
        picture=_picture(session, found), points=points, points_crs=system, more_points=more, systems=system_choices(),
        asks_crs=can_change and row.confirmed_at is None and found.range.system is None, refused=refused,
        mapping=_mapping(request, session, row, found),
    )


def _conversion_href(request: Request, row: CaseRange, found: Understood) -> str:
    """Where the points of a confirmed range in a local system stand in both systems; "" for others, and for applicants."""
    is_local = found.range.detected.get("crs") in page.office(request).coordinates.systems
    is_txt = row.file_name.lower().endswith(".txt")
    if not (is_local and is_txt and row.confirmed_at and role.handles_cases(page.actor(request))):
        return ""
    return _url(request, "coordinates", {"case": row.case_id, "range": row.id})


def _mapping(request: Request, session: Session, row: CaseRange, found: Understood) -> Mapping[str, Any]:
    """Whether the range can be put on the map 落图: nothing is offered before the layers of the one map have answered."""
    params = {"case_id": row.case_id, "range_id": row.id}
    base = {
        "ask_href": _url(request, "range", {"gis": "1"}, **params), "map_href": _url(request, "range_map", **params),
        "is_usable": found.is_usable and found.range.geometry is not None, "state": "waiting", "why": "", "met": (),
    }
    if not base["is_usable"] or "gis" not in request.query_params:
        return base
    try:
        return {**base, "state": "ready", "met": range_mapping.plots_met(session, found.range.usable_geometry())}
    except OutsideSystemDown as down:
        return {**base, "state": "down", "why": down.message}


_ROUTES = {"confirm": "confirm_range", "remove": "remove_range", "declare": "declare_range", "file": "range_file"}


def _facts(row: CaseRange, found: Understood) -> Iterator[Mapping[str, Any]]:
    one = found.range
    yield {"label": "文件", "value": row.file_name}
    yield {"label": "种类", "value": "，".join(filter(None, (one.detected.get("kind"), one.detected.get("encoding"))))}
    yield {"label": "坐标系", "value": {"text": one.detected.get("crs", "未知"), "sub": _zone_words(row, one)}}
    yield {"label": "图形", "value": f"{one.part_count} 个地块，{one.ring_count} 圈，{one.point_count} 个界址点"}
    yield {"label": "面积", "value": _area_words(one)}
    if one.stated_area_m2 is not None:
        yield {"label": "文件所写面积", "value": f"{one.stated_area_m2:,.2f} 平方米"}
    if one.detected.get("note"):
        yield {"label": "读取说明", "value": one.detected["note"]}
    if found.district is not None:
        yield {"label": "所在", "value": found.district.name}


def _zone_words(row: CaseRange, one: ProjectRange) -> str:
    if one.system is None:
        return "文件没有写明，上传时也没有选定"
    said = "上传时选定" if row.declared_crs else "文件写明"
    return said


def _area_words(one: ProjectRange) -> Any:
    if one.area_m2 is None:
        return "算不出"
    hectares = (one.area_m2 / 10_000).quantize(Decimal("0.0001"))
    return {"text": f"{one.area_m2:,} 平方米", "sub": f"{hectares:,} 公顷，CGCS2000 椭球面积"}


def _findings(document: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Each rule that fired: code, what is wrong, where, what to do."""
    for fired in document["fired"]:
        values = fired["values"]
        yield {
            "tone": "bad" if fired["outcome"] == "error" else "warn", "code": values.get("code", ""), "message": fired["message"],
            "place": values.get("place", ""), "fix": values.get("fix", ""), "basis": fired["basis"],
        }


def _points(one: ProjectRange) -> tuple[tuple[Mapping[str, str], ...], str, int]:
    """The points in the coordinates of the file, ring by ring, numbered as the findings number them."""
    decimals = 3 if one.system is not None and one.system.is_projected else 8
    rows = []
    for part_number, part in enumerate(one.survey, start=1):
        rings = [] if part.is_empty else [part.exterior, *part.interiors]
        for ring_number, ring in enumerate(rings, start=1):
            for point_number, (x, y) in enumerate(shapely.get_coordinates(ring)[:-1], start=1):
                rows.append({"name": f"{part_number}-{ring_number}-{point_number}", "x": f"{x:.{decimals}f}", "y": f"{y:.{decimals}f}"})
    return tuple(rows[:MOST_POINTS]), one.detected.get("crs", "未知"), max(0, len(rows) - MOST_POINTS)


def _picture(session: Session, found: Understood) -> Any:
    """The range among the permanent farmland around it; of a range that has no valid place, its shape alone."""
    one = found.range
    if one.geometry is None or one.area_m2 is None:
        drawable = [part for part in one.survey if not part.is_empty]
        if not drawable:
            return None
        return sketch("范围的形状", [Drawn("m-pick", drawable)], shapely.MultiPolygon(drawable), is_geographic=False)
    near = shapely.box(*shapely.buffer(shapely.box(*one.geometry.bounds), 0.002).bounds)
    layers = [*_surroundings(session, near), Drawn("m-pick", [one.geometry])]
    return sketch(f"范围示意：面积 {one.area_m2} 平方米", layers, one.geometry, is_geographic=True)


def _surroundings(session: Session, near: Any) -> list[Drawn]:
    """Plots and permanent farmland of the place; nothing where these layers have not been loaded."""
    try:
        edition_on(session, "permanent_farmland")
        edition_on(session, "land_use")
    except NotFound:
        return []
    land = features_in(session, "land_use", near)
    farmland = [each.geometry for each in features_in(session, "permanent_farmland", near) if each.class_code == "永久基本农田"]
    arable = [each.geometry for each in land if each.class_code.startswith("01")]
    rest = [each.geometry for each in land if not each.class_code.startswith("01")]
    return [Drawn("m-parcel m-built", rest), Drawn("m-parcel m-paddy", arable), Drawn("m-line", farmland)]


def confirm(request: Request) -> Response:
    """Let the range count; what stands against it is said on its page."""
    params = request.path_params
    try:
        with page.writing(request) as session:
            case_range.confirm(session, page.actor(request), params["case_id"], params["range_id"])
    except Refused as refusal:
        return _range_page(request, refusal.message, 422)
    return _to_case(request)


def declare(request: Request) -> Response:
    """State the coordinate system of a file that names none."""
    params, declared = request.path_params, _declared(request)
    with page.writing(request) as session:
        case_range.declare_crs(session, page.actor(request), params["case_id"], params["range_id"], declared)
    return page.redirect(request, "range", **params)


def remove(request: Request) -> Response:
    """Take a range away, or give up one that was not confirmed."""
    params = request.path_params
    with page.writing(request) as session:
        case_range.remove(session, page.actor(request), params["case_id"], params["range_id"])
    return _to_case(request)


def _to_case(request: Request) -> Response:
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), request.path_params["case_id"])
        back = _back(request, case)
    return page.redirect(request, back.url_name, anchor="ranges", **back.params)


def file(request: Request) -> Response:
    """The file of a range as it was uploaded."""
    params = request.path_params
    with page.reading(request) as session:
        scope.find(session, page.actor(request), params["case_id"])
        row = case_range.find_range(session, params["case_id"], params["range_id"])
        return file_response(session, session.get(StoredFile, row.file_digest), row.file_name)
