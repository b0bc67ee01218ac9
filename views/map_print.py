"""The current view of the map on paper: a page to look at it, and the same sheet as PDF or PNG."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import map_layer, map_print
from domain.case import scope
from domain.errors import InvalidData
from domain.map_layer import Place
from domain.map_print import PrintSpec, read_print
from domain.thematic_map.content import Content
from domain.thematic_map.sheet import compose, scale_of
from domain.thematic_map.words import choices, words
from domain.thematic_map.writing import FORMATS, WrittenTable, in_words, workbook, written_sheet
from views import page, posted
from views.map_found import url
from views.posted import FieldFault
from views.shell import Crumb, Link
from views.thematic_maps.making import file_answer, svg_answer

STATE = ("layers", "at", "on", "date", "opacity", "q", "plot", "case")
LAYOUT = ("title", "paper", "orientation", "secrecy")


@dataclass(frozen=True)
class PrintPage:
    """The context of map/print.html."""

    title: str
    texts: Mapping[str, str]
    carried: Mapping[str, str]
    papers: tuple[Mapping[str, str], ...]
    orientations: tuple[Mapping[str, str], ...]
    secrecy: tuple[Mapping[str, str], ...]
    picture: str
    phone_picture: str
    scale: str
    tables: tuple[WrittenTable, ...]
    faults: tuple[FieldFault, ...]
    map_href: str


def _given(request: Request, source: Mapping[str, Any]) -> dict[str, str]:
    return {key: value for key in (*STATE, *LAYOUT) if isinstance(value := source.get(key), str) and value}


def _content(request: Request, session: Session, spec: PrintSpec) -> Content:
    return map_print.content_of(session, page.actor(request), spec, _place(request, session))


def _place(request: Request, session: Session) -> Place | None:
    """What the address points out, as the map understands it: plots by number, a case within one's scope, or words."""
    query, actor = request.query_params, page.actor(request)
    if keys := [each.strip() for each in query.get("plot", "").split(",") if each.strip()]:
        return map_layer.plots_place(session, keys)
    if (number := posted.digits(query.get("case"))) is not None:
        return map_layer.case_place(session, scope.find(session, actor, number))
    words_given = query.get("q", "").strip()[:100]
    return map_layer.locate(session, actor, words_given) if words_given else None


def show(request: Request) -> Response:
    """The sheet with the few things that can be chosen about it; `format` asks for the picture or a file."""
    given = _given(request, request.query_params)
    kind = request.query_params.get("format", "")
    if kind:
        return _file(request, given, kind)
    faults: tuple[FieldFault, ...] = ()
    content: Content | None = None
    scale = ""
    try:
        spec = read_print(given)
        with page.reading(request) as session:
            content = _content(request, session, spec)
        scale = f"1:{scale_of(content, spec.paper, spec.orientation):,}"
    except InvalidData as fault:
        faults = posted.faults_of(fault)
    papers = tuple(each for each in choices("papers") if not words()["papers"][each["value"]].get("is_screen"))
    texts = {"title": content.title if content else "", "paper": "a4", "orientation": "landscape", "secrecy": "internal", **given}
    context = PrintPage(
        "打印当前地图", texts, {key: given[key] for key in STATE if key in given}, papers, choices("orientations"), choices("secrecy"),
        url(request, "map_print", {**given, "format": "svg"}) if content else "", url(request, "map_print", {**given, "format": "phone"}) if content else "",
        scale, tuple(in_words(each) for each in content.drawn.tables) if content else (), faults,
        url(request, "map", {key: given[key] for key in STATE if key in given}),
    )
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("打印"))
    return page.render(request, "map/print.html", context, title=context.title, crumbs=crumbs, current="map", audience="bench", status=422 if faults else 200)


def _file(request: Request, given: Mapping[str, str], kind: str) -> Response:
    if kind not in (*FORMATS, "phone"):
        raise InvalidData("没有这种格式。请从 PDF、PNG、SVG、xlsx 里选。")
    spec = read_print(given)
    with page.reading(request) as session:
        content = _content(request, session, spec)
    if kind == "xlsx":
        return file_answer(workbook(content, content.drawn.tables), "地图.xlsx", FORMATS[kind])
    sheet = compose(content, "phone" if kind == "phone" else spec.paper, spec.orientation)
    if kind in ("svg", "phone"):
        return svg_answer(sheet.svg)
    return file_answer(written_sheet(sheet, content, content.drawn.tables, spec.paper, spec.orientation, kind), f"地图.{kind}", FORMATS[kind])
