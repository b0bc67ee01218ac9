"""What if: altered facts, other editions, drafts; both reasonings side by side."""

import pytest

from domain.errors import InvalidData, NotFound
from domain.rule_workbench import what_if
from domain.rule_workbench.what_if import side_by_side
from tests.domain.rule_edition.conftest import HIGHER, bench, office  # noqa: F401
from tests.domain.rule_replay.conftest import replays  # noqa: F401


@pytest.fixture
def stored(replays):  # noqa: F811
    [row] = replays.decided(["15"])
    return row.id


def marked(comparison):
    return [(line.mark, line.before, line.after) for line in comparison.lines if line.mark != "same"]


def test_altered_facts_by_the_edition_that_decided(replays, stored):  # noqa: F811
    found = replays.read(what_if.of_decision, stored, {"area_m2": "9"})
    assert (found.before.outcome, found.after.outcome) == ("none", "stop")
    assert found.changes[-1].sentence
    assert ("changed", "面积：15.00 平方米", "面积：9.00 平方米") in marked(found)
    assert found.lines[0].mark == "same"


def test_the_same_facts_by_a_draft_and_by_an_edition_since(replays, bench, stored):  # noqa: F811
    row = bench.drafted(HIGHER)
    by_draft = replays.read(what_if.of_decision, stored, {}, draft_id=row.id)
    assert (by_draft.before.outcome, by_draft.after.outcome, by_draft.changes) == ("none", "stop", ())
    mark, before, after = marked(by_draft)[-1]
    assert mark == "changed" and before.startswith("结论：无结论") and "过小" in after
    with pytest.raises(NotFound):
        replays.read(what_if.of_decision, stored, {}, edition=by_draft.after.digest)


def test_an_edition_published_since(replays, bench, stored):  # noqa: F811
    edition = bench.published(HIGHER)
    found = replays.read(what_if.of_decision, stored, {"area_m2": "25"}, edition=edition.digest)
    assert (found.before.outcome, found.after.outcome) == ("none", "none")
    assert found.after.digest == edition.digest


def test_a_draft_of_another_set_and_a_fact_that_does_not_fit_are_refused(replays, bench, stored):  # noqa: F811
    with pytest.raises(InvalidData, match="没有试算") as refused:
        replays.read(what_if.of_decision, stored, {"area_m2": "很大"})
    assert "area_m2" in refused.value.fields
    with pytest.raises(NotFound):
        replays.read(what_if.of_decision, stored + 1, {})


def test_only_who_keeps_the_rules_or_sees_the_case(replays, bench, stored, person):  # noqa: F811
    with bench.database.reading() as session, pytest.raises(NotFound):
        what_if.of_decision(session, person("district_handler", district="310118"), stored, {})


def test_lines_that_only_one_side_has():
    assert [line.mark for line in side_by_side(["a", "b", "c"], ["a", "x", "c", "d"])] == ["same", "changed", "same", "added"]
    assert [(line.mark, line.after) for line in side_by_side(["a", "b"], ["a"])] == [("same", "a"), ("removed", "")]
