"""The two jobs of an update: reading with the difference, and applying as one edition, all or nothing."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shapely.geometry.base import BaseGeometry

from domain import failpoint
from domain.actor import Actor
from domain.command import Work, command
from domain.errors import PortalError, Refused
from domain.inspection import InspectionRefused, inspect, schemes
from domain.job import JobResult, Progress, job_handler
from domain.layer import LayerDefinition, Terms, layer_definition, write_change
from domain.layer.edition import lock as lock_layer
from domain.layer.rights import data_managers
from domain.layer_update import access, upload
from domain.layer_update.course import APPLY_KIND, READ_KIND, changed
from domain.layer_update.definition import AREA, EXTENTS, OF_THE_WHOLE, REGION, UpdateRequest
from domain.layer_update.difference import difference
from domain.layer_update.marks import let_go
from domain.layer_update.plan import Plan, plan_of
from domain.layer_update.tables import APPLIED, APPLYING, READING, READY, REFUSED, LayerUpdate
from domain.layer_update.upload import Upload
from domain.portal_clock import today
from domain.spatial_file import understood

MOST_FINDINGS = 20
_STEPS = 4


@dataclass(frozen=True)
class _Material:
    """What an update works with: who asked, the row, the request, what was uploaded, and the area."""

    actor: Actor
    row: LayerUpdate
    definition: LayerDefinition
    request: UpdateRequest
    upload: Upload | None
    area: BaseGeometry | None


@job_handler(READ_KIND, resumable=True)
def run_reading(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Read, inspect, compare; what cannot be taken in is told on the update's page, not as a fault of the job."""
    found, said = {}, {}
    try:
        material = _material(progress, arguments)
        said = _understood(material.upload)
        verdict = _inspected(progress, material)
        progress.tell(2, _STEPS, "与现行图层比较")
        with progress.reading() as session:
            plan = _plan(session, material)
        found = difference(plan) | verdict | {"notes": list(material.upload.notes) if material.upload else []}
        found["refusals"] = verdict.get("refusals", []) + list(plan.refusals)
    except PortalError as fault:
        found = {"refusals": [fault.message], "conflicts": []}
    with progress.reading() as session:
        owner = progress.owner(session)
    with progress.writing() as session:
        note_reading(session, owner, arguments["layer"], arguments["update"], said, found)
    return JobResult({"refusals": len(found["refusals"])})


def _material(progress: Progress, arguments: Mapping[str, Any]) -> _Material:
    """Everything that was uploaded, read again from the file store. Raises InvalidData with what to do."""
    with progress.reading() as session:
        actor = progress.owner(session)
        row = access.update_of(session, actor, arguments["layer"], arguments["update"])
        session.expunge(row)
    definition, request = layer_definition(row.layer_key), UpdateRequest.from_document(row.asked)
    progress.tell(0, _STEPS, "读取文件")
    office = progress.office
    found = upload.upload_of(upload.read(office, request.file, request), definition, request) if request.file else None
    area = upload.area_of(upload.read(office, request.area, request)) if request.area else None
    if area is None and request.way == AREA and found is not None and found.features:
        area = upload.covered_by(found.features)
    return _Material(actor, row, definition, request, found, area)


def _understood(found: Upload | None) -> dict[str, Any]:
    return understood(found.file).as_json() if found else {}


def _inspected(progress: Progress, material: _Material) -> dict[str, Any]:
    """The verdict of the layer's quality scheme on the file, with the first findings; nothing where it names no scheme."""
    if not material.definition.scheme or material.upload is None:
        return {}
    progress.tell(1, _STEPS, "质检新图形")
    scheme = schemes()[material.definition.scheme]
    with progress.reading() as session:
        on = today(session)
    try:
        result = inspect(
            material.upload.file, scheme, progress.office.book, on, tell=lambda words, _share: progress.tell(1, _STEPS, f"质检：{words}" if words else "质检新图形"),
            district=material.request.district,
        )  # fmt: skip
    except InspectionRefused as refused:
        return {"refusals": [refused.message]}
    verdict = {
        "title": scheme.title, "score": str(result.score), "lowest": str(scheme.lowest), "passed": result.passed, "count": len(result.findings),
        "findings": [{"key": each.key, "code": each.code, "message": each.message, "fix": each.fix} for each in result.findings[:MOST_FINDINGS]],
    }  # fmt: skip
    words = f"新图形没有通过“{scheme.title}”：成绩 {result.score} 分，{len(result.findings):,} 处问题。质检合格后才能更新，请改正后重新上传。"
    return {"inspection": verdict, "refusals": [] if result.passed else [words]}


