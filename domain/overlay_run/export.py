"""A result as an Excel workbook: a job, with the rights that the owner has when it runs."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from domain.command import Work, command
from domain.district import district_name
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.layer import layer_definition
from domain.overlay_run import reading
from domain.overlay_run.request import officials
from domain.overlay_run.words import class_words, field_label
from domain.workbook import Workbook

KIND = "overlay_run_export"


@command("overlay_run.export", allow=officials)
def request_export(work: Work, run_id: int) -> Job:
    """Queue the export of the rows of a result. Raises NotFound."""
    run = reading.find(work.session, work.actor, run_id)
    return enqueue(work, KIND, f"导出叠加分析「{run.title}」", {"run": run_id})


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook as the rows are read."""
    with progress.reading() as session, tempfile.TemporaryDirectory() as folder:
        run = reading.find(session, progress.owner(session), arguments["run"])
        layers = [(each["layer"], each["by"]) for each in run.asked["layers"]]
        heads = ["范围", "行政区", *(field_label(run.asked["layer"], field) for field in run.asked["groups"])]
        for key, by in layers:
            title = layer_definition(key).title
            heads += [f"{title} {field_label(key, by)}", f"{title} 名称"]
        file, name = Path(folder) / "overlay.xlsx", f"叠加分析{run.id}.xlsx"
        total = run.row_count
        with Workbook(file) as book:
            sheet = book.sheet("叠加分析", [*heads, "面积（平方米）"])
            for rows in reading.every_row(session, run.id):
                sheet.add(_cells(row, layers) for row in rows)
                progress.tell(sheet.row_count, max(total, sheet.row_count), "写入工作簿")
        return JobResult({"rows": sheet.row_count}, progress.office.files.put_path(file, name, allowed=("xlsx",)), name)


def _cells(row: reading.OverlayRunRow, layers: list[tuple[str, str]]) -> list[Any]:
    classes = [cell for (key, by), value in zip(layers, row.classes, strict=True) for cell in (value, class_words(key, by, value))]
    return [row.range_key, district_name(row.district_code) if row.district_code else "", *row.group_values, *classes, row.area_m2]
