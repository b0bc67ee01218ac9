"""A table of ten thousand rows: checked, shown a page at a time, decided, and through a workbook and back."""

import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from rules.engine import Draft, check, from_workbook, read_text, table_rows, to_workbook
from rules.engine.rule_book import BOTH, CompiledSet

ROWS, CHECK_SECONDS, PAGE_SECONDS, ROUND_TRIP_SECONDS = 10_000, 2.0, 0.2, 8.0
DAY = date(2026, 6, 30)
HEAD = """\
key: benchmark
title: 样例
kind: validation
edition: {from: 2026-01-01}
facts:
  place: {type: text, label: 地块级别}
  area_m2: {type: decimal, unit: m2, label: 面积}
tables:
  prices:
    label: 价表
    basis: 样例
    gives: {price: {type: decimal, unit: yuan/m2, label: 单价}}
    rows: |
      place is,area_m2 at_least,area_m2 below,price
"""
TAIL = """\
rules:
  - key: dear
    basis: 样例
    when: {fact: price, above: 200}
    then: {outcome: refuse, message: "单价 {price}"}
cases:
  - {name: 贵, on: 2026-06-30, given: {place: C25, area_m2: "250"}, expect: {outcome: refuse, rule: dear}}
"""


def text(count: int = ROWS) -> str:
    """A rule set with so many rows: each place has ten adjoining bands of area."""
    bands = (f"      C{number // 10},{number % 10 * 100},{number % 10 * 100 + 100},{number}.5\n" for number in range(count))
    return HEAD + "".join(bands) + TAIL


def rows(_scale: float) -> list[dict[str, Any]]:
    """Each against its limit; the size is always the full one."""
    written = text()
    found = read_text(written, "benchmark")
    compiled = CompiledSet(found, BOTH)
    given = {"place": "C500", "area_m2": "250"}
    assert compiled.decide(given, DAY).tables[0]["row"] == 5003, "the wrong row was found"
    draft = Draft(written)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "benchmark.yaml"
        file.write_text(written, encoding="utf-8")
        checked = _best(lambda: check([file]))
    deciding = _best(lambda: [compiled.decide(given, DAY) for _ in range(1000)]) / 1000
    return [
        _row(f"检查 {ROWS:,} 行的表（秒）", checked, CHECK_SECONDS),
        _row("取一页 50 行（秒）", _best(lambda: table_rows(found, "prices", 5000, 50)), PAGE_SECONDS),
        _row("搜索并取一页（秒）", _best(lambda: table_rows(found, "prices", 0, 50, "C77")), PAGE_SECONDS),
        _row("导出 xlsx 再取回（秒）", _best(lambda: from_workbook(to_workbook(draft)), rounds=1), ROUND_TRIP_SECONDS),
        {**_row(f"查 {ROWS:,} 行的表作一次判断（秒）", deciding, PAGE_SECONDS), "per_second": round(1 / deciding)},
    ]


def _best(call: Callable[[], Any], rounds: int = 3) -> float:
    seconds = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - began)
    return min(seconds)


def _row(case: str, seconds: float, limit: float) -> dict[str, Any]:
    return {"case": case, "ours": f"{seconds:.4f}", "peer": limit, "peer_name": "限值", "ratio": round(limit / seconds, 1)}
