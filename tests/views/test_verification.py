"""Public verification: every verdict in the title, nothing about people, codes as people type them, a limit per address."""

import pytest
from sqlmodel import select
from starlette.testclient import TestClient

from domain.document.issue import void_document
from domain.document.register import documents_of_case, pdf_of
from domain.document.tables import DocumentVersion
from domain.errors import TooManyRequests
from domain.rate_limit import RateLimit
from tests.domain.case.conftest import applicant, filing, office, officers, tree_office  # noqa: F401
from tests.views.reading import fields_of, heading, read, words


@pytest.fixture
def visitor(app):
    return TestClient(app, base_url="http://testserver", follow_redirects=False)


@pytest.fixture
def paper(filing, officers, database):  # noqa: F811
    """An issued paper with its bytes."""
    filing.submitted().act(officers["window"], "window", "accept")
    with database.reading() as session:
        document, version = documents_of_case(session, filing.id)[0]
        return document, version, b"".join(pdf_of(session, version))


def send(visitor, code="", file=None):
    form = read(visitor.get("/verify")).select_one("form[action='/verify']")
    files = {"file": file} if file else None
    return visitor.post("/verify", data={**fields_of(form), "code": code}, files=files)


@pytest.mark.parametrize("typed", ["{0}", " {0} ", "{0} - ".lower(), "{1}"])
def test_a_code_is_taken_as_it_is_typed(visitor, paper, typed):
    code = paper[1].code
    dashed = "-".join((code[:4], code[4:8].lower(), code[8:]))
    answer = send(visitor, typed.format(code, dashed))
    page = read(visitor.get(answer.headers["location"]))
    assert heading(page) == "登记簿里有这份文书，现在有效" and page.title.text.startswith("登记簿里有这份文书")
    assert "受理通知书" in words(page.select_one(".verdict")) and paper[0].number in words(page.select_one(".verdict"))


def test_the_address_in_the_qr_code_leads_to_the_verdict(visitor, paper):
    assert heading(read(visitor.get(f"/verify/{paper[1].code}"))) == "登记簿里有这份文书，现在有效"


def test_nothing_about_people_is_shown(visitor, paper):
    text = visitor.get(f"/verify/{paper[1].code}").text
    assert "青浦水务" not in text and "申请人甲" not in text and "泵站" not in text


@pytest.mark.parametrize("with_code", [True, False])
def test_the_very_file_is_genuine(visitor, paper, with_code):
    page = read(send(visitor, paper[1].code if with_code else "", ("通知.pdf", paper[2])))
    assert heading(page) == "这份文书是真的，没有被改过"
    assert [words(each) for each in page.select(".verdict-checks .yes")] == ["通过"] * 3


def test_a_changed_file_is_unmasked_by_its_code(visitor, paper):
    page = read(send(visitor, paper[1].code, ("通知.pdf", paper[2] + b"%")))
    assert heading(page) == "这份文件被改过，不要使用"
    assert "内容完整" in words(page.select_one(".verdict-checks li:has(.no)"))


def test_a_strange_file_without_a_code_is_unknown(visitor, paper):
    assert heading(read(send(visitor, "", ("别的.pdf", b"%PDF-1.7 strange")))) == "查不到这份文书"


def test_a_void_paper_is_never_called_good(visitor, paper, officers, database):  # noqa: F811
    with database.writing() as session:
        void_document(session, officers["approver"], paper[0].id, "发错对象")
    for page in (read(visitor.get(f"/verify/{paper[1].code}")), read(send(visitor, "", ("通知.pdf", paper[2])))):
        assert heading(page) == "这份文书已经作废" and page.select_one("svg.seal.genuine") is None


def test_a_replaced_paper_says_so(visitor, paper, filing, officers, database):  # noqa: F811
    from domain.case import papers as case_papers
    from domain.document.issue import regenerate_document
    from domain.document.tables import Document

    filing.fill(officers["reviewer"], "review", visited="true")
    with database.writing() as session:
        case = filing.case
        case.values = {**case.values, "area": "500.00"}
        made = case_papers.order(session, case, "acceptance")
        regenerate_document(session, officers["reviewer"], session.get(Document, paper[0].id).id, made.content, "面积更正")
    assert heading(read(visitor.get(f"/verify/{paper[1].code}"))) == "这份文书已被新版本替代"
    with database.reading() as session:
        fresh = session.exec(select(DocumentVersion).where(DocumentVersion.version_no == 2)).one()
    assert heading(read(visitor.get(f"/verify/{fresh.code}"))) == "登记簿里有这份文书，现在有效"


def test_an_unknown_code_is_not_found_and_what_is_no_code_is_said_at_the_field(visitor, paper):
    assert heading(read(visitor.get("/verify/ABCD2345EFGH"), 404)) == "查不到这份文书"
    page = read(visitor.get("/verify/123"), 422)
    assert "核验码是 12 位" in words(page.select_one("#code-field .error"))


def test_nothing_typed_and_an_empty_file_are_refused_at_the_form(visitor, paper):
    assert read(send(visitor), 422).select_one("#error-summary a")["href"] == "#code"
    page = read(send(visitor, "", ("空.pdf", b"")), 422)
    assert page.select_one("#error-summary a")["href"] == "#file"


def test_an_address_may_not_try_codes_by_the_hundred(visitor, paper):
    answers = [visitor.get("/verify/ABCD2345EFGH").status_code for _try in range(61)]
    assert answers == [404] * 60 + [429]


def test_the_limit_lets_go_as_the_window_slides_and_counts_addresses_apart():
    limit = RateLimit(2, 60)
    limit.take("a", 0.0)
    limit.take("a", 30.0)
    with pytest.raises(TooManyRequests, match="请等 1 秒"):
        limit.take("a", 59.5)
    limit.take("b", 59.5)
    limit.take("a", 60.0)
    with pytest.raises(TooManyRequests, match="请等 30 秒"):
        limit.take("a", 60.5)
