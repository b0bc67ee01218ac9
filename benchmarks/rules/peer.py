"""Decisions with full trace beside zen-engine on the same rules.

Both sides judge every rule and keep the trace. `ours` and `peer` are decisions a second, measured in turns on one
thread in the same run, the best of several rounds; `ratio` above 1 means that we are faster.
"""

import json
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import zen

from rules.engine.rule_book import BOTH, PYTHON, CompiledSet
from rules.engine.rule_set_reader import read_text

RULE_COUNT = 20
ROUNDS, SECONDS_A_ROUND = 7, 0.25
SIZES = (1, 20, 200, 1000)
DAY = date(2026, 6, 30)
USES = ("工业", "商业", "居住", "公益")


def limits(count: int = RULE_COUNT) -> list[tuple[str, int, str]]:
    """(scene, area limit, land use) of each of the rules."""
    return [
        ("准入" if index % 2 else "变更", 100 * (index + 1), USES[index % len(USES)])
        for index in range(count)
    ]


def our_rules(count: int = RULE_COUNT) -> str:
    """The rules in our file format."""
    rules = [
        {
            "key": f"rule_{index}", "basis": "样例",
            "when": {"all": [{"fact": "scene", "is": scene}, {"fact": "area_m2", "at_least": area}, {"fact": "use", "is": use}]},
            "then": {"outcome": "warn", "message": f"第 {index} 条：面积 {{area_m2}}"},
        }
        for index, (scene, area, use) in enumerate(limits(count))
    ]  # fmt: skip
    facts = {
        "scene": {"type": "text", "label": "场景"},
        "area_m2": {"type": "decimal", "unit": "m2", "label": "面积"},
        "use": {"type": "text", "label": "用途"},
    }
    head = {
        "key": "benchmark",
        "title": "样例",
        "kind": "validation",
        "edition": {"from": "2026-01-01"},
        "hit": "all",
    }
    return json.dumps({**head, "facts": facts, "rules": rules}, ensure_ascii=False)


def peer_rules(count: int = RULE_COUNT) -> str:
    """The same rules as a decision table of zen-engine that collects every row that holds."""
    columns = [("scene", "i1"), ("area_m2", "i2"), ("use", "i3")]
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": key, "name": field, "field": field} for field, key in columns],
        "outputs": [{"id": "o1", "name": "rule", "field": "rule"}],
        "rules": [
            {"_id": str(index), "i1": f'"{scene}"', "i2": f">= {area}", "i3": f'"{use}"', "o1": str(index)}
            for index, (scene, area, use) in enumerate(limits(count))
        ],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "position": {"x": 0, "y": 0}},
        {
            "id": "table",
            "type": "decisionTableNode",
            "name": "table",
            "position": {"x": 0, "y": 0},
            "content": table,
        },
        {"id": "out", "type": "outputNode", "name": "out", "position": {"x": 0, "y": 0}},
    ]
    edges = [
        {"id": "e1", "sourceId": "in", "targetId": "table", "type": "edge"},
        {"id": "e2", "sourceId": "table", "targetId": "out", "type": "edge"},
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def timed(call: Callable[[], Any]) -> tuple[int, list[float]]:
    """Calls and the duration of each within one round."""
    durations: list[float] = []
    end = time.perf_counter() + SECONDS_A_ROUND
    while (start := time.perf_counter()) < end:
        call()
        durations.append(time.perf_counter() - start)
    return len(durations), durations


def compared(case: str, ours: Callable[[], Any], peer: Callable[[], Any], rounds: int = ROUNDS) -> dict[str, Any]:
    """One row: both sides in turns, the best round of each."""
    own_best, peer_best, slowest = 0.0, 0.0, []
    for _ in range(rounds):
        count, durations = timed(ours)
        own_best = max(own_best, count / sum(durations))
        slowest += durations
        count, durations = timed(peer)
        peer_best = max(peer_best, count / sum(durations))
    p95 = sorted(slowest)[int(len(slowest) * 0.95)] * 1000
    return {
        "case": case, "ours": round(own_best), "peer": round(peer_best), "peer_name": "zen-engine",
        "ratio": round(own_best / peer_best, 2), "per_second": round(own_best), "p95_ms": round(p95, 3),
    }  # fmt: skip


FACTS = {"scene": "准入", "area_m2": 1500, "use": "商业"}


def agreed(count: int) -> tuple[CompiledSet, CompiledSet, Any]:
    """Both engines, the evaluator alone and the peer. Raises AssertionError when the two sides do not find the same rules."""
    rules = read_text(our_rules(count), "benchmark")
    both, alone = CompiledSet(rules, BOTH), CompiledSet(rules, PYTHON)
    peer = zen.ZenEngine().create_decision(peer_rules(count))
    found = {int(row["rule"].removeprefix("rule_")) for row in both.decide(FACTS, DAY).fired}
    theirs = peer.evaluate(FACTS, {"trace": True})
    # The peer answers nothing at all, not an empty list, where no row holds.
    assert found == {int(row["rule"]) for row in theirs["result"] or ()}, "the two sides do not run the same rules"
    assert theirs["trace"], "the peer kept no trace"
    return both, alone, peer


def rows(_scale: float) -> list[dict[str, Any]]:
    """A decision as it is and written as JSON, with one engine and two; then by the number of rules."""
    both, alone, peer = agreed(RULE_COUNT)

    def peer_call() -> Any:
        return peer.evaluate(FACTS, {"trace": True})

    return [
        compared("20 条规则，两套引擎互校，含过程", lambda: both.decide(FACTS, DAY), peer_call),
        compared("20 条规则，自有求值器，含过程", lambda: alone.decide(FACTS, DAY), peer_call),
        compared(
            "20 条规则，两套引擎互校，过程写成 JSON", lambda: both.decide(FACTS, DAY).to_json(), peer_call
        ),
        compared(
            "20 条规则，自有求值器，过程写成 JSON", lambda: alone.decide(FACTS, DAY).to_json(), peer_call
        ),
        *map(by_size, SIZES),
    ]


def by_size(count: int) -> dict[str, Any]:
    """A decision with trace on so many rules, as the portal makes it: both engines up to their limit."""
    both, _, peer = agreed(count)
    engines = "两套引擎互校" if both.matcher is not None else "求值器"
    return compared(
        f"{count} 条规则，{engines}，含过程", lambda: both.decide(FACTS, DAY), lambda: peer.evaluate(FACTS, {"trace": True}), rounds=3
    )
