"""The survey and planning data services: works, refuses properly, fails badly."""

from decimal import Decimal

import pytest

from domain.ports import OutsideSystemDown, PartnerAnswerInvalid, PartnerRefused


def test_a_project_prefills_both_blocks(running):
    project = running.partners.survey_planning.pipeline_project("GX-2026-0001")
    assert project.survey.name == "样例测绘有限公司"
    assert project.planning.approval_number == "样例规划〔2026〕1号"
    assert project.planning.pipeline_category == "给水"
    assert (project.planning.length_m, project.planning.diameter_mm) == (Decimal("180.50"), Decimal(300))
    assert project.planning.voltage_kv is None
    assert project.planning.in_heritage_area is False


def test_what_the_source_does_not_have_stays_empty(running):
    project = running.partners.survey_planning.pipeline_project("GX-2026-0003")
    assert project.survey.name and project.survey.contact_phone is None
    assert project.planning.approval_number is None
    assert project.planning.in_rail_protection_zone is None


def test_an_unknown_code_is_refused(running):
    with pytest.raises(PartnerRefused) as refused:
        running.partners.survey_planning.pipeline_project("GX-0000-0000")
    assert refused.value.code == "SURVEY-404"


@pytest.mark.parametrize(
    ("kind", "field", "named"),
    [
        # A field that is null is empty; a field that is missing is an answer of another form.
        ("wrong_schema", "contact_phone", "data.survey.contact_phone"),
        ("wrong_value", "contact_phone", "data.survey.contact_phone"),
        ("wrong_value", "pipeline_category", "data.planning.pipeline_category"),
        ("wrong_value", "length_m", "data.planning.length_m"),
        ("wrong_value", "in_heritage_area", "data.planning.in_heritage_area"),
        ("wrong_value", "project_code", "data.project_code"),
        ("wrong_value", "survey", "data.survey"),
    ],
)
def test_a_wrong_answer_prefills_nothing(running, kind, field, named):
    running.fault("survey_planning", kind, field=field)
    with pytest.raises(PartnerAnswerInvalid) as invalid:
        running.partners.survey_planning.pipeline_project("GX-2026-0001")
    assert invalid.value.field == named


def test_a_down_partner_is_named(running):
    running.fault("survey_planning", "down")
    with pytest.raises(OutsideSystemDown, match="跟测与规划信息"):
        running.partners.survey_planning.pipeline_project("GX-2026-0001")
