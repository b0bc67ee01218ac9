"""报部 on the pipeline permit (PROJ-083, 099, 101, 103): packages, numbers that come late, wrong, twice or never, errata."""

import json
import shutil
from dataclasses import replace
from decimal import Decimal

import pytest
import yaml
from sqlmodel import select

from domain import failpoint, report_building, usage_control
from domain.area import area_m2
from domain.case import papers
from domain.case.tables import CaseEvent, CaseVersion, Material
from domain.coordinate_parameters import CoordinateParameters, shipped
from domain.document.tables import Document, DocumentVersion
from domain.errors import Conflict, InvalidData, NotAllowed, Refused
from domain.job import Job, Progress
from domain.linked_case import open_linked_case
from domain.range_file import read_range
from domain.report_extent import range_materials
from integrations.usage_control.codes import KINDS
from portal.settings import PROJECT_DIR
from rules.engine import RuleBook
from tests.case_types.permit_walk import LOCAL_TXT, NATIONAL_TXT, Permit


@pytest.fixture
def permit(database, linked, person):
    return Permit(database, person)


def printed(permit):
    """The rows of the permit in force, by label."""
    with permit.database.reading() as session:
        document = papers.in_force(session, permit.id, "permit")
        statement = select(DocumentVersion).where(DocumentVersion.document_id == document.id)
        latest = session.exec(statement.order_by(DocumentVersion.version_no.desc())).first()
        return latest.version_no, {row["label"]: row["value"] for row in latest.content["rows"]}


def refreshed(permit, step="print"):
    permit.act(permit.officers["printer" if step == "print" else "dispatcher"], step, "refresh", "")


@pytest.mark.function("PROJ-099", "starts_after_approval", "shape_layer", "coordinates_transformed", "coordinates_output", "packed_with_decision")
def test_approval_builds_a_package_of_layer_coordinates_and_decision(permit):
    permit.granted()
    assert permit.rounds()[0].state == "building"
    permit.run_jobs()
    assert permit.rounds()[0].state == "submitted"
    files = permit.package()
    assert {"layer/extent.shp", "layer/extent.shx", "layer/extent.dbf", "layer/extent.prj"} <= set(files)
    assert "China_2000" in files["layer/extent.prj"].decode()
    points = [line.split(",") for line in files["coordinates.txt"].decode().splitlines() if not line.startswith("#")]
    assert len(points) >= 4 and points[0][:2] == ["J1", "1"]
    longitude, latitude = float(points[0][2]), float(points[0][3])
    assert 121.0 < longitude < 121.2 and 31.2 < latitude < 31.3, "in the north of Qingpu, in degrees"
    approval = json.loads(files["approval.json"])
    assert approval["case_number"] == permit.case.number and approval["decision"] == "准予许可"
    manifest = json.loads(files["manifest.json"])
    assert manifest["kind"] == "XK01" and {entry["name"] for entry in manifest["files"]} == set(files) - {"manifest.json"}


def test_local_and_national_coordinates_of_one_place_meet_within_the_demonstration_parameters():
    """The strip is typed by hand in both systems; the shift of the demonstration parameters is a rotation of 12.5″."""
    systems = shipped().systems
    local = read_range(LOCAL_TXT, "a.txt", None, systems)
    national = read_range(NATIONAL_TXT, "b.txt", None, systems)
    assert abs(local.area_m2 - Decimal(2000)) < 5 and abs(national.area_m2 - Decimal(2000)) < 5
    assert local.geometry.distance(national.geometry) < 0.0001
    assert area_m2(local.geometry) == local.area_m2


@pytest.mark.function("PROJ-099", "residual_within_limit")
def test_the_residual_at_the_control_points_is_kept_and_within_the_limit(permit):
    permit.granted()
    permit.run_jobs()
    [entry] = permit.rounds()[0].detail["ranges"]
    assert entry["is_demonstration"] is True and len(entry["residuals"]) == 4
    assert Decimal(0) < Decimal(entry["max_residual_m"]) <= Decimal("0.1")


@pytest.mark.function("PROJ-099", "limit_configurable")
def test_a_tighter_limit_refuses_the_same_package(permit, tmp_path):
    folder = tmp_path / "sets"
    shutil.copytree(PROJECT_DIR / "rules" / "sets", folder)
    path = folder / "coordinate_residual_gate.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace('value: "0.1"', 'value: "0.01"'), encoding="utf-8")
    book = RuleBook((folder, PROJECT_DIR / "rules" / "case_types"), demo=True)
    permit.database.office = replace(permit.database.office, book=book)
    permit.runner.office = permit.database.office
    permit.granted()
    permit.run_jobs()
    assert permit.rounds()[0].state == "invalid" and "误差限 0.01" in permit.rounds()[0].faults[0]["text"]


