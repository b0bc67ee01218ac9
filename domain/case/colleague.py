"""Colleagues who could take a task, or be asked about it, found by name for the pickers of people."""

from dataclasses import dataclass

from sqlmodel import Session, col, or_, select

from domain import role
from domain.actor import Actor
from domain.case.tables import Task
from domain.person import Organisation, Person, RoleGrant
from domain.portal_clock import now

MOST_FOUND = 20


@dataclass(frozen=True, slots=True)
class Colleague:
    """A person as the picker shows one: name, unit, and the posts held."""

    person_id: int
    name: str
    organisation: str
    posts: str


def fitting(session: Session, actor: Actor, task: Task, name: str = "") -> list[Colleague]:
    """Colleagues of the task's role and district, oneself left out, by name."""
    conditions = [RoleGrant.role == task.role]
    if task.district_code:
        conditions.append(or_(col(RoleGrant.district_code).is_(None), RoleGrant.district_code == task.district_code))
    return _found(session, actor, name, conditions)


def anybody(session: Session, actor: Actor, name: str = "", chosen: list[int] | None = None) -> list[Colleague]:
    """Any colleague with a post, oneself left out; those already chosen come first, in their order."""
    found = _found(session, actor, name, [])
    missing = [person_id for person_id in chosen or [] if person_id not in {each.person_id for each in found}]
    found = [*_found(session, actor, "", [col(Person.id).in_(missing)] if missing else [col(Person.id).is_(None)]), *found]
    places = {person_id: place for place, person_id in enumerate(chosen or [])}
    return sorted(found, key=lambda each: places.get(each.person_id, len(places)))


def _found(session: Session, actor: Actor, name: str, conditions: list) -> list[Colleague]:
    moment = now(session)
    statement = (
        select(Person.id, Person.name, Organisation.name, RoleGrant.role)
        .join(RoleGrant, col(RoleGrant.person_id) == Person.id)
        .join(Organisation, col(Organisation.id) == Person.organisation_id, isouter=True)
        .where(col(Person.is_active), ~col(Person.is_applicant), Person.id != actor.person_id, RoleGrant.from_at <= moment)
        .where(or_(col(RoleGrant.until_at).is_(None), col(RoleGrant.until_at) > moment), *conditions)
    )
    if name.strip():
        statement = statement.where(col(Person.name).contains(name.strip(), autoescape=True))
    rows = session.execute(statement.order_by(Person.name, Person.id, RoleGrant.id).limit(MOST_FOUND * 4)).all()
    posts: dict[int, list[str]] = {}
    people: dict[int, tuple[str, str]] = {}
    for person_id, person_name, organisation, post in rows:
        if not role.is_administrator(post):
            people[person_id] = (person_name, organisation or "")
            posts.setdefault(person_id, []).append(role.role_label(post))
    return [
        Colleague(person_id, who, unit, "、".join(dict.fromkeys(posts[person_id]))) for person_id, (who, unit) in people.items()
    ][:MOST_FOUND]
