"""Giving and taking roles 岗位授权: by the security administrator, never to himself, with a scope and an end."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import ColumnElement, and_, or_
from sqlmodel import Session, col, select

from domain import role
from domain.command import Work, command, holders_of
from domain.dictionary import dictionaries
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.person import Person, RoleGrant
from domain.portal_clock import SHANGHAI, local_date
from domain.session import forget_actors
from domain.town import towns


@dataclass(frozen=True, slots=True)
class GrantFields:
    """The role to give, where it holds, and its last day (None: until it is taken)."""

    role: str
    district_code: str = ""
    town_code: str = ""
    until_on: date | None = None


def end_of_day(day: date) -> datetime:
    """The moment at which a day ends in Shanghai."""
    return datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)


def in_force(at: datetime) -> ColumnElement[bool]:
    """The condition on RoleGrant for grants that hold at a moment."""
    is_open = or_(col(RoleGrant.until_at).is_(None), col(RoleGrant.until_at) > at)
    return and_(col(RoleGrant.from_at) <= at, is_open)


def grants_of(session: Session, people: Sequence[int]) -> list[RoleGrant]:
    """Every grant that these people hold or held, the latest first."""
    statement = select(RoleGrant).where(col(RoleGrant.person_id).in_(people)).order_by(col(RoleGrant.id).desc())
    return list(session.exec(statement).all())


def grant_with_person(session: Session, grant_id: int) -> tuple[RoleGrant, Person]:
    """One grant and its holder. Raises NotFound."""
    row = session.get(RoleGrant, grant_id)
    if row is None:
        raise NotFound("没有这项岗位授权。请刷新页面后再办。")
    return row, session.get_one(Person, row.person_id)


def grantable_roles() -> tuple[role.Role, ...]:
    """The roles that administrators give; an applicant is one by the way of signing in."""
    return tuple(each for each in role.roles().values() if each.level != "public")


@command("role.grant", allow=holders_of("security_admin"))
def grant_role(work: Work, person_id: int, fields: GrantFields) -> RoleGrant:
    """Give a person a role within a scope, from now on."""
    person = _other_person(work, person_id)
    if person.is_applicant or not person.is_active:
        raise NotAllowed(f"「{person.name}」是申请人账号或已停用，不能授予岗位。请选择在用的工作人员账号。")
    _check_fields(fields, local_date(work.at))
    held = [row for row in grants_of(work.session, [person_id]) if _holds(row, work.at)]
    _check_separation(person, fields.role, held)
    if any(_same(row, fields) for row in held):
        raise Conflict(f"「{person.name}」在这个范围内已有「{role.role_label(fields.role)}」岗位，没有重复授予。请先收回再改期限。")
    row = RoleGrant(
        person_id=person_id, role=fields.role, district_code=fields.district_code or None,
        town_code=fields.town_code or None, from_at=work.at, given_by=work.actor.person_id,
        until_at=end_of_day(fields.until_on) if fields.until_on else None,
    )
    work.session.add(row)
    work.session.flush()
    work.record(f"person:{person_id}", act="grant", role=row.role, district=row.district_code, town=row.town_code,
                until=row.until_at.isoformat() if row.until_at else None)
    forget_actors(work)
    return row


@command("role.revoke", allow=holders_of("security_admin"))
def revoke_role(work: Work, grant_id: int, reason: str) -> RoleGrant:
    """Take a role from a person, from now on; the grant stays in the history."""
    row, person = grant_with_person(work.session, grant_id)
    _other_person(work, person.id)
    if not _holds(row, work.at):
        raise Conflict("这项岗位授权已经结束，不需要收回。请刷新页面查看现有岗位。")
    if not reason.strip():
        raise InvalidData("收回岗位要写明原因。请填写。", {"reason": "请写明收回原因"})
    row.until_at = work.at
    work.record(f"person:{row.person_id}", act="revoke", role=row.role, district=row.district_code, reason=reason.strip())
    forget_actors(work)
    return row


def _other_person(work: Work, person_id: int) -> Person:
    if person_id == work.actor.person_id:
        raise NotAllowed("不能给自己授予或收回岗位。请由另一名安全管理员办理。")
    person = work.session.get(Person, person_id)
    if person is None:
        raise NotFound("没有这个账号。请从账号列表进入。")
    return person


def _holds(row: RoleGrant, at: datetime) -> bool:
    return row.from_at <= at and (row.until_at is None or row.until_at > at)


def _same(row: RoleGrant, fields: GrantFields) -> bool:
    scope = (row.district_code or "", row.town_code or "")
    return row.role == fields.role and scope == (fields.district_code, fields.town_code)


def _check_separation(person: Person, wanted: str, held: Sequence[RoleGrant]) -> None:
    """The three administrators are three people, and none of them handles cases."""
    others = [row.role for row in held if row.role != wanted]
    if not others or not (role.is_administrator(wanted) or any(role.is_administrator(key) for key in others)):
        return
    labels = "、".join(dict.fromkeys(role.role_label(key) for key in others))
    raise NotAllowed(
        f"「{person.name}」现为{labels}，不能再任{role.role_label(wanted)}：三类管理员须由不同的人担任，且不办业务。"
        "请另选一人，或先收回原有岗位。"
    )


def _check_fields(fields: GrantFields, today: date) -> None:
    if fields.role not in {each.key for each in grantable_roles()}:
        raise InvalidData("岗位没有选，或不能这样授予。请从列表中选择岗位。", {"role": "请选择岗位"})
    wrong = _scope_fault(fields, role.role(fields.role).level)
    if fields.until_on is not None and fields.until_on < today:
        wrong["until_on"] = f"截止日期不能早于今天（{today}）"
    if wrong:
        raise InvalidData(f"岗位没有授予：{'；'.join(wrong.values())}。请改正。", wrong)


def _scope_fault(fields: GrantFields, level: str) -> dict[str, str]:
    districts = {each.value for each in dictionaries()["districts"].choices}
    if fields.district_code and fields.district_code not in districts:
        return {"district_code": "没有这个区"}
    if level in ("district", "town") and not fields.district_code:
        return {"district_code": "这个岗位要写明所在区"}
    if level in ("city", "system") and (fields.district_code or fields.town_code):
        return {"district_code": "这个岗位面向全市，不分区"}
    if level == "town" and not fields.town_code:
        return {"town_code": "这个岗位要写明街镇"}
    if level != "town" and fields.town_code:
        return {"town_code": "这个岗位不分街镇"}
    town = next((each for each in towns() if each.code == fields.town_code), None)
    if fields.town_code and (town is None or town.district_code != fields.district_code):
        return {"town_code": "街镇不在所选的区"}
    return {}
