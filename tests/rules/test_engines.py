"""The evaluator and the C engine must agree on whatever rules and facts they are given."""

import json
import os
import random
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from benchmarks.rules import differential, endurance
from benchmarks.rules.differential import zen_engine
from benchmarks.rules.random_rules import condition, facts
from rules.engine import EngineDisagreement, MatcherRefused
from rules.engine.matcher import MOST_RULES, Matcher, exact, name_hash, probe, scaled
from rules.engine.rule_book import BOTH, CompiledSet
from tests.rules.rule_sample import DAY, decided, rule, sample

SEED = int(os.environ.get("RULE_SEED", "20261121"))
SETS, FACTS_PER_SET = 2000, 6
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


def test_evaluator_and_zen_engine_agree_where_both_mean_the_same() -> None:
    print(f"seed {SEED}")
    told = zen_engine(700, SEED)
    assert told["verdicts"] == 700 * differential.FACTS_PER_SET
    assert told["verdicts"] * 0.2 < told["true"] < told["verdicts"] * 0.8, f"seed {SEED}: too one-sided to prove anything"


def test_a_difference_from_zen_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(differential.SIGNS, "below", "<=")
    with pytest.raises(AssertionError, match=f"seed {SEED}: .* zen-engine"):
        zen_engine(700, SEED)


def test_the_benchmark_of_many_decisions_runs_and_says_what_it_found() -> None:
    rows = [endurance.bulk(0), endurance.threads(0), endurance.memory(0), *differential.rows(0.0002)]
    assert [row["case"].partition(" ")[0] for row in rows] == ["批量判断", "8", "2,000", "求值器与", "求值器与"]
    assert all("种子" in row["case"] for row in rows[3:])
