"""Asking for an update of a layer: what may be chosen, what a posted form means; and the way back to the former edition."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from domain import layer_update
from domain.case import scope
from domain.case.tables import Case
from domain.district import load_account_areas
from domain.errors import Conflict, InvalidData, NotAllowed, Refused
from domain.file_store import CHUNK_BYTES, ReceivedFile
from domain.format import moment
from domain.inspection import schemes
from domain.layer import (
    CHANGES,
    CUT,
    REFUSE,
    LayerDefinition,
    LayerEdition,
    catalogue,
    districts_to_change,
    layer_definition,
)
from domain.layer.reading import find_edition, find_edition_on
from domain.layer.restoring import refusal_to_restore
from domain.layer_update import Grounds, StoredUpload, UpdateRequest, ways_of
from domain.layer_update.definition import (
    ANNUAL,
    AREA,
    DELETE,
    FEATURE,
    OF_THE_WHOLE,
    REGION,
    STATUS,
    TAKES_FILE,
    WHOLE,
)
from domain.portal_clock import today
from views import page
from views.declared_system import system_choices
from views.layers.words import CURRENT, crumbs
from views.map_found import url
from views.posted import FieldFault, by_field, day, faults_of, given_texts, number, text
from views.shell import Crumb

FORMATS = ("zip", "mdb", "gpkg", "geojson", "json", "kml", "kmz", "dxf", "dwg", "txt", "xlsx")
LARGEST_MB = 1024
HINTS = {
    ANNUAL: "用年度国土变更调查“一上”成果（DLTB）或整理好的年度耕地资源数据，与上一年度全量比较后统一更新",
    AREA: "范围内的原有图形转入历史，换成新图形；范围外不变",
    REGION: "一个区的原有图形转入历史，换成新图形；其他区不变",
    FEATURE: "编号相同的图形替换，其余新增",
    STATUS: "只改状态，图形和面积不变；改为历史的转入历史图层",
    DELETE: "按编号或按范围删除，转入历史图层",
    WHOLE: "全部图形换成新数据",
}
BORDERS = ((REFUSE, "拒绝，列出图形"), (CUT, "沿边界切开，范围外的部分留下，面积闭合"))
STATES = {
    "reading": ("正在读取", "info"), "ready": ("待确认", "warn"), "refused": ("不能更新", "bad"), "applying": ("正在入库", "info"),
    "applied": ("已入库", "good"), "dropped": ("已放弃", ""),
}  # fmt: skip


@dataclass(frozen=True)
class FormPage:
    """The context of layer_updates/new.html."""

    definition: LayerDefinition
    edition: LayerEdition | None
    is_generated: bool
    ways: Sequence[Mapping[str, Any]]
    way: str
    districts: Sequence[Mapping[str, str]]
    borders: Sequence[Mapping[str, str]]
    statuses: Sequence[Mapping[str, str]]
    systems: Sequence[Mapping[str, str]]
    given: Mapping[str, str]
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str]
    scheme: str
    rows: Sequence[Mapping[str, Any]]
    restore_href: str
    why_no_restore: str


@dataclass(frozen=True)
class RestorePage:
    """The context of layer_updates/restore.html."""

    definition: LayerDefinition
    facts: Sequence[Mapping[str, Any]]
    expected: int
    why_not: str
    given: str
    fault: str


def new(request: Request) -> Response:
    """The form with the updates of the layer; what is posted is queued for reading."""
    key = request.path_params["key"]
    definition = layer_definition(key)
    if request.method == "GET":
        return _form(request, definition, (), 200)
    try:
        asked, files = _asked(request)
        with page.writing(request) as session:
            grounds = _grounds(request, session)
            update_id = layer_update.request(session, page.actor(request), key, asked, grounds, files).id
    except InvalidData as fault:
        return _form(request, definition, faults_of(fault), 422)
    except (Conflict, NotAllowed) as fault:
        return _form(request, definition, (FieldFault("way", fault.message),), 409 if isinstance(fault, Conflict) else 403)
    return page.redirect(request, "layer_update", key=key, update_id=update_id)


def _form(request: Request, definition: LayerDefinition, faults: tuple[FieldFault, ...], status: int) -> Response:
    actor = page.actor(request)
    with page.reading(request) as session:
        catalogue.require(actor, definition.key)
        entry, edition = catalogue.entry(session, actor, definition.key), find_edition_on(session, definition.key)
        rows = [_row(request, each) for each in layer_update.updates_of(session, actor, definition.key)]
        given = _given(request, session)
        session.expunge_all()
    own = districts_to_change(actor)
    scheme = schemes()[definition.scheme].title if definition.scheme else ""
    ways = [{"value": way, "label": label, "hint": HINTS[way], "href": url(request, "update_layer", {"way": way}, key=definition.key)}
            for way, label in _ways(definition, own).items()]  # fmt: skip
    context = FormPage(
        definition, edition, edition.is_generated if edition else False, ways, given["way"] if given["way"] in {each["value"] for each in ways} else "",
        [{"value": each.code, "label": each.name} for each in load_account_areas() if own is None or each.code in own],
        [{"value": value, "label": label} for value, label in BORDERS], [{"value": each, "label": each} for each in definition.statuses],
        system_choices(), given, faults, by_field(faults), scheme, rows,
        url(request, "restore_layer", key=definition.key), refusal_to_restore(edition),
    )  # fmt: skip
    return page.render(
        request, "layer_updates/new.html", context, title=f"更新{definition.title}", current=CURRENT, crumbs=crumbs(entry, Crumb("更新")), audience="bench",
        status=status,
    )  # fmt: skip


def _ways(definition: LayerDefinition, own: set[str] | None) -> dict[str, str]:
    """The ways that are open: those of the whole layer to the city alone."""
    return {way: label for way, label in ways_of(definition).items() if own is None or way not in OF_THE_WHOLE}


def _given(request: Request, session: Session) -> Mapping[str, str]:
    """What was posted; at first the day of today, and the numbers that a link brought."""
    if request.method == "POST":
        return given_texts(request)
    kept = {name: value for name, value in request.query_params.items() if name in ("way", "keys", "district", "status")}
    return defaultdict(str, {"effective_on": f"{today(session):%Y-%m-%d}", "border": REFUSE, **kept})


def _row(request: Request, row: Any) -> Mapping[str, Any]:
    label, tone = STATES[row.state]
    href = url(request, "layer_update", key=row.layer_key, update_id=row.id)
    return {"cells": {
        "number": {"text": str(row.id), "href": href}, "way": {"text": CHANGES[row.way], "sub": row.reason},
        "asked": {"text": moment(row.asked_at), "sub": row.asked_by_name}, "state": {"tag": {"label": label, "tone": tone}},
        "edition": f"第 {row.edition_number} 版" if row.edition_number else "—",
    }}  # fmt: skip


def _asked(request: Request) -> tuple[UpdateRequest, list[ReceivedFile]]:
    """What was posted, with its files in the file store. Raises InvalidData by field."""
    way = text(request, "way", 16)
    takes = {"file": way in TAKES_FILE, "area": way in (AREA, DELETE)}
    found = {name: _file(request, name) for name, is_taken in takes.items() if is_taken}
    stored = {name: pair[0] for name, pair in found.items() if pair}
    asked = UpdateRequest(
        way, text(request, "district", 16) if way == REGION else "", stored.get("file"), stored.get("area"), text(request, "border", 8) or REFUSE,
        tuple(text(request, "keys", 200_000).replace(",", " ").replace("，", " ").replace("、", " ").split()) if way in (DELETE, STATUS) else (),
        text(request, "status", 32) if way == STATUS else "", text(request, "crs", 16), "",
        bool(text(request, "is_generated", 4)) if way in OF_THE_WHOLE else None,
    )  # fmt: skip
    return asked, [pair[1] for pair in found.values() if pair]


def _file(request: Request, name: str) -> tuple[StoredUpload, ReceivedFile] | None:
    """A posted file, streamed into the file store; None where none was chosen."""
    posted = page.form(request).get(name)
    if not isinstance(posted, UploadFile) or not posted.filename:
        return None
    try:
        chunks = iter(lambda: posted.file.read(CHUNK_BYTES), b"")
        received = page.office(request).files.put(chunks, posted.filename, allowed=FORMATS, largest_bytes=LARGEST_MB * 1024 * 1024)
    except InvalidData as fault:
        raise InvalidData(fault.message, {name: fault.message}) from fault
    return StoredUpload(received.digest, posted.filename), received


def _grounds(request: Request, session: Session) -> Grounds:
    effective_on = day(request, "effective_on")
    if effective_on is None:
        raise InvalidData("请填写生效日期。", {"effective_on": "请填写生效日期"})
    year = number(request, "data_year") if text(request, "way", 16) == ANNUAL else None
    return Grounds(text(request, "reason", 2000), effective_on, number(request, "expected") or 0, _case_id(request, session), year)


def _case_id(request: Request, session: Session) -> int | None:
    code = text(request, "case", 64)
    if not code:
        return None
    wanted = (Case.number == code) | (Case.draft_number == code)
    case = session.exec(scope.visible_cases(page.actor(request)).where(wanted)).first()
    if case is None:
        raise InvalidData(f"没有办件“{code}”，或它不在你的查阅范围内。请核对编号。", {"case": "没有这个办件，请核对编号"})
    return case.id


def restore(request: Request) -> Response:
    """Say what going back does; do it when that is posted."""
    if request.method == "GET":
        return _restore_page(request, "", 200)
    key = request.path_params["key"]
    try:
        with page.writing(request) as session:
            layer_update.restore(session, page.actor(request), key, number(request, "expected") or 0, text(request, "reason", 2000))
    except InvalidData as fault:
        return _restore_page(request, fault.message, 422)
    except (Conflict, Refused, NotAllowed) as fault:
        return _restore_page(request, fault.message, 409)
    return page.redirect(request, "layer_versions", key=key)


def _restore_page(request: Request, fault: str, status: int) -> Response:
    actor, definition = page.actor(request), layer_definition(request.path_params["key"])
    with page.reading(request) as session:
        entry, present = catalogue.entry(session, actor, definition.key), find_edition_on(session, definition.key)
        former = find_edition(session, definition.key, present.number - 1) if present else None
        facts = [_edition_fact("现行", present)] if present else []
        facts += [_edition_fact("回退到", former)] if former else []
    context = RestorePage(definition, facts, present.number if present else 0, refusal_to_restore(present), given_texts(request).get("reason", ""), fault)
    return page.render(
        request, "layer_updates/restore.html", context, title=f"{definition.title}回退到上一版", current=CURRENT, crumbs=crumbs(entry, Crumb("回退到上一版")),
        audience="bench", status=status,
    )  # fmt: skip


def _edition_fact(label: str, edition: LayerEdition) -> Mapping[str, Any]:
    kind = CHANGES.get(edition.change, "更新")
    year = f"，{edition.data_year} 年度" if edition.data_year else ""
    told = f"{edition.person_name or '系统'} {moment(edition.recorded_at)}，{kind}，新增 {edition.added_count:,} 个、转入历史 {edition.ended_count:,} 个"
    return {"label": label, "value": {"text": f"第 {edition.number} 版，{edition.effective_on:%Y-%m-%d} 起{year}，共 {edition.feature_count:,} 个", "sub": told}}
