"""A sample case type and the names it may use, for the tests of definitions and of the form."""

import shutil
from pathlib import Path

from rules.case_type import Known, KnownRuleSet

FOLDER = Path(__file__).parent / "broken_case_types"
BASE = FOLDER / "base"

KNOWN = Known(
    roles=frozenset({"applicant", "window", "reviewer", "section_chief", "approver"}),
    facts={"survey_planning": {"surveyor_name": "text"}, "plots": {"total_m2": "decimal"}},
    effects=frozenset({"open_ledger", "send_to_partner"}),
    dictionaries={"pipeline_kind": {"water": "给水", "gas": "燃气"}},
    rule_sets={
        "start_gate": KnownRuleSet("admission", frozenset({"case.today", "length_m"})),
        "fast_track": KnownRuleSet("fast_track", frozenset({"kind", "total_m2"}), frozenset({"one_level"})),
        "deadline_light": KnownRuleSet("light", frozenset({"remaining_days"})),
        "area_check": KnownRuleSet("validation", frozenset({"parcels"})),
        "stray_gate": KnownRuleSet("usage_gate", frozenset({"moon_phase"})),
    },
    document_templates=frozenset({"notice", "permit"}),
    panels=frozenset({"plots", "range"}),
    operations=frozenset({"return", "transfer", "assist", "countersign", "suspend", "correct", "terminate"}),
    partners=frozenset({"case_library", "tax"}),
    formats=frozenset({"pdf", "jpg", "png", "zip"}),
    document_fault=lambda source: "closing 里的 3 不是文字。" if source.get("closing") == 3 else None,
    number_fault=lambda pattern: None if "{seq" in pattern else f"编号规则「{pattern}」要有流水号。",
)


def copied(folder: Path) -> Path:
    """A fresh copy of the sample below the folder; its root is returned."""
    shutil.copytree(BASE, folder / "case_types")
    return folder / "case_types"
