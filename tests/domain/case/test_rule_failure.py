"""What fails in the rules stops the case or takes the declared fallback; it never passes by default, for any kind."""

from datetime import date

import pytest
from sqlmodel import select

from domain import decision
from domain.actor import SYSTEM
from domain.case.tables import Case, StoredDecision
from domain.command import Work
from domain.errors import InvalidData, OutsideSystemDown, Refused
from domain.facts import PROVIDERS, FactProvider
from domain.light import light_of
from domain.portal_clock import now
from rules.engine import NoEditionInForce, RuleBook
from rules.engine.kind import kinds
from rules.engine.program import Program

KINDS = sorted(kinds())
GATES = [key for key in KINDS if kinds()[key].gate]
MILDEST = {key: list(kinds()[key].outcomes)[-1] for key in KINDS}
"""Of each kind the outcome that lets most pass: what a failure must never give."""
TEXT = """\
key: probe_{kind}
title: 试验{label}
kind: {kind}
edition: {{from: 2026-01-01, until: null}}
facts:
  area: {{type: decimal, unit: m2, label: 占用面积, min: "0"}}
parameters:
  most: {{value: "1000", unit: m2, label: 面积上限, basis: 样例}}
rules:
  - {{key: fits, basis: 样例, when: {{fact: area, at_most: {{param: most}}}}, then: {{outcome: "{outcome}", message: 符合}}}}
cases:
  - {{name: 等于, on: 2026-06-30, given: {{area: "1000"}}, expect: {{outcome: "{outcome}"}}}}
  - {{name: 低一步, on: 2026-06-30, given: {{area: "999.99"}}, expect: {{outcome: "{outcome}"}}}}
  - {{name: 高一步, on: 2026-06-30, given: {{area: "1000.01"}}, expect: {{outcome: none}}}}
"""
NO_VALUE = ('{value: "1000", unit', '{values: [{from: 2090-01-01, value: "1000"}], unit')
OTHER_FACT = (("area: {type", "moon: {type"), ("fact: area", "fact: moon"), ('{area: "', '{moon: "'))


def text_of(kind):
    return TEXT.format(kind=kind, label=kinds()[kind].label, outcome=MILDEST[kind])


def changed(text, *changes):
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    return text


class Probe:
    """One rule set of every kind, asked about one case."""

    def __init__(self, office, filing, folder):
        self.office, self.filing, self.folder = office, filing, folder
        for kind in KINDS:
            self.write(kind, text_of(kind))
        office.book = RuleBook([folder], demo=True)
        assert office.book.faults == ()

    def write(self, kind, text):
        (self.folder / f"{kind}.yaml").write_text(text, encoding="utf-8")

    def put(self, kind, *changes):
        self.write(kind, changed(text_of(kind), *changes))
        self.office.book.reload()

    def ask(self, kind, **given):
        with self.filing.database.reading() as session:
            case = session.get(Case, self.filing.id)
            return decision.decide(session, self.filing.applicant, case, f"probe_{kind}", **given)

    def pass_gate(self, kind):
        with self.filing.database.writing() as session:
            work = Work(session, SYSTEM, now(session), "test")
            return decision.pass_gates(work, session.get(Case, self.filing.id), [f"probe_{kind}"], "leave")


@pytest.fixture
def probe(office, filing, tmp_path):
    filing.fill()
    folder = tmp_path / "sets"
    folder.mkdir()
    return Probe(office, filing, folder)


def must_not_pass(probe, kind, *words, made=None):
    """A gate refuses with its reason and keeps nothing; what is no gate gives no outcome at all."""
    made = made or probe.ask(kind)
    assert made.outcome == ("undetermined" if kind in GATES else "none")
    assert made.outcome != MILDEST[kind]
    if kind in GATES:
        assert all(word in made.message for word in words)
        with pytest.raises(Refused, match="判不出，不能继续"):
            probe.pass_gate(kind)
    with probe.filing.database.reading() as session:
        assert session.exec(select(StoredDecision).where(StoredDecision.rule_set == f"probe_{kind}")).all() == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("failure", ["broken_text", "unknown_key", "overlapping_edition"])
def test_a_broken_file_leaves_the_last_good_edition_in_force(probe, kind, failure):
    before = probe.ask(kind)
    assert before.outcome == MILDEST[kind]
    if failure == "broken_text":
        probe.write(kind, "key: [")
    elif failure == "unknown_key":
        probe.write(kind, changed(text_of(kind), ("at_most", "at_mots")))
    else:
        probe.write("zz_second", changed(text_of(kind), ("from: 2026-01-01", "from: 2026-02-01"), ("1000", "1")))
    faults = probe.office.book.reload()
    assert faults
    after = probe.ask(kind)
    assert (after.outcome, after.digest) == (before.outcome, before.digest)


