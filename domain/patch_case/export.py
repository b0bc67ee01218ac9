"""The patches of a package with their cases as a workbook, made by a job within the rights its owner has while it runs."""

from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from domain import job
from domain.case.words import status_words
from domain.command import Work, command
from domain.district import district_name
from domain.inspection.task import access
from domain.inspection.task.access import SEE
from domain.job import Job, JobResult, Progress, job_handler
from domain.patch_case.listing import PatchQuery, PatchRow, everything, words
from domain.workbook import Workbook

KIND = "patch_case_export"
HEADS = ("图斑编号", "线索编号", "行政区", "面积（平方米）", "此前已立案")


@command("patch_case.export", allow=access.holders(SEE))
def request(work: Work, query: PatchQuery) -> Job:
    """Queue an export of the patches that fit the query. Raises NotFound for a package out of sight."""
    task, run = access.run_of(work.session, work.actor, query.run_id)
    work.record(f"inspection:{task.id}", package=run.package_no)
    return job.enqueue(work, KIND, f"导出「{run.file_name}」的图斑案件", {"run": query.run_id, "state": query.state, "words": query.words, "sort": query.sort})


@job_handler(KIND, resumable=True)
def export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook row by row, so that its size does not matter."""
    query = PatchQuery(arguments["run"], arguments["state"], arguments["words"], arguments["sort"])
    with TemporaryDirectory() as folder:
        path = Path(folder) / "patches.xlsx"
        count = _write(progress, query, path)
        kept = progress.office.files.put_path(path, "图斑案件.xlsx")
    return JobResult({"rows": count}, kept, "图斑案件.xlsx")


def _write(progress: Progress, query: PatchQuery, path: Path) -> int:
    heads = [*HEADS, *(cell for label in words("stages").values() for cell in (label, f"{label}说明")), "案件状态"]
    with Workbook(path) as book, progress.reading() as session:
        owner = progress.owner(session)
        access.run_of(session, owner, query.run_id)
        sheet = book.sheet("图斑案件", heads)
        for row in everything(session, owner, query):
            sheet.add([_cells(row)])
            progress.tell(sheet.row_count, doing="写入工作簿")
    return sheet.row_count


def _cells(row: PatchRow) -> list[Any]:
    patch, states = row.patch, words("states")
    told = [cell for each in row.stages for cell in (states[each.state]["label"], each.words)]
    first = [patch.feature_key, patch.number, district_name(patch.district_code), patch.area_m2, "是" if patch.is_repeated else ""]
    return [*first, *told, status_words(row.case) if row.case else ""]
