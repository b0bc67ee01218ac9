"""The tally of decisions by month: how often a rule set was asked, with which answers and for which reasons.

A decision is counted once it is an hour old, by the nightly sweep; what came since is counted as it is asked for. So
the figures of a million decisions cost as much as those of a day.
"""

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Index, union_all
from sqlmodel import Field, Session, SQLModel, col, func, select

from domain.case.tables import Case, StoredDecision
from domain.columns import BIG_ID, code_column, id_column
from domain.command import Work, command, system_only
from domain.decision_subject import district_of
from rules.engine.kind import UNDETERMINED

SETTLED = timedelta(hours=1)
"""No transaction lasts so long: of older decisions no earlier one can still appear behind the mark."""
BATCH_ROWS = 20_000


class RuleTally(SQLModel, table=True):
    """How many decisions of one edition gave one answer for one reason in one district and month."""

    __tablename__ = "rule_tally"
    __table_args__ = (
        Index(
            "uq_rule_tally", "rule_set", "month", "district_code", "digest", "outcome", "reason", unique=True
        ),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    rule_set: str = Field(sa_column=code_column())
    month: str = Field(sa_column=code_column(length=7))
    """YYYY-MM of the day of the decision."""
    district_code: str = Field(default="", sa_column=code_column(length=12))
    digest: str = Field(sa_column=code_column())
    outcome: str = Field(sa_column=code_column(length=40))
    reason: str = Field(default="", sa_column=code_column(length=240))
    """Key of the deciding rule; of what could not be told the missing facts, joined by commas."""
    count: int = 0


class RuleTallyMark(SQLModel, table=True):
    """One row: the last decision that is in the tally."""

    __tablename__ = "rule_tally_mark"

    id: int | None = Field(default=None, sa_column=id_column())
    last_id: int = Field(default=0, sa_type=BIG_ID)


class Answered(NamedTuple):
    """What decisions are counted by."""

    rule_set: str
    month: str
    district_code: str
    digest: str
    outcome: str
    reason: str


def counted(session: Session, *conditions: Any) -> Counter[Answered]:
    """The tally with what came since its mark; `conditions` narrow the columns of RuleTally.

    What came since is at most some days of work, and is narrowed by the caller.
    """
    found: Counter[Answered] = Counter()
    for row in session.exec(select(RuleTally).where(*conditions)):
        found[Answered(*(getattr(row, name) for name in Answered._fields))] += row.count
    return found


def since_mark(session: Session, rule_set: str | None = None) -> Counter[Answered]:
    """The decisions behind the mark, counted now; of one rule set or of all."""
    narrowed = () if rule_set is None else (StoredDecision.rule_set == rule_set,)
    return _counted_rows(session, mark(session), _last(session), *narrowed)


def outcomes_in(session: Session, month: date) -> dict[str, Counter[str]]:
    """How often each rule set gave each answer in the month of a day, of all sets in one question."""
    of = (RuleTally.rule_set, RuleTally.outcome)
    kept = select(*of, func.sum(RuleTally.count)).where(RuleTally.month == f"{month:%Y-%m}").group_by(*of)
    begin = month.replace(day=1)
    since = select(StoredDecision.rule_set, StoredDecision.outcome, func.count()).where(
        col(StoredDecision.id) > select(RuleTallyMark.last_id).scalar_subquery(),
        StoredDecision.decided_on >= begin, StoredDecision.decided_on < (begin + timedelta(days=31)).replace(day=1),
    )  # fmt: skip
    found: dict[str, Counter[str]] = {}
    for key, outcome, count in session.execute(union_all(kept, since.group_by(StoredDecision.rule_set, StoredDecision.outcome))):
        found.setdefault(key, Counter())[outcome] += count
    return found


def mark(session: Session) -> int:
    """The last decision that is in the tally."""
    return session.exec(select(RuleTallyMark.last_id)).one()


def _last(session: Session) -> int:
    return session.exec(select(func.max(StoredDecision.id))).one() or 0


def _counted_rows(session: Session, after: int, until: int, *conditions: Any) -> Counter[Answered]:
    """The decisions with after < id <= until, counted by what the tally tells apart."""
    document = col(StoredDecision.document)
    columns = (
        StoredDecision.rule_set, StoredDecision.decided_on, StoredDecision.subject, Case.district_code, StoredDecision.digest,
        StoredDecision.outcome, document["rule"].as_string(), document["missing"],
    )
    statement = select(*columns).join(Case, col(Case.id) == StoredDecision.case_id, isouter=True)
    wanted = statement.where(StoredDecision.id > after, StoredDecision.id <= until, *conditions)
    return Counter(map(_answered, session.execute(wanted.execution_options(yield_per=2_000))))


def _answered(row: Any) -> Answered:
    key, on, subject, district, digest, outcome, rule, missing = row
    reason = ",".join(missing or ()) if outcome == UNDETERMINED else rule or ""
    return Answered(key, f"{on:%Y-%m}", district_of(subject, district), digest, outcome, reason[:240])


@command("rule_tally.keep", allow=system_only)
def keep(work: Work) -> int:
    """Count the settled decisions that are not in the tally yet, up to a batch; how many numbers are left to look at."""
    row = work.session.exec(select(RuleTallyMark).with_for_update()).one()
    settled = select(StoredDecision.id).where(StoredDecision.at < work.at - SETTLED, StoredDecision.id > row.last_id)
    newest = work.session.exec(settled.order_by(col(StoredDecision.id).desc()).limit(1)).first() or row.last_id
    until = min(newest, row.last_id + BATCH_ROWS)
    found = _counted_rows(work.session, row.last_id, until)
    _add(work.session, found)
    row.last_id = until
    work.session.add(row)
    work.record("rule_tally", counted=found.total(), until=until)
    return newest - until


def _add(session: Session, found: Mapping[Answered, int]) -> None:
    for answered, count in found.items():
        same = (getattr(RuleTally, name) == value for name, value in answered._asdict().items())
        row = session.exec(select(RuleTally).where(*same)).first() or RuleTally(**answered._asdict())
        row.count += count
        session.add(row)
