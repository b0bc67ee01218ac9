"""Short words for tests of the ledgers: cases to book for, and one unit of work with its end."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from domain import ledger
from domain.actor import SYSTEM, Actor
from domain.case.tables import Case, Task
from domain.command import Work
from domain.portal_clock import now
from portal.database import Database

QINGPU, PUDONG, LINGANG, CITY = "310118", "310115", "310100LG", "310100"
YEAR = 2026
_SERIAL = itertools.count(1)
PLANNED = ledger.Detail("planned", scope="district")


@contextmanager
def working(database: Database, actor: Actor = SYSTEM, name: str = "test.book") -> Iterator[Work]:
    """One unit of work that commits at its end."""
    with database.writing() as session:
        work = Work(session, actor, now(session), name)
        yield work
        work.finish()


def new_case(work: Work, area: str = QINGPU, *, step: str = "apply", title: str = "预存（样例）") -> Case:
    """A filed case of an area with one task in hand."""
    serial = next(_SERIAL)
    case = Case(
        draft_number=f"YC-{serial:06d}", case_type="test_case", edition="2026-01-01", title=title,
        status="open", district_code=area, created_at=work.at, changed_at=work.at, submitted_at=work.at,
    )
    work.session.add(case)
    work.session.flush()
    work.session.add(Task(case_id=case.id, step=step, role="district_handler", created_at=work.at))
    work.session.flush()
    return case


def opened(work: Work, area: str, amount: str) -> None:
    """Stock pool of an area with an opening balance."""
    ledger.post(work, "opening", Decimal(amount), area=area, year=YEAR, key=f"opening:{area}:{YEAR}")


def stored(work: Work, amount: str, area: str = QINGPU) -> Case:
    """A case whose plots went into the plan pool."""
    case = new_case(work, area, title=f"预存 {amount}（样例）")
    ledger.post(work, "store", Decimal(amount), area=area, year=YEAR, case=case, detail=PLANNED)
    return case


def used(work: Work, amount: str, area: str = QINGPU) -> Case:
    """A case that froze and used area of the plan pool."""
    case = new_case(work, area, title=f"流出 {amount}（样例）")
    ledger.freeze(work, case, Decimal(amount), year=YEAR)
    ledger.settle(work, case, ledger.Detail("nonbuild_outflow"))
    return case
