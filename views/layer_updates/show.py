"""One update of a layer: what was understood, what would change, conflicts to decide, confirming, and the result."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import layer_update
from domain.case import scope
from domain.case.tables import Case
from domain.district import district_name
from domain.errors import Conflict, InvalidData, NotAllowed, Refused
from domain.format import moment, signed, thousands
from domain.job import Job
from domain.layer import CHANGES, LayerDefinition, catalogue, layer_definition
from domain.layer_update import LayerUpdate
from domain.layer_update.marks import CHOICES
from views import page
from views.layer_updates.form import STATES
from views.layers.words import CURRENT, crumbs, map_href
from views.ledger_chart import hectares
from views.map_found import url
from views.posted import text, version
from views.range_sketch import Drawn, sketch
from views.shell import Crumb, Link

KINDS = {"added": ("新增", "good"), "ended": ("转入历史", "warn"), "changed": ("改变", "info"), "cut": ("切开", "warn")}
DRAWN = (("ended", "m-built", "转入历史"), ("added", "m-paddy", "新增"), ("changed", "m-water", "改变"))
BUSY = ("reading", "applying")
MOST_NAMED = 5
_SIDES = ("before", "added", "ended", "changed", "after", "kept")


@dataclass(frozen=True)
class UpdatePage:
    """The context of layer_updates/show.html."""

    row: LayerUpdate
    head: str
    card: Mapping[str, Any] | None
    facts: Sequence[Mapping[str, Any]]
    understood: Mapping[str, Any]
    refusals: Sequence[str]
    notes: Sequence[str]
    inspection: Mapping[str, Any]
    counts: Sequence[Mapping[str, Any]]
    districts: Sequence[Mapping[str, Any]]
    total: Mapping[str, Any] | None
    items: Sequence[Mapping[str, Any]]
    listed_of: int
    conflicts: Sequence[Mapping[str, Any]]
    choices: Sequence[Mapping[str, str]]
    open_count: int
    picture: Any
    legend: Sequence[Mapping[str, str]]
    may_decide: bool
    map_href: str
    refused: str


def show(request: Request) -> Response:
    """The update; while it is read or applied, the card of the job, which asks for itself again."""
    return _page(request)


def _page(request: Request, refused: str = "", status: int = 200) -> Response:
    actor, params = page.actor(request), request.path_params
    with page.reading(request) as session:
        row = layer_update.update_of(session, actor, params["key"], params["update_id"])
        job = session.get(Job, row.job_id) if row.job_id else None
        is_busy = row.state in BUSY and job is not None and job.is_unfinished
        if page.is_htmx(request) and not is_busy:
            # The whole page says what came out, not the card alone; the update may have ended a moment before its job.
            return Response(status_code=200, headers={"HX-Refresh": "true"})
        entry = catalogue.entry(session, actor, row.layer_key)
        context = _context(request, session, row, job, refused)
        session.expunge_all()
    place = crumbs(entry, Crumb("更新", Link("update_layer", "更新", {"key": row.layer_key})), Crumb(f"第 {row.id} 号"))
    return page.render(
        request, "layer_updates/show.html", context, title=context.head, current=CURRENT, crumbs=place, audience="bench", status=status,
        block="card" if page.is_htmx(request) else None,
    )  # fmt: skip


def _context(request: Request, session: Session, row: LayerUpdate, job: Job | None, refused: str) -> UpdatePage:
    found = row.found
    is_waiting = row.state in ("ready", "refused")
    conflicts = [_conflict(each, row.decisions.get(each["key"])) for each in found.get("conflicts", ())]
    picture = _picture(found.get("shapes") or {})
    return UpdatePage(
        row=row, head=_head(layer_definition(row.layer_key), row), card=_card(request, row, job),
        facts=_facts(session, page.actor(request), row), understood=row.understood, refusals=found.get("refusals", ()) if row.state == "refused" else (),
        notes=found.get("notes", ()), inspection=found.get("inspection") or {}, counts=_counts(found),
        districts=[{"cells": _sums(district_name(each["code"]), each)} for each in found.get("districts", ())],
        total=_sums("合计", found["total"]) if len(found.get("districts", ())) > 1 else None, items=[_item(each) for each in found.get("items", ())],
        listed_of=found.get("listed_of", 0), conflicts=conflicts, choices=[{"value": key, "label": words} for key, words in CHOICES.items()],
        open_count=sum(not each["decided"] for each in conflicts), picture=picture, legend=[{"mark": mark, "label": words} for _key, mark, words in DRAWN],
        may_decide=is_waiting, map_href=map_href(request, row.layer_key), refused=refused,
    )  # fmt: skip


def _head(definition: LayerDefinition, row: LayerUpdate) -> str:
    if row.state == "applied":
        return f"{definition.title}已更新为第 {row.edition_number} 版"
    return f"{definition.title}{CHANGES[row.way]}：{STATES[row.state][0]}"


def _card(request: Request, row: LayerUpdate, job: Job | None) -> Mapping[str, Any] | None:
    """The job that is under way, or that broke off without a word on the update itself."""
    if row.state not in BUSY:
        return None
    state = job.status if job else "failed"
    return {
        "id": f"update-{row.id}", "title": job.title if job else "", "state": state, "doing": job.doing if job else "",
        "why": (job.fault if job else "") or "作业记录已清理，没有结果。请放弃这次更新，重新提交。",
        "url": url(request, "layer_update", key=row.layer_key, update_id=row.id),
        "progress": job.percent if job else None,
        "retry_url": url(request, "retry_job", job_id=job.id) if job and state in ("failed", "cancelled") else None,
    }  # fmt: skip


def _facts(session: Session, actor: Any, row: LayerUpdate) -> list[Mapping[str, Any]]:
    asked = row.asked
    case = session.exec(scope.visible_cases(actor).where(Case.id == row.case_id)).first() if row.case_id else None
    told = [
        ("方式", CHANGES[row.way] + (f"，{district_name(asked['district'])}" if asked["district"] else "")), ("理由", row.reason or "—"),
        ("依据的办件", (case.number or case.draft_number) if case else ""), ("数据年度", f"{row.data_year} 年" if row.data_year else ""),
        ("生效", f"{row.effective_on:%Y-%m-%d}"), ("提交", f"{row.asked_by_name} {moment(row.asked_at)}"),
        ("数据文件", asked["file"]["name"] if asked["file"] else ""), ("范围文件", asked["area"]["name"] if asked["area"] else ""),
        ("与之比较", f"第 {row.expected} 版" if row.expected else "图层原来没有数据"),
        ("入库", f"{row.applied_by_name} {moment(row.applied_at)}" if row.applied_at else ""),
    ]  # fmt: skip
    return [{"label": label, "value": value} for label, value in told if value]


def _counts(found: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """How many of each kind, in words for the head of the difference."""
    counts, changes = found.get("counts") or {}, found.get("changes") or {}
    words = {"kept": "不变", "added": "新增", "ended": "转入历史", "changed": "改变", "cut": "切开"}
    told = [{"label": label, "value": f"{counts[kind]:,} 个"} for kind, label in words.items() if counts.get(kind)]
    named = {"class": "地类或类别改变", "shape": "图形改变", "area": "面积改变", "district": "行政区改变", "status": "状态改变", "values": "属性改变"}
    return told + [{"label": named[kind], "value": f"{count:,} 个"} for kind, count in changes.items()]


def _sums(name: str, sums: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the table of districts: counts with hectares beneath; the change of area has its sign."""
    cells: dict[str, Any] = {"district": name}
    for side in _SIDES:
        area = Decimal(sums[side]["area"])
        told = signed(area / 10_000, 4) if side == "changed" and area else hectares(area)
        cells[side] = {"text": thousands(sums[side]["count"]), "sub": f"{told} 公顷" if sums[side]["count"] else ""}
    return cells


