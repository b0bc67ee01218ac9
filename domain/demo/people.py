"""Demo accounts: at least one for every role, in several districts; for demo databases only."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import Session, col, func, select

from domain import role
from domain.command import Work
from domain.district import district_name
from domain.errors import Refused
from domain.office import office_of
from domain.person import Organisation, Person, RoleGrant
from domain.sign_in import HASHER

FILE = Path(__file__).parent.parent / "reference" / "demo" / "people.yaml"


@dataclass(frozen=True, slots=True)
class Account:
    """A demo account as people read it: how to sign in, and what for."""

    login: str
    password: str
    name: str
    role: str
    role_label: str
    scope: str
    organisation: str
    way: str
    """password: on the sign-in page; identity: through the simulator of the identity service."""


@cache
def _document() -> Mapping[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def password() -> str:
    """The one password of every demo account of an official; public, like the accounts."""
    return _document()["password"]


def accounts() -> tuple[Account, ...]:
    """Every demo account, officials first, in the order of the file."""
    document = _document()
    names = {row["key"]: row["name"] for row in document["organisations"]}
    staff = [_account(row, names[row["organisation"]], password()) for row in document["people"]]
    return (*staff, *(_enterprise(row) for row in document["enterprises"]))


def _account(row: Mapping[str, Any], organisation: str, password: str) -> Account:
    grant = row["grants"][0]
    scope = district_name(grant["district"]) if "district" in grant else "全市"
    label = role.role_label(grant["role"])
    return Account(row["login"], password, row["name"], grant["role"], label, scope, organisation, "password")


def _enterprise(row: Mapping[str, Any]) -> Account:
    label = role.role_label("applicant")
    return Account(row["login"], row["password"], row["name"], "applicant", label, "本单位", row["name"], "identity")


ACCOUNTS: tuple[Account, ...] = accounts()


def are_loaded(session: Session) -> bool:
    """True if this database holds demo accounts that can sign in."""
    loaded = select(func.count()).select_from(Person).where(col(Person.is_demo), col(Person.login).is_not(None))
    return session.exec(loaded).one() > 0


def load(work: Work) -> dict[str, int]:
    """Make the organisations and accounts that are missing; the ids of all accounts by login.

    Refused on a database that is not a demo, because the passwords are public.
    """
    if not office_of(work.session).is_demo:
        raise Refused("演示账号的口令是公开的，只能装入演示库。请在演示环境中操作。")
    organisations = _load_organisations(work)
    password_hash = HASHER.hash(password())
    found = {
        row["login"]: _load_person(work, row, organisations[row["organisation"]], password_hash)
        for row in _document()["people"]
    }
    work.record("demo", accounts=len(found))
    return found


def _load_organisations(work: Work) -> dict[str, int]:
    ids: dict[str, int] = {}
    for row in _document()["organisations"]:
        found = work.session.exec(select(Organisation).where(Organisation.name == row["name"])).first()
        if found is None:
            found = Organisation(
                name=row["name"], kind=row["kind"], district_code=row.get("district"), town_code=row.get("town"),
                parent_id=ids.get(row.get("parent", "")), detail={"is_demo": True},
            )
            work.session.add(found)
            work.session.flush()
        ids[row["key"]] = found.id
    return ids


def _load_person(work: Work, row: Mapping[str, Any], organisation_id: int, password_hash: str) -> int:
    person = work.session.exec(select(Person).where(Person.login == row["login"])).first()
    if person is None:
        person = Person(
            login=row["login"], name=row["name"], organisation_id=organisation_id, is_demo=True,
            password_hash=password_hash, password_changed_at=work.at, created_at=work.at,
        )
        work.session.add(person)
        work.session.flush()
        for grant in row["grants"]:
            work.session.add(RoleGrant(
                person_id=person.id, role=grant["role"], district_code=grant.get("district"),
                town_code=grant.get("town"), from_at=work.at,
            ))
    return person.id