def with_coordinates(permit, coordinates):
    permit.database.office = replace(permit.database.office, coordinates=coordinates)
    permit.runner.office = permit.database.office


def without_range(permit):
    with permit.database.writing() as session:
        for row in range_materials(session, permit.case):
            session.get(Material, row.id).removed_at = row.uploaded_at
        session.commit()


@pytest.mark.function("PROJ-099", "missing_layer_refused")
def test_without_a_layer_nothing_is_sent(permit):
    permit.granted()
    without_range(permit)
    permit.run_jobs()
    row = permit.rounds()[0]
    assert row.state == "invalid" and "空间图层缺失" in row.faults[0]["text"]
    assert permit.messages("usage_control") == []
    assert permit.case.values["report_failed"] is True


@pytest.mark.function("PROJ-099", "untransformed_refused")
def test_a_range_that_no_parameters_convert_is_not_sent(permit):
    permit.granted()
    with_coordinates(permit, CoordinateParameters({}, {}))
    permit.run_jobs()
    assert permit.rounds()[0].state == "invalid" and permit.messages("usage_control") == []


def test_a_range_without_control_points_cannot_be_judged_and_is_not_sent(permit):
    permit.granted()
    with_coordinates(permit, CoordinateParameters(shipped().systems, {}))
    permit.run_jobs()
    assert permit.rounds()[0].state == "invalid"


@pytest.mark.function("PROJ-101", "dispatch_blocked", "passed_goes_on")
@pytest.mark.function("PROJ-103", "empty_without_number", "dispatch_blocked", "number_matches", "number_printed_pipeline")
def test_the_number_comes_later_and_dispatch_waits_for_it(permit, running):
    running.fault("usage_control", "late", seconds=600)
    permit.granted()
    permit.answered()
    permit.step("printer", "print", "printed")
    assert printed(permit)[1]["电子监管号"] == ""
    with pytest.raises(Refused, match="尚未取得规划许可电子监管号"):
        permit.step("dispatcher", "dispatch", "dispatch")
    assert permit.case.status == "open"
    refreshed(permit, "dispatch")
    assert permit.rounds()[0].state == "accepted"
    running.control("release")
    running.fault("usage_control", "ok")
    refreshed(permit, "dispatch")
    number = permit.rounds()[0].number
    assert number.startswith("仿真-") and permit.case.values["supervision_number"] == number
    permit.run_jobs()
    assert printed(permit) == (2, {**printed(permit)[1], "电子监管号": number}), "the paper is made anew by itself"
    permit.step("dispatcher", "dispatch", "dispatch")
    assert (permit.case.status, permit.case.outcome) == ("closed", "granted")


@pytest.mark.function("PROJ-101", "refreshed_when_printing_and_dispatching")
def test_the_refresh_brings_the_number_of_the_pre_review_too_and_keeps_it(permit, running):
    permit.granted()
    permit.answered()
    assert permit.case.values.get("pre_review_number") is None
    refreshed(permit)
    assert permit.case.values["pre_review_number"] == "仿真-310118-2026-000017"
    permit.step("printer", "print", "printed")
    running.fault("usage_control", "refuse", operation="pre-review-number")
    refreshed(permit, "dispatch")
    assert permit.case.values["pre_review_number"] == "仿真-310118-2026-000017"
    assert "正在核查" in permit.case.values["pre_review_answer"]


@pytest.mark.parametrize(("code", "said"), [("GX-2026-0003", "还没有给出"), ("GX-2026-0004", "没有这个项目的用地预审记录")])
def test_a_project_without_a_pre_review_number_says_why(permit, code, said):
    permit.filled(project_code=code, length_m="96.00", pipeline_class="通信", survey_unit="样例测绘有限公司", in_protected_area="false")
    permit.with_files()
    permit.act(permit.applicant, "apply", "submit", "")
    permit.step("window", "window", "accept", marked="false")
    permit.step("pre_reviewer", "pre_review", "pass")
    permit.step("reviewer", "review", "pass", may_publish="true")
    permit.step("section_chief", "chief_review", "agree")
    permit.step("approver", "approve", "grant")
    permit.answered()
    refreshed(permit)
    assert permit.case.values["pre_review_number"] is None and said in permit.case.values["pre_review_answer"]


