"""Who may do what with inspection tasks: rights are data of the roles, rows are scoped by district."""

from typing import Any

from sqlalchemy import ColumnElement, false, true
from sqlmodel import Session, col, select

from domain import role
from domain.actor import Actor
from domain.command import Work
from domain.errors import NotAllowed, NotFound
from domain.inspection.task.tables import InspectionRun, InspectionTask

CITY = "310100"
"""The district code of tasks that concern the whole city."""
SEE, INSPECT, EXCEPT, ADMIT, LAY_OUT = "inspections", "inspect", "except", "admit", "lay_out"
_ACTS = {
    SEE: "查阅质检任务", INSPECT: "上传和质检数据包", EXCEPT: "审批例外", ADMIT: "把数据包打包入库", LAY_OUT: "配置质检方案",
}  # fmt: skip
_MISSING = "没有这项质检任务，或它不在你的查阅范围内。请从质检任务列表进入。"


def may(actor: Actor, right: str, district_code: str | None = None) -> bool:
    """True if the actor has a right in a district; tasks of the whole city are for those whose grant is the city's."""
    return role.may(actor, right, district_code)


def require(actor: Actor, right: str, district_code: str | None = None) -> None:
    """Raise NotAllowed without the right."""
    if not actor.is_system and not may(actor, right, district_code):
        raise NotAllowed(f"你的岗位不能{_ACTS[right]}。需要办理的，请联系本单位的系统管理员。")


def holders(right: str) -> Any:
    """Guard of a command: holders of the right somewhere; the command narrows by row."""

    def check(work: Work) -> None:
        require(work.actor, right)

    return check


def visible(actor: Actor) -> ColumnElement[bool]:
    """The tasks an actor may know of: those of the districts in which a role lets them see inspections."""
    grants = [grant for grant in actor.grants if SEE in role.role(grant.role).may]
    if actor.is_system or any(grant.district_code is None for grant in grants):
        return true()
    codes = sorted({grant.district_code for grant in grants if grant.district_code})
    return col(InspectionTask.district_code).in_(codes) if codes else false()


def task_of(session: Session, actor: Actor, task_id: int, *, with_deleted: bool = False) -> InspectionTask:
    """One task in the actor's scope; NotFound for any other, and for a deleted one unless asked for."""
    statement = select(InspectionTask).where(InspectionTask.id == task_id, visible(actor))
    found = session.exec(statement).first()
    if found is None or (found.deleted_at is not None and not with_deleted):
        raise NotFound(_MISSING)
    return found


def run_of(session: Session, actor: Actor, run_id: int) -> tuple[InspectionTask, InspectionRun]:
    """An inspection with its task, in the actor's scope; NotFound for any other."""
    statement = select(InspectionTask, InspectionRun).join(InspectionRun, col(InspectionRun.task_id) == InspectionTask.id)
    statement = statement.where(InspectionRun.id == run_id, visible(actor), col(InspectionTask.deleted_at).is_(None))
    found = session.exec(statement).first()
    if found is None:
        raise NotFound(_MISSING)
    return found


def districts_for(actor: Actor, right: str) -> tuple[str, ...] | None:
    """The districts in which the actor has a right; None for every one, the whole city included."""
    grants = [grant for grant in actor.grants if right in role.role(grant.role).may]
    if any(grant.district_code is None for grant in grants):
        return None
    return tuple(sorted({grant.district_code for grant in grants if grant.district_code}))


def roles_with(right: str) -> tuple[str, ...]:
    """The roles that give a right."""
    return tuple(key for key, each in role.roles().items() if right in each.may)
