"""Answers in bulk equal full decisions: on every shipped golden case, and on random rule sets and facts."""

import random
from pathlib import Path
from typing import Any

import pytest

import rules
from benchmarks.rules.random_rules import condition, facts
from rules.engine import Answer, RuleError, decide_outcomes, read_rule_set
from rules.engine.note import NOTHING_KNOWN
from rules.engine.rule_book import PYTHON, CompiledSet, rule_files, tables_known
from rules.engine.rule_set import RuleSet
from tests.rules.rule_sample import DAY, rule, sample
from tests.rules.test_engines import SEED

FOLDER = Path(rules.__file__).parent
KNOWN = tables_known(NOTHING_KNOWN, [])
FILES = rule_files([FOLDER / "sets", FOLDER / "case_types"])


def in_full(found: RuleSet, questions: list) -> list[Answer]:
    compiled = CompiledSet(found, PYTHON)
    answers = []
    for given, on in questions:
        try:
            decision = compiled.decide(given, on)
            key = decision.rule.key if decision.rule else None
            answers.append(Answer(decision.outcome, key, decision.message))
        except RuleError as refused:
            answers.append(Answer(None, None, str(refused)))
    return answers


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_golden_case_has_the_same_answer(file: Path) -> None:
    found = read_rule_set(file, KNOWN)
    questions: list[Any] = [(case.given, case.on) for case in found.cases]
    questions += [({key: None for key in case.given}, case.on) for case in found.cases]
    assert list(decide_outcomes(found, questions)) == in_full(found, questions)


@pytest.mark.parametrize("kind", ["validation", "light"])
@pytest.mark.parametrize("hit", ["worst", "first", "all"])
def test_random_sets_have_the_same_answers(kind: str, hit: str) -> None:
    pick = random.Random(f"{SEED} {kind} {hit}")
    outcomes = {"validation": ["refuse", "warn"], "light": ["red", "yellow", "green"]}[kind]
    seen: set[Any] = set()
    for _ in range(60):
        written = [
            rule(f"rule_{index}", condition(pick), pick.choice(outcomes), message="面积 {area_m2}")
            for index in range(pick.randint(1, 6))
        ]
        found = sample(*written, kind=kind, hit=hit)
        questions = [(facts(pick), DAY) for _ in range(12)]
        answers = list(decide_outcomes(found, questions))
        assert answers == in_full(found, questions), f"seed {SEED}"
        seen |= {answer.outcome for answer in answers}
    assert seen >= {"none", *outcomes, *(["undetermined"] if kind == "validation" else [])}


def test_flags_take_the_long_way_to_the_same_answer() -> None:
    found = sample(
        rule("first", {"fact": "done", "is": True}, None, sets="noted"),
        rule("second", {"fact": "noted", "is": True}, "warn", message="已记"),
        flags={"noted": {"label": "已记"}},
    )
    questions: list[Any] = [({"done": True}, DAY), ({"done": False}, DAY), ({}, DAY)]
    answers = list(decide_outcomes(found, questions))
    assert answers == in_full(found, questions)
    assert [answer.outcome for answer in answers] == ["warn", "none", "undetermined"]


def test_refused_facts_are_an_answer_with_the_reason() -> None:
    found = sample(rule("only", {"fact": "done", "is": True}))
    (answer, other) = decide_outcomes(found, [({"done": "也许"}, DAY), ({"strange": 1}, DAY)])
    assert (answer.outcome, answer.rule) == (None, None)
    assert "应是是否" in answer.message
    assert "不读事实 strange" in other.message


def test_every_one_of_many_warning_lines_is_answered() -> None:
    found = read_rule_set(FOLDER / "sets" / "outflow_warning_line.yaml", KNOWN)
    questions: list[Any] = [({"remaining_m2": str(number), "stored_m2": "40000"}, DAY) for number in range(0, 50_000, 25)]
    answers = list(decide_outcomes(found, questions))
    assert len(answers) == len(questions)
    assert answers[::100] == in_full(found, questions[::100])
