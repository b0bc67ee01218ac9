"""Payments of land prices 价款缴纳: agreed instalments of a contract, what was paid, and what follows from the days.

Instalments come with the contract and stand in the form (section `instalments`); payments are read from the tax module
or typed with their voucher. Money fills the instalments in the order of their agreed dates; a case is paid up when all
of them are.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from domain import clock, portal_clock
from domain.case import access, history, index, movement, prefill
from domain.case.tables import Case, Task
from domain.clock_state import Counting
from domain.columns import BIG_ID, code_column, decimal_column, id_column, moment_column
from domain.command import Work, anyone_signed_in, command
from domain.errors import Conflict, InvalidData
from domain.office import office_of

INSTALMENTS = "instalments"
CLOCK = "payment"
LIGHT_SET = "payment_light"
PAID_UP = "done"
CENT = Decimal("0.01")


class PaymentRecord(SQLModel, table=True):
    """One payment by its voucher; taken back with a reason, never deleted."""

    __tablename__ = "payment_record"
    __table_args__ = (UniqueConstraint("case_id", "voucher_number", name="uq_payment_voucher"),)

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id", index=True)
    voucher_number: str = Field(sa_column=code_column())
    amount: Decimal = Field(sa_column=decimal_column(scale=2))
    """Yuan."""
    paid_on: date
    item: str = ""
    source: str = Field(sa_column=code_column(length=8))
    """tax 税务征收模块 | hand 人工补填"""
    recorded_at: datetime = Field(sa_column=moment_column())
    recorded_by: int | None = Field(default=None, sa_type=BIG_ID)
    void_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    void_reason: str = ""


@dataclass(frozen=True, slots=True)
class Instalment:
    """One agreed instalment and how much of it is paid, in yuan; `place` counts from 1 by agreed date."""

    place: int
    item: str
    agreed_on: date
    amount: Decimal
    paid: Decimal

    @property
    def is_paid(self) -> bool:
        return self.paid >= self.amount

    @property
    def clock_key(self) -> str:
        return f"{CLOCK}:{self.place}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a contract stands: its instalments, and what was paid in all."""

    instalments: tuple[Instalment, ...]
    paid: Decimal

    @property
    def due(self) -> Decimal:
        return sum((each.amount for each in self.instalments), Decimal("0.00"))

    @property
    def unpaid(self) -> Decimal:
        return max(self.due - self.paid, Decimal("0.00"))

    @property
    def is_paid_up(self) -> bool:
        """True if every instalment is paid."""
        return bool(self.instalments) and all(each.is_paid for each in self.instalments)

    @property
    def current(self) -> Instalment | None:
        """The earliest instalment that is not paid; the last one once all are."""
        unpaid = [each for each in self.instalments if not each.is_paid]
        return unpaid[0] if unpaid else self.instalments[-1] if self.instalments else None


@dataclass(frozen=True, slots=True)
class PaymentRead:
    """One payment as the tax module has it."""

    voucher_number: str
    amount: Decimal
    paid_on: date
    item: str


def records_of(session: Session, case_id: int) -> list[PaymentRecord]:
    """Every record of a case, those taken back too, by day of payment."""
    statement = select(PaymentRecord).where(PaymentRecord.case_id == case_id)
    return list(session.exec(statement.order_by(col(PaymentRecord.paid_on), col(PaymentRecord.id))).all())


def standing(session: Session, case: Case) -> Standing:
    """How the contract of a case stands now."""
    paid = sum((row.amount for row in records_of(session, case.id) if row.void_at is None), Decimal("0.00"))
    return Standing(filled(case.values.get(INSTALMENTS) or (), paid), paid)


def filled(entries: Sequence[dict[str, Any]], paid: Decimal) -> tuple[Instalment, ...]:
    """The instalments of a form in the order of their dates, filled with the money that was paid."""
    rest, found = paid, []
    for place, entry in enumerate(sorted(entries, key=lambda each: each["agreed_on"]), 1):
        amount = Decimal(entry["amount"])
        share = min(rest, amount)
        rest -= share
        agreed_on = date.fromisoformat(entry["agreed_on"])
        found.append(Instalment(place, entry.get("item") or "", agreed_on, amount, share))
    return tuple(found)


def light_of(session: Session, agreed_on: date, is_paid: bool) -> str:
    """The light of an instalment today, by the rule set payment_light."""
    today = portal_clock.today(session)
    facts = {"agreed_on": agreed_on, "paid": is_paid}
    return office_of(session).book.decide("light", LIGHT_SET, facts, on=today).outcome


def start_clocks(work: Work, case: Case, on: date | None = None) -> None:
    """Bring the clocks after the instalments: each unpaid one runs to its agreed date, each paid one has ended."""
    open_ones = {each.key: each for each in clock.clocks_of(work.session, case.id) if each.status != "finished"}
    for each in standing(work.session, case).instalments:
        running = open_ones.get(each.clock_key)
        if each.is_paid and running is not None:
            clock.finish(work, running, "本期价款已缴付")
        elif not each.is_paid and running is None:
            clock.start(
                work, case, key=each.clock_key, label=f"约定缴款日（{each.item or f'第 {each.place} 期'}）",
                due_on=each.agreed_on, counting=Counting.CALENDAR, light_set=LIGHT_SET, on=on, reason="合同约定",
            )