def test_a_wrong_number_is_not_taken_and_the_right_one_is(permit, running):
    running.fault("usage_control", "wrong_number")
    permit.granted()
    with pytest.raises(Exception, match="应答不符合约定"):
        permit.answered()
    assert permit.rounds()[0].state == "accepted" and permit.rounds()[0].number is None
    running.fault("usage_control", "ok")
    refreshed(permit)
    assert permit.rounds()[0].state == "numbered"


def test_the_same_answer_twice_has_one_effect_and_a_different_one_is_only_noted(permit):
    from domain.actor import SYSTEM
    from domain.exchange.inbox import Received, take_result

    permit.granted()
    permit.answered()
    refreshed(permit)
    row = permit.rounds()[0]
    with permit.database.reading() as session:
        before = len(usage_control.events_of(session, [row.id]))
    message = permit.messages("usage_control")[0]
    with permit.database.writing() as session:
        take_result(session, SYSTEM, Received("usage_control", row.business_key, message.result))
    with permit.database.writing() as session:
        take_result(session, SYSTEM, Received("usage_control", row.business_key, {**message.result, "number": "仿真-310000-2026-999999"}))
    assert permit.rounds()[0].number == row.number == permit.case.values["supervision_number"]
    with permit.database.reading() as session:
        events = usage_control.events_of(session, [row.id])
    assert len(events) == before + 1 and "没有采用" in events[-1].words


def test_an_answer_that_never_comes_leaves_dispatch_closed(permit, running):
    running.fault("usage_control", "never")
    permit.granted()
    permit.answered()
    refreshed(permit)
    permit.step("printer", "print", "printed")
    with pytest.raises(Refused, match="请刷新"):
        permit.step("dispatcher", "dispatch", "dispatch")


def rejected(permit, running, code="UC-CHECK"):
    """A permit whose first report was rejected by the platform."""
    running.fault("usage_control", "reject")
    permit.granted()
    permit.answered()
    running.fault("usage_control", "ok")
    assert permit.rounds()[0].state == "rejected"
    return permit


def opened_erratum(permit, reason="部系统退回，更正长度"):
    permit.act(permit.officers["printer"], "print", "open_erratum", reason)
    return permit.linked("erratum")


def proposed(permit, walk, **entries):
    printer = permit.officers["printer"]
    permit.save(walk, printer, "propose", _add="changes")
    posted = {f"changes-0-{key}": value for key, value in entries.items()}
    assert permit.save(walk, printer, "propose", **posted) == {}
    return walk


@pytest.mark.function("PROJ-101", "feedback_shown")
@pytest.mark.function("PROJ-100", "errors_stored", "errors_found_by_case")
def test_errors_of_the_platform_are_kept_and_shown_in_the_refusal(permit, running):
    rejected(permit, running)
    row = permit.rounds()[0]
    assert row.faults and all(fault["text"] for fault in row.faults)
    permit.step("printer", "print", "printed")
    with pytest.raises(Refused, match="用途管制不通过，部系统返回.*转勘误"):
        permit.step("dispatcher", "dispatch", "dispatch")


@pytest.mark.function("PROJ-101", "printer_turns_to_erratum", "control_repeated")
@pytest.mark.function("PROJ-083", "erratum_applied_and_pushed", "unreviewed_unchanged")
def test_an_approved_erratum_corrects_reports_again_and_corrects_the_library(permit, running):
    rejected(permit, running)
    permit.deliver("case_library")
    walk = proposed(permit, opened_erratum(permit), field_key="length_m", corrected="181.50")
    walk.act(permit.officers["printer"], "propose", "submit", "")
    assert permit.case.values["length_m"] == "180.50" and len(permit.rounds()) == 1
    walk.act(permit.officers["erratum_reviewer"], "erratum_review", "approve", "更正属实")
    assert permit.case.values["length_m"] == "181.50" and walk.case.outcome == "done"
    with permit.database.reading() as session:
        versions = session.exec(select(CaseVersion).where(CaseVersion.case_id == permit.id).order_by(CaseVersion.version_no)).all()
        event = session.exec(select(CaseEvent).where(CaseEvent.case_id == permit.id, CaseEvent.operation == "erratum_applied")).one()
    assert [(v.reason, v.values["length_m"]) for v in versions][-2:] == [("step", "180.50"), ("erratum", "181.50")]
    [change] = event.detail["changes"]
    assert change["label"] == "管线长度" and change["before"].startswith("180.50") and change["after"].startswith("181.50")
    permit.answered()
    first, second = permit.rounds()[1], permit.rounds()[0]
    assert (first.state, second.state, second.round_no) == ("rejected", "numbered", 2)
    assert first.business_key != second.business_key
    permit.deliver("case_library")
    assert [(m.payload["version"], m.status) for m in permit.messages("case_library")] == [(1, "delivered"), (2, "delivered")]
    assert "更正长度" in permit.messages("case_library")[1].payload["correction_reason"]
    permit.step("printer", "print", "printed")
    permit.step("dispatcher", "dispatch", "dispatch")
    assert permit.case.outcome == "granted" and printed(permit)[1]["管线长度（米）"].startswith("181.50")


