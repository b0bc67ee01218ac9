"""Reading findings: a page by filter, the ones around a place, one with its neighbours, and what changed since the version before."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, exists
from sqlalchemy.orm import aliased, defer
from sqlmodel import Session, col, func, select

from domain.errors import NotFound
from domain.inspection.task.tables import EXCEPTED, INSPECTED, InspectionFinding, InspectionRun

PAGE = 50
MOST_ON_MAP = 2_000
BATCH = 1_000


@dataclass(frozen=True, slots=True)
class FindingQuery:
    """Which findings of an inspection: by class, layer, severity, state; empty means every."""

    code: str = ""
    layer: str = ""
    severity: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class FindingPage:
    """Rows of one page and the number of those that fit."""

    rows: Sequence[InspectionFinding]
    total: int
    next: int | None = None


def _conditions(run_id: int, query: FindingQuery) -> list[ColumnElement[bool]]:
    exact = (
        (InspectionFinding.code, query.code), (InspectionFinding.layer, query.layer),
        (InspectionFinding.severity, query.severity), (InspectionFinding.state, query.state),
    )  # fmt: skip
    return [col(InspectionFinding.run_id) == run_id, *(col(column) == value for column, value in exact if value)]


def count(session: Session, run_id: int, query: FindingQuery) -> int:
    """How many findings fit."""
    return session.exec(select(func.count()).select_from(InspectionFinding).where(*_conditions(run_id, query))).one()


def page_of(session: Session, run_id: int, query: FindingQuery, after: int = 0, size: int = PAGE) -> FindingPage:
    """Findings behind a number, by number; the geometries are left in the database."""
    statement = _plain(select(InspectionFinding)).where(*_conditions(run_id, query), InspectionFinding.number > after)
    rows = session.exec(statement.order_by(col(InspectionFinding.number)).limit(size + 1)).all()
    shown = rows[:size]
    return FindingPage(shown, count(session, run_id, query), shown[-1].number if len(rows) > size else None)


def _plain(statement: Any) -> Any:
    return statement.options(defer(InspectionFinding.geometry))


def every(session: Session, run_id: int, query: FindingQuery, *, with_geometry: bool = False) -> Iterator[Sequence[InspectionFinding]]:
    """All findings that fit, in batches, by number."""
    after = 0
    while True:
        base = select(InspectionFinding)
        statement = (base if with_geometry else _plain(base)).where(*_conditions(run_id, query), InspectionFinding.number > after)
        rows = session.exec(statement.order_by(col(InspectionFinding.number)).limit(BATCH)).all()
        if not rows:
            return
        yield rows
        after = rows[-1].number
        session.expunge_all()


def one(session: Session, run_id: int, number: int) -> InspectionFinding:
    """A finding by its number; NotFound if the inspection has it not."""
    statement = select(InspectionFinding).where(InspectionFinding.run_id == run_id, InspectionFinding.number == number)
    found = session.exec(statement).first()
    if found is None:
        raise NotFound("没有这条问题。数据包可能已重新质检，请从任务页面进入。")
    return found


def beside(session: Session, run_id: int, query: FindingQuery, number: int) -> tuple[int | None, int | None]:
    """The numbers before and after a finding among those that fit, with one statement."""
    statement = select(
        func.max(col(InspectionFinding.number)).filter(col(InspectionFinding.number) < number),
        func.min(col(InspectionFinding.number)).filter(col(InspectionFinding.number) > number),
    )
    return session.exec(statement.where(*_conditions(run_id, query))).one()


def place_of(session: Session, run_id: int, query: FindingQuery, number: int) -> int:
    """The number behind which the page begins that shows a finding."""
    before = select(func.count()).select_from(InspectionFinding).where(*_conditions(run_id, query), InspectionFinding.number < number)
    skipped = session.exec(before).one() // PAGE * PAGE
    if not skipped:
        return 0
    statement = select(InspectionFinding.number).where(*_conditions(run_id, query)).order_by(col(InspectionFinding.number))
    return session.exec(statement.offset(skipped - 1).limit(1)).one()


def in_bounds(session: Session, run_id: int, query: FindingQuery, bounds: tuple[float, float, float, float]) -> list[InspectionFinding]:
    """Findings whose box meets the bounds (EPSG:4490), at most one more than MOST_ON_MAP."""
    west, south, east, north = bounds
    meets = (
        InspectionFinding.west <= east, InspectionFinding.east >= west,
        InspectionFinding.south <= north, InspectionFinding.north >= south,
    )  # fmt: skip
    statement = select(InspectionFinding).where(*_conditions(run_id, query), *meets)
    return list(session.exec(statement.order_by(col(InspectionFinding.number)).limit(MOST_ON_MAP + 1)).all())


@dataclass(frozen=True, slots=True)
class Change:
    """What became of the faults of the version before: mended, new, still there."""

    before: InspectionRun
    mended: int
    new: int
    stayed: int


def previous(session: Session, run: InspectionRun) -> InspectionRun | None:
    """The inspection of the same package before this one that came to a result."""
    statement = select(InspectionRun).where(
        InspectionRun.task_id == run.task_id, InspectionRun.package_no == run.package_no,
        InspectionRun.run_no < run.run_no, col(InspectionRun.state).in_(INSPECTED),
    )  # fmt: skip
    return session.exec(statement.order_by(col(InspectionRun.run_no).desc()).limit(1)).first()


def change(session: Session, run: InspectionRun, before: InspectionRun) -> Change:
    """Counts of what changed; faults are matched by layer, key, class and field."""
    stayed = _count(session, run.id, before.id, is_there=True)
    return Change(before, _count(session, before.id, run.id, is_there=False), run.finding_count - stayed, stayed)


def _count(session: Session, run_id: int, other_id: int, *, is_there: bool) -> int:
    found = _in_other(other_id)
    statement = select(func.count()).select_from(InspectionFinding).where(InspectionFinding.run_id == run_id)
    return session.exec(statement.where(found if is_there else ~found)).one()


def _in_other(other_id: int) -> ColumnElement[bool]:
    other = aliased(InspectionFinding)
    return exists().where(and_(other.run_id == other_id, other.mark == InspectionFinding.mark))


def changed_rows(session: Session, run: InspectionRun, before: InspectionRun, kind: str, after: int = 0, size: int = PAGE) -> FindingPage:
    """The findings that were mended (of the version before), are new, or stayed (of this one), by number."""
    own, other, is_there = {
        "mended": (before.id, run.id, False), "new": (run.id, before.id, False), "stayed": (run.id, before.id, True),
    }[kind]  # fmt: skip
    found = _in_other(other)
    condition = (InspectionFinding.run_id == own, found if is_there else ~found)
    statement = _plain(select(InspectionFinding)).where(*condition, InspectionFinding.number > after)
    rows = session.exec(statement.order_by(col(InspectionFinding.number)).limit(size + 1)).all()
    shown = rows[:size]
    total = session.exec(select(func.count()).select_from(InspectionFinding).where(*condition)).one()
    return FindingPage(shown, total, shown[-1].number if len(rows) > size else None)


def is_excepted(finding: InspectionFinding) -> bool:
    """True if an approved exception covers it."""
    return finding.state == EXCEPTED
