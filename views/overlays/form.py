"""Asking for an overlay: what may be chosen, and what a posted form means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import overlay_run
from domain.actor import Actor
from domain.case import scope
from domain.case.tables import Case
from domain.case_range import LARGEST_MB, receive
from domain.district import load_account_areas
from domain.errors import InvalidData, NotAllowed, NotFound
from domain.file_store import ReceivedFile
from domain.format import moment
from domain.layer import LayerDefinition, catalogue, layer_definition
from domain.overlay.slivers import DROP, GIVE, KEEP
from domain.overlay_run import OverlayRun
from domain.overlay_run.definition import (
    CASE,
    LAYER,
    UPLOADED,
    FileRanges,
    LayerChoice,
    RunRequest,
    fields_of,
    has_areas,
)
from domain.overlay_run.sources import districts_of, read_ranges
from domain.spatial_file.reading import ACCEPTED_WORDS
from views import page
from views.declared_system import ENCODINGS, SYSTEMS, encoding_choices, system_choices
from views.posted import FieldFault, by_field, faults_of, given_texts, text, upload
from views.shell import Crumb, Link

CURRENT = "overlays"
HOME = Crumb("叠加分析", Link("overlays", "叠加分析"))
SOURCES = ((LAYER, "图层里的图形"), (UPLOADED, "上传的文件"), (CASE, "办件的范围"))
ACCEPT = ".geojson,.json,.txt,.csv,.zip,.gpkg,.kml,.kmz,.dxf,.dwg,.mdb,.xlsx"
SLIVERS = frozenset({"sliver_area_m2", "sliver_width_m"})
MORE = ("adjusts", "repairs", "sliver_treatment")
"""What opens the folded parameters when it was filled in."""
TREATMENTS = ((GIVE, "并入公共边最长的相邻部分"), (DROP, "舍去，计入未覆盖"), (KEEP, "保留，只列出"))
BAD_NUMBER = "应为大于 0 的数"


@dataclass(frozen=True)
class FormPage:
    """The context of overlays/new.html."""

    tabs: Sequence[Mapping[str, Any]]
    source: str
    layers: Sequence[Mapping[str, Any]]
    districts: Sequence[Mapping[str, str]]
    systems: Sequence[Mapping[str, str]]
    encodings: Sequence[Mapping[str, str]]
    treatments: Sequence[Mapping[str, str]]
    given: Mapping[str, str]
    chosen: frozenset[str]
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str]
    is_city: bool
    are_fields_open: bool
    is_more_open: bool
    formats: str = ACCEPTED_WORDS
    accept: str = ACCEPT
    largest_mb: int = LARGEST_MB


def new(request: Request) -> Response:
    """The form; what is posted is queued, and its page tells how far it is."""
    if request.method == "GET":
        return _form(request, (), 200)
    try:
        asked, file = _asked(request)
        with page.writing(request) as session:
            run_id = overlay_run.request(session, page.actor(request), asked, file).id
    except InvalidData as fault:
        return _form(request, faults_of(fault), 422)
    except (NotFound, NotAllowed) as fault:
        return _form(request, (FieldFault("layer", fault.message),), 422)
    return page.redirect(request, "overlay", run_id=run_id)


def open_layers(session: Session, actor: Actor) -> list[LayerDefinition]:
    """The definitions of the layers of polygons that have data and are open to the actor."""
    return [layer_definition(key) for key in catalogue.open_keys(session, actor) if has_areas(key)]


def choice_label(run: OverlayRun) -> str:
    """How a result is called where one of several is chosen; the title of a preset analysis tells when it was made."""
    told = run.note or ("" if run.scheme else moment(run.asked_at))
    return f"{run.id} 号　{run.title}" + (f"　{told}" if told else "")


def district_choices(actor: Actor) -> list[dict[str, str]]:
    """The districts that the actor may take patches of."""
    right = districts_of(actor)
    return [{"value": area.code, "label": area.name} for area in load_account_areas() if right is None or area.code in right]


def _form(request: Request, faults: tuple[FieldFault, ...], status: int) -> Response:
    actor = page.actor(request)
    given = given_texts(request) if request.method == "POST" else dict(request.query_params)
    with page.reading(request) as session:
        found = open_layers(session, actor)
    chosen = frozenset(str(each) for each in page.form(request).getlist("layers")) if request.method == "POST" else frozenset()
    errors, source = by_field(faults), given.get("source", LAYER) if given.get("source") in dict(SOURCES) else LAYER
    context = FormPage(
        tabs=[{"label": label, "href": _tab(request, value), "is_current": value == source} for value, label in SOURCES], source=source,
        layers=[
            {"value": each.key, "label": each.title, "class_field": each.class_field,
             "fields": [{"value": column.name, "label": column.label} for column in fields_of(each)]}
            for each in found
        ],
        districts=district_choices(actor), systems=system_choices(),
        encodings=encoding_choices(), treatments=[{"value": value, "label": label} for value, label in TREATMENTS],
        given=given, chosen=chosen, faults=faults, errors=errors, is_city=districts_of(actor) is None,
        are_fields_open=any(given.get(f"by_{each.key}", each.class_field) != each.class_field or f"by_{each.key}" in errors for each in found),
        is_more_open=any(given.get(name) for name in MORE) or bool(errors.keys() & SLIVERS),
    )  # fmt: skip
    crumbs = (HOME, Crumb("新的叠加分析"))
    return page.render(
        request, "overlays/new.html", context, title="新的叠加分析", current=CURRENT, crumbs=crumbs, audience="bench", status=status
    )


def _tab(request: Request, source: str) -> str:
    return request.app.state.templates.url("new_overlay", {"source": source})


def _asked(request: Request) -> tuple[RunRequest, ReceivedFile | None]:
    """What was posted. Raises InvalidData by field; a file is read here, so that its faults are told at once."""
    keys = [str(each) for each in page.form(request).getlist("layers")]
    source = text(request, "source", 16)
    case_id = _case_id(request) if source == CASE else None
    file, received = _file(request) if source == UPLOADED else (None, None)
    return RunRequest(
        title=text(request, "title", 100), note=text(request, "note", 500), source=source,
        layers=tuple(LayerChoice(key, text(request, f"by_{key}", 64)) for key in keys),
        layer=text(request, "layer", 64) if source == LAYER else "", district=text(request, "district", 12) if source == LAYER else "",
        value=text(request, "value", 64) if source == LAYER else "", case_id=case_id, file=file,
        adjusts=bool(text(request, "adjusts", 4)), repairs=bool(text(request, "repairs", 4)), **_slivers(request),
    ), received  # fmt: skip


def _slivers(request: Request) -> dict[str, str]:
    treatment = text(request, "sliver_treatment", 16)
    if not treatment:
        return {}
    limits = {name: text(request, name, 12) for name in ("sliver_area_m2", "sliver_width_m")}
    wrong = {name: BAD_NUMBER for name, value in limits.items() if value and not _is_positive(value)}
    if not any(limits.values()):
        wrong = {"sliver_area_m2": "处理碎面时，面积和宽度上限至少填一项"}
    if wrong:
        raise InvalidData("碎面规则不完整：" + "；".join(wrong.values()) + "。", wrong)
    return {"sliver_treatment": treatment, **limits}


def _is_positive(value: str) -> bool:
    whole, _, part = value.partition(".")
    return value.isascii() and whole.isdigit() and (not part or part.isdigit()) and any(digit in "123456789" for digit in value)


def _case_id(request: Request) -> int:
    number = text(request, "case", 64)
    with page.reading(request) as session:
        wanted = (Case.number == number) | (Case.draft_number == number)
        case = session.exec(scope.visible_cases(page.actor(request)).where(wanted)).first() if number else None
    if case is None:
        raise InvalidData(f"没有办件“{number}”，或它不在你的查阅范围内。请核对编号。", {"case": "没有这个办件，请核对编号"})
    return case.id


def _file(request: Request) -> tuple[FileRanges, ReceivedFile]:
    posted = upload(request, "file")
    crs, encoding = text(request, "crs", 16), text(request, "encoding", 16)
    if crs not in ("", *SYSTEMS) or encoding not in ("", *ENCODINGS):
        raise InvalidData("所选的坐标系或编码不在列表中。请从列表选择。")
    files, name = page.office(request).files, posted.filename or ""
    content = posted.file.read()
    received = receive(files, name, content)
    ranges = FileRanges(received.digest, name, crs, encoding)
    try:
        read_ranges(content, ranges, page.office(request).coordinates.systems)
    except InvalidData as fault:
        raise InvalidData(fault.message, fault.fields or {"file": fault.message}) from fault
    return ranges, received
