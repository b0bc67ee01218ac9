"""The warning line 警戒线: an area whose plan pool falls below it is stopped, and resumes by itself (LAND-069, 096)."""

from collections.abc import Iterator
from datetime import date
from decimal import ROUND_DOWN, Decimal
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from domain import decision
from domain.case.tables import Case, StoredDecision
from domain.command import Work, command, system_only
from domain.ledger.account import PlanState, plan_state
from domain.ledger.tables import LedgerAccount, LedgerPosting, WarningChange, WarningState
from domain.office import office_of
from domain.portal_clock import local_date, today
from domain.rule_replay.live import Subject, live_subjects
from rules.engine import Decision

KIND, RULE_SET = "warning_line", "outflow_warning_line"


def judge(work: Work, state: PlanState) -> Decision:
    """What the rule set of today says of the plan pool."""
    return office_of(work.session).book.decide(KIND, RULE_SET, _facts(state), local_date(work.at), _subject(state))


def _facts(state: PlanState) -> dict[str, Decimal]:
    return {"remaining_m2": state.remaining_m2, "stored_m2": state.stored_m2}


def _subject(state: PlanState) -> str:
    return f"ledger:{state.area}:{state.year}"


@live_subjects(RULE_SET)
def plans_of_today(session: Session) -> Iterator[Subject]:
    """Every plan pool of the present year as it stands."""
    year = today(session).year
    for area in _areas(session, year):
        state = plan_state(session, area, year)
        yield Subject(_subject(state), _facts(state))


def _areas(session: Session, year: int) -> list[str]:
    statement = select(LedgerAccount.area_code).where(LedgerAccount.pool == "plan", LedgerAccount.year == year)
    return sorted(set(session.exec(statement).all()))


def refresh(work: Work, area: str, year: int, posting: LedgerPosting | None = None) -> bool:
    """Stop or resume an area as its plan pool stands now; True if that changed. Then log and decision are kept.

    What is judged because of a posting is kept in any case: a draft of the rule is replayed over it.
    """
    work.session.flush()
    state = plan_state(work.session, area, year)
    made = judge(work, state)
    row = _locked_state(work, area, year)
    is_stopped = decision.refuses(made)
    if row.is_stopped == is_stopped:
        if posting is not None:
            _kept(work, made, posting)
        return False
    change = _note(work, state, made, "stopped" if is_stopped else "resumed", posting)
    row.is_stopped, row.since, row.change_id = is_stopped, work.at, change.id
    work.session.add(row)
    work.record(f"ledger:{area}:{year}", warning=change.change)
    return True


def _locked_state(work: Work, area: str, year: int) -> WarningState:
    """The row of an area, made if missing; locked, so that two postings cannot both turn it."""
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    wanted = select(WarningState).where(WarningState.area_code == area, WarningState.year == year)
    statement = wanted.with_for_update().execution_options(populate_existing=True)
    found = work.session.exec(statement).first()
    if found is None:
        values: dict[str, Any] = {"area_code": area, "year": year, "is_stopped": False, "since": work.at}
        work.session.execute(insert(WarningState.__table__).values(**values).on_conflict_do_nothing())
        found = work.session.exec(statement).one()
    return found


def _note(work: Work, state: PlanState, made: Decision, change: str, posting: LedgerPosting | None) -> WarningChange:
    stored = _kept(work, made, posting)
    row = WarningChange(
        area_code=state.area, year=state.year, change=change, at=work.at, remaining=state.remaining_m2,
        stored=state.stored_m2, line=line_m2(made),
        posting_id=posting.id if posting else None, case_id=posting.case_id if posting else None,
        decision_id=stored.id, message=made.message, figures=made.to_json(),
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    return row


def line_m2(made: Decision) -> Decimal | None:
    """The warning line of a decision in m², rounded down to 0.0001 for show; None if its edition names none."""
    found = made.to_json()["derived"].get("line_m2")
    return None if found is None else Decimal(found).quantize(Decimal("0.0001"), rounding=ROUND_DOWN)


def line_on(session: Session, remaining_m2: Decimal, stored_m2: Decimal, day: date) -> Decimal | None:
    """The warning line in m² by the rule in force on a day; None while nothing is stored."""
    if not stored_m2:
        return None
    facts = {"remaining_m2": remaining_m2, "stored_m2": stored_m2}
    return line_m2(office_of(session).book.decide(KIND, RULE_SET, facts, day))


def _kept(work: Work, made: Decision, posting: LedgerPosting | None) -> StoredDecision:
    case = work.session.get(Case, posting.case_id) if posting and posting.case_id else None
    stored = decision.store(work, case, made, "leave" if posting else "nightly")
    work.session.flush()
    return stored


def stopped(session: Session, year: int) -> dict[str, WarningState]:
    """The areas that are stopped in a year, by code."""
    statement = select(WarningState).where(WarningState.year == year, col(WarningState.is_stopped).is_(True))
    return {row.area_code: row for row in session.exec(statement).all()}


@command("ledger.refresh_warnings", allow=system_only)
def refresh_all(work: Work) -> int:
    """Judge every plan pool anew: the line moves too when a new edition of the rule comes into force; how many turned."""
    year = local_date(work.at).year
    turned = sum(refresh(work, area, year) for area in _areas(work.session, year))
    work.record("ledger", warnings_turned=turned)
    return turned
