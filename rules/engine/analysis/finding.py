"""What is wrong in how the rules of a set lie to one another: contradictions, shadows, overlaps, gaps, loops of flags."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from ..fault import Fault
from ..row_table import RowTable
from ..rule_set import ALL, FIRST, Rule, RuleSet
from .neighbourhood import neighbours
from .region import Conjunction, FactSpace, Presence, Region, TooManyCases
from .table_cover import TableCover

# More overlaps than these are the same mistake many times over.
MOST_OVERLAPS = 50


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding with its line and key, and the facts that show it (empty when it holds for all)."""

    line: int
    key: str
    message: str
    example: tuple[tuple[str, Any], ...] = ()


def days_to_analyse(rules: RuleSet) -> list[date]:
    """The first day of the edition and every day within it on which a dated parameter changes."""
    edition = rules.edition
    days = {edition.start}
    for parameter in rules.parameters.values():
        days |= {
            dated.start
            for dated in parameter.values
            if dated.start is not None and edition.holds(dated.start)
        }
    return sorted(days)


def findings(rules: RuleSet) -> list[Finding]:
    """Every finding of a rule set, each reported once."""
    found: dict[tuple[int, str, str], Finding] = {}
    for finding in flag_loops(rules):
        found[finding.line, finding.key, "flags"] = finding
    for table in rules.tables.values():
        for finding in table_findings(rules, table):
            found[finding.line, finding.key, "table"] = finding
    for day in days_to_analyse(rules):
        for kind, finding in _on(rules, day):
            found.setdefault((finding.line, finding.key, kind), finding)
    return sorted(found.values(), key=lambda finding: (finding.line, finding.key))


def _on(rules: RuleSet, day: date) -> Iterator[tuple[str, Finding]]:
    region = Region(FactSpace(rules, day))
    dead = {rule.key: finding for rule in rules.rules if (finding := contradiction(region, rule)) is not None}
    yield from (("contradiction", finding) for finding in dead.values())
    living = [rule for rule in rules.rules if rule.key not in dead]
    near = Near(region, living)
    pairs = list(overlaps(region, rules, near))
    yield from (("overlap", _overlap(region, *pair)) for pair in pairs)
    # Where the set does not say what counts, the overlap is the fault; that one rule then never concludes
    # only follows from it.
    disputed = {f"rules.{rule.key}" for first, second, _ in pairs for rule in (first, second)}
    hidden = shadows(region, rules, near)
    yield from (("shadow", finding) for finding in hidden if finding.key not in disputed)
    yield from (("gap", finding) for finding in gaps(region, rules))


class Near:
    """The rules that can hold at all, and for each the others that may hold together with it."""

    def __init__(self, region: Region, living: list[Rule]) -> None:
        self.living = living
        self.places = {rule.key: place for place, rule in enumerate(living)}
        self._neighbours = neighbours([region.cases(rule.when) for rule in living])

    def to(self, rule: Rule) -> list[Rule]:
        """Other rules with an outcome that may hold together with the rule, in file order."""
        around = (self.living[place] for place in sorted(self._neighbours[self.places[rule.key]]))
        return [other for other in around if other.outcome is not None]


def contradiction(region: Region, rule: Rule) -> Finding | None:
    """The finding that no facts at all can make the rule true."""
    try:
        cases = region.cases(rule.when)
    except TooManyCases:
        return Finding(
            rule.when_line, f"rules.{rule.key}.when", "条件展开后情形太多，无法检查。请拆成几条规则或派生事实"
        )
    if any(region.witness(case) is not None for case in cases):
        return None
    return Finding(
        rule.when_line,
        f"rules.{rule.key}.when",
        "这条规则永远不成立：条件自相矛盾，或超出事实的允许范围。请改正条件或删去规则",
    )


def _before(rules: RuleSet, near: Near, rule: Rule) -> list[Rule]:
    place, severity = near.places[rule.key], rules.kind.severity
    if rules.hit == FIRST:
        return [other for other in near.to(rule) if near.places[other.key] < place]
    own = (severity(rule.outcome), place)
    return [other for other in near.to(rule) if (severity(other.outcome), near.places[other.key]) < own]


def shadows(region: Region, rules: RuleSet, near: Near) -> Iterator[Finding]:
    """Rules that never decide, because rules that come first (or weigh more) hold wherever they do."""
    if rules.hit == ALL:
        return
    for rule in near.living:
        before = _before(rules, near, rule) if rule.outcome is not None and not rule.sets else []
        if before and _covered(region, rule, before):
            keys = "、".join(other.key for other in before)
            yield Finding(
                rule.line,
                f"rules.{rule.key}",
                f"这条规则不可达：凡它成立的情形，{keys} 已先得出结论。请调整次序或条件",
            )


def _covered(region: Region, rule: Rule, before: list[Rule]) -> bool:
    try:
        conditions = [other.when for other in before]
        return all(region.escaping(case, conditions) is None for case in region.cases(rule.when))
    except TooManyCases:
        return False


