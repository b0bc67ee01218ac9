"""A golden case for a draft from a real decision, personal data removed.

It answers a new text, which the maintainer's draft then keeps (domain/rule_edition/draft.py: save).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session

from domain.actor import Actor
from domain.case.tables import Case, StoredDecision
from domain.errors import InvalidData
from domain.office import office_of
from domain.redaction import redact
from domain.rule_edition.draft import KEEPERS
from domain.rule_workbench.scope import decision_of
from rules.engine import (
    Answer,
    BatchDecider,
    Draft,
    EditRefused,
    Known,
    RuleSet,
)
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
    try:
        return Draft(text, known=known).add_case(entry).text
    except EditRefused as refused:
        raise InvalidData("用例没有加入草稿：" + "；".join(fault.message for fault in refused.faults) + "。") from refused


def _must_be_told(name: str, why: str) -> None:
    faults = {}
    for key, told, label in (("name", name, "用例的名称"), ("why", why, "理由：这个用例说明哪一条、为什么应是这个结论")):
        if not told.strip():
            faults[key] = f"请写{label}。"
        elif redact(told) != told:
            faults[key] = "这里像有手机号或身份证号。黄金用例不能含个人信息，请删去。"
    if faults:
        raise InvalidData("用例没有加入草稿，请改正标出的各项。", faults)
