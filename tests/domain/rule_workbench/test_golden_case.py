"""Golden cases from real decisions: personal data never comes along; they pass at once in the draft that takes them."""

import json
from datetime import date

import pytest

from domain.case.tables import StoredDecision
from domain.errors import InvalidData, NotAllowed, NotFound
from domain.rule_edition import draft
from domain.rule_workbench import golden_case
from domain.rule_workbench.golden_case import shape
from rules.engine import read_text
from rules.engine.golden import run_cases
from tests.domain.rule_edition.conftest import HIGHER, TEXT, bench, office  # noqa: F401
from tests.domain.rule_replay.conftest import replays  # noqa: F401

ON = date(2026, 6, 30)
PEOPLE = """\
key: people_gate
title: 样例人员门槛
kind: warning_line
edition: {from: 2026-01-01, until: null}
facts:
  handler_name: {type: text, label: 经办人}
  handler_phone: {type: text, label: 经办人电话}
  level: {type: text, label: 等级}
  remark: {type: text, label: 备注}
  project_code: {type: text, label: 项目编号}
  area_m2: {type: decimal, unit: m2, label: 面积}
  plots: {type: list, label: 地块, columns: {owner: {type: text, label: 权利人}, size_m2: {type: decimal, unit: m2, label: 地块面积}}}
rules:
  - {key: phone, basis: 样例, when: {fact: handler_phone, matches: "1[0-9]{10}"}, then: {outcome: stop, message: "{handler_name}，{remark}"}}
  - {key: level, basis: 样例, when: {fact: level, is: 特级}, then: {outcome: stop}}
  - {key: code, basis: 样例, when: {fact: project_code, starts_with: SH}, then: {outcome: stop}}
  - {key: big, basis: 样例, when: {list: plots, sum: size_m2, above: 100}, then: {outcome: stop}}
  - {key: area, basis: 样例, when: {fact: area_m2, above: 100}, then: {outcome: stop}}
"""
REAL = {
    "handler_name": "王小明", "handler_phone": "13812345678", "level": "特级", "remark": "请联系王小明 13812345678",
    "project_code": "SH李四2026", "area_m2": "12.5", "plots": [{"owner": "张三丰", "size_m2": "50"}],
}  # fmt: skip
SECRETS = ("王小明", "13812345678", "李四", "2026", "张三丰")


@pytest.fixture
def kept(bench):  # noqa: F811
    """Keep a decision of a text on given facts, whatever set the book holds."""

    def keep(text, facts):
        from rules.engine.rule_book import CompiledSet

        made = CompiledSet(read_text(text, "sample.yaml"), "python").decide(facts, ON)
        with bench.database.writing() as session:
            row = StoredDecision(
                kind=made.kind, rule_set=made.key, edition="2026-01-01", digest=made.digest, outcome=made.outcome,
                message=made.message, decided_on=ON, at=bench.now(), document=made.to_json(),
            )  # fmt: skip
            session.add(row)
            session.commit()
            return row.id

    return keep


def test_personal_data_never_comes_along(replays, kept):  # noqa: F811
    found = replays.read(golden_case.from_decision, kept(PEOPLE, REAL), read_text(PEOPLE, "sample.yaml"))
    assert dict(found.given) == {
        "handler_phone": "10000000000", "level": "特级", "project_code": "SH某某0000", "area_m2": "12.5", "plots": [{"size_m2": "50"}],
    }  # fmt: skip
    text = json.dumps(dict(found.given), ensure_ascii=False)
    assert not [secret for secret in SECRETS if secret in text]
    assert set(found.dropped) == {"经办人", "备注", "权利人"} and set(found.replaced) == {"经办人电话", "项目编号"}


def test_a_field_marked_personal_on_a_form_goes_whatever_its_type_and_value(replays, kept):  # noqa: F811
    named = PEOPLE.replace("level: {type", "legal_representative: {type").replace("fact: level, is: 特级", "fact: legal_representative, is: 特级")
    facts = {**{key: value for key, value in REAL.items() if key != "level"}, "legal_representative": "特级", "handler_phone": "1"}
    with pytest.raises(InvalidData, match="去掉个人信息.*以后结论就变了"):
        replays.read(golden_case.from_decision, kept(named, facts), read_text(named, "sample.yaml"))


def test_facts_that_the_draft_no_longer_declares_are_left_out(replays, kept):  # noqa: F811
    less = PEOPLE.replace("  level: {type: text, label: 等级}\n", "").replace(
        "  - {key: level, basis: 样例, when: {fact: level, is: 特级}, then: {outcome: stop}}\n", ""
    )
    found = replays.read(golden_case.from_decision, kept(PEOPLE, REAL), read_text(less, "sample.yaml"))
    assert "level" not in found.given


def test_appended_to_the_draft_with_name_and_why_and_run_at_once(replays, bench):  # noqa: F811
    [stored] = replays.decided(["15"])
    row = bench.drafted(HIGHER)
    rules = bench.examined(row).rules
    proposal = replays.read(golden_case.from_decision, stored.id, rules)
    assert (proposal.given_answer, proposal.now.outcome, dict(proposal.given)) == ("none", "stop", {"area_m2": "15"})
    text = golden_case.with_case(row.text, bench.office.book.known, proposal, "原先放行的一件", "样例：现在应停", "stop")
    assert text.startswith("# 样例：本文件带注释")
    row = bench.write(draft.save, row.id, text, row.version)
    run = run_cases(bench.examined(row).rules)[-1]
    assert (run.case.name, run.passed) == ("原先放行的一件", True)
    assert "规则「below」（样例）成立" in "\n".join(run.decision.sentences())


def test_name_and_why_are_asked_for_and_hold_no_personal_data(replays, bench):  # noqa: F811
    [stored] = replays.decided(["15"])
    proposal = replays.read(golden_case.from_decision, stored.id, read_text(HIGHER, "sample.yaml"))
    for name, why, fields in (("", "", {"name", "why"}), ("某某 13812345678", "因为", {"name"}), ("样例", " ", {"why"})):
        with pytest.raises(InvalidData) as refused:
            golden_case.with_case(HIGHER, bench.office.book.known, proposal, name, why, "stop")
        assert set(refused.value.fields) == fields


def test_an_outcome_that_the_kind_does_not_give_is_refused(replays, bench):  # noqa: F811
    [stored] = replays.decided(["15"])
    proposal = replays.read(golden_case.from_decision, stored.id, read_text(HIGHER, "sample.yaml"))
    with pytest.raises(InvalidData, match="没有加入草稿"):
        golden_case.with_case(HIGHER, bench.office.book.known, proposal, "样例", "样例", "granted")


def test_only_for_rule_maintainers_and_decisions_that_exist(replays, bench, person, kept):  # noqa: F811
    rules = read_text(PEOPLE, "sample.yaml")
    with bench.database.reading() as session, pytest.raises(NotAllowed):
        golden_case.from_decision(session, person("city_viewer"), kept(PEOPLE, REAL), rules)
    with pytest.raises(NotFound):
        replays.read(golden_case.from_decision, 999, rules)


@pytest.mark.parametrize(("text", "like"), [("王a B9-1", "某a A0-0"), ("13812345678", "10000000000"), ("", "")])
def test_the_shape_of_a_text(text, like):
    assert shape(text) == like
