"""Escalation 上报 of reminders that nobody answered: judged by a rule set, on the event and every night.

What the rules say of a case is compared with the mark it bears: a mark is set, or taken away, exactly once, with the
decision, a line of history and notices in the same transaction. Nothing irreversible follows from it, so working
days of a year without an official table count as estimated.
"""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, or_, select
from sqlmodel.sql.expression import SelectOfScalar

from domain import decision, notice, role, rule_trouble
from domain.actor import SYSTEM
from domain.case import history, movement
from domain.case.scope import visible_cases
from domain.case.tables import Case, CaseEvent, Task
from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work, command, system_only
from domain.decision import ENGINE_FAULTS
from domain.facts import PROVIDERS
from domain.office import office_of
from domain.person import actor_of
from domain.recipient import holders, roles_in
from domain.reminder import settings
from domain.rule_trouble import DECISION, Found
from rules.engine import Decision, RuleError

log = logging.getLogger(__name__)
KIND, RULE_SET, PROVIDER = "light", "reminder_escalation", "reminders"
PAGE_CASES = 100
FAULTS = (RuleError, *ENGINE_FAULTS)
"""What a question to the rules may end in instead of an answer."""


class Escalation(SQLModel, table=True):
    """One time that a case was escalated: since when, who was told, and when it was answered."""

    __tablename__ = "escalation"
    __table_args__ = (
        # NULL differs from NULL, so that of the marks of a case at most one is open.
        UniqueConstraint("case_id", "open_mark", name="uq_escalation_open"),
        Index("ix_escalation_open", "open_mark", "case_id"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    open_mark: int | None = 1
    """1 while it lasts, None afterwards."""
    since: datetime = Field(sa_column=moment_column())
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    roles: str = Field(default="", sa_column=code_column(length=200))
    told: int = 0
    message: str = ""
    decision_id: int | None = Field(default=None, sa_type=BIG_ID)
    end_decision_id: int | None = Field(default=None, sa_type=BIG_ID)


def open_escalation(session: Session, case_id: int) -> Escalation | None:
    """The mark that a case bears now."""
    return session.exec(select(Escalation).where(Escalation.case_id == case_id, Escalation.open_mark == 1)).first()


def judge(session: Session, case: Case) -> Decision:
    """What the rule set of today says of the reminders of a case. Raises RuleError."""
    ask = decision.ask_about(session, SYSTEM, case)
    facts = PROVIDERS[PROVIDER].get(ask)
    return office_of(session).book.decide(KIND, RULE_SET, facts, on=ask.today, subject=f"case:{case.id}")


def settle(work: Work, case: Case, made: Decision, moment: str) -> bool:
    """Set or take away the mark of a case as the rules said; True if that changed. The case is locked by the caller."""
    mark = open_escalation(work.session, case.id)
    if made.outcome == "undetermined" or (made.outcome == "red") is (mark is not None):
        return False
    # The portal does this by itself, whoever's act it follows.
    own = replace(work, actor=SYSTEM)
    stored = decision.store(own, case, made, moment)
    own.session.flush()
    if mark is None:
        _begin(own, case, made, stored.id)
    else:
        _end(own, case, mark, stored.id)
    return True


def follow(work: Work, case: Case) -> None:
    """Judge after an act of a person; the act goes on if the rules cannot answer, and the nightly sweep says so."""
    work.session.flush()
    try:
        made = judge(work.session, case)
    except FAULTS:
        log.exception("the reminders of case %s could not be judged", case.id)
    else:
        settle(work, case, made, "view")


@movement.on_move
def _end_when_answered(work: Work, case: Case) -> None:
    """A case that bears a mark is judged as soon as it moves."""
    if open_escalation(work.session, case.id) is not None:
        follow(work, case)


def _begin(work: Work, case: Case, made: Decision, decision_id: int) -> None:
    roles = roles_in(made.values.get("target"))
    told = _recipients(work.session, case, roles)
    mark = Escalation(
        case_id=case.id, since=work.at, roles=",".join(roles), told=len(told), message=made.message, decision_id=decision_id
    )
    work.session.add(mark)
    words = settings()["escalation"]
    history.note(work, case, "escalate", words["begin_label"], opinion=made.message, roles=roles, told=len(told))
    for person_id in told:
        notice.notify(work, person_id, "escalated", words["begin_title"].format(title=case.title), made.message, case_id=case.id)
    if not told:
        _tell_administrators(work, case, roles)


def _recipients(session: Session, case: Case, roles: list[str]) -> list[int]:
    """Those of the roles who may see the case."""
    fitting = [(each, actor_of(session, each)) for each in holders(session, roles, case.district_code)]
    return [
        person_id for person_id, actor in fitting
        if actor is not None and session.exec(visible_cases(actor).where(Case.id == case.id)).first() is not None
    ]


def _tell_administrators(work: Work, case: Case, roles: list[str]) -> None:
    words = settings()["escalation"]
    known = role.roles()
    labels = "、".join(known[key].label if key in known else key for key in roles) or "—"
    for person_id in holders(work.session, ["system_admin", "rule_maintainer"]):
        title, body = words["nobody_title"].format(title=case.title), words["nobody_body"].format(roles=labels)
        notice.notify(work, person_id, "escalated", title, body)


def _end(work: Work, case: Case, mark: Escalation, decision_id: int) -> None:
    words = settings()["escalation"]
    mark.open_mark, mark.ended_at, mark.end_decision_id = None, work.at, decision_id
    work.session.add(mark)
    history.note(work, case, "escalation_end", words["end_label"])
    for person_id in _recipients(work.session, case, roles_in(mark.roles)):
        notice.notify(work, person_id, "escalated", words["end_title"].format(title=case.title), case_id=case.id)


@dataclass(frozen=True, slots=True)
class EscalationPage:
    """One page of the sweep: the last case (None when none was left), marks set and taken away, what failed and why."""

    last_case_id: int | None
    changed: int
    faults: tuple[tuple[int, str], ...]


@command("escalation.sweep", allow=system_only)
def sweep_page(work: Work, after_case_id: int, page_cases: int = PAGE_CASES) -> EscalationPage:
    """Judge the next cases that were reminded of or bear a mark; one that fails does not stop the others."""
    cases = work.session.exec(_concerned(after_case_id).limit(page_cases).with_for_update(of=Case)).all()
    changed, faults = 0, []
    for case in cases:
        try:
            made = judge(work.session, case)
        except FAULTS as fault:
            log.exception("the reminders of case %s could not be judged", case.id)
            faults.append((case.id, rule_trouble.reason_of(fault)))
        else:
            changed += settle(work, case, made, "nightly")
    work.record("escalations", judged=len(cases), changed=changed, failed=len(faults))
    return EscalationPage(cases[-1].id if cases else None, changed, tuple(faults))


def _concerned(after_case_id: int) -> SelectOfScalar[Case]:
    reminded = select(Task.case_id).where(col(Task.status).in_(movement.OPEN), col(Task.urged_at).is_not(None))
    marked = select(Escalation.case_id).where(Escalation.open_mark == 1)
    return (
        select(Case)
        .where(or_(col(Case.id).in_(reminded), col(Case.id).in_(marked)), Case.id > after_case_id)
        .order_by(col(Case.id))
    )


@command("escalation.note_faults", allow=system_only)
def note_faults(work: Work, faults: list[tuple[int, str]]) -> None:
    """Keep that cases could not be judged; told once, however many and however often."""
    rule_trouble.note(work, Found(DECISION, RULE_SET, faults[0][1]))


def history_of(session: Session, case_id: int) -> list[CaseEvent]:
    """The lines of a case's history that speak of escalation, the oldest first."""
    kinds = ("escalate", "escalation_end")
    statement = select(CaseEvent).where(CaseEvent.case_id == case_id, col(CaseEvent.operation).in_(kinds))
    return list(session.exec(statement.order_by(col(CaseEvent.id))).all())


def sweep(
    writing: Callable[[], AbstractContextManager[Session]], on_page: Callable[[int], None] | None = None
) -> dict[str, Any]:
    """Judge every case concerned, page by page, each page a transaction; what failed is told once.

    `writing` opens a writing session. Running it again changes nothing.
    """
    after, changed, faults = 0, 0, []
    while True:
        with writing() as session:
            page = sweep_page(session, SYSTEM, after)
        if page.last_case_id is None:
            break
        after, changed = page.last_case_id, changed + page.changed
        faults += page.faults
        if on_page is not None:
            on_page(after)
    if faults:
        with writing() as session:
            note_faults(session, SYSTEM, faults)
    return {"changed": changed, "faults": [{"case": case_id, "fault": words} for case_id, words in faults]}
