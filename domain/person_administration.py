"""Accounts as administrators keep them: made, renamed, disabled, given a new password, unlocked."""

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select
from sqlmodel import Session, col, exists, func, or_, select

from domain import portal_clock, role
from domain.case.tables import Case, Task
from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.person import Organisation, Person, RoleGrant
from domain.role_grant import in_force
from domain.session import end_sessions, forget_actors, forget_attempts
from domain.sign_in import HASHER

_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]{2,39}\Z")
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without the characters that are mistaken for one another when a password is read out."""


@dataclass(frozen=True, slots=True)
class PersonFields:
    """What administrators say of an account."""

    name: str
    organisation_id: int | None
    phone: str = ""


@dataclass(frozen=True, slots=True)
class PersonFilter:
    """What a list of accounts is narrowed to; empty means all."""

    words: str = ""
    organisation_id: int | None = None
    role: str = ""
    state: str = ""
    """active | disabled | applicant, or nothing: staff and applicants, active or not"""


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One account in the list: the person, where he or she works, and the roles in force."""

    person: Person
    organisation: str
    roles: tuple[RoleGrant, ...]


@dataclass(frozen=True, slots=True)
class OpenTask:
    """A task in the hands of somebody, for handing over."""

    task_id: int
    case_id: int
    title: str
    step: str


def list_people(session: Session, wanted: PersonFilter, at: datetime, first: int, size: int) -> tuple[list[PersonRow], int]:
    """The accounts that fit, by id, with their organisation and roles; and how many there are. Three queries."""
    statement = _narrowed(select(Person, Organisation.name).join(Organisation, isouter=True), wanted, at)
    rows = session.execute(statement.order_by(col(Person.id)).offset(first).limit(size)).all()
    total = session.execute(_narrowed(select(func.count()).select_from(Person), wanted, at)).scalar_one()
    people = [person.id for person, _name in rows]
    grants = session.exec(select(RoleGrant).where(col(RoleGrant.person_id).in_(people), in_force(at))).all()
    return [
        PersonRow(person, name or "", tuple(grant for grant in grants if grant.person_id == person.id))
        for person, name in rows
    ], total


def _narrowed(statement: Select, wanted: PersonFilter, at: datetime) -> Select:
    if wanted.words:
        words = wanted.words.strip()
        statement = statement.where(or_(col(Person.name).contains(words, autoescape=True),
                                        col(Person.login).contains(words.lower(), autoescape=True)))
    if wanted.organisation_id is not None:
        statement = statement.where(Person.organisation_id == wanted.organisation_id)
    if wanted.role:
        held = select(RoleGrant.id).where(RoleGrant.person_id == Person.id, RoleGrant.role == wanted.role, in_force(at))
        statement = statement.where(exists(held))
    if wanted.state == "applicant":
        statement = statement.where(col(Person.is_applicant))
    elif wanted.state:
        statement = statement.where(Person.is_active == (wanted.state == "active"))
    return statement


def person_of(session: Session, person_id: int) -> Person:
    """One account. Raises NotFound."""
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound("没有这个账号。请从账号列表进入。")
    return found


def open_tasks(session: Session, person_id: int, limit: int = 100) -> list[OpenTask]:
    """The tasks that lie with a person, for handing over: the title is said, nothing else of the case."""
    statement = (
        select(Task.id, Case.id, Case.title, Task.step).join(Case, Task.case_id == Case.id)
        .where(or_(Task.assignee_id == person_id, Task.reserved_for == person_id),
               col(Task.status).in_(("ready", "held", "waiting")))
    )
    return [OpenTask(*row) for row in session.execute(statement.order_by(col(Task.id)).limit(limit)).all()]


def is_administrators(session: Session, person_id: int, at: datetime) -> bool:
    """True for the account of one of the three administrators."""
    held = session.exec(select(RoleGrant.role).where(RoleGrant.person_id == person_id, in_force(at))).all()
    return any(role.is_administrator(key) for key in held)


@command("person.create", allow=holders_of("system_admin"))
def create_person(work: Work, login: str, fields: PersonFields) -> tuple[Person, str]:
    """Make an account for an official; it has no role yet. Answers the first password, which is kept nowhere."""
    login = login.strip().lower()
    wrong = _field_faults(work.session, fields)
    if not _LOGIN.match(login):
        wrong["login"] = "登录名用 3 到 40 位小写字母、数字、点、下划线或连字符，以字母或数字开头"
    elif work.session.exec(select(Person.id).where(Person.login == login)).first() is not None:
        wrong["login"] = "这个登录名已有人使用"
    _refuse(wrong)
    password = new_password()
    person = Person(
        login=login, name=fields.name.strip(), organisation_id=fields.organisation_id, phone=fields.phone.strip() or None,
        password_hash=HASHER.hash(password), must_change_password=True, created_at=work.at,
    )
    work.session.add(person)
    work.session.flush()
    work.record(f"person:{person.id}", act="create", login=login, organisation=fields.organisation_id)
    return person, password


@command("person.change", allow=holders_of("system_admin"))
def change_person(work: Work, person_id: int, fields: PersonFields, version: int) -> Person:
    """Change name, organisation or phone of an official's account."""
    person = _unchanged(work.session, person_id, version)
    if person.is_applicant:
        raise InvalidData("申请人的姓名和单位以一网通办为准，不能在这里改。请其在一网通办更正后重新登录。")
    _refuse(_field_faults(work.session, fields))
    person.name, person.organisation_id, person.phone = fields.name.strip(), fields.organisation_id, fields.phone.strip() or None
    person.version += 1
    work.record(f"person:{person.id}", act="change", organisation=fields.organisation_id)
    forget_actors(work)
    return person


