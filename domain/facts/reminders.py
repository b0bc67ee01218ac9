"""The reminders of a case as a list that rules count over, with the working days each has waited."""

from collections.abc import Mapping
from typing import Any

from domain import portal_clock
from domain.calendar_table import calendar_of
from domain.facts import Ask, fact
from domain.reminder import reminders_of


@fact("reminders", title="催办记录", gives={"reminders": "list"})
def reminders(ask: Ask) -> Mapping[str, Any]:
    """Each reminder with its day and the working days until it was answered, or until today; its own day is not counted."""
    calendar, today = calendar_of(ask.session), ask.today
    rows = []
    for each in reminders_of(ask.session, ask.case):
        given_on = portal_clock.local_date(each.at)
        until = portal_clock.local_date(each.answered_at) if each.answered_at else today
        rows.append({
            "reminded_on": given_on,
            "answered": each.is_answered,
            "waited_days": calendar.between(given_on, max(given_on, until)),
        })
    return {"reminders": rows}
