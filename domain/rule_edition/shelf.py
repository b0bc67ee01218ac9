"""The records and the rule book: what is recorded stands on the shelf of every process soon after the commit."""

from dataclasses import dataclass

from sqlalchemy import inspect
from sqlmodel import Session, col, select

from domain.command import Work
from domain.office import office_of
from domain.rule_edition.tables import ROLLED_BACK, SET_ASIDE, SUPERSEDED, RuleEdition, RuleFile, RuleShelf
from domain.waking import wake
from rules.engine import StoredEdition

QUEUE = "rules"
"""Woken after every change, so that what was published is written to its file at once."""


def version(session: Session) -> int:
    """How often the records were changed: one cheap look-up, for the watch of each process."""
    return session.exec(select(RuleShelf.version)).one()


def stored_editions(session: Session) -> list[StoredEdition]:
    """Every edition that was, is or will be in force, in the order in which they begin."""
    ordered = select(RuleEdition).where(RuleEdition.state != SET_ASIDE).order_by(
        col(RuleEdition.effective_at), col(RuleEdition.id)
    )
    return [stored(row) for row in session.exec(ordered)]


@dataclass(frozen=True)
class Recorded:
    """What a starting process needs of the records: `files` names those whose set has a recorded edition."""

    editions: tuple[StoredEdition, ...] = ()
    version: int = 0
    files: frozenset[str] = frozenset()


def recorded(session: Session) -> Recorded:
    """The records as they stand; nothing at all from a database without them."""
    if not inspect(session.connection()).has_table(RuleShelf.__tablename__):
        return Recorded()
    files = session.exec(select(RuleFile.name).where(col(RuleFile.edition_id).is_not(None)))
    return Recorded(tuple(stored_editions(session)), version(session), frozenset(files))


def stored(row: RuleEdition) -> StoredEdition:
    """A record as the rule book takes it."""
    return StoredEdition(
        row.kind, row.key, row.is_demo, row.digest, row.text, row.content, row.effective_at, row.until,
        f"{row.key}（记录 {row.id}）", row.state in (SUPERSEDED, ROLLED_BACK),
    )  # fmt: skip


def refresh(session: Session) -> bool:
    """Put the records on the shelf of this process if they changed since it last looked; whether they had."""
    book, found = office_of(session).book, version(session)
    if found == book.version:
        return False
    book.shelve(stored_editions(session), found)
    return True


def lock(work: Work) -> RuleShelf:
    """Hold back every other change of the records until this one is committed."""
    return work.session.exec(select(RuleShelf).with_for_update()).one()


def changed(work: Work) -> None:
    """Count the change, and put the new state on the shelf once it is committed: all threads see it at once."""
    shelf = lock(work)
    shelf.version += 1
    work.session.add(shelf)
    work.after_commit(lambda: _spread(work.session))


def _spread(session: Session) -> None:
    refresh(session)
    wake(QUEUE)
