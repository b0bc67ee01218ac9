"""The current view of the map on paper: a page to look at it, and the same sheet as PDF or PNG."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import map_layer, map_print
from domain.errors import InvalidData
from domain.map_print import PrintSpec, read_print
from domain.thematic_map.content import Content
from domain.thematic_map.export import is_heavy
from domain.thematic_map.sheet import compose, scale_of
from domain.thematic_map.words import choices, paper_choices
from domain.thematic_map.writing import FORMATS, WrittenTable, in_words
from views import page, posted
from views.map_found import url
from views.posted import FieldFault
from views.shell import Crumb, Link
from views.thematic_maps.making import file_answer, svg_answer

STATE = ("layers", "order", "at", "on", "date", "days", "opacity", "q", "plot", "case")
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
    """What is said of the map and the sheet; an empty list of layers says that none is shown."""
    return {key: value for key in (*STATE, *LAYOUT) if isinstance(value := source.get(key), str) and (value or key == "layers")}


def _content(request: Request, session: Session, spec: PrintSpec, given: Mapping[str, str]) -> Content:
    actor = page.actor(request)
    return map_print.content_of(session, actor, spec, map_layer.sought(session, actor, given)[1])


def show(request: Request) -> Response:
    """The sheet with the few things that can be chosen about it; `picture` asks for the sheet itself, for paper or phone."""
    given = _given(request, request.query_params)
    if kind := request.query_params.get("picture", ""):
        return _picture(request, given, kind)
    faults: tuple[FieldFault, ...] = ()
    content: Content | None = None
    scale = ""
    try:
        spec = read_print(given)
        with page.reading(request) as session:
            content = _content(request, session, spec, given)
        scale = f"1:{scale_of(content, spec.paper, spec.orientation):,}"
    except InvalidData as fault:
        faults = posted.faults_of(fault)
    texts = {"title": content.title if content else "", "paper": "a4", "orientation": "landscape", "secrecy": "internal", **given}
    context = PrintPage(
        "打印当前地图", texts, {key: given[key] for key in STATE if key in given}, paper_choices(), choices("orientations"), choices("secrecy"),
        url(request, "map_print", {**given, "picture": "paper"}) if content else "", url(request, "map_print", {**given, "picture": "phone"}) if content else "",
        scale, tuple(in_words(each) for each in content.drawn.tables) if content else (), faults,
        url(request, "map", {key: given[key] for key in STATE if key in given}),
    )
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("打印"))
    return page.render(request, "map/print.html", context, title=context.title, crumbs=crumbs, current="map", audience="bench", status=422 if faults else 200)


def _picture(request: Request, given: Mapping[str, str], kind: str) -> Response:
    spec = read_print(given)
    with page.reading(request) as session:
        content = _content(request, session, spec, given)
    return svg_answer(compose(content, "phone" if kind == "phone" else spec.paper, spec.orientation).svg)


def export(request: Request) -> Response:
    """The sheet as a file, or a job that makes it where very much is in view."""
    given, kind = _given(request, page.form(request)), posted.text(request, "format", 8)
    if kind not in FORMATS:
        raise InvalidData("没有这种格式。请从 PDF、PNG、SVG、xlsx 里选。")
    spec = read_print(given)
    with page.reading(request) as session:
        content = _content(request, session, spec, given)
    if is_heavy(map_print.feature_count(content), kind):
        with page.writing(request) as session:
            job = map_print.request_print(session, page.actor(request), given, kind)
        return page.redirect(request, "job", job_id=job.id)
    return file_answer(map_print.written(content, spec, kind), map_print.file_name(content, kind), FORMATS[kind])
