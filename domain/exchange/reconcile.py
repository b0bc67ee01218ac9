"""The reconcile report 对账: what we noted as delivered, compared with what the partners hold."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlmodel import Session, col, select

from domain import job
from domain.command import Work, command, holders_of
from domain.errors import InvalidData, NotFound
from domain.exchange.delivery import DELIVERIES, delivery_of
from domain.exchange.tables import OutboxMessage
from domain.job import Job, JobResult, Progress, job_handler
from domain.portal_clock import SHANGHAI
from domain.ports.errors import OutsideSystemDown, OutsideSystemError, PartnerRefused
from domain.ports.partner import partner as partner_of

KIND = "exchange_reconcile"
MOST_DAYS = 366
MOST_DIFFERENCES = 500
"""Shown one by one; the counts are of all."""


def comparable_partners() -> tuple[str, ...]:
    """The partners that can be asked what they hold."""
    return tuple(sorted({d.partner for d in DELIVERIES.values() if d.compare is not None}))


@command("exchange.reconcile", allow=holders_of("report_admin"))
def begin(work: Work, partner: str, since: date, until: date) -> Job:
    """Queue a comparison of everything delivered to a partner in a span of days, both included."""
    if partner not in comparable_partners():
        raise InvalidData("这个对接单位不提供对账查询。请另选一个。", {"partner": "请选择可对账的单位"})
    if until < since or (until - since).days > MOST_DAYS:
        words = f"止日须不早于起日，且相距不超过 {MOST_DAYS} 天"
        raise InvalidData(f"对账的日期范围不可用：{words}。", {"until": words})
    title = f"{partner_of(partner).label}对账（{since} 至 {until}）"
    arguments = {"partner": partner, "since": since.isoformat(), "until": until.isoformat()}
    return job.enqueue(work, KIND, title, arguments)


@job_handler(KIND, resumable=True)
def reconcile(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Ask the partner about every message and collect what differs; a partner that is down is said, not guessed."""
    with progress.reading() as session:
        messages = _delivered(session, arguments)
        session.expunge_all()
    differences: list[dict[str, Any]] = []
    agreed = 0
    for done, message in enumerate(messages):
        progress.tell(done, len(messages), "逐条核对")
        words = _difference(progress, message)
        agreed += words is None
        if words is not None:
            differences.append({"message": message.id, "business_key": message.business_key, "words": words})
    return JobResult(
        {"compared": len(messages), "agreed": agreed, "differing": len(differences),
         "differences": differences[:MOST_DIFFERENCES], **arguments}
    )  # fmt: skip


def _delivered(session: Session, arguments: Mapping[str, Any]) -> list[OutboxMessage]:
    first = datetime.combine(date.fromisoformat(arguments["since"]), time(0), SHANGHAI)
    end = datetime.combine(date.fromisoformat(arguments["until"]) + timedelta(days=1), time(0), SHANGHAI)
    statement = select(OutboxMessage).where(
        OutboxMessage.partner == arguments["partner"],
        OutboxMessage.status == "delivered",
        col(OutboxMessage.sent_at) >= first,
        col(OutboxMessage.sent_at) < end,
    )
    return list(session.exec(statement.order_by(col(OutboxMessage.id))).all())


def _difference(progress: Progress, message: OutboxMessage) -> str | None:
    """What differs, in words; a partner that is down ends the report, because half a report looks like a whole one."""
    delivery = delivery_of(message)
    if delivery is None or delivery.compare is None:
        return "本方没有核对这类报文的办法"
    try:
        return delivery.compare(progress.office, message)
    except PartnerRefused as refusal:
        return f"对方查不到：{refusal.text}"
    except OutsideSystemDown as down:
        raise InvalidData(f"对账没有完成。{down.message}") from down
    except OutsideSystemError as error:
        return error.message


def report(session: Session, job_id: int) -> Job:
    """One report; everybody who may see the exchange may read it, because it holds no more than business keys."""
    found = session.get(Job, job_id)
    if found is None or found.kind != KIND:
        raise NotFound("没有这份对账报告。请从对账列表进入。")
    return found


def latest(session: Session, limit: int = 10) -> list[Job]:
    """The latest reports."""
    statement = select(Job).where(Job.kind == KIND).order_by(col(Job.id).desc()).limit(limit)
    return list(session.exec(statement).all())
