"""Checking the books 对账: conservation, balances, floors, frozen area, details, marks against the layer."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from domain import hold, layer
from domain.hold import MARKS, PLOT
from domain.ledger.account import AccountKey
from domain.ledger.definition import PLAN, ledgers
from domain.ledger.opening import LAYER, has_layer
from domain.ledger.tables import ZERO, LedgerAccount, LedgerEntry, LedgerFreeze, LedgerPosting, ResourceDetail


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check: what was looked at, how often, and the faults found, in words."""

    key: str
    label: str
    checked: int
    faults: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return not self.faults


Found = Iterator[str | None]
"""One item for each thing looked at: None, or what is wrong with it."""
Check = Callable[[Session], Found]
CHECKS: dict[str, tuple[str, Check]] = {}


def _check(key: str, label: str) -> Callable[[Check], Check]:
    def register(look: Check) -> Check:
        CHECKS[key] = (label, look)
        return look

    return register


def check(session: Session) -> list[Outcome]:
    """Every check of the books as they stand in this session."""
    outcomes = []
    for key, (label, look) in CHECKS.items():
        found = list(look(session))
        outcomes.append(Outcome(key, label, len(found), tuple(fault for fault in found if fault)))
    return outcomes


@_check("balanced", "每笔一进一出，合计为零")
def _balanced(session: Session) -> Found:
    sums = (
        select(LedgerPosting.id, func.sum(LedgerEntry.amount), func.count(LedgerEntry.id))
        .outerjoin(LedgerEntry, col(LedgerEntry.posting_id) == LedgerPosting.id)
        .group_by(col(LedgerPosting.id))
    )
    for posting_id, total, count in session.exec(sums).all():
        yield None if count and total == 0 else f"第 {posting_id} 笔 {count} 行，合计 {total or 0}，应为 0"


@_check("totals", "余额等于各行之和")
def _totals(session: Session) -> Found:
    sums = (
        select(LedgerAccount, func.sum(LedgerEntry.amount), func.max(LedgerEntry.id))
        .outerjoin(LedgerEntry, col(LedgerEntry.account_id) == LedgerAccount.id)
        .group_by(*LedgerAccount.__table__.columns)
    )
    for row, total, last in session.exec(sums).all():
        kept = session.get(LedgerEntry, last).balance_after if last else ZERO
        is_even = (total or ZERO) == row.balance == kept
        yield None if is_even else f"{_label(row)}余额 {row.balance}，各行之和 {total or 0}，末行余额 {kept}"


@_check("floors", "余额不为负，且不少于冻结")
def _floors(session: Session) -> Found:
    for row in session.exec(select(LedgerAccount)).all():
        is_low = row.is_floored and (row.balance < 0 or row.balance < row.frozen or row.frozen < 0)
        yield f"{_label(row)}余额 {row.balance}，冻结 {row.frozen}" if is_low else None


@_check("plan", "预存计划库：总 = 剩余 + 已流出 + 已结转")
def _plan(session: Session) -> Found:
    books: dict[tuple[str, int], dict[str, LedgerAccount]] = {}
    for row in session.exec(select(LedgerAccount).where(LedgerAccount.pool == PLAN)).all():
        books.setdefault((row.area_code, row.year), {})[row.measure] = row
    for (area, year), rows in sorted(books.items()):
        amounts = {measure: row.balance for measure, row in rows.items()}
        rest = sum((amounts.get(each, ZERO) for each in ("remaining", "used", "carried")), ZERO)
        total = amounts.get("total", ZERO)
        yield None if total == rest else f"{area} {year} 年总 {total}，剩余、已流出、已结转合计 {rest}"


