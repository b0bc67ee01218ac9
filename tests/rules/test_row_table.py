"""Large tables: found by an index what a look at every row finds, checked exactly, 10,000 rows too."""

import itertools
import random
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from rules.engine import RuleSet, Unread, check, difference, prose, read_content, read_text
from rules.engine.analysis.coverage import coverage_faults
from rules.engine.analysis.finding import findings
from rules.engine.row_table import RowTable
from rules.engine.rule_book import BOTH, CompiledSet
from tests.rules.rule_sample import DAY

HEAD = """\
key: sample
title: 样例
kind: validation
edition: {from: 2026-01-01}
facts:
  code: {type: code, label: 级别, domain: [一, 二, 三]}
  number: {type: integer, label: 件数, min: 0, max: 9}
  area_m2: {type: decimal, unit: m2, label: 面积, min: "0"}
"""
TAIL = """\
rules:
  - key: dear
    basis: 样例
    when: {fact: price, above: 200}
    then: {outcome: refuse, message: "单价 {price}"}
"""


def text_of(titles: str, *rows: str, extra: str = "") -> str:
    lines = "".join(f"      {line}\n" for line in (f"{titles},price", *rows))
    gives = "gives: {price: {type: decimal, unit: yuan/m2, label: 单价}}"
    return f"{HEAD}tables:\n  prices:\n    label: 价表\n    basis: 样例\n    {gives}\n{extra}    rows: |\n{lines}{TAIL}"


def table_of(titles: str, *rows: str, extra: str = "") -> RuleSet:
    return read_text(text_of(titles, *rows, extra=extra), "sample.yaml")


def price(rules: RuleSet, **given: Any) -> Any:
    return CompiledSet(rules, BOTH).decide(given, DAY).found["price"]


PRICES = table_of("code is,area_m2 at_least,area_m2 below", "一,0,100,250", "一,100,,180.5", "二,,,90", ",,,5", extra="    hit: first\n")


def test_the_row_that_holds_gives_its_values() -> None:
    assert [str(price(PRICES, code=code, area_m2=area)) for code, area in (("一", "99.99"), ("一", "100"), ("二", "3"), ("三", "3"))] == [
        "250", "180.5", "90", "5",
    ]  # fmt: skip


def test_the_trace_names_the_row_and_how_many_were_looked_at() -> None:
    decision = CompiledSet(PRICES, BOTH).decide({"code": "一", "area_m2": "50"}, DAY)
    assert decision.outcome == "refuse"
    assert "价表的行号：1" in decision.sentences()
    assert "表「价表」查得第 1 行（共 4 行，看了 1 行）：级别是 一，且面积不低于 0.00 m²，且面积低于 100.00 m²" in decision.sentences()
    (looked,) = decision.to_json()["tables"]
    assert (looked["table"], looked["row"], looked["looked_at"], looked["rows"]) == ("prices", 1, 1, 4)


def test_a_missing_fact_leaves_the_row_open() -> None:
    decision = CompiledSet(PRICES, BOTH).decide({"code": "一"}, DAY)
    assert (decision.outcome, decision.missing) == ("undetermined", ["area_m2"])
    assert price(PRICES, code="二") == 90


def test_the_edition_stored_reads_back_the_same() -> None:
    assert read_content(PRICES.content).digest == PRICES.digest


@pytest.mark.parametrize("hit", ["unique", "first"])
def test_the_index_finds_what_a_look_at_every_row_finds(hit: str) -> None:
    pick = random.Random(hit)
    for _ in range(150):
        rows = [random_row(pick) for _ in range(pick.randint(1, 12))]
        rules = table_of("code is,code in,number at_least,number at_most,area_m2 above,area_m2 below", *rows, extra=f"    hit: {hit}\n")
        table = rules.tables["prices"]
        for _ in range(40):
            facts = random_facts(pick)
            assert table.find(facts).row is looked_through(table, facts), (rows, facts)


def random_row(pick: random.Random) -> str:
    code = pick.choice(["一", "二", "三", ""])
    several = pick.choice(["一|二", "三", "", ""])
    low, high = pick.choice([("", ""), ("2", "5"), ("3", ""), ("", "4"), ("6", "8")])
    above, below = pick.choice([("", ""), ("1.5", "7"), ("7", ""), ("", "1.5")])
    return f"{code},{several},{low},{high},{above},{below},{pick.randint(1, 9)}"


