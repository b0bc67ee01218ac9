"""Mutation of rule sets: every limit shifted, every operator flipped, every rule dropped; some golden case must notice."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from .analysis.region import FactSpace, Region, TooManyCases
from .fault import Fault, RuleError
from .golden import run_case, run_cases
from .note import NOTHING_KNOWN, Known
from .rule_book import PYTHON, CompiledSet, rule_files, tables_known
from .rule_set import DatedValue, Derived, Parameter, Rule, RuleSet
from .rule_set_reader import read_rule_set
from .syntax.condition import Condition
from .syntax.expression import Literal
from .value import Declaration


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule set with one change, where it was made, and in which words."""

    rules: RuleSet
    line: int
    key: str
    change: str


def mutants(rules: RuleSet) -> Iterator[Mutant]:
    """Every mutant of the set that could give another answer."""
    for index, rule in enumerate(rules.rules):
        others = (*rules.rules[:index], *rules.rules[index + 1 :])
        yield Mutant(replace(rules, rules=others), rule.line, f"rules.{rule.key}", "删去这条规则")
        for change, when in rule.when.mutants():
            if not equivalent(rules, rule.when, when):
                yield Mutant(
                    _with_rule(rules, index, replace(rule, when=when)),
                    rule.when_line,
                    f"rules.{rule.key}.when",
                    change,
                )
    yield from _parameter_mutants(rules)
    yield from _derived_mutants(rules)


def _with_rule(rules: RuleSet, index: int, rule: Rule) -> RuleSet:
    return replace(rules, rules=(*rules.rules[:index], rule, *rules.rules[index + 1 :]))


def _parameter_mutants(rules: RuleSet) -> Iterator[Mutant]:
    for name, parameter in rules.parameters.items():
        sort = parameter.declaration
        for change, moved in _moved(parameter, sort):
            changed = replace(rules, parameters={**rules.parameters, name: moved})
            yield Mutant(changed, sort.line, f"parameters.{name}", change)


def _moved(parameter: Parameter, sort: Declaration) -> Iterator[tuple[str, Parameter]]:
    for index, dated in enumerate(parameter.values):
        for change, literal in Literal(dated.value, sort).mutants():
            values = list(parameter.values)
            values[index] = DatedValue(dated.start, literal.value)
            yield f"参数 {change}", replace(parameter, values=tuple(values))
    for code, value in parameter.special.items():
        for change, literal in Literal(value, sort).mutants():
            yield (
                f"{code} 的参数 {change}",
                replace(parameter, special={**parameter.special, code: literal.value}),
            )


def _derived_mutants(rules: RuleSet) -> Iterator[Mutant]:
    for name, derived in rules.derived.items():
        for change, mutant in (derived.expression or derived.condition).mutants():
            changed = (
                Derived(derived.declaration, None, mutant)
                if isinstance(mutant, Condition)
                else Derived(derived.declaration, mutant, None)
            )
            yield Mutant(
                replace(rules, derived={**rules.derived, name: changed}),
                derived.declaration.line,
                f"derived.{name}",
                change,
            )


def equivalent(rules: RuleSet, one: Condition, other: Condition) -> bool:
    """Whether two conditions are proven to hold for exactly the same facts."""
    region = Region(FactSpace(rules, rules.edition.start))
    try:
        return not any(
            region.escaping(case, [unlike]) is not None
            for like, unlike in ((one, other), (other, one))
            for case in region.cases(like)
        )
    except TooManyCases:
        return False


def survives(mutant: Mutant) -> bool:
    """Whether no golden case notices the change; an error while deciding counts as noticed."""
    try:
        compiled = CompiledSet(mutant.rules, PYTHON)
        return all(run_case(compiled, case).passed for case in mutant.rules.cases)
    except RuleError:
        return False


def mutate(paths: Iterable[Path], known: Known = NOTHING_KNOWN) -> dict[str, Any]:
    """Mutants tried per set and the survivors. Raises Unread for a broken file."""
    faults: list[Fault] = []
    known = tables_known(known, faults)
    sets, survivors = [], []
    for file in rule_files(paths):
        rules = read_rule_set(file, known)
        failing = [result.case.name for result in run_cases(rules) if not result.passed]
        tried = list(mutants(rules)) if not failing else []
        left = [mutant for mutant in tried if survives(mutant)]
        sets.append(
            {
                "key": rules.key,
                "kind": rules.kind.key,
                "file": rules.file,
                "mutants": len(tried),
                "killed": len(tried) - len(left),
            }
        )
        survivors.extend(_survivor(rules, mutant) for mutant in left)
        survivors.extend(
            {
                "key": rules.key,
                "file": rules.file,
                "line": 1,
                "at": "cases",
                "change": f"用例「{name}」本身不通过",
            }
            for name in failing
        )
    return {"sets": sets, "survivors": survivors}


def _survivor(rules: RuleSet, mutant: Mutant) -> dict[str, Any]:
    return {
        "key": rules.key,
        "file": rules.file,
        "line": mutant.line,
        "at": mutant.key,
        "change": mutant.change,
    }