def _plan(session: Any, material: _Material) -> Plan:
    row = material.row
    return plan_of(session, material.actor, material.definition, material.request, material.upload, material.area, row.data_year, row.decisions)


@command("layer_update.read", allow=data_managers)
def note_reading(work: Work, layer_key: str, update_id: int, said: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Keep what was understood and what would change; an update that was given up meanwhile stays so."""
    row = access.lock(work, layer_key, update_id)
    if row.state == READING:
        row.understood, row.found = dict(said), dict(found)
        row.state = REFUSED if found["refusals"] else READY
        changed(work, row)


@job_handler(APPLY_KIND, resumable=True)
def run_applying(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Read the files again and write the edition in one transaction; a refusal puts the update back with the reason."""
    with progress.reading() as session:
        owner = progress.owner(session)
        if access.update_of(session, owner, arguments["layer"], arguments["update"]).state == APPLIED:
            return JobResult({})
    try:
        material = _material(progress, arguments)
        progress.tell(3, _STEPS, "写入图层")
        with progress.writing() as session:
            return JobResult(apply(session, owner, material))
    except PortalError as fault:
        with progress.writing() as session:
            note_refusal(session, owner, arguments["layer"], arguments["update"], fault.message)
        raise


@command("layer_update.apply", allow=data_managers)
def apply(work: Work, material: _Material) -> dict[str, Any]:
    """Work the update out again under the lock of the layer and write it as one edition, marks and all.

    Raises Conflict if the layer is not the edition that was compared, naming who changed it and when.
    """
    row = access.lock(work, material.row.layer_key, material.row.id)
    if row.state != APPLYING:
        raise Refused("这次更新已放弃或已入库，图层没有改动。请刷新页面。")
    request, definition = material.request, material.definition
    layer = lock_layer(work, definition.key, row.expected)
    plan = plan_of(work.session, work.actor, definition, request, material.upload, material.area, row.data_year, row.decisions)
    _must_be_doable(plan)
    if request.way in OF_THE_WHOLE and request.is_generated is not None:
        layer.is_generated = request.is_generated
        work.session.add(layer)
    released = let_go(work, definition.title, plan.conflicts, row.decisions)
    terms = Terms(row.expected, row.way, row.reason, row.data_year)
    edition = write_change(
        work, definition.key, EXTENTS.get(request.way, "feature"), plan.ended_keys, plan.begun, row.effective_on, row.case_id,
        _origin(request), terms, request.district if request.way == REGION else None,
    )  # fmt: skip
    failpoint.reach("layer_update:written")
    row.state, row.applied_at, row.applied_by_name, row.edition_number = APPLIED, work.at, work.actor.name, edition.number
    row.found = {**row.found, "released": released}
    changed(work, row, edition=edition.number)
    return {"edition": edition.number, "added": edition.added_count, "ended": edition.ended_count}


def _must_be_doable(plan: Plan) -> None:
    if plan.refusals:
        raise Refused(f"没有更新：{plan.refusals[0]}")
    if plan.undecided:
        raise Refused(f"没有更新：地块 {'、'.join(plan.undecided[:5])} 在确认后有了新的占用标记，还没有决定怎么处理。请刷新后逐块决定。")


def _origin(request: UpdateRequest) -> str:
    """Where the data of an edition are from."""
    return f"{request.file.name}，SM3 {request.file.digest[:16]}" if request.file else ""


@command("layer_update.refuse", allow=data_managers)
def note_refusal(work: Work, layer_key: str, update_id: int, words: str) -> None:
    """Put an update back that could not be applied, with the reason in words; nothing in the layer changed."""
    row = access.lock(work, layer_key, update_id)
    if row.state == APPLYING:
        row.state, row.found = REFUSED, {**row.found, "refusals": [words]}
        changed(work, row)
