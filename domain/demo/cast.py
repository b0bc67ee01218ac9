"""Who takes part in the demo stories: the officials of every step, and the enterprises that apply."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from domain.actor import SYSTEM, Actor
from domain.command import Work, command, system_only
from domain.demo.stage import Stage
from domain.errors import NotFound
from domain.person import Organisation, Person, actor_of
from domain.portal_clock import now


@dataclass(frozen=True)
class Cast:
    """The people by login; enterprises by the login with which they enter through the identity service."""

    ids: Mapping[str, int]
    cases: dict[str, int] = field(default_factory=dict)
    """The cases of stories that others speak of, by tag."""

    def actor(self, session: Session, login: str) -> Actor:
        """A person with the grants of that moment. Raises NotFound for a login that nobody has."""
        found = actor_of(session, self.ids[login]) if login in self.ids else None
        if found is None:
            raise NotFound(f"没有演示账号 {login}，不能装入演示办件。请先装入演示账号。")
        return found


def enter(stage: Stage, document: Mapping[str, Any]) -> Cast:
    """Make the enterprises of the stories; everybody by login."""
    with stage.writing() as session:
        enterprises = make_enterprises(session, SYSTEM, document["enterprises"], stage.identity_issuer)
    with stage.reading() as session:
        officials = session.exec(select(Person.login, Person.id).where(col(Person.is_demo), col(Person.login).is_not(None))).all()
    return Cast({**dict(officials), **enterprises})


@command("demo.enterprises", allow=system_only)
def make_enterprises(work: Work, rows: Mapping[str, Any], issuer: str) -> dict[str, int]:
    """The handler of each sample enterprise: the same person who enters through the identity service, so that what
    waits for this person in the stories can be gone on with by hand."""
    found = {}
    for login, row in rows.items():
        organisation = _organisation(work, row)
        person = Person(
            name=row["handler_name"], phone=row["handler_phone"], is_applicant=True, is_demo=True, organisation_id=organisation.id,
            issuer=issuer or None, subject=row["subject"] if issuer else None, created_at=now(work.session),
        )
        work.session.add(person)
        work.session.flush()
        found[login] = person.id
    work.record("demo", enterprises=len(found))
    return found


def _organisation(work: Work, row: Mapping[str, Any]) -> Organisation:
    known = work.session.exec(select(Organisation).where(Organisation.credit_code == row["credit_code"])).first()
    organisation = known or Organisation(name=row["name"], kind="enterprise", credit_code=row["credit_code"])
    organisation.detail = {key: row[key] for key in ("legal_representative", "address")}
    work.session.add(organisation)
    work.session.flush()
    return organisation
