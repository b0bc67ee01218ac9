"""Applying for a share, deciding, withdrawing; who may see which."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, false, func, or_, select, true

from domain import portal_clock, role
from domain.actor import Actor
from domain.command import Work, command, holders_of
from domain.decision import refuses, store
from domain.district import load_account_areas
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.job import enqueue
from domain.layer import catalogue, layer_definition
from domain.layer_share.tables import LayerShare, LayerShareAccess
from domain.layer_share.words import words
from domain.notice import notify
from domain.office import office_of
from domain.person import Person, RoleGrant
from rules.engine import Decision

ADMISSION, VISIBILITY = "result_sharing_admission", "result_sharing_visibility"
MANAGER = "city_handler"
BUILD = "layer_share"
LONGEST_REASON = 500


@dataclass(frozen=True)
class Application:
    """What somebody asks for."""

    layer_key: str
    purpose: str
    until_on: date
    format: str
    districts: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    reason: str = ""
    file_kind: str = "gpkg"


def staff(work: Work) -> None:
    """Staff with work on cases."""
    if not role.handles_cases(work.actor):
        raise NotAllowed("成果共享由工作人员申请。需要的，请联系本单位的系统管理员。")


def is_manager(actor: Actor) -> bool:
    """True for the data manager of the city, who decides."""
    return actor.has_role(MANAGER)


def visible(actor: Actor) -> Any:
    """One's own shares; all of them for the data manager."""
    if actor.is_system or is_manager(actor):
        return true()
    return col(LayerShare.applicant_id) == actor.person_id if actor.person_id is not None else false()


def list_shares(session: Session, actor: Actor, status: str = "", first: int = 0, size: int = 50) -> tuple[list[LayerShare], int]:
    """The shares that the actor may see, those that wait first, and how many there are in all."""
    conditions = [visible(actor)]
    today = portal_clock.today(session)
    if status == "expired":
        conditions += [LayerShare.status == "approved", col(LayerShare.until_on) < today]
    elif status:
        conditions += [LayerShare.status == status, or_(col(LayerShare.status) != "approved", col(LayerShare.until_on) >= today)]
    total = session.exec(select(func.count()).select_from(LayerShare).where(*conditions)).one()
    order = ((col(LayerShare.status) != "asked"), col(LayerShare.id).desc())
    return list(session.exec(select(LayerShare).where(*conditions).order_by(*order).offset(first).limit(size)).all()), total


def find(session: Session, actor: Actor, share_id: int) -> LayerShare:
    """A share that the actor may see; NotFound for any other."""
    found = session.exec(select(LayerShare).where(LayerShare.id == share_id, visible(actor))).first()
    if found is None:
        raise NotFound("没有这项共享，或它不在你的查阅范围内。请从“成果共享”进入。")
    return found


def accesses(session: Session, share_id: int, size: int = 100) -> tuple[list[LayerShareAccess], int]:
    """The latest uses of a share, and how many there were."""
    condition = LayerShareAccess.share_id == share_id
    total = session.exec(select(func.count()).select_from(LayerShareAccess).where(condition)).one()
    return list(session.exec(select(LayerShareAccess).where(condition).order_by(col(LayerShareAccess.id).desc()).limit(size)).all()), total


def state_of(share: LayerShare, today: date) -> str:
    """The status with expiry: an approved share past its last day is expired."""
    return "expired" if share.status == "approved" and share.until_on < today else share.status


def admission(session: Session, actor: Actor, asked: Application) -> Decision:
    """What the rules say of an application, as of today; stores nothing."""
    today, districts = portal_clock.today(session), actor.districts()
    outside = districts is not None and (not asked.districts or not set(asked.districts) <= districts)
    facts = {
        "security_level": catalogue.security_level(session, asked.layer_key), "purpose": asked.purpose, "outside_district": outside,
        "period_days": (asked.until_on - today).days + 1, "reason_length": len(asked.reason.strip()),
    }
    return office_of(session).book.decide("admission", ADMISSION, facts, on=today, subject=f"layer:{asked.layer_key}")


def shown_fields(session: Session, layer_key: str, purpose: str, wanted: tuple[str, ...] = ()) -> tuple[str, ...]:
    """The fields of a layer that may go out for a purpose, in order: those wanted (all if none is named) that no rule hides."""
    today, book, ownership = portal_clock.today(session), office_of(session).book, set(words()["ownership_fields"])
    kinds = ("general", "ownership")
    hidden = {kind for kind in kinds if book.decide("visibility", VISIBILITY, {"field_kind": kind, "purpose": purpose}, on=today).outcome == "hide"}
    names = [column.name for column in layer_definition(layer_key).columns if not wanted or column.name in wanted]
    return tuple(name for name in names if ("ownership" if name in ownership else "general") not in hidden)


@command("layer_share.apply", allow=staff)
def apply(work: Work, asked: Application) -> LayerShare:
    """Ask for a layer. Raises InvalidData for what cannot be, Refused for what the rules do not admit; tells the data managers."""
    _must_be_possible(work, asked)
    decision = admission(work.session, work.actor, asked)
    if refuses(decision) or decision.outcome == "justify":
        work.when_refused(lambda beside: store(beside, None, decision, "submit"))
        raise Refused(decision.message, (decision,))
    fields = shown_fields(work.session, asked.layer_key, asked.purpose, asked.fields)
    made = LayerShare(
        applicant_id=work.actor.person_id, applicant_name=work.actor.name, organisation_id=work.actor.organisation_id, layer_key=asked.layer_key,
        districts=list(asked.districts), classes=list(asked.classes), fields=list(fields), purpose=asked.purpose, reason=asked.reason.strip(),
        format=asked.format, file_kind=asked.file_kind, until_on=asked.until_on, asked_at=work.at,
    )
    work.session.add(made)
    work.session.flush()
    store(work, None, decision, "submit")
    title = layer_definition(asked.layer_key).title
    for manager in _managers(work.session):
        if manager != work.actor.person_id:
            notify(work, manager, "layer_share", f"{work.actor.name}申请共享“{title}”", "请从“一张图 › 成果共享”审批。")
    work.record(f"layer_share:{made.id}", layer=asked.layer_key, purpose=asked.purpose, format=asked.format, until=asked.until_on.isoformat())
    return made


