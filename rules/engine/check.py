"""The build of rule files: everything that can be known to be wrong before a rule decides anything."""

from collections.abc import Iterable
from pathlib import Path

from .analysis.coverage import coverage_faults
from .analysis.finding import as_faults
from .fault import Fault, MatcherRefused
from .matcher import Matcher
from .note import NOTHING_KNOWN, Known
from .rule_book import edition_faults, rule_files, tables_known
from .rule_set import RuleSet
from .rule_set_reader import Unread, read_rule_set


def check(paths: Iterable[Path], known: Known = NOTHING_KNOWN) -> list[Fault]:
    """Every fault of the rule files under the paths, sorted by file and line."""
    faults: list[Fault] = []
    known = tables_known(known, faults)
    sets: list[RuleSet] = []
    for file in rule_files(paths):
        try:
            sets.append(read_rule_set(file, known))
        except Unread as unread:
            faults.extend(unread.faults)
    for rules in sets:
        faults.extend(set_faults(rules))
    return sorted({*faults, *edition_faults(sets)})


def set_faults(rules: RuleSet) -> list[Fault]:
    """The faults of one readable set: how its rules lie to one another, and what its golden cases leave untried."""
    faults = as_faults(rules) + _matcher_faults(rules)
    if not rules.cases:
        return [
            *faults,
            Fault(rules.file, 1, "cases", "没有黄金用例。每条规则至少一个，每个限值在、低于、高于各一个"),
        ]
    return faults + coverage_faults(rules)


def _matcher_faults(rules: RuleSet) -> list[Fault]:
    try:
        Matcher(rules)
    except MatcherRefused as refused:
        return [Fault(rules.file, rules.lines.get("rules", 1), "rules", str(refused))]
    return []
