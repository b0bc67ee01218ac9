"""The rules workbench on screen: from the library over a draft to an edition in force, and back."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlmodel import select

from domain import parameter, portal_clock
from domain.rule_edition import review
from domain.rule_edition.tables import RuleConflict, RuleDraft, RuleEdition
from tests.domain.rule_edition.conftest import HIGHER, HIGHEST, KEY, TEXT, bench, office  # noqa: F401
from tests.domain.rule_replay.conftest import replays  # noqa: F401
from tests.views.reading import fields_of, heading, link, read, words
from tests.views.test_desk import counted

WITH_RATIO = """\
key: sample_line
title: 样例警戒线
kind: warning_line
edition: {from: 2026-01-01, until: null}   # 版本
facts:
  area_m2: {type: decimal, unit: m2, label: 面积, min: "0"}
parameters:
  ratio: {value: "0.10", unit: "1", label: 警戒比例, basis: 样例第一条, default: true, min: "0", max: "1"}
derived:
  margin_m2: {expr: area_m2 - ratio * area_m2, unit: m2, label: 高出}
rules:
  - {key: below, label: 面积过小, basis: 样例, when: {fact: area_m2, below: 10}, then: {outcome: stop, message: "面积 {area_m2} 过小"}}
cases:
  - {name: 等于, on: 2026-06-30, given: {area_m2: "10"}, expect: {outcome: none}}
  - {name: 低一步, on: 2026-06-30, given: {area_m2: "9.99"}, expect: {outcome: stop, rule: below}}
  - {name: 高一步, on: 2026-06-30, given: {area_m2: "10.01"}, expect: {outcome: none}}