@_check("frozen", "冻结等于在办案件冻结之和")
def _frozen(session: Session) -> Found:
    statement = select(LedgerFreeze.account_id, func.sum(LedgerFreeze.amount)).where(LedgerFreeze.state == "active")
    sums = dict(session.exec(statement.group_by(col(LedgerFreeze.account_id))).all())
    for row in session.exec(select(LedgerAccount)).all():
        held = sums.get(row.id, ZERO)
        yield None if row.frozen == held else f"{_label(row)}冻结 {row.frozen}，案件冻结合计 {held}"


@_check("details", "需要明细的每笔都能追到案件和明细")
def _details(session: Session) -> Found:
    kinds = [kind.key for kind in ledgers().kinds.values() if kind.details]
    reversed_ids = select(LedgerPosting.reversal_of).where(col(LedgerPosting.reversal_of).is_not(None))
    statement = (
        select(LedgerPosting, ResourceDetail)
        .outerjoin(ResourceDetail, col(ResourceDetail.posting_id) == LedgerPosting.id)
        .where(col(LedgerPosting.kind).in_(kinds), col(LedgerPosting.reversal_of).is_(None))
        .where(col(LedgerPosting.id).not_in(reversed_ids))
    )
    for posting, detail in session.exec(statement).all():
        is_even = detail is not None and detail.amount == posting.amount and detail.case_id == posting.case_id
        yield None if is_even else f"第 {posting.id} 笔没有相符的明细"


@_check("turnover", "周转、租赁前后，剩余与周转合计不变")
def _turnover(session: Session) -> Found:
    """Area that was lent or leased is somebody's turnover: it never leaves the stock pools."""
    kinds = ("lend_major", "lend", "give_back", "lease", "end_lease")
    statement = (
        select(LedgerPosting.id, func.sum(LedgerEntry.amount))
        .join(LedgerEntry, col(LedgerEntry.posting_id) == LedgerPosting.id)
        .join(LedgerAccount, col(LedgerAccount.id) == LedgerEntry.account_id)
        .where(col(LedgerPosting.kind).in_(kinds), LedgerAccount.pool == "stock")
        .where(col(LedgerAccount.measure).in_(("remaining", "turnover")))
        .group_by(col(LedgerPosting.id))
    )
    for posting_id, total in session.exec(statement).all():
        yield None if total == 0 else f"第 {posting_id} 笔使剩余与周转合计变动 {total}"


@_check("marks", "地块标记与年度耕地资源层一致")
def _marks(session: Session) -> Found:
    """A reserved plot is still free in the layer; every other mark stands there too, and the other way round."""
    marks = dict(hold.marks_of(session, PLOT))
    statuses = _statuses(session, set(marks))
    for key in sorted({*marks, *statuses}):
        mark, status = marks.get(key), statuses.get(key)
        wanted = "可用" if mark in (None, "reserved") else MARKS[mark]
        yield None if status == wanted else f"地块 {key} 的标记是{MARKS[mark] if mark else '无'}，图层状态是{status or '（没有）'}"


def _statuses(session: Session, marked: set[str]) -> dict[str, str]:
    """The status of every plot that is marked, or that the layer does not call free because of a case."""
    if not has_layer(session):
        return {}
    edition = layer.edition_on(session, LAYER)
    columns = select(layer.Feature.key, layer.Feature.status).where(
        layer.Feature.layer_id == edition.layer_id, col(layer.Feature.until_number).is_(None)
    )
    caused = select(layer.LayerEdition.number).where(
        layer.LayerEdition.layer_id == edition.layer_id, col(layer.LayerEdition.case_id).is_not(None)
    )
    changed = columns.where(
        layer.Feature.status != "可用", col(layer.Feature.from_number).in_(caused)
    )
    found = dict(session.exec(changed).all())
    keys = sorted(marked - found.keys())
    for start in range(0, len(keys), 500):
        found |= dict(session.exec(columns.where(col(layer.Feature.key).in_(keys[start : start + 500]))).all())
    return found


def _label(row: LedgerAccount) -> str:
    return AccountKey(row.pool, row.area_code, row.year, row.measure).label
