"""立案: every admitted patch becomes a case that the portal opens on behalf of whoever admitted it, in batches, once.

What makes it once is the patch in its layer: the case takes a lasting hold on it. A patch that comes again with a later
package leads to the case that there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, func, select

from domain import case_range, failpoint, geojson, hold
from domain import job as jobs
from domain.actor import SYSTEM
from domain.case import automatic, history
from domain.case.tables import Case
from domain.command import Work, command, system_only
from domain.errors import Conflict, InvalidData, NotFound
from domain.file_store import FileStore, ReceivedFile
from domain.inspection.task import access, plan
from domain.inspection.task.access import ADMIT, CITY
from domain.inspection.task.plan import Opening
from domain.inspection.task.tables import InspectionRun, InspectionTask
from domain.job import Job, JobResult, Progress, job_handler
from domain.layer import FeatureData, features_by_key
from domain.numbering import take_number
from domain.office import office_of
from domain.patch_case.overlaying import Overlaying, PatchOverlay
from domain.patch_case.tables import AdmittedPatch
from domain.person import Person
from domain.portal_clock import local_date

KIND = "patch_cases"
BATCH = 10
"""Cases of one transaction: a click elsewhere waits no longer than for these."""
MARK = "opened"
NUMBER, AREA, DISTRICT, TASK, FILE = "clue_number", "patch_area_m2", "district", "source_task", "source_file"
"""Fields of the form that every case of a patch has, beside those that the plan maps."""
_MOST_KEYS = 500


@dataclass(frozen=True, slots=True)
class Prepared:
    """A patch with all that its case needs, worked out before the transaction; with a fault where that was not possible."""

    patch_id: int
    feature: FeatureData | None = None
    overlay: PatchOverlay | None = None
    file: ReceivedFile | None = None
    fault: str = ""


def enter(work: Work, task: InspectionTask, run: InspectionRun, features: Mapping[str, Sequence[FeatureData]]) -> Mapping[str, Any]:
    """Number the patches of an admission and queue the opening of their cases, where the plan says so; part of that command."""
    wanted = plan.plan_of(task.scheme)
    if wanted.cases is None:
        return {}
    for layer_key, rows in features.items():
        known = _numbers(work.session, layer_key, [each.key for each in rows])
        work.session.add_all(
            AdmittedPatch(
                run_id=run.id, layer_key=layer_key, feature_key=each.key, district_code=each.district_code, area_m2=each.area_m2,
                number=known.get(each.key) or _number(work, run, wanted.cases, each.district_code),
            )
            for each in rows
        )  # fmt: skip
    if wanted.opens is not None:
        _queue(work, run)
    return {"patches": sum(len(rows) for rows in features.values())}


def _numbers(session: Session, layer_key: str, keys: Sequence[str]) -> dict[str, str]:
    """The numbers that patches were given with earlier packages."""
    found: dict[str, str] = {}
    for start in range(0, len(keys), _MOST_KEYS):
        part = col(AdmittedPatch.feature_key).in_(keys[start : start + _MOST_KEYS])
        found |= dict(session.exec(select(AdmittedPatch.feature_key, AdmittedPatch.number).where(AdmittedPatch.layer_key == layer_key, part)).all())
    return found


def _number(work: Work, run: InspectionRun, numbers: plan.CaseNumbers, district_code: str) -> str:
    return take_number(
        work.session, numbers.series, numbers.pattern, on=local_date(work.at), values={"district": district_code},
        subject=f"inspection_run:{run.id}", at=work.at,
    )  # fmt: skip


def _queue(work: Work, run: InspectionRun) -> Job:
    job = jobs.enqueue(work, KIND, f"「{run.file_name}」图斑立案", {"run": run.id})
    run.admission_job_id = job.id
    work.session.add(run)
    return job


@command("patch_case.resume", allow=access.holders(ADMIT))
def resume(work: Work, run_id: int) -> Job:
    """Go on with an opening that was cancelled, failed, or left patches without a case. Raises Conflict if there is nothing to do."""
    task, run = access.run_of(work.session, work.actor, run_id)
    access.require(work.actor, ADMIT, CITY if plan.plan_of(task.scheme).level == "city" else task.district_code)
    run = work.session.exec(select(InspectionRun).where(InspectionRun.id == run_id).with_for_update()).one()
    job = work.session.get(Job, run.admission_job_id) if run.admission_job_id else None
    if job is not None and job.is_unfinished:
        raise Conflict("正在立案，不用再点。完成后本页显示结果。")
    if not waiting(work.session, run_id):
        raise Conflict("这个数据包的图斑都已立案，没有要继续的。")
    work.record(f"inspection:{task.id}", package=run.package_no)
    return _queue(work, run)


def waiting(session: Session, run_id: int) -> int:
    """How many patches of a package have no case yet."""
    statement = select(func.count()).select_from(AdmittedPatch).where(AdmittedPatch.run_id == run_id, col(AdmittedPatch.case_id).is_(None))
    return session.exec(statement).one()


@job_handler(KIND, resumable=True)
def open_cases(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Open the cases of a package in batches; started again, it goes on with the patches that have none."""
    run_id = arguments["run"]
    with progress.reading() as session:
        total, done, last = waiting(session, run_id), 0, 0
    while True:
        progress.tell(done, total, f"已立案 {done:,} 件")
        with progress.reading() as session:
            prepared = _prepared(session, run_id, last)
        if not prepared:
            break
        with progress.writing() as session:
            open_batch(session, SYSTEM, run_id, progress.owner_id, prepared)
        done, last = done + len(prepared), prepared[-1].patch_id
    with progress.reading() as session:
        return JobResult({"patches": total, "left": waiting(session, run_id)})


