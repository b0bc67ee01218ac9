"""The list of messages as a workbook, made by a job within the rights its owner has while it runs."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from domain import job
from domain.command import Work, command, holders_of
from domain.exchange.monitor import Query, Row, everything
from domain.exchange.words import kind_label, result_word, word
from domain.format import moment
from domain.job import Job, JobResult, Progress, job_handler
from domain.ports.partner import partner
from domain.redaction import redact
from domain.workbook import Workbook

KIND = "exchange_export"
HEADS = (
    "编号", "对接单位", "报文种类", "业务主键", "办件编号", "状态", "发送次数", "写入时间", "送达时间", "回执号", "结果", "说明",
)  # fmt: skip


@command("exchange.export", allow=holders_of("report_admin", "dispatcher", "system_admin"))
def begin(work: Work, query: Query) -> Job:
    """Queue an export of the messages that fit the query."""
    arguments = {name: value for name, value in asdict(query).items() if value and name not in ("after", "before")}
    return job.enqueue(work, KIND, "导出交换报文", arguments)


@job_handler(KIND, resumable=True)
def export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook row by row, so that its size does not matter."""
    query = Query(**{name: _value(name, value) for name, value in arguments.items()})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "exchange.xlsx"
        count = _write(progress, query, path)
        kept = progress.office.files.put_path(path, "交换报文.xlsx")
    return JobResult({"rows": count}, kept, "交换报文.xlsx")


def _value(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name in ("since", "until") else value


def _write(progress: Progress, query: Query, path: Path) -> int:
    with Workbook(path) as book, progress.reading() as session:
        sheet = book.sheet("交换报文", HEADS)
        for row in everything(session, progress.owner(session), query):
            sheet.add([_cells(row)])
            progress.tell(sheet.row_count, doing="写入工作簿")
    return sheet.row_count


def _cells(row: Row) -> list[Any]:
    message = row.message
    answer, result = message.answer or {}, message.result or {}
    return [
        message.id,
        partner(message.partner).label,
        kind_label(message.kind),
        message.business_key,
        row.case_number or "",
        word("statuses", message.status).label,
        message.attempts,
        moment(message.created_at),
        moment(message.sent_at) if message.sent_at else "",
        answer.get("receipt_number", ""),
        result.get("number") or (result_word(result).label if result else ""),
        redact(message.fault or ""),
    ]
