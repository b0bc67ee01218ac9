"""Absence 外出代理: while somebody is away, a colleague has his or her authority; it ends by itself."""

from dataclasses import dataclass
from datetime import date, datetime, time

from sqlalchemy import ColumnElement, or_
from sqlmodel import Session, col, select

from domain import role
from domain.actor import Actor
from domain.command import Work, anyone_signed_in, command, holders_of
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.notice import notify
from domain.person import Absence, Person, RoleGrant
from domain.portal_clock import SHANGHAI, local_date
from domain.role_grant import end_of_day, in_force
from domain.session import forget_actors

LONGEST_DAYS = 90


@dataclass(frozen=True, slots=True)
class AbsenceFields:
    """Who stands in, from which day through which day, and why."""

    delegate_id: int | None
    from_on: date | None
    until_on: date | None
    reason: str


@dataclass(frozen=True, slots=True)
class Candidate:
    """A colleague who may stand in."""

    person_id: int
    name: str


def absences_of(session: Session, person_id: int) -> list[Absence]:
    """A person's own absences and those in which he or she stands in, the latest first."""
    mine = or_(Absence.person_id == person_id, Absence.delegate_id == person_id)
    return list(session.exec(select(Absence).where(mine).order_by(col(Absence.id).desc()).limit(200)).all())


def absence_of(session: Session, actor: Actor, absence_id: int) -> Absence:
    """One absence that concerns the actor (the system administrator sees all). Raises NotFound."""
    found = session.get(Absence, absence_id)
    if found is None or not (actor.has_role("system_admin") or actor.person_id in (found.person_id, found.delegate_id)):
        raise NotFound("没有这次外出代理，或它与你无关。请从列表进入。")
    return found


def state_of(absence: Absence, at: datetime) -> str:
    """coming, running, over (by itself) or ended (early)."""
    if absence.ended_at is not None and absence.ended_at < absence.until_at:
        return "ended"
    if absence.until_at <= at:
        return "over"
    return "running" if absence.from_at <= at else "coming"


def candidates(session: Session, person_id: int, at: datetime) -> list[Candidate]:
    """Active officials of the same organisation or with a role in common, by name; two queries."""
    person = _person(session, person_id)
    roles = _case_roles(session, person_id, at)
    holders = select(RoleGrant.person_id).where(in_force(at), col(RoleGrant.role).in_(roles))
    officials = select(RoleGrant.person_id).where(in_force(at), col(RoleGrant.role).in_(_delegable()))
    near: list[ColumnElement[bool]] = [col(Person.id).in_(holders)]
    if person.organisation_id is not None:
        near.append(col(Person.organisation_id) == person.organisation_id)
    statement = select(Person).where(
        col(Person.is_active), ~col(Person.is_applicant), Person.id != person_id, or_(*near), col(Person.id).in_(officials)
    )
    return [Candidate(each.id, each.name) for each in session.exec(statement.order_by(col(Person.name))).all()]


def _delegable() -> list[str]:
    return [key for key, each in role.roles().items() if each.level != "public" and not role.is_administrator(key)]


def _case_roles(session: Session, person_id: int, at: datetime) -> list[str]:
    """The roles of a person that may be passed on."""
    held = session.exec(select(RoleGrant.role).where(RoleGrant.person_id == person_id, in_force(at))).all()
    return [key for key in held if not role.is_administrator(key)]


@command("absence.begin", allow=anyone_signed_in)
def begin_absence(work: Work, fields: AbsenceFields) -> Absence:
    """Let a colleague stand in for oneself."""
    return _begun(work, work.actor.person_id, fields)


@command("absence.begin_for", allow=holders_of("system_admin"))
def begin_absence_for(work: Work, person_id: int, fields: AbsenceFields) -> Absence:
    """Let a colleague stand in for somebody who cannot say so, because of illness for instance."""
    absence = _begun(work, person_id, fields)
    delegate = _person(work.session, absence.delegate_id)
    title = f"系统管理员为你设置了外出代理，由{delegate.name}代办至 {fields.until_on}"
    notify(work, person_id, "absence", title, "回来后可在「外出代理」中提前结束。")
    return absence


