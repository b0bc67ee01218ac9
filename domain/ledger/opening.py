"""The books of a year: opened on 1 January from the annual farmland layer, counted again once if the layer is renewed."""

from decimal import Decimal

from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, func, select

from domain import layer, parameter
from domain.command import Work, command, system_only
from domain.errors import Conflict, NotAllowed, NotFound
from domain.ledger.booking import post
from domain.ledger.definition import PLAN, areas
from domain.ledger.tables import ZERO, LedgerAccount, LedgerPosting, LedgerYear
from domain.portal_clock import local_date, today

LAYER = "annual_farmland"
COUNTERS = ("city_handler", "city_viewer")
"""市级用户: who may have the books counted again."""


def year_of(session: Session, year: int) -> LedgerYear | None:
    """That the books of a year were opened, or None."""
    return session.exec(select(LedgerYear).where(LedgerYear.year == year)).first()


def years(session: Session) -> list[int]:
    """The years that have books, the latest first."""
    booked = set(session.exec(select(LedgerAccount.year).distinct()).all())
    return sorted(booked | set(session.exec(select(LedgerYear.year)).all()), reverse=True)


def open_year(work: Work, year: int) -> LedgerYear:
    """Book the area of the annual farmland layer, as it stands today, for every area; carry over if that is set.

    Raises Conflict if the year is open already, NotFound while the layer has no data.
    """
    found = _claim(work, year)
    sums = layer.area_by_district(work.session, LAYER)
    for area in areas():
        if sums.get(area, ZERO) > 0:
            post(
                work, "opening", sums[area], area=area, year=year, key=f"opening:{area}:{year}",
                memo=f"年度耕地资源层第 {found.layer_edition} 版",
            )  # fmt: skip
    if parameter.value(work.session, "ledger_carry_over"):
        _carry_over(work, year)
    work.record(f"ledger:{year}", opened=found.layer_edition)
    return found


def _claim(work: Work, year: int) -> LedgerYear:
    """The row of the year; only one transaction can make it."""
    edition = layer.edition_on(work.session, LAYER)
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    values = {"year": year, "opened_at": work.at, "layer_edition": edition.number}
    table = LedgerYear.__table__
    made = work.session.execute(insert(table).values(**values).on_conflict_do_nothing().returning(table.c.id)).first()
    if made is None:
        raise Conflict(f"{year} 年的台账已经初始化，没有重复记账。底板更新后需要重算的，请用「按底板重算」。")
    return work.session.exec(select(LedgerYear).where(LedgerYear.year == year)).one()


def _carry_over(work: Work, year: int) -> None:
    statement = select(LedgerAccount).where(
        LedgerAccount.pool == PLAN, LedgerAccount.year == year - 1, LedgerAccount.measure == "remaining"
    )
    for row in work.session.exec(statement.order_by(col(LedgerAccount.id))).all():
        if row.balance - row.frozen > 0:
            post(
                work, "carry_over", row.balance - row.frozen, area=row.area_code, year=year,
                key=f"carry_over:{row.area_code}:{year}", memo=f"{year - 1} 年结转",
            )  # fmt: skip


@command("ledger.open_due_year", allow=system_only)
def open_due_year(work: Work) -> str:
    """Open the books of the present year if that was not done; what became of it, for the report of the night."""
    year = local_date(work.at).year
    if year_of(work.session, year) is not None:
        return "已初始化"
    if not has_layer(work.session):
        return "年度耕地资源层还没有数据，未初始化"
    open_year(work, year)
    return f"{year} 年初始化完成"


def has_layer(session: Session) -> bool:
    """True if the annual farmland layer was loaded."""
    return session.exec(select(layer.Layer.id).where(layer.Layer.key == LAYER)).first() is not None


def may_recount(work: Work) -> None:
    """City users alone."""
    if not work.actor.has_role(*COUNTERS):
        raise NotAllowed("台账由市级用户按底板重算。需要重算的，请联系市规划资源局。")


@command("ledger.recount", allow=may_recount)
def recount(work: Work) -> list[LedgerPosting]:
    """Bring this year's stock pool to the layer as it stands now, once a year; the postings that were needed.

    Raises Conflict the second time, NotFound before the year is opened, Refused if an area has already used more than
    the layer still has.
    """
    year = today(work.session).year
    found = work.session.exec(select(LedgerYear).where(LedgerYear.year == year).with_for_update()).first()
    if found is None:
        raise NotFound(f"{year} 年的台账还没有初始化，没有可以重算的。初始化在 1 月 1 日自动进行。")
    if found.recounted_at is not None:
        raise Conflict(f"{year} 年的台账已经重算过一次，每年只能重算一次。")
    made = _recounted(work, found, year)
    found.recounted_at, found.recounted_by = work.at, work.actor.person_id
    found.layer_edition = layer.edition_on(work.session, LAYER).number
    work.session.add(found)
    work.record(f"ledger:{year}", recounted=len(made))
    return made


def _recounted(work: Work, found: LedgerYear, year: int) -> list[LedgerPosting]:
    edition = layer.edition_on(work.session, LAYER).number
    return [
        post(
            work, "recount", difference, area=area, year=year, key=f"recount:{area}:{year}",
            memo=f"年度耕地资源层由第 {found.layer_edition} 版更新为第 {edition} 版",
        )
        for area, difference in differences(work.session, year).items()
    ]


def differences(session: Session, year: int) -> dict[str, Decimal]:
    """The areas where the layer as it stands now differs from what was booked from it, and by how much in m²."""
    sums, booked = layer.area_by_district(session, LAYER), counted(session, year)
    found = {area: sums.get(area, ZERO) - booked.get(area, ZERO) for area in areas()}
    return {area: difference for area, difference in found.items() if difference != 0}


def counted(session: Session, year: int) -> dict[str, Decimal]:
    """What was booked from the layer, by area: opening and recount together."""
    statement = (
        select(LedgerPosting.area_code, func.sum(LedgerPosting.amount))
        .where(LedgerPosting.year == year, col(LedgerPosting.kind).in_(("opening", "recount")))
        .group_by(LedgerPosting.area_code)
    )
    return dict(session.exec(statement).all())


