"""Which cases and decisions may be known where rules are kept: all of the city to rule maintainers, the own scope to others.

They see what was decided and on which facts, not the pages of the cases: those stay with the scope of cases.
"""

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, select

from domain.actor import Actor
from domain.case import scope
from domain.case.tables import Case, StoredDecision
from domain.errors import NotFound
from domain.rule_edition.draft import KEEPERS


def seen(actor: Actor) -> ColumnElement[bool]:
    """The condition on Case; drafts belong to their writers alone."""
    return col(Case.status) != "draft" if actor.has_role(*KEEPERS) else scope.visible(actor)


def case_of(session: Session, actor: Actor, case_id: int) -> Case:
    """A case that may be known. Raises NotFound."""
    found = session.exec(select(Case).where(Case.id == case_id, seen(actor))).first()
    if found is None:
        raise NotFound("没有这件办件，或者它不在你的查阅范围内。请核对编号。")
    return found


def decision_of(session: Session, actor: Actor, decision_id: int) -> StoredDecision:
    """A stored decision that may be known; of one about no case only rule maintainers. Raises NotFound."""
    stored = session.get(StoredDecision, decision_id)
    may = stored is not None and (actor.has_role(*KEEPERS) or stored.case_id is not None)
    if stored is None or not may:
        raise NotFound("没有这条判断。请从办件或回放的列表进入。")
    if not actor.has_role(*KEEPERS):
        case_of(session, actor, stored.case_id)
    return stored
