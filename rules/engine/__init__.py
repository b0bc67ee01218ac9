"""The rule engine: declarative, dated rule sets decided with reasons.

`RuleBook().decide(kind, key, facts, on=day)` answers a Decision; `check`, `test` and `mutate` are the build of the rule files.
"""

from .analysis.proposal import ProposedCase, proposed_cases
from .batch import Answer, BatchDecider, decide_outcomes
from .change import Change
from .check import check
from .decision import Decision
from .decision_table import table, table_rows
from .difference import difference
from .editing import Draft, EditRefused
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
from .form import Form, FormRow, Opaque, RowTest, form, with_rows
from .golden import test
from .mutation import mutate
from .note import Known
from .rule_book import RuleBook
from .rule_set import RuleSet
from .rule_set_reader import Unread, read_content, read_rule_set, read_text
from .standing import StoredEdition, start_of
from .what_if import WhatIf, what_if
from .words import prose
from .workbook import from_workbook, to_workbook

__all__ = [
    "Answer",
    "BatchDecider",
    "ChainTooLong",
    "Change",
    "Decision",
    "Draft",
    "EditRefused",
    "EditionUnknown",
    "EngineDisagreement",
    "Fault",
    "Form",
    "FormRow",
    "InvalidFact",
    "Known",
    "MatcherRefused",
    "NoEditionInForce",
    "Opaque",
    "ProposedCase",
    "RowTest",
    "RuleBook",
    "RuleError",
    "RuleSet",
    "RuleSetMissing",
    "StoredEdition",
    "Unread",
    "WhatIf",
    "check",
    "decide_outcomes",
    "difference",
    "explain",
    "form",
    "from_workbook",
    "mutate",
    "proposed_cases",
    "prose",
    "read_content",
    "read_rule_set",
    "read_text",
    "start_of",
    "table",
    "table_rows",
    "test",
    "to_workbook",
    "what_if",
    "with_rows",
]
