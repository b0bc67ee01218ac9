"""A series as a workbook: its readings and its alarms, made by a job within the rights its owner has while it runs."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlmodel import Session, col, select

from domain import job
from domain.command import Work, anyone_signed_in, command
from domain.format import moment
from domain.job import Job, JobResult, Progress, job_handler
from domain.observation.judging import words
from domain.observation.sight import find
from domain.observation.tables import Observation, ObservationAlarm, ObservationSeries
from domain.workbook import Workbook

KIND = "observation_export"
PAGE = 2_000


@command("observation.export", allow=anyone_signed_in)
def begin(work: Work, series_id: int) -> Job:
    """Queue the workbook of a series within sight."""
    series = find(work.session, work.actor, series_id)
    return job.enqueue(work, KIND, f"导出监测序列 {series.key}", {"series": series_id})


@job_handler(KIND, resumable=True)
def export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook row by row, so that its size does not matter."""
    with TemporaryDirectory() as folder, progress.reading() as session:
        series = find(session, progress.owner(session), arguments["series"])
        path, name = Path(folder) / "series.xlsx", f"监测序列 {series.key}.xlsx"
        count = _write(progress, session, series, path)
        kept = progress.office.files.put_path(path, name)
    return JobResult({"rows": count}, kept, name)


def _write(progress: Progress, session: Session, series: ObservationSeries, path: Path) -> int:
    count = 0
    with Workbook(path) as book:
        for title, heads, rows in (
            ("读数", ("测得时刻", f"读数（{series.unit}）", "判断", "收到时刻", "业务编号"), _readings(session, series.id)),
            ("报警", ("起", "止", "报警内容", "报出时刻", "撤销时刻", "已告知人数"), _alarms(session, series.id)),
        ):
            sheet = book.sheet(title, heads)
            for cells in rows:
                sheet.add([cells])
                progress.tell(count := count + 1, doing=f"写入{title}")
    return count


def _readings(session: Session, series_id: int) -> Iterator[Sequence[Any]]:
    statement = select(Observation).where(Observation.series_id == series_id).order_by(col(Observation.at), col(Observation.id))
    for each in session.exec(statement.execution_options(yield_per=PAGE)):
        yield moment(each.at), f"{each.value:f}", outcome_word(each.outcome), moment(each.received_at), each.business_key


def _alarms(session: Session, series_id: int) -> Iterator[Sequence[Any]]:
    statement = select(ObservationAlarm).where(ObservationAlarm.series_id == series_id).order_by(col(ObservationAlarm.from_at))
    for each in session.exec(statement):
        times = [moment(at) if at else "" for at in (each.ended_at, each.raised_at, each.withdrawn_at)]
        yield moment(each.from_at), times[0], each.message, times[1], times[2], each.told


def outcome_word(outcome: str | None) -> str:
    """What the rules said of a reading, in a word."""
    said = words()["outcomes"]
    return said.get(outcome or "", said["other"])
