"""The contents of a filing: its parts with their state, to be filled in any order; reading sources again; discarding."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlmodel import col, select
from starlette.requests import Request
from starlette.responses import Response

from domain import material
from domain.case import draft, prefill, versions
from domain.case.tables import CaseEvent, Material
from domain.errors import Conflict
from domain.form import SectionView
from views import page, panels
from views.filing import filing as filings
from views.filing.filing import Filing
from views.shell import Notice

State = Literal["done", "open", "untouched", "wrong", "optional", "unchanged"]


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the filing: a section, the materials, or the handing in."""

    key: str
    label: str
    href: str
    state: State
    missing: int = 0


@dataclass(frozen=True)
class OverviewPage:
    """The context of filing/overview.html."""

    filing: Filing
    parts: tuple[Part, ...]
    check_href: str
    is_complete: bool
    missing_sources: tuple[str, ...]
    saved_at: datetime
    returned_because: str
    items: tuple[Mapping[str, Any], ...]
    panels: tuple[Mapping[str, Any], ...]
    can_discard: bool


def show(request: Request) -> Response:
    """The contents of a filing; of one that was handed in, its progress."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.task is None:
            return page.redirect(request, "track", code=filing.code)
        context = _context(filing)
        return page.render(request, "filing/overview.html", context, title=filing.case.title,
                           crumbs=filing.crumbs(""), current="my_cases", audience="public", notices=_notices(request))


def _notices(request: Request) -> tuple[Notice, ...]:
    """What the last act came to, said once at the top."""
    said = {
        "read": Notice("good", "已重新读取。", "取到的内容填在空着的项目里，你填过的没有改动。"),
        "down": Notice("warn", "来源系统仍没有应答。", "可以先手工填写，稍后再读取。"),
        "saved": Notice("good", "已存为草稿。", "可以随时回来接着填。"),
    }
    found = said.get(request.query_params.get("said", ""))
    return (found,) if found else ()


def _context(filing: Filing) -> OverviewPage:
    items = correction_items(filing)
    parts = tuple(_with_items(each, items) for each in parts_of(filing))
    step = filing.definition.workflow.step(filing.task.step)
    return OverviewPage(
        filing=filing,
        parts=parts,
        check_href=filing.url("filing_check"),
        is_complete=all(each.state in ("done", "optional") for each in parts),
        missing_sources=() if filing.is_correction else prefill.missing(filing.definition.form, filing.case),
        saved_at=filing.case.changed_at,
        returned_because=_returned_because(filing),
        items=tuple(items),
        panels=tuple(panels.shown(filing.request, filing.session, filing.case, filing.task, step.panels)),
        can_discard=filing.case.status == "draft" and filing.case.created_by == page.actor(filing.request).person_id,
    )


def _with_items(part: Part, items: list[dict[str, Any]]) -> Part:
    """A part of a correction is not done while something in it that was asked for stands as it was."""
    unchanged = sum(1 for each in items if each["part"] == part.key and not each["is_changed"])
    return replace(part, state="unchanged", missing=unchanged) if unchanged and part.state in ("done", "optional") else part


def parts_of(filing: Filing) -> tuple[Part, ...]:
    """The sections that may be changed, and the materials if some are asked for here, with their state."""
    found = [_section_part(filing, each) for each in filing.sections(filing.form.check())]
    slots = {slot.key for slot in filing.slots()}
    if slots:
        found.append(_material_part(filing, slots))
    return tuple(found)


def _section_part(filing: Filing, section: SectionView) -> Part:
    wrong = [each for each in section.all_fields() if each.error]
    missing = [each for each in wrong if not each.is_filled]
    href = filing.url("filing_section", section=section.key)
    return Part(section.key, section.label, href, _state_of(section, len(wrong), len(missing)), len(wrong) + bool(section.error))


def _state_of(section: SectionView, wrong: int, missing: int) -> State:
    is_touched = any(each.is_filled for each in section.all_fields())
    if wrong > missing or section.error:
        return "wrong"
    if wrong:
        return "open" if is_touched else "untouched"
    return "done" if is_touched else "optional"


def _material_part(filing: Filing, slots: set[str]) -> Part:
    tree = material.tree(filing.session, filing.definition, filing.case, filing.form.facts(), lambda key: key in slots)
    branches = [each for each in tree if each.slot.key in slots]
    missing = sum(each.is_missing for each in branches)
    has_files = any(each.files for each in branches)
    state: State = ("open" if has_files else "untouched") if missing else ("done" if has_files else "optional")
    return Part("materials", "", filing.url("filing_materials"), state, missing)


def _returned_because(filing: Filing) -> str:
    """The officer's words when the whole filing was returned."""
    if filing.case.status != "correction" or filing.is_correction:
        return ""
    statement = select(CaseEvent.opinion).where(CaseEvent.case_id == filing.case.id, CaseEvent.operation == "return")
    return filing.session.exec(statement.order_by(col(CaseEvent.id).desc()).limit(1)).first() or ""