@pytest.mark.parametrize("kind", KINDS)
def test_a_parameter_without_a_value_never_passes(probe, kind):
    probe.put(kind, NO_VALUE, ("on: 2026-06-30", "on: 2090-06-30"))
    assert probe.office.book.faults == ()
    must_not_pass(probe, kind, "面积上限")


@pytest.mark.parametrize("kind", KINDS)
def test_a_fact_that_nobody_gives_never_passes(probe, kind):
    probe.put(kind, *OTHER_FACT)
    must_not_pass(probe, kind, "占用面积")


@pytest.mark.parametrize("kind", KINDS)
def test_a_set_without_an_edition_for_the_day_gives_no_answer(probe, kind):
    probe.put(kind, ("from: 2026-01-01", "from: 2090-01-01"), ("on: 2026-06-30", "on: 2090-06-30"))
    with pytest.raises(NoEditionInForce, match="没有生效的版本") as raised:
        probe.ask(kind)
    assert raised.value.rule_set == f"probe_{kind}"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("error", [ZeroDivisionError, RecursionError])
def test_a_failing_engine_gives_no_answer(probe, kind, error, monkeypatch):
    def fails(self, facts, on):
        raise error("inside")

    monkeypatch.setattr(Program, "judge", fails)
    with pytest.raises(decision.DecisionFailed, match=f"引擎出错（{error.__name__}），没有结论，不放行") as raised:
        probe.ask(kind)
    assert raised.value.rule_set == f"probe_{kind}"


@pytest.fixture
def partner(monkeypatch):
    """A partner that gives the fact `moon`; it answers what the test says, or is down."""
    answers = {"moon": None}

    def get(ask):
        if answers["moon"] is None:
            raise OutsideSystemDown("样例系统没有应答，请稍后重试。")
        return {key: value for key, value in answers.items() if value != ""}

    provider = FactProvider("probe_partner", "样例系统", {"moon": "decimal"}, is_outside=True, get=get)
    monkeypatch.setitem(PROVIDERS, "probe_partner", provider)
    return answers


@pytest.mark.parametrize("kind", KINDS)
def test_a_partner_that_does_not_answer_stops_the_case_before_anything_is_asked(probe, kind, partner):
    probe.put(kind, *OTHER_FACT)
    with probe.filing.database.reading() as session:
        case = session.get(Case, probe.filing.id)
        with pytest.raises(OutsideSystemDown, match="样例系统没有应答"):
            decision.gather_outside(session, probe.filing.applicant, case, [f"probe_{kind}"])


@pytest.mark.parametrize("kind", KINDS)
def test_a_partner_fact_that_is_not_there_never_passes(probe, kind, partner):
    partner["moon"] = ""  # it answers, but knows nothing of this
    probe.put(kind, *OTHER_FACT)
    with probe.filing.database.reading() as session:
        case = session.get(Case, probe.filing.id)
        gathered = decision.gather_outside(session, probe.filing.applicant, case, [f"probe_{kind}"])
    must_not_pass(probe, kind, made=probe.ask(kind, gathered=gathered))
    partner["moon"] = "1000"
    with probe.filing.database.reading() as session:
        gathered = decision.gather_outside(session, probe.filing.applicant, session.get(Case, probe.filing.id), [f"probe_{kind}"])
    assert probe.ask(kind, gathered=gathered).outcome == MILDEST[kind]


def test_a_light_without_an_answer_is_a_fault_and_no_colour(probe):
    from domain.clock_state import Counting, state
    from domain.working_calendar import official_calendar
    from tests.domain.test_light import FIVE_DAYS

    probe.put("light", *OTHER_FACT)
    running = state(FIVE_DAYS, official_calendar(), date(2026, 11, 12), Counting.WORKING)
    with pytest.raises(InvalidData, match="不是灯色"):
        light_of(probe.office.book, "probe_light", running)


def test_a_route_that_cannot_be_told_takes_the_declared_fallback(probe, office, filing, officers):
    """`otherwise` of a route is the fallback: the longer way, never the shorter one."""
    from domain.case.definition import case_type_of

    with filing.database.reading() as session:
        step = case_type_of(session, session.get(Case, filing.id)).workflow.step("review")
    route = next(action.route for action in step.actions if action.route)
    assert [move.steps for move in (route.move("undetermined", None), route.move("small", None))] == [("garden",), ("sign",)]