def take_from_tax(work: Work, case: Case, read: Sequence[PaymentRead]) -> int:
    """Keep what the tax module has; its word replaces what was typed for the same voucher. How many are new."""
    known = {row.voucher_number: row for row in records_of(work.session, case.id)}
    changed = [each for each in read if _take(work, case, known.get(each.voucher_number), each)]
    work.session.flush()
    if changed:
        said = [{"voucher": each.voucher_number, "amount": str(each.amount)} for each in changed]
        history.note(work, case, "payments_read", f"读取缴款 {len(changed)} 笔", payments=said)
    return len(changed)


def _take(work: Work, case: Case, known: PaymentRecord | None, read: PaymentRead) -> bool:
    """Whether the record is new or was changed by what was read."""
    same = known is not None and (known.amount, known.paid_on, known.source) == (read.amount, read.paid_on, "tax")
    if same and known.void_at is None:
        return False
    row = known or PaymentRecord(
        case_id=case.id, voucher_number=read.voucher_number, amount=read.amount, paid_on=read.paid_on, source="tax",
        recorded_at=work.at,
    )
    row.amount, row.paid_on, row.item, row.source = read.amount, read.paid_on, read.item, "tax"
    row.recorded_at, row.recorded_by, row.void_at, row.void_reason = work.at, work.actor.person_id, None, ""
    work.session.add(row)
    return True


@command("payment.add", allow=anyone_signed_in)
def add_by_hand(
    work: Work, task_id: int, voucher_number: str, amount: Decimal, paid_on: date, item: str = ""
) -> PaymentRecord:
    """Type in a payment that the tax module does not have yet, with its voucher."""
    task, case = _in_hand(work, task_id)
    voucher = voucher_number.strip()
    _check(work.session, case, voucher, amount, paid_on)
    row = PaymentRecord(
        case_id=case.id, voucher_number=voucher, amount=amount, paid_on=paid_on, item=item.strip()[:100], source="hand",
        recorded_at=work.at, recorded_by=work.actor.person_id,
    )
    work.session.add(row)
    work.session.flush()
    history.note(work, case, "payment_added", "补填缴款", task=task, voucher=voucher, amount=str(amount), paid_on=paid_on.isoformat())
    settle(work, case, task)
    return row


def _in_hand(work: Work, task_id: int) -> tuple[Task, Case]:
    task, case = access.must_hold(work, task_id)
    if not case.values.get(INSTALMENTS) or case.status != "open":
        raise Conflict("这件办件不收缴款信息，或已停表、已结束。请从价款缴纳监管的办件进入。")
    return task, case


def _check(session: Session, case: Case, voucher: str, amount: Decimal, paid_on: date) -> None:
    faults: dict[str, str] = {}
    if not voucher or len(voucher) > 40:
        faults["voucher_number"] = "请填写凭证号，最多 40 字"
    elif any(row.voucher_number == voucher for row in records_of(session, case.id)):
        faults["voucher_number"] = f"凭证号 {voucher} 已经登记过。一张凭证只登记一次，请核对"
    if amount <= 0 or amount != amount.quantize(CENT) or amount >= Decimal(10) ** 14:
        faults["amount"] = "金额应大于 0，最多两位小数"
    if paid_on > portal_clock.today(session):
        faults["paid_on"] = "缴款日期还没有到，请核对"
    if faults:
        raise InvalidData("；".join(faults.values()), faults)


@command("payment.void", allow=anyone_signed_in)
def take_back(work: Work, task_id: int, record_id: int, reason: str) -> PaymentRecord:
    """Take back a payment that was typed by mistake; what the tax module said stays."""
    task, case = _in_hand(work, task_id)
    row = work.session.get(PaymentRecord, record_id)
    if row is None or row.case_id != case.id or row.source != "hand" or row.void_at is not None:
        raise Conflict("只能撤销本件人工补填、还没有撤销的缴款。税务征收模块读取的，请与税务部门核对。")
    if not reason.strip():
        raise InvalidData("没有写明撤销的原因。请填写原因。", {"reason": "请填写原因"})
    row.void_at, row.void_reason = work.at, reason.strip()[:200]
    work.session.add(row)
    history.note(work, case, "payment_void", "撤销补填的缴款", task=task, opinion=row.void_reason, voucher=row.voucher_number)
    settle(work, case, task)
    return row


def settle(work: Work, case: Case, task: Task | None) -> None:
    """Clocks and form follow the payments; a contract that is paid up ends its supervision."""
    work.session.flush()
    start_clocks(work, case)
    prefill.recompute(work, case, {})
    index.rewrite(work.session, case)
    if standing(work.session, case).is_paid_up:
        history.note(work, case, "paid_up", "价款已缴清，监管结束", task=task)
        if task is not None:
            movement.finish(work, task, "paid_up")
        movement.close(work, case, PAID_UP)
