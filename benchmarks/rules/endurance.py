"""Many decisions: memory that stays flat, threads that agree, answers in bulk."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rules.engine import BatchDecider, read_rule_set, read_text
from rules.engine.rule_book import BOTH, RULES, CompiledSet

from .peer import DAY, USES, our_rules

DECISIONS, ANSWERS, THREADS = 1_000_000, 200_000, 8
# Growth that is noise of the allocator, not a leak: one byte a decision would already be more.
ALLOWED_MIB = 8


def resident_mib() -> float:
    """Memory of this process that is in use, in MiB; only on Linux."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 2**20


def questions() -> Iterator[dict[str, Any]]:
    """Facts without end, none like the one before."""
    number = 0
    while True:
        number += 1
        yield {"scene": "准入" if number % 2 else "变更", "area_m2": number % 2500, "use": USES[number % 4]}


def memory(scale: float) -> dict[str, Any]:
    """Memory before and after so many decisions with both engines. Raises AssertionError when it grows."""
    count = max(2000, int(DECISIONS * scale))
    compiled, asked = CompiledSet(read_text(our_rules(), "benchmark"), BOTH), questions()
    _decide(compiled, asked, min(count, 20_000))
    before, began = resident_mib(), time.perf_counter()
    _decide(compiled, asked, count)
    seconds, after = time.perf_counter() - began, resident_mib()
    assert after - before < ALLOWED_MIB, f"memory grew from {before:.1f} to {after:.1f} MiB in {count} decisions"
    return {"case": f"{count:,} 次判断前后的内存", "ours": f"{before:.1f} → {after:.1f} MiB", "peer": None, "per_second": round(count / seconds)}


def _decide(compiled: CompiledSet, asked: Iterator[dict[str, Any]], count: int) -> None:
    for _ in range(count):
        compiled.decide(next(asked), DAY)


def threads(scale: float) -> dict[str, Any]:
    """The same questions on one thread and on eight at once. Raises AssertionError when any answer differs."""
    count = max(400, int(40_000 * scale))
    compiled, asked = CompiledSet(read_text(our_rules(), "benchmark"), BOTH), questions()
    given = [next(asked) for _ in range(count)]

    def answer(facts: dict[str, Any]) -> tuple[str, str, int]:
        decision = compiled.decide(facts, DAY)
        return decision.outcome, decision.message, len(decision.fired)

    alone, seconds = _timed(lambda: [answer(facts) for facts in given])
    with ThreadPoolExecutor(THREADS) as pool:
        together, seconds_together = _timed(lambda: list(pool.map(answer, given, chunksize=50)))
    assert alone == together, "threads change the answers"
    return {
        "case": f"{THREADS} 个线程同时判断 {count:,} 次，答案相同", "ours": round(count / seconds_together), "peer": round(count / seconds),
        "peer_name": "一个线程", "ratio": round(seconds / seconds_together, 2), "per_second": round(count / seconds_together),
    }  # fmt: skip


def _timed(call: Callable[[], Any]) -> tuple[Any, float]:
    began = time.perf_counter()
    return call(), time.perf_counter() - began


def bulk(scale: float) -> dict[str, Any]:
    """Answers in bulk on the warning line, as a replay asks for them; the limit is 20,000 a second on one core."""
    count = max(2000, int(ANSWERS * scale))
    decider = BatchDecider(read_rule_set(RULES / "sets" / "outflow_warning_line.yaml"))
    given = [({"remaining_m2": str(number % 9000), "stored_m2": "40000"}, DAY) for number in range(count)]
    _, seconds = _timed(lambda: [decider.answer(question) for question in given])
    return {
        "case": f"批量判断 {count:,} 次（年度警戒线，不留过程）", "ours": round(count / seconds), "peer": 20_000, "peer_name": "限值",
        "ratio": round(count / seconds / 20_000, 2), "per_second": round(count / seconds),
    }  # fmt: skip


def rows(scale: float) -> list[dict[str, Any]]:
    """All of the above."""
    return [bulk(scale), threads(scale), memory(scale)]
