"""Lights of messages whose result does not come: asked from the rule set usage_control_reply_light every night."""

from sqlmodel import select

from domain import portal_clock
from domain.command import Work, command, system_only
from domain.exchange.tables import OutboxMessage
from domain.exchange.warning import warn_report_admins
from domain.office import office_of

RULE_SET = "usage_control_reply_light"


@command("outbox.light", allow=system_only)
def refresh(work: Work) -> int:
    """Give every message that awaits its result a light; the report administrators hear of those that turn red."""
    statement = select(OutboxMessage).where(
        OutboxMessage.result_status == "awaited", OutboxMessage.status == "delivered"
    )
    waiting = work.session.exec(statement.with_for_update()).all()
    turned_red = [message for message in waiting if _turns_red(work, message)]
    for partner in sorted({message.partner for message in turned_red}):
        concerned = [message for message in turned_red if message.partner == partner]
        warn_report_admins(work, concerned, "一直没有返回结果", "请在交换监控中查看，必要时与对方核对或重发。")
    work.record("outbox", waiting=len(waiting), red=len(turned_red))
    return len(waiting)


def _turns_red(work: Work, message: OutboxMessage) -> bool:
    today = portal_clock.today(work.session)
    days = (today - portal_clock.local_date(message.sent_at or message.created_at)).days
    decision = office_of(work.session).book.decide("light", RULE_SET, {"waiting_days": max(days, 0)}, on=today)
    was, message.reply_light = message.reply_light, decision.outcome
    return message.reply_light == "red" and was != "red"
