"""Golden cases proposed at the limits: they meet the limit, the rule turns on it, and nothing is expected of them yet."""

from pathlib import Path

import pytest

import rules
from rules.engine import Draft, check, proposed_cases, read_rule_set
from rules.engine.analysis.coverage import missing_sides
from rules.engine.golden import run_cases
from rules.engine.note import NOTHING_KNOWN
from rules.engine.rule_book import rule_files, tables_known
from rules.engine.rule_set_reader import Unread
from tests.rules.test_editing import TEXT

FOLDER = Path(rules.__file__).parent
KNOWN = tables_known(NOTHING_KNOWN, [])
FILES = rule_files([FOLDER / "sets", FOLDER / "case_types"])


def test_at_below_and_above_each_limit_with_the_smallest_step() -> None:
    found = Draft(TEXT.partition("cases:")[0], "sample.yaml").read()
    assert [(case.name, case.given, case.engine["outcome"], case.side) for case in proposed_cases(found)] == [
        ("面积低一步（限值 100.00 m²）", {"area_m2": "99.99", "status": "甲"}, "none", -1),
        ("面积恰好等于（限值 100.00 m²）", {"area_m2": "100", "status": "甲"}, "none", 0),
        ("面积高一步（限值 100.00 m²）", {"area_m2": "100.01", "status": "甲"}, "stop", 1),
        ("面积低一步（限值 10.00 m²）", {"area_m2": "9.99", "status": "甲"}, "warn", -1),
        ("面积恰好等于（限值 10.00 m²）", {"area_m2": "10", "status": "甲"}, "none", 0),
        ("面积高一步（限值 10.00 m²）", {"area_m2": "10.01", "status": "甲"}, "none", 1),
    ]


def test_the_outcome_is_left_for_a_person() -> None:
    draft = Draft(TEXT, "sample.yaml")
    case = next(case for case in proposed_cases(draft.read()) if case.side == 1)
    assert case.yaml.startswith("  # 引擎的回答是「停办」。应得的结论请按条文写，不照抄引擎\n  - name: ")
    with pytest.raises(Unread, match="结论还空着"):
        Draft(TEXT + case.yaml, "sample.yaml").read()
    confirmed = draft.add_case(case.entry("stop", rule="large"))
    assert confirmed.read().cases[-1].expect == {"outcome": "stop", "rule": "large"}
    assert all(result.passed for result in run_cases(confirmed.read()))


def test_only_what_is_missing_is_proposed_unless_all_is_asked() -> None:
    found = Draft(TEXT, "sample.yaml").read()
    missing, every = proposed_cases(found), proposed_cases(found, missing_only=False)
    assert {"area_m2": "9.99", "status": "乙"} not in [case.given for case in missing]
    assert len(every) > len(missing)


def test_confirmed_proposals_complete_the_golden_cases_of_a_shipped_set(tmp_path: Path) -> None:
    """Without its own cases a set gets proposals; confirmed as they answer, `check` finds nothing left untried."""
    for name in ("outflow_warning_line", "deadline_light", "payment_light", "usage_control_reply_light"):
        text = (FOLDER / "sets" / f"{name}.yaml").read_text(encoding="utf-8")
        draft = Draft(text.partition("\ncases:")[0] + "\n", "set.yaml", KNOWN)
        for case in proposed_cases(draft.read()):
            draft = draft.add_case(case.entry(case.engine["outcome"]))
        file = tmp_path / f"{name}.yaml"
        file.write_text(draft.text, encoding="utf-8")
        assert check([file], KNOWN) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_nearly_every_side_of_a_shipped_set_can_be_proposed(file: Path) -> None:
    text = file.read_text(encoding="utf-8").partition("\ncases:")[0] + "\n"
    bare = Draft(text, str(file), KNOWN).read()
    cases = proposed_cases(bare)
    with_cases = Draft(text, str(file), KNOWN)
    for case in cases:
        with_cases = with_cases.add_case(case.entry(case.engine["outcome"]))
    complete = with_cases.read()
    left = missing_sides(complete, run_cases(complete))
    asked = missing_sides(bare, run_cases(bare))
    assert len(left) <= len(asked) // 10, [(limit.key, side) for limit, side, _ in left]
    fired = {row["rule"] for result in run_cases(complete) for row in result.decision.fired}
    assert {rule.key for rule in complete.rules} == fired


def test_a_complete_set_gets_no_proposals() -> None:
    assert proposed_cases(read_rule_set(FOLDER / "sets" / "outflow_warning_line.yaml", KNOWN)) == []
