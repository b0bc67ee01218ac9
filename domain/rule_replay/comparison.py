"""One past decision beside what a draft says of the same facts on the same day; no database, no state."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from domain.decision import ENGINE_FAULTS, REFUSING
from domain.rule_replay.tables import OUTCOME, RULE, UNABLE, WORDS
from rules.engine import Answer, BatchDecider, RuleSet

log = logging.getLogger(__name__)


class Past(NamedTuple):
    """A decision as it was given, as far as a replay needs it."""

    decision_id: int
    case_id: int | None
    subject: str
    district_code: str
    officer_id: int | None
    officer_name: str
    decided_on: date
    outcome: str
    rule: str | None
    message: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """How the answer of a draft differs from the one that was given; `after` without outcome could not be given."""

    sort: str
    past: Past
    after: Answer
    base: str | None

    @property
    def is_stricter(self) -> bool:
        """Passed then, would be stopped now."""
        return self.sort == OUTCOME and self.after.outcome in REFUSING and self.past.outcome not in REFUSING

    @property
    def is_looser(self) -> bool:
        """Stopped then, would pass now."""
        return self.sort == OUTCOME and self.after.outcome not in REFUSING and self.past.outcome in REFUSING


class Comparer:
    """A draft prepared for many past decisions, and the edition in force beside it."""

    def __init__(self, rules: RuleSet, base: RuleSet | None) -> None:
        self.rules = rules
        self._decider, self._base = BatchDecider(rules), BatchDecider(base) if base is not None else None

    def difference(self, past: Past) -> Difference | None:
        """What the draft would change; None if it answers the same in the same words."""
        lacking = [fact for name, fact in self.rules.facts.items() if name not in past.facts]
        if lacking:
            labels = "、".join(f"「{fact.label}」" for fact in lacking)
            return Difference(UNABLE, past, Answer(None, None, f"当时没有取事实{labels}，不能回放"), None)
        after = self._answer(self._decider, past)
        sort = _sort(past, after)
        if sort is None:
            return None
        base = self._answer(self._base, past).outcome if self._base is not None else None
        return Difference(sort, past, after, base)

    @staticmethod
    def _answer(decider: BatchDecider, past: Past) -> Answer:
        """Only the facts that the edition knows: what it no longer asks does not disturb it."""
        known = decider.rules.facts
        facts = {name: value for name, value in past.facts.items() if name in known}
        try:
            return decider.answer((facts, past.decided_on))
        except ENGINE_FAULTS as error:
            log.exception("the engine failed on decision %s", past.decision_id)
            return Answer(None, None, f"判断时引擎出错（{type(error).__name__}），没有结论")


def _sort(past: Past, after: Answer) -> str | None:
    if after.outcome is None:
        return UNABLE
    if after.outcome != past.outcome:
        return OUTCOME
    if after.rule != past.rule:
        return RULE
    return WORDS if after.message != past.message else None