def overlaps(region: Region, rules: RuleSet, near: Near) -> Iterator[tuple[Rule, Rule, dict[str, Any]]]:
    """Pairs that can hold together with different conclusions, and facts that show it; none where `hit` is declared."""
    if rules.hit_declared:
        return
    for second in near.living:
        for first in near.to(second) if second.outcome is not None else ():
            earlier = near.places[first.key] < near.places[second.key]
            if earlier and (first.outcome, first.values) != (second.outcome, second.values):
                example = together(region, first, second)
                if example is not None:
                    yield first, second, example


def together(region: Region, first: Rule, second: Rule) -> dict[str, Any] | None:
    """Values under which both rules hold, None when they exclude each other."""
    for left in region.cases(first.when):
        for right in region.cases(second.when):
            found = region.witness(left + right)
            if found is not None:
                return found
    return None


def _overlap(region: Region, first: Rule, second: Rule, example: dict[str, Any]) -> Finding:
    message = f"与规则 {first.key} 会同时成立而结论不同（例如 {region.words(example)}）。请改条件使其互斥，或写明 hit: worst、first 或 all"
    return Finding(second.line, f"rules.{second.key}", message, tuple(sorted(example.items())))


def gaps(region: Region, rules: RuleSet) -> Iterator[Finding]:
    """Values of the facts declared as covered for which no rule with an outcome holds."""
    if not rules.covers:
        return
    conditions = [rule.when for rule in rules.rules if rule.outcome is not None]
    line = rules.lines["covers"]
    try:
        example = region.uncovered(_all_present(rules), conditions)
    except TooManyCases:
        yield Finding(line, "covers", "规则太多，无法证明没有缺口。请减少规则或去掉 covers")
        return
    if example is not None:
        yield Finding(
            line,
            "covers",
            f"有缺口：{region.words(example)} 时没有规则给结论。请补一条规则或改限值",
            tuple(sorted(example.items())),
        )


def _all_present(rules: RuleSet) -> Conjunction:
    return tuple(Presence(name, True) for name in rules.facts)


def flag_loops(rules: RuleSet) -> Iterator[Finding]:
    """Rules whose flag comes back to them, and flags that nobody sets or reads."""
    reads = {rule.key: rule.when.reads() & set(rules.flags) for rule in rules.rules}
    feeds: dict[str, set[str]] = {flag: set() for flag in rules.flags}
    for rule in rules.rules:
        for flag in rule.sets:
            feeds[flag] |= reads[rule.key]
    for rule in rules.rules:
        looped = [
            flag for flag in rule.sets if any(_reaches(feeds, start, flag) for start in reads[rule.key])
        ]
        if looped:
            yield Finding(
                rule.line,
                f"rules.{rule.key}",
                f"标记成环：{'、'.join(looped)} 由这条规则设置，又决定这条规则。请拆开",
            )
    yield from _idle_flags(rules, reads)


def _reaches(feeds: dict[str, set[str]], start: str, goal: str) -> bool:
    seen, waiting = set(), [start]
    while waiting:
        flag = waiting.pop()
        if flag == goal:
            return True
        if flag not in seen:
            seen.add(flag)
            waiting.extend(feeds[flag])
    return False


def _idle_flags(rules: RuleSet, reads: dict[str, frozenset[str]]) -> Iterator[Finding]:
    raised = {flag for rule in rules.rules for flag in rule.sets}
    read = frozenset().union(*reads.values())
    for flag, declaration in rules.flags.items():
        if flag not in raised or flag not in read:
            missing = "没有规则设置它" if flag not in raised else "没有规则读它"
            yield Finding(
                declaration.line, f"flags.{flag}", f"标记 {flag} 无用：{missing}。请补上规则或删去标记"
            )


def table_findings(rules: RuleSet, table: RowTable) -> Iterator[Finding]:
    """Rows of a table that hold for nothing, overlap, are never reached, and facts for which none holds."""
    path = f"tables.{table.name}"
    cover = TableCover(rules, table)
    for row in cover.empty:
        yield Finding(row.line, f"{path}.rows[{row.number}]", "这一行永远不成立：下限不低于上限，或超出事实的允许范围。请改正")
    try:
        cover.run()
    except TooManyCases:
        yield Finding(table.line, path, "表太大，无法证明没有重叠和缺口。请拆成几张表")
        return
    lines = {row.number: row.line for row in table.rows}
    for (first, second), piece in list(cover.overlaps.items())[:MOST_OVERLAPS]:
        message = f"与第 {first} 行（文件第 {lines[first]} 行）重叠，例如 {cover.words(piece)}。请改限值，或写明 hit: first"
        yield Finding(lines[second], f"{path}.rows[{second}]", message)
    unreached = {row.number for row in table.rows} - cover.seen - {row.number for row in cover.empty}
    for number in sorted(unreached - {second for _, second in cover.overlaps}):
        yield Finding(lines[number], f"{path}.rows[{number}]", "这一行轮不到：凡它成立的情形，前面的行已经成立。请调整次序或条件")
    if table.complete and cover.gaps:
        yield Finding(table.line, f"{path}.complete", f"有缺口：{cover.words(cover.gaps[0])} 时没有一行成立。请补一行或改限值", ())


def as_faults(rules: RuleSet) -> list[Fault]:
    """The findings as faults of the rule file."""
    return [Fault(rules.file, finding.line, finding.key, finding.message) for finding in findings(rules)]
