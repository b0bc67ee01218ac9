"""Golden cases for a draft: from a real decision with personal data removed, from the limits, run at once with reasons.

Everything answers a new text, which the maintainer's draft then keeps (domain/rule_edition/draft.py: save).
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from domain.actor import Actor
from domain.case.tables import Case, StoredDecision
from domain.errors import InvalidData
from domain.office import Office, office_of
from domain.redaction import redact
from domain.rule_edition.draft import KEEPERS
from domain.rule_workbench.scope import decision_of
from rules.engine import (
    Answer,
    BatchDecider,
    Draft,
    EditRefused,
    Known,
    ProposedCase,
    RuleSet,
    proposed_cases,
)
from rules.engine.golden import run_cases
from rules.engine.value import Declaration

PERSONAL_TYPES = frozenset({"phone", "email", "credit_code"})
FREE_TEXT = frozenset({"text", "code"})
"""Values without a fixed list: what somebody typed may stand in them."""
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_MOBILE = "10000000000"
_CHINESE = re.compile(r"[\u3400-\u9fff\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Facts for a golden case, free of personal data; `given_answer` is what was decided then, `now` what the draft answers."""

    on: date
    given: Mapping[str, Any]
    given_answer: str
    now: Answer
    dropped: tuple[str, ...]
    """Labels of facts left out: no condition reads them, or they are personal."""
    replaced: tuple[str, ...]
    """Labels of facts whose text was replaced by one of the same shape."""


@dataclass(frozen=True, slots=True)
class CaseRun:
    """A golden case as it went; `outcome_word` and `sentences` are empty where a fact was refused."""

    name: str
    line: int
    passed: bool
    differences: tuple[str, ...]
    outcome_word: str
    sentences: tuple[str, ...]


def from_decision(session: Session, actor: Actor, decision_id: int, rules: RuleSet) -> Proposal:
    """The facts of a stored decision for a golden case of a draft, personal data removed.

    Raises NotFound, NotAllowed, and InvalidData if the draft would answer otherwise without what was removed.
    """
    actor.must_have(*KEEPERS)
    stored = decision_of(session, actor, decision_id)
    facts = {name: value for name, value in stored.document["facts"].items() if name in rules.facts}
    cleaning = _Cleaning(rules, _personal(session, stored))
    given = cleaning.facts(facts)
    decider = BatchDecider(rules)
    before, after = decider.answer((facts, stored.decided_on)), decider.answer((given, stored.decided_on))
    if before[:2] != after[:2]:
        removed = "、".join(f"「{label}」" for label in (*cleaning.dropped, *cleaning.replaced))
        raise InvalidData(f"去掉个人信息（{removed}）以后结论就变了，不能直接做成黄金用例。请手工编写，用虚构的值代替这些事实。")
    return Proposal(
        stored.decided_on, given, stored.outcome, after, tuple(cleaning.dropped), tuple(cleaning.replaced)
    )


def _personal(session: Session, stored: StoredDecision) -> Callable[[str], bool]:
    """Whether a fact is personal: marked so, or of a personal type, on the form of the case; for others on any form."""
    case = session.get(Case, stored.case_id) if stored.case_id else None
    catalogue = office_of(session).catalogue
    names = [case.case_type] if case is not None else catalogue.keys()
    forms = [each.form for name in names for each in catalogue.editions(name)]
    marked = {
        field.key
        for form in forms
        for section in form.sections
        for field in section.fields
        if field.personal or section.personal or field.type in PERSONAL_TYPES
    }
    return marked.__contains__


