"""Faults found in rule files, and the errors a decision can end in."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a rule file: where, which key, and what was expected."""

    file: str
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key}: {self.message}"


class RuleError(Exception):
    """Any reason why no decision could be made; who asks may note the key of the set that was asked."""

    rule_set: str | None = None


class InvalidFact(RuleError):
    """A fact that was handed in does not fit its declaration."""


class RuleSetMissing(RuleError):
    """No rule set of that kind and key is loaded."""


class NoEditionInForce(RuleError):
    """The rule set has no edition for that date."""


class EditionUnknown(RuleError):
    """No edition with that digest is at hand."""


class EngineDisagreement(RuleError):
    """The matching engine and the evaluator gave different answers."""


class MatcherRefused(RuleError):
    """The matching engine could not be built from these rules."""


class ChainTooLong(RuleError):
    """Flags kept changing beyond the allowed number of rounds."""
