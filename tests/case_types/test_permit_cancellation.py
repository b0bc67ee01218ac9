"""依申请注销 (PROJ-100): the permit's holder names it, the platform cancels its number, the paper is void."""

import json

import pytest
from sqlmodel import select

from domain import report_building
from domain.case.tables import CaseEvent
from domain.document.tables import Document
from domain.errors import Refused
from tests.case_types.permit_walk import DISTRICT, PDF, Permit
from tests.domain.case.filing_steps import Walk


@pytest.fixture
def permit(database, linked, person):
    """A permit that was dispatched with its number."""
    made = Permit(database, person).granted()
    made.answered()
    made.step("printer", "print", "printed")
    made.step("dispatcher", "dispatch", "dispatch")
    return made


def paper(permit):
    with permit.database.reading() as session:
        return session.exec(select(Document).where(Document.case_id == permit.id, Document.key == "permit")).one()


class Cancellation(Permit):
    """The cancellation of a permit, handled by the same people."""

    def __init__(self, permit: Permit) -> None:
        self.permit, self.database, self.runner = permit, permit.database, permit.runner
        self.applicant, self.officers = permit.applicant, permit.officers
        Walk.__init__(self, permit.database, permit.applicant, "pipeline_permit_cancellation")

    def named(self, number: str) -> "Cancellation":
        assert self.fill(self.applicant, "apply", original_number=number, reason="项目取消", district=DISTRICT) == {}
        return self

    def approved(self, action: str = "revoke_reported") -> "Cancellation":
        self.act(self.applicant, "apply", "submit", "")
        self.step("window", "window", "accept")
        self.step("reviewer", "review", "pass")
        self.step("approver", "approve", action, "同意注销")
        return self


@pytest.mark.function("PROJ-100", "cancellation_packed")
def test_a_reported_permit_is_cancelled_with_the_platform_first(permit):
    case = Cancellation(permit).named(paper(permit).number).approved()
    with pytest.raises(Refused, match="还没有返回注销结果"):
        case.step("printer", "print", "finish")
    case.answered()
    row = case.rounds()[0]
    assert (row.kind, row.state, row.number) == ("permit_cancellation", "cancelled", permit.rounds()[0].number)
    files = case.package()
    revocation = json.loads(files["revocation.json"])
    assert revocation["case_number"] == permit.case.number and revocation["reason"] == "同意注销"
    assert any(name.startswith("documents/paper-") for name in files)
    assert permit.rounds()[0].state == "cancelled"
    case.step("printer", "print", "finish")
    assert case.case.outcome == "granted" and paper(permit).status == "void"
    permit.deliver("case_library")
    last = permit.messages("case_library")[-1]
    assert (last.payload["outcome"], last.status) == ("cancelled", "delivered")
    with permit.database.reading() as session:
        events = session.exec(select(CaseEvent.operation).where(CaseEvent.case_id == permit.id)).all()
    assert events[-1] == "cancelled"


def test_a_cancelled_permit_cannot_be_cancelled_again(permit):
    case = Cancellation(permit).named(permit.case.number).approved()
    case.answered()
    case.step("printer", "print", "finish")
    with pytest.raises(Refused, match="没有生效或已经注销"):
        Cancellation(permit).named(permit.case.number).act(permit.applicant, "apply", "submit", "")


def test_a_second_cancellation_waits_for_the_first(permit):
    Cancellation(permit).named(permit.case.number).act(permit.applicant, "apply", "submit", "")
    with pytest.raises(Refused, match="正在办理的勘误或注销"):
        Cancellation(permit).named(permit.case.number).act(permit.applicant, "apply", "submit", "")


@pytest.mark.parametrize("number", ["没有这个号", "沪管建〔2026〕GX99999号"])
def test_a_permit_that_is_not_there_is_refused(permit, number):
    case = Cancellation(permit).named(number)
    assert "没有找到" in case.case.values["permit_answer"]
    with pytest.raises(Refused, match="没有找到本单位的这件许可"):
        case.act(permit.applicant, "apply", "submit", "")


def test_the_permit_of_another_enterprise_is_not_found(permit, person):
    permit.applicant = person("applicant", enterprise="别的公司（样例）")
    case = Cancellation(permit).named(permit.case.number)
    with pytest.raises(Refused, match="没有找到本单位的这件许可"):
        case.act(permit.applicant, "apply", "submit", "")


@pytest.mark.function("PROJ-100", "missing_documents_refused")
def test_without_documents_nothing_is_sent(permit, monkeypatch):
    case = Cancellation(permit).named(permit.case.number).approved()
    monkeypatch.setattr(report_building, "_papers", lambda session, case: [])
    case.run_jobs()
    row = case.rounds()[0]
    assert row.state == "invalid" and "缺少文档材料" in row.faults[0]["text"]
    assert case.case.values["report_failed"] is True
    monkeypatch.undo()
    case.step("printer", "print", "retry_report")
    case.answered()
    assert case.rounds()[0].state == "cancelled"


@pytest.mark.function("PROJ-100", "missing_record_refused")
def test_an_incomplete_revocation_record_is_not_sent(permit, monkeypatch):
    case = Cancellation(permit).named(permit.case.number).approved()
    monkeypatch.setattr(report_building, "_reason", lambda session, case: " ")
    case.run_jobs()
    row = case.rounds()[0]
    assert row.state == "invalid" and [f["field"] for f in row.faults] == ["reason"]
    assert len(case.messages("usage_control")) == 1, "only the permit's own report was ever sent"


def test_a_cancellation_that_the_platform_rejects_is_shown_and_tried_again(permit, running):
    running.fault("usage_control", "reject")
    case = Cancellation(permit).named(permit.case.number).approved()
    case.answered()
    running.fault("usage_control", "ok")
    assert case.rounds()[0].state == "rejected"
    with pytest.raises(Refused, match="注销报送不通过"):
        case.step("printer", "print", "finish")
    case.step("printer", "print", "retry_report")
    case.answered()
    assert case.rounds()[0].state == "cancelled" and paper(permit).status == "issued"


def test_material_of_the_case_goes_into_the_package(permit):
    case = Cancellation(permit).named(permit.case.number)
    case.attach("permit_original", PDF, "原件.pdf", "application/pdf")
    case.approved().answered()
    assert any(name.endswith("原件.pdf") for name in case.package())
