"""Exports of a case list: what is in the workbook, whose rows, and what happens to dangerous text."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import openpyxl
import pytest

from domain.actor import SYSTEM
from domain.case import export, index
from domain.case.inbox import CaseQuery
from domain.case.tables import Case, Task
from domain.errors import InvalidData, NotAllowed
from domain.job import Job, claim, run
from domain.person import Person, RoleGrant
from domain.portal_clock import now
from tests.domain.case.conftest import applicant, office, tree_office  # noqa: F401


@pytest.fixture
def officer(person):
    return person("window", district="310118", name="顾思齐")


@pytest.fixture
def make_case(database, applicant):  # noqa: F811
    """Make one filed case."""

    def make(title, district="310118", area="120.50", **changed):
        with database.writing() as session:
            at = now()
            case = Case(
                draft_number=f"TP-{title[:20]}-{district}", case_type="tree_permit", edition="2026-01-01", title=title,
                status="open", district_code=district, applicant_id=applicant.person_id, steps="window", created_at=at,
                changed_at=at, values={"project_name": title, "area": area, "cuts_trees": True, "start_on": "2026-12-01"},
                submitted_at=changed.pop("submitted_at", at), **changed,
            )
            session.add(case)
            session.flush()
            session.add(Task(case_id=case.id, step="window", role="window", district_code=district, created_at=at))
            index.rewrite(session, case)
            session.commit()
            return case.id

    return make


@pytest.fixture
def exported(database, office):  # noqa: F811
    """Run the export of a list as the runner does, and open what it made."""

    def act(actor, query=None, columns=()):
        with database.writing() as session:
            export.request_export(session, actor, query or CaseQuery(sort="title"), columns)
        with database.writing() as session:
            job = claim(session, SYSTEM)
        result = run(job, database, office, lambda: False)
        path = office.files.path_of(result.file.digest)
        copy = path.parent / "export.xlsx"
        copy.write_bytes(path.read_bytes())
        return result, openpyxl.load_workbook(copy).active

    return act


def rows_of(sheet):
    return [[cell.value for cell in row] for row in sheet.iter_rows()]


def test_heads_are_words_and_cells_have_their_types(make_case, officer, exported):
    make_case("泵站工程", submitted_at=datetime(2026, 11, 20, 16, 30, tzinfo=UTC), due_on=date(2026, 12, 4))
    columns = ["title", "step", "district", "submitted_at", "due_on", "f_area", "f_start_on"]
    query = CaseQuery(case_type="tree_permit", sort="title")
    result, sheet = exported(officer, query, columns)
    head, row = rows_of(sheet)
    assert head == ["项目", "行政区", "环节", "收件", "到期", "占用面积（平方米）", "开工日期"]
    # 16:30 in UTC is after midnight in Shanghai.
    moment, due = datetime(2026, 11, 21, 0, 30), datetime(2026, 12, 4)  # noqa: DTZ001
    assert row == ["泵站工程", "青浦区", "收件", moment, due, 120.5, datetime(2026, 12, 1)]  # noqa: DTZ001
    assert sheet["F2"].data_type == "n" and sheet["E2"].number_format == "yyyy-mm-dd"
    assert result.document == {"rows": 1}
    assert result.name.startswith("办件清单") and result.name.endswith(".xlsx")


@pytest.mark.parametrize("dangerous", ['=HYPERLINK("http://x")', "+1+1", "-2+3", "@SUM(A1)", "\tx", "=1+1"])
def test_text_that_looks_like_a_formula_stays_text(make_case, officer, exported, dangerous):
    make_case(dangerous)
    _result, sheet = exported(officer, columns=["title"])
    assert sheet["A2"].data_type == "s"
    assert sheet["A2"].value == dangerous
    assert sheet["A2"].quotePrefix


def test_an_export_holds_the_rows_of_its_owner_and_no_others(make_case, officer, exported):
    make_case("青浦一")
    make_case("浦东一", "310115")
    _result, sheet = exported(officer, columns=["title"])
    assert [row[0] for row in rows_of(sheet)[1:]] == ["青浦一"]


def test_the_scope_is_that_of_the_moment_the_job_runs(make_case, officer, database, office):  # noqa: F811
    make_case("青浦一")
    with database.writing() as session:
        export.request_export(session, officer, CaseQuery(), ["title"])
    with database.writing() as session:
        for grant in session.query(RoleGrant).filter_by(person_id=officer.person_id):
            session.delete(grant)
        session.commit()
    with database.writing() as session:
        job = claim(session, SYSTEM)
    assert run(job, database, office, lambda: False).document == {"rows": 0}


def test_a_closed_account_gets_no_export(make_case, officer, database, office):  # noqa: F811
    with database.writing() as session:
        export.request_export(session, officer, CaseQuery(), ["title"])
    with database.writing() as session:
        session.get(Person, officer.person_id).is_active = False
        session.commit()
    with database.writing() as session:
        job = claim(session, SYSTEM)
    with pytest.raises(NotAllowed, match="账号已停用"):
        run(job, database, office, lambda: False)


def test_rows_come_in_the_order_of_the_list_and_over_many_batches(make_case, officer, exported, monkeypatch):
    monkeypatch.setattr(export, "BATCH_ROWS", 3)
    for number in range(10):
        make_case(f"工程{number}")
    _result, sheet = exported(officer, CaseQuery(sort="-title"), ["title"])
    assert [row[0] for row in rows_of(sheet)[1:]] == [f"工程{number}" for number in range(9, -1, -1)]


def test_an_export_without_columns_that_exist_is_refused(officer, database):
    with database.writing() as session, pytest.raises(InvalidData, match="没有选择要导出的列"):
        export.request_export(session, officer, CaseQuery(), ["password_hash"])
    with database.reading() as session:
        assert session.query(Job).count() == 0


def test_a_query_comes_back_from_its_document_as_it_was():
    query = CaseQuery(
        box="todo", words="泵站", case_type="tree_permit", status="open", light="red", district_code="310118", town_code="310118101",
        step="window", submitted_from=date(2026, 1, 1), submitted_until=date(2026, 1, 31), sort="-due_on",
        fields=(("area", "from", Decimal("1.50")), ("start_on", "until", date(2026, 3, 1)), ("name", "contains", "站")),
    )
    assert export.from_document(export.as_document(query)) == query


def test_a_filter_by_date_is_inclusive_at_both_ends(make_case, officer, exported):
    at = datetime(2026, 11, 20, 4, tzinfo=UTC)
    for number in range(4):
        make_case(f"工程{number}", submitted_at=at + timedelta(days=number))
    query = CaseQuery(submitted_from=date(2026, 11, 21), submitted_until=date(2026, 11, 22), sort="title")
    _result, sheet = exported(officer, query, ["title"])
    assert [row[0] for row in rows_of(sheet)[1:]] == ["工程1", "工程2"]
