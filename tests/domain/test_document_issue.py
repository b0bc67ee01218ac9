"""Issuing: numbered and locked in one transaction; regenerated and voided without losing anything."""

import io
import threading
from datetime import UTC, datetime, timedelta

import pytest
from pypdf import PdfReader
from sqlmodel import select

from domain import audit, failpoint
from domain.actor import SYSTEM, Actor, Grant
from domain.command import Work, command, system_only
from domain.document.issue import (
    CODE_ALPHABET,
    CODE_LENGTH,
    IssueOrder,
    issue,
    new_code,
    order_of,
    prepare,
    preview,
    regenerate_document,
    void_document,
)
from domain.document.register import (
    current_version,
    documents_of_case,
    is_current,
    pdf_of,
    require_current,
    versions_of,
)
from domain.document.tables import Document, DocumentVersion
from domain.errors import InvalidData, NotAllowed, NotFound, Refused
from domain.format import local
from domain.numbering import GivenNumber, NumberState
from domain.portal_clock import now
from tests.domain.document_samples import reminder, values
from tests.domain.papers import Papers, database_fixture, papers_fixture  # noqa: F401

QINGPU, CHONGMING = "310118", "310151"
HANDLER = Actor(7, "区经办人（样例）", (Grant("district_handler", QINGPU),))
CHIEF = Actor(8, "区分管科长（样例）", (Grant("district_chief", QINGPU),))
STRANGER = Actor(9, "别区科长（样例）", (Grant("district_chief", CHONGMING),))
SHORT = {"plots": [{"code": "310118-001", "area_m2": "100"}]}


@command("test.issue", allow=system_only)
def issued(work: Work, *arguments) -> Document:
    return issue(work, *arguments)


def order(case_id: int, **changes) -> IssueOrder:
    return order_of(reminder(), values(**SHORT | changes), case_id=case_id)


def issue_one(office: Papers, case_id: int, **changes) -> Document:
    with office.writing() as session:
        return issued(session, SYSTEM, order(case_id, **changes))


def version_of(office: Papers, document: Document) -> DocumentVersion:
    with office.reading() as session:
        version = current_version(session, session.get(Document, document.id))
        session.expunge(version)
        return version


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


def this_year() -> int:
    return local(now()).year


def test_issued_document_has_number_code_date_and_its_bytes_under_their_digest(papers):
    document = issue_one(papers, papers.new_case())
    version = version_of(papers, document)
    pdf = papers.files.read_bytes(version.digest)
    assert document.number == f"沪规划资源管〔{this_year()}〕0001号"
    assert document.is_public
    assert len(pdf) == version.size_bytes
    words = text_of(pdf)
    today = local(version.issued_at).date()
    assert document.number in words
    assert f"{today.year}年{today.month}月{today.day}日" in words
    assert f"https://portal.example/verify/{version.code}" in words
    assert "未加盖电子印章" in words


def test_act_is_in_the_audit_trail_without_what_the_document_says(papers):
    document = issue_one(papers, papers.new_case())
    with papers.reading() as session:
        entry = session.exec(select(audit.AuditEntry)).one()
        assert entry.subject == f"document:{document.id}"
        assert entry.detail["number"] == document.number
        assert "禾清" not in str(entry.detail)
        assert audit.verify(session).is_intact


def test_preview_takes_no_number_and_keeps_nothing(papers):
    case_id = papers.new_case()
    with papers.reading() as session:
        words = text_of(preview(session, order(case_id)))
    assert f"沪规划资源管〔{this_year()}〕□□□□号" in words
    assert "预览件" in words
    assert [path for path in papers.files.root.rglob("*") if path.is_file()] == []
    assert issue_one(papers, case_id).number.endswith("0001号")


def test_what_was_rendered_beforehand_is_issued_as_it_is(papers):
    case_id = papers.new_case()
    with papers.reading() as session:
        made = prepare(session, order(case_id))
    with papers.writing() as session:
        document = issued(session, SYSTEM, order(case_id), made)
    version = version_of(papers, document)
    assert (version.digest, version.code) == (made.file.digest, made.code)
    assert document.number in text_of(papers.files.read_bytes(version.digest))


