"""What stands above every tab of a case: title block, facts, clocks with their rulers, tabs; with what was read for it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlmodel import Session, col, func, or_, select
from starlette.requests import Request

from domain import clock, clock_words, district
from domain.actor import Actor
from domain.case import access, scope
from domain.case.columns import step_words
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseEvent, CaseLink, Material, StoredDecision, Task
from domain.case.words import code_of, status_words, words
from domain.clock import Clock, ClockEntry
from domain.document.tables import Document
from domain.escalation import Escalation
from domain.light import COLOURS
from domain.office import office_of
from domain.person import Organisation, Person
from domain.portal_clock import local_date
from rules.case_type import CaseType, StepDefinition
from views import page
from views.shell import Crumb, Link

TABS = {"work": "办理", "form": "表单", "materials": "材料", "opinions": "意见", "decisions": "规则判断", "papers": "文书",
        "links": "关联", "trail": "留痕", "snapshot": "快照"}
AFTER_THE_END = ("snapshot",)
"""Tabs that stand there only once the case is closed."""


@dataclass(frozen=True)
class CaseHead:
    """Everything templates/cases/_head.html reads."""

    case: Case
    code: str
    name: str
    eyebrow: str
    plate: tuple[str, ...]
    facts: tuple[Mapping[str, Any], ...]
    clocks: tuple[Mapping[str, Any], ...]
    tabs: tuple[Mapping[str, Any], ...]
    status: str


@dataclass
class Opened:
    """A case that was opened for reading: the rows that head and tabs share, each read once."""

    request: Request
    session: Session
    actor: Actor
    case: Case
    case_type: CaseType
    tasks: Sequence[Task]
    names: Mapping[int, str]
    """Names of those who have, or had, a task assigned to them."""
    clocks: Sequence[Clock]
    ledgers: Mapping[int, Sequence[ClockEntry]]

    @property
    def open_tasks(self) -> list[Task]:
        return [task for task in self.tasks if task.status in ("ready", "held", "waiting")]

    def own_task(self) -> Task | None:
        """The task to work at: the one named in the URL, else one in hand, else one to be claimed."""
        wanted = self.request.query_params.get("task", "")
        named = [task for task in self.open_tasks if str(task.id) == wanted]
        held = [task for task in self.open_tasks if access.holds(self.actor, task)]
        free = [task for task in self.open_tasks if task.status == "ready" and access.may_claim(self.actor, task)]
        return next(iter([*named, *held, *free]), None)

    def step(self, task: Task) -> StepDefinition:
        return self.case_type.workflow.step(task.step)

    def step_label(self, key: str) -> str:
        workflow = self.case_type.workflow
        return workflow.step(key).label if workflow.has(key) else key

    def url(self, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
        return self.request.app.state.templates.url(name, query, **params)

    def tab_url(self, tab: str, **query: Any) -> str:
        if tab == "work":
            return self.url("case", query or None, case_id=self.case.id)
        return self.url("case_tab", query or None, case_id=self.case.id, tab=tab)


def opened(request: Request, session: Session, case_id: int) -> Opened:
    """Open a case in the actor's scope. Raises NotFound."""
    actor = page.actor(request)
    case = scope.find(session, actor, case_id)
    assigned = select(Task, Person.name).outerjoin(Person, col(Person.id) == Task.assignee_id).where(Task.case_id == case.id)
    rows = session.exec(assigned.order_by(col(Task.id))).all()
    clocks, ledgers = clock.with_ledgers(session, case.id)
    return Opened(
        request=request, session=session, actor=actor, case=case, case_type=case_type_of(session, case),
        tasks=[task for task, _name in rows], names={task.assignee_id: name for task, name in rows if name},
        clocks=clocks, ledgers=ledgers,
    )


def head_of(one: Opened, tab: str) -> CaseHead:
    """The head of an opened case."""
    case, case_type, beside = one.case, one.case_type, _beside(one)
    return CaseHead(
        case=case,
        code=code_of(case),
        name=case.title or code_of(case),
        eyebrow=case_type.title,
        plate=(code_of(case), f"事项版本 {case.edition}"),
        facts=tuple(_facts(one, beside)),
        clocks=tuple(_rulers(one)),
        tabs=tuple(_tabs(one, tab, beside._mapping)),
        status=status_words(case),
    )


