"""What the golden cases leave untried: rules that never fire, limits not tested at, below and above."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from ..fault import Fault
from ..golden import CaseResult, run_cases
from ..number import EXACT
from ..row_table import Looked
from ..rule_set import RuleSet
from ..syntax.aggregate import Aggregate
from ..syntax.comparison import LIMIT_OPERATORS, Comparison
from ..syntax.condition import Condition
from ..syntax.expression import Expression, Literal, Name, Operation, shifted
from ..syntax.linear import Linear
from ..syntax.quantifier import Quantifier
from ..value import present
from .inequality import at_most_zero
from .region import FactSpace, Region

SIDES = {-1: "低一步", 0: "恰好等于", 1: "高一步"}


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit that a golden case must meet: the leaf, which of its limits, and the list it is asked inside."""

    key: str
    leaf: Comparison
    index: int
    listed: str | None


def limits(rules: RuleSet) -> list[Limit]:
    """Every limit of the rules and of derived conditions, those asked inside lists included."""
    found: list[Limit] = []
    for rule in rules.rules:
        found.extend(_limits_in(f"rules.{rule.key}.when", rule.when, None))
    for name, derived in rules.derived.items():
        if derived.condition is not None:
            found.extend(_limits_in(f"derived.{name}.when", derived.condition, None))
        else:
            found.extend(_limits_of(f"derived.{name}", derived.expression, None))
    return found


def _limits_in(key: str, condition: Condition, listed: str | None) -> Iterator[Limit]:
    for leaf in condition.leaves():
        if isinstance(leaf, Quantifier):
            yield from _limits_in(key, leaf.inner, leaf.listed)
        elif isinstance(leaf, Comparison):
            if isinstance(leaf, LIMIT_OPERATORS):
                yield from (Limit(key, leaf, index, listed) for index in range(len(leaf.limits)))
            yield from _limits_of(key, leaf.left, listed)


def _limits_of(key: str, expression: Expression, listed: str | None) -> Iterator[Limit]:
    if isinstance(expression, Aggregate) and expression.where is not None:
        yield from _limits_in(key, expression.where, expression.listed)
    elif isinstance(expression, Operation):
        for operand in expression.operands():
            yield from _limits_of(key, operand, listed)


def coverage_faults(rules: RuleSet) -> list[Fault]:
    """Golden cases that fail, rules no case fires, limits no case meets."""
    results = run_cases(rules)
    faults = [
        Fault(rules.file, result.case.line, f"cases.{result.case.name}", "；".join(result.differences))
        for result in results
        if not result.passed
    ]
    fired = {
        row["rule"] for result in results if result.decision is not None for row in result.decision.fired
    }
    for rule in rules.rules:
        if rule.key not in fired:
            faults.append(
                Fault(
                    rules.file,
                    rule.line,
                    f"rules.{rule.key}",
                    "没有黄金用例使这条规则成立。请按条文补一个用例",
                )
            )
    return faults + list(_limit_faults(rules, results))


def _limit_faults(rules: RuleSet, results: list[CaseResult]) -> Iterator[Fault]:
    for limit, side, value in missing_sides(rules, results):
        sort = limit.leaf.left.sort(names_at(rules, limit))
        shown = f"（{present(value, sort, sign=True)}）" if value is not None else ""
        message = (
            f"限值没有「{SIDES[side]}」的用例：{limit.leaf.left.words(names_at(rules, limit))}{shown}。请补一个"
        )
        yield Fault(rules.file, limit.leaf.line, f"{limit.key}.{limit.leaf.key}", message)


def names_at(rules: RuleSet, limit: Limit) -> Mapping[str, Any]:
    """The names seen where the limit stands: inside a list its columns too."""
    return {**rules.names, **rules.names[limit.listed].columns} if limit.listed else rules.names


def missing_sides(rules: RuleSet, results: list[CaseResult]) -> list[tuple[Limit, int, Any]]:
    """Each limit and side that no golden case meets but some facts could: (limit, -1/0/1, the value to try or None)."""
    region = Region(FactSpace(rules, rules.edition.start))
    found = []
    for limit in dict.fromkeys(limits(rules)):
        names = names_at(rules, limit)
        step = limit.leaf.left.sort(names).step
        met = {difference for result in results for difference in differences(limit, result)}
        for side in SIDES:
            if side * step not in met and _possible(region, limit, side * step, names):
                found.append((limit, side, _to_try(limit, side * step)))
    return found


def differences(limit: Limit, result: CaseResult) -> Iterator[Decimal]:
    """How far the value asked lies from the limit in that case, once for each record of a list."""
    if result.decision is None:
        return
    facts = result.decision.found
    records = [{}] if limit.listed is None else facts[limit.listed] or ()
    for record in records:
        here = {**facts, **record}
        actual, bound = limit.leaf.left.compile()(here), limit.leaf.limits[limit.index].compile()(here)
        if actual is not None and bound is not None:
            yield (
                Decimal((actual - bound).days) if isinstance(actual, date) else EXACT.subtract(actual, bound)
            )


def _to_try(limit: Limit, step: Decimal) -> Any:
    bound = limit.leaf.limits[limit.index]
    return shifted(bound.value, step) if isinstance(bound, Literal) else None


def _possible(region: Region, limit: Limit, difference: Decimal, names: Mapping[str, Any]) -> bool:
    if limit.listed is not None:
        column = limit.leaf.left.sort(names)
        value = _to_try(limit, difference)
        low, high = column.minimum, column.maximum
        return value is None or not ((low is not None and value < low) or (high is not None and value > high))
    space = region.space
    given, value = _looked(space.rules, limit), _to_try(limit, difference)
    if given is not None and value is not None and value not in given:
        return False
    form = limit.leaf.left.linear(space).plus(limit.leaf.limits[limit.index].linear(space).times(-1))
    form = form.plus(space.constant(difference).times(-1))
    return region.witness(_zero(form)) is not None


def _looked(rules: RuleSet, limit: Limit) -> frozenset | None:
    """The values that the asked column of a table has, None for anything that is not looked up."""
    left = limit.leaf.left
    derived = rules.derived.get(left.name) if isinstance(left, Name) else None
    return derived.expression.values() if derived is not None and isinstance(derived.expression, Looked) else None


def _zero(form: Linear) -> tuple[Any, ...]:
    return (at_most_zero(form), at_most_zero(form.times(-1)))
