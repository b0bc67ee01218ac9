"""Messages out: written with the step that causes them, delivered afterwards, never lost.

waiting → sending → delivered | refused (the partner said no) | dead (given up after days, or it cannot be sent).
A message that was being sent when the process ended is sent again; the partner knows its business key.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import exists
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from domain.case.tables import Case
from domain.command import Work, command, holders_of, system_only
from domain.errors import Conflict, InvalidData, NotFound
from domain.exchange.attempt import Attempt
from domain.exchange.delivery import Outcome, delivery_of, tell
from domain.exchange.tables import OutboxAttempt, OutboxMessage, PartnerLine
from domain.exchange.warning import warn_report_admins
from domain.portal_clock import now
from domain.ports.partner import partner as partner_of
from domain.waking import wake

QUEUE = "outbox"
FIRST_PAUSE = timedelta(seconds=5)
LONGEST_PAUSE = timedelta(hours=1)
GIVE_UP_AFTER = timedelta(days=3)
FIRST_ASK = timedelta(seconds=20)
LONGEST_ASK = timedelta(minutes=30)
REPLAYABLE = ("dead", "refused", "cancelled")
CANCELLABLE = ("waiting", "dead", "refused")


def send(
    work: Work,
    partner: str,
    kind: str,
    business_key: str,
    payload: dict[str, Any],
    *,
    case_id: int | None = None,
    file_digest: str | None = None,
) -> OutboxMessage:
    """Put a message into the outbox, in the transaction of the step that causes it."""
    message = OutboxMessage(
        partner=partner,
        kind=kind,
        business_key=business_key,
        payload=payload,
        case_id=case_id,
        file_digest=file_digest,
        created_at=work.at,
        due_at=work.at,
    )
    work.session.add(message)
    work.session.flush()
    work.record(f"outbox:{message.id}", partner=partner, kind=kind, business_key=business_key)
    work.after_commit(lambda: wake(QUEUE))
    return message


def pause_after(failures: int) -> timedelta:
    """How long to wait after so many failures in a row: 5 seconds, doubled each time, an hour at most."""
    return min(FIRST_PAUSE * 2 ** min(failures - 1, 20), LONGEST_PAUSE)


def has_due(session: Session, partner: str) -> bool:
    """True if a message to the partner may be sent now; asked before `claim`, so that looking leaves no trace."""
    at = now(session)
    return not is_paused(session, partner, at) and session.exec(_due(partner, at)).first() is not None


def is_paused(session: Session, partner: str, at: datetime) -> bool:
    """True while the partner is left alone after a failure."""
    line = session.get(PartnerLine, partner)
    return line is not None and line.paused_until is not None and line.paused_until > at


def _due(partner: str, at: datetime) -> Any:
    """The oldest message that is due, unless an earlier one of the same case is still on its way."""
    earlier = aliased(OutboxMessage)
    is_held_up = exists().where(
        earlier.partner == OutboxMessage.partner,
        earlier.case_id == OutboxMessage.case_id,
        earlier.id < OutboxMessage.id,
        earlier.status.in_(("waiting", "sending", "dead")),
    )
    return (
        select(OutboxMessage)
        .where(OutboxMessage.partner == partner, OutboxMessage.status == "waiting", OutboxMessage.due_at <= at)
        .where(~is_held_up)
        .order_by(OutboxMessage.due_at, OutboxMessage.id)
        .limit(1)
    )


@command("outbox.claim", allow=system_only)
def claim(work: Work, partner: str) -> OutboxMessage | None:
    """Take the next message of a partner in hand; None if there is none any more."""
    message = work.session.exec(_due(partner, work.at).with_for_update(skip_locked=True)).first()
    if message is None:
        return None
    message.status = "sending"
    message.attempts += 1
    work.record(f"outbox:{message.id}", attempt=message.attempts)
    return message


def is_left_sending(session: Session) -> bool:
    """True if a message is marked as being sent; asked at the start, when nothing can be on its way yet."""
    return session.exec(select(OutboxMessage.id).where(OutboxMessage.status == "sending").limit(1)).first() is not None


@command("outbox.recover", allow=system_only)
def recover(work: Work) -> int:
    """Let the messages that were being sent when the portal stopped be sent again; how many there were."""
    cut_off = work.session.exec(select(OutboxMessage).where(OutboxMessage.status == "sending").with_for_update()).all()
    for message in cut_off:
        message.status, message.due_at = "waiting", work.at
        message.fault = "门户在发送途中停止，对方可能已经收到，将用同一业务主键重发。"
        work.record(f"outbox:{message.id}", status="waiting")
    return len(cut_off)


@command("outbox.settle", allow=system_only)
def settle(work: Work, message_id: int, attempt: Attempt) -> OutboxMessage:
    """Note what came of an attempt, in one transaction with what it means for the case."""
    message = _locked(work, message_id)
    work.session.add(attempt.row(message_id))
    work.record(f"outbox:{message.id}", result=attempt.result, business_key=message.business_key)
    if attempt.result == "down":
        _line_down(work, message, attempt)
    else:
        _line_up(work, message.partner)
    _AFTER[attempt.result](work, message, attempt)
    return message


def _delivered(work: Work, message: OutboxMessage, attempt: Attempt) -> None:
    message.status, message.sent_at, message.fault = "delivered", work.at, None
    message.answer, message.first_failed_at = dict(attempt.answer), None
    kind = delivery_of(message)
    if kind is not None and kind.ask is not None and message.result_status != "arrived":
        message.result_status, message.result_due_at = "awaited", work.at + FIRST_ASK
    tell(work, message, Outcome("delivered", attempt.answer))


def _refused(work: Work, message: OutboxMessage, attempt: Attempt) -> None:
    message.status, message.fault, message.answer = "refused", attempt.words, dict(attempt.answer)
    tell(work, message, Outcome("refused", attempt.answer, attempt.words))
    warn_report_admins(work, [message], "被对方拒绝", attempt.words)


def _down(work: Work, message: OutboxMessage, attempt: Attempt) -> None:
    """The partner's line is paused; messages that have waited too long are given up together."""
    line = work.session.get_one(PartnerLine, message.partner)
    message.status, message.fault, message.due_at = "waiting", attempt.words, line.paused_until
    message.first_failed_at = message.first_failed_at or work.at
    if line.down_since is not None and work.at - line.down_since >= GIVE_UP_AFTER:
        long_ago = work.at - GIVE_UP_AFTER
        statement = select(OutboxMessage).where(
            OutboxMessage.partner == message.partner,
            OutboxMessage.status == "waiting",
            OutboxMessage.created_at <= long_ago,
        )
        _give_up(work, work.session.exec(statement.with_for_update()).all(), attempt.words)


