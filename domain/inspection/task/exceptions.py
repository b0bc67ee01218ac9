"""Exceptions 例外: faults that shall not count, asked for with a reason, decided by another person.

An approved exception takes its findings out of the count of errors and of the marks; whether the package passes is then
worked out again by the scheme's own rule. A class that the plan of the scheme excludes cannot be excepted.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import case, update
from sqlmodel import Session, col, func, select

from domain.actor import Actor
from domain.command import Work, command
from domain.district import district_name
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.inspection.task import access, engine, plan
from domain.inspection.task.access import EXCEPT, INSPECT
from domain.inspection.task.course import changed, lock
from domain.inspection.task.tables import (
    ADMITTED,
    APPROVED,
    ASKED,
    EXCEPTED,
    FAILED,
    INSPECTED,
    OPEN,
    PASSED,
    REFUSED,
    WITHDRAWN,
    InspectionException,
    InspectionFinding,
    InspectionRun,
    InspectionTask,
)
from domain.notice import notify
from domain.recipient import holders

MOST_AT_ONCE = 5_000
LONGEST_REASON = 500
ERROR, NOTICE = "error", "notice"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which findings are meant: single ones by number, or every one of a class."""

    numbers: tuple[int, ...] = ()
    code: str = ""


@command("inspection.ask_exception", allow=access.holders(INSPECT))
def ask(work: Work, task_id: int, version: int, run_id: int, wanted: Wanted, reason: str) -> InspectionException:
    """Ask that findings be excepted. Raises InvalidData without a reason, Refused for a class that allows none."""
    task, run = _for_change(work, task_id, version, run_id)
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise InvalidData(f"请写明申请例外的理由，不超过 {LONGEST_REASON} 字。", {"reason": "请写明理由"})
    found = _chosen(work.session, run, wanted)
    _require_exceptable(task, found)
    row = InspectionException(
        run_id=run.id, finding_count=len(found), reason=reason.strip(), asked_by=work.actor.person_id or 0,
        asked_by_name=work.actor.name, asked_at=work.at,
    )  # fmt: skip
    work.session.add(row)
    work.session.flush()
    _mark(work.session, [each.id for each in found], ASKED, row.id)
    _tell_deciders(work, task, row)
    changed(work, task, "ask_exception", exception=row.id, findings=len(found))
    return row


def _for_change(work: Work, task_id: int, version: int | None, run_id: int, right: str = INSPECT) -> tuple[InspectionTask, InspectionRun]:
    task = lock(work, task_id, version, right)
    run = work.session.get(InspectionRun, run_id)
    if run is None or run.task_id != task.id:
        raise NotFound("没有这次质检。请从任务页面进入。")
    if not run.is_latest:
        raise Conflict("这不是最近一次质检的结果，不能再办例外。请打开最近一次的结果。")
    if run.state not in (PASSED, FAILED):
        raise Refused("例外只在质检完成、还没有入库时办理。")
    return task, run


def _chosen(session: Session, run: InspectionRun, wanted: Wanted) -> list[InspectionFinding]:
    statement = select(InspectionFinding).where(InspectionFinding.run_id == run.id, InspectionFinding.state == OPEN)
    if wanted.code:
        statement = statement.where(InspectionFinding.code == wanted.code)
    else:
        statement = statement.where(col(InspectionFinding.number).in_(wanted.numbers[:MOST_AT_ONCE]))
    found = list(session.exec(statement.order_by(col(InspectionFinding.number)).limit(MOST_AT_ONCE + 1)).all())
    if not found:
        raise InvalidData("没有选中可以申请例外的问题；已申请或已批准的不必再选。请勾选后再提交。", {"finding": "请勾选问题"})
    if len(found) > MOST_AT_ONCE:
        raise InvalidData(f"一次最多为 {MOST_AT_ONCE:,} 条问题申请例外。请先改正数据，或分类申请。")
    return found


def _require_exceptable(task: InspectionTask, found: Sequence[InspectionFinding]) -> None:
    for each in found:
        if not plan.may_except(task.scheme, each.code):
            raise Refused(f"「{each.check}」（{each.code}）按质检方案不能作为例外，必须改正。没有提交，请去掉后再申请。")


