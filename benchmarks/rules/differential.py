"""Random rule sets decided by several engines that must agree: our evaluator, our C engine, zen-engine."""

import json
import os
import random
import time
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import zen

from rules.engine import MatcherRefused, read_text
from rules.engine.rule_book import BOTH, PYTHON, CompiledSet
from rules.engine.rule_set import RuleSet

from .random_rules import condition, facts

DAY = date(2026, 6, 30)
SETS, FACTS_PER_SET = 100_000, 6
FACTS: dict[str, Any] = {
    "area_m2": {"type": "decimal", "unit": "m2", "label": "面积"},
    "other_m2": {"type": "decimal", "unit": "m2", "label": "另一面积"},
    "number": {"type": "integer", "label": "件数"},
    "status": {"type": "code", "label": "状态", "domain": ["甲", "乙", "丙"]},
    "name": {"type": "text", "label": "名称"},
    "done": {"type": "boolean", "label": "已办"},
    "filed_on": {"type": "date", "label": "收件日"},
    "plots": {"type": "list", "label": "地块", "columns": {"size_m2": {"type": "decimal", "unit": "m2", "label": "地块面积"}}},
}
# What both languages mean alike: facts all there, numbers of few digits, texts without line ends.
SHARED: dict[str, list[Any]] = {
    "area_m2": ["0", "0.25", "99.99", "100", "100.01", "-5"], "other_m2": ["0", "0.25", "100", "7.5"], "number": [-3, 0, 1, 2, 7],
    "status": ["甲", "乙", "丙"], "name": ["甲", "乙甲", "ZD1174626", ""], "done": [True, False],
}  # fmt: skip
SIGNS = {"is": "==", "is_not": "!=", "below": "<", "at_most": "<=", "above": ">", "at_least": ">="}


def rule_set(conditions: list[Mapping[str, Any]]) -> RuleSet:
    """A set with one rule for each condition."""
    rules = [
        {"key": f"rule_{index}", "basis": "样例", "when": when, "then": {"outcome": "refuse"}}
        for index, when in enumerate(conditions)
    ]
    head = {"key": "random", "title": "随机", "kind": "validation", "edition": {"from": "2026-01-01"}, "facts": FACTS}
    return read_text(json.dumps({**head, "rules": rules}, ensure_ascii=False), "random")


def seed() -> int:
    """The seed of this run: RULE_SEED, or a new one."""
    return int(os.environ.get("RULE_SEED", random.SystemRandom().randrange(2**32)))


def c_engine(count: int, start: int) -> dict[str, int]:
    """So many random sets through both of ours; returns how many decisions agreed and sets were refused by the C engine.

    Raises EngineDisagreement at the first difference.
    """
    pick = random.Random(start)
    told = {"decisions": 0, "refused": 0}
    for _ in range(count):
        rules = rule_set([condition(pick) for _ in range(pick.randint(1, 3))])
        try:
            compiled = CompiledSet(rules, BOTH)
        except MatcherRefused:
            told["refused"] += 1
            continue
        for _ in range(FACTS_PER_SET):
            compiled.decide(facts(pick), DAY)
            told["decisions"] += 1
        compiled.matcher.close()
    return told


def shared_condition(pick: random.Random, depth: int = 0) -> dict[str, Any]:
    """A condition that both languages have."""
    roll = pick.random()
    if depth < 3 and roll < 0.35:
        return {pick.choice(["all", "any"]): [shared_condition(pick, depth + 1) for _ in range(pick.randint(2, 3))]}
    if depth < 3 and roll < 0.45:
        return {"not": shared_condition(pick, depth + 1)}
    return _shared_leaf(pick)


