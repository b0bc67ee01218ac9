"""The light of a clock: asked from a rule set of kind `light`, never computed here.

Nothing irreversible happens on a provisional date: a black light the rules would give shows red until the
year's table is entered, and `must_be_definite` refuses notices and automatic ends.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from domain.clock_state import ClockState
from domain.clock_words import light_words
from domain.errors import InvalidData, Refused

if TYPE_CHECKING:
    from rules.engine import RuleBook

COLOURS = ("black", "red", "yellow", "green", "off")
"""Worst first; `off` is a clock that stands still or is finished."""
DEFAULT_SET = "deadline_light"
_OTHER_NAMES = Path(__file__).parent / "reference" / "light_facts.yaml"


@dataclass(frozen=True, slots=True)
class Light:
    """Colour and words of one clock; `is_held` if black is due but its date is provisional."""

    colour: str
    words: str
    is_held: bool
    message: str


def light_of(
    book: RuleBook, rule_set: str, state: ClockState, *, legal_days: int | None = None, warning_days: int | None = None
) -> Light:
    """The light a rule set gives for a clock on the day its state was computed for; a stopped clock is off.

    The edition of that day decides, so that a changed warning line shows at once on running clocks. Raises
    InvalidData when the set answers with anything but a colour, and RuleError when it cannot answer.
    """
    if state.status == "stopped":
        return Light("off", light_words(state), False, "")
    known = facts_of(state, legal_days=legal_days, warning_days=warning_days)
    read = book.facts_of("light", rule_set, state.as_of)
    facts = {name: value for name, value in known.items() if name in read}
    decision = book.decide("light", rule_set, facts, on=state.as_of)
    if decision.outcome not in COLOURS:
        raise InvalidData(f"亮灯规则 {rule_set} 的结论是「{decision.outcome}」，不是灯色。请规则维护人员补全这套规则。")
    is_held = decision.outcome == "black" and not is_definite(state)
    return Light("red" if is_held else decision.outcome, light_words(state), is_held, decision.message)


def facts_of(state: ClockState, *, legal_days: int | None = None, warning_days: int | None = None) -> dict[str, Any]:
    """What light rules may read about a clock; days are counted days, of the clock's own counting.

    `remaining_days` is negative past the due date and 0 on it. `legal_days` and `warning_days`, and what follows
    from them, are left out when the clock's definition does not give them. Further names are mapped in
    reference/light_facts.yaml.
    """
    facts: dict[str, Any] = {
        "remaining_days": state.left - state.over,
        "overdue_days": state.over,
        "used_days": state.total,
        "limit_days": state.limit,
        "stopped_days": state.stopped,
        "finished": state.status == "finished",
        "provisional": not is_definite(state),
        "due_on": state.due_on,
    }
    if legal_days is not None:
        facts["legal_days"] = legal_days
        facts["legal_overdue_days"] = max(0, state.total - legal_days - state.extended)
    if warning_days is not None:
        facts["warning_days"] = warning_days
    return facts | {name: facts[meaning] for name, meaning in _other_names().items()}


@cache
def _other_names() -> dict[str, str]:
    return yaml.safe_load(_OTHER_NAMES.read_text(encoding="utf-8"))


def is_definite(state: ClockState) -> bool:
    """True if neither the due date nor the days counted since touch a year without an official table."""
    return not state.is_provisional and not state.is_count_provisional


def must_be_definite(state: ClockState, act: str) -> None:
    """Raise Refused if an irreversible act (`act` names it, e.g. 发《解除合同通知书》) would rest on a provisional date."""
    if not is_definite(state):
        raise Refused(
            f"到期日 {state.due_on} 或其后的天数为暂定：所涉年份的工作日历还没有正式公布，因此不能{act}。"
            "请在系统管理员载入该年的工作日历、时限重算之后再办。"
        )
