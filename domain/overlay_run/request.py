"""An overlay asked for, the job that computes it, asking the same again, deleting a result."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy
import shapely
from sqlalchemy import delete as delete_rows
from sqlalchemy import insert

from domain import job as jobs
from domain.actor import SYSTEM, Actor
from domain.command import Work, command, system_only
from domain.errors import Conflict, NotAllowed
from domain.file_store import ReceivedFile
from domain.file_store import register as register_file
from domain.job import Job, JobResult, Progress, job_handler
from domain.layer import catalogue, edition_on
from domain.overlay import FeatureSet, OverlayLayer, OverlayTable, spread_table
from domain.overlay_run import reading, sources
from domain.overlay_run.definition import LAYER, RunRequest
from domain.overlay_run.package import write_pieces
from domain.overlay_run.summary import summary_of
from domain.overlay_run.tables import OverlayRun, OverlayRunRow
from domain.role import handles_cases

KIND = "overlay_run"
BATCH_ROWS = 2_000


def officials(work: Work) -> None:
    """Who handles cases: the same people that see the map."""
    if not work.actor.is_system and not handles_cases(work.actor):
        raise NotAllowed("叠加分析由办理业务的工作人员使用。需要使用的，请联系系统管理员。")


@command("overlay_run.request", allow=officials)
def request(work: Work, asked: RunRequest, file: ReceivedFile | None = None) -> OverlayRun:
    """Queue an overlay; `file` is the content that `asked.file` names, taken into the register of files.

    Raises InvalidData by field, NotFound for a layer without data, NotAllowed for a district outside one's right.
    """
    return _queued(work, asked, file)


def _queued(work: Work, asked: RunRequest, file: ReceivedFile | None = None) -> OverlayRun:
    asked = asked.checked()
    _must_have_data(work, asked)
    if file is not None:
        register_file(work.session, file, work.at)
    run = OverlayRun(
        title=asked.title.strip(), note=asked.note.strip(), scheme=asked.scheme, asked=asked.as_document(),
        district_code=_home_of(work.actor), asked_by=work.actor.person_id, asked_by_name=work.actor.name, asked_at=work.at,
    )  # fmt: skip
    work.session.add(run)
    work.session.flush()
    run.job_id = jobs.enqueue(work, KIND, f"叠加分析「{run.title}」", {"run": run.id}).id
    work.session.add(run)
    work.record(f"overlay_run:{run.id}", title=run.title, scheme=run.scheme)
    return run


def _must_have_data(work: Work, asked: RunRequest) -> None:
    for key in asked.layer_keys:
        catalogue.require(work.actor, key)
        edition_on(work.session, key)
    right = sources.districts_of(work.actor)
    if asked.source == LAYER and asked.district and right is not None and asked.district not in right:
        raise NotAllowed("所选的行政区不在你的辖区内，没有提交。请选本区，或请市级人员办理。")


def _home_of(actor: Actor) -> str:
    """The one district of the actor; a city user's overlays belong to the city."""
    codes = sources.districts_of(actor)
    return min(codes) if codes else ""


@command("overlay_run.request_again", allow=officials)
def run_again(work: Work, run_id: int) -> OverlayRun:
    """Ask for the same once more, on the editions of now; the earlier result stays. Raises NotFound."""
    earlier = RunRequest.from_document(reading.find(work.session, work.actor, run_id).asked)
    return _queued(work, replace(earlier, note=f"按第 {run_id} 号重算"))


@command("overlay_run.delete", allow=officials)
def delete(work: Work, run_id: int) -> None:
    """Delete a result with its rows: one's own, or any for the city. Raises NotFound, NotAllowed, Conflict while it runs."""
    run = reading.in_sight(work.session, work.actor, run_id)
    if run.asked_by != work.actor.person_id and sources.districts_of(work.actor) is not None:
        raise NotAllowed(f"这项叠加分析是{run.asked_by_name}保存的，只能由本人或市级人员删除。")
    job = work.session.get(Job, run.job_id) if run.job_id else None
    if job is not None and job.is_unfinished:
        raise Conflict("这项叠加分析还在计算，不能删除。请先取消作业。")
    work.session.exec(delete_rows(OverlayRunRow).where(OverlayRunRow.run_id == run_id))
    work.session.delete(run)
    work.record(f"overlay_run:{run_id}", title=run.title)