def _shared_leaf(pick: random.Random) -> dict[str, Any]:
    name, roll = pick.choice(list(SHARED)), pick.random()
    if roll < 0.15:
        return {"fact": name, pick.choice(["in", "not_in"]): pick.sample(SHARED[name], pick.randint(1, 2))}
    if roll < 0.25:
        return {"fact": "area_m2", pick.choice(list(SIGNS)): {"fact": "other_m2"}}
    if roll < 0.35:
        return {"fact": "area_m2", "between": sorted(pick.sample(SHARED["area_m2"], 2), key=Decimal)}
    if roll < 0.42:
        return {"fact": "name", "starts_with": pick.choice(["甲", "ZD"])}
    if roll < 0.5:
        return {"list": "plots", pick.choice(["any", "every"]): {"fact": "size_m2", "above": pick.choice(["0", "7.5"])}}
    ordered = name in ("area_m2", "other_m2", "number")
    return {"fact": name, pick.choice(list(SIGNS) if ordered else ["is", "is_not"]): pick.choice(SHARED[name])}


def in_zen(condition: Mapping[str, Any], inside: str = "") -> str:
    """The condition in the expression language of zen-engine."""
    for key, word in (("all", " and "), ("any", " or ")):
        if key in condition and "list" not in condition:
            return "(" + word.join(in_zen(part) for part in condition[key]) + ")"
    if "not" in condition:
        return f"(not {in_zen(condition['not'])})"
    if "list" in condition:
        word, key = ("some", "any") if "any" in condition else ("all", "every")
        return f"{word}({condition['list']}, {in_zen(condition[key], '#.')})"
    (key,) = (key for key in condition if key != "fact")
    name, limit = f"{inside}{condition['fact']}", condition[key]
    if key in ("in", "not_in"):
        listed = f"({name} in [{', '.join(_literal(condition['fact'], one) for one in limit)}])"
        return listed if key == "in" else f"(not {listed})"
    if key == "between":
        return f"({name} >= {limit[0]} and {name} <= {limit[1]})"
    if key == "starts_with":
        return f"startsWith({name}, {json.dumps(limit, ensure_ascii=False)})"
    other = limit["fact"] if isinstance(limit, Mapping) else _literal(condition["fact"], limit)
    return f"({name} {SIGNS[key]} {other})"


def _literal(name: str, value: Any) -> str:
    return value if name in ("area_m2", "other_m2", "size_m2") else json.dumps(value, ensure_ascii=False)


def shared_facts(pick: random.Random) -> dict[str, Any]:
    """All facts of the shared language."""
    found = {name: pick.choice(values) for name, values in SHARED.items()}
    return {**found, "plots": [{"size_m2": pick.choice(["0", "7.5", "8"])} for _ in range(pick.randint(0, 3))]}


def _numbers(given: Mapping[str, Any]) -> dict[str, Any]:
    """The facts as zen-engine takes them: decimals as numbers."""
    plain = {name: float(value) if name in ("area_m2", "other_m2") else value for name, value in given.items() if name != "plots"}
    return {**plain, "plots": [{"size_m2": float(row["size_m2"])} for row in given["plots"]]}


def zen_engine(count: int, start: int) -> dict[str, int]:
    """So many random conditions in both languages; returns how many verdicts agreed and how many of them were true.

    Raises AssertionError with both answers at the first difference.
    """
    pick = random.Random(start)
    told = {"verdicts": 0, "true": 0}
    for _ in range(count):
        when = shared_condition(pick)
        compiled, theirs = CompiledSet(rule_set([when]), PYTHON), zen.compile_expression(in_zen(when))
        for _ in range(FACTS_PER_SET):
            given = shared_facts(pick)
            ours, other = compiled.decide(given, DAY).outcome == "refuse", theirs.evaluate(_numbers(given))
            assert ours is other, f"seed {start}: {when} on {given}: ours {ours}, zen-engine {other}"
            told["verdicts"] += 1
            told["true"] += ours
    return told


def rows(scale: float) -> list[dict[str, Any]]:
    """Both comparisons at full size; the seed stands in the row, so that a run can be repeated (RULE_SEED)."""
    count, start = max(1, int(SETS * scale)), seed()
    found = []
    for words, run in (("求值器与 C 引擎", c_engine), ("求值器与 zen-engine", zen_engine)):
        began = time.perf_counter()
        told = run(count, start)
        seconds = time.perf_counter() - began
        agreed = told.get("decisions", told.get("verdicts", 0))
        found.append({"case": f"{words}对照 {count:,} 组随机规则（种子 {start}）", "ours": f"{agreed:,} 次全部相同", "peer": None, "per_second": round(agreed / seconds)})
    return found
