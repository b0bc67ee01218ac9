"""管线工程规划许可 (PROJ-021, 082): prefilled, kept as a draft, corrected, accepted; fast track or three levels."""

from dataclasses import replace

import pytest
from sqlmodel import select

from domain.case import correction
from domain.case.tables import CaseEvent, CaseVersion, StoredDecision
from domain.decision import gather_outside
from domain.errors import Conflict, InvalidData
from portal.settings import PROJECT_DIR
from rules.engine import RuleBook
from tests.case_types.permit_walk import Permit


@pytest.fixture
def permit(database, linked, person):
    return Permit(database, person)


def decisions(permit, rule_set):
    with permit.database.reading() as session:
        statement = select(StoredDecision).where(StoredDecision.case_id == permit.id, StoredDecision.rule_set == rule_set)
        return list(session.exec(statement.order_by(StoredDecision.id)).all())


@pytest.mark.function("PROJ-021", "applicant_prefilled", "survey_prefilled", "planning_prefilled")
def test_applicant_survey_and_planning_are_filled_in_with_their_source(permit):
    assert permit.filled() == {}
    values, marks = permit.case.values, permit.case.prefilled
    assert (values["applicant_unit"], values["credit_code"]) == ("样例管线建设有限公司", "91310000MA0DEM001P")
    assert (values["survey_unit"], values["survey_phone"]) == ("样例测绘有限公司", "021-70000001")
    assert (values["length_m"], values["pipeline_class"], values["approval_number"]) == ("180.50", "给水", "样例规划〔2026〕1号")
    assert values["in_protected_area"] is False
    assert marks["length_m"]["provider"] == "survey_planning" and marks["applicant_unit"]["provider"] == "applicant_identity"


@pytest.mark.function("PROJ-021", "prefill_changed", "missing_left_empty")
def test_what_may_change_stays_changed_and_what_is_missing_is_left_to_people(permit):
    faults = permit.filled(project_code="GX-2026-0003", length_m="50.00", applicant_unit="改名公司", in_protected_area="false")
    assert set(faults) == {"applicant_unit"}
    values = permit.case.values
    assert (values["length_m"], values["applicant_unit"]) == ("50.00", "样例管线建设有限公司")
    assert "approval_number" not in values and permit.case.prefilled["approval_number"]["value"] is None
    assert values["in_protected_area"] is False, "the planning data cannot tell, so the applicant states it"


def test_a_value_that_the_planning_data_have_cannot_be_overwritten(permit):
    faults = permit.filled(project_code="GX-2026-0002", in_protected_area="false")
    assert set(faults) == {"in_protected_area"} and permit.case.values["in_protected_area"] is True


def test_a_partner_that_is_down_does_not_stop_the_draft(permit, running):
    running.fault("survey_planning", "down")
    with permit.database.writing() as session:
        from domain.case import draft

        assert draft.save(session, permit.applicant, permit.task("apply"), {"project_name": ["手填项目"]})[1] == {}
    assert permit.case.values["project_name"] == "手填项目" and permit.case.status == "draft"


def test_materials_are_asked_for_before_it_is_filed(permit):
    permit.filled()
    with pytest.raises(InvalidData) as refused:
        permit.act(permit.applicant, "apply", "submit", "")
    assert set(refused.value.fields) == {"material-application_drawing", "material-pipeline_range", "material-commitment_letter"}


def test_a_correction_unlocks_only_what_it_names_and_the_window_accepts(permit):
    permit.filed()
    window = permit.officers["window"]
    with permit.database.writing() as session:
        correction.ask_correction(session, window, permit.task("window"), [{"field": "road_name", "what": "请写明起止路口"}], "")
    assert permit.case.status == "correction"
    faults = permit.fill(permit.applicant, "apply", road_name="样例路（样例东路—样例西路）", length_m="10.00")
    assert set(faults) == {"length_m"}
    with permit.database.writing() as session:
        correction.answer_correction(session, permit.applicant, permit.task("apply"))
    permit.step("window", "window", "accept", marked="false")
    assert permit.case.number.startswith("沪规资管〔") and permit.case.accepted_at is not None
    assert permit.case.values["length_m"] == "180.50"
    with permit.database.reading() as session:
        kept = session.exec(select(CaseVersion.reason).where(CaseVersion.case_id == permit.id)).all()
    assert kept == ["submitted", "corrected"]


