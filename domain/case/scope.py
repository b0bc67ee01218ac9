"""Which cases an actor may know of: the one place that turns grants into rows."""

from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true, union_all
from sqlmodel import Session, col, exists, select
from sqlmodel.sql.expression import SelectOfScalar

from domain.actor import Actor
from domain.case.tables import Case, Task
from domain.errors import NotFound
from domain.role import sees_cases


def visible(actor: Actor) -> ColumnElement[bool]:
    """The condition on Case that holds for what this actor may see; a draft belongs to its writer alone."""
    return _seen(actor, _handled(actor))


def _seen(actor: Actor, handled: ColumnElement[bool]) -> ColumnElement[bool]:
    if actor.is_system:
        return true()
    return or_(_own(actor), and_(col(Case.status) != "draft", or_(_of_office(actor), handled)))


def branches(actor: Actor) -> tuple[ColumnElement[bool], ...]:
    """`visible` in parts of which never two hold at once: what lies in the actor's districts, then what lies elsewhere.

    Counting one part after the other stops as soon as enough are found, and each part has an index of its own.
    """
    if actor.is_system:
        return (true(),)
    here = _places(actor)
    if not here:
        return (visible(actor),)
    elsewhere = and_(*(column.is_distinct_from(code) for column, code in here), or_(_own(actor), _handled(actor)))
    office = and_(col(Case.status) != "draft", or_(*(column == code for column, code in here)))
    own_drafts = and_(col(Case.status) == "draft", _own(actor), or_(*(column == code for column, code in here)))
    return office, own_drafts, and_(or_(_own(actor), col(Case.status) != "draft"), elsewhere)


def _own(actor: Actor) -> ColumnElement[bool]:
    if actor.person_id is None:
        return false()
    own = col(Case.created_by) == actor.person_id
    if not actor.is_applicant:
        return own
    mine = or_(own, col(Case.applicant_id) == actor.person_id)
    if actor.organisation_id is None:
        return mine
    return or_(mine, col(Case.organisation_id) == actor.organisation_id)


def _of_office(actor: Actor) -> ColumnElement[bool]:
    """Cases of the districts (towns) in which a role lets the actor look at cases."""
    places = _places(actor)
    if places is None:
        return true()
    return or_(*(column == code for column, code in places)) if places else false()


def _places(actor: Actor) -> list[tuple[Any, str]] | None:
    """The columns and codes of those districts and towns; None for the whole city."""
    found: list[tuple[Any, str]] = []
    for grant in actor.grants:
        if not sees_cases(grant.role):
            continue
        if grant.town_code:
            found.append((col(Case.town_code), grant.town_code))
        elif grant.district_code:
            found.append((col(Case.district_code), grant.district_code))
        elif grant.organisation_id is None:
            return None
    return found


_HANDS = (Task.assignee_id, Task.reserved_for, Task.done_by)


def _handled(actor: Actor) -> ColumnElement[bool]:
    """Cases that this actor has a hand in, wherever they lie.

    Three indexed look-ups, made once a statement: an EXISTS would be asked again for every row of a list.
    """
    if not actor.hands:
        return false()
    return col(Case.id).in_(union_all(*(select(Task.case_id).where(col(hand).in_(actor.hands)) for hand in _HANDS)))


def _has_handled(actor: Actor, case_id: int) -> ColumnElement[bool]:
    """The same for one case, whose few tasks are looked at instead of the thousands of an experienced official."""
    if not actor.hands:
        return false()
    ours = or_(*(col(hand).in_(actor.hands) for hand in _HANDS))
    return exists(select(Task.id).where(Task.case_id == case_id, ours))


def visible_cases(actor: Actor) -> SelectOfScalar[Case]:
    """A select of the cases that this actor may see."""
    return select(Case).where(visible(actor))


def find(session: Session, actor: Actor, case_id: int) -> Case:
    """The case, or NotFound both when there is none and when the actor may not know of it.

    In a writing session the row stays locked until the command ends, so that of two people who act on one case
    the second sees what the first did.
    """
    statement = select(Case).where(Case.id == case_id, _seen(actor, _has_handled(actor, case_id)))
    if is_writing(session):
        statement = statement.with_for_update(of=Case).execution_options(populate_existing=True)
    case = session.exec(statement).first()
    if case is None:
        raise NotFound("没有这件办件，或者它不在你的查阅范围内。请核对编号，或联系经办部门。")
    return case


def is_writing(session: Session) -> bool:
    """True for the session of a command."""
    return bool(session.get_bind().get_execution_options().get("write"))


def find_by_code(session: Session, actor: Actor, code: str) -> Case:
    """The case by its number or by the number of its draft; NotFound as in `find`, also for a draft that was deleted."""
    wanted = or_(col(Case.number) == code, col(Case.draft_number) == code)
    case = session.exec(visible_cases(actor).where(wanted)).first()
    if case is None or case.outcome == "discarded":
        raise NotFound("没有这件办件，或者它不在你的查阅范围内。请核对编号，或联系经办部门。")
    return case