def _invalid(work: Work, message: OutboxMessage, attempt: Attempt) -> None:
    """The answer cannot be used: this message waits by itself, the others go on."""
    message.status, message.fault = "waiting", attempt.words
    message.first_failed_at = message.first_failed_at or work.at
    message.due_at = work.at + pause_after(message.attempts)
    if work.at - message.first_failed_at >= GIVE_UP_AFTER:
        _give_up(work, [message], attempt.words)


def _broken(work: Work, message: OutboxMessage, attempt: Attempt) -> None:
    """The message itself cannot be sent (its file is damaged, its kind unknown); trying again would not help."""
    _give_up(work, [message], attempt.words)


_AFTER = {"delivered": _delivered, "refused": _refused, "down": _down, "invalid": _invalid, "broken": _broken}


def _give_up(work: Work, messages: Iterable[OutboxMessage], words: str) -> None:
    given_up = list(messages)
    for message in given_up:
        message.status, message.fault = "dead", words
        work.record(f"outbox:{message.id}", status="dead")
        tell(work, message, Outcome("dead", {}, words))
    warn_report_admins(work, given_up, "没有送达，已停止自动重发", words)


def _line_down(work: Work, message: OutboxMessage, attempt: Attempt) -> None:
    line = work.session.get(PartnerLine, message.partner) or PartnerLine(partner=message.partner)
    line.failures += 1
    line.down_since = line.down_since or work.at
    line.fault, line.paused_until = attempt.words, work.at + pause_after(line.failures)
    work.session.add(line)
    work.session.flush()


def _line_up(work: Work, partner: str) -> None:
    line = work.session.get(PartnerLine, partner) or PartnerLine(partner=partner)
    line.failures, line.down_since, line.paused_until, line.fault = 0, None, None, None
    line.last_success_at = work.at
    work.session.add(line)


