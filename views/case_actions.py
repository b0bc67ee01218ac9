"""Working at a step: save what was typed, claim, take an action, issue a paper; refusals come back on the case page."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from domain import decision, portal_clock
from domain.case import access, access_rules, actions, draft, operations, papers, prefill, scope
from domain.case.definition import case_type_of
from domain.case.opinion import keep_draft
from domain.case.tables import Case, StoredDecision, Task
from domain.case.words import code_of
from domain.errors import InvalidData, NotFound, OutsideSystemDown, PortalError, Refused
from domain.facts import PROVIDERS
from rules.case_type import ActionDefinition
from rules.engine import EditionUnknown
from views import case, page
from views.case_head import crumbs_of, opened
from views.case_step import Attempt
from views.decision_card import card
from views.posted import digits
from views.shell import Crumb, Link


@dataclass(frozen=True)
class ConfirmContext:
    """What templates/cases/confirm.html reads."""

    question: str
    consequence: str
    opinion: str
    action: str
    verb: str
    keep_href: str
    task_version: int


@dataclass(frozen=True)
class AgainContext:
    """What templates/cases/decision.html reads: a kept decision, and what the same inputs give now."""

    code: str
    kept: dict[str, Any]
    again: dict[str, Any] | None
    is_same: bool
    fault: str


def save(request: Request) -> Response:
    """Save form and opinion as far as they go; a fragment for the autosave, the page for a button."""
    try:
        version, faults = _save(request)
    except PortalError as fault:
        if page.is_htmx(request):
            return _saved_fragment(request, "refused", why=fault.message)
        raise
    if page.is_htmx(request):
        why = next(iter(faults.values()), "")
        return _saved_fragment(request, "refused" if faults else "saved", why=why, version=version)
    if faults:
        return _back(request, Attempt(faults, "", page.form(request)))
    return page.redirect(request, "case", case_id=request.path_params["case_id"])


def _saved_fragment(request: Request, state: str, *, why: str = "", version: int | None = None) -> HTMLResponse:
    context = {"state": state, "at": portal_clock.now(), "why": why, "version": version}
    return page.render(request, "cases/saved.html", context, title="保存", audience="bench")


def _save(request: Request) -> tuple[int | None, dict[str, str]]:
    """Save the posted opinion and the posted fields; the case's version now, and the faults by field."""
    given, task_id = page.form(request), request.path_params["task_id"]
    actor, version = page.actor(request), digits(given.get("_version"))
    if "_opinion" in given:
        with page.writing(request) as session:
            keep_draft(session, actor, task_id, str(given["_opinion"]))
    if not any(not key.startswith("_") and key != "csrf_token" for key in given) and not _presses(given):
        return version, {}
    with page.writing(request) as session:
        saved, faults = draft.save(session, actor, task_id, given, case_version=version)
    if not faults and not page.is_htmx(request) and not _changes_groups(given):
        saved = _read_partners(request, saved, must_answer="_refresh" in given)
    return saved.version, faults


def _presses(given: Any) -> bool:
    """True if a button that changes the form was pressed: of a repeated section, or to read the sources again."""
    return _changes_groups(given) or "_refresh" in given


def _changes_groups(given: Any) -> bool:
    return any(key in given for key in ("_add", "_remove", "_up", "_down"))


def _read_partners(request: Request, saved: Case, *, must_answer: bool) -> Case:
    """Ask the partners that fill in fields of this step with what was just saved; an autosave asks nobody.

    A partner that is down leaves its fields as they were; OutsideSystemDown only where a person asked for the reading.
    """
    actor, task_id = page.actor(request), request.path_params["task_id"]
    with page.reading(request) as session:
        task, found = access.find_task(session, actor, task_id)
        if not _is_fed(session, found, task):
            return saved
        gathered, down = prefill.gather(session, actor, found)
    if must_answer and down:
        names = "、".join(PROVIDERS[name].title for name in down)
        raise OutsideSystemDown(f"{names}没有答复，没有读取到新的数据，办件没有改动。请稍后再点「重新读取」。")
    if not gathered:
        return saved
    with page.writing(request) as session:
        return draft.save(session, actor, task_id, {}, gathered=gathered)[0]


def _is_fed(session: Any, found: Case, task: Task) -> bool:
    """True if a partner fills in a field of a section that this step works at."""
    definition = case_type_of(session, found)
    here = access_rules.editable_sections(definition, task)
    sources = [field.prefill or field.computed for field in definition.form.fields() if field.section in here]
    return any(source is not None and PROVIDERS[source.provider].is_outside for source in sources)


def act(request: Request) -> Response:
    """Take an action: what was typed is saved first, then gates are asked; an action that warns asks once more."""
    given, task_id = page.form(request), request.path_params["task_id"]
    if "_action" not in given:
        return _save_and_stay(request)
    try:
        _version, faults = _save(request)
        if faults:
            return _back(request, Attempt(faults, "有内容没有保存，改好后再提交。", given))
        asked = _asked(request, task_id, str(given["_action"]))
        if asked.confirm:
            return page.redirect(
                request, "confirm_action", case_id=request.path_params["case_id"], task_id=task_id, action=asked.key
            )
        done = _take(request, asked.key, str(given.get("_opinion", "")), digits(given.get("_task_version")))
    except (Refused, InvalidData) as refused:
        return _back(request, _attempt(refused, given))
    return _arrived(request, done)


