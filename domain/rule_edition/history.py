"""Which cases and decisions went by an edition, and which editions decided a case; scoped by what the actor may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from domain.actor import Actor
from domain.case.scope import visible
from domain.case.tables import Case, StoredDecision
from domain.rule_edition.tables import RuleEdition


@dataclass(frozen=True, slots=True)
class Page:
    """One page of rows, the newest first; `total` counts all of them that the actor may see."""

    rows: tuple[Any, ...]
    total: int


@dataclass(frozen=True, slots=True)
class EditionUse:
    """A rule set in one edition as it decided a case: how often, and its record (None: decided before any record)."""

    rule_set: str
    digest: str
    decisions: int
    edition: RuleEdition | None


def decided_by(session: Session, actor: Actor, digest: str, first: int = 0, size: int = 50) -> Page:
    """(StoredDecision, Case) that an edition gave, of cases within the actor's scope."""
    joined = select(StoredDecision, Case).join(Case, Case.id == StoredDecision.case_id)
    statement = joined.where(visible(actor), StoredDecision.digest == digest)
    return _page(session, statement, col(StoredDecision.id), first, size)


def cases_by(session: Session, actor: Actor, digest: str, first: int = 0, size: int = 50) -> Page:
    """Cases within the actor's scope of which at least one decision was given by an edition."""
    used = select(StoredDecision.case_id).where(StoredDecision.digest == digest)
    return _page(session, select(Case).where(visible(actor), col(Case.id).in_(used)), col(Case.id), first, size)


def editions_of_cases(session: Session, cases: Sequence[int]) -> dict[int, list[EditionUse]]:
    """By case: which rule sets decided it, in which editions, in the order of their first decision; two questions for all.

    The caller has shown that the actor may see the cases.
    """
    of = (StoredDecision.case_id, StoredDecision.rule_set, StoredDecision.digest)
    counted = select(*of, func.count()).where(col(StoredDecision.case_id).in_(cases)).group_by(*of).order_by(func.min(StoredDecision.id))
    uses = session.exec(counted).all()
    wanted = col(RuleEdition.digest).in_({digest for _case, _key, digest, _count in uses})
    records = {row.digest: row for row in session.exec(select(RuleEdition).where(wanted).order_by(RuleEdition.id))}
    found: dict[int, list[EditionUse]] = {case: [] for case in cases}
    for case, key, digest, count in uses:
        found[case].append(EditionUse(key, digest, count, records.get(digest)))
    return found


def counts_of(session: Session, kind: str, key: str) -> dict[str, tuple[int, int]]:
    """By digest: how many decisions an edition of a rule set gave, and about how many cases, in the whole city."""
    counted = select(
        StoredDecision.digest, func.count(), func.count(func.distinct(StoredDecision.case_id))
    ).where(StoredDecision.kind == kind, StoredDecision.rule_set == key)
    return {digest: (decisions, cases) for digest, decisions, cases in session.exec(counted.group_by(StoredDecision.digest))}


def _page(session: Session, statement: Any, newest: Any, first: int, size: int) -> Page:
    total = session.execute(statement.with_only_columns(func.count(), maintain_column_froms=True)).scalar_one()
    rows = session.exec(statement.order_by(newest.desc()).offset(first).limit(size)).all()
    return Page(tuple(rows), total)