@command("person.disable", allow=holders_of("system_admin"))
def disable_person(work: Work, person_id: int, reason: str, version: int) -> list[OpenTask]:
    """Disable an account: its sessions end at once; answers the tasks that somebody must take over."""
    person = _unchanged(work.session, person_id, version)
    if person.id == work.actor.person_id:
        raise NotAllowed("不能停用自己的账号。请由另一名系统管理员办理。")
    if not person.is_active:
        raise Conflict("这个账号已经停用。请刷新页面查看。")
    if not reason.strip():
        raise InvalidData("停用账号要写明原因。请填写。", {"reason": "请写明停用原因"})
    _keep_administrators(work.session, person_id, work.at)
    person.is_active, person.version = False, person.version + 1
    ended = end_sessions(work, person.id, portal_clock.now())
    work.record(f"person:{person.id}", act="disable", reason=reason.strip(), ended_sessions=ended)
    return open_tasks(work.session, person.id)


@command("person.enable", allow=holders_of("system_admin"))
def enable_person(work: Work, person_id: int, version: int) -> Person:
    """Let a disabled account sign in again; its roles are those that were not taken."""
    person = _unchanged(work.session, person_id, version)
    if person.is_active:
        raise Conflict("这个账号没有停用。请刷新页面查看。")
    person.is_active, person.version = True, person.version + 1
    work.record(f"person:{person.id}", act="enable")
    return person


@command("person.reset_password", allow=holders_of("system_admin", "security_admin"))
def reset_password(work: Work, person_id: int) -> str:
    """Give an account a random password that must be changed at the next sign-in; answers it this once.

    The system administrator does so for officials, the security administrator for the three administrators:
    otherwise one of them could sign in as another.
    """
    person = person_of(work.session, person_id)
    if person.id == work.actor.person_id:
        raise NotAllowed("自己的口令在「我的账号」里改，不能在这里重设。")
    if person.login is None or not person.is_active:
        raise NotAllowed("这个账号不用口令登录，或已停用，不能重设口令。")
    keeper = "security_admin" if is_administrators(work.session, person_id, work.at) else "system_admin"
    if not work.actor.has_role(keeper):
        raise NotAllowed(f"这个账号的口令由{role.role_label(keeper)}重设。请联系{role.role_label(keeper)}。")
    password = new_password()
    person.password_hash, person.must_change_password = HASHER.hash(password), True
    person.password_changed_at, person.version = work.at, person.version + 1
    forget_attempts(work, person.login)
    ended = end_sessions(work, person.id, portal_clock.now())
    work.record(f"person:{person.id}", act="reset_password", ended_sessions=ended)
    return password


@command("person.unlock", allow=holders_of("security_admin"))
def unlock_person(work: Work, person_id: int) -> Person:
    """Let somebody sign in again who is paused after too many wrong passwords."""
    person = person_of(work.session, person_id)
    forget_attempts(work, person.login or "")
    work.record(f"person:{person.id}", act="unlock")
    return person


@command("person.end_sessions", allow=holders_of("security_admin"))
def end_sessions_of(work: Work, person_id: int) -> int:
    """End every open session of a person; how many there were."""
    person = person_of(work.session, person_id)
    ended = end_sessions(work, person.id, portal_clock.now())
    work.record(f"person:{person.id}", act="end_sessions", ended_sessions=ended)
    return ended


def new_password() -> str:
    """A random password of five groups of four characters: about 98 bits."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(5))


def _unchanged(session: Session, person_id: int, version: int) -> Person:
    person = person_of(session, person_id)
    if person.version != version:
        raise Conflict(f"「{person.name}」的账号在你打开页面之后被改过，本次没有保存。请刷新页面后再改。")
    return person


def _field_faults(session: Session, fields: PersonFields) -> dict[str, str]:
    wrong: dict[str, str] = {}
    if not 2 <= len(fields.name.strip()) <= 40:
        wrong["name"] = "姓名要写 2 到 40 字"
    organisation = session.get(Organisation, fields.organisation_id) if fields.organisation_id else None
    if organisation is None or not organisation.is_active or organisation.kind == "enterprise":
        wrong["organisation_id"] = "请选择在用的单位"
    if len(fields.phone.strip()) > 30:
        wrong["phone"] = "电话最长 30 个字符"
    return wrong


def _refuse(wrong: dict[str, str]) -> None:
    if wrong:
        raise InvalidData(f"账号没有保存，有 {len(wrong)} 处要改：{'；'.join(wrong.values())}。", wrong)


def _keep_administrators(session: Session, person_id: int, at: datetime) -> None:
    """The last active holder of an administrator's role stays: nobody could give it again."""
    for key in ("system_admin", "security_admin", "audit_admin"):
        held = select(RoleGrant.person_id).join(Person, Person.id == RoleGrant.person_id)
        holders = set(session.exec(held.where(RoleGrant.role == key, in_force(at), col(Person.is_active))).all())
        if holders == {person_id}:
            raise Conflict(f"这是最后一名{role.role_label(key)}，停用后没有人能履行这一职责。请先授予另一人。")