@command("outbox.postpone", allow=system_only)
def postpone(work: Work, message_id: int) -> None:
    """Let a message wait whose outcome could not be noted: it is sent again under the same key later."""
    message = _locked(work, message_id)
    message.status, message.due_at = "waiting", work.at + pause_after(message.attempts + 3)
    message.fault = "对方已应答，但本方没有记下（见日志），将用同一业务主键重发。请联系系统管理员。"
    work.record(f"outbox:{message.id}", status="waiting")


@command("outbox.replay", allow=holders_of("report_admin"))
def replay(work: Work, message_id: int, reason: str) -> OutboxMessage:
    """Send a message again that was refused, given up or cancelled; its business key stays the same.

    A delivered one may be sent again only while its result is missing: the partner answers with its first receipt.
    """
    message = _locked(work, message_id)
    is_silent = message.status == "delivered" and message.result_status == "awaited"
    if message.status not in REPLAYABLE and not is_silent:
        raise Conflict(f"报文 {message.business_key} 现在不能重发：它在等待发送、正在发送，或已送达并有结果。请刷新页面查看。")
    message.status, message.due_at, message.first_failed_at = "waiting", work.at, None
    message.fault = None
    if line := work.session.get(PartnerLine, message.partner):
        line.paused_until = None
    work.record(f"outbox:{message.id}", business_key=message.business_key, reason=_reason(reason))
    tell(work, message, Outcome("waiting", {}, reason.strip()))
    work.after_commit(lambda: wake(QUEUE))
    return message


@command("outbox.cancel", allow=holders_of("report_admin"))
def cancel(work: Work, message_id: int, reason: str) -> OutboxMessage:
    """Take a message back that has not reached its partner; the reason stays with it."""
    message = _locked(work, message_id)
    if message.status not in CANCELLABLE:
        raise Conflict(f"报文 {message.business_key} 正在发送或已经送达，不能撤销。已送达的，请按对方的更正或注销办法处理。")
    message.status, message.fault = "cancelled", f"已撤销：{_reason(reason)}"
    work.record(f"outbox:{message.id}", business_key=message.business_key, reason=reason.strip())
    tell(work, message, Outcome("cancelled", {}, reason.strip()))
    return message


@command("outbox.try_now", allow=holders_of("report_admin"))
def try_now(work: Work, partner: str) -> None:
    """End the pause of a partner's line and send what waits for it."""
    line = work.session.get(PartnerLine, partner)
    if line is None or line.paused_until is None:
        raise Conflict(f"发往{partner_of(partner).label}的报文没有暂停，不需要恢复。")
    line.paused_until = None
    held = select(OutboxMessage).where(OutboxMessage.partner == partner, OutboxMessage.status == "waiting")
    for message in work.session.exec(held.with_for_update()).all():
        message.due_at = min(message.due_at, work.at)
    work.record(f"partner:{partner}", act="try_now")
    work.after_commit(lambda: wake(QUEUE))


def _reason(reason: str) -> str:
    if not reason.strip():
        raise InvalidData("没有写明原因。重发和撤销都会留痕，请填写原因。", {"reason": "请填写原因"})
    if len(reason) > 500:
        raise InvalidData("原因超过 500 字。请精简。", {"reason": "不超过 500 字"})
    return reason.strip()


def _locked(work: Work, message_id: int) -> OutboxMessage:
    """The message, held until the command ends; its case is held before it, as in every command on a case."""
    of_message = select(OutboxMessage.case_id).where(OutboxMessage.id == message_id)
    work.session.exec(select(Case.id).where(col(Case.id).in_(of_message)).with_for_update()).all()
    statement = select(OutboxMessage).where(OutboxMessage.id == message_id).with_for_update()
    message = work.session.exec(statement.execution_options(populate_existing=True)).first()
    if message is None:
        raise NotFound("没有这条报文。请从交换监控的列表进入。")
    return message


def attempts_of(session: Session, message_id: int) -> list[OutboxAttempt]:
    """The attempts of a message, the latest first."""
    statement = select(OutboxAttempt).where(OutboxAttempt.message_id == message_id)
    return list(session.exec(statement.order_by(col(OutboxAttempt.id).desc()).limit(200)).all())