def _facts(one: Opened, beside: Row[Any]) -> list[Mapping[str, Any]]:
    case = one.case
    light = {"light": {"colour": case.light, "words": case.light_words}} if case.light in COLOURS else status_words(case)
    steps = step_words(case, office_of(one.session).catalogue) or status_words(case)
    facts = [{"label": "时限", "value": light}, {"label": "环节", "value": steps}, {"label": "状态", "value": status_words(case)}]
    facts.append({"label": "申请人" if case.applicant_id else "发起人", "value": beside.applicant or "—"})
    if case.district_code:
        facts.append({"label": "行政区", "value": district.district_name(case.district_code)})
    if beside.escalated_at is not None:
        facts.append({"label": "上报", "value": _escalated_words(beside.escalated_at)})
    facts.append({"label": "经办", "value": "、".join(_holders(one)) or "—"})
    return facts


def _escalated_words(since: datetime) -> str:
    return f"{local_date(since).isoformat()} 起，催办未获回应"


def _holders(one: Opened) -> list[str]:
    held = [task for task in one.open_tasks if task.assignee_id]
    return list(dict.fromkeys(one.names.get(task.assignee_id, "") for task in held))


def _rulers(one: Opened) -> list[Mapping[str, Any]]:
    """The clocks of the whole case and the open ones of steps, each with runs and its story in words."""
    chosen = [each for each in one.clocks if each.task_id is None or each.status != "finished"]
    states = clock.states_of(one.session, chosen, one.ledgers) if chosen else {}
    return [
        {
            "label": each.label, "colour": each.light or "off", "words": each.light_words or each.status,
            "runs": clock_words.ruler_runs(states[each.id]), "end_label": clock_words.end_label(states[each.id]),
            "story": clock_words.story(states[each.id]), "fault": each.fault, "is_step": each.task_id is not None,
        }
        for each in chosen
    ]


def _tabs(one: Opened, current: str, counts: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [
        {"label": label, "href": one.tab_url(key), "count": counts.get(key), "is_current": key == current}
        for key, label in TABS.items()
        if key not in AFTER_THE_END or one.case.status == "closed" or key == current
    ]


def _beside(one: Opened) -> Row[Any]:
    """The numbers on the tabs, the name of the applicant, and since when the case is escalated, in one statement."""
    case, case_id = one.case, one.case.id
    present = (Material.case_id == case_id, col(Material.replaced_by).is_(None), col(Material.removed_at).is_(None))
    organisation = select(Organisation.name).where(Organisation.id == case.organisation_id)
    person = select(Person.name).where(Person.id == (case.applicant_id or case.created_by))
    parts = {
        "materials": select(func.count()).select_from(Material).where(*present),
        "opinions": select(func.count()).select_from(CaseEvent).where(CaseEvent.case_id == case_id, CaseEvent.opinion != ""),
        "decisions": select(func.count()).select_from(StoredDecision).where(StoredDecision.case_id == case_id),
        "papers": select(func.count()).select_from(Document).where(Document.case_id == case_id),
        "links": select(func.count()).select_from(CaseLink).where(or_(CaseLink.from_id == case_id, CaseLink.to_id == case_id)),
    }
    counts = [each.scalar_subquery().label(key) for key, each in parts.items()]
    applicant = func.coalesce(organisation.scalar_subquery(), person.scalar_subquery()).label("applicant")
    escalated = select(Escalation.since).where(Escalation.case_id == case_id, Escalation.open_mark == 1)
    return one.session.execute(select(*counts, applicant, escalated.scalar_subquery().label("escalated_at"))).one()


def crumbs_of(one: Opened, *further: str) -> tuple[Crumb, ...]:
    """The path to a case, or to a page below it."""
    case_crumb = Crumb(code_of(one.case), Link("case", code_of(one.case), {"case_id": one.case.id}) if further else None)
    return (Crumb("办件", Link("cases", "办件")), case_crumb, *(Crumb(each) for each in further))


def task_words(task: Task) -> str:
    """The state of a task in words."""
    return words("task_statuses")[task.status]
