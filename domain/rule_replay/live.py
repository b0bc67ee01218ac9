"""What a draft says of today: of the books as they stand now, beside the edition in force. Nothing is kept.

Cases need no such look: what was last decided about them is among the past decisions.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from sqlmodel import Session

from domain import portal_clock
from domain.actor import Actor
from domain.decision import REFUSING
from domain.decision_subject import district_of
from domain.district import district_name
from domain.office import office_of
from domain.rule_edition.draft import KEEPERS
from domain.rule_workbench import source
from rules.engine import Answer, BatchDecider


class Subject(NamedTuple):
    """Something that a rule set can be asked about today, with its facts."""

    subject: str
    facts: Mapping[str, Any]


Look = Callable[[Session], Iterable[Subject]]
SUBJECTS: dict[str, Look] = {}


@dataclass(frozen=True, slots=True)
class LiveAnswer:
    """One subject as it stands today: the answer in force and that of the draft."""

    subject: str
    district_code: str
    label: str
    facts: Mapping[str, Any]
    now: Answer
    draft: Answer

    @property
    def is_changed(self) -> bool:
        return self.now.outcome != self.draft.outcome

    @property
    def is_stricter(self) -> bool:
        """Passes now, would be stopped."""
        return self.draft.outcome in REFUSING and self.now.outcome not in REFUSING


def live_subjects(rule_set: str) -> Callable[[Look], Look]:
    """Register what a rule set is asked about by itself, day by day."""

    def register(look: Look) -> Look:
        if rule_set in SUBJECTS:
            raise ValueError(f"live subjects of {rule_set} are registered twice")
        SUBJECTS[rule_set] = look
        return look

    return register


def answers(session: Session, actor: Actor, draft_id: int) -> list[LiveAnswer]:
    """Every subject that the draft's rule set is asked about today, by district; none for sets that only cases ask.

    Raises InvalidData while the draft cannot be read.
    """
    actor.must_have(*KEEPERS)
    rules = source.of_draft(session, draft_id)
    look = SUBJECTS.get(rules.key)
    if look is None:
        return []
    today = portal_clock.today(session)
    now = BatchDecider(source.in_force(office_of(session), rules.key, portal_clock.now(session)))
    draft = BatchDecider(rules)
    found = [
        _answer(each, now.answer((each.facts, today)), draft.answer((each.facts, today))) for each in look(session)
    ]
    return sorted(found, key=lambda each: (each.district_code, each.subject))


def _answer(each: Subject, now: Answer, draft: Answer) -> LiveAnswer:
    code = district_of(each.subject, None)
    return LiveAnswer(each.subject, code, district_name(code) if code else each.subject, each.facts, now, draft)
