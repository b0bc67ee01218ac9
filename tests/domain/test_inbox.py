"""Lists of cases: boxes, scope, conditions of each kind, order and pages, counts that stop at a limit."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from sqlmodel import select

from domain.actor import SYSTEM
from domain.case import inbox, index, scope
from domain.case.inbox import CaseQuery
from domain.case.tables import Case, Task
from domain.errors import InvalidData, NotFound
from domain.person import Absence
from domain.portal_clock import now
from tests.domain.case.conftest import applicant, filing, office, officers, tree_office  # noqa: F401


@pytest.fixture
def make_case(database, applicant):  # noqa: F811
    """Make one filed case with a free task at the window."""

    def make(title, district="310118", is_free=True, **values):
        columns = {key: values.pop(key) for key in ("light", "due_on", "town_code", "status") if key in values}
        with database.writing() as session:
            at = now()
            case = Case(
                draft_number=f"TP-{title}-{district}", case_type="tree_permit", edition="2026-01-01", title=title,
                district_code=district, applicant_id=applicant.person_id, steps="window", created_at=at, changed_at=at,
                submitted_at=at, values={"project_name": title, "cuts_trees": True, **values}, **{"status": "open", **columns},
            )
            session.add(case)
            session.flush()
            if is_free:
                session.add(Task(case_id=case.id, step="window", role="window", district_code=district, created_at=at))
            index.rewrite(session, case)
            session.commit()
            return case.id

    return make


@pytest.fixture
def titles(database):
    """The titles that a query gives to an actor."""

    def ask(actor, **query):
        with database.reading() as session:
            return [row.case.title for row in inbox.page(session, actor, CaseQuery(**{"sort": "title", **query})).rows]

    return ask


@pytest.mark.parametrize(
    "condition, expected",
    [
        (("area", "from", Decimal(100)), ["中", "大"]),
        (("area", "until", Decimal(100)), ["中", "小"]),
        (("area", "is", Decimal(100)), ["中"]),
        (("start_on", "from", date(2026, 12, 2)), ["大"]),
        (("start_on", "until", date(2026, 12, 1)), ["中"]),
        (("project_name", "contains", "中"), ["中"]),
        (("project_name", "starts", "大"), ["大"]),
        (("project_name", "is", "中"), ["中"]),
        (("area", "from", Decimal("100.01")), ["大"]),
    ],
)
def test_a_condition_on_a_field_is_exact_at_its_limit(make_case, officers, titles, condition, expected):  # noqa: F811
    make_case("小", area="99.99")
    make_case("中", area="100", start_on="2026-12-01")
    make_case("大", area="101", start_on="2026-12-02")
    assert sorted(titles(officers["window"], fields=(condition,))) == sorted(expected)


@pytest.mark.parametrize("asked, fits", [("H-11", True), ("h", True), ("11", True), ("1", False), ("工业", True), ("业工", False)])
def test_contains_finds_chinese_anywhere_and_other_words_whole(make_case, officers, titles, asked, fits):  # noqa: F811
    make_case("H-11 工业地块")
    assert bool(titles(officers["window"], fields=(("project_name", "contains", asked),))) is fits


def test_percent_and_underscore_are_plain_characters(make_case, officers, titles):  # noqa: F811
    make_case("完成 50% 的工程")
    make_case("完成 500 的工程")
    assert titles(officers["window"], fields=(("project_name", "starts", "完成 50%"),)) == ["完成 50% 的工程"]


def test_a_draft_is_in_nobody_elses_list(filing, officers, person, titles):  # noqa: F811
    for actor in (*officers.values(), person("city_viewer")):
        assert titles(actor) == []
        assert titles(actor, box="todo") == []


def test_a_district_sees_its_own_and_the_city_all(make_case, officers, person, titles):  # noqa: F811
    make_case("青浦")
    make_case("浦东", "310115")
    assert titles(officers["reviewer"]) == ["青浦"]
    assert sorted(titles(person("reviewer"))) == ["浦东", "青浦"]
    assert titles(person("system_admin")) == []


def test_a_stand_in_has_the_tasks_of_the_absent_until_the_end(filing, officers, person, titles, database):  # noqa: F811
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    with database.writing() as session:
        task = session.get(Task, filing.task("review"))
        task.status, task.assignee_id, task.reserved_for = "held", officers["reviewer"].person_id, officers["reviewer"].person_id
        session.commit()
    helper = person("town_inspector", district="310115", name="助手")
    assert titles(helper, box="todo") == []
    with database.writing() as session:
        session.add(Absence(person_id=officers["reviewer"].person_id, delegate_id=helper.person_id, reason="病假",
                            from_at=now() - timedelta(hours=1), until_at=now() + timedelta(hours=1)))
        session.commit()
    from domain.person import actor_of

    with database.reading() as session:
        standing_in = actor_of(session, helper.person_id)
    assert titles(standing_in, box="todo") == ["泵站工程"]


def test_boxes_follow_a_case_from_hand_to_hand(filing, officers, titles):  # noqa: F811
    filing.submitted()
    window, reviewer = officers["window"], officers["reviewer"]
    assert (titles(window, box="todo"), titles(reviewer, box="todo")) == (["泵站工程"], [])
    filing.act(window, "window", "accept")
    assert (titles(window, box="todo"), titles(window, box="doing"), titles(window, box="done")) == ([], ["泵站工程"], ["泵站工程"])
    assert titles(reviewer, box="todo") == ["泵站工程"]


def test_counts_agree_with_the_rows_and_stop_at_the_limit(make_case, officers, database, monkeypatch):  # noqa: F811
    for number in range(5):
        make_case(f"工程{number}", light="red" if number < 2 else "green")
    window = officers["window"]
    with database.reading() as session:
        counts = inbox.counts(session, window, CaseQuery(box="todo"), ("todo", "done"))
        narrowed = inbox.counts(session, window, CaseQuery(box="todo", light="red"))
    assert (counts.boxes, counts.lights, counts.total) == ({"todo": 5, "done": 0}, {"red": 2, "green": 3}, 5)
    assert (narrowed.lights, narrowed.total) == ({"red": 2, "green": 3}, 2)
    monkeypatch.setattr(inbox, "COUNT_LIMIT", 3)
    with database.reading() as session:
        page = inbox.page(session, window, CaseQuery(box="todo"))
    assert (page.total, page.is_total_exact, len(page.rows)) == (3, False, 5)


@pytest.mark.parametrize("sort", ["due_on", "-due_on", "title", "-title", "id", "-id", "submitted_at", "-changed_at", "number"])
def test_pages_forwards_and_backwards_give_every_row_once(make_case, officers, database, monkeypatch, sort):  # noqa: F811
    monkeypatch.setattr(inbox, "PAGE_ROWS", 2)
    for number in range(7):
        make_case(f"工程{number}", due_on=date(2026, 12, 1 + number) if number % 2 else None)
    window, forwards, after = officers["window"], [], None
    with database.reading() as session:
        while True:
            page = inbox.page(session, window, CaseQuery(sort=sort, after=after))
            forwards.append([row.case.id for row in page.rows])
            if page.next_after is None:
                break
            after = page.next_after
        backwards = [forwards[-1]]
        while page.previous_before is not None:
            page = inbox.page(session, window, CaseQuery(sort=sort, before=page.previous_before))
            backwards.insert(0, [row.case.id for row in page.rows])
    assert [len(rows) for rows in forwards] == [2, 2, 2, 1]
    assert len({case_id for rows in forwards for case_id in rows}) == 7
    assert backwards == forwards


def test_a_row_shows_the_holder_and_the_clock_of_the_case(filing, officers, database):  # noqa: F811
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    from domain.case.operations import claim

    filing.do(claim, officers["reviewer"], filing.task("review"))
    with database.reading() as session:
        [row] = inbox.page(session, officers["reviewer"], CaseQuery(box="todo"), ("area",)).rows
    assert (row.holder, row.task.step, row.clock.key, row.fields["area"]) == ("reviewer", "review", "promise", Decimal("120.50"))


def test_unknown_orders_and_empty_words_are_refused(officers, database):  # noqa: F811
    with database.reading() as session:
        with pytest.raises(InvalidData, match="不能按所选的列排序"):
            inbox.page(session, officers["window"], CaseQuery(sort="values"))
        with pytest.raises(InvalidData, match="没有可以检索的字"):
            inbox.page(session, officers["window"], CaseQuery(words="。，"))


def test_the_parts_of_a_scope_are_apart_and_make_the_whole(make_case, officers, person, database):  # noqa: F811
    """Counting goes part by part: a case in two parts would be counted twice, one in none would be missed."""
    for place in ("310118", "310115", None):
        for status in ("open", "closed", "draft"):
            make_case(f"{place}{status}", place, town_code="310118103" if place == "310118" else None, status=status)
    clerk = person("reviewer", district="310118")
    handler, townsman = person("town_inspector", district="310115"), person("town_inspector", district="310118")
    with database.writing() as session:
        rows = session.exec(select(Case)).all()
        for case in rows[::2]:
            case.created_by = clerk.person_id
        for task in session.exec(select(Task)).all()[::3]:
            task.done_by = handler.person_id
        session.commit()
    townsman = replace(townsman, grants=(replace(townsman.grants[0], town_code="310118103"),))
    actors = [clerk, handler, townsman, *officers.values(), person("city_viewer"), person("system_admin"), SYSTEM]
    with database.reading() as session:
        for actor in actors:
            whole = session.exec(select(Case.id).where(scope.visible(actor))).all()
            parts = [each for part in scope.branches(actor) for each in session.exec(select(Case.id).where(part)).all()]
            assert sorted(parts) == sorted(whole)
            assert sorted(case.id for case in rows if _is_found(session, actor, case.id)) == sorted(whole)


def _is_found(session, actor, case_id):
    try:
        return scope.find(session, actor, case_id) is not None
    except NotFound:
        return False


def test_words_are_looked_up_once_and_very_common_ones_by_the_index(make_case, officers, titles, monkeypatch):  # noqa: F811
    for name in ("给水管一", "给水管二", "燃气管"):
        make_case(name)
    assert titles(officers["window"], words="给水") == ["给水管一", "给水管二"]
    monkeypatch.setattr("domain.case.search.MOST_FOUND", 1)
    assert titles(officers["window"], words="给水") == ["给水管一", "给水管二"]


@pytest.mark.parametrize(("asked", "fitting"), [
    ("给水", {"给水管一号", "给水3水管"}), ("给水管", {"给水管一号"}), ("水管", {"给水管一号", "给水3水管"}), ("管", {"给水管一号", "给水3水管"}),
    ("给水3", {"给水3水管"}), ("3水管", {"给水3水管"}), ("管一号", {"给水管一号"}), ("给管", set()), ("号给", set()),
])
def test_a_word_is_found_where_its_characters_follow_one_another(make_case, officers, titles, asked, fitting):  # noqa: F811
    for name in ("给水管一号", "给水3水管"):
        make_case(name)
    assert set(titles(officers["window"], words=asked)) == fitting
