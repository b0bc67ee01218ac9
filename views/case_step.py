"""The step in hand on the case page: its form, its actions and operations, the rules asked about it, its panels."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from domain import decision, linked_case, portal_clock
from domain.case import access, actions, filled_form, operations, prefill
from domain.case.tables import Task
from domain.facts import supervision_number
from domain.form import FormError, SectionView
from rules.case_type import ActionDefinition
from rules.engine import RuleError
from views import panels
from views.case_head import Opened
from views.decision_card import failed_card, fresh_card
from views.form_page import FormPage

CHILD_KINDS = ("countersign", "assist")
OPERATION_LABELS = {
    "return": "退回", "correct": "告知补正", "transfer": "转办", "assist": "委派", "countersign": "会签", "suspend": "停表",
    "terminate": "终止办理",
}


@dataclass(frozen=True)
class StepWork:
    """Everything templates/cases/_step.html reads; `task` is None for a case that is nobody's here."""

    task: Task | None
    label: str
    note: str
    state: str
    form_page: FormPage | None
    reading: tuple[SectionView, ...]
    """What was filled in before and is only read here: at this step, or at all by whoever does not hold the case."""
    actions: tuple[ActionDefinition, ...]
    reads_outside: bool
    """True if partners fill in fields of this form: they can be asked again."""
    asks_opinion: bool
    opinion: str
    operations: tuple[Mapping[str, str], ...]
    case_operations: tuple[Mapping[str, str], ...]
    decisions: tuple[Mapping[str, Any], ...]
    ask_href: str
    """Where the same rules are shown with what partners say now; empty where they need nobody outside."""
    panels: tuple[Mapping[str, Any], ...]
    others: tuple[Mapping[str, Any], ...]
    error: str = ""
    refusals: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True)
class Attempt:
    """What came of an attempt that did not succeed: the faults, what was posted, and the decisions that refused."""

    errors: Mapping[str, str]
    message: str = ""
    posted: Any = None
    refusals: tuple[Any, ...] = ()


def step_work(one: Opened, csrf_token: str | None, attempt: Attempt | None = None) -> StepWork:
    """What the person can do at this case now."""
    task = one.own_task()
    state = _state(one, task)
    is_working = state in ("held", "answer")
    offered = tuple(actions.offered(one.session, one.case, task)) if state == "held" else ()
    return StepWork(
        task=task,
        label=one.step_label(task.step) if task else "",
        note=_note(one, task, state),
        state=state,
        form_page=_form_page(one, task, csrf_token, attempt) if state == "held" else None,
        reading=_reading(one, task if is_working or state == "free" else None) if state != "suspended" else (),
        actions=offered,
        reads_outside=state == "held" and bool(prefill.outside_providers_of(one.case_type.form)),
        asks_opinion=state == "answer" or any(each.opinion != "none" for each in offered),
        opinion=_opinion(task, attempt) if is_working else "",
        operations=tuple(_operations(one, task, state)),
        case_operations=tuple(_case_operations(one)),
        decisions=tuple(_decisions(one, task, is_working)),
        ask_href=_ask_href(one, task, is_working),
        panels=tuple(panels.shown(one.request, one.session, one.case, task, _panels(one, task))),
        others=tuple(_others(one, task)),
        error=attempt.message if attempt else "",
        refusals=tuple(fresh_card(each, [rule_link(one, each.key)]) for each in (attempt.refusals if attempt else ())),
    )


def _state(one: Opened, task: Task | None) -> str:
    """free | held | answer (a countersign or assistance) | suspended | elsewhere | closed."""
    if one.case.status == "closed":
        return "closed"
    if task is None or not (access.holds(one.actor, task) or task.status == "ready"):
        return "elsewhere"
    if task.status == "ready":
        return "free" if access.may_claim(one.actor, task) else "elsewhere"
    if one.case.status == "suspended":
        return "suspended"
    if task.kind in CHILD_KINDS:
        return "answer"
    return "held" if task.kind == "step" else "elsewhere"


def _note(one: Opened, task: Task | None, state: str) -> str:
    if task is None or state in ("closed", "elsewhere"):
        return ""
    if state == "free":
        return "还没有人认领"
    if task.assignee_id != one.actor.person_id:
        return f"代{one.names.get(task.assignee_id, '')}办理"
    return "本环节由你办理"


def _form_page(one: Opened, task: Task, csrf_token: str | None, attempt: Attempt | None) -> FormPage:
    form = filled_form.bind(one.session, one.case, task)
    errors = dict(attempt.errors) if attempt else {}
    on_form = {key: text for key, text in errors.items() if not key.startswith(("_", "material-"))}
    sections = form.sections(on_form, attempt.posted if attempt and attempt.posted is not None else None)
    params = {"case_id": one.case.id, "task_id": task.id}
    return FormPage(
        sections=tuple(section for section in sections if section.is_editable),
        action=one.url("act", **params),
        errors=(*form.error_summary(on_form), *_other_errors(errors, on_form)),
        csrf_token=csrf_token,
        version=one.case.version,
        autosave_url=one.url("save_step", **params),
        is_compact=True,
        error_lead="改好后才能提交",
    )


def _reading(one: Opened, task: Task) -> tuple[SectionView, ...]:
    sections = filled_form.bind(one.session, one.case, task).sections()
    return tuple(section for section in sections if not section.is_editable)