@pytest.mark.function("PROJ-083", "return_needs_reason")
def test_a_rejected_erratum_changes_nothing_and_says_why(permit, running):
    rejected(permit, running)
    walk = proposed(permit, opened_erratum(permit), field_key="road_name", corrected="别的路")
    walk.act(permit.officers["printer"], "propose", "submit", "")
    reviewer = permit.officers["erratum_reviewer"]
    with pytest.raises(InvalidData, match="没有填写意见"):
        walk.act(reviewer, "erratum_review", "reject", "")
    before = permit.case.values
    walk.act(reviewer, "erratum_review", "reject", "与批文不符")
    assert permit.case.values == before and len(permit.rounds()) == 1 and walk.case.outcome == "refused"


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({"field_key": "length_m", "corrected": "零"}, "不是数字"),
        ({"field_key": "length_m", "corrected": "180.50"}, "与原值相同"),
        ({"field_key": "pipeline_class", "corrected": "输油"}, "没有「输油」这一项"),
    ],
)
def test_an_erratum_that_cannot_be_is_refused_before_it_is_reviewed(permit, running, entries, words):
    rejected(permit, running)
    walk = proposed(permit, opened_erratum(permit), **entries)
    with pytest.raises(InvalidData) as refused:
        walk.act(permit.officers["printer"], "propose", "submit", "")
    assert set(refused.value.fields) == {"changes-0-corrected"} and words in refused.value.message


def test_an_empty_erratum_and_a_second_one_are_refused(permit, running):
    rejected(permit, running)
    walk = opened_erratum(permit)
    with pytest.raises(InvalidData, match="至少更正一项"):
        walk.act(permit.officers["printer"], "propose", "submit", "")
    with pytest.raises(Conflict, match="不能再开一件"):
        opened_erratum(permit)


def test_an_erratum_may_bring_a_new_range(permit, running):
    rejected(permit, running)
    walk = opened_erratum(permit)
    walk.attach("corrected_range", NATIONAL_TXT, "national.txt", "text/plain")
    walk.act(permit.officers["printer"], "propose", "submit", "")
    walk.act(permit.officers["erratum_reviewer"], "erratum_review", "approve", "图形更正")
    permit.run_jobs()
    [entry] = permit.rounds()[0].detail["ranges"]
    assert entry["file"] == "national.txt" and entry["max_residual_m"] == "0.000" and entry["transformation"] is None


def test_while_a_report_is_under_way_no_erratum_takes_effect(permit, running):
    permit.granted()
    walk = proposed(permit, opened_erratum(permit), field_key="length_m", corrected="181.50")
    walk.act(permit.officers["printer"], "propose", "submit", "")
    with pytest.raises(Conflict, match="还没有结果"):
        walk.act(permit.officers["erratum_reviewer"], "erratum_review", "approve", "同意")
    assert permit.case.values["length_m"] == "180.50"


@pytest.mark.function("PROJ-083", "erratum_started")
def test_an_erratum_of_a_closed_case_corrects_the_library_and_the_paper_but_not_the_number(permit):
    permit.granted()
    permit.answered()
    permit.step("printer", "print", "printed")
    permit.step("dispatcher", "dispatch", "dispatch")
    with permit.database.writing() as session:
        walk_id = open_linked_case(session, permit.officers["reviewer"], permit.id, "erratum", "路名有误").id
    walk = permit.linked("erratum")
    assert walk.id == walk_id
    reviewer = permit.officers["reviewer"]
    permit.save(walk, reviewer, "propose", _add="changes")
    permit.save(walk, reviewer, "propose", **{"changes-0-field_key": "road_name", "changes-0-corrected": "样例南路"})
    walk.act(reviewer, "propose", "submit", "")
    walk.act(permit.officers["erratum_reviewer"], "erratum_review", "approve", "属实")
    permit.run_jobs()
    assert permit.case.status == "closed" and permit.case.values["road_name"] == "样例南路"
    assert len(permit.rounds()) == 1 and permit.rounds()[0].state == "numbered"
    assert printed(permit)[1]["所在道路"] == "样例南路"
    assert [m.payload["version"] for m in permit.messages("case_library")] == [1, 2]