def correction_items(filing: Filing) -> list[dict[str, Any]]:
    """What the officer asks to correct, each with the place where it is done, and whether it was changed since."""
    if filing.correction is None:
        return []
    before, fresh, items = _handed_in(filing), _fresh_slots(filing), []
    for item in filing.correction.items:
        if item.get("material"):
            slot = filing.definition.material(item["material"])
            place = f"{filing.url('filing_materials')}#material-{slot.key}"
            items.append({"part": "materials", "label": slot.label, "what": item["what"], "href": place, "is_changed": slot.key in fresh})
        else:
            label, section = _labelled(filing, item["field"])
            place = f"{filing.url('filing_section', section=section)}#{item['field']}"
            is_changed = filing.case.values.get(item["field"]) != before.get(item["field"])
            items.append({"part": section, "label": label, "what": item["what"], "href": place, "is_changed": is_changed})
    return items


def _handed_in(filing: Filing) -> Mapping[str, Any]:
    """The form as it was handed in last."""
    return next((each.values for each in versions.kept(filing.session, filing.case.id)), {})


def _fresh_slots(filing: Filing) -> set[str]:
    """Material slots into which a file came since the correction was asked for."""
    statement = select(Material.slot).where(
        Material.case_id == filing.case.id, Material.uploaded_at >= filing.correction.asked_at,
        col(Material.removed_at).is_(None), col(Material.replaced_by).is_(None),
    )
    return set(filing.session.exec(statement).all())


def _labelled(filing: Filing, key: str) -> tuple[str, str]:
    """Label and section of a field; a repeated section is named by its own key."""
    form = filing.definition.form
    if form.has(key):
        return form.field(key).label, form.field(key).section
    return form.section(key).label, key


def refresh(request: Request) -> Response:
    """Ask the sources of prefilled values again; what a person wrote stays."""
    actor = page.actor(request)
    with page.reading(request) as session:
        filing = filings.load(request, session)
        task_id = filing.must_be_in_hand().id
        found, down = prefill.gather(session, actor, filing.case)
    with page.writing(request) as session:
        case, _faults = draft.save(session, actor, task_id, {}, gathered=found)
    return page.redirect(request, "filing", query={"said": "down" if down else "read"}, code=case.draft_number)


@dataclass(frozen=True)
class DiscardPage:
    """The context of filing/discard.html."""

    filing: Filing


def discard(request: Request) -> Response:
    """Ask before a draft is deleted; delete it on POST."""
    with page.reading(request) as session:
        filing = filings.load(request, session)
        if filing.case.status != "draft":
            raise Conflict("申请已经提交过，不能删除。不想继续办理的，请用「撤回申请」。")
        if request.method == "GET":
            return page.render(request, "filing/discard.html", DiscardPage(filing), title="删除草稿",
                               crumbs=filing.crumbs("删除草稿"), current="my_cases", audience="public")
        case_id = filing.case.id
    with page.writing(request) as session:
        draft.discard(session, page.actor(request), case_id)
    return page.redirect(request, "my_cases", query={"said": "discarded"})
