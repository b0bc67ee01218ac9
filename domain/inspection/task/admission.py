"""打包入库: a package that passed goes to the layer of its plan, in one transaction with the audit entry; nothing else goes.

Admitted features replace those of the same key; others are added. The job reads the package again from the file store, so
that what goes in is what was inspected, byte for byte.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from sqlmodel import Session, select

from domain import failpoint
from domain import job as jobs
from domain.actor import Actor
from domain.command import Work, command
from domain.errors import Conflict, NotFound, Refused
from domain.inspection.task import access, engine, plan
from domain.inspection.task.access import ADMIT, CITY
from domain.inspection.task.course import changed, lock
from domain.inspection.task.plan import Plan
from domain.inspection.task.tables import ADMITTED, PASSED, InspectionRun, InspectionTask
from domain.job import Job, JobResult, Progress, job_handler
from domain.layer import (
    FeatureData,
    LayerDefinition,
    features_by_key,
    layer_definition,
    layer_definitions,
    replace_features,
    replace_region,
)
from domain.layer.intake import left_out_words
from domain.patch_case import opening
from domain.portal_clock import local_date
from domain.spatial_file import SpatialFile

KIND = "inspection_admit"


def refusal(task: InspectionTask, run: InspectionRun, lowest: Decimal | None) -> str:
    """Why a package may not be admitted or packed, in words; empty if it may."""
    if run.state == ADMITTED:
        return f"已由{run.admitted_by_name}入库，不能重复入库。"
    if not run.is_latest:
        return "这不是最近一次质检的结果。请打开最近一次的结果。"
    if run.error_count:
        return f"质检没有通过：还有 {run.error_count:,} 处错误要改。改正后重新上传，通过后再入库。"
    if lowest is not None and run.score is not None and run.score < lowest:
        return f"成绩 {run.score} 分低于合格线 {lowest} 分，不能打包入库。请改正数据后重新上传。"
    if run.state != PASSED:
        return "数据包还没有质检合格的结果，不能打包入库。"
    if run.certificate and run.certificate.get("certifies") is False:
        return "这次质检用的配置关闭了检查或放宽了容差，结果只供自查，不能作为入库依据。请用原方案重新质检。"
    return ""


def layers_of(wanted: Plan) -> list[LayerDefinition]:
    """The layers of a plan that the portal has."""
    return [layer_definitions()[key] for key in wanted.layers if key in layer_definitions()]


def may_admit(actor: Actor, task: InspectionTask) -> bool:
    """True if the actor may admit packages of the task: the right in its district, and the city's for what only the city admits."""
    wanted = plan.plan_of(task.scheme)
    return wanted.is_admitted and access.may(actor, ADMIT, CITY if wanted.level == "city" else task.district_code)


@command("inspection.request_admission", allow=access.holders(ADMIT))
def request(work: Work, task_id: int, version: int, package_no: int) -> Job:
    """Queue the admission of a package. Raises Refused, with the reason, for one that did not pass or whose scheme ends without."""
    task = lock(work, task_id, version, ADMIT)
    run = _passed(work, task, package_no)
    _refuse_second(work, run)
    job = jobs.enqueue(work, KIND, f"「{run.file_name}」打包入库", {"run": run.id})
    run.admission_job_id = job.id
    work.session.add(run)
    changed(work, task, "request_admission", package=package_no)
    return job


def _refuse_second(work: Work, run: InspectionRun) -> None:
    job = work.session.get(Job, run.admission_job_id) if run.admission_job_id else None
    if job is not None and job.is_unfinished:
        raise Conflict("这个数据包正在入库，不用再点。完成后本页显示结果。")


def _passed(work: Work, task: InspectionTask, package_no: int) -> InspectionRun:
    wanted = plan.plan_of(task.scheme)
    if not wanted.is_admitted:
        raise Refused("这个质检方案只出证书，没有对应的入库图层。需要结果包的，请用「导出结果」。")
    access.require(work.actor, ADMIT, CITY if wanted.level == "city" else task.district_code)
    statement = select(InspectionRun).where(
        InspectionRun.task_id == task.id, InspectionRun.package_no == package_no, InspectionRun.is_latest
    ).with_for_update()  # fmt: skip
    run = work.session.exec(statement).first()
    if run is None:
        raise NotFound("这项任务没有这个数据包。请从任务页面进入。")
    reason = refusal(task, run, engine.lowest_score(task))
    if reason:
        raise Refused(f"没有入库：{reason}图层没有改动。")
    if not layers_of(wanted):
        raise Refused("入库的图层还没有建立，没有入库。请联系市级数据管理人员建立图层后再办。")
    return run