def random_facts(pick: random.Random) -> dict[str, Any]:
    found = {"code": pick.choice("一二三"), "number": pick.randint(0, 9), "area_m2": Decimal(pick.choice(["0", "1.5", "1.51", "7", "9"]))}
    return {name: value if pick.random() < 0.85 else None for name, value in found.items()}


def looked_through(table: RowTable, facts: dict[str, Any]) -> Any:
    """The answer by looking at every row, with nothing but the meaning of each operator."""
    verdicts = [(row, holds(table, row, facts)) for row in table.rows]
    if table.hit == "first":
        for row, verdict in verdicts:
            if verdict is not False:
                return row if verdict else None
        return None
    if any(verdict is None for _, verdict in verdicts):
        return None
    return next((row for row, verdict in verdicts if verdict), None)


def holds(table: RowTable, row: Any, facts: dict[str, Any]) -> bool | None:
    found: list[bool | None] = []
    for ask, cell in zip(table.asks, row.cells, strict=True):
        actual = facts[ask.fact]
        if cell is None:
            continue
        meaning = {
            "is": lambda a, c: a == c, "in": lambda a, c: a in c, "at_least": lambda a, c: a >= c, "at_most": lambda a, c: a <= c,
            "above": lambda a, c: a > c, "below": lambda a, c: a < c,
        }  # fmt: skip
        found.append(None if actual is None else meaning[ask.operator](actual, cell))
    return False if False in found else None if None in found else True


def test_overlaps_gaps_and_unreachable_rows_are_those_of_brute_force() -> None:
    pick = random.Random(5)
    every = [dict(zip(("code", "number"), one, strict=True)) for one in itertools.product("一二三", range(10))]
    seen: set[str] = set()
    for _ in range(300):
        rows = []
        for _ in range(pick.randint(1, 5)):
            low, high = pick.choice([("", ""), ("2", "5"), ("3", ""), ("", "4"), ("6", "8"), ("8", "6")])
            rows.append(f"{pick.choice(['一', '二', '三', ''])},{low},{high},1")
        for hit in ("unique", "first"):
            rules = table_of("code is,number above,number at_most", *rows, extra=f"    hit: {hit}\n    complete: true\n")
            table = rules.tables["prices"]
            held = [[row.number for row in table.rows if holds(table, row, facts)] for facts in every]
            told = {finding.key.removeprefix("tables.prices."): finding.message for finding in findings(rules) if finding.key.startswith("tables")}
            never = {row.number for row in table.rows} - {number for numbers in held for number in numbers}
            expected = {f"rows[{number}]" for number in never}
            if hit == "unique":
                expected |= {f"rows[{second}]" for numbers in held for second in numbers[1:]}
            else:
                expected |= {f"rows[{row.number}]" for row in table.rows} - {f"rows[{numbers[0]}]" for numbers in held if numbers}
            expected |= {"complete"} if [] in held else set()
            assert set(told) == expected, (rows, hit, told)
            seen |= {message[:4] for message in told.values()}
    assert seen == {"这一行永", "与第 1", "与第 2", "与第 3", "与第 4", "这一行轮", "有缺口："}


BROKEN: list[tuple[str, str, int, str, str]] = [
    ("code is", "四,5", 17, "tables.prices.rows[1].code is", "不在代码表内"),
    ("area_m2 at_least", "大,5", 17, "tables.prices.rows[1].area_m2 at_least", "应是十进制数"),
    ("area_m2 at_least", "1,贵", 17, "tables.prices.rows[1].price", "应是十进制数"),
    ("area_m2 at_least", "1,2,3", 17, "tables.prices.rows[1]", "第 1 行有 3 格，栏目有 2 个"),
    ("aera_m2 at_least", "1,2", 16, "tables.prices.rows", "aera_m2 不是事实，是否 area_m2"),
    ("area_m2 starts_with", "1,2", 16, "tables.prices.rows", "表里不能用比较词 starts_with"),
    ("code at_least", "一,2", 16, "tables.prices.rows", "「级别」不能用 at_least"),
    ("code", "一,2", 16, "tables.prices.rows", "栏目「code」应写成「事实 比较词」"),
    ("code is,code is", "一,一,2", 16, "tables.prices.rows", "写了两次"),
]