"""


@pytest.fixture
def author(bench, sign_in):  # noqa: F811
    return sign_in(bench.author)


@pytest.fixture
def reviewer(bench, sign_in):  # noqa: F811
    return sign_in(bench.reviewer)


def newest(bench, model):  # noqa: F811
    return bench.rows(select(model).order_by(model.id.desc()))[0]


def opened(bench, author):  # noqa: F811
    """A draft opened from the page of the set; its address."""
    page = read(author.get(f"/rules/{KEY}"))
    form = page.select_one(f"form[action='/rules/{KEY}/draft']")
    assert author.post(form["action"], fields_of(form)).status_code == 303
    return f"/rule-drafts/{newest(bench, RuleDraft).id}"


def send(browser, path, action=None, status=303, **changed):
    """Fill the form of a page (the one with this action) and send it; the answer."""
    page = read(browser.get(path))
    form = page.select_one(f"form[action='{action or path}']")
    assert form is not None, [each["action"] for each in page.select("form[action]")]
    answer = browser.post(action or path, {**fields_of(form), **changed})
    assert answer.status_code == status, words(read(answer, answer.status_code))
    return answer


def typed(browser, draft, text):
    return send(browser, f"{draft}/yaml", text=text)


def test_every_view_of_a_set_opens(author, bench):  # noqa: F811
    bench.published()
    for tab in ("", "/table", "/parameters", "/cases", "/yaml", "/editions", "/use"):
        page = read(author.get(f"/rules/{KEY}{tab}"))
        assert "样例警戒线" in heading(page), tab
    assert author.get(f"/rules/{KEY}/nothing").status_code == 404
    assert "低于 20.00 m²" in words(read(author.get(f"/rules/{KEY}/table")).select_one("#rule-below"))


@pytest.mark.function("PROJ-062", "history_traced")
def test_the_difference_of_any_two_editions_is_told_in_sentences(author, bench):  # noqa: F811
    bench.published(HIGHER)
    bench.published(HIGHEST)
    first, *_rest = bench.rows(select(RuleEdition).order_by(RuleEdition.id))
    last = newest(bench, RuleEdition)
    page = read(author.get(f"/rules/{KEY}/editions", params={"from": first.id, "to": last.id}))
    told = next(each for each in page.select(".diff li") if "限值" in words(each))
    assert (words(told.select_one("del")), words(told.select_one("ins"))) == ("10.00 m²", "30.00 m²")
    assert "甲（样例）起草，乙（样例）复核" in words(page)
    old = read(author.get(f"/rules/{KEY}", params={"edition": first.digest}))
    assert "10.00" in words(old.select_one(".prose-rule"))


def test_the_library_is_searched_by_words_fact_kind_and_state(author, bench):  # noqa: F811
    def found(**asked):
        return heading(read(author.get("/rules", params=asked)))

    assert found(q="过小").startswith("规则1套") and found(q="不存在").startswith("规则0套")
    assert found(fact="面积") == found(fact="area_m2") == "规则1套" and found(parameter="比例") == "规则0套"
    assert found(kind="warning_line") == "规则1套" and found(kind="light") == "规则0套"
    assert found(state="draft") == "规则0套"
    bench.drafted()
    assert found(state="draft") == "规则1套"
    assert "甲（样例），起草中" in words(read(author.get("/rules")))


def test_the_library_tells_the_use_of_the_month_and_sorts_by_it(author, replays, bench):  # noqa: F811
    bench.published()
    with bench.database.reading() as session:
        day = portal_clock.today(session)
    replays.decided(["5", "15", "25"], day)  # the published limit is 20
    row = next(each for each in read(author.get("/rules")).select("tbody tr") if KEY in words(each))
    assert (words(row.select_one("[data-label=本月问过]")), words(row.select_one("[data-label=不放行]"))) == ("3", "2")
    page = read(author.get("/rules", params={"sort": "-uses", "kind": "warning_line"}))
    head = next(each for each in page.select("th") if "本月问过" in words(each))
    assert head["aria-sort"] == "descending" and "sort=uses" in head.select_one("a")["href"]
    assert "kind=warning_line" in head.select_one("a")["href"]


def test_others_read_rules_and_change_none(bench, person, sign_in):  # noqa: F811
    reader = sign_in(person("reviewer", district="310118"))
    page = read(reader.get(f"/rules/{KEY}"))
    assert not page.select("form[action$='/draft']")
    assert reader.post(f"/rules/{KEY}/draft").status_code == 403
    assert reader.get("/rule-drafts").status_code == 403


@pytest.mark.function("PROJ-062", "edited_visually")
def test_a_parameter_is_changed_in_its_field_and_nothing_else_of_the_text(author, bench):  # noqa: F811
    draft = opened(bench, author)
    typed(author, draft, WITH_RATIO)
    send(author, f"{draft}/parameters", **{"value.ratio": "0.12", "confirmed.ratio": "true"})
    text = newest(bench, RuleDraft).text
    assert text == WITH_RATIO.replace('"0.10"', '"0.12"').replace(", default: true", "")
    send(author, f"{draft}/parameters", **{"new_from.ratio": "2026-10-01", "new_value.ratio": "0.15"})
    page = read(author.get(f"{draft}/parameters"))
    assert [each["value"] for each in page.select("input[name^='from.ratio.']")] == ["0.12", "0.15"]
    refused = read(send(author, f"{draft}/parameters", status=422, **{"from.ratio.2026-10-01": "1.5"}), 422)
    assert "不大于" in words(refused.select_one(".summary"))


def test_an_autosave_answers_with_what_was_found_and_leaves_the_fields_alone(author, bench):  # noqa: F811
    draft = opened(bench, author)
    page = read(author.get(f"{draft}/yaml"))
    fields = {**fields_of(page.select_one("form[hx-post]")), "text": HIGHER.replace("outcome: stop,", "outcome: stopp,")}
    answer = author.post(f"{draft}/yaml", fields, headers={"HX-Request": "true"})
    fragment = read(answer)
    assert "已自动保存" in words(fragment) and not fragment.select("textarea")
    assert fragment.select_one("#draft-version[hx-swap-oob]")["value"] == str(newest(bench, RuleDraft).version)
    assert "stopp" in words(fragment.select_one("#findings"))
    link = next(each["href"] for each in fragment.select("#findings a") if "#line-" in each["href"])
    assert read(author.get(f"{draft}/yaml")).select_one("#" + link.partition("#")[2]) is not None
    stale = author.post(f"{draft}/yaml", fields, headers={"HX-Request": "true"})
    assert "没有保存" in words(read(stale))


@pytest.mark.function("PROJ-062", "edited_visually")
def test_a_rule_is_changed_added_and_removed_in_forms(author, bench):  # noqa: F811
    draft = opened(bench, author)
    send(author, f"{draft}/rules/below", **{"t0-limit": "20", "message": "面积 {area_m2} 不足"})
    assert newest(bench, RuleDraft).text == TEXT.replace("below: 10}", "below: 20}").replace("过小", "不足")
    send(author, f"{draft}/rules/new", **{
        "key": "near", "label": "接近", "basis": "样例第二条", "outcome": "warn", "message": "接近",
        "t0-subject": "area_m2", "t0-operator": "between", "t0-kind": "constant", "t0-limit": "20、30"})  # fmt: skip
    page = read(author.get(f"{draft}/rules"))
    assert "介于 20.00 m²" in words(page.select_one("#rule-near"))
    send(author, f"{draft}/rules/near", act="remove")
    assert read(author.get(f"{draft}/rules")).select_one("#rule-near") is None
    refused = send(author, f"{draft}/rules/below", status=422, **{"t0-limit": "二十"})
    assert "二十" in words(read(refused, 422).select_one(".summary"))


def test_a_failing_golden_case_is_shown_corrected_and_keeps_a_draft_from_review_until_then(author, bench):  # noqa: F811
    draft = opened(bench, author)
    send(author, f"{draft}/rules/below", **{"t0-limit": "20"})
    page = read(author.get(f"{draft}/cases"))
    failed = [row for row in page.select("tbody tr") if "不符" in words(row)]
    assert {words(row.select_one("a")) for row in failed} == {"等于", "高一步"}
    refused = read(send(author, draft, f"{draft}/submit", status=422, why="样例改动"), 422)
    assert "没有通过" in words(refused.select_one(".summary"))
    for number, area in ((1, "20"), (2, "19.99"), (3, "20.01")):
        send(author, f"{draft}/cases/{number}", **{"given-area_m2": area})
    send(author, draft, f"{draft}/submit", why="样例改动")
    assert newest(bench, RuleDraft).state == "in_review"


def test_boundary_cases_are_proposed_and_taken_in_with_the_outcome_of_the_article(author, bench):  # noqa: F811
    draft = opened(bench, author)
    typed(author, draft, "\n".join(line for line in TEXT.splitlines() if "高一步" not in line) + "\n")
    page = read(author.get(f"{draft}/cases"))
    form = page.select_one(f"li form[action='{draft}/cases']")
    refused = author.post(form["action"], fields_of(form))
    assert "没有选应得的结论" in words(read(refused, 422).select_one(".summary"))
    assert author.post(form["action"], {**fields_of(form), "outcome": "none"}).status_code == 303
    assert not read(author.get(f"{draft}/cases")).select("li form") and newest(bench, RuleDraft).findings == []


def test_a_workbook_goes_out_and_comes_back_with_one_cell_changed(author, bench):  # noqa: F811
    draft = opened(bench, author)
    typed(author, draft, WITH_RATIO)
    book = load_workbook(io.BytesIO(author.get(f"{draft}/workbook.xlsx").content))
    sheet = next(each for each in book if any("ratio" == row[0].value for row in each.iter_rows(min_row=2)))
    row = next(row for row in sheet.iter_rows(min_row=2) if row[0].value == "ratio")
    cell = next(cell for cell in row if str(cell.value) in ("0.10", "0.1"))
    cell.value = "0.12"
    changed = io.BytesIO()
    book.save(changed)

    def upload():
        fields = fields_of(read(author.get(f"{draft}/workbook")).select_one("form[enctype]"))
        return author.post(f"{draft}/workbook", fields, files={"file": ("改.xlsx", changed.getvalue())})

    assert upload().status_code == 303
    assert newest(bench, RuleDraft).text == WITH_RATIO.replace('"0.10"', '"0.12"')
    again = read(upload(), 422)
    assert "下载之后" in words(again.select_one(".summary")) and newest(bench, RuleDraft).text == WITH_RATIO.replace('"0.10"', '"0.12"')


def test_a_draft_locked_by_another_says_since_when_and_cannot_be_changed(author, reviewer, bench):  # noqa: F811
    draft = opened(bench, author)
    page = read(reviewer.get(draft))
    assert "甲（样例）自" in words(page) and not page.select(f"form[action='{draft}/submit']")
    assert read(reviewer.get(f"{draft}/yaml")).select_one("textarea")["readonly"] is not None
    send(author, draft, f"{draft}/release")
    send(reviewer, draft, f"{draft}/take-over")
    assert newest(bench, RuleDraft).lock_name == "乙（样例）"


@pytest.mark.function("PROJ-062", "edited_visually", "in_force_at_once")
def test_the_second_person_approves_and_publication_is_at_once(author, reviewer, bench):  # noqa: F811
    draft = opened(bench, author)
    typed(author, draft, HIGHER)
    send(author, draft, f"{draft}/submit", why="样例改动")
    assert not read(author.get(draft)).select(f"form[action='{draft}/approve']")
    assert "待你复核1份" in heading(read(reviewer.get("/rule-drafts")))
    send(reviewer, draft, f"{draft}/approve", opinion="同意")
    assert bench.outcome(15) == "none"
    send(author, draft, f"{draft}/publish")
    assert bench.outcome(15) == "stop"
    assert "已发布" in words(read(author.get(draft)))


def test_a_returned_draft_says_why_and_may_be_changed_again(author, reviewer, bench):  # noqa: F811
    draft = opened(bench, author)
    typed(author, draft, HIGHER)
    send(author, draft, f"{draft}/submit", why="样例改动")
    answer = reviewer.post(f"{draft}/return", {"opinion": ""})
    assert "写明退回的意见" in words(read(answer, 422).select_one(".summary"))
    assert reviewer.post(f"{draft}/return", {"opinion": "缺依据"}).status_code == 303
    page = read(author.get(draft))
    assert "缺依据" in words(page) and page.select(f"form[action='{draft}/submit']")


def test_a_discard_asks_for_the_reason(author, bench):  # noqa: F811
    draft = opened(bench, author)
    assert "写明作废的理由" in words(read(send(author, f"{draft}/discard", status=422, why=""), 422))
    send(author, f"{draft}/discard", why="重做")
    assert newest(bench, RuleDraft).state == "discarded"


def test_a_new_set_begins_as_yaml(author, bench):  # noqa: F811
    refused = read(send(author, "/rule-drafts/new", status=422, key="Bad Key", title="", kind=""), 422)
    assert len(refused.select(".summary li")) == 3
    send(author, "/rule-drafts/new", key="other_line", title="另一条线", kind="warning_line")
    row = newest(bench, RuleDraft)
    assert (row.key, row.base_id) == ("other_line", None)
    assert read(author.get(f"/rule-drafts/{row.id}")).select("#findings .no")


def test_a_roll_back_is_asked_for_with_its_difference_and_reason(author, bench):  # noqa: F811
    first = newest(bench, RuleEdition)
    bench.published()
    path = f"/rule-editions/{first.id}/roll-back"
    assert "20" in words(read(author.get(path)).select_one(".diff del"))
    assert "理由" in words(read(send(author, path, status=422, way="now", why=""), 422).select_one(".summary"))
    send(author, path, way="now", why="比例有误")
    assert bench.outcome(15) == "none"
    assert "已回退" in words(read(author.get(f"/rules/{KEY}/editions")))


def test_where_two_are_asked_for_a_roll_back_is_a_draft(author, bench, database, person):  # noqa: F811
    first = newest(bench, RuleEdition)
    bench.published()
    admin = person("system_admin")
    with database.writing() as session:
        parameter.change(session, admin, "rule_roll_back_alone", "false", 0)
    page = read(author.get(f"/rule-editions/{first.id}/roll-back"))
    assert [button["value"] for button in page.select("button[name=way]")] == ["draft"]
    send(author, f"/rule-editions/{first.id}/roll-back", way="draft", why="比例有误")
    assert newest(bench, RuleDraft).rolls_back_to == first.id


def test_a_conflict_shows_both_sides_and_the_choice_is_kept(author, bench):  # noqa: F811
    bench.published(HIGHER)
    bench.sync()
    bench.file(HIGHEST)
    bench.published(TEXT.replace("below: 10}", "below: 40}").replace('"10"', '"40"').replace("9.99", "39.99").replace("10.01", "40.01"))
    bench.sync()
    row = newest(bench, RuleConflict)
    path = f"/rule-files/conflicts/{row.id}"
    assert "冲突1处" in heading(read(author.get("/rule-files")))
    assert "都改过" in words(read(author.get("/rules")).select_one(".notice"))
    page = read(author.get(path))
    assert page.select(".diff") and len(page.select("pre.code")) == 2
    assert "理由" in words(read(send(author, path, f"{path}/keep-published", status=422, why=""), 422).select_one(".summary"))
    send(author, path, f"{path}/keep-published", why="以门户为准")
    assert newest(bench, RuleConflict).state == "kept"
    assert "以门户为准" in words(read(author.get(path)))


def test_the_pages_keep_their_budget_of_statements(author, bench):  # noqa: F811
    draft = opened(bench, author)
    found = {}
    for path in ("/rules", "/rule-drafts", f"/rules/{KEY}", f"/rules/{KEY}/editions", f"/rules/{KEY}/use", draft, f"{draft}/parameters", f"{draft}/cases"):
        author.get(path)
        with counted(bench.database) as statements:
            assert author.get(path).status_code == 200
        found[path] = len(statements)
    assert {path: count for path, count in found.items() if count > (6 if path in ("/rules", "/rule-drafts") else 15)} == {}


def test_an_approved_draft_whose_base_has_changed_is_refused_in_words(author, bench):  # noqa: F811
    row = bench.approved()
    bench.file(HIGHEST)
    bench.sync()
    in_force = bench.outcome(25)
    page = read(author.post(f"/rule-drafts/{row.id}/publish"), 409)
    assert "起草之后" in words(page.select_one(".summary"))
    assert bench.rows(select(RuleDraft))[0].state == "approved" and bench.outcome(25) == in_force == "stop"


def test_a_publication_on_a_day_is_made_and_cancelled_through_the_forms(author, reviewer, bench):  # noqa: F811
    day = (bench.now() + timedelta(days=3)).date()
    draft = opened(bench, author)
    typed(author, draft, HIGHER)
    send(author, draft, f"{draft}/submit", why="样例改动", start_on=day.isoformat())
    send(reviewer, draft, f"{draft}/approve", opinion="同意")
    assert f"将于 {day} 零时生效" in words(read(author.get(draft)))
    send(author, draft, f"{draft}/publish")
    edition = newest(bench, RuleEdition)
    assert edition.state == "scheduled" and bench.outcome(15) == "none"
    cancel = link(read(author.get(f"/rules/{KEY}/editions")), "取消")
    refused = send(author, cancel, status=422, why=" ")
    assert "理由" in words(read(refused, 422).select_one(".summary"))
    send(author, cancel, why="不再需要")
    assert newest(bench, RuleEdition).state == "set_aside" and bench.outcome(15) == "none"


def with_large_table(count):
    """A set whose line is looked up in a table of so many rows."""
    rows = "".join(f"      {number},{number * 10}\n" for number in range(1, count + 1))
    return WITH_RATIO.replace("facts:\n", f"facts:\n  block: {{type: integer, label: 地块号, min: 1, max: {count}}}\n").replace(
        "rules:\n", "tables:\n  lines:\n    label: 分段线\n    basis: 样例\n    gives: {line_m2: {type: decimal, unit: m2, label: 地块线}}\n"
        f"    rows: |\n      block is,line_m2\n{rows}rules:\n"
        "  - {key: low, label: 低于地块线, basis: 样例, when: {fact: area_m2, below: {fact: line_m2}}, "
        "then: {outcome: stop, message: 低于地块线}}\n", 1,
    )  # fmt: skip


def test_a_table_of_ten_thousand_rows_is_paged_searched_and_edited_row_by_row(author, bench):  # noqa: F811
    draft = opened(bench, author)
    typed(author, draft, with_large_table(10_000))
    table = f"{draft}/rules?table=lines"
    page = read(author.get(table))
    assert "分段线（10,000 行）" in words(page) and len(page.select("tbody tr")) == 50
    last = read(author.get(f"{table}&page=200"))
    assert "改第 10000 行" in words(last) and " 10000 100000 " in words(last)
    found = read(author.get(f"{table}&q=7777"))
    assert link(found, "改第 7777 行") == f"{draft}/tables/lines/7777"
    send(author, f"{draft}/tables/lines/7777", act="save", **{"cell-line_m2": "12345.67"})
    assert "12345.67" in words(read(author.get(f"{table}&q=7777")))
    assert "      7777,12345.67\n" in newest(bench, RuleDraft).text and "      7778,77780\n" in newest(bench, RuleDraft).text
    refused = send(author, f"{draft}/tables/lines/7777", act="save", status=422, **{"cell-line_m2": "很多"})
    assert "很多" in refused.text and "12345.67" in newest(bench, RuleDraft).text
    assert author.get(f"{draft}/tables/lines/10001").status_code == 404


SHARED_NUMBERS = """\
key: limits
title: 样例
numbers:
  smallest: {{label: 下限, unit: m2, basis: 样例, values: [{{from: 2026-01-01, value: "{value}"}}]}}