def _item(each: Mapping[str, Any]) -> dict[str, Any]:
    label, tone = KINDS[each["kind"]]
    sides = {side: thousands(Decimal(each[side]), 2) if each[side] is not None else "—" for side in ("before", "after")}
    return {"cells": {
        "key": each["key"], "kind": {"tag": {"label": label, "tone": tone}}, "what": each["what"] or "—",
        "district": district_name(each["district"]), **sides,
    }}  # fmt: skip


def _conflict(each: Mapping[str, Any], decision: Mapping[str, Any] | None) -> dict[str, Any]:
    after = "已不在新数据里" if each["after"] is None else f"{thousands(Decimal(each['after']), 2)} 平方米"
    decided = f"{CHOICES[decision['choice']]}：{decision['reason']}（{decision['by']} {moment(datetime.fromisoformat(decision['at']))}）" if decision else ""
    return {
        "key": each["key"], "words": each["words"], "before": f"{thousands(Decimal(each['before']), 2)} 平方米", "after": after,
        "district": district_name(each["district"]), "decided": decided, "choice": decision["choice"] if decision else "",
        "overlaps": _overlaps(each.get("overlaps", ())),
    }  # fmt: skip


def _overlaps(shared: Sequence[Sequence[str]]) -> str:
    """What would be there twice if the patch is kept, in words; the first few by name."""
    if not shared:
        return ""
    named = "、".join(f"{key}（{thousands(Decimal(area), 2)} 平方米）" for key, area in shared[:MOST_NAMED])
    more = f"等 {len(shared)} 个" if len(shared) > MOST_NAMED else ""
    return f"原图斑与新图形 {named}{more}重叠。请先核对新数据，或按新数据更新。"


def _picture(shapes: Mapping[str, Sequence[str]]) -> Any:
    layers = [Drawn(mark, [shapely.from_wkb(each) for each in shapes.get(key, ())]) for key, mark, _words in DRAWN]
    found = [shape for layer in layers for shape in layer.geometries]
    return sketch("新增、转入历史和改变的图形", layers, shapely.box(*shapely.total_bounds(found)), True) if found else None


def confirm(request: Request) -> Response:
    """Queue the applying of what was looked at."""
    return _act(request, layer_update.confirm)


def drop(request: Request) -> Response:
    """Give the update up."""
    return _act(request, layer_update.drop)


def compare_again(request: Request) -> Response:
    """Compare with the layer as it stands now."""
    return _act(request, layer_update.compare_again)


def decide(request: Request) -> Response:
    """Keep the choices for patches under a mark."""
    chosen = {name.removeprefix("choice_"): str(value) for name, value in page.form(request).items() if name.startswith("choice_") and value}
    return _act(request, layer_update.decide, chosen, text(request, "reason", 2000))


def _act(request: Request, act: Any, *args: Any) -> Response:
    key, update_id = request.path_params["key"], request.path_params["update_id"]
    try:
        with page.writing(request) as session:
            act(session, page.actor(request), key, update_id, version(request), *args)
    except (Refused, Conflict, NotAllowed, InvalidData) as fault:
        return _page(request, fault.message, 422 if isinstance(fault, InvalidData) else 409)
    return page.redirect(request, "layer_update", key=key, update_id=update_id)
