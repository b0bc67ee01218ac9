"""Absence: who may stand in, for how long, and that it ends by itself."""

from datetime import timedelta

import pytest

from domain import portal_clock
from domain.absence import (
    AbsenceFields,
    absences_of,
    begin_absence,
    begin_absence_for,
    candidates,
    end_absence,
    state_of,
)
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.person import Absence, actor_of

TODAY = portal_clock.today()


def fields(delegate, first=0, last=2, reason="病假"):
    return AbsenceFields(delegate.person_id, TODAY + timedelta(days=first), TODAY + timedelta(days=last), reason)


@pytest.fixture
def ill(person):
    return person("reviewer", district="310118", name="生病的人")


@pytest.fixture
def colleague(person):
    return person("reviewer", district="310118", name="同事")


@pytest.fixture
def keeper(person):
    return person("system_admin", name="系统管理员")


def begun(database, who, given):
    with database.writing() as session:
        return begin_absence(session, who, given)


def actor_on(database, who, day, monkeypatch):
    """The actor as the gate makes it some days from now."""
    real = portal_clock.now
    with monkeypatch.context() as patch:
        patch.setattr("domain.person.now", lambda session=None: real() + timedelta(days=day))
        with database.reading() as session:
            return actor_of(session, who.person_id)


def test_a_colleague_has_the_roles_marked_as_delegated_with_their_end(database, ill, colleague):
    absence = begun(database, ill, fields(colleague))
    with database.reading() as session:
        acting = actor_of(session, colleague.person_id)
    borrowed = [grant for grant in acting.grants if grant.delegated_by == ill.person_id]
    assert [(grant.role, grant.district_code, grant.until) for grant in borrowed] == [("reviewer", "310118", absence.until_at)]
    assert acting.stands_for == (ill.person_id,)


@pytest.mark.parametrize("day, stands_in", [(0, True), (2, True), (3, False)])
def test_it_holds_through_the_last_day_and_ends_by_itself(database, ill, colleague, monkeypatch, day, stands_in):
    begun(database, ill, fields(colleague))
    assert bool(actor_on(database, colleague, day, monkeypatch).stands_for) is stands_in


def test_it_does_not_hold_before_its_first_day(database, ill, colleague, monkeypatch):
    begun(database, ill, fields(colleague, first=2, last=3))
    assert actor_on(database, colleague, 0, monkeypatch).stands_for == ()
    assert actor_on(database, colleague, 2, monkeypatch).stands_for == (ill.person_id,)


def test_the_absent_person_ends_it_early(database, ill, colleague):
    absence = begun(database, ill, fields(colleague))
    with database.writing() as session:
        end_absence(session, ill, absence.id)
    with database.reading() as session:
        assert actor_of(session, colleague.person_id).stands_for == ()
        assert state_of(session.get(Absence, absence.id), portal_clock.now()) == "ended"


def test_one_that_came_to_its_end_is_over_not_ended_early(database, ill, colleague):
    absence = begun(database, ill, fields(colleague))
    absence.ended_at = absence.until_at
    assert state_of(absence, absence.until_at) == "over"


def test_who_is_ill_is_covered_by_the_system_administrator(database, ill, colleague, keeper):
    with database.writing() as session:
        begin_absence_for(session, keeper, ill.person_id, fields(colleague))
    with database.reading() as session:
        assert actor_of(session, colleague.person_id).stands_for == (ill.person_id,)


def test_only_the_system_administrator_covers_others(database, ill, colleague, person):
    security = person("security_admin")
    for who in (colleague, security):
        with database.writing() as session, pytest.raises(NotAllowed):
            begin_absence_for(session, who, ill.person_id, fields(colleague))