@job_handler(KIND, resumable=True)
def run(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Compute the overlay, keep rows and pieces, end the run. It starts from the beginning when it was cut off."""
    run_id = arguments["run"]
    with progress.reading() as session:
        actor = progress.owner(session)
        asked = RunRequest.from_document(reading.find(session, actor, run_id).asked)
        progress.tell(0, len(asked.layers) + 2, "读取范围")
        ranges = sources.ranges_for(session, actor, asked)
        found = [(choice, *sources.layer_for(session, actor, choice, ranges.features)) for choice in asked.layers]
    layers = [OverlayLayer(choice.layer, features, choice.by) for choice, features, _lineage in found]
    table = spread_table(
        progress.office.scale_out, ranges.features, layers, slivers=asked.sliver_rule(), registered_m2=ranges.stated_m2 if asked.adjusts else None,
        keeps_pieces=True, watch=lambda done, doing: progress.tell(done + 1, len(layers) + 2, f"叠加 {doing}" if doing else "保存结果"),
    )  # fmt: skip
    groups = groups_of(ranges.features, asked.groups)
    kept = write_pieces(progress.office.files, f"叠加分析{run_id}.gpkg", table, groups, asked.groups)
    _keep(progress, run_id, table, groups)
    lineage = {"ranges": ranges.lineage, "layers": [each for _choice, _features, each in found], "engines": engines()}
    with progress.writing() as session:
        end(session, SYSTEM, run_id, table, lineage, summary_of(table, groups, asked, ranges.repairs), kept)
    return JobResult({"run": run_id, "rows": len(table.rows)})


def groups_of(ranges: FeatureSet, fields: Sequence[str]) -> dict[str, list[str]]:
    """For each range key its values of the grouping fields, as text."""
    columns = [ranges.classes(field) for field in fields]
    return {key: [column[row] for column in columns] for row, key in enumerate(ranges.keys)}


def engines() -> dict[str, str]:
    """What computed: so that a difference after an update can be told from one of the data."""
    return {"GEOS": shapely.geos_version_string, "shapely": shapely.__version__, "numpy": numpy.__version__}


def _keep(progress: Progress, run_id: int, table: OverlayTable, groups: Mapping[str, list[str]]) -> None:
    with progress.batch() as session:
        session.exec(delete_rows(OverlayRunRow).where(OverlayRunRow.run_id == run_id))
    for start in range(0, len(table.rows), BATCH_ROWS):
        batch = [
            {"run_id": run_id, "place": start + place, "range_key": row.range_key, "district_code": row.district_code,
             "group_values": groups[row.range_key], "classes": list(row.classes), "area_m2": row.area_m2}
            for place, row in enumerate(table.rows[start : start + BATCH_ROWS])
        ]  # fmt: skip
        with progress.batch() as session:
            session.execute(insert(OverlayRunRow.__table__), batch)


@command("overlay_run.end", allow=system_only)
def end(
    work: Work, run_id: int, table: OverlayTable, lineage: Mapping[str, Any], summary: Mapping[str, Any], kept: ReceivedFile | None
) -> OverlayRun:
    """Note what came out of a run."""
    run = reading.found(work.session, run_id)
    run.lineage, run.summary, run.ended_at = dict(lineage), dict(summary), work.at
    run.range_count, run.row_count, run.total_m2 = len(table.range_areas), len(table.rows), table.total_m2
    run.result_file = register_file(work.session, kept, work.at) if kept else None
    work.session.add(run)
    work.record(f"overlay_run:{run_id}", rows=run.row_count, total_m2=format(run.total_m2, "f"))
    return run