@pytest.mark.parametrize("titles, row, line, key, message", BROKEN)
def test_a_broken_table_names_line_row_and_column(titles: str, row: str, line: int, key: str, message: str) -> None:
    with pytest.raises(Unread) as unread:
        table_of(titles, row)
    assert [(fault.line, fault.key) for fault in unread.value.faults][:1] == [(line - 1, key)]
    assert message in unread.value.faults[0].message


def big(count: int) -> str:
    """So many rows: each code has ten adjoining bands of area."""
    text = text_of("name is,area_m2 at_least,area_m2 below", *(f"C{n // 10},{n % 10 * 100},{n % 10 * 100 + 100},{n}.5" for n in range(count)))
    text = text.replace("  number:", "  name: {type: text, label: 代码}\n  number:")
    return text + (
        "cases:\n  - {name: 贵, on: 2026-06-30, given: {name: C25, area_m2: \"250\"}, expect: {outcome: refuse, rule: dear}}\n"
    )


def test_ten_thousand_rows_are_without_fault_and_the_row_is_found_at_once(tmp_path: Path) -> None:
    file = tmp_path / "big.yaml"
    file.write_text(big(10_000), encoding="utf-8")
    assert check([file]) == []
    compiled = CompiledSet(read_text(big(10_000), "big.yaml"), BOTH)
    decision = compiled.decide({"name": "C25", "area_m2": "250"}, DAY)
    assert (decision.message, decision.to_json()["tables"][0]["looked_at"]) == ("单价 252.50 元/平方米", 1)


def test_rules_are_checked_against_what_the_table_can_give() -> None:
    rules = text_of("code is", "一,100", "二,300")
    assert findings(read_text(rules, "s.yaml")) == []
    never = findings(read_text(rules.replace("above: 200", "above: 300"), "s.yaml"))
    assert [(finding.key, finding.message[:9]) for finding in never] == [("rules.dear.when", "这条规则永远不成立")]
    limits = {fault.message for fault in coverage_faults(read_text(rules.replace("above: 200", "above: 100"), "s.yaml")) if "限值" in fault.message}
    assert limits == {"限值没有「恰好等于」的用例：单价（100.00 元/m²）。请补一个"}


def test_changed_rows_are_told_by_what_they_ask() -> None:
    old = table_of("code is,number at_least", "一,3,10", "二,,20", "三,,30")
    new = table_of("code is,number at_least", "一,3,12.5", "三,,30", "二,4,20")
    assert [(change.kind, change.key, change.sentence) for change in difference(old, new)] == [
        ("row", "tables.prices.rows[2]", "表「价表」删去第 2 行：级别是 二，得 单价 20.00 元/平方米"),
        ("row", "tables.prices.rows[3]", "表「价表」增加第 3 行：级别是 二，且件数不低于 4，得 单价 20.00 元/平方米"),
        ("row", "tables.prices.rows[1]", "表「价表」第 1 行（级别是 一，且件数不低于 3）的单价由 10.00 元/平方米 改为 12.50 元/平方米"),
    ]
    assert difference(old, old) == []
    moved = difference(PRICES, read_text(text_of("code is,area_m2 at_least,area_m2 below", "一,100,,180.5", "一,0,100,250", "二,,,90", ",,,5", extra="    hit: first\n"), "s.yaml"))
    assert [change.kind for change in moved] == ["moved"]


def test_a_table_is_one_sentence_of_the_prose() -> None:
    assert "表「价表」共 4 行，按级别、面积查得单价，自上而下，第一行成立的为准（样例）。" in prose(PRICES)


def test_one_interval_over_many_rows_looks_at_few() -> None:
    rows = [f"{n * 10},{n * 10 + 10},{n}" for n in range(2000)]
    table = table_of("area_m2 at_least,area_m2 below", *rows).tables["prices"]
    assert table.find({"area_m2": 12345}).looked_at == 1
    assert table.find({"area_m2": 12345}).row.number == 1235
    assert replace(table, rows=table.rows[:1]).find({"area_m2": 12345}).row is None
