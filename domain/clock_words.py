"""A clock in words: beside the light, under the ruler, and as the text that tells the whole ruler."""

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.clock_state import ClockState, Counting, Segment

_PATH = Path(__file__).parent / "reference" / "clock_words.yaml"


@cache
def _words() -> dict[str, dict[str, str]]:
    return yaml.safe_load(_PATH.read_text(encoding="utf-8"))


def light_words(state: ClockState) -> str:
    """The words beside the light, as in lists: 剩 2 日, 超 3 日（暂定）, 停表."""
    words = _words()["light"]
    numbers = {"left": state.left, "over": state.over, "total": state.total}
    if state.status == "finished":
        return words["finished_over" if state.over else "finished"].format(**numbers)
    if state.status == "stopped":
        return words["stopped"]
    key = "over" if state.over else ("left" if state.left else "due_today")
    # The agreed date of an overdue clock may be certain while the days since it are not.
    is_open = state.is_count_provisional if state.over else state.is_provisional
    return words[key].format(**numbers) + (words["provisional"] if is_open else "")


def ruler_runs(state: ClockState) -> list[dict[str, Any]]:
    """The segments as runs for the ruler: kind, days, and the label under the first tick of some."""
    runs, previous = [], None
    for segment in state.segments:
        runs.append({"kind": segment.kind, "days": segment.days, "label": _label(segment, previous, state)})
        previous = segment
    return runs


def end_label(state: ClockState) -> str:
    """The label at the end of the ruler: the due date, marked if it is provisional."""
    key = "due_provisional" if state.is_provisional else "due"
    return _words()["ruler"][key].format(day=f"{state.due_on:%m-%d}")


def story(state: ClockState) -> str:
    """The ruler for those who do not see it: limit, start, stops, days used and left, due date, in one sentence."""
    words = _words()["story"]
    parts = [words["agreed" if state.is_dated else "limit"].format(**_facts(state))]
    if state.extended:
        parts.append(words["extended"].format(**_facts(state)))
    parts += _turns(state)
    parts.append(words["used"].format(**_facts(state)))
    parts += [words[key].format(**_facts(state)) for key in ("stopped", "left", "over") if getattr(state, key)]
    parts.append(_ending(state))
    if state.is_provisional:
        parts.append(words["provisional"].format(year=state.due_on.year))
    return words["opening"] + "，".join(parts)


def _ending(state: ClockState) -> str:
    words = _words()["story"]
    if state.finished_on is not None:
        return words["finished"].format(day=_day(state.finished_on))
    return words["forecast" if state.status == "stopped" else "due"].format(**_facts(state))


def _turns(state: ClockState) -> list[str]:
    """Start, stops and resumptions in order, each on the first counted day it changed."""
    words, turns, previous = _words()["story"], [], None
    for segment in state.segments:
        if key := _turn(segment, previous):
            turns.append(words[key].format(day=_day(segment.first_on)))
        previous = segment
    return turns


def _label(segment: Segment, previous: Segment | None, state: ClockState) -> str:
    key = _turn(segment, previous)
    return _words()["ruler"][key].format(day=f"{segment.first_on:%m-%d}") if key else ""


def _turn(segment: Segment, previous: Segment | None) -> str | None:
    if segment.kind == "stop":
        return "stop"
    if segment.kind == "left":
        return None
    if previous is None:
        return "start"
    return "resume" if previous.kind == "stop" else None


def _facts(state: ClockState) -> dict[str, Any]:
    return {
        "limit": state.limit,
        "extended": state.extended,
        "unit": _words()["units"][Counting(state.counting)],
        "used": state.used,
        "stopped": state.stopped,
        "left": state.left,
        "over": state.over,
        "due": _day(state.due_on),
    }


def _day(day: date) -> str:
    return f"{day.month} 月 {day.day} 日"
