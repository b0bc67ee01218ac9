"""The case page: one head, and tabs that are pages of their own."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, or_, select
from starlette.requests import Request
from starlette.responses import Response

from domain.audit import AuditEntry
from domain.audit_words import command_words, detail_words
from domain.case import access, access_rules, filled_form, papers, scope, snapshot, versions
from domain.case.tables import Case, CaseEvent, CaseLink
from domain.case.words import code_of, status_words, words
from domain.decision import decisions_of
from domain.document.register import documents_of_case
from domain.errors import NotFound
from domain.file_store import StoredFile
from domain.form import Difference
from domain.material import MaterialBranch, tree
from views import page
from views.case_ending import Ending, ending_of
from views.case_head import TABS, CaseHead, Opened, crumbs_of, head_of, opened
from views.case_step import Attempt, StepWork, rule_link, step_work
from views.case_timeline import History, timeline, turns
from views.decision_card import card, verdict
from views.files import file_response
from views.form_page import FormPage
from views.posted import digits

TRAIL_ROWS = 100


@dataclass(frozen=True)
class CaseContext:
    """What templates/cases/<tab>.html reads: the head, and what belongs to the tab alone."""

    head: CaseHead
    tab: Any


@dataclass(frozen=True)
class WorkTab:
    """办理: the step in hand, the resource tree, what happened so far."""

    work: StepWork
    ending: Ending | None
    """How the case ended; None while it is open."""
    tree: tuple[Mapping[str, Any], ...]
    events: tuple[Mapping[str, Any], ...]
    more_href: str


@dataclass(frozen=True)
class FormTab:
    """表单: the whole form to read, and what changed since the last round."""

    form_page: FormPage
    differences: tuple[Difference, ...]
    compared_with: str


@dataclass(frozen=True)
class MaterialsTab:
    """材料: every slot with its files and their versions."""

    branches: tuple[MaterialBranch, ...]
    errors: Mapping[str, str]


@dataclass(frozen=True)
class OpinionsTab:
    """意见: each step that was done, by whom, how long, with which opinion and materials, and to whom it went."""

    history: tuple[History, ...]


@dataclass(frozen=True)
class DecisionsTab:
    """规则判断: every decision kept with the case, newest first."""

    cards: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class PapersTab:
    """文书: the documents issued in this case."""

    rows: tuple[Mapping[str, Any], ...]
    issuable: tuple[Mapping[str, str], ...]


@dataclass(frozen=True)
class LinksTab:
    """关联: cases that belong to this one, as far as the person may see them."""

    rows: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class TrailTab:
    """留痕: the lines of the audit trail about this case."""

    rows: tuple[Mapping[str, Any], ...]
    next_before: int | None


@dataclass(frozen=True)
class SnapshotTab:
    """快照: the case as it was when it ended, read from its frozen file; without a digest there is none yet."""

    digest: str = ""
    at: datetime | None = None
    edition: str = ""
    outcome: str = ""
    number: str = ""
    sections: tuple[Mapping[str, Any], ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    materials: tuple[Mapping[str, Any], ...] = ()
    documents: tuple[Mapping[str, Any], ...] = ()
    decisions: tuple[Mapping[str, Any], ...] = ()
    href: str = ""


def show(request: Request) -> Response:
    """The case with the step in hand."""
    return answer(request, request.path_params["case_id"], "work")


def tab(request: Request) -> Response:
    """One of the other tabs of the case. Raises NotFound for a tab there is not."""
    wanted = request.path_params["tab"]
    if wanted not in BUILDERS:
        raise NotFound("办件没有这一页。请从标签页进入。")
    return answer(request, request.path_params["case_id"], wanted)


def answer(request: Request, case_id: int, wanted: str, attempt: Attempt | None = None, status: int = 200) -> Response:
    """A tab of the case page; with an attempt, the page says what stood against it."""
    with page.reading(request) as session:
        one = opened(request, session, case_id)
        context = CaseContext(head_of(one, wanted), BUILDERS[wanted](one, attempt))
        crumbs = crumbs_of(one) if wanted == "work" else crumbs_of(one, TABS[wanted])
    response = page.render(
        request, f"cases/{wanted}.html", context, title=f"{context.head.name} {TABS[wanted]}", crumbs=crumbs, current="cases",
        audience="bench", status=status,
    )
    if page.is_htmx(request):
        # Whatever asked, faults and refusals take the place of the whole content, where their summary gets the focus.
        response.headers.update({"HX-Retarget": "#main", "HX-Reselect": "#main", "HX-Reswap": "outerHTML"})
    return response


def _work(one: Opened, attempt: Attempt | None) -> WorkTab:
    events = _events(one)
    return WorkTab(
        work=step_work(one, getattr(one.request.state, "csrf_token", None), attempt),
        ending=ending_of(one, events),
        tree=tuple(_tree(one)),
        events=tuple(timeline(one, events[:8])),
        more_href=one.tab_url("opinions"),
    )


def _events(one: Opened) -> list[CaseEvent]:
    statement = select(CaseEvent).where(CaseEvent.case_id == one.case.id).order_by(col(CaseEvent.id).desc())
    return list(one.session.exec(statement).all())


def _branches(one: Opened) -> tuple[MaterialBranch, ...]:
    task = one.own_task()
    may_edit = _editable_slots(one, task)
    facts = filled_form.facts(one.session, one.case)
    return tree(one.session, one.case_type, one.case, facts, lambda slot: slot in may_edit)


def _editable_slots(one: Opened, task: Any) -> frozenset[str]:
    """The slots whose files the person may change now; the command asks again."""
    if task is None or not access.holds(one.actor, task) or one.case.status in ("suspended", "closed"):
        return frozenset()
    locked = access_rules.locked_to(one.session, one.case, task)
    start = one.case_type.workflow.start
    here = {slot.key for slot in one.case_type.materials if task.step in (slot.collected_in or (start,))}
    return frozenset(here if locked is None else {slot.key for slot in one.case_type.materials} & locked)


def _tree(one: Opened) -> list[Mapping[str, Any]]:
    """The resource tree: materials by slot, what is missing, and the papers."""
    branches = [_material_branch(one, branch) for branch in _branches(one)]
    wanted = sum(1 for each in branches if each["is_required"])
    papers = [
        {"label": document.label, "href": one.url("document_file", document_id=document.id), "meta": document.number or "",
         "tag": _paper_tag(document.status)}
        for document, version in documents_of_case(one.session, one.case.id)
    ]
    leaves = [leaf for each in branches for leaf in each["leaves"]]
    given = sum(1 for each in branches if each["is_required"] and not each["is_missing"])
    return [
        {"label": "申请材料", "present": given if wanted else len(leaves), **({"wanted": wanted} if wanted else {}),
         "is_open": True, "leaves": leaves},
        {"label": "过程文书", "present": len(papers), "is_open": True, "leaves": papers},
    ]


def _paper_tag(status: str) -> Mapping[str, str]:
    return {"label": "有效", "tone": "good"} if status == "issued" else {"label": "已作废", "tone": "bad"}


def _material_branch(one: Opened, branch: MaterialBranch) -> dict[str, Any]:
    leaves = [
        {"label": f"{branch.slot.label}：{each.row.name}", "href": one.url("material_file", material_id=each.row.id),
         "meta": f"第 {each.row.version_no} 版"}
        for each in branch.files
    ]
    if not leaves:
        tag = {"label": "缺", "tone": "bad"} if branch.is_required else {"label": "未交", "tone": ""}
        leaves = [{"label": branch.slot.label, "tag": tag}]
    return {"leaves": leaves, "is_required": branch.is_required, "is_missing": branch.is_missing}


def _form(one: Opened, _attempt: Attempt | None) -> FormTab:
    form = filled_form.bind(one.session, one.case, None)
    kept = versions.kept(one.session, one.case.id)
    before = kept[0] if kept and kept[0].values != one.case.values else kept[1] if len(kept) > 1 else None
    label = f"第 {before.version_no} 次保存的内容（{words('version_reasons')[before.reason]}）" if before else ""
    differences = form.differences(before.values) if before else ()
    shown = FormPage(sections=form.sections(), action="", is_compact=True)
    return FormTab(shown, differences, label)


def _materials(one: Opened, attempt: Attempt | None) -> MaterialsTab:
    return MaterialsTab(_branches(one), dict(attempt.errors) if attempt else {})


def _opinions(one: Opened, _attempt: Attempt | None) -> OpinionsTab:
    return OpinionsTab(tuple(turns(one, _events(one))))


def _decisions(one: Opened, _attempt: Attempt | None) -> DecisionsTab:
    moments = words("moments")
    cards = []
    for stored in decisions_of(one.session, one.case.id):
        again = {"href": one.url("decision_again", case_id=one.case.id, decision_id=stored.id), "label": "按当日数据重算"}
        why = {"href": one.url("rule_decision", decision_id=stored.id), "label": "每一条规则，如果……"}
        made = card(stored.document, [rule_link(one, stored.rule_set), again, why])
        cards.append({"card": made, "moment": moments.get(stored.moment, stored.moment), "at": stored.at})
    return DecisionsTab(tuple(cards))


def _papers(one: Opened, _attempt: Attempt | None) -> PapersTab:
    task = one.own_task()
    rows = [
        {
            "label": document.label, "number": document.number or "—", "version": version.version_no, "status": document.status,
            "issued_at": version.issued_at, "code": version.code, "size_bytes": version.size_bytes,
            "href": one.url("document_file", document_id=document.id),
        }
        for document, version in documents_of_case(one.session, one.case.id)
    ]
    offered = [
        {"label": spec.label, "href": one.url("issue_document", case_id=one.case.id, task_id=task.id, key=spec.key)}
        for spec in papers.issuable(one.session, one.actor, one.case, task)
    ]
    return PapersTab(tuple(rows), tuple(offered))


def _links(one: Opened, _attempt: Attempt | None) -> LinksTab:
    """Both directions in one query; what is out of scope is left out."""
    here = one.case.id
    statement = (
        select(CaseLink, Case)
        .join(Case, or_(
            (CaseLink.from_id == here) & (Case.id == CaseLink.to_id), (CaseLink.to_id == here) & (Case.id == CaseLink.from_id)
        ))
        .where(scope.visible(one.actor)).order_by(col(CaseLink.id))
    )
    return LinksTab(tuple(
        {
            "relation": words("relations").get(link.relation, link.relation), "is_from_here": link.from_id == here,
            "title": other.title or code_of(other), "href": one.url("case", case_id=other.id), "code": code_of(other),
            "status": status_words(other), "created_at": link.created_at,
        }
        for link, other in one.session.exec(statement).all()
    ))


def _trail(one: Opened, _attempt: Attempt | None) -> TrailTab:
    before = digits(one.request.query_params.get("before"))
    statement = select(AuditEntry).where(AuditEntry.subject == f"case:{one.case.id}").order_by(col(AuditEntry.id).desc())
    if before is not None:
        statement = statement.where(col(AuditEntry.id) < before)
    found = one.session.exec(statement.limit(TRAIL_ROWS + 1)).all()
    rows = tuple(
        {"at": each.at, "who": each.person_name, "command": each.command, "words": command_words(each.command),
         "digest": each.digest, "detail": detail_words(_in_words_of_the_case(one, each.detail))}
        for each in found[:TRAIL_ROWS]
    )  # fmt: skip
    return TrailTab(rows, found[TRAIL_ROWS - 1].id if len(found) > TRAIL_ROWS else None)


def _in_words_of_the_case(one: Opened, detail: Mapping[str, Any]) -> Mapping[str, Any]:
    """Steps, actions and fields by the labels of the case type."""
    workflow, step = one.case_type.workflow, detail.get("step")
    actions = {each.key: each.label for each in workflow.step(step).actions} if step and workflow.has(step) else {}
    labels = {field.key: field.label for field in one.case_type.form.fields()}
    said = dict(detail)
    for key in ("step", "to_step"):
        if isinstance(said.get(key), str):
            said[key] = one.step_label(said[key])
    if said.get("operation") in actions:
        said["operation"] = actions[said["operation"]]
    if isinstance(said.get("clock"), str):
        said["clock"] = _clock_words(one, said["clock"])
    if isinstance(said.get("fields"), list):
        said["fields"] = [labels.get(name, name) for name in said["fields"]]
    return said


def _clock_words(one: Opened, key: str) -> str:
    """What a clock is called; that of a step is written `step:` and the step, an instalment's has its number behind."""
    kind, _, rest = key.partition(":")
    if kind == "step":
        return f"{one.step_label(rest)}环节"
    labels = {each.key: each.label for each in one.case_type.clocks}
    return labels.get(kind, key) + (f"（第 {rest} 期）" if rest and kind in labels else "")


