"""Case types 事项 as data: definitions, the loader that checks them, and the catalogue of those in force."""

from .case_fact import case_facts, list_columns, text_fields
from .case_type import CaseType, ClockDefinition, Edition, Guide, ListDefinition
from .catalogue import CaseTypeMissing, Catalogue, EditionMissing, Group
from .condition import BoundCondition
from .entry import DefinitionFaults
from .form import FieldDefinition, FormDefinition, Option, Repeat, SectionDefinition, Source
from .known import Known, KnownRuleSet
from .loader import load_catalogue
from .paper import DocumentSpec, MaterialSlot, Numbering
from .workflow import ActionDefinition, ClockAct, EffectCall, Move, Route, StepDefinition, WorkflowDefinition

__all__ = [
    "ActionDefinition",
    "BoundCondition",
    "CaseType",
    "CaseTypeMissing",
    "Catalogue",
    "ClockAct",
    "ClockDefinition",
    "DefinitionFaults",
    "DocumentSpec",
    "Edition",
    "EditionMissing",
    "EffectCall",
    "FieldDefinition",
    "FormDefinition",
    "Group",
    "Guide",
    "Known",
    "KnownRuleSet",
    "ListDefinition",
    "MaterialSlot",
    "Move",
    "Numbering",
    "Option",
    "Repeat",
    "Route",
    "SectionDefinition",
    "Source",
    "StepDefinition",
    "WorkflowDefinition",
    "case_facts",
    "list_columns",
    "load_catalogue",
    "text_fields",
]