def test_what_was_rendered_beforehand_is_dropped_when_number_or_data_came_differently(papers):
    case_id = papers.new_case()
    with papers.reading() as session:
        made = prepare(session, order(case_id))
    first = issue_one(papers, case_id)
    with papers.writing() as session:
        second = issued(session, SYSTEM, order(case_id), made)
    assert first.number != second.number
    assert second.number in text_of(papers.files.read_bytes(version_of(papers, second).digest))
    with papers.reading() as session:
        made = prepare(session, order(case_id))
    with papers.writing() as session:
        third = issued(session, SYSTEM, order(case_id, owner="改名后的公司（样例）"), made)
    assert "改名后的公司" in text_of(papers.files.read_bytes(version_of(papers, third).digest))


def test_act_that_fails_after_rendering_issues_nothing_and_leaves_no_gap(papers, monkeypatch):
    case_id = papers.new_case()

    def broken(place: str) -> None:
        if place == "document:before_version":
            raise RuntimeError(place)

    with monkeypatch.context() as patch, papers.writing() as session:
        patch.setattr(failpoint, "reach", broken)
        with pytest.raises(RuntimeError):
            issued(session, SYSTEM, order(case_id))
    with papers.reading() as session:
        assert session.exec(select(Document)).all() == []
        assert session.exec(select(GivenNumber)).all() == []
    assert issue_one(papers, case_id).number.endswith("0001号")


def test_regenerated_document_keeps_its_number_and_its_old_bytes(papers):
    document = issue_one(papers, papers.new_case())
    old = version_of(papers, document)
    changed = reminder().compose(values(**SHORT, due_on="2026-12-31"))
    with papers.writing() as session:
        regenerate_document(session, HANDLER, document.id, changed, "缴款期限改期")
    new = version_of(papers, document)
    assert (new.version_no, new.reason) == (2, "缴款期限改期")
    assert new.code != old.code
    assert "2026年11月30日" in text_of(papers.files.read_bytes(old.digest))
    words = text_of(papers.files.read_bytes(new.digest))
    assert "2026年12月31日" in words
    assert document.number in words
    with papers.reading() as session:
        entry = session.exec(select(audit.AuditEntry).where(audit.AuditEntry.command == "document.regenerate")).one()
        assert (entry.detail["replaced"], entry.detail["digest"]) == (old.digest, new.digest)


def test_document_whose_data_changed_stops_the_case_until_it_is_regenerated(papers):
    document = issue_one(papers, papers.new_case())
    same, changed = reminder().compose(values(**SHORT)), reminder().compose(values(**SHORT, price="1"))
    with papers.reading() as session:
        held = session.get(Document, document.id)
        assert is_current(session, held, same)
        require_current(session, held, same)
        with pytest.raises(Refused, match="请重新生成后再继续"):
            require_current(session, held, changed)


def test_regenerating_without_change_or_reason_is_refused(papers):
    document = issue_one(papers, papers.new_case())
    same, changed = reminder().compose(values(**SHORT)), reminder().compose(values(**SHORT, price="1"))
    with papers.writing() as session:
        with pytest.raises(Refused, match="没有变化"):
            regenerate_document(session, HANDLER, document.id, same, "再印一份")
        with pytest.raises(InvalidData, match="写明原因"):
            regenerate_document(session, HANDLER, document.id, changed, "  ")


def test_void_document_stays_readable_and_its_number_is_spent(papers):
    case_id = papers.new_case()
    document = issue_one(papers, case_id)
    with papers.writing() as session:
        void_document(session, CHIEF, document.id, "发错对象")
    with papers.reading() as session:
        held = session.get(Document, document.id)
        assert (held.status, held.void_reason, held.void_by) == ("void", "发错对象", CHIEF.person_id)
        number = session.exec(select(GivenNumber).where(GivenNumber.number == document.number)).one()
        assert number.state == NumberState.VOID
    assert papers.files.read_bytes(version_of(papers, document).digest)
    assert issue_one(papers, case_id).number.endswith("0002号")


