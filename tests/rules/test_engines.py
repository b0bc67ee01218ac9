"""The evaluator and the C engine must agree on whatever rules and facts they are given."""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from rules.engine import EngineDisagreement, MatcherRefused
from rules.engine.matcher import MOST_RULES, Matcher, exact, name_hash, probe, scaled
from rules.engine.rule_book import BOTH, CompiledSet
from tests.rules.rule_sample import DAY, decided, rule, sample

SEED = int(os.environ.get("RULE_SEED", "20261121"))
SETS, FACTS_PER_SET = 2000, 6
NUMBERS = [
    "0",
    "0.1",
    "0.3",
    "100",
    "100.0001",
    "100.00001",
    "-5",
    "12345678901234.5678",
    "99999999999999999999",
]
WHOLE = [-3, 0, 1, 2, 7, 10**12]
TEXTS = ["甲", "乙", "", 'A"B', "换\n行", "ZD1174626", "ZD0872068", "𠮷"]
DAYS = ["2026-01-01", "2026-06-29", "2026-06-30", "2027-01-01"]
VALUES = {
    "area_m2": NUMBERS, "other_m2": NUMBERS, "number": WHOLE, "status": ["甲", "乙", "丙"], "name": TEXTS,
    "done": [True, False], "filed_on": DAYS,
}  # fmt: skip
ORDERED = ["is", "is_not", "below", "at_most", "above", "at_least"]


def leaf(pick: random.Random) -> dict[str, Any]:
    fact = pick.choice(list(VALUES))
    roll = pick.random()
    if roll < 0.12:
        return {"fact": fact, pick.choice(["exists", "missing"]): True}
    if roll < 0.24:
        return {"fact": fact, pick.choice(["in", "not_in"]): pick.sample(VALUES[fact], pick.randint(0, 2))}
    if roll < 0.34:
        return {"fact": "area_m2", pick.choice(ORDERED): {"fact": "other_m2"}}
    if roll < 0.4:
        return {
            "list": "plots",
            pick.choice(["any", "every"]): {"fact": "size_m2", "above": pick.choice(NUMBERS)},
        }
    if roll < 0.45:
        return {"fact": "name", "starts_with": pick.choice(["甲", "ZD"])}
    ordered = fact in ("area_m2", "other_m2", "number", "filed_on")
    return {"fact": fact, pick.choice(ORDERED if ordered else ["is", "is_not"]): pick.choice(VALUES[fact])}


def condition(pick: random.Random, depth: int = 0) -> dict[str, Any]:
    roll = pick.random()
    if depth < 3 and roll < 0.35:
        return {pick.choice(["all", "any"]): [condition(pick, depth + 1) for _ in range(pick.randint(2, 3))]}
    if depth < 3 and roll < 0.45:
        return {"not": condition(pick, depth + 1)}
    return leaf(pick)


def facts(pick: random.Random) -> dict[str, Any]:
    found = {name: pick.choice(values) for name, values in VALUES.items() if pick.random() < 0.7}
    if pick.random() < 0.7:
        found["plots"] = [{"size_m2": pick.choice([*NUMBERS, None])} for _ in range(pick.randint(0, 3))]
    return found


def test_engines_agree_on_random_rule_sets() -> None:
    pick = random.Random(SEED)
    print(f"seed {SEED}")
    told = {True: 0, False: 0, None: 0}
    refused = 0
    for _ in range(SETS):
        rules = sample(*(rule(f"rule_{index}", condition(pick)) for index in range(pick.randint(1, 3))))
        try:
            compiled = CompiledSet(rules, BOTH)
        except MatcherRefused:
            refused += 1
            continue
        for _ in range(FACTS_PER_SET):
            given = facts(pick)
            decision = compiled.decide(given, DAY)
            for row in decision.considered:
                told[{"true": True, "false": False, "unknown": None}[row["verdict"]]] += 1
        compiled.matcher.close()
    assert refused < SETS // 10, f"seed {SEED}"
    assert min(told.values()) > SETS, f"seed {SEED}: too one-sided to prove anything: {told}"


def test_disagreement_stops_the_decision(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = CompiledSet(sample(rule("only", {"fact": "done", "is": True})), BOTH)
    assert compiled.decide({"done": True}, DAY).outcome == "refuse"
    monkeypatch.setattr(Matcher, "fired", lambda self, judgement: set())
    with pytest.raises(EngineDisagreement, match="规则 only 判断不一致"):
        compiled.decide({"done": True}, DAY)


def test_repeated_decisions_leave_nothing_behind() -> None:
    compiled = CompiledSet(
        sample(rule("only", {"any": [{"fact": "done", "is": True}, {"fact": "number", "above": 1}]})), BOTH
    )
    outcomes = [compiled.decide({"done": index % 2 == 0, "number": 1}, DAY).outcome for index in range(200)]
    assert outcomes == ["refuse", "none"] * 100


def test_more_rules_than_a_shard_holds() -> None:
    rules = sample(*(rule(f"rule_{index}", {"fact": "number", "at_least": index}) for index in range(90)))
    matcher = Matcher(rules)
    assert len(matcher.shards) == 3
    assert len(decided(rules, {"number": 44}, BOTH).fired) == 45


def test_very_large_sets_use_the_evaluator_alone() -> None:
    rules = sample(
        *(rule(f"rule_{index}", {"fact": "number", "is": index}) for index in range(MOST_RULES + 1))
    )
    assert CompiledSet(rules, BOTH).matcher is None


def test_a_rule_with_too_many_alternatives_is_refused() -> None:
    pair = {"any": [{"fact": "number", "is": 1}, {"fact": "number", "is": 2}]}
    with pytest.raises(MatcherRefused, match="64 种并列情形"):
        Matcher(sample(rule("only", {"all": [pair] * 6})))


def test_probe_refuses_what_hangs_and_what_dies(monkeypatch: pytest.MonkeyPatch) -> None:
    matcher = Matcher(sample(rule("only", {"fact": "done", "is": True})))
    probe([matcher])
    broken = Matcher(sample(rule("only", {"fact": "done", "is": True})))
    monkeypatch.setattr(broken, "shards", ['{"0": {"all": [{"m": 5}]}}'])
    with pytest.raises(MatcherRefused, match="失败"):
        probe([broken])
    # More than 512 different conditions in one C rule set never come to an end; that is why nothing is built unprobed.
    endless = {str(index): {"all": [{"m": {"$and": [{"_f": 1}, {"f0": index}]}}]} for index in range(900)}
    monkeypatch.setattr(broken, "shards", [json.dumps(endless)])
    with pytest.raises(MatcherRefused, match="1 秒内没有编译完"):
        probe([broken], seconds=1)


def test_scaling_keeps_the_order_of_numbers_around_a_constant() -> None:
    around = [Decimal(text) for text in ("99.99999", "99.9999", "100", "100.0000001", "100.0001")]
    for constant in filter(exact, around):
        for value in around:
            assert (scaled(value) < scaled(constant), scaled(value) == scaled(constant)) == (
                value < constant,
                value == constant,
            )
    assert not exact(Decimal("0.00001"))
    assert not exact(Decimal(10) ** 20)


def test_field_name_hash_is_the_one_that_collides_in_c() -> None:
    assert name_hash("ZD1174626") == name_hash("ZD0872068")


def test_threads_share_a_rule_set() -> None:
    compiled = CompiledSet(sample(rule("only", {"fact": "number", "above": 50})), BOTH)

    def outcome(number: int) -> str:
        return compiled.decide({"number": number}, DAY).outcome

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(outcome, range(400)))
    assert found == ["none"] * 51 + ["refuse"] * 349