def _prepared(session: Session, run_id: int, last: int) -> list[Prepared]:
    """The next patches without a case, laid over the layers."""
    opening = _opening(session, run_id)
    statement = select(AdmittedPatch).where(AdmittedPatch.run_id == run_id, AdmittedPatch.id > last, col(AdmittedPatch.case_id).is_(None))
    patches = session.exec(statement.order_by(col(AdmittedPatch.id)).limit(BATCH)).all()
    files, overlaying = office_of(session).files, Overlaying(session, opening) if patches else None
    features: dict[tuple[str, str], FeatureData] = {}
    for layer_key in {each.layer_key for each in patches}:
        found = features_by_key(session, layer_key, [each.feature_key for each in patches if each.layer_key == layer_key])
        features |= {(layer_key, key): each for key, each in found.items()}
    return [_ready(each, features.get((each.layer_key, each.feature_key)), overlaying, files) for each in patches]


def _ready(patch: AdmittedPatch, feature: FeatureData | None, overlaying: Overlaying, files: FileStore) -> Prepared:
    if feature is None:
        return Prepared(patch.id, fault="图斑已不在图层里，没有立案。请核对图层的更新记录，需要立案的重新质检入库。")
    try:
        overlay = overlaying.of(feature.geometry)
    except InvalidData as fault:
        return Prepared(patch.id, fault=f"套合没有完成，没有立案：{fault.message}请更正图层后点「继续立案」。")
    content = geojson.content_of([({"number": feature.key}, feature.geometry)])
    return Prepared(patch.id, feature, overlay, files.put_bytes(content, f"{feature.key}.geojson"))


def _opening(session: Session, run_id: int) -> Opening:
    scheme = session.exec(select(InspectionTask.scheme).join(InspectionRun, col(InspectionRun.task_id) == InspectionTask.id).where(InspectionRun.id == run_id)).one()
    found = plan.plan_of(scheme).opens
    if found is None:
        raise NotFound("这个质检方案不再自动立案，没有立案。请联系市级数据管理人员核对入库方案。")
    return found


@command("patch_case.open", allow=system_only)
def open_batch(work: Work, run_id: int, owner_id: int | None, prepared: Sequence[Prepared]) -> None:
    """Open a case for each patch that has none; what could not be prepared keeps its reason, what is known its case."""
    run = work.session.exec(select(InspectionRun).where(InspectionRun.id == run_id).with_for_update()).one()
    task = work.session.get_one(InspectionTask, run.task_id)
    work.on_behalf_of = owner_id
    importer = work.session.get(Person, owner_id) if owner_id is not None else None
    opener = _Opener(work, task, run, importer)
    for each in prepared:
        patch = work.session.get_one(AdmittedPatch, each.patch_id)
        if patch.case_id is None:
            opener.take(patch, each)
    work.record(f"inspection:{task.id}", package=run.package_no, patches=len(prepared))


