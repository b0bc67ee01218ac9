"""Signing in and out: passwords under argon2, throttling, sessions on the server.

Sessions and pauses run by the real clock: moving the date of a demo database signs nobody out.
"""

import base64
import os
import secrets
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import delete
from sqlmodel import Session, col, func, select

from domain import portal_clock
from domain.actor import Actor
from domain.command import Work, anybody, anyone_signed_in, command
from domain.errors import InvalidData, NotAllowed, NotFound, PortalError
from domain.office import office_of
from domain.person import Organisation, Person
from domain.ports.identity import SignIn
from domain.session import (
    SignedInSession,
    SignInAttempt,
    digest,
    end_sessions,
    forget_actors,
    forget_attempts,
)

HASHER = PasswordHasher()
HASHING = threading.BoundedSemaphore(os.cpu_count() or 1)
"""One hash keeps a processor and 64 MB busy for about a tenth of a second; more at a time than processors only wait."""


def _hash_of_nobody() -> str:
    """A hash that no password fits, with the parameters of ours: to check it takes as long as a wrong password."""
    salt, value = (base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode() for length in (16, 32))
    return f"$argon2id$v=19$m={HASHER.memory_cost},t={HASHER.time_cost},p={HASHER.parallelism}${salt}${value}"


_NOBODY = _hash_of_nobody()
"""Checked when there is no such login, so that the answer says nothing about which logins there are."""
TRIES, PAUSE = 5, timedelta(minutes=10)
SHORTEST_PASSWORD, LONGEST_PASSWORD = 10, 200
WRONG_OLD = "原口令不对，没有修改。"
WRONG = "用户名或口令不对。连续 5 次不对将暂停登录 10 分钟。忘记口令的，请联系本单位的系统管理员重设。"


class TooManyTries(PortalError):
    """Signing in is paused for this login or address."""

    status = 429


@dataclass(frozen=True)
class PasswordCheck:
    """What a check of a password found. It is made outside of every transaction: all other writers would wait for it."""

    login: str
    stored: str | None
    """The hash that was checked; None if there is no such login, or one without a password."""
    matches: bool
    renewed: str | None = None
    """The same password hashed by the parameters of today, if the stored hash has older ones."""


def stored_hash(session: Session, login: str) -> str | None:
    """The hash of a login's password, to be checked by `checked`."""
    return session.exec(select(Person.password_hash).where(Person.login == login.strip())).first()


def checked(login: str, stored: str | None, password: str) -> PasswordCheck:
    """Check a password against the stored hash; takes as long when there is none. Call it outside a session."""
    matches = _matches(stored or _NOBODY, password) and stored is not None
    is_old = matches and stored is not None and HASHER.check_needs_rehash(stored)
    return PasswordCheck(login.strip(), stored, matches, _hash(password) if is_old else None)


@command("session.open", allow=anybody)
def open_with_password(
    work: Work, check: PasswordCheck, *, address: str, browser: str, lasts: timedelta
) -> tuple[str, Person]:
    """Open a session for a password that was checked; answers its token, which is kept nowhere else.

    Raises NotAllowed if it did not match or was changed since, TooManyTries if others failed in the meantime.
    """
    must_not_be_paused(work.session, check.login, address, portal_clock.now())
    person = work.session.exec(select(Person).where(Person.login == check.login)).first()
    if person is None or not check.matches or person.password_hash != check.stored or not person.is_active:
        raise NotAllowed(WRONG)
    if check.renewed:
        person.password_hash = check.renewed
    forget_attempts(work, check.login)
    return _open(work, person, address, browser, lasts, None), person


def must_not_be_paused(session: Session, login: str, address: str, at: datetime) -> None:
    """Raise TooManyTries while this login, or this address, has failed too often."""
    recent = select(func.count()).select_from(SignInAttempt).where(SignInAttempt.at > at - PAUSE)
    by_login = session.exec(recent.where(SignInAttempt.login_digest == digest(login.strip()))).one()
    by_address = session.exec(recent.where(SignInAttempt.address_digest == digest(address))).one()
    if by_login >= TRIES or by_address >= TRIES * 10:
        raise TooManyTries("登录失败次数过多，已暂停 10 分钟。请稍后再试；忘记口令的，请联系本单位的系统管理员重设。")


@command("session.failed", allow=anybody)
def note_failure(work: Work, login: str, address: str) -> None:
    """Count a failed sign-in; old ones are forgotten on the way."""
    at = portal_clock.now()
    work.session.exec(delete(SignInAttempt).where(col(SignInAttempt.at) < at - timedelta(days=1)))
    work.session.add(SignInAttempt(login_digest=digest(login.strip()), address_digest=digest(address), at=at))


def _matches(stored: str, password: str) -> bool:
    try:
        with HASHING:
            return HASHER.verify(stored, password[:LONGEST_PASSWORD])
    except (VerifyMismatchError, InvalidHashError):
        return False


def _hash(password: str) -> str:
    with HASHING:
        return HASHER.hash(password)