def test_void_document_is_neither_regenerated_nor_voided_again(papers):
    document = issue_one(papers, papers.new_case())
    with papers.writing() as session:
        void_document(session, CHIEF, document.id, "发错对象")
    changed = reminder().compose(values(**SHORT, price="1"))
    with papers.writing() as session:
        with pytest.raises(Refused, match="已经作废，不能重新生成"):
            regenerate_document(session, HANDLER, document.id, changed, "改价款")
        with pytest.raises(Refused, match="不需要再次作废"):
            void_document(session, CHIEF, document.id, "再次")


def test_only_those_in_charge_in_the_district_may_change_a_document(papers):
    document = issue_one(papers, papers.new_case(QINGPU))
    with papers.writing() as session:
        with pytest.raises(NotAllowed):
            void_document(session, HANDLER, document.id, "不想要了")
        with pytest.raises(NotFound):
            void_document(session, STRANGER, document.id, "别区的")
        with pytest.raises(NotFound):
            void_document(session, CHIEF, document.id + 99, "没有的")
        with pytest.raises(NotAllowed):
            void_document(session, Actor(None, "访客"), document.id, "匿名")
    with papers.reading() as session:
        assert session.get(Document, document.id).status == "issued"


def test_issued_version_cannot_be_changed_or_deleted(papers):
    document = issue_one(papers, papers.new_case())
    with papers.writing() as session:
        version = current_version(session, session.get(Document, document.id))
        version.digest = "0" * 64
        with pytest.raises(ValueError, match="is locked"):
            session.flush()
        session.rollback()
        session.delete(current_version(session, session.get(Document, document.id)))
        with pytest.raises(ValueError, match="is locked"):
            session.flush()


def test_two_who_regenerate_at_once_make_one_version(papers):
    document = issue_one(papers, papers.new_case())
    changed, outcomes = reminder().compose(values(**SHORT, price="1")), []

    def work() -> None:
        with papers.writing() as session:
            try:
                outcomes.append(regenerate_document(session, HANDLER, document.id, changed, "改价款").version_no)
            except Refused:
                outcomes.append("refused")

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes, key=str) == [2, "refused"]


def test_document_without_a_number_has_none(papers):
    case_id = papers.new_case()
    plain = order_of(reminder(number=None), values(**SHORT), case_id=case_id)
    with papers.writing() as session:
        first, second = issued(session, SYSTEM, plain), issued(session, SYSTEM, plain)
    assert first.number is second.number is None
    assert first.id != second.id


def test_codes_are_long_unlike_and_of_readable_letters():
    codes = {new_code() for _ in range(2000)}
    assert len(codes) == 2000
    assert {len(code) for code in codes} == {CODE_LENGTH}
    assert set("".join(codes)) == set(CODE_ALPHABET)
    assert not set(CODE_ALPHABET) & set("01ILOU")


def test_moment_of_issue_is_that_of_the_transaction(papers):
    before = datetime.now(UTC)
    version = version_of(papers, issue_one(papers, papers.new_case()))
    assert before - timedelta(seconds=1) <= version.issued_at <= datetime.now(UTC)


def test_case_lists_its_documents_with_the_version_in_force(papers):
    case_id, other = papers.new_case(QINGPU), papers.new_case(CHONGMING)
    document = issue_one(papers, case_id)
    issue_one(papers, other)
    with papers.writing() as session:
        inner = order_of(reminder(public=False, number=None), values(**SHORT), case_id=case_id)
        hidden = issued(session, SYSTEM, inner)
    with papers.writing() as session:
        changed = reminder().compose(values(**SHORT, price="1"))
        regenerate_document(session, HANDLER, document.id, changed, "改价款")
    with papers.reading() as session:
        listed = [(each.id, version.version_no) for each, version in documents_of_case(session, case_id)]
        assert listed == [(document.id, 2), (hidden.id, 1)]
        public = documents_of_case(session, case_id, public_only=True)
        assert [each.id for each, _version in public] == [document.id]
        versions = versions_of(session, document.id)
        assert [version.version_no for version in versions] == [2, 1]
        assert b"".join(pdf_of(session, versions[1])).startswith(b"%PDF-")