def _snapshot(one: Opened, _attempt: Attempt | None) -> SnapshotTab:
    """What was frozen when the case ended: told from the file alone, not from what the tables say today."""
    row = snapshot.of_case(one.session, one.case.id)
    if row is None:
        return SnapshotTab()
    kept = snapshot.read(one.session, row)
    labels = {each.key: each.label for each in one.case_type.workflow.steps}
    return SnapshotTab(
        digest=row.digest, at=row.at, edition=kept["case_type"]["edition"], outcome=words("outcomes").get(kept["case"]["outcome"], ""),
        number=kept["case"]["number"] or kept["case"]["draft_number"], sections=_frozen_form(kept["form"]),
        history=tuple(
            each | {"step": labels.get(each["step"], each["step"] or "—"), "at": datetime.fromisoformat(each["at"])}
            for each in kept["history"]
        ),
        materials=tuple(each for each in kept["materials"] if each["replaced_by"] is None and each["removed_at"] is None),
        documents=_frozen_documents(kept), decisions=tuple(each | {"verdict": verdict(each["document"])} for each in kept["decisions"]),
        href=one.url("case_snapshot", case_id=one.case.id),
    )


def _frozen_form(sections: Sequence[Any]) -> tuple[Mapping[str, Any], ...]:
    """The sections with their rows; the first format kept each as one text."""
    return tuple({"label": each, "rows": (), "entries": ()} if isinstance(each, str) else each for each in sections)


def _frozen_documents(kept: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    digests = {(each["document_id"], each["version_no"]): each["digest"] for each in kept["document_versions"]}
    return tuple(each | {"digest": digests.get((each["id"], each["current_version"]), "")} for each in kept["documents"])


def snapshot_file(request: Request) -> Response:
    """The snapshot as it was frozen, byte for byte, to be kept elsewhere. Raises NotFound for a case that still runs."""
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), request.path_params["case_id"])
        row = snapshot.of_case(session, case.id)
        if row is None:
            raise NotFound("办件还没有结束，没有快照。办结后可在「快照」页查看。")
        return file_response(session, session.get(StoredFile, row.digest), f"快照 {code_of(case)}.json")


BUILDERS: Mapping[str, Callable[[Opened, Attempt | None], Any]] = {
    "work": _work, "form": _form, "materials": _materials, "opinions": _opinions, "decisions": _decisions, "papers": _papers,
    "links": _links, "trail": _trail, "snapshot": _snapshot,
}