def _begun(work: Work, person_id: int, fields: AbsenceFields) -> Absence:
    person = _person(work.session, person_id)
    _check_dates(fields, local_date(work.at))
    begins = max(work.at, datetime.combine(fields.from_on, time(0), SHANGHAI))
    ends = end_of_day(fields.until_on)
    _check_delegate(work, person, fields.delegate_id, begins, ends)
    absence = Absence(
        person_id=person_id, delegate_id=fields.delegate_id, from_at=begins, until_at=ends, reason=fields.reason.strip(),
        created_by=work.actor.person_id,
    )
    work.session.add(absence)
    work.session.flush()
    work.record(f"person:{person_id}", act="absence", delegate=fields.delegate_id, since=fields.from_on, until=fields.until_on)
    notify(work, absence.delegate_id, "absence", f"{person.name}外出，由你代办 {fields.from_on} 至 {fields.until_on}",
           "代办的任务会出现在你的工作台，办理时注明代理。到期自动结束。")
    forget_actors(work)
    return absence


@command("absence.end", allow=anyone_signed_in)
def end_absence(work: Work, absence_id: int) -> Absence:
    """End an absence early: the absent person, or the system administrator."""
    absence = absence_of(work.session, work.actor, absence_id)
    if not work.actor.has_role("system_admin") and work.actor.person_id != absence.person_id:
        raise NotAllowed("代理由外出的人结束。需要提前结束的，请联系本人或系统管理员。")
    if state_of(absence, work.at) in ("over", "ended"):
        raise Conflict("这次外出代理已经结束，不需要再结束。请刷新页面查看。")
    absence.ended_at = work.at
    work.record(f"person:{absence.person_id}", act="end_absence", delegate=absence.delegate_id)
    person = _person(work.session, absence.person_id)
    notify(work, absence.delegate_id, "absence", f"{person.name}的外出代理已提前结束", "未办完的任务回到本人手上。")
    forget_actors(work)
    return absence


def _check_dates(fields: AbsenceFields, today: date) -> None:
    wrong: dict[str, str] = {}
    if fields.from_on is None or fields.from_on < today:
        wrong["from_on"] = f"开始日期要写明，且不早于今天（{today}）"
    if fields.until_on is None:
        wrong["until_on"] = "结束日期要写明，代理到期自动结束"
    elif fields.from_on is not None and fields.until_on < fields.from_on:
        wrong["until_on"] = "结束日期不能早于开始日期"
    elif fields.from_on is not None and (fields.until_on - fields.from_on).days >= LONGEST_DAYS:
        wrong["until_on"] = f"一次代理最长 {LONGEST_DAYS} 日，更长的请到期后再设"
    if not fields.reason.strip():
        wrong["reason"] = "请写明事由，例如出差、病假"
    if fields.delegate_id is None:
        wrong["delegate_id"] = "请选择代理人"
    if wrong:
        raise InvalidData(f"外出代理没有设置，有 {len(wrong)} 处要改：{'；'.join(wrong.values())}。", wrong)


def _check_delegate(work: Work, person: Person, delegate_id: int, begins: datetime, ends: datetime) -> None:
    if not _case_roles(work.session, person.id, work.at):
        raise NotAllowed(f"「{person.name}」没有可以代理的岗位：管理员的权限不能代理，申请人没有岗位。")
    if delegate_id not in {each.person_id for each in candidates(work.session, person.id, work.at)}:
        message = "代理人须是本单位或同岗位的在岗工作人员"
        raise InvalidData(f"外出代理没有设置：{message}。请另选一人。", {"delegate_id": message})
    if _overlapping(work.session, Absence.person_id == person.id, begins, ends):
        raise Conflict("这段时间内已设过外出代理，不能重叠。请先结束原来的，或改日期。")
    if _overlapping(work.session, Absence.person_id == delegate_id, begins, ends):
        message = "代理人这段时间自己也外出，权限不能再转一道"
        raise InvalidData(f"外出代理没有设置：{message}。请另选一人。", {"delegate_id": message})


def _overlapping(session: Session, whose: ColumnElement[bool] | bool, begins: datetime, ends: datetime) -> bool:
    statement = select(Absence.id).where(
        whose, col(Absence.ended_at).is_(None), col(Absence.from_at) < ends, col(Absence.until_at) > begins
    )
    return session.exec(statement.limit(1)).first() is not None


def _person(session: Session, person_id: int | None) -> Person:
    found = session.get(Person, person_id)
    if found is None:
        raise NotFound("没有这个账号。请从列表中选择。")
    return found
