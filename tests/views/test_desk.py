"""The desk: boxes, filters, order, pages, saved filters, jobs; and that a list costs the same whatever its length."""

from contextlib import contextmanager
from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from sqlalchemy import event
from sqlmodel import select

from domain.case import inbox, index
from domain.case.tables import Case, SavedFilter, Task
from domain.job import Job
from domain.portal_clock import now
from tests.domain.case.conftest import applicant, filing, office, officers, tree_office  # noqa: F401

# The gate asks a demo database for its date; the list itself may ask six times.
MOST_STATEMENTS = 7


def soup(response):
    return BeautifulSoup(response.text, "html.parser")


def names_of(response):
    return [row.select_one("a").text for row in soup(response).select("tbody tr")]


@contextmanager
def counted(database):
    """The statements that one or more requests send, without those that open and close transactions."""
    seen = []

    def note(_connection, _cursor, statement, *_rest):
        if statement.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            seen.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def make_cases(database, applicant):  # noqa: F811
    """Make filed cases of one district, each with a free task at the window."""

    def make(count, district="310118", **changed):
        with database.writing() as session:
            at, made = now(), []
            for number in range(count):
                values = {"project_name": f"工程{number + 1:03}", "area": str(100 + number), "district": district}
                case = Case(
                    draft_number=f"TP-{district}-{number}-{id(changed)}", case_type="tree_permit", edition="2026-01-01",
                    title=values["project_name"], status="open", district_code=district, organisation_id=applicant.organisation_id,
                    applicant_id=applicant.person_id, values=values, steps="window", created_at=at, changed_at=at,
                    submitted_at=at - timedelta(days=number), **changed,
                )
                session.add(case)
                session.flush()
                session.add(Task(case_id=case.id, step="window", role="window", district_code=district, created_at=at))
                index.rewrite(session, case)
                made.append(case.id)
            session.commit()
        return made

    return make


def test_the_desk_shows_what_the_person_may_take_and_nothing_of_another_district(make_cases, officers, sign_in):  # noqa: F811
    make_cases(2)
    make_cases(1, "310115", light="red")
    response = sign_in(officers["window"]).get("/desk")
    assert sorted(names_of(response)) == ["工程001", "工程002"]
    page = soup(response)
    assert page.select_one(".index a[aria-current]").text.split() == ["待办", "2"]
    assert [b.text for b in page.select(".lamps b")] == ["0", "0", "0", "0", "0"]


def test_an_empty_box_says_why_and_where_to_go(officers, sign_in):  # noqa: F811
    page = soup(sign_in(officers["window"]).get("/desk"))
    assert "没有待办" in page.select_one(".empty").text
    assert page.select_one(".empty a")["href"] == "/desk?box=doing"


@pytest.mark.parametrize("path", ["/desk", "/desk?type=tree_permit&box=todo", "/cases", "/cases?q=工程"])
def test_a_list_sends_the_same_few_statements_for_one_row_and_for_fifty(make_cases, officers, sign_in, database, path):  # noqa: F811
    browser = sign_in(officers["window"])
    make_cases(1)
    browser.get(path)
    with counted(database) as for_one:
        assert len(names_of(browser.get(path))) == 1
    make_cases(59)
    browser.get(path)  # The gate looks the person up anew after ten seconds, which is no statement of the list.
    with counted(database) as for_fifty:
        assert len(names_of(browser.get(path))) == 50
    assert len(for_one) == len(for_fifty) <= MOST_STATEMENTS


def test_pages_follow_each_other_without_gap_or_repetition(make_cases, officers, sign_in):  # noqa: F811
    make_cases(120)
    browser, path, seen = sign_in(officers["window"]), "/desk?box=todo&sort=title", []
    while path:
        page = soup(browser.get(path))
        seen.append([row.select_one("a").text for row in page.select("tbody tr")])
        following = page.select_one("a[rel=next]")
        path = following["href"] if following else None
    assert [len(rows) for rows in seen] == [50, 50, 20]
    assert [name for rows in seen for name in rows] == [f"工程{number:03}" for number in range(1, 121)]
    back = soup(browser.get(page.select_one("a[rel=prev]")["href"]))
    assert [row.select_one("a").text for row in back.select("tbody tr")] == seen[1]


