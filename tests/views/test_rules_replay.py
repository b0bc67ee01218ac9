"""Replay, what-if, use and golden cases from decisions, on screen."""

import pytest
from sqlmodel import select

from domain import parameter
from domain.job import Job
from domain.rule_edition.tables import RuleDraft
from domain.rule_replay.tables import RuleReplay
from tests.domain.rule_edition.conftest import HIGHER, KEY, bench, office  # noqa: F401
from tests.domain.rule_replay.conftest import replays  # noqa: F401
from tests.views.reading import fields_of, heading, link, read, words
from tests.views.test_desk import counted


@pytest.fixture
def author(bench, sign_in):  # noqa: F811
    return sign_in(bench.author)


@pytest.fixture
def reviewer(bench, sign_in):  # noqa: F811
    return sign_in(bench.reviewer)


def replayed(author, bench, replays, row):  # noqa: F811
    """Asked for on the draft's page and run; the address of the replay."""
    assert author.post(f"/rule-drafts/{row.id}/replay").status_code == 303
    found = bench.rows(select(RuleReplay).order_by(RuleReplay.id.desc()))[0]
    replays.run(found.job_id)
    return f"/rule-replays/{found.id}"


def test_a_replay_waits_then_says_what_would_change_with_links_and_export(author, bench, replays):  # noqa: F811
    replays.decided(["15", "5", "25"])
    row = bench.drafted()
    assert author.post(f"/rule-drafts/{row.id}/replay").status_code == 303
    found = bench.rows(select(RuleReplay))[0]
    path = f"/rule-replays/{found.id}"
    waiting = read(author.get(path))
    assert "排队中" in heading(waiting) and waiting.select_one("article.job[hx-get]")
    polled = author.get(path, headers={"HX-Request": "true"})
    assert not read(polled).select("h1") and "HX-Refresh" not in polled.headers
    replays.run(found.job_id)
    assert author.get(path, headers={"HX-Request": "true"}).headers["HX-Refresh"] == "true"
    page = read(author.get(path))
    assert heading(page) == "回放：1次判断的结论会变"
    assert "由放行变不放行 1 次" in words(page)
    assert "无结论 → 停办 1" in words(page) and "浦东新区" in words(page)
    why = read(author.get(link(page, "判断 ")))
    assert "面积 15.00 平方米 过小" in words(why)
    assert author.post(f"{path}/export", {"sort": "outcome"}).headers["location"].startswith("/jobs/")
    assert bench.rows(select(Job).where(Job.kind == "rule_replay_export"))[0].arguments["filter"]["sort"] == "outcome"
    narrowed = read(author.get(path, params={"sort": "unable"}))
    assert "没有会变的判断" in words(narrowed)


def test_what_was_replayed_before_a_change_is_said_to_be_of_another_text(author, bench, replays):  # noqa: F811
    replays.decided(["15"])
    row = bench.drafted()
    path = replayed(author, bench, replays, row)
    fields = fields_of(read(author.get(f"/rule-drafts/{row.id}/yaml")).select_one("form[hx-post]"))
    author.post(f"/rule-drafts/{row.id}/yaml", {**fields, "text": HIGHER.replace("below: 20}", "below: 21}")})
    assert "又改过" in words(read(author.get(path))) and "不是现在这一稿" in words(read(author.get(f"/rule-drafts/{row.id}")))


def test_where_a_replay_is_required_nothing_is_approved_without_one(author, reviewer, bench, replays, person):  # noqa: F811
    admin = person("system_admin")
    with bench.database.writing() as session:
        parameter.change(session, admin, "rule_replay_required", "true", 0)
    replays.decided(["15"])
    row = bench.submitted()
    page = read(reviewer.get(f"/rule-drafts/{row.id}"))
    assert "还没有对历史办件回放" in words(page)
    refused = reviewer.post(f"/rule-drafts/{row.id}/approve", {"opinion": ""})
    assert "还没有对历史办件回放" in words(read(refused, 422).select_one(".summary"))
    replayed(reviewer, bench, replays, row)
    assert reviewer.post(f"/rule-drafts/{row.id}/approve", {"opinion": ""}).status_code == 303


def test_why_lists_every_rule_the_facts_and_the_same_answer_again(author, bench, replays):  # noqa: F811
    stored = replays.decided(["5"])[0]
    page = read(author.get(f"/rule-decisions/{stored.id}"))
    assert heading(page) == "为什么：停办"
    assert "仍是“停办”" in words(page) and "5.00 平方米" in words(page)
    assert words(read(author.get(link(page, "当时的规则版本"))).h1) == "样例警戒线"


def test_what_if_changes_a_fact_or_the_edition(author, bench, replays):  # noqa: F811
    stored = replays.decided(["15"])[0]
    row = bench.drafted()
    path = f"/rule-decisions/{stored.id}"
    altered = read(author.get(path, params={"against": "", "f-area_m2": "9"}))
    assert "停办" in [words(each) for each in altered.select("#what-if .tag")]
    by_draft = read(author.get(path, params={"against": f"draft:{row.id}"}))
    assert [words(each) for each in by_draft.select("#what-if .cols-2 .tag")][1] == "停办"
    refused = read(author.get(path, params={"against": "", "f-area_m2": "九"}), 422)
    assert "没有试算" in words(refused.select_one(".summary"))


def test_a_decision_becomes_a_golden_case_with_the_outcome_of_the_article(author, bench, replays):  # noqa: F811
    stored = replays.decided(["5"])[0]
    row = bench.drafted()
    path = f"/rule-decisions/{stored.id}/golden/{row.id}"
    form = read(author.get(path)).select_one("form[action$='" + path + "']")
    refused = author.post(path, fields_of(form))
    assert refused.status_code == 422
    assert author.post(path, {**fields_of(form), "name": "实际办件", "why": "样例第一条", "outcome": "stop"}).status_code == 303
    kept = bench.rows(select(RuleDraft))[0]
    assert "实际办件" in kept.text and kept.golden["cases"] == 4


def test_use_says_how_often_it_was_asked_and_refused_and_why(author, bench, replays):  # noqa: F811
    today = bench.now().date()
    replays.decided(["5", "6", "15"], on=today)
    page = read(author.get(f"/rules/{KEY}/use"))
    assert "问过 3 次，不放行 2 次" in words(page) and "below" in words(page)
    assert author.get(f"/rules/{KEY}/use", params={"month": "now"}).status_code == 422


def test_others_see_no_decision_beyond_their_scope(bench, replays, person, sign_in):  # noqa: F811
    stored = replays.decided(["5"])[0]
    reader = sign_in(person("reviewer", district="310118"))
    assert reader.get(f"/rule-decisions/{stored.id}").status_code == 404
    assert reader.get("/rule-replays/1").status_code == 403


def test_the_pages_keep_their_budget_of_statements(author, bench, replays):  # noqa: F811
    stored = replays.decided([str(number) for number in range(1, 31)])[0]
    row = bench.drafted()
    path = replayed(author, bench, replays, row)
    found = {}
    for each in (path, f"/rule-decisions/{stored.id}", f"/rule-drafts/{row.id}", f"/rules/{KEY}/use"):
        author.get(each)
        with counted(bench.database) as statements:
            assert author.get(each).status_code == 200
        found[each] = len(statements)
    assert {each: count for each, count in found.items() if count > 15} == {}