class _Cleaning:
    """Takes personal data out of the facts of one rule set, noting what was dropped and what was replaced."""

    def __init__(self, rules: RuleSet, is_personal: Callable[[str], bool]) -> None:
        self._rules, self._is_personal = rules, is_personal
        self.dropped: list[str] = []
        self.replaced: list[str] = []
        parts = _asking_parts(json.loads(rules.content))
        self._read = set(_WORD.findall(json.dumps(parts, ensure_ascii=False)))
        self._constants = sorted(set(_texts(parts)), key=len, reverse=True)

    def facts(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """The facts that may stand in a golden case."""
        found = {name: self._value(self._rules.facts[name], value) for name, value in facts.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _value(self, declaration: Declaration, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, list):
            return [self._record(declaration, record) for record in value]
        if declaration.name not in self._read:
            return self._noted(self.dropped, declaration, None)
        if declaration.type in FREE_TEXT and not declaration.domain:
            return self._text(declaration, str(value))
        return self._noted(self.dropped, declaration, None) if self._is_personal(declaration.name) else value

    def _record(self, declaration: Declaration, record: Mapping[str, Any]) -> dict[str, Any]:
        cleaned = {name: self._value(declaration.columns[name], value) for name, value in record.items()}
        return {name: value for name, value in cleaned.items() if value is not None}

    def _text(self, declaration: Declaration, value: str) -> str:
        """A word of the rules stays; of any other text only the beginning that the rules name, and its shape."""
        is_personal = self._is_personal(declaration.name)
        if value in self._constants and not is_personal:
            return value
        start = "" if is_personal else next((each for each in self._constants if value.startswith(each)), "")
        return self._noted(self.replaced, declaration, start + shape(value[len(start):]))

    @staticmethod
    def _noted(where: list[str], declaration: Declaration, value: Any) -> Any:
        if declaration.label not in where:
            where.append(declaration.label)
        return value


def _asking_parts(content: Mapping[str, Any]) -> list[Any]:
    """What decides in a rule set: conditions, derived facts, tables, and what parameters depend on; no message, no golden case."""
    rules = content.get("rules") or []
    values = [{key: value for key, value in each.get("then", {}).items() if key != "message"} for each in rules]
    derived = [_without_words(each) for each in (content.get("derived") or {}).values()]
    depends = [each.get("by") for each in (content.get("parameters") or {}).values() if isinstance(each, dict)]
    return [[each.get("when") for each in rules], values, derived, depends, content.get("tables")]


def _without_words(entry: Any) -> Any:
    return {key: value for key, value in entry.items() if key not in ("label", "note", "basis")} if isinstance(entry, dict) else entry


def _texts(part: Any) -> Iterator[str]:
    """Every text in a part of a rule file, and every cell of its tables."""
    if isinstance(part, Mapping):
        for value in part.values():
            yield from _texts(value)
    elif isinstance(part, list):
        for value in part:
            yield from _texts(value)
    elif isinstance(part, str):
        yield from (cell for cell in re.split(r"[,|\n]", part) if cell)


def shape(text: str) -> str:
    """A text of the same shape without its content: 某 for a Chinese character, 0 for a digit, A or a for a letter.

    What has the length of a mobile number keeps its leading 1, as no mobile number begins with 10.
    """
    shaped = "".join(_shape(character) for character in text)
    return _MOBILE if re.fullmatch("1[0-9]{10}", text) else shaped


def _shape(character: str) -> str:
    if _CHINESE.match(character):
        return "某"
    if character.isdigit():
        return "0"
    if character.isalpha():
        return "A" if character.isupper() else "a"
    return character


def with_case(text: str, known: Known, proposal: Proposal, name: str, why: str, outcome: str) -> str:
    """The draft's text with a golden case more; the outcome is what the article asks for. Raises InvalidData."""
    _must_be_told(name, why)
    entry = {
        "name": name.strip(), "on": proposal.on, "given": dict(proposal.given), "expect": {"outcome": outcome}, "why": why.strip(),
    }  # fmt: skip
    return _edited(text, known, [entry])


def _must_be_told(name: str, why: str) -> None:
    faults = {}
    for key, told, label in (("name", name, "用例的名称"), ("why", why, "理由：这个用例说明哪一条、为什么应是这个结论")):
        if not told.strip():
            faults[key] = f"请写{label}。"
        elif redact(told) != told:
            faults[key] = "这里像有手机号或身份证号。黄金用例不能含个人信息，请删去。"
    if faults:
        raise InvalidData("用例没有加入草稿，请改正标出的各项。", faults)


def boundaries(rules: RuleSet) -> list[ProposedCase]:
    """Golden cases proposed at the limits that none tries yet; the outcome is for a person to say."""
    return proposed_cases(rules)


def with_boundaries(text: str, known: Known, accepted: Mapping[str, str]) -> str:
    """The draft's text with accepted proposals more: the outcome a person confirmed, by the proposal's name. Raises InvalidData."""
    proposals = {each.name: each for each in boundaries(Draft(text, known=known).read())}
    if unknown := sorted(set(accepted) - set(proposals)):
        raise InvalidData(f"建议的用例「{'、'.join(unknown)}」已不在：草稿改过了。请刷新后再选。")
    return _edited(text, known, [proposals[name].entry(outcome) for name, outcome in accepted.items()])


def _edited(text: str, known: Known, entries: Iterable[Mapping[str, Any]]) -> str:
    draft = Draft(text, known=known)
    try:
        for entry in entries:
            draft = draft.add_case(entry)
    except EditRefused as refused:
        raise InvalidData("用例没有加入草稿：" + "；".join(fault.message for fault in refused.faults) + "。") from refused
    return draft.text


def run(office: Office, rules: RuleSet) -> list[CaseRun]:
    """Every golden case of a set, run now, with its reasoning."""
    return [
        CaseRun(
            each.case.name, each.case.line, each.passed, each.differences,
            rules.kind.word(each.decision.outcome) if each.decision else "",
            tuple(each.decision.sentences()) if each.decision else (),
        )
        for each in run_cases(rules, office.book.engine if office.book.holds(rules.digest) else "python")
    ]  # fmt: skip
