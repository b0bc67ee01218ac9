"""The past decisions of a rule set, read in their order and in batches; of each only what a replay needs."""

from collections.abc import Iterator
from typing import Any

from sqlmodel import Session, col, func, select

from domain.case.tables import Case, StoredDecision
from domain.decision_subject import district_of
from domain.person import Person
from domain.rule_replay.comparison import Past

BATCH_ROWS = 2_000


def last_id(session: Session) -> int:
    """The newest decision of any rule set; 0 while there is none."""
    return session.exec(select(func.max(StoredDecision.id))).one() or 0


def count(session: Session, rule_set: str, until_id: int) -> int:
    """How many decisions a rule set gave up to one."""
    counted = select(func.count()).select_from(StoredDecision)
    return session.exec(counted.where(StoredDecision.rule_set == rule_set, StoredDecision.id <= until_id)).one()


def batch(session: Session, rule_set: str, after_id: int, until_id: int) -> list[Past]:
    """The next decisions of a rule set behind one, the earliest first; at most BATCH_ROWS."""
    document = col(StoredDecision.document)
    columns: tuple[Any, ...] = (
        StoredDecision.id, StoredDecision.case_id, StoredDecision.subject, Case.district_code, StoredDecision.person_id, Person.name,
        StoredDecision.decided_on, StoredDecision.outcome, document["rule"].as_string(), StoredDecision.message, document["facts"],
    )
    joined = (
        select(*columns)
        .join(Case, col(Case.id) == StoredDecision.case_id, isouter=True)
        .join(Person, col(Person.id) == StoredDecision.person_id, isouter=True)
    )
    narrowed = joined.where(
        StoredDecision.rule_set == rule_set, StoredDecision.id > after_id, StoredDecision.id <= until_id
    )
    return [_past(row) for row in session.execute(narrowed.order_by(col(StoredDecision.id)).limit(BATCH_ROWS))]


def batches(session: Session, rule_set: str, until_id: int) -> Iterator[list[Past]]:
    """Every decision of a rule set up to one, batch by batch."""
    after_id = 0
    while found := batch(session, rule_set, after_id, until_id):
        yield found
        after_id = found[-1].decision_id


def _past(row: Any) -> Past:
    key, case_id, subject, district, officer, name, on, outcome, rule, message, facts = row
    return Past(key, case_id, subject, district_of(subject, district), officer, name or "", on, outcome, rule, message, facts)
