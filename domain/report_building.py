"""Building and validating a report package: a job, so that no writer waits for it.

Everything the package needs is read and checked first; then one command keeps the package and puts it into the outbox,
or keeps the reasons why it may not be sent.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlmodel import Session, col, select

from domain import decision, portal_clock, report_package, usage_control
from domain.actor import SYSTEM
from domain.area import area_m2
from domain.case import papers, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseEvent, Material
from domain.command import Work, command, system_only
from domain.district import district_name
from domain.document.tables import Document, DocumentVersion
from domain.errors import InvalidData, PortalError
from domain.exchange import send
from domain.failpoint import reach
from domain.file_store import ReceivedFile, register
from domain.job import Progress, job_handler
from domain.office import office_of
from domain.report_extent import NO_LAYER, ReportExtent, extent_of
from domain.report_outcome import show_on_case
from domain.usage_control import PARTNER, ReportRound
from rules.engine import Decision

RESIDUAL_SET = "coordinate_residual_gate"
APPROVAL_FIELDS = ("case_number", "project_name", "item_name", "applicant_name", "decision", "decided_on")
REVOCATION_FIELDS = ("case_number", "number", "reason", "revoked_on", "deciding_office")
GRANTED = "准予许可"


@dataclass
class Composition:
    """What a round would send: its files, or the faults that stand against it, with the decision on its layer."""

    files: dict[str, bytes] = field(default_factory=dict)
    faults: list[dict[str, Any]] = field(default_factory=list)
    detail: dict[str, Any] = field(default_factory=dict)
    decision: Decision | None = None

    def refuse(self, text: str, file: str | None = None, name: str | None = None) -> None:
        """Note a fault."""
        self.faults.append({"code": "", "text": text, "file": file, "field": name})


@job_handler(usage_control.BUILD_JOB, resumable=True)
def build(progress: Progress, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Build the package of a round; a round that is no longer being built stays as it is."""
    with progress.reading() as session:
        row = session.get_one(ReportRound, arguments["round"])
        if row.state != "building":
            return {"state": row.state}
        case = session.get_one(Case, row.case_id)
        made, package = _made(session, row, case)
    progress.tell(1, 2, "组卷")
    with progress.writing() as session:
        finished = finish_building(session, SYSTEM, arguments["round"], made, package)
        return {"state": finished.state, "faults": len(finished.faults)}


def _made(session: Session, row: ReportRound, case: Case) -> tuple[Composition, ReceivedFile | None]:
    """The composition and its package; what stands in the way (a file that is lost, say) becomes a fault of the round."""
    made = Composition()
    try:
        compose(session, row, case, made)
        return made, _packed(session, row, case, made)
    except PortalError as fault:
        made.refuse(fault.message)
        return made, None


def _packed(session: Session, row: ReportRound, case: Case, made: Composition) -> ReceivedFile | None:
    if made.faults:
        return None
    code = usage_control.kinds()[row.kind].code
    subject = case.number if row.original_id is None else _original_number(session, row)
    content = report_package.pack(made.files, row.business_key, code, subject)
    return office_of(session).files.put_bytes(content, _file_name(row), allowed=("zip",))


def _original_number(session: Session, row: ReportRound) -> str:
    """A cancellation speaks of the case that has the number."""
    original = session.get_one(ReportRound, row.original_id)
    return session.get_one(Case, original.case_id).number


def _file_name(row: ReportRound) -> str:
    return f"report-{row.case_id}-{row.kind}-{row.round_no}.zip"


def compose(session: Session, row: ReportRound, case: Case, made: Composition) -> None:
    """Gather and check what a round's package must hold; every fault is found, not only the first."""
    for part in usage_control.kinds()[row.kind].contents:
        _PARTS[part](session, row, case, made)
    made.detail["files"] = sorted(made.files)


def _layer(session: Session, row: ReportRound, case: Case, made: Composition) -> None:
    extent = _extent(session, case, made)
    facts = extent.facts() if extent is not None else NO_LAYER
    made.detail["ranges"] = [each.detail() for each in extent.files] if extent is not None else []
    made.decision = decision.decide(session, SYSTEM, case, RESIDUAL_SET, extra=facts)
    if decision.refuses(made.decision):
        made.refuse(made.decision.message, report_package.LAYER_FOLDER)
    elif extent is not None:
        geometry = extent.geometry
        made.detail["area_m2"] = str(area := area_m2(geometry))
        made.files |= report_package.layer_files(geometry, case.number or "", case.title, area)
        made.files[report_package.COORDINATES] = report_package.coordinate_file(geometry, extent.heading())


def _extent(session: Session, case: Case, made: Composition) -> ReportExtent | None:
    try:
        return extent_of(session, case)
    except InvalidData as fault:
        made.refuse(fault.message, report_package.LAYER_FOLDER)
        return None