def test_only_printer_and_reviewer_may_open_an_erratum(permit, person):
    permit.granted()
    with permit.database.writing() as session, pytest.raises(NotAllowed):
        open_linked_case(session, permit.officers["window"], permit.id, "erratum", "试试")
    stranger = person("reviewer", district="310115")
    with permit.database.writing() as session, pytest.raises(Exception, match="没有这件办件"):
        open_linked_case(session, stranger, permit.id, "erratum", "试试")


@pytest.mark.function("PROJ-083", "pushed_after_review")
def test_the_result_goes_to_the_library_after_the_review(permit):
    permit.reviewed()
    [message] = permit.messages("case_library")
    assert message.payload["version"] == 1 and message.payload["correction_reason"] is None
    permit.deliver("case_library")
    assert permit.messages("case_library")[0].answer["receipt_number"]


def test_a_denial_after_the_push_corrects_the_library(permit):
    permit.reviewed()
    permit.step("approver", "approve", "deny", "走向不符合规划")
    permit.deliver("case_library")
    second = permit.messages("case_library")[1]
    assert (second.payload["version"], second.payload["outcome"]) == (2, "denied")
    assert second.payload["correction_reason"] == "走向不符合规划" and second.status == "delivered"


def test_a_case_that_was_returned_and_passed_again_corrects_the_library(permit):
    from domain.case.operations import send_back

    permit.reviewed()
    with permit.database.writing() as session:
        send_back(session, permit.officers["approver"], permit.task("approve"), "review", "请补充审理意见")
    permit.step("reviewer", "review", "pass", "补充后同意")
    assert [(m.payload["version"], m.payload["correction_reason"]) for m in permit.messages("case_library")] == [
        (1, None), (2, "补充后同意")]


def cut_off_at(place):
    def reached(name):
        if name == place:
            raise RuntimeError("cut off")

    return reached


@pytest.fixture(autouse=True)
def no_failpoint():
    yield
    failpoint.install(None)


def build_job(permit):
    with permit.database.reading() as session:
        found = session.exec(select(Job).where(Job.kind == usage_control.BUILD_JOB)).one()
        session.expunge(found)
        return found


def test_a_crash_before_the_package_is_noted_leaves_no_half_and_a_second_run_sends_one(permit):
    permit.granted()
    job = build_job(permit)
    progress = Progress(permit.database, permit.database.office, job, lambda: False)
    failpoint.install(cut_off_at("report:packed"))
    with pytest.raises(RuntimeError):
        report_building.build(progress, job.arguments)
    failpoint.install(None)
    assert permit.rounds()[0].state == "building" and permit.messages("usage_control") == []
    assert report_building.build(progress, job.arguments)["state"] == "submitted"
    assert report_building.build(progress, job.arguments) == {"state": "submitted"}
    assert len(permit.messages("usage_control")) == 1


def test_a_second_report_is_refused_while_the_first_is_under_way(permit):
    permit.granted()
    permit.run_jobs()
    with permit.database.writing() as session, pytest.raises(Conflict, match="还没有结果"):
        from domain.command import Work
        from domain.portal_clock import now

        work = Work(session, permit.officers["printer"], now(session), "test")
        usage_control.begin(work, session.get(type(permit.case), permit.id), "permit_initial")


def test_a_lost_file_is_a_fault_of_the_round_and_the_report_may_be_tried_again(permit):
    permit.granted()
    with permit.database.reading() as session:
        digest = range_materials(session, permit.case)[0].digest
    path = permit.database.office.files.path_of(digest)
    content = path.read_bytes()
    path.unlink()
    permit.run_jobs()
    assert permit.rounds()[0].state == "invalid" and "没有找到文件" in permit.rounds()[0].faults[0]["text"]
    path.write_bytes(content)
    permit.step("printer", "print", "retry_report")
    permit.run_jobs()
    assert permit.rounds()[0].state == "submitted" and permit.rounds()[0].round_no == 2


def test_codes_of_the_kinds_are_those_of_the_platform():
    for key, kind in usage_control.kinds().items():
        theirs = KINDS[key]
        assert (kind.code, set(kind.contents)) == (theirs.code, set(theirs.requires))
    assert set(usage_control.states()) >= {"numbered", "rejected", "cancelled", "recorded"}
    assert yaml.safe_load(usage_control.FILE.read_text(encoding="utf-8"))["stages"] == list(usage_control.stages())


def test_documents_belong_to_the_permit(permit):
    permit.granted()
    permit.answered()
    permit.step("printer", "print", "printed")
    with permit.database.reading() as session:
        keys = session.exec(select(Document.key).where(Document.case_id == permit.id).order_by(Document.id)).all()
    assert keys == ["acceptance_notice", "permit"]