def _panels(one: Opened, task: Task | None) -> tuple[str, ...]:
    """The panels of the step in hand; whoever only reads sees those of all steps gone through, each once."""
    if task is not None:
        return one.step(task).panels
    workflow = one.case_type.workflow
    been = [workflow.step(each.step) for each in one.tasks if workflow.has(each.step)]
    return tuple(dict.fromkeys(name for step in been for name in step.panels))


def _other_errors(errors: Mapping[str, str], on_form: Mapping[str, str]) -> tuple[FormError, ...]:
    return tuple(FormError(key, text) for key, text in errors.items() if key not in on_form)


def _opinion(task: Task | None, attempt: Attempt | None) -> str:
    if attempt and attempt.posted is not None and "_opinion" in attempt.posted:
        return str(attempt.posted["_opinion"])
    return task.draft_opinion if task else ""


def _operations(one: Opened, task: Task | None, state: str) -> list[Mapping[str, str]]:
    """What may be done with the task beside its actions, each with its own page."""
    if task is None or state not in ("held", "suspended", "free"):
        return []
    params = {"case_id": one.case.id, "task_id": task.id}
    if state == "free":
        return [_operation(one, "assign", "分派", **params)]
    if state == "suspended":
        return [_operation(one, "resume", "续办", **params)]
    allowed = [key for key in OPERATION_LABELS if key in one.step(task).operations]
    if one.case.applicant_id is None or one.case.status != "open":
        allowed = [key for key in allowed if key != "correct"]
    found = [_operation(one, key, OPERATION_LABELS[key], **params) for key in allowed]
    if task.urged_at is not None:
        found.insert(0, _operation(one, "answer_reminder", "回复催办", **params))
    if operations.may_hand_back(one.case, task) and task.role != "applicant":
        found.append(_operation(one, "hand_back", "放回待认领", **params))
    return found


def _operation(one: Opened, key: str, label: str, **params: Any) -> Mapping[str, str]:
    return {"label": label, "href": one.url("task_operation", operation=key, **params)}


def _case_operations(one: Opened) -> list[Mapping[str, str]]:
    """What may be done with the case by whoever sees it."""
    case, found = one.case, []
    if case.status in ("open", "correction") and any(each.status in ("ready", "held") for each in one.open_tasks):
        found.append(("urge", "催办"))
    if operations.recallable(one.session, one.actor, case, one.open_tasks) is not None:
        found.append(("take_back", "拿回"))
    is_filed = case.status in ("open", "correction", "suspended")
    if is_filed and operations.is_own(one.actor, case) and operations.may_withdraw(one.session, case):
        found.append(("withdraw", "撤回申请"))
    if case.status == "draft" and case.created_by == one.actor.person_id:
        found.append(("discard", "删除草稿"))
    operations_here = [
        {"label": label, "href": one.url("case_operation", case_id=case.id, operation=key)} for key, label in found
    ]
    return [*operations_here, *_linked_operations(one)]


def _linked_operations(one: Opened) -> list[Mapping[str, str]]:
    """The linked cases that may be opened from here, and the reports of a case that is reported."""
    today, url = portal_clock.today(one.session), one.url
    found = [
        {"label": f"发起{definition.short}", "href": url("open_linked", case_id=one.case.id, relation=relation)}
        for relation, definition in linked_case.openable(one.session, one.actor, one.case, today)
    ]
    if supervision_number.is_controlled(one.case_type):
        found.append({"label": "用途管制", "href": url("case_usage_control", case_id=one.case.id)})
    return found


def _decisions(one: Opened, task: Task | None, is_working: bool) -> list[Mapping[str, Any]]:
    """The rule sets that the step shows, asked with what the portal itself knows; partners are asked on request."""
    if task is None or not is_working:
        return []
    cards, asks = [], one.step(task).asks
    gathered = decision.gather_outside(one.session, one.actor, one.case, asks) if _asks_partners(one) else None
    for key in asks:
        try:
            made = decision.decide(one.session, one.actor, one.case, key, task=task, gathered=gathered)
        except RuleError as error:
            # The page stays readable; the action that asks this set is stopped by the same error.
            cards.append(failed_card(key, str(error), [rule_link(one, key)]))
        else:
            cards.append(fresh_card(made, [rule_link(one, key)]))
    return cards


def _asks_partners(one: Opened) -> bool:
    return one.request.query_params.get("ask") == "partners"


def _ask_href(one: Opened, task: Task | None, is_working: bool) -> str:
    if task is None or not is_working or _asks_partners(one):
        return ""
    try:
        needs_partners = decision.asks_outside(one.session, one.case, one.step(task).asks)
    except RuleError:
        return ""  # the card of the set says why it cannot be asked
    return one.tab_url("work", task=task.id, ask="partners") if needs_partners else ""


def rule_link(one: Opened, key: str) -> Mapping[str, str]:
    """The link from a decision to its rule set."""
    return {"href": one.url("rule", key=key), "label": "看规则"}


def _others(one: Opened, task: Task | None) -> list[Mapping[str, Any]]:
    """Everybody else's open tasks: branches, countersigns, assistance, correction."""
    return [
        {
            "label": one.step_label(each.step), "kind": each.kind, "status": each.status,
            "who": one.names.get(each.assignee_id or 0, ""), "since": each.claimed_at or each.created_at,
        }
        for each in one.open_tasks
        if task is None or each.id != task.id
    ]