@job_handler(KIND, resumable=True)
def run_admission(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Read the package again and put its features in their layers, all or nothing."""
    with progress.reading() as session:
        owner = progress.owner(session)
        task, run = access.run_of(session, owner, arguments["run"])
    if run.state == ADMITTED:
        return JobResult(run.admission)
    progress.tell(0, 3, "读取数据包")
    office = progress.office
    path = office.files.path_of(run.digest)
    file = engine.read(path, run.file_name, run.declared_crs, run.encoding, office.coordinates.systems)
    progress.tell(1, 3, "换算图形")
    with progress.reading() as session:
        features = features_of(session, task, file)
    progress.tell(2, 3, "写入图层")
    with progress.writing() as session:
        return JobResult(admit(session, owner, run.id, features))


def features_of(session: Session, task: InspectionTask, file: SpatialFile) -> dict[str, list[FeatureData]]:
    """The features of a package by our layer. Raises Refused for a package without a layer that the plan knows."""
    wanted = plan.plan_of(task.scheme)
    found = {}
    for layer in file.layers:
        definition = _definition(wanted, layer.name, layer.geometry_type)
        if definition is not None:
            found[definition.key] = [_with_status(each, wanted.status) for each in engine.features_of(layer, definition, session)]
    if not found:
        names = "、".join(each.table for each in layers_of(wanted))
        raise Refused(f"数据包里没有可以入库的图层（应有 {names}）。没有入库，图层没有改动。")
    return found


def _definition(wanted: Plan, name: str, geometry_type: str) -> LayerDefinition | None:
    """The layer of ours that a layer of the file goes to: by its standard name, or the only one there is."""
    known = layers_of(wanted)
    named = next((each for each in known if each.table.lower() == name.lower()), None)
    return named or (known[0] if len(known) == 1 and geometry_type else None)


def left_out(task: InspectionTask, run: InspectionRun) -> list[str]:
    """In words, the layers of a package that its plan does not take in, as they were read; empty where nothing is admitted."""
    wanted = plan.plan_of(task.scheme)
    if not wanted.is_admitted:
        return []
    read = run.understood.get("layers", ())
    strangers = [(each["name"], each["count"]) for each in read if _definition(wanted, each["name"], each["geometry_type"]) is None]
    return left_out_words(strangers, "这个质检方案没有为它指定入库图层，它的内容只在数据包里。")


def _with_status(feature: FeatureData, status: str) -> FeatureData:
    if not status:
        return feature
    attributes = dict(feature.attributes)
    if "status" in attributes:
        attributes["status"] = status
    return replace(feature, attributes=attributes, status=status)


@command("inspection.admit", allow=access.holders(ADMIT))
def admit(work: Work, run_id: int, features: Mapping[str, Sequence[FeatureData]]) -> dict[str, Any]:
    """Put the features of a passed package in their layers and note it; all or nothing."""
    task, run = access.run_of(work.session, work.actor, run_id)
    task = lock(work, task.id, None, ADMIT)
    run = _passed(work, task, run.package_no)
    if run.id != run_id:
        raise Conflict("数据包在入库前又重新质检或更换过，没有入库。请查看最近一次的结果。")
    _require_own(task, features)
    run.state, run.admitted_at, run.admitted_by_name = ADMITTED, work.at, work.actor.name
    run.admission = {"layers": [_into_layer(work, task, run, key, rows) for key, rows in features.items()], **opening.enter(work, task, run, features)}
    run.admission["left_out"] = left_out(task, run)
    failpoint.reach("inspection:admitted")
    work.session.add(run)
    changed(work, task, "admit", package=run.package_no, layers=list(features))
    return run.admission


def _require_own(task: InspectionTask, features: Mapping[str, Sequence[FeatureData]]) -> None:
    """A package of a district adds nothing outside it, whatever its attributes say."""
    if task.district_code == CITY:
        return
    strangers = [each.key for rows in features.values() for each in rows if each.district_code != task.district_code]
    if strangers:
        raise Refused(f"图斑 {strangers[0]} 等 {len(strangers)} 个不在任务所属的行政区内，没有入库，图层没有改动。请核对行政区代码。")


def _into_layer(work: Work, task: InspectionTask, run: InspectionRun, key: str, rows: Sequence[FeatureData]) -> dict[str, Any]:
    note = f"质检任务 {task.number} 入库，数据包 {run.file_name}，SM3 {run.digest[:16]}"
    on = local_date(work.at)
    if plan.plan_of(task.scheme).way == "region" and task.district_code != CITY:
        edition = replace_region(work, key, task.district_code, rows, on, note=note)
    else:
        edition = replace_features(work, key, _present(work.session, key, rows), rows, on, note=note)
    return {
        "key": key, "title": layer_definition(key).title, "edition": edition.number, "added": edition.added_count,
        "ended": edition.ended_count, "features": [each.key for each in rows[:20]],
    }  # fmt: skip


def _present(session: Session, key: str, rows: Sequence[FeatureData]) -> list[str]:
    """Which of the features the layer already has, and which are therefore replaced."""
    try:
        return sorted(features_by_key(session, key, [each.key for each in rows]))
    except NotFound:
        return []