"""


def test_a_golden_case_that_fails_after_the_approval_stops_the_publication_on_screen(author, bench, tmp_path):  # noqa: F811
    tables = tmp_path / "tables"
    tables.mkdir()
    (tables / "limits.yaml").write_text(SHARED_NUMBERS.format(value="10"), encoding="utf-8")
    bench.office.book._tables = tables
    bench.office.book.reload()
    draft = opened(bench, author)
    shared = TEXT.replace("below: 10}", "below: {param: smallest_m2}}").replace(
        "rules:\n", "parameters: {smallest_m2: {table: limits.smallest, label: 下限}}\nrules:\n"
    )
    typed(author, draft, shared)
    row = newest(bench, RuleDraft)
    row = bench.write(review.submit, row.id, row.version, bench.examined(row), why="改用共用的下限")
    bench.write(review.approve, row.id, bench.examined(row), "同意", actor=bench.reviewer)
    before = [bench.outcome(area) for area in (9, 15)]

    (tables / "limits.yaml").write_text(SHARED_NUMBERS.format(value="20"), encoding="utf-8")
    bench.office.book.reload()
    page = read(author.post(f"{draft}/publish", {}), 422)

    told = words(page.select_one(".summary"))
    assert "没有改变任何规则" in told and "等于" in told
    failed = [each["href"] for each in page.select("a[href*='/cases#case-']")]
    assert failed, "the failing cases are not linked from the page"
    assert read(author.get(failed[0].split("#")[0])).select_one("#" + failed[0].split("#")[1]) is not None
    assert newest(bench, RuleDraft).state == "approved"
    assert [bench.outcome(area) for area in (9, 15)] == before == ["stop", "none"]
