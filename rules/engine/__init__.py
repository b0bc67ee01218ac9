"""The rule engine: declarative, dated rule sets decided with reasons.

`RuleBook().decide(kind, key, facts, on=day)` answers a Decision; `check`, `test` and `mutate` are the build of the rule files.
"""

from .check import check
from .decision import Decision
from .explanation import explain
from .fault import (
    ChainTooLong,
    EditionUnknown,
    EngineDisagreement,
    Fault,
    InvalidFact,
    MatcherRefused,
    NoEditionInForce,
    RuleError,
    RuleSetMissing,
)
from .golden import test
from .mutation import mutate
from .note import Known
from .rule_book import RuleBook
from .rule_set import RuleSet
from .rule_set_reader import Unread, read_content, read_rule_set, read_text
from .standing import StoredEdition, start_of
from .words import prose, table

__all__ = [
    "ChainTooLong",
    "Decision",
    "EditionUnknown",
    "EngineDisagreement",
    "Fault",
    "InvalidFact",
    "Known",
    "MatcherRefused",
    "NoEditionInForce",
    "RuleBook",
    "RuleError",
    "RuleSet",
    "RuleSetMissing",
    "StoredEdition",
    "Unread",
    "check",
    "explain",
    "mutate",
    "prose",
    "read_content",
    "read_rule_set",
    "read_text",
    "start_of",
    "table",
    "test",
]