def test_rows_without_a_date_come_last_and_the_pages_still_meet(make_cases, officers, sign_in, database):  # noqa: F811
    ids = make_cases(60)
    with database.writing() as session:
        for number, case_id in enumerate(ids[:30]):
            session.get(Case, case_id).due_on = now().date() + timedelta(days=number)
        session.commit()
    browser, seen = sign_in(officers["window"]), []
    page = soup(browser.get("/desk?box=todo&sort=due_on"))
    seen += [row.select_one("a").text for row in page.select("tbody tr")]
    page = soup(browser.get(page.select_one("a[rel=next]")["href"]))
    seen += [row.select_one("a").text for row in page.select("tbody tr")]
    assert seen[:30] == [f"工程{number:03}" for number in range(1, 31)]
    assert sorted(seen) == sorted({f"工程{number:03}" for number in range(1, 61)})


@pytest.mark.parametrize(
    "query, expected",
    [
        ("f_area_from=103", ["工程004", "工程005"]),
        ("f_area_until=100.99", ["工程001"]),
        ("f_area_from=101&f_area_until=102", ["工程002", "工程003"]),
        ("f_project_name=程00", ["工程001", "工程002", "工程003", "工程004", "工程005"]),
        ("f_project_name=工程003", ["工程003"]),
        ("q=工程005", ["工程005"]),
        ("light=red", []),
        ("status=suspended", []),
        ("step=window", ["工程001", "工程002", "工程003", "工程004", "工程005"]),
        ("step=review", []),
    ],
)
def test_a_filter_leaves_the_rows_that_fit(make_cases, officers, sign_in, query, expected):  # noqa: F811
    make_cases(5)
    response = sign_in(officers["window"]).get(f"/desk?box=todo&type=tree_permit&sort=title&{query}")
    assert response.status_code == 200
    assert names_of(response) == expected if expected else "没有符合条件的办件" in response.text


@pytest.mark.parametrize(
    "query, words",
    [("from=不是日期", "不能识别"), ("sort=password_hash", "不能按所选的列排序"), ("type=nothing", "没有所选的事项"),
     ("type=tree_permit&f_area_from=很多", "不是数字"), ("after=x.y", "翻页的位置"), ("q=。。", "没有可以检索的字"),
     ("type=tree_permit&f_area_from=1e999", "超出可以查询的范围")],
)
def test_a_broken_filter_is_refused_and_says_why(officers, sign_in, query, words):  # noqa: F811
    response = sign_in(officers["window"]).get(f"/desk?box=todo&{query}")
    assert response.status_code == 422
    assert words in response.text


def test_chosen_columns_are_shown_and_others_are_not(make_cases, officers, sign_in):  # noqa: F811
    make_cases(1)
    page = soup(sign_in(officers["window"]).get("/desk?type=tree_permit&box=todo&col=title&col=f_area"))
    assert [head.text for head in page.select("thead th")] == ["选择", "项目", "占用面积（平方米）"]
    assert page.select_one("tbody td.num").text == "100.00"


def test_a_lamp_filters_and_its_number_stays(make_cases, officers, sign_in):  # noqa: F811
    make_cases(3, light="yellow")
    make_cases(2, light="red")
    page = soup(sign_in(officers["window"]).get("/desk?box=todo&light=red"))
    assert [b.text for b in page.select(".lamps b")] == ["0", "2", "3", "0", "0"]
    assert len(page.select("tbody tr")) == 2
    assert page.select_one(".lamps a[aria-current]")["href"] == "/desk?box=todo"