@command("session.open_enterprise", allow=anybody)
def open_with_identity(
    work: Work, signed_in: SignIn, issuer: str, *, address: str, browser: str, lasts: timedelta
) -> tuple[str, Person]:
    """Open a session for a person whom the city's identity provider vouches for; the account is made at first."""
    organisation = _organisation(work, signed_in)
    statement = select(Person).where(Person.issuer == issuer, Person.subject == signed_in.subject)
    person = work.session.exec(statement).first()
    if person is None:
        person = Person(issuer=issuer, subject=signed_in.subject, name="", is_applicant=True, created_at=work.at,
                        is_demo=office_of(work.session).is_demo)
    if not person.is_active:
        raise NotAllowed("这个账号已停用。需要恢复的，请联系办事窗口。")
    person.name, person.organisation_id = signed_in.enterprise.handler_name, organisation.id
    person.phone = signed_in.enterprise.handler_phone
    work.session.add(person)
    work.session.flush()
    return _open(work, person, address, browser, lasts, signed_in.id_token), person


def _organisation(work: Work, signed_in: SignIn) -> Organisation:
    enterprise = signed_in.enterprise
    found = work.session.exec(select(Organisation).where(Organisation.credit_code == enterprise.credit_code)).first()
    organisation = found or Organisation(name=enterprise.name, kind="enterprise", credit_code=enterprise.credit_code)
    organisation.name = enterprise.name
    organisation.detail = {"legal_representative": enterprise.legal_representative, "address": enterprise.address}
    work.session.add(organisation)
    work.session.flush()
    return organisation


def _open(work: Work, person: Person, address: str, browser: str, lasts: timedelta, id_token: str | None) -> str:
    token, at = secrets.token_urlsafe(32), portal_clock.now()
    # Who signs in is nobody until now; the trail names the person.
    work.actor = Actor(person.id, person.name, is_applicant=person.is_applicant)
    work.session.add(
        SignedInSession(
            token_digest=digest(token), person_id=person.id, csrf_token=secrets.token_urlsafe(24), created_at=at,
            seen_at=at, expires_at=at + lasts, address=address[:64], browser=browser[:200], id_token=id_token,
        )
    )
    work.record(f"person:{person.id}", act="sign_in", by="identity" if id_token else "password")
    return token


def session_of(session: Session, token: str, at: datetime, idle: timedelta) -> SignedInSession | None:
    """The open session of a token; None if it ended, expired or lay idle too long."""
    statement = select(SignedInSession).where(
        SignedInSession.token_digest == digest(token),
        col(SignedInSession.ended_at).is_(None),
        SignedInSession.expires_at > at,
        SignedInSession.seen_at > at - idle,
    )
    return session.exec(statement).first()


def touch(session: Session, session_id: int, at: datetime) -> None:
    """Note that a session is in use; no audit entry, because nothing was done."""
    row = session.get(SignedInSession, session_id)
    if row is not None:
        row.seen_at = at
        session.commit()


@command("session.end", allow=anyone_signed_in)
def end(work: Work, session_id: int) -> str | None:
    """End one of one's own sessions; answers the identity provider's token, to end the session there too."""
    row = work.session.get(SignedInSession, session_id)
    if row is None or row.person_id != work.actor.person_id:
        raise NotFound("没有这个登录会话，它可能已经退出。")
    row.ended_at = portal_clock.now()
    work.record(f"person:{row.person_id}", act="sign_out")
    forget_actors(work)
    return row.id_token


@dataclass(frozen=True)
class PasswordChange:
    """A change of password that was checked: the hash it replaces and the new one."""

    stored: str
    renewed: str


def own_password(session: Session, actor: Actor) -> tuple[str, str | None]:
    """The actor's own login and the hash of its password, to be checked by `checked_change`."""
    found = session.exec(select(Person.login, Person.password_hash).where(Person.id == actor.person_id)).first()
    return (found[0] or "", found[1]) if found else ("", None)


def checked_change(login: str, stored: str | None, old: str, new: str) -> PasswordChange:
    """Check the old password and hash the new one, outside of every transaction. Raises InvalidData by field."""
    if stored is None or not _matches(stored, old):
        raise InvalidData(WRONG_OLD, {"old": "原口令不对"})
    return PasswordChange(stored, hashed(new, login))


@command("session.change_password", allow=anyone_signed_in)
def change_password(work: Work, change: PasswordChange, keep_session: int | None = None) -> None:
    """Change one's own password; every other session ends."""
    person = work.session.get(Person, work.actor.person_id)
    if person is None or person.password_hash != change.stored:
        raise InvalidData(WRONG_OLD, {"old": "原口令不对"})
    person.password_hash = change.renewed
    person.password_changed_at, person.must_change_password = work.at, False
    ended = end_sessions(work, person.id, portal_clock.now(), keep_session)
    work.record(f"person:{person.id}", act="change_password", ended_sessions=ended)


@command("session.end_others", allow=anyone_signed_in)
def end_others(work: Work, keep_session: int) -> int:
    """End every session of one's own but the present one; how many there were."""
    ended = end_sessions(work, work.actor.person_id, portal_clock.now(), keep_session)
    work.record(f"person:{work.actor.person_id}", act="sign_out_elsewhere", ended_sessions=ended)
    return ended


def hashed(password: str, login: str) -> str:
    """The argon2 hash of a new password; raises InvalidData if it is too short, too long or too plain."""
    message = ""
    if len(password) < SHORTEST_PASSWORD:
        message = f"新口令只有 {len(password)} 位，至少 {SHORTEST_PASSWORD} 位。请加长。"
    elif len(password) > LONGEST_PASSWORD:
        message = f"新口令超过 {LONGEST_PASSWORD} 位。请缩短。"
    elif len(set(password)) < 5 or (login and login.lower() in password.lower()):
        message = "新口令过于简单，或包含登录名。请换一个，可用几个不相关的词连起来。"
    if message:
        raise InvalidData(message, {"new": message})
    return _hash(password)
