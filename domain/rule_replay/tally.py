"""The counts of a replay as it goes on: in all, and by district, officer and month."""

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, select

from domain.district import district_name
from domain.rule_replay.comparison import Difference, Past
from domain.rule_replay.tables import (
    DISTRICT,
    MONTH,
    OFFICER,
    OUTCOME,
    RULE,
    UNABLE,
    WORDS,
    RuleReplay,
    RuleReplayGroup,
)

COUNTED = {OUTCOME: "outcome_changed", RULE: "rule_changed", WORDS: "reworded", UNABLE: "unable"}


class Tally:
    """The groups of one replay, loaded once and written with every batch."""

    def __init__(self, session: Session, replay: RuleReplay) -> None:
        rows = session.exec(select(RuleReplayGroup).where(RuleReplayGroup.replay_id == replay.id))
        self._groups = {(row.grouping, row.value): row for row in rows}
        self._session, self._replay = session, replay

    def count(self, compared: Sequence[Past], found: Sequence[Difference]) -> None:
        """Add one batch, to the replay and to its groups."""
        for past in compared:
            for group in self._groups_of(past):
                group.compared += 1
        for difference in found:
            for row in (self._replay, *self._groups_of(difference.past)):
                _add(row, difference)
            name = COUNTED[difference.sort]
            setattr(self._replay, name, getattr(self._replay, name) + 1)
        self._replay.compared += len(compared)
        self._session.add_all([self._replay, *self._groups.values()])

    def _groups_of(self, past: Past) -> list[RuleReplayGroup]:
        named = (
            (DISTRICT, past.district_code, ""),
            (OFFICER, str(past.officer_id or ""), past.officer_name),
            (MONTH, month_of(past), ""),
        )
        return [self._group(*each) for each in named]

    def _group(self, grouping: str, value: str, label: str) -> RuleReplayGroup:
        found = self._groups.get((grouping, value))
        if found is None:
            found = RuleReplayGroup(replay_id=self._replay.id, grouping=grouping, value=value, label=label)
            self._groups[grouping, value] = found
        return found


def _add(row: Any, difference: Difference) -> None:
    """One difference in the counts that a replay and its groups have in common."""
    if difference.sort != UNABLE:
        row.changed += 1
    else:
        row.unable += isinstance(row, RuleReplayGroup)
    row.stricter += difference.is_stricter
    row.looser += difference.is_looser
    if difference.sort == OUTCOME and isinstance(row, RuleReplayGroup):
        way = f"{difference.past.outcome}>{difference.after.outcome}"
        row.transitions = {**row.transitions, way: row.transitions.get(way, 0) + 1}


def month_of(past: Past) -> str:
    """YYYY-MM of the day of a decision."""
    return f"{past.decided_on:%Y-%m}"


def label_of(group: RuleReplayGroup) -> str:
    """What a group is called on a screen; empty where the decisions name no district or officer."""
    return district_name(group.value) if group.grouping == DISTRICT and group.value else group.label or group.value