def _managers(session: Session) -> list[int]:
    at = portal_clock.now(session)
    statement = select(RoleGrant.person_id).join(Person, col(Person.id) == RoleGrant.person_id).where(
        RoleGrant.role == MANAGER, col(Person.is_active), RoleGrant.from_at <= at, or_(col(RoleGrant.until_at).is_(None), col(RoleGrant.until_at) > at)
    )
    return sorted(set(session.exec(statement).all()))


def _must_be_possible(work: Work, asked: Application) -> None:
    catalogue.require(work.actor, asked.layer_key)
    groups = words()
    faults = {}
    for key, group in (("purpose", "purposes"), ("format", "formats"), ("file_kind", "file_kinds")):
        if getattr(asked, key) not in groups[group]:
            faults[key] = "请从列表里选"
    if asked.until_on < portal_clock.local_date(work.at):
        faults["until_on"] = "截止日期不能早于今天"
    known = {area.code for area in load_account_areas()}
    if not set(asked.districts) <= known:
        faults["districts"] = "请从列表里选区"
    if not set(asked.fields) <= {column.name for column in layer_definition(asked.layer_key).columns}:
        faults["fields"] = "请从列表里选字段"
    if len(asked.reason) > LONGEST_REASON:
        faults["reason"] = f"最多 {LONGEST_REASON} 字"
    if faults:
        raise InvalidData("申请有 " + str(len(faults)) + " 处要改。请按提示改正后再提交。", faults)


@command("layer_share.approve", allow=holders_of(MANAGER))
def approve(work: Work, share_id: int, version: int, opinion: str = "") -> LayerShare:
    """Let a share begin; never by the one who asked for it. A download is built by a job."""
    found = _to_decide(work, share_id, version)
    found.status = "approved"
    _decided(work, found, opinion)
    if found.format == "download":
        found.job_id = enqueue(work, BUILD, f"打包共享数据：{layer_definition(found.layer_key).title}", {"share": found.id}).id
    _tell(work, found, f"你申请共享的“{layer_definition(found.layer_key).title}”已批准", "请从“成果共享”领取服务地址或下载。")
    return found


@command("layer_share.refuse", allow=holders_of(MANAGER))
def refuse(work: Work, share_id: int, version: int, opinion: str) -> LayerShare:
    """Say no, with the reason."""
    if not opinion.strip():
        raise InvalidData("没有写不批准的理由。请写明理由，让申请人知道怎么改。", {"opinion": "请写理由"})
    found = _to_decide(work, share_id, version)
    found.status = "refused"
    _decided(work, found, opinion)
    _tell(work, found, f"你申请共享的“{layer_definition(found.layer_key).title}”没有批准", opinion.strip())
    return found


def _to_decide(work: Work, share_id: int, version: int) -> LayerShare:
    found = work.session.exec(select(LayerShare).where(LayerShare.id == share_id).with_for_update()).first()
    if found is None:
        raise NotFound("没有这项共享申请。请从“成果共享”进入。")
    if found.applicant_id == work.actor.person_id:
        raise NotAllowed("自己的申请不能自己审批。请由另一位市级数据管理人员审批。")
    if found.status != "asked" or found.version != version:
        raise Conflict(f"这项申请已经{words()['statuses'][found.status]}，或内容有变，这次没有生效。请刷新页面。")
    return found


def _decided(work: Work, found: LayerShare, opinion: str) -> None:
    found.decided_by, found.decided_by_name, found.decided_at = work.actor.person_id, work.actor.name, work.at
    found.opinion = opinion.strip()[:LONGEST_REASON]
    found.version += 1
    work.record(f"layer_share:{found.id}", status=found.status, layer=found.layer_key)


@command("layer_share.withdraw", allow=staff)
def withdraw(work: Work, share_id: int, why: str) -> LayerShare:
    """End a share, or take an application back: the data manager any, the applicant one's own. Its address ends at once."""
    found = find(work.session, work.actor, share_id)
    if not why.strip():
        raise InvalidData("没有写撤回的理由。请写明理由。", {"why": "请写理由"})
    if found.status not in ("asked", "approved"):
        raise Conflict(f"这项共享{words()['statuses'][found.status]}，不用撤回。")
    found.status, found.withdrawn_at, found.withdrawn_by_name, found.withdrawn_why = "withdrawn", work.at, work.actor.name, why.strip()[:LONGEST_REASON]
    found.version += 1
    work.record(f"layer_share:{found.id}", status="withdrawn", layer=found.layer_key)
    if found.applicant_id != work.actor.person_id:
        _tell(work, found, f"你的共享“{layer_definition(found.layer_key).title}”已撤回", found.withdrawn_why)
    return found


def _tell(work: Work, found: LayerShare, title: str, text: str) -> None:
    notify(work, found.applicant_id, "layer_share", title, text)
