"""Numbers: patterns, counters by year and district, no gap, no double, never given again."""

import threading
from datetime import date

import pytest
from sqlmodel import select

from domain.errors import Conflict, InvalidData, NotFound, Refused
from domain.numbering import GivenNumber, NumberPattern, NumberState, peek_number, take_number, void_number
from tests.domain.papers import MORNING, Papers, database_fixture, papers_fixture  # noqa: F401

PERMIT = NumberPattern.parse("沪规划资源管〔{year}〕{seq:04}号")
LAND = NumberPattern.parse("沪青地（{year}）EA{district}{year}{seq:05}")


def take(office: Papers, pattern: NumberPattern = PERMIT, on: date = date(2026, 11, 20), series: str = "permit",
         **values: str) -> str:
    with office.writing() as session:
        number = take_number(session, series, pattern, on, values, subject="document:1", at=MORNING)
        session.commit()
        return number


def test_number_reads_as_the_pattern_says(papers):
    assert take(papers) == "沪规划资源管〔2026〕0001号"
    assert take(papers) == "沪规划资源管〔2026〕0002号"
    assert take(papers, LAND, series="land", district="310118") == "沪青地（2026）EA310118202600001"


def test_each_year_and_each_district_counts_by_itself(papers):
    assert take(papers, on=date(2026, 12, 31)).endswith("0001号")
    assert take(papers, on=date(2027, 1, 1)) == "沪规划资源管〔2027〕0001号"
    assert take(papers, on=date(2026, 12, 31)).endswith("0002号")
    assert take(papers, LAND, series="land", district="310118").endswith("310118202600001")
    assert take(papers, LAND, series="land", district="310120").endswith("310120202600001")


def test_unpadded_number_has_no_leading_zero_and_grows(papers):
    plain = NumberPattern.parse("沪规〔{year}〕{seq}号")
    assert [take(papers, plain) for _ in range(11)][-1] == "沪规〔2026〕11号"


def test_rolled_back_act_leaves_no_gap(papers):
    take(papers)
    with papers.writing() as session:
        lost = take_number(session, "permit", PERMIT, date(2026, 11, 20), {}, subject="document:2", at=MORNING)
        session.rollback()
    assert take(papers) == lost


def test_void_number_is_kept_and_never_given_again(papers):
    first = take(papers)
    with papers.writing() as session:
        void_number(session, first, reason="打印错误", at=MORNING)
        session.commit()
    assert take(papers) != first
    with papers.reading() as session:
        kept = session.exec(select(GivenNumber).where(GivenNumber.number == first)).one()
        assert (kept.state, kept.void_reason, kept.void_at) == (NumberState.VOID, "打印错误", MORNING)


def test_voiding_twice_or_a_number_never_given_is_refused(papers):
    first = take(papers)
    with papers.writing() as session:
        void_number(session, first, reason="打印错误", at=MORNING)
        with pytest.raises(Refused, match="已经作废"):
            void_number(session, first, reason="再次", at=MORNING)
        with pytest.raises(NotFound, match="没有找到编号"):
            void_number(session, "沪规〔2026〕9号", reason="误填", at=MORNING)


def test_two_series_that_make_the_same_number_are_refused(papers):
    take(papers)
    with pytest.raises(Conflict, match="另一个编号序列"):
        take(papers, series="another")


def test_sequence_that_outgrows_its_width_is_refused_and_not_shortened(papers):
    narrow = NumberPattern.parse("样例〔{year}〕{seq:1}号")
    assert [take(papers, narrow) for _ in range(9)][-1] == "样例〔2026〕9号"
    with pytest.raises(Refused, match="1 位流水号已经用完"):
        take(papers, narrow)


def test_peek_names_the_next_number_and_takes_nothing(papers):
    take(papers)
    with papers.reading() as session:
        for _ in range(2):
            assert peek_number(session, "permit", PERMIT, date(2026, 11, 20), {}) == "沪规划资源管〔2026〕0002号"


def test_eight_writers_at_once_get_neither_gaps_nor_doubles(papers):
    given, faults, lock = [], [], threading.Lock()

    def work() -> None:
        try:
            for _ in range(5):
                number = take(papers)
                with lock:
                    given.append(number)
        except Exception as error:  # noqa: BLE001  (shown by the assertion below)
            faults.append(error)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert sorted(given) == [f"沪规划资源管〔2026〕{count:04d}号" for count in range(1, 41)]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("沪规〔{year}〕号", "有且只有一个流水号"),
        ("{seq}-{seq:03}", "有且只有一个流水号"),
        ("沪规{year}{seq:0}", "有且只有一个流水号"),
        ("沪规〔{year〕{seq}号", "不成对"),
        ("{seq}{District}", "不是字段名"),
        ("{seq}{year.real}", "不是字段名"),
        ("{month}{seq}", "会重号"),
        ("{year}{day}{seq}", "会重号"),
    ],
)
def test_wrong_pattern_is_refused_with_what_is_wrong(text, message):
    with pytest.raises(InvalidData, match=message):
        NumberPattern.parse(text)


def test_value_that_is_missing_or_would_forge_a_placeholder_is_refused():
    with pytest.raises(InvalidData, match="district"):
        LAND.scope(date(2026, 1, 1), {})
    with pytest.raises(InvalidData, match="花括号"):
        LAND.scope(date(2026, 1, 1), {"district": "{seq}"})


def test_preview_shows_a_square_for_each_digit_to_come():
    assert PERMIT.preview(date(2026, 11, 20), {}) == "沪规划资源管〔2026〕□□□□号"
    assert LAND.given_names() == ("district",)