def test_a_filter_is_saved_opened_by_default_renamed_and_deleted(make_cases, officers, sign_in, database):  # noqa: F811
    make_cases(3, light="yellow")
    browser = sign_in(officers["window"])
    form = soup(browser.get("/desk/filters/new?list=desk&light=red&q=工程"))
    query = form.select_one("input[name=query]")["value"]
    saved = browser.post("/desk/filters/new", {"list": "desk", "name": "红灯", "query": query})
    assert saved.status_code == 303
    page = soup(browser.get(saved.headers["location"]))
    assert "红灯" in page.select_one(".index a[aria-current]").text
    with database.reading() as session:
        filter_id = session.exec(select(SavedFilter.id)).one()
    browser.post(f"/desk/filters/{filter_id}", {"name": "红灯件", "is_default": "yes"})
    opened = browser.get("/desk", follow_redirects=False)
    assert opened.status_code == 303 and "light=red" in opened.headers["location"]
    browser.post(f"/desk/filters/{filter_id}/delete")
    assert browser.get("/desk", follow_redirects=False).status_code == 200


@pytest.mark.parametrize("name, words", [("", "1 到 30 字"), ("长" * 31, "1 到 30 字"), ("红灯", "已有同名的视图")])
def test_a_filter_name_that_cannot_be_kept_comes_back_with_the_reason(officers, sign_in, name, words):  # noqa: F811
    browser = sign_in(officers["window"])
    browser.post("/desk/filters/new", {"list": "desk", "name": "红灯", "query": "light=red"})
    response = browser.post("/desk/filters/new", {"list": "desk", "name": name, "query": "light=red"})
    assert response.status_code == 422
    assert words in soup(response).select_one(".summary").text


def test_nobody_sees_or_changes_the_filter_of_another(officers, sign_in, database):  # noqa: F811
    sign_in(officers["window"]).post("/desk/filters/new", {"list": "desk", "name": "红灯", "query": "light=red"})
    with database.reading() as session:
        filter_id = session.exec(select(SavedFilter.id)).one()
    stranger = sign_in(officers["reviewer"])
    assert stranger.get(f"/desk/filters/{filter_id}").status_code == 404
    assert stranger.post(f"/desk/filters/{filter_id}/delete").status_code == 404


def test_an_applicant_has_no_desk(applicant, sign_in):  # noqa: F811
    assert sign_in(applicant).get("/desk").status_code == 403
    assert sign_in(applicant).get("/cases").status_code == 403


def test_an_export_is_a_job_of_its_owner_alone(make_cases, officers, sign_in, database):  # noqa: F811
    make_cases(2)
    browser = sign_in(officers["window"])
    queued = browser.post("/cases/export", {"box": "todo", "type": "tree_permit", "sort": "title"})
    assert queued.status_code == 303
    waiting = soup(browser.get(queued.headers["location"]))
    assert "排队中" in waiting.select_one(".job").text
    assert waiting.h1.text.strip() == "导出办件", "the card renews itself, the title does not"
    assert sign_in(officers["reviewer"]).get(queued.headers["location"]).status_code == 404
    assert browser.get(queued.headers["location"] + "/result").status_code == 404
    with database.reading() as session:
        job = session.exec(select(Job)).one()
    assert (job.kind, job.owner_id) == ("case_export", officers["window"].person_id)
    assert job.arguments["query"]["box"] == "todo"


def test_the_counts_of_boxes_are_those_of_the_boxes(make_cases, officers, database, filing):  # noqa: F811
    make_cases(3)
    filing.submitted()
    filing.act(officers["window"], "window", "accept")
    with database.reading() as session:
        counts = inbox.counts(session, officers["window"], inbox.CaseQuery(), inbox.BOXES[:3])
        listed = {
            box: len(inbox.page(session, officers["window"], inbox.CaseQuery(box=box)).rows) for box in inbox.BOXES[:3]
        }
    assert counts.boxes == listed == {"todo": 3, "doing": 1, "done": 1}
