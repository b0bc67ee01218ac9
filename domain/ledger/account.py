"""Accounts: finding, opening and locking them; amounts are exact to 0.01 m²."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select, tuple_

from domain.errors import InvalidData
from domain.ledger.definition import PLAN, area_label, ledgers, pool, pool_in_year
from domain.ledger.tables import ZERO, LedgerAccount

SMALLEST = Decimal("0.01")
LARGEST = Decimal(100000000000)
"""Beyond the area of the country; a larger amount is a slip of the decimal point."""


@dataclass(frozen=True, slots=True, order=True)
class AccountKey:
    """What names an account."""

    pool: str
    area: str
    year: int
    measure: str

    @property
    def label(self) -> str:
        """Area, year, pool and measure in words."""
        measure = pool(self.pool).measures[self.measure]
        return f"{area_label(self.area)} {pool_in_year(self.pool, self.year)}「{measure.label}」"


@dataclass(frozen=True, slots=True)
class PlanState:
    """The plan pool of an area in a year, in m²; what is frozen is part of what remains."""

    area: str
    year: int
    stored_m2: Decimal = ZERO
    remaining_m2: Decimal = ZERO
    frozen_m2: Decimal = ZERO
    used_m2: Decimal = ZERO
    carried_m2: Decimal = ZERO

    @property
    def available_m2(self) -> Decimal:
        """What a new case may still freeze."""
        return self.remaining_m2 - self.frozen_m2


def exact_area(amount: Decimal, *, is_signed: bool = False) -> Decimal:
    """The amount in m² if it is exact to 0.01 and above zero. Raises InvalidData; never rounds."""
    try:
        exact = Decimal(amount).quantize(SMALLEST)
    except InvalidOperation as error:
        raise InvalidData(f"面积 {amount} 不能入账：不是合理的平方米数。请填写平方米数，最多两位小数。") from error
    if exact != amount or abs(exact) > LARGEST:
        raise InvalidData(f"面积 {amount} 平方米不能入账：须精确到 0.01 平方米，且在合理范围内。请核对面积。")
    if exact == 0 or (exact < 0 and not is_signed):
        raise InvalidData(f"面积 {exact} 平方米不能入账：须大于 0。请核对面积。")
    return exact


def account(session: Session, key: AccountKey) -> LedgerAccount | None:
    """The account, or None while nothing was ever booked on it."""
    statement = select(LedgerAccount).where(
        LedgerAccount.pool == key.pool, LedgerAccount.area_code == key.area,
        LedgerAccount.year == key.year, LedgerAccount.measure == key.measure,
    )  # fmt: skip
    return session.exec(statement).first()


def balance(session: Session, key: AccountKey) -> Decimal:
    """The balance of an account in m²; zero while nothing was booked on it."""
    found = account(session, key)
    return found.balance if found else ZERO


def locked(session: Session, keys: Collection[AccountKey]) -> dict[AccountKey, LedgerAccount]:
    """The accounts of these keys, opened where missing, locked to the end of the transaction.

    The rows are locked in the order of their ids, the same in every transaction, so that two of them cannot wait
    for each other.
    """
    rows = _locked_rows(session, keys)
    if missing := sorted(set(keys) - rows.keys()):
        _open(session, missing)
        rows = _locked_rows(session, keys)
    return rows


def _locked_rows(session: Session, keys: Collection[AccountKey]) -> dict[AccountKey, LedgerAccount]:
    named = tuple_(
        col(LedgerAccount.pool), col(LedgerAccount.area_code), col(LedgerAccount.year), col(LedgerAccount.measure)
    )
    statement = (
        select(LedgerAccount)
        .where(named.in_([(key.pool, key.area, key.year, key.measure) for key in keys]))
        .order_by(col(LedgerAccount.id))
        .with_for_update()
    )
    rows = session.exec(statement.execution_options(populate_existing=True)).all()
    return {AccountKey(row.pool, row.area_code, row.year, row.measure): row for row in rows}


def _open(session: Session, keys: list[AccountKey]) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "pool": key.pool, "area_code": key.area, "year": key.year, "measure": key.measure, "balance": ZERO,
            "frozen": ZERO, "is_floored": ledgers().pools[key.pool].measures[key.measure].is_floored,
        }
        for key in keys
    ]  # fmt: skip
    session.flush()
    session.execute(insert(LedgerAccount.__table__).on_conflict_do_nothing(), rows)


def plan_state(session: Session, area: str, year: int) -> PlanState:
    """The plan pool of an area in a year, with one query."""
    statement = select(LedgerAccount).where(
        LedgerAccount.pool == PLAN, LedgerAccount.area_code == area, LedgerAccount.year == year
    )
    rows = {row.measure: row for row in session.exec(statement).all()}
    return PlanState(
        area, year,
        stored_m2=_of(rows, "total"), remaining_m2=_of(rows, "remaining"), used_m2=_of(rows, "used"),
        carried_m2=_of(rows, "carried"),
        frozen_m2=rows["remaining"].frozen if "remaining" in rows else ZERO,
    )  # fmt: skip


def _of(rows: dict[str, LedgerAccount], measure: str) -> Decimal:
    return rows[measure].balance if measure in rows else ZERO