def _save_and_stay(request: Request) -> Response:
    """A button of the form that is no action: 保存, or one of a repeated section."""
    _version, faults = _save(request)
    if faults:
        return _back(request, Attempt(faults, "", page.form(request)))
    return page.redirect(request, "case", case_id=request.path_params["case_id"])


def _asked(request: Request, task_id: int, key: str) -> ActionDefinition:
    with page.reading(request) as session:
        task, found = access.find_task(session, page.actor(request), task_id)
        return actions.action_of(case_type_of(session, found).workflow.step(task.step), key)


def _take(request: Request, key: str, opinion: str, task_version: int | None) -> Case:
    """Partners and renderer first, without a transaction; then the action in one."""
    actor, task_id = page.actor(request), request.path_params["task_id"]
    with page.reading(request) as session:
        gathered = actions.outside_facts(session, actor, task_id, key)
        prepared = _prepared(session, actor, task_id, key)
    with page.writing(request) as session:
        return actions.take_action(
            session, actor, task_id, key, opinion=opinion, task_version=task_version, gathered=gathered, prepared=prepared
        )


def _prepared(session: Any, actor: Any, task_id: int, key: str) -> dict[str, Any]:
    """Papers rendered before the transaction. A paper that lacks data is left to the action, which says what is missing."""
    try:
        return actions.papers_beforehand(session, actor, task_id, key)
    except InvalidData:
        return {}


def _attempt(refused: Refused | InvalidData, given: Any) -> Attempt:
    if isinstance(refused, Refused):
        return Attempt({}, refused.message, given, refused.decisions)
    fields = {("_opinion" if key == "opinion" else key): text for key, text in refused.fields.items()}
    return Attempt(fields, refused.message, given)


def _back(request: Request, attempt: Attempt) -> Response:
    return case.answer(request, request.path_params["case_id"], "work", attempt, 422)


def _arrived(request: Request, done: Case) -> Response:
    """Where one goes on: the next task of the case if it is one's own, else the desk."""
    with page.reading(request) as session:
        mine = access.held_task(session, page.actor(request), done)
    if mine is not None or done.status == "closed":
        return page.redirect(request, "case", case_id=done.id)
    return page.redirect(request, "desk", query={"box": "todo"})


def confirm(request: Request) -> Response:
    """The question before an action with consequences, and the action after it."""
    task_id, key = request.path_params["task_id"], request.path_params["action"]
    if request.method == "POST":
        given = page.form(request)
        try:
            done = _take(request, key, str(given.get("_opinion", "")), digits(given.get("_task_version")))
        except (Refused, InvalidData) as refused:
            return _back(request, _attempt(refused, given))
        return _arrived(request, done)
    with page.reading(request) as session:
        one = opened(request, session, request.path_params["case_id"])
        task, _found = access.find_task(session, one.actor, task_id)
        action = actions.action_of(one.step(task), key)
        params = {"case_id": one.case.id, "task_id": task_id}
        context = ConfirmContext(
            question=f"{action.label}：{one.case.title or code_of(one.case)}", consequence=action.confirm,
            opinion=task.draft_opinion, action=one.url("confirm_action", action=key, **params), verb=action.label,
            keep_href=one.url("case", case_id=one.case.id), task_version=task.version,
        )
        crumbs = crumbs_of(one, action.label)
    return page.render(
        request, "cases/confirm.html", context, title=context.question, crumbs=crumbs, current="cases", audience="bench"
    )


def claim(request: Request) -> Response:
    """Take a task from the pool and go to its case."""
    with page.writing(request) as session:
        task = operations.claim(session, page.actor(request), request.path_params["task_id"])
    return page.redirect(request, "case", query={"task": task.id}, case_id=task.case_id)


def issue(request: Request) -> Response:
    """Issue one document by hand at the step in hand."""
    case_id, task_id, key = (request.path_params[name] for name in ("case_id", "task_id", "key"))
    try:
        with page.writing(request) as session:
            papers.issue_document(session, page.actor(request), task_id, key)
    except (Refused, InvalidData) as refused:
        return _back(request, _attempt(refused, None))
    return page.redirect(request, "case_tab", case_id=case_id, tab="papers")


def decision_again(request: Request) -> Response:
    """Ask the edition that decided once more with the facts of that day: the same inputs give the same answer."""
    with page.reading(request) as session:
        found = scope.find(session, page.actor(request), request.path_params["case_id"])
        kept = session.get(StoredDecision, request.path_params["decision_id"])
        if kept is None or kept.case_id != found.id:
            raise NotFound("没有这次判断，或它不属于这个办件。请从「规则判断」进入。")
        context = _again(session, code_of(found), kept)
    crumbs = (Crumb("办件", Link("cases", "办件")), Crumb(context.code, Link("case", context.code, {"case_id": found.id})),
              Crumb("重算"))
    return page.render(
        request, "cases/decision.html", context, title="按当日数据重算", crumbs=crumbs, current="cases", audience="bench"
    )


def _again(session: Any, code: str, kept: StoredDecision) -> AgainContext:
    shown = card(kept.document)
    try:
        made = decision.again(session, kept)
    except EditionUnknown:
        return AgainContext(code, shown, None, False, "当时的规则版本现在没有装载，不能重算。请规则维护人员把这一版放回规则目录。")
    again = made.to_json()
    is_same = all(again[key] == kept.document[key] for key in ("outcome", "message", "values", "considered"))
    return AgainContext(code, shown, card(again), is_same, "")
