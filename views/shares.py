"""Shares of layers 成果共享: list, apply, decide, take the address or the file, withdraw."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import portal_clock
from domain.district import district_name, load_account_areas
from domain.errors import InvalidData, Refused
from domain.file_store import StoredFile
from domain.format import moment
from domain.layer import catalogue, layer_definition
from domain.layer_share import applying, service
from domain.layer_share.applying import Application
from domain.layer_share.tables import LayerShare
from domain.layer_share.words import choices, words
from views import page, posted
from views.files import file_response
from views.map_found import url
from views.paging import PAGE_SIZE, Pager, pager, place
from views.posted import FieldFault
from views.shell import Crumb, Link

TONES = {"asked": "info", "approved": "good", "refused": "bad", "withdrawn": "warn", "expired": "warn"}
USUAL_DAYS = 90


@dataclass(frozen=True)
class SharesPage:
    """The context of shares/index.html."""

    rows: tuple[Mapping[str, Any], ...]
    filters: tuple[Mapping[str, Any], ...]
    pager: Pager
    is_manager: bool
    waiting: int


@dataclass(frozen=True)
class ApplyPage:
    """The context of shares/apply.html."""

    layers: tuple[Mapping[str, str], ...]
    layer: str
    columns: tuple[Mapping[str, str], ...]
    districts: tuple[Mapping[str, str], ...]
    purposes: tuple[Mapping[str, str], ...]
    formats: tuple[Mapping[str, str], ...]
    file_kinds: tuple[Mapping[str, str], ...]
    texts: Mapping[str, str]
    chosen: Mapping[str, tuple[str, ...]]
    level: str
    faults: tuple[FieldFault, ...]


@dataclass(frozen=True)
class SharePage:
    """The context of shares/show.html; `address` is there only in the answer to taking it."""

    share: LayerShare
    title: str
    state: str
    state_words: str
    tone: str
    facts: tuple[Mapping[str, Any], ...]
    accesses: tuple[Mapping[str, Any], ...]
    access_count: int
    may_decide: bool
    may_withdraw: bool
    is_own: bool
    is_ready: bool
    address: str
    faults: tuple[FieldFault, ...]
    typed: Mapping[str, str]


def index(request: Request) -> Response:
    """The shares one may see, those that wait first."""
    status = request.query_params.get("status", "")
    status = status if status in words()["statuses"] else ""
    with page.reading(request) as session:
        actor, today = page.actor(request), portal_clock.today(session)
        found, total = applying.list_shares(session, actor, status, place(request), PAGE_SIZE)
        _some, waiting = applying.list_shares(session, actor, "asked", 0, 1)
        rows = tuple(_row(request, each, applying.state_of(each, today)) for each in found)
    filters = ({"name": "status", "label": "状态", "kind": "select", "value": status, "choices": [{"value": "", "label": "全部"}, *choices("statuses")]},)
    context = SharesPage(rows, filters, pager(request, len(found), total, "项共享"), applying.is_manager(actor), waiting)
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("成果共享"))
    return page.render(request, "shares/index.html", context, title="成果共享", crumbs=crumbs, current="map", audience="bench")


def _row(request: Request, each: LayerShare, state: str) -> Mapping[str, Any]:
    return {"cells": {
        "layer": {"text": layer_definition(each.layer_key).title, "href": url(request, "share", share_id=each.id), "sub": _area(each)},
        "applicant": each.applicant_name, "purpose": words()["purposes"][each.purpose], "format": "服务" if each.format == "service" else "下载",
        "until": each.until_on.isoformat(), "state": {"tag": {"label": words()["statuses"][state], "tone": TONES[state]}}, "asked": f"{each.asked_at:%Y-%m-%d}",
    }}


def _area(each: LayerShare) -> str:
    area = "、".join(district_name(code) for code in each.districts) or "全市"
    return f"{area}{'；类别 ' + '、'.join(each.classes) if each.classes else ''}"


def apply(request: Request) -> Response:
    """The form, and asking."""
    if request.method == "GET":
        given = {key: tuple(request.query_params.getlist(key)) for key in ("districts", "fields")}
        return _form(request, dict(request.query_params), (), given if any(given.values()) else None)
    form = page.form(request)
    chosen = {key: tuple(str(each) for each in form.getlist(key)) for key in ("districts", "fields")}
    try:
        until = posted.day(request, "until_on")
        if until is None:
            raise InvalidData("没有写截止日期。请填写。", {"until_on": "请填写截止日期"})
        asked = Application(
            posted.text(request, "layer", 64), posted.text(request, "purpose", 20), until, posted.text(request, "format", 20), chosen["districts"],
            tuple(each for each in posted.text(request, "classes", 500).replace("，", ",").split(",") if each.strip()), chosen["fields"],
            posted.text(request, "reason", 1000), posted.text(request, "file_kind", 8) or "gpkg",
        )
        with page.writing(request) as session:
            made = applying.apply(session, page.actor(request), asked)
    except InvalidData as fault:
        return _form(request, posted.given_texts(request), posted.faults_of(fault), chosen)
    except Refused as refusal:
        return _form(request, posted.given_texts(request), (FieldFault("reason", refusal.message),), chosen)
    return page.redirect(request, "share", share_id=made.id)


def _form(request: Request, texts: Mapping[str, str], faults: tuple[FieldFault, ...], chosen: Mapping[str, tuple[str, ...]] | None = None) -> Response:
    with page.reading(request) as session:
        actor, today = page.actor(request), portal_clock.today(session)
        keys = catalogue.open_keys(session, actor)
        layer = texts["layer"] if texts.get("layer") in keys else (keys[0] if keys else "")
        own, level = actor.districts(), catalogue.security_level(session, layer)
        columns = tuple({"value": column.name, "label": f"{column.label}（{column.column}）"} for column in layer_definition(layer).columns) if layer else ()
    areas = tuple({"value": each.code, "label": each.name} for each in load_account_areas())
    usual = {"districts": tuple(sorted(own)) if own else (), "fields": tuple(each["value"] for each in columns)}
    picked = usual if chosen is None else {key: chosen[key] or (usual[key] if request.method == "GET" else ()) for key in usual}
    plain = {"purpose": "planning", "format": "service", "file_kind": "gpkg", "reason": "", "classes": "", "until_on": (today + timedelta(days=USUAL_DAYS)).isoformat()}
    context = ApplyPage(
        tuple({"value": key, "label": layer_definition(key).title} for key in keys), layer, columns, areas, choices("purposes"), choices("formats"),
        choices("file_kinds"), {**plain, **texts}, picked, catalogue.words()["security_levels"][level] if layer else "", faults,
    )
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("成果共享", Link("shares", "成果共享")), Crumb("申请"))
    return page.render(request, "shares/apply.html", context, title="申请成果共享", crumbs=crumbs, current="map", audience="bench", status=422 if faults else 200)


def show(request: Request) -> Response:
    """One share: what was asked, what was decided, who used it."""
    return _show(request)


def _show(request: Request, address: str = "", faults: tuple[FieldFault, ...] = ()) -> Response:
    with page.reading(request) as session:
        actor, today = page.actor(request), portal_clock.today(session)
        found = applying.find(session, actor, request.path_params["share_id"])
        used, count = applying.accesses(session, found.id)
        state, title = applying.state_of(found, today), layer_definition(found.layer_key).title
        rows = tuple({"cells": {"at": moment(each.at), "what": words()["reads"][each.what], "count": f"{each.feature_count:,}" if each.feature_count else "—",
                                "who": "程序（凭地址）" if each.person_id is None else found.applicant_name}} for each in used)
        context = SharePage(
            found, title, state, words()["statuses"][state], TONES[state], tuple(_facts(found)), rows, count,
            may_decide=state == "asked" and applying.is_manager(actor) and found.applicant_id != actor.person_id,
            may_withdraw=state in ("asked", "approved") and (applying.is_manager(actor) or found.applicant_id == actor.person_id),
            is_own=found.applicant_id == actor.person_id, is_ready=found.file_digest is not None, address=address, faults=faults, typed=posted.given_texts(request),
        )
    crumbs = (Crumb("一张图", Link("map", "一张图")), Crumb("成果共享", Link("shares", "成果共享")), Crumb(title))
    return page.render(request, "shares/show.html", context, title=f"{title}的共享", crumbs=crumbs, current="map", audience="bench", status=422 if faults else 200)


def _facts(found: LayerShare) -> Iterator[Mapping[str, Any]]:
    labels = {column.name: column.label for column in layer_definition(found.layer_key).columns}
    yield {"label": "申请人", "value": f"{found.applicant_name}，{moment(found.asked_at)}"}
    yield {"label": "范围", "value": _area(found)}
    yield {"label": "用途", "value": words()["purposes"][found.purpose] + (f"：{found.reason}" if found.reason else "")}
    yield {"label": "方式", "value": words()["formats"][found.format] + (f"，{words()['file_kinds'][found.file_kind]}" if found.format == "download" else "")}
    yield {"label": "截止", "value": f"{found.until_on.isoformat()}（含当日）"}
    yield {"label": "字段", "value": "、".join(labels.get(each, each) for each in found.fields)}
    if found.decided_at:
        yield {"label": "审批", "value": f"{found.decided_by_name}，{moment(found.decided_at)}{'：' + found.opinion if found.opinion else ''}"}
    if found.withdrawn_at:
        yield {"label": "撤回", "value": f"{found.withdrawn_by_name}，{moment(found.withdrawn_at)}：{found.withdrawn_why}"}


def decide(request: Request) -> Response:
    """Approve or refuse, as the button says."""
    act = {"approve": applying.approve, "refuse": applying.refuse}.get(posted.text(request, "decision", 20))
    if act is None:
        raise InvalidData("没有选批准还是不批准。请点其中一个按钮。")
    try:
        with page.writing(request) as session:
            act(session, page.actor(request), request.path_params["share_id"], posted.version(request), posted.text(request, "opinion", 1000))
    except InvalidData as fault:
        return _show(request, faults=posted.faults_of(fault))
    return page.redirect(request, "share", share_id=request.path_params["share_id"])


def withdraw(request: Request) -> Response:
    """End a share with a reason."""
    try:
        with page.writing(request) as session:
            applying.withdraw(session, page.actor(request), request.path_params["share_id"], posted.text(request, "why", 1000))
    except InvalidData as fault:
        return _show(request, faults=posted.faults_of(fault))
    return page.redirect(request, "share", share_id=request.path_params["share_id"])


def take_address(request: Request) -> Response:
    """A new service address, shown in this answer alone."""
    with page.writing(request) as session:
        token = service.issue_token(session, page.actor(request), request.path_params["share_id"])
    base = page.office(request).public_url.rstrip("/")
    return _show(request, f"{base}{url(request, 'share_service', token=token)}")


def download(request: Request) -> Response:
    """The file of an approved share, for its applicant."""
    with page.writing(request) as session:
        found = service.take_download(session, page.actor(request), request.path_params["share_id"])
        digest, name = found.file_digest, found.file_name
    with page.reading(request) as session:
        return file_response(session, session.get(StoredFile, digest), name)

