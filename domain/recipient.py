"""Who is told of what the portal finds by itself: the people who hold a role over a district."""

from collections.abc import Iterable

from sqlmodel import Session, col, or_, select

from domain.person import Person, RoleGrant
from domain.portal_clock import now

MOST = 50
"""More people than these are not told one by one."""


def holders(session: Session, roles: Iterable[str], district_code: str | None = None) -> list[int]:
    """Ids of the active people who hold one of the roles now, in the district or for the whole city; by id.

    Without a district only those are meant who hold the role for the whole city.
    """
    at = now(session)
    place = col(RoleGrant.district_code).is_(None)
    if district_code is not None:
        place = or_(place, col(RoleGrant.district_code) == district_code)
    statement = (
        select(RoleGrant.person_id)
        .join(Person, col(Person.id) == RoleGrant.person_id)
        .where(col(RoleGrant.role).in_(list(roles)), col(Person.is_active).is_(True), RoleGrant.from_at <= at, place)
        .where(or_(col(RoleGrant.until_at).is_(None), col(RoleGrant.until_at) > at))
        .distinct()
        .order_by(col(RoleGrant.person_id))
    )
    return list(session.exec(statement.limit(MOST)).all())


def roles_in(text: str | None) -> list[str]:
    """The role keys of a rule's `target`, which names them separated by commas."""
    return [key.strip() for key in (text or "").split(",") if key.strip()]
