"""People, organisations, roles and who stands in for whom."""

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, or_
from sqlmodel import Field, Session, SQLModel, col, select

from domain import role
from domain.actor import Actor, Grant
from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column
from domain.portal_clock import now


class Organisation(SQLModel, table=True):
    """A bureau, a town government, an agency or an enterprise."""

    __tablename__ = "organisation"

    id: int | None = Field(default=None, sa_column=id_column())
    name: str
    kind: str = Field(sa_column=code_column(length=24))
    """city | district | town | agency | enterprise"""
    credit_code: str | None = Field(default=None, sa_column=code_column(length=18, nullable=True, unique=True))
    district_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True, index=True))
    town_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    parent_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="organisation.id")
    is_active: bool = True
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    version: int = 1


class Person(SQLModel, table=True):
    """An account. Staff sign in with a password, applicants through the city's identity provider."""

    __tablename__ = "person"
    __table_args__ = (UniqueConstraint("issuer", "subject", name="uq_person_identity"),)

    id: int | None = Field(default=None, sa_column=id_column())
    login: str | None = Field(default=None, sa_column=code_column(nullable=True, unique=True))
    name: str
    organisation_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="organisation.id", index=True)
    is_applicant: bool = False
    is_active: bool = True
    is_demo: bool = False
    password_hash: str | None = None
    password_changed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    must_change_password: bool = False
    issuer: str | None = Field(default=None, sa_column=code_column(length=200, nullable=True))
    subject: str | None = Field(default=None, sa_column=code_column(length=200, nullable=True))
    phone: str | None = None
    theme: str = "system"
    density: str | None = None
    text_size: str = "normal"
    created_at: datetime = Field(sa_column=moment_column())
    version: int = 1


class RoleGrant(SQLModel, table=True):
    """A role given to a person within a scope, from a moment until another."""

    __tablename__ = "role_grant"
    __table_args__ = (Index("ix_role_grant_person", "person_id"), Index("ix_role_grant_role", "role", "district_code"))

    id: int | None = Field(default=None, sa_column=id_column())
    person_id: int = Field(sa_type=BIG_ID, foreign_key="person.id")
    role: str = Field(sa_column=code_column())
    district_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    town_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    organisation_id: int | None = Field(default=None, sa_type=BIG_ID, foreign_key="organisation.id")
    from_at: datetime = Field(sa_column=moment_column())
    until_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    given_by: int | None = Field(default=None, sa_type=BIG_ID)


class Absence(SQLModel, table=True):
    """A person is away; another has his or her authority for the time, and it ends by itself."""

    __tablename__ = "absence"

    id: int | None = Field(default=None, sa_column=id_column())
    person_id: int = Field(sa_type=BIG_ID, foreign_key="person.id", index=True)
    delegate_id: int = Field(sa_type=BIG_ID, foreign_key="person.id", index=True)
    from_at: datetime = Field(sa_column=moment_column())
    until_at: datetime = Field(sa_column=moment_column())
    reason: str
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    created_by: int | None = Field(default=None, sa_type=BIG_ID)


def actor_of(session: Session, person_id: int) -> Actor | None:
    """The person as an actor with the grants in force now, those of absent colleagues included; None if inactive."""
    person = session.get(Person, person_id)
    if person is None or not person.is_active:
        return None
    moment = now(session)
    absences = _absences_covered_by(session, person_id, moment)
    rows = _grants_in_force(session, [person_id, *(a.person_id for a in absences)], moment)
    until = {absence.person_id: absence.until_at for absence in absences}
    grants = tuple(_as_grant(row, person_id, until) for row in rows if _may_be_delegated(row, person_id))
    return Actor(
        person_id=person.id,
        name=person.name,
        grants=grants,
        organisation_id=person.organisation_id,
        is_applicant=person.is_applicant,
        stands_for=tuple(absence.person_id for absence in absences),
    )


def _absences_covered_by(session: Session, person_id: int, moment: datetime) -> list[Absence]:
    statement = select(Absence).where(
        Absence.delegate_id == person_id,
        Absence.from_at <= moment,
        Absence.until_at > moment,
        or_(col(Absence.ended_at).is_(None), col(Absence.ended_at) > moment),
    )
    return list(session.exec(statement).all())


def _grants_in_force(session: Session, people: list[int], moment: datetime) -> list[RoleGrant]:
    statement = select(RoleGrant).where(
        col(RoleGrant.person_id).in_(people),
        RoleGrant.from_at <= moment,
        or_(col(RoleGrant.until_at).is_(None), col(RoleGrant.until_at) > moment),
    )
    return list(session.exec(statement.order_by(col(RoleGrant.id))).all())


def _may_be_delegated(row: RoleGrant, person_id: int) -> bool:
    """An administrator's authority is never passed on."""
    return row.person_id == person_id or not role.is_administrator(row.role)


def _as_grant(row: RoleGrant, person_id: int, until: dict[int, datetime]) -> Grant:
    delegated = row.person_id != person_id
    return Grant(
        role=row.role,
        district_code=row.district_code,
        organisation_id=row.organisation_id,
        town_code=row.town_code,
        delegated_by=row.person_id if delegated else None,
        until=until[row.person_id] if delegated else row.until_at,
    )
