"""The rule set of a scheme, with the values that a variant lays over its parameters, judging candidates."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cached_property
from typing import Any, Protocol

from domain.errors import InvalidData
from domain.inspection.scheme import Scheme, Variant, check_kinds
from domain.inspection.subject import Candidate, InspectionRefused
from rules.engine import BatchDecider, RuleSet, read_content

KIND, NONE = "quality", "none"
TIGHTER = {"smallest_area_m2", "sliver_width_m", "sliver_ratio", "spike_angle", "short_edge_m", "gap_width_m"}
"""Parameters that find more when they are raised; of all others a lower value finds more. See `is_tighter`."""


class Editions(Protocol):
    """What tells the edition of a rule set on a day: a rule book, or one edition alone (grounds.OneEdition)."""

    def rule_set(self, kind: str, key: str, on: date) -> RuleSet:
        """The edition in force."""


class Judge:
    """An edition of a scheme's rule set on a day, ready for many candidates; equal facts are judged once."""

    def __init__(self, scheme: Scheme, book: Editions, on: date, variant: Variant | None = None) -> None:
        self.scheme, self.on, self.variant = scheme, on, variant or Variant()
        self.shipped = book.rule_set(KIND, scheme.rules, on)
        self.rules = laid_over(self.shipped, self.variant.parameters)
        self._decider = BatchDecider(self.rules)
        self._known: dict[tuple, tuple[Any, str]] = {}
        self._require()

    def _require(self) -> None:
        """Refuse a rule set that lacks what the checks of the scheme need."""
        for check in self.scheme.checks:
            for name in check_kinds()[check.key].reads:
                if name not in self.rules.parameters:
                    raise InspectionRefused(
                        f"规则集 {self.scheme.rules} 没有参数 {name}，质检项“{check.label}”不能进行。请在规则集里补写这个参数。"
                    )

    @cached_property
    def parameters(self) -> dict[str, Decimal]:
        """The values in force, by key."""
        return {key: parameter.general(self.on) for key, parameter in self.rules.parameters.items()}

    def judge(self, candidate: Candidate) -> tuple[Any, str] | None:
        """The rule that holds and its message; None if no rule objects. Raises InspectionRefused if it cannot be told."""
        facts = {"check": candidate.check} | {key: value for key, value in candidate.facts.items() if key in self.rules.facts}
        name = tuple(sorted((key, str(value)) for key, value in facts.items()))
        if name not in self._known:
            self._known[name] = self._decided(facts)
        return self._known[name]

    def _decided(self, facts: Mapping[str, Any]) -> tuple[Any, str] | None:
        answer = self._decider.answer((facts, self.on))
        if answer.outcome == NONE:
            return None
        rule = next((each for each in self.rules.rules if each.key == answer.rule), None)
        if rule is None:
            raise InspectionRefused(f"规则集“{self.rules.title}”不能判断质检项 {facts['check']}：{answer.message}。请规则维护人员核对。")
        return rule, answer.message


def laid_over(rules: RuleSet, parameters: Mapping[str, str]) -> RuleSet:
    """The rule set with other values of some parameters; itself for none. Raises InvalidData."""
    if not parameters:
        return rules
    content = json.loads(rules.content)
    for name, text in parameters.items():
        if name not in rules.parameters:
            raise InvalidData(f"规则集“{rules.title}”没有参数 {name}。可用 {'、'.join(rules.parameters)}。")
        unit = content["parameters"][name].get("unit")
        kept = {key: value for key, value in content["parameters"][name].items() if key in ("label", "basis", "default", "min", "max", "type")}
        content["parameters"][name] = {"value": str(_number(name, text)), "unit": unit, **kept}
    return read_content(json.dumps(content, ensure_ascii=False))


def _number(name: str, text: str) -> Decimal:
    try:
        found = Decimal(str(text))
    except InvalidOperation as error:
        raise InvalidData(f"参数 {name} 应是数字，实际是“{text}”。", {name: "应是数字"}) from error
    if not found.is_finite() or found < 0:
        raise InvalidData(f"参数 {name} 应是不小于 0 的数字，实际是“{text}”。", {name: "应是不小于 0 的数字"})
    return found


def is_tighter(variant: Variant, shipped: RuleSet, on: date) -> bool:
    """True if a variant finds at least what the scheme finds: nothing is off, and every value is the same or stricter."""
    if variant.off:
        return False
    for name, text in variant.parameters.items():
        value, was = _number(name, text), shipped.parameters[name].general(on)
        if (value < was) if name in TIGHTER else (value > was):
            return False
    return True
