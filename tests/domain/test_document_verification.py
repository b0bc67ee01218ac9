"""What the public learns by a code or by a file, and what it never learns."""

import dataclasses
import hashlib

import pytest

from domain.document.issue import regenerate_document, void_document
from domain.document.verification import FileVerdict, VersionState, cleaned_code, compare, look_up
from domain.errors import InvalidData, NotFound
from tests.domain.document_samples import RARE_NAME, reminder, values
from tests.domain.papers import database_fixture, papers_fixture  # noqa: F401
from tests.domain.test_document_issue import CHIEF, HANDLER, SHORT, issue_one, version_of


@pytest.fixture
def issued(papers):
    document = issue_one(papers, papers.new_case())
    return document, version_of(papers, document)


def test_valid_document_is_found_by_its_code(papers, issued):
    document, version = issued
    with papers.reading() as session:
        found = look_up(session, version.code)
    assert (found.state, found.words) == (VersionState.VALID, "有效")
    assert (found.title, found.number) == ("提醒缴款通知书", document.number)
    assert found.issuer == "上海市青浦区规划和自然资源局（样例）"
    assert (found.issued_on, found.digest, found.ended_at) == (version.issued_on, version.digest, None)
    assert found.facts == {"用地面积": "28,340.00平方米"}
    assert not found.is_sealed


def test_nothing_about_persons_is_shown(papers, issued):
    with papers.reading() as session:
        shown = str(dataclasses.asdict(look_up(session, issued[1].code)))
    assert RARE_NAME not in shown
    assert "禾清" not in shown
    assert "person" not in shown


def test_replaced_version_says_so_and_the_new_one_is_valid(papers, issued):
    document, old = issued
    with papers.writing() as session:
        regenerate_document(session, HANDLER, document.id, reminder().compose(values(**SHORT, price="1")), "改价款")
    new = version_of(papers, document)
    with papers.reading() as session:
        replaced, valid = look_up(session, old.code), look_up(session, new.code)
    assert (replaced.state, replaced.words) == (VersionState.SUPERSEDED, "已被新版本替代")
    assert replaced.ended_at == new.issued_at
    assert (valid.state, valid.version_no) == (VersionState.VALID, 2)


def test_void_document_says_so_for_all_its_versions(papers, issued):
    document, old = issued
    with papers.writing() as session:
        regenerate_document(session, HANDLER, document.id, reminder().compose(values(**SHORT, price="1")), "改价款")
    with papers.writing() as session:
        void_document(session, CHIEF, document.id, "发错对象")
    new = version_of(papers, document)
    with papers.reading() as session:
        states = [look_up(session, code) for code in (old.code, new.code)]
    assert [(each.state, each.words) for each in states] == [(VersionState.VOID, "已作废")] * 2
    assert all(each.ended_at is not None for each in states)


def test_code_is_taken_as_people_type_it():
    for typed in ("abcd-efgh-jkmn", " ABCD EFGH JKMN ", "ＡＢＣＤ－ＥＦＧＨ－ＪＫＭＮ", "ABCD—EFGH—JKMN"):
        assert cleaned_code(typed) == "ABCDEFGHJKMN"


@pytest.mark.parametrize("typed", ["", "ABCD", "ABCDEFGHJKMNP", "ABCDEFGHJKM0", "ABCDEFGHJKML", "' OR 1=1 --", "核验码核验码核验码核验码"])
def test_what_cannot_be_a_code_is_refused_before_looking(papers, typed):
    with papers.reading() as session, pytest.raises(InvalidData, match="核验码是 12 位"):
        look_up(session, typed)


def test_unknown_code_is_not_found(papers):
    with papers.reading() as session, pytest.raises(NotFound, match="没有登记"):
        look_up(session, "ABCDEFGHJKMN")


def test_unchanged_file_is_the_same_with_and_without_its_code(papers, issued):
    _document, version = issued
    pdf = papers.files.read_bytes(version.digest)
    with papers.reading() as session:
        for typed in (None, version.code):
            result = compare(session, [pdf[:1000], pdf[1000:]], typed)
            assert (result.verdict, result.registered.code) == (FileVerdict.SAME, version.code)
            assert result.digest == hashlib.new("sm3", pdf).hexdigest()
            assert result.size_bytes == len(pdf)


def test_one_changed_byte_is_found(papers, issued):
    _document, version = issued
    pdf = bytearray(papers.files.read_bytes(version.digest))
    pdf[len(pdf) // 2] ^= 1
    with papers.reading() as session:
        with_code = compare(session, [bytes(pdf)], version.code)
        assert (with_code.verdict, with_code.registered.code) == (FileVerdict.CHANGED, version.code)
        without = compare(session, [bytes(pdf)])
        assert (without.verdict, without.registered) == (FileVerdict.UNKNOWN, None)


def test_appended_content_is_found(papers, issued):
    _document, version = issued
    with papers.reading() as session:
        pdf = papers.files.read_bytes(version.digest)
        assert compare(session, [pdf, b"\n"], version.code).verdict == FileVerdict.CHANGED


def test_compared_file_is_not_kept(papers, issued):
    kept = [path for path in papers.files.root.rglob("*") if path.is_file()]
    with papers.reading() as session:
        compare(session, [b"%PDF-1.7 strange"])
    assert [path for path in papers.files.root.rglob("*") if path.is_file()] == kept


def test_empty_or_huge_file_is_refused(papers, monkeypatch):
    monkeypatch.setattr("domain.document.verification.LARGEST_COMPARED_BYTES", 10)
    with papers.reading() as session:
        with pytest.raises(InvalidData, match="文件是空的"):
            compare(session, [])
        assert compare(session, [b"x" * 10]).verdict == FileVerdict.UNKNOWN
        with pytest.raises(InvalidData, match="文件超过"):
            compare(session, [b"x" * 10, b"x"])
