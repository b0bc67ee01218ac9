"""The records of editions: what is in force on a track, what comes, what was."""

from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from domain.errors import NotFound
from domain.rule_edition.tables import IN_FORCE, SCHEDULED, SET_ASIDE, RuleEdition
from rules.engine.standing import Track


def edition(session: Session, edition_id: int) -> RuleEdition:
    """One edition. Raises NotFound."""
    row = session.get(RuleEdition, edition_id)
    if row is None:
        raise NotFound("没有这个规则版本。请从规则集的版本列表进入。")
    return row


def editions_of(session: Session, kind: str, key: str) -> list[RuleEdition]:
    """Every recorded edition of a rule set, of both tracks, the newest first, with what was set aside."""
    statement = select(RuleEdition).where(RuleEdition.kind == kind, RuleEdition.key == key)
    return list(session.exec(statement.order_by(col(RuleEdition.effective_at).desc(), col(RuleEdition.id).desc())))


def in_force(session: Session, track: Track, at: datetime) -> RuleEdition | None:
    """The edition of a track that began last, as the rule book sees it; None before the first one."""
    statement = _on(track).where(RuleEdition.effective_at <= at, RuleEdition.state != SET_ASIDE)
    newest = statement.order_by(col(RuleEdition.effective_at).desc(), col(RuleEdition.id).desc()).limit(1)
    return session.exec(newest).first()


def scheduled(session: Session, track: Track, at: datetime) -> RuleEdition | None:
    """The edition of a track that begins next; None if none is on its way."""
    coming = _on(track).where(RuleEdition.effective_at > at, RuleEdition.state == SCHEDULED)
    return session.exec(coming.order_by(col(RuleEdition.effective_at)).limit(1)).first()


def current(session: Session) -> list[RuleEdition]:
    """Of every track the edition in force and the scheduled ones, with one query."""
    statement = select(RuleEdition).where(col(RuleEdition.state).in_((IN_FORCE, SCHEDULED)))
    return list(session.exec(statement.order_by(RuleEdition.kind, RuleEdition.key, col(RuleEdition.effective_at))))


def _on(track: Track) -> Any:
    kind, key, is_demo = track
    return select(RuleEdition).where(
        RuleEdition.kind == kind, RuleEdition.key == key, col(RuleEdition.is_demo).is_(is_demo)
    )
