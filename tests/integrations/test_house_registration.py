"""The house registration module: works, refuses properly, fails badly."""

import pytest

from domain.ports import OutsideSystemDown, PartnerAnswerInvalid, PartnerRefused

BALANCED = "样例-ZD-2026-01"


def sides(counts):
    left = counts.residential_house_count + counts.joint_enterprise_count + counts.other_enterprise_count
    right = (
        counts.acquisition_agreement_count
        + counts.exchange_agreement_count
        + counts.compensation_decision_count
    )
    return left, right


@pytest.mark.parametrize(
    ("number", "left", "right"),
    [
        (BALANCED, 130, 130),
        ("样例-ZD-2026-02", 60, 59),
        ("样例-ZD-2026-03", 20, 21),
        ("样例-ZD-2026-04", 0, 0),
    ],
)
def test_the_six_values_of_the_samples(running, number, left, right):
    counts = running.partners.house_registration.counts(number)
    assert sides(counts) == (left, right)
    assert counts.project_number == number and counts.counted_at.tzinfo is not None


def test_void_documents_are_listed_and_not_counted(running):
    house_registration = running.partners.house_registration
    before = house_registration.counts(BALANCED)
    change = {"project_number": BALANCED, "kind": "acquisition_agreement"}
    running.control("houses", **change, change=-1)
    running.control("houses", **change, change=1, is_void=True)
    after = house_registration.counts(BALANCED)
    assert after.acquisition_agreement_count == before.acquisition_agreement_count - 1
    assert after.void.acquisition_agreement_count == before.void.acquisition_agreement_count + 1
    assert sides(after) == (130, 129)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"project_number": "样例-没有"}, "样例-没有"),
        ({"kind": "castle"}, "castle"),
        ({"change": -1000}, "减不了 1000 件"),
        ({"change": 0.5}, "整数"),
        ({"change": "many"}, "many"),
        ({"kind": "residential", "is_void": True}, "没有作废件"),
    ],
)
def test_the_control_refuses_an_impossible_change(running, change, words):
    good = {"project_number": BALANCED, "kind": "exchange_agreement", "change": 1}
    assert words in running.control("houses", expect=422, **{**good, **change})["error"]
    assert sides(running.partners.house_registration.counts(BALANCED)) == (130, 130)


def test_an_unknown_project_is_refused(running):
    with pytest.raises(PartnerRefused) as refused:
        running.partners.house_registration.counts("样例-没有")
    assert refused.value.code == "HOUSE-404"


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("wrong_schema", "residential_house_count"),
        ("wrong_value", "residential_house_count"),
        ("wrong_value", "project_number"),
        ("wrong_schema", "void"),
        ("wrong_value", "void"),
    ],
)
def test_a_wrong_answer_is_not_used(running, kind, field):
    running.fault("house_registration", kind, field=field)
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        running.partners.house_registration.counts(BALANCED)
    assert invalid.value.field == f"data.{field}"


def test_a_down_partner_is_named(running):
    running.fault("house_registration", "down")
    with pytest.raises(OutsideSystemDown, match="房屋登记"):
        running.partners.house_registration.counts(BALANCED)
