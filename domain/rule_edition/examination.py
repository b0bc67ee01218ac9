"""The examination of a draft: every check of the rule build, the portal's own expectations, the golden cases.

It may take seconds, so it runs outside any transaction; commands take its result and see that it is of their text.
"""

from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session

from domain.office import Office, office_of
from domain.rule_edition.dating import text_digest
from domain.rule_edition.reference import reference_faults
from domain.rule_edition.tables import RuleDraft
from rules.engine import EngineDisagreement, Fault, MatcherRefused, RuleSet, Unread, read_text
from rules.engine.check import set_faults
from rules.engine.golden import CaseResult, run_cases
from rules.engine.matcher import MOST_RULES, Matcher, probe
from rules.engine.rule_book import PYTHON


@dataclass(frozen=True)
class Examination:
    """What was found in one text; `rules` is None while it cannot be read."""

    text_digest: str
    rules: RuleSet | None
    findings: tuple[Fault, ...]
    golden: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str | None:
        return self.rules.digest if self.rules is not None else None

    @property
    def reasons(self) -> list[str]:
        """Why it may not be put in force, one sentence each; empty if it may."""
        lines = [f"第 {fault.line} 行 {fault.key}：{fault.message}" for fault in self.findings]
        failed = self.golden.get("failed", ())
        return lines + [f"黄金用例「{row['case']}」没有通过：{'；'.join(row['differences'])}" for row in failed]


def examine(session: Session, draft: RuleDraft) -> Examination:
    """Examine the present text of a draft; call it with a reading session, before the command."""
    examination = examine_text(office_of(session), draft.text, draft.key)
    misplaced = _identity(draft, examination.rules) if examination.rules is not None else []
    findings = tuple(sorted([*misplaced, *examination.findings]))
    return Examination(examination.text_digest, examination.rules, findings, examination.golden)


def examine_text(office: Office, text: str, file: str) -> Examination:
    """Examine any text; `file` names it in the findings."""
    try:
        rules = read_text(text, file, office.book.known)
    except Unread as unread:
        return Examination(text_digest(text), None, tuple(unread.faults))
    findings = [*set_faults(rules), *reference_faults(office, rules)]
    try:
        _probe(office, rules)
    except MatcherRefused as refused:
        refusal = Fault(file, rules.lines.get("rules", 1), "rules", str(refused))
        return Examination(text_digest(text), rules, tuple(sorted({*findings, refusal})))
    findings, golden = _golden(office, rules, findings)
    return Examination(text_digest(text), rules, tuple(sorted(set(findings))), golden)


def _golden(office: Office, rules: RuleSet, findings: list[Fault]) -> tuple[list[Fault], dict[str, Any]]:
    try:
        results = run_cases(rules, office.book.engine)
    except EngineDisagreement as disagreement:
        fault = Fault(rules.file, rules.lines.get("cases", 1), "cases", str(disagreement))
        return [*findings, fault], {}
    golden = _counted(results)
    # The build names a failing case too; here the golden cases are told apart from the findings, each once.
    told = {f"cases.{row['case']}" for row in golden["failed"]}
    return [fault for fault in findings if fault.key not in told], golden


def _counted(results: list[CaseResult]) -> dict[str, Any]:
    failed = [result for result in results if not result.passed]
    rows = [{"line": each.case.line, "case": each.case.name, "differences": list(each.differences)} for each in failed]
    return {"cases": len(results), "passed": len(results) - len(failed), "failed": rows}


def _probe(office: Office, rules: RuleSet) -> None:
    """Compile in a child process, for a fault in the C engine kills its process. Raises MatcherRefused."""
    if office.book.engine != PYTHON and len(rules.rules) <= MOST_RULES and not office.book.holds(rules.digest):
        probe([Matcher(rules)])


def _identity(draft: RuleDraft, rules: RuleSet) -> list[Fault]:
    """A draft keeps the key, the kind and the track under which it was opened."""
    wanted = {"key": (draft.key, rules.key), "kind": (draft.kind, rules.kind.key)}
    found = [
        Fault(draft.key, rules.lines.get(name, 1), name, f"{name} 应是 {before}，实际是 {now}。起草后不能改；要另立规则集的，请新建")
        for name, (before, now) in wanted.items()
        if before != now
    ]
    if rules.edition.demo != draft.is_demo:
        words = "演示版本" if draft.is_demo else "正式版本"
        found.append(Fault(draft.key, rules.lines.get("edition", 1), "edition", f"这是{words}的草稿，edition 的 demo 不能改"))
    return found
