"""Golden cases: sentences of law that live in the rule file and are run against it."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .decision import Decision
from .fault import Fault, InvalidFact
from .kind import Kind
from .note import NOTHING_KNOWN, Known
from .rule_book import PYTHON, CompiledSet, rule_files, tables_known
from .rule_set import Case, RuleSet
from .rule_set_reader import Unread, read_rule_set
from .value import plain


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A golden case, the decision it led to (None when a fact was refused), and what differs from the expectation."""

    case: Case
    decision: Decision | None
    differences: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.differences


def run_cases(rules: RuleSet, engine: str = PYTHON) -> list[CaseResult]:
    """Every golden case of the set, decided and compared."""
    compiled = CompiledSet(rules, engine)
    return [run_case(compiled, case) for case in rules.cases]


def run_case(compiled: CompiledSet, case: Case) -> CaseResult:
    """One golden case decided and compared with what it expects."""
    try:
        decision = compiled.decide(case.given, case.on)
    except InvalidFact as refused:
        return CaseResult(case, None, _refusal_differences(case, str(refused)))
    if "refused" in case.expect:
        return CaseResult(case, decision, ("应拒收这些事实，却判出了结论",))
    return CaseResult(case, decision, tuple(_differences(case.expect, decision, compiled.rules.kind)))


def _refusal_differences(case: Case, said: str) -> tuple[str, ...]:
    if "refused" not in case.expect:
        return (f"事实被拒收：{said}",)
    wanted = str(case.expect["refused"])
    return () if wanted in said else (f"拒收的理由应含「{wanted}」，实际是「{said}」",)


def _differences(expect: Any, decision: Decision, kind: Kind) -> Iterable[str]:
    found = {
        "outcome": decision.outcome,
        "rule": decision.rule.key if decision.rule else None,
        "fired": [row["rule"] for row in decision.fired],
        "missing": decision.missing,
        **plain(decision.values),
    }
    for key, wanted in expect.items():
        if key == "message":
            if str(wanted) not in decision.message:
                yield f"告知的话应含「{wanted}」，实际是「{decision.message}」"
        elif key == "outcome" and wanted != decision.outcome:
            yield f"结论应是“{kind.word(str(wanted))}”，实际是“{kind.word(decision.outcome)}”"
        elif not _same(wanted, found.get(key)):
            yield f"{key} 应是 {plain(wanted)}，实际是 {found.get(key)}"


def _same(wanted: Any, found: Any) -> bool:
    wanted = plain(wanted)
    return wanted == found or (
        found is not None and not isinstance(found, list | bool) and str(wanted) == str(found)
    )


def test(paths: Iterable[Path], known: Known = NOTHING_KNOWN) -> dict[str, Any]:
    """Run the golden cases under the paths; unreadable files count as failed."""
    sets, failed = [], []
    faults: list[Fault] = []
    known = tables_known(known, faults)
    for file in rule_files(paths):
        try:
            rules = read_rule_set(file, known)
        except Unread as unread:
            failed.extend(_unreadable(fault) for fault in unread.faults)
            continue
        results = run_cases(rules)
        sets.append(_summary(rules, results))
        failed.extend(_failure(rules, result) for result in results if not result.passed)
    return {"sets": sets, "failed": failed + [_unreadable(fault) for fault in faults]}


# A test runner that meets the name in a test module must not collect it.
test.__test__ = False


def _summary(rules: RuleSet, results: list[CaseResult]) -> dict[str, Any]:
    passed = sum(result.passed for result in results)
    return {
        "key": rules.key,
        "kind": rules.kind.key,
        "file": rules.file,
        "cases": len(results),
        "passed": passed,
    }


def _failure(rules: RuleSet, result: CaseResult) -> dict[str, Any]:
    return {
        "key": rules.key, "file": rules.file, "line": result.case.line, "case": result.case.name,
        "differences": list(result.differences),
    }  # fmt: skip


def _unreadable(fault: Fault) -> dict[str, Any]:
    return {
        "key": fault.key,
        "file": fault.file,
        "line": fault.line,
        "case": None,
        "differences": [fault.message],
    }