def _mark(session: Session, ids: Sequence[int], state: str, exception_id: int | None) -> None:
    for begin in range(0, len(ids), 500):
        chosen = col(InspectionFinding.id).in_(ids[begin : begin + 500])
        session.execute(update(InspectionFinding).where(chosen).values(state=state, exception_id=exception_id), execution_options={"synchronize_session": False})


def _tell_deciders(work: Work, task: InspectionTask, row: InspectionException) -> None:
    words = f"{work.actor.name}为 {row.finding_count} 条问题申请例外：{row.reason}"
    for person_id in holders(work.session, access.roles_with(EXCEPT), task.district_code):
        if person_id != work.actor.person_id:
            notify(work, person_id, "inspection", f"「{task.title}」有例外待审批", words, subject=f"inspection:{task.id}")


@command("inspection.decide_exception", allow=access.holders(EXCEPT))
def decide(work: Work, exception_id: int, is_approved: bool, opinion: str = "") -> InspectionException:
    """Approve or refuse an exception. Raises NotAllowed for whoever asked, InvalidData for a refusal without opinion."""
    row = _asked(work, exception_id)
    task, run = _for_change(work, _task_id(work, row), None, row.run_id, EXCEPT)
    _require_open(work, row)
    if row.asked_by == work.actor.person_id:
        raise NotAllowed("例外由申请人以外的人审批。请由本区分管科长、领导或市级分管人员审批。")
    if not is_approved and not opinion.strip():
        raise InvalidData("不同意的，请写明理由。", {"opinion": "请写明理由"})
    row.state, row.opinion = (APPROVED if is_approved else REFUSED), opinion.strip()[:LONGEST_REASON]
    row.decided_by_name, row.decided_at = work.actor.name, work.at
    _release(work.session, row, EXCEPTED if is_approved else OPEN)
    recount(work, task, run)
    run.state = PASSED if run.is_passed else FAILED
    work.session.add(run)
    said = "同意" if is_approved else "不同意"
    notify(work, row.asked_by, "inspection", f"「{task.title}」的例外申请：{said}", row.opinion, subject=f"inspection:{task.id}")
    changed(work, task, "decide_exception", exception=row.id, approved=is_approved)
    return row


def _asked(work: Work, exception_id: int) -> InspectionException:
    row = work.session.get(InspectionException, exception_id)
    if row is None:
        raise NotFound("没有这份例外申请，或它不在你的审批范围内。请从任务页面进入。")
    return row


def _task_id(work: Work, row: InspectionException) -> int:
    return access.run_of(work.session, work.actor, row.run_id)[0].id


def _require_open(work: Work, row: InspectionException) -> None:
    work.session.refresh(row)
    if row.state != ASKED:
        raise Conflict("这份例外申请已经办完或撤回。请刷新页面查看结果。")


def _release(session: Session, row: InspectionException, state: str) -> None:
    held = select(InspectionFinding.id).where(InspectionFinding.exception_id == row.id)
    session.add(row)
    session.flush()
    _mark(session, list(session.exec(held).all()), state, row.id if state == EXCEPTED else None)


@command("inspection.withdraw_exception", allow=access.holders(INSPECT))
def withdraw(work: Work, exception_id: int) -> InspectionException:
    """Take one's own request back, before or after its approval; its findings count again."""
    row = _asked(work, exception_id)
    task, run = _for_change(work, _task_id(work, row), None, row.run_id)
    work.session.refresh(row)
    if row.state not in (ASKED, APPROVED):
        raise Conflict("这份例外申请已经不同意或撤回，不需要撤回。")
    if row.asked_by != work.actor.person_id:
        raise NotAllowed("例外申请只由申请人本人撤回。")
    row.state, row.decided_at = WITHDRAWN, work.at
    _release(work.session, row, OPEN)
    recount(work, task, run)
    run.state = PASSED if run.is_passed else FAILED
    work.session.add(run)
    changed(work, task, "withdraw_exception", exception=row.id)
    return row


