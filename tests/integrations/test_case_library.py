"""The case library: works, refuses properly, fails badly."""

import dataclasses
from datetime import date

import pytest

from domain.ports import OutsideSystemDown, PartnerAnswerInvalid, PartnerRefused
from domain.ports.case_library import CaseResult, Outcome

RESULT = CaseResult(
    business_key="CASE-1/result",
    version=1,
    case_number="样例办件-0001",
    case_type="pipeline_permit",
    project_name="样例路给水管道工程",
    applicant_name="样例管线建设有限公司",
    applicant_code="91310000MA0DEM001P",
    outcome=Outcome.GRANTED,
    document_number="样例工规〔2026〕1号",
    decided_on=date(2026, 6, 30),
)
CORRECTION = dataclasses.replace(
    RESULT, version=2, project_name="样例路给水工程", correction_reason="项目名称有误"
)


@pytest.fixture
def library(running):
    return running.partners.case_library


def test_a_result_gets_a_receipt(running, library):
    receipt = library.push(RESULT)
    assert (receipt.business_key, receipt.version) == ("CASE-1/result", 1)
    assert receipt.receipt_number and not receipt.is_duplicate and receipt.replaced_version is None
    assert len(running.state()["results"]) == 1


def test_the_same_result_twice_is_held_once(running, library):
    first, second = library.push(RESULT), library.push(RESULT)
    assert second.receipt_number == first.receipt_number and second.is_duplicate
    assert len(running.state()["results"]) == 1


def test_a_correction_takes_the_place_of_the_result(library):
    library.push(RESULT)
    before = library.held(RESULT.business_key)
    receipt = library.push(CORRECTION)
    after = library.held(RESULT.business_key)
    assert receipt.replaced_version == 1
    assert (before.version, after.version) == (1, 2)
    assert before.digest != after.digest


def test_an_empty_library_says_so(library):
    assert library.held("CASE-none/result") is None


@pytest.mark.parametrize(
    ("pushed", "code"),
    [
        ([RESULT, dataclasses.replace(RESULT, project_name="其他")], "LIB-CONFLICT"),
        ([CORRECTION], "LIB-ORDER"),
        ([RESULT, dataclasses.replace(CORRECTION, version=3)], "LIB-ORDER"),
        ([dataclasses.replace(RESULT, applicant_name="")], "LIB-400"),
    ],
)
def test_what_the_library_refuses(library, pushed, code):
    for result in pushed[:-1]:
        library.push(result)
    with pytest.raises(PartnerRefused) as refused:
        library.push(pushed[-1])
    assert refused.value.code == code


def test_a_refusal_names_every_field(library):
    with pytest.raises(PartnerRefused) as refused:
        library.push(dataclasses.replace(RESULT, applicant_name="", case_type=""))
    assert {rejection.field for rejection in refused.value.rejections} == {"applicant_name", "case_type"}


@pytest.mark.parametrize(
    "result",
    [
        dataclasses.replace(CORRECTION, correction_reason=None),
        dataclasses.replace(RESULT, correction_reason="无"),
    ],
)
def test_a_reason_goes_with_a_correction_and_only_with_it(running, library, result):
    with pytest.raises(ValueError, match="更正理由"):
        library.push(result)
    assert running.records == []


@pytest.mark.parametrize("field", ["receipt_number", "version", "is_duplicate", "replaced_version"])
def test_an_incomplete_receipt_is_no_receipt(library, running, field):
    running.fault("case_library", "wrong_schema", field=field)
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        library.push(RESULT)
    assert invalid.value.field == f"data.{field}"


def test_a_receipt_for_another_case_is_no_receipt(library, running):
    running.fault("case_library", "wrong_value", field="business_key")
    with pytest.raises(PartnerAnswerInvalid, match="business_key"):
        library.push(RESULT)


def test_a_lost_answer_and_a_second_push_leave_one_effect(running, library):
    running.fault("case_library", "lost_answer", calls=1)
    with pytest.raises(OutsideSystemDown) as down:
        library.push(RESULT)
    assert down.value.effect_unknown
    assert library.push(RESULT).is_duplicate
    assert len(running.state()["results"]) == 1
