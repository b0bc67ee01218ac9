"""Booking: a posting with its entries on locked accounts, in the transaction of the step that causes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from sqlmodel import select

from domain import failpoint
from domain.case.tables import Case, Task
from domain.command import Work
from domain.errors import Conflict, InvalidData, NotFound, Refused
from domain.format import thousands
from domain.ledger import warning
from domain.ledger.account import AccountKey, exact_area, locked
from domain.ledger.definition import PLAN, Line, PostingKind, areas, ledgers, posting_kind
from domain.ledger.tables import ZERO, LedgerAccount, LedgerEntry, LedgerPosting, ResourceDetail
from domain.portal_clock import local_date


@dataclass(frozen=True, slots=True)
class Detail:
    """What a list of details says of a posting beside the case: codes of dictionaries, paddy area in m²."""

    list_key: str
    scope: str = ""
    resource_type: str = ""
    paddy_m2: Decimal | None = None


Amounts = Mapping[AccountKey, Decimal]


def post(
    work: Work,
    kind: str,
    amount: Decimal,
    *,
    area: str,
    year: int,
    other: str | None = None,
    case: Case | None = None,
    task: Task | None = None,
    memo: str = "",
    key: str | None = None,
    detail: Detail | None = None,
) -> LedgerPosting:
    """Book an amount in m² (exact to 0.01, above zero) as the kind of posting says.

    Locks the accounts, keeps every floored one at or above what is frozen of it, and moves the warning line along.
    `key` makes the act one of a kind (default: kind and case). Raises Refused if an account would fall below zero,
    Conflict if the act was booked before, InvalidData for an amount that is not exact.
    """
    definition = posting_kind(kind)
    exact = exact_area(amount, is_signed=definition.is_signed)
    _must_fit(definition, area, other, case, detail)
    amounts = {_place(line, area, other, year): line.sign * exact for line in definition.lines}
    posting = LedgerPosting(
        kind=kind, key=key or f"{kind}:case:{case.id if case else ''}", area_code=area, other_area_code=other, year=year,
        amount=exact, case_id=case.id if case else None, task_id=task.id if task else None, at=work.at,
        booked_on=local_date(work.at), person_id=work.actor.person_id, memo=memo,
    )  # fmt: skip
    _book(work, posting, amounts)
    if detail is not None and case is not None:
        _add_detail(work, posting, case, detail)
    return posting


def reverse(work: Work, posting: LedgerPosting, memo: str) -> LedgerPosting:
    """Book the opposite of a posting, once; its row in a list of details goes with it. Raises as `post` does."""
    if posting.reversal_of is not None:
        raise Conflict("这一笔本身就是冲销，不能再冲销。需要恢复的，请重新办理。")
    entries = work.session.exec(select(LedgerEntry).where(LedgerEntry.posting_id == posting.id)).all()
    rows = {entry.account_id: work.session.get_one(LedgerAccount, entry.account_id) for entry in entries}
    amounts = {
        AccountKey(row.pool, row.area_code, row.year, row.measure): -entry.amount
        for entry in entries
        for row in (rows[entry.account_id],)
    }
    opposite = LedgerPosting(
        kind=posting.kind, key=f"reversal:{posting.id}", area_code=posting.area_code, other_area_code=posting.other_area_code,
        year=posting.year, amount=-posting.amount, case_id=posting.case_id, at=work.at, booked_on=local_date(work.at),
        person_id=work.actor.person_id, memo=memo, reversal_of=posting.id,
    )  # fmt: skip
    _book(work, opposite, amounts)
    _drop_detail(work, posting)
    return opposite


def _must_fit(
    kind: PostingKind, area: str, other: str | None, case: Case | None, detail: Detail | None
) -> None:
    for code in (area, other):
        if code is not None and code not in areas():
            raise NotFound(f"台账里没有代码为“{code}”的区。请核对行政区代码。")
    if kind.needs_other and (other is None or other == area):
        raise InvalidData(f"「{kind.label}」要写明与本区不同的对方区。请核对对方区。")
    if bool(kind.details) != (detail is not None) or (detail and detail.list_key not in kind.details):
        raise ValueError(f"postings of kind {kind.key} go into one of the lists {kind.details}")
    if detail is not None and case is None:
        raise ValueError("a detail belongs to a case")


def _place(line: Line, area: str, other: str | None, year: int) -> AccountKey:
    where = {"own": area, "other": other or area, "city": ledgers().city}[line.at]
    return AccountKey(line.pool, where, year - 1 if line.year == "last" else year, line.measure)


def _book(work: Work, posting: LedgerPosting, amounts: Amounts) -> None:
    """Debit, credit, and let the warning line follow; all accounts are locked before anything is looked at."""
    accounts = locked(work.session, amounts.keys())
    _must_be_first(work, posting)
    work.session.add(posting)
    work.session.flush()
    debits, credits = ({k: a for k, a in amounts.items() if (a < 0) == is_debit} for is_debit in (True, False))
    _apply(work, posting, accounts, debits)
    failpoint.reach("posting:after_debit")
    _apply(work, posting, accounts, credits)
    failpoint.reach("posting:after_credit")
    for area, year in sorted({(key.area, key.year) for key in amounts if key.pool == PLAN}):
        warning.refresh(work, area, year, posting)
    work.record(f"ledger:{posting.key}", kind=posting.kind, area=posting.area_code, year=posting.year,
                amount=str(posting.amount), case_id=posting.case_id)  # fmt: skip


def _must_be_first(work: Work, posting: LedgerPosting) -> None:
    """Asked under the locks: whoever was faster has committed by now."""
    before = work.session.exec(select(LedgerPosting.at).where(LedgerPosting.key == posting.key)).first()
    if before is not None:
        label = posting_kind(posting.kind).label
        raise Conflict(f"这一笔「{label}」已经入账，没有重复入账。请刷新页面，核对台账流水。")


def _apply(work: Work, posting: LedgerPosting, accounts: Mapping[AccountKey, LedgerAccount], amounts: Amounts) -> None:
    for key, amount in sorted(amounts.items()):
        row = accounts[key]
        left = row.balance + amount
        if row.is_floored and left < row.frozen:
            raise Refused(_too_little(key, row, -amount))
        row.balance = left
        work.session.add(row)
        work.session.add(
            LedgerEntry(posting_id=posting.id, account_id=row.id, amount=amount, balance_after=left)
        )
    work.session.flush()


def _too_little(key: AccountKey, row: LedgerAccount, wanted: Decimal) -> str:
    free = row.balance - row.frozen
    held = f"（其中 {thousands(row.frozen, 2)} 已被在办案件冻结）" if row.frozen else ""
    return (
        f"{key.label}现有 {thousands(row.balance, 2)} 平方米{held}，本次转出 {thousands(wanted, 2)} 平方米，"
        f"差 {thousands(wanted - free, 2)} 平方米，台账不能为负，没有入账。请核减面积，或先补足该账户。"
    )


def _add_detail(work: Work, posting: LedgerPosting, case: Case, detail: Detail) -> None:
    paddy = detail.paddy_m2
    if paddy is not None and not ZERO <= paddy <= posting.amount:
        raise InvalidData(f"水田面积 {paddy} 平方米须在 0 与耕地面积 {posting.amount} 平方米之间。请核对。")
    work.session.add(ResourceDetail(
        list_key=detail.list_key, posting_id=posting.id, case_id=case.id, area_code=posting.area_code, year=posting.year,
        number=case.number or case.draft_number, title=case.title, amount=posting.amount, paddy=paddy,
        resource_type=detail.resource_type, scope=detail.scope, approved_at=work.at,
    ))  # fmt: skip


def _drop_detail(work: Work, posting: LedgerPosting) -> None:
    for row in work.session.exec(select(ResourceDetail).where(ResourceDetail.posting_id == posting.id)).all():
        work.session.delete(row)