def recount(work: Work, task: InspectionTask, run: InspectionRun) -> None:
    """Count the findings by class and work out score and verdict; approved exceptions count neither as errors nor for marks."""
    excepted = func.sum(case((col(InspectionFinding.state) == EXCEPTED, 1), else_=0))
    statement = (
        select(InspectionFinding.code, InspectionFinding.check, InspectionFinding.severity, func.count(), excepted)
        .where(InspectionFinding.run_id == run.id)
        .group_by(InspectionFinding.code, InspectionFinding.check, InspectionFinding.severity)
        .order_by(InspectionFinding.code, InspectionFinding.check)
    )
    rows: list[dict[str, Any]] = [
        {"code": code, "label": label, "severity": severity, "total": total, "excepted": int(hidden)}
        for code, label, severity, total, hidden in work.session.exec(statement).all()
    ]
    run.counts = run.counts | {"classes": rows}
    run.error_count = sum(row["total"] - row["excepted"] for row in rows if row["severity"] == ERROR)
    run.excepted_count = sum(row["excepted"] for row in rows)
    if run.excepted_count:
        left: Counter[str] = Counter()
        for row in rows:
            left[row["label"]] += row["total"] - row["excepted"] if row["severity"] != NOTICE else 0
        run.score, lowest = engine.score(task, left)
        run.is_passed = run.error_count == 0 and run.score >= lowest
    elif run.counts.get("result"):
        run.score, run.is_passed = Decimal(run.counts["result"]["score"]), run.counts["result"]["passed"]


def carry_over(work: Work, task: InspectionTask, run: InspectionRun) -> None:
    """Approved exceptions of the inspection before go on for the very same faults: same feature, class, field and words."""
    before = work.session.exec(
        select(InspectionRun).where(
            InspectionRun.task_id == task.id, InspectionRun.package_no == run.package_no, InspectionRun.run_no < run.run_no
        ).order_by(col(InspectionRun.run_no).desc()).limit(1)
    ).first()  # fmt: skip
    if before is None or before.state not in INSPECTED or before.state == ADMITTED:
        return
    columns = (InspectionFinding.mark, InspectionFinding.message, InspectionFinding.exception_id)
    old = work.session.exec(select(*columns).where(InspectionFinding.run_id == before.id, InspectionFinding.state == EXCEPTED)).all()
    kept = {(mark, message): exception_id for mark, message, exception_id in old}
    if not kept:
        return
    by_exception: dict[int, list[int]] = {}
    new = select(InspectionFinding.id, InspectionFinding.mark, InspectionFinding.message).where(
        InspectionFinding.run_id == run.id, InspectionFinding.state == OPEN
    )
    for finding_id, mark, message in work.session.exec(new).all():
        if (mark, message) in kept:
            by_exception.setdefault(kept[mark, message], []).append(finding_id)
    for exception_id, ids in by_exception.items():
        _mark(work.session, ids, EXCEPTED, _copied(work, exception_id, run, len(ids)))


def _copied(work: Work, exception_id: int, run: InspectionRun, count: int) -> int:
    row = work.session.get_one(InspectionException, exception_id)
    same = ("reason", "state", "asked_by", "asked_by_name", "asked_at", "decided_by_name", "decided_at", "opinion")
    made = InspectionException(run_id=run.id, finding_count=count, **{name: getattr(row, name) for name in same})
    work.session.add(made)
    work.session.flush()
    return made.id or 0


def exceptions_of(session: Session, run_id: int) -> list[InspectionException]:
    """The requests of an inspection, the newest first."""
    statement = select(InspectionException).where(InspectionException.run_id == run_id)
    return list(session.exec(statement.order_by(col(InspectionException.id).desc())).all())


def may_decide(actor: Actor, task: InspectionTask, row: InspectionException) -> bool:
    """True if the actor may decide this request: has the right in the district, and did not ask for it."""
    return row.state == ASKED and row.asked_by != actor.person_id and access.may(actor, EXCEPT, task.district_code)


def decider_words(district_code: str) -> str:
    """Who decides, for the page."""
    return f"{district_name(district_code)}分管科长、分管领导或市分管领导"