@pytest.mark.function("PROJ-082", "eligible_one_level", "done_on_the_spot")
def test_a_marked_and_eligible_project_goes_straight_to_approval(permit):
    permit.reviewed()
    assert permit.case.steps == "approve"
    made = decisions(permit, "pipeline_fast_track")[-1]
    assert made.outcome == "qualifies" and made.moment == "route"


@pytest.mark.function("PROJ-082", "ineligible_three_levels", "reason_said")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [({"length_m": "200.01"}, "超过上限"), ({"commitment_signed": "false"}, "承诺"), ({"diameter_mm": "301"}, "管径")],
)
def test_a_marked_but_ineligible_project_goes_three_levels_with_the_reason(permit, changed, reason):
    permit.reviewed(**changed)
    assert permit.case.steps == "chief_review"
    made = decisions(permit, "pipeline_fast_track")[-1]
    assert made.outcome == "standard" and reason in made.message


@pytest.mark.function("PROJ-082", "unmarked_three_levels")
def test_an_unmarked_project_goes_three_levels(permit):
    permit.reviewed(quick="false")
    assert permit.case.steps == "chief_review" and "未标记" in decisions(permit, "pipeline_fast_track")[-1].message
    permit.step("section_chief", "chief_review", "agree")
    assert permit.case.steps == "approve"


@pytest.mark.function("PROJ-082", "marked_in_three_steps")
def test_the_last_mark_counts_and_every_mark_is_kept(permit):
    permit.filed()
    permit.step("window", "window", "accept", marked="true")
    permit.step("pre_reviewer", "pre_review", "pass", marked="false")
    permit.step("reviewer", "review", "pass", marked="true", may_publish="false", not_published_because="涉及保密管线")
    assert permit.case.steps == "approve"
    with permit.database.reading() as session:
        events = session.exec(select(CaseEvent).where(CaseEvent.case_id == permit.id, CaseEvent.operation == "edit")).all()
    marks = [(c["before"], c["after"]) for e in events for c in e.detail["changes"] if c["label"] == "是否快速办理"]
    assert [after for _before, after in marks] == ["是", "否", "是"]


def test_the_shipped_edition_qualifies_nobody(permit):
    office = permit.database.office
    folders = (PROJECT_DIR / "rules" / "sets", PROJECT_DIR / "rules" / "case_types")
    permit.database.office = replace(office, book=RuleBook(folders, demo=False))
    permit.reviewed()
    assert permit.case.steps == "chief_review"
    assert "尚未确定" in decisions(permit, "pipeline_fast_track")[-1].message


def test_the_route_reads_the_form_and_asks_no_partner(permit, running):
    permit.filed()
    permit.step("window", "window", "accept", marked="true")
    permit.step("pre_reviewer", "pre_review", "pass")
    running.fault("survey_planning", "down")
    with permit.database.reading() as session:
        assert gather_outside(session, permit.applicant, permit.case, ["pipeline_fast_track"]) == {}


def test_a_publication_that_is_refused_needs_its_reason(permit):
    permit.filed()
    permit.step("window", "window", "accept", marked="true")
    permit.step("pre_reviewer", "pre_review", "pass")
    reviewer = permit.officers["reviewer"]
    permit.fill(reviewer, "review", may_publish="false")
    with pytest.raises(InvalidData) as refused:
        permit.act(reviewer, "review", "pass")
    assert set(refused.value.fields) == {"not_published_because"}


def test_it_cannot_be_withdrawn_once_it_was_decided(permit):
    from domain.case.operations import withdraw

    permit.granted()
    with permit.database.writing() as session, pytest.raises(Conflict, match="不能撤回"):
        withdraw(session, permit.applicant, permit.id, "不办了")
