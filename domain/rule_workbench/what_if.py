"""What if: a case or a stored decision with altered facts, by any edition or draft, both reasonings side by side."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any

from sqlmodel import Session

from domain import portal_clock
from domain.actor import Actor
from domain.decision import facts_for, rules_moment
from domain.errors import InvalidData
from domain.office import office_of
from domain.rule_workbench import source
from domain.rule_workbench.scope import case_of, decision_of
from rules.engine import Change, Decision, InvalidFact, RuleBook, RuleSet, what_if
from rules.engine.rule_book import CompiledSet

SAME, CHANGED, REMOVED, ADDED = "same", "changed", "removed", "added"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of both reasonings; an empty side has nothing in its place."""

    mark: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both decisions and their reasonings; `changes` are in words where one edition decides both."""

    before: Decision
    after: Decision
    lines: tuple[Line, ...]
    changes: tuple[Change, ...] = ()


def of_case(
    session: Session, actor: Actor, case_id: int, rule_set: str, altered: Mapping[str, Any], *,
    edition: str | None = None, draft_id: int | None = None,
) -> Comparison:  # fmt: skip
    """A case as it stands today by its own edition, beside altered facts by an edition (digest) or draft.

    Facts of partners are not asked for: they are absent unless altered. Raises NotFound, InvalidData for a fact that does not fit.
    """
    case = case_of(session, actor, case_id)
    office = office_of(session)
    own = source.in_force(office, rule_set, rules_moment(session, case))
    facts = facts_for(session, actor, case, [rule_set])
    known = {name: facts.get(name) for name in own.facts}
    return _compared(session, own, known, altered, portal_clock.today(session), _other(session, own, edition, draft_id))


def of_decision(
    session: Session, actor: Actor, decision_id: int, altered: Mapping[str, Any], *,
    edition: str | None = None, draft_id: int | None = None,
) -> Comparison:  # fmt: skip
    """A stored decision as it was given, beside altered facts on the same day by an edition (digest) or draft. Raises NotFound, InvalidData."""
    stored = decision_of(session, actor, decision_id)
    own = source.of_edition(office_of(session), stored.rule_set, stored.digest)
    facts = stored.document["facts"]
    return _compared(session, own, facts, altered, stored.decided_on, _other(session, own, edition, draft_id))


def _other(session: Session, own: RuleSet, edition: str | None, draft_id: int | None) -> RuleSet:
    if draft_id is not None:
        return source.of_draft(session, draft_id, own.key)
    return source.of_edition(office_of(session), own.key, edition) if edition else own


def _compared(
    session: Session, own: RuleSet, facts: Mapping[str, Any], altered: Mapping[str, Any], on: date, other: RuleSet
) -> Comparison:
    try:
        return compared(office_of(session).book, own, facts, altered, on, other)
    except InvalidFact as refused:
        raise InvalidData(f"改动的事实不合要求，没有试算：{refused}。", _faulty(altered, str(refused))) from refused


def _faulty(altered: Mapping[str, Any], words: str) -> dict[str, str]:
    """The altered facts that the refusal names."""
    return {name: words for name in altered if f"（{name}）" in words or f"（{name}." in words}


def compared(
    book: RuleBook, own: RuleSet, facts: Mapping[str, Any], altered: Mapping[str, Any], on: date, other: RuleSet
) -> Comparison:
    """Facts decided by their own edition, and altered facts by another. Raises InvalidFact."""
    if other.digest == own.digest:
        # The same edition: what changed is told in sentences. An edition of the records is known to compile.
        found = what_if(own, facts, altered, on, engine=book.engine)
        return Comparison(found.before, found.after, _lines(found.before, found.after), found.changes)
    before = book.decide_edition(own.digest, facts, on)
    together = {name: value for name, value in {**facts, **altered}.items() if name in other.facts}
    after = _decided(book, other, together, on)
    return Comparison(before, after, _lines(before, after))


def _decided(book: RuleBook, rules: RuleSet, facts: Mapping[str, Any], on: date) -> Decision:
    """By both engines where the text is known to compile; a draft that was never probed by the evaluator alone."""
    if book.holds(rules.digest):
        return book.decide_edition(rules.digest, facts, on)
    return CompiledSet(rules, "python").decide(facts, on)


def _lines(before: Decision, after: Decision) -> tuple[Line, ...]:
    return tuple(side_by_side(before.sentences(), after.sentences()))


def side_by_side(before: Sequence[str], after: Sequence[str]) -> Iterator[Line]:
    """Two reasonings line by line, what differs marked."""
    for sort, start, end, from_, to in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if sort == "equal":
            yield from (Line(SAME, line, line) for line in before[start:end])
            continue
        for old, new in zip_longest(before[start:end], after[from_:to], fillvalue=""):
            yield Line(CHANGED if old and new else REMOVED if old else ADDED, old, new)