class _Opener:
    """Opens the cases of one batch."""

    def __init__(self, work: Work, task: InspectionTask, run: InspectionRun, importer: Person | None) -> None:
        self._work, self._task, self._run, self._importer = work, task, run, importer
        self._opening = _opening(work.session, run.id)
        self._definition = office_of(work.session).catalogue.current(self._opening.case_type, local_date(work.at))

    def take(self, patch: AdmittedPatch, prepared: Prepared) -> None:
        """Give a patch its case, or its fault."""
        key = patch_key(patch)
        known = hold.holders(self._work.session, hold.PATCH, [key]).get(key)
        patch.fault = ""
        if known is not None:
            self._tie(patch, known.case_id)
        elif prepared.fault:
            patch.fault = prepared.fault
        else:
            patch.case_id = self._opened(patch, prepared, key).id
        self._work.session.add(patch)
        failpoint.reach("patch_case:opened")

    def _tie(self, patch: AdmittedPatch, case_id: int) -> None:
        """The patch came again: its case stays the only one, and hears of it."""
        case = self._work.session.get_one(Case, case_id)
        patch.case_id, patch.is_repeated = case.id, True
        history.note(
            self._work, case, "patch_again", f"同一图斑随质检任务 {self._task.number} 再次入库，没有重复立案", area_m2=f"{patch.area_m2:f}",
        )  # fmt: skip

    def _opened(self, patch: AdmittedPatch, prepared: Prepared, key: str) -> Case:
        work, who = self._work, self._importer.name if self._importer else "系统"
        case = automatic.begin(
            work, self._definition, patch.district_code, self._values(patch, prepared), f"由质检任务 {self._task.number} 自动立案（{who}导入）",
            inspection=self._task.number, package=self._run.digest,
        )  # fmt: skip
        case.created_by = self._importer.id if self._importer else None
        hold.take(work, case, hold.PATCH, [key], MARK)
        case_range.come_in(work, case, prepared.feature.geometry, prepared.file, f"{patch.feature_key}.geojson", f"线索图斑 {patch.feature_key}")
        automatic.hand_on(work, case, self._definition)
        return case

    def _values(self, patch: AdmittedPatch, prepared: Prepared) -> dict[str, Any]:
        taken = {name: prepared.feature.attributes.get(source) for name, source in self._opening.fields.items()}
        values = {
            **taken, NUMBER: patch.number, AREA: f"{patch.area_m2:f}", DISTRICT: patch.district_code, TASK: self._task.number,
            FILE: self._run.file_name, **prepared.overlay.values(self._opening),
        }  # fmt: skip
        return {name: value for name, value in values.items() if value not in (None, "")}


def overlay_again(work: Work, case: Case) -> None:
    """Lay the patch of a case over the layers as they stand now. Raises Conflict for a case that no patch became."""
    run_id = work.session.exec(select(AdmittedPatch.run_id).where(AdmittedPatch.case_id == case.id).order_by(col(AdmittedPatch.id)).limit(1)).first()
    ranges = case_range.ranges_of(work.session, case.id)
    if run_id is None or not ranges:
        raise Conflict("这件案件没有图斑，不能套合。请核对案件的来源。")
    found = _opening(work.session, run_id)
    values = Overlaying(work.session, found).of(case_range.whole_range(ranges)).values(found)
    before = {name: case.values.get(name) for name in values}
    case.values = {name: value for name, value in {**case.values, **values}.items() if value is not None}
    history.note(work, case, "overlay", "重新套合", before=before, after=values)


def patch_key(patch: AdmittedPatch) -> str:
    """What names the patch for good: its layer and its key there."""
    return f"{patch.layer_key}:{patch.feature_key}"