@pytest.mark.parametrize("change, field", [
    ({"first": -1}, "from_on"), ({"first": 3, "last": 2}, "until_on"), ({"last": 90}, "until_on"), ({"reason": " "}, "reason"),
])
def test_wrong_dates_and_no_reason_are_refused_at_their_field(database, ill, colleague, change, field):
    with pytest.raises(InvalidData) as refusal:
        begun(database, ill, fields(colleague, **change))
    assert list(refusal.value.fields) == [field]


def test_ninety_days_are_the_most(database, ill, colleague):
    assert begun(database, ill, fields(colleague, last=89)).id


def test_an_end_is_required(database, ill, colleague):
    with pytest.raises(InvalidData) as refusal:
        begun(database, ill, AbsenceFields(colleague.person_id, TODAY, None, "病假"))
    assert "until_on" in refusal.value.fields


def test_applicants_strangers_and_the_person_himself_are_not_offered(database, ill, colleague, person):
    stranger = person("printer", district="310115")
    applicant = person("applicant", enterprise="某公司")
    administrator = person("audit_admin")
    with database.reading() as session:
        offered = {each.person_id for each in candidates(session, ill.person_id, portal_clock.now())}
    assert offered == {colleague.person_id}
    for other in (stranger, applicant, administrator, ill):
        with pytest.raises(InvalidData) as refusal:
            begun(database, ill, fields(other))
        assert "delegate_id" in refusal.value.fields


def test_two_absences_of_one_person_do_not_overlap(database, ill, colleague):
    begun(database, ill, fields(colleague, first=0, last=2))
    with pytest.raises(Conflict):
        begun(database, ill, fields(colleague, first=2, last=4))
    assert begun(database, ill, fields(colleague, first=3, last=4)).id


def test_somebody_who_is_away_does_not_stand_in(database, ill, colleague):
    """A covers for B while B covers for A would leave nobody."""
    begun(database, colleague, fields(ill))
    with pytest.raises(InvalidData) as refusal:
        begun(database, ill, fields(colleague))
    assert "delegate_id" in refusal.value.fields


def test_authority_is_not_passed_on_a_second_time(database, ill, colleague, person):
    third = person("reviewer", district="310118")
    begun(database, ill, fields(colleague))
    begun(database, colleague, fields(third))
    with database.reading() as session:
        assert actor_of(session, third.person_id).stands_for == (colleague.person_id,)


def test_an_administrator_has_nothing_to_pass_on(database, keeper, colleague):
    with pytest.raises(NotAllowed):
        begun(database, keeper, fields(colleague))


def test_an_applicant_has_nothing_to_pass_on(database, person, colleague):
    with pytest.raises(NotAllowed):
        begun(database, person("applicant", enterprise="某公司"), fields(colleague))


def test_the_one_who_stands_in_may_not_end_it_and_a_stranger_does_not_see_it(database, ill, colleague, person):
    absence, stranger = begun(database, ill, fields(colleague)), person("reviewer", district="310115")
    with database.writing() as session, pytest.raises(NotAllowed):
        end_absence(session, colleague, absence.id)
    with database.writing() as session, pytest.raises(NotFound):
        end_absence(session, stranger, absence.id)


def test_what_has_ended_is_not_ended_again(database, ill, colleague):
    absence = begun(database, ill, fields(colleague))
    with database.writing() as session:
        end_absence(session, ill, absence.id)
    with database.writing() as session, pytest.raises(Conflict):
        end_absence(session, ill, absence.id)


def test_both_see_it_in_their_list(database, ill, colleague):
    absence = begun(database, ill, fields(colleague))
    with database.reading() as session:
        for who in (ill, colleague):
            assert [each.id for each in absences_of(session, who.person_id)] == [absence.id]


def test_dates_are_days_of_shanghai(database, ill, colleague):
    absence = begun(database, ill, fields(colleague, first=1, last=1))
    start = absence.from_at.astimezone(portal_clock.SHANGHAI)
    assert (start.date(), start.hour) == (TODAY + timedelta(days=1), 0)
    assert absence.until_at - absence.from_at == timedelta(days=1)