def _coordinates(session: Session, row: ReportRound, case: Case, made: Composition) -> None:
    """The coordinates are written with the layer."""
    if report_package.COORDINATES not in made.files and not made.faults:
        made.refuse("没有转换后的坐标，不能报送。请补齐范围图形", report_package.COORDINATES)


def _approval(session: Session, row: ReportRound, case: Case, made: Composition) -> None:
    record = {
        "case_number": case.number or "",
        "project_name": case.title,
        "item_name": case_type_of(session, case).title,
        "applicant_name": papers.applicant_name(session, case),
        "decision": GRANTED,
        "decided_on": portal_clock.local_date(row.started_at).isoformat(),
    }
    _keep_record(made, report_package.APPROVAL, record, APPROVAL_FIELDS, "审批结果数据")


def _revocation(session: Session, row: ReportRound, case: Case, made: Composition) -> None:
    record = {
        "case_number": _original_number(session, row) if row.original_id else "",
        "number": row.number or "",
        "reason": _reason(session, case),
        "revoked_on": portal_clock.local_date(row.started_at).isoformat(),
        "deciding_office": f"{district_name(case.district_code)}规划和自然资源局" if case.district_code else "",
    }
    _keep_record(made, report_package.REVOCATION, record, REVOCATION_FIELDS, "撤销许可记录")


def _reason(session: Session, case: Case) -> str:
    """The opinion with which the revocation was decided."""
    said = select(CaseEvent.opinion).where(CaseEvent.case_id == case.id, CaseEvent.opinion != "")
    return session.exec(said.order_by(col(CaseEvent.id).desc()).limit(1)).first() or ""


def _keep_record(
    made: Composition, name: str, record: Mapping[str, str], required: tuple[str, ...], label: str
) -> None:
    empty = [key for key in required if not record[key].strip()]
    for key in empty:
        made.refuse(f"{label}的必填项为空，不能报送", name, key)
    if not empty:
        made.files[name] = report_package.document(record)


def _documents(session: Session, row: ReportRound, case: Case, made: Composition) -> None:
    """The papers in force and the materials of the case."""
    files = office_of(session).files
    for name, digest in (*_papers(session, case), *_materials(session, case)):
        made.files[f"{report_package.DOCUMENT_FOLDER}{name}"] = files.read_bytes(digest)
    if not any(name.startswith(report_package.DOCUMENT_FOLDER) for name in made.files):
        made.refuse("缺少文档材料，不能报送。请先制发撤销许可决定或补充材料", report_package.DOCUMENT_FOLDER)


def _papers(session: Session, case: Case) -> list[tuple[str, str]]:
    statement = select(Document.id, DocumentVersion.digest).join(
        DocumentVersion,
        (col(DocumentVersion.document_id) == Document.id) & (col(DocumentVersion.version_no) == Document.current_version),
    )
    rows = session.exec(statement.where(Document.case_id == case.id, Document.status == "issued").order_by(Document.id))
    return [(f"paper-{document_id}.pdf", digest) for document_id, digest in rows.all()]


def _materials(session: Session, case: Case) -> list[tuple[str, str]]:
    statement = select(Material).where(
        Material.case_id == case.id, col(Material.replaced_by).is_(None), col(Material.removed_at).is_(None)
    )
    rows = session.exec(statement.order_by(col(Material.id))).all()
    return [(f"material-{row.id}-{row.name}", row.digest) for row in rows]


_PARTS = {
    "layer": _layer,
    "coordinates": _coordinates,
    "approval": _approval,
    "revocation": _revocation,
    "documents": _documents,
}


@command("report.finish_building", allow=system_only)
def finish_building(work: Work, round_id: int, made: Composition, package: ReceivedFile | None) -> ReportRound:
    """Keep the package and put it into the outbox; or keep the faults, and the package is not sent."""
    case = scope.find(work.session, work.actor, work.session.get_one(ReportRound, round_id).case_id)
    row = work.session.exec(select(ReportRound).where(ReportRound.id == round_id).with_for_update()).one()
    if row.state != "building":
        return row
    row.faults, row.detail = made.faults, made.detail
    if made.decision is not None:
        decision.store(work, case, made.decision, "report")
    if package is None:
        words = usage_control.faults_in_words(row)
        usage_control.change(work, row, "invalid", words)
        show_on_case(work, case)
        usage_control.tell_case(work, case, row, words)
        return row
    row.package_digest = register(work.session, package, work.at)
    usage_control.change(work, row, "packed", f"{len(made.files)} 个文件，SM3 {package.digest[:16]}…")
    reach("report:packed")
    send(
        work, PARTNER, row.kind, row.business_key, {"file_name": _file_name(row)}, case_id=case.id,
        file_digest=package.digest,
    )
    usage_control.change(work, row, "submitted", "已交发送队列")
    return row


