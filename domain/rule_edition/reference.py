"""What the rest of the portal expects of a rule set: the facts that are given, the names that are asked for."""

from collections.abc import Iterator

from domain import portal_clock
from domain.facts import PROVIDERS
from domain.office import Office
from rules.case_type import CaseType
from rules.case_type.reference_check import asked_rule_sets, given_facts, unknown_fact
from rules.engine import Fault, RuleSet


def reference_faults(office: Office, rules: RuleSet) -> list[Fault]:
    """The facts that nobody would give this edition, in the words of the case types' loader."""
    providers = {name: provider.gives for name, provider in PROVIDERS.items()}
    asking = list(_asking(office, rules.key))
    for case_type in asking:
        given = given_facts(case_type, providers)
        if missing := sorted(set(rules.facts) - given):
            return [_fault(rules, fact, unknown_fact(rules.key, fact, given)) for fact in missing]
    return [] if asking else _as_before(office, rules)


def _asking(office: Office, key: str) -> Iterator[CaseType]:
    names = office.catalogue.keys()
    for case_type in (each for name in names for each in office.catalogue.editions(name)):
        if key in asked_rule_sets(case_type):
            yield case_type


def _as_before(office: Office, rules: RuleSet) -> list[Fault]:
    """A set that the portal itself asks is given the facts that its edition in force reads, neither more nor fewer."""
    loaded = office.book.keys()
    if (rules.kind.key, rules.key) not in loaded:
        return []
    before = set(office.book.live(rules.kind.key, rules.key, portal_clock.now())[0].facts)
    added = [_fault(rules, fact, unknown_fact(rules.key, fact, before)) for fact in sorted(set(rules.facts) - before)]
    return added + [
        Fault(rules.file, rules.lines.get("facts", 1), f"facts.{fact}",
              f"门户提问规则集 {rules.key} 时给出事实 {fact}，这一版却不声明它，提问会被拒收。请保留这个事实的声明")
        for fact in sorted(before - set(rules.facts))
    ]  # fmt: skip


def _fault(rules: RuleSet, fact: str, message: str) -> Fault:
    return Fault(rules.file, rules.facts[fact].line or rules.lines.get("facts", 1), f"facts.{fact}", message)
