"""Frozen area 冻结: what a running case has set aside of the plan pool, until it is used or let go."""

from decimal import Decimal

from sqlmodel import Session, col, select

from domain.case import ending
from domain.case.tables import Case, Task
from domain.command import Work
from domain.errors import Conflict, NotFound, Refused
from domain.format import thousands
from domain.ledger.account import AccountKey, exact_area, locked
from domain.ledger.booking import Detail, post
from domain.ledger.definition import PLAN
from domain.ledger.tables import LedgerAccount, LedgerFreeze, LedgerPosting
from domain.portal_clock import local_date


def freeze(
    work: Work,
    case: Case,
    amount: Decimal,
    *,
    task: Task | None = None,
    area: str | None = None,
    year: int | None = None,
) -> LedgerFreeze:
    """Set an amount in m² (exact to 0.01) of the plan pool aside for a case; what the case had set aside before is let go.

    The area is the case's district and the year the present one unless given. Raises Refused unless
    remaining − frozen covers the amount.
    """
    exact = exact_area(amount)
    where = area or case.district_code
    if where is None:
        raise NotFound("办件还没有行政区，不能冻结面积。请先在表单中选择行政区。")
    key = AccountKey(PLAN, where, year or local_date(work.at).year, "remaining")
    unfreeze(work, case)
    row = locked(work.session, [key])[key]
    if row.balance - row.frozen < exact:
        raise Refused(_too_little(key, row, exact))
    row.frozen += exact
    made = LedgerFreeze(
        account_id=row.id, case_id=case.id, task_id=task.id if task else None, step=task.step if task else "",
        amount=exact, at=work.at,
    )  # fmt: skip
    work.session.add_all((row, made))
    work.session.flush()
    work.record(f"case:{case.id}", frozen=str(exact), account=key.label)
    return made


def _too_little(key: AccountKey, row: LedgerAccount, wanted: Decimal) -> str:
    free = row.balance - row.frozen
    return (
        f"{key.label}可用 {thousands(free, 2)} 平方米（剩余 {thousands(row.balance, 2)}，已冻结 {thousands(row.frozen, 2)}），"
        f"本次 {thousands(wanted, 2)} 平方米，差 {thousands(wanted - free, 2)} 平方米，没有冻结。请减少流出面积，或先补充预存。"
    )


def active(session: Session, case_id: int) -> LedgerFreeze | None:
    """What a case has set aside now, or None."""
    statement = select(LedgerFreeze).where(LedgerFreeze.case_id == case_id, LedgerFreeze.state == "active")
    return session.exec(statement).first()


def unfreeze(work: Work, case: Case) -> Decimal | None:
    """Let go what a case has set aside; how much it was, None if there was nothing."""
    found = _locked_freeze(work, case)
    if found is None:
        return None
    held, row = found
    _end(work, held, row, "released")
    work.record(f"case:{case.id}", unfrozen=str(held.amount))
    return held.amount


def settle(work: Work, case: Case, detail: Detail, *, task: Task | None = None, memo: str = "") -> LedgerPosting:
    """Turn what a case has set aside into an outflow of the plan pool, with its row in a list of details.

    Raises Conflict if the case has nothing set aside.
    """
    found = _locked_freeze(work, case)
    if found is None:
        raise Conflict("这件办件没有冻结的面积，不能扣减。请先在耕地流出申报环节确认流出面积。")
    held, row = found
    _end(work, held, row, "settled")
    posting = post(
        work, "outflow", held.amount, area=row.area_code, year=row.year, case=case, task=task, memo=memo,
        key=f"outflow:freeze:{held.id}", detail=detail,
    )  # fmt: skip
    held.posting_id = posting.id
    return posting


def _locked_freeze(work: Work, case: Case) -> tuple[LedgerFreeze, LedgerAccount] | None:
    """The active freeze of a case and its account, both as they stand under the lock of the account."""
    seen = active(work.session, case.id)
    if seen is None:
        return None
    row = work.session.get_one(LedgerAccount, seen.account_id, with_for_update=True, populate_existing=True)
    work.session.refresh(seen)
    return (seen, row) if seen.state == "active" else None


def _end(work: Work, held: LedgerFreeze, row: LedgerAccount, state: str) -> None:
    row.frozen -= held.amount
    held.state, held.ended_at = state, work.at
    work.session.add_all((row, held))
    work.session.flush()


@ending.on_giving_up
def release_given_up(work: Work, case: Case, _outcome: str) -> None:
    """A case that ended without its purpose keeps nothing set aside."""
    unfreeze(work, case)


@ending.on_return
def release_returned(work: Work, case: Case, step_key: str) -> None:
    """A case that returns to where the area was set aside, or before it, lets it go."""
    held = active(work.session, case.id)
    if held is not None and (held.task_id is None or _was_reached(work.session, case, step_key, held.task_id)):
        unfreeze(work, case)


def _was_reached(session: Session, case: Case, step_key: str, task_id: int) -> bool:
    """True if the case had come to the step by the time of the task."""
    statement = select(Task.id).where(Task.case_id == case.id, Task.step == step_key, col(Task.id) <= task_id)
    return session.exec(statement.limit(1)).first() is not None
