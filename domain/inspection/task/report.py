"""The report 质检报告 of an inspection in words: the same content for PDF and, as rows, for the workbook."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session

from domain.district import district_name
from domain.document.content import DocumentContent, Row, Section, Table
from domain.format import file_size, moment
from domain.inspection.task import engine
from domain.inspection.task.exceptions import exceptions_of
from domain.inspection.task.findings import FindingQuery, page_of
from domain.inspection.task.tables import (
    APPROVED,
    ASKED,
    EXCEPTED,
    OPEN,
    REFUSED,
    WITHDRAWN,
    InspectionFinding,
    InspectionRun,
    InspectionTask,
)

MOST_LISTED = 500
"""Findings printed in the PDF; the workbook and the error layer hold them all, and the report says so."""
SEVERITIES = {"error": "错误", "warning": "提示", "notice": "说明"}
FINDING_STATES = {OPEN: "待改正", ASKED: "例外待批", EXCEPTED: "例外"}
EXCEPTION_STATES = {ASKED: "待审批", APPROVED: "已同意", REFUSED: "不同意", WITHDRAWN: "已撤回"}
HEADS = ("序", "编码", "问题", "说明", "图层", "要素", "编号", "字段", "值", "级别", "状态", "怎么改", "X", "Y")


@dataclass(frozen=True, slots=True)
class Told:
    """What a report tells of: the task, the inspection, its scheme in words."""

    task: InspectionTask
    run: InspectionRun
    scheme_title: str
    exceptions: Sequence[tuple[str, ...]]


def told(session: Session, task: InspectionTask, run: InspectionRun) -> Told:
    """Read what the report needs beside the findings."""
    rows = [
        (EXCEPTION_STATES[each.state], str(each.finding_count), each.reason, each.asked_by_name, each.decided_by_name or "—", each.opinion or "—")
        for each in exceptions_of(session, run.id or 0)
    ]
    return Told(task, run, engine.title_of(task.scheme), rows)


def verdict(run: InspectionRun) -> str:
    """Passed or not, and why, in one sentence."""
    score = f"成绩 {run.score} 分" if run.score is not None else "没有成绩"
    if run.is_passed:
        kept = f"，{run.excepted_count:,} 条例外" if run.excepted_count else ""
        return f"合格，{score}{kept}"
    if run.error_count:
        return f"不合格，{run.error_count:,} 处错误要改，{score}"
    return f"不合格，{score}，低于合格线"


def facts(one: Told) -> list[tuple[str, str]]:
    """The head of the report as labelled values."""
    task, run = one.task, one.run
    rows = [
        ("任务", f"{task.number} {task.title}"), ("行政区", district_name(task.district_code)), ("质检方案", f"{one.scheme_title}（{run.edition}）"),
        ("方案配置", variant_words(run)), ("数据包", f"{run.file_name}，{file_size(run.size_bytes)}，第 {run.package_version} 版"),
        ("数据包 SM3", run.digest), ("上传", f"{run.uploaded_by_name}，{moment(run.uploaded_at)}"),
        ("质检完成", moment(run.ended_at) if run.ended_at else "没有完成"), ("结论", verdict(run)),
        ("检查的要素", "，".join(f"{layer} {count:,} 个" for layer, count in run.checked.items()) or "无"),
        ("引擎", "，".join(f"{name} {version}" for name, version in run.engines.items())),
    ]  # fmt: skip
    return [("数据", "演示生成，不代表真实成果"), *rows] if task.is_generated else rows


def variant_words(run: InspectionRun) -> str:
    """The variant laid over the scheme, in words."""
    if not run.variant:
        return "未改动，按原方案"
    off, parameters = run.variant.get("off") or [], run.variant.get("parameters") or {}
    changes = [f"关闭 {len(off)} 项检查" if off else "", f"改动 {len(parameters)} 个参数" if parameters else ""]
    return f"{run.variant['title']}（{'，'.join(filter(None, changes)) or '没有改动'}）"


def class_rows(run: InspectionRun) -> list[tuple[str, ...]]:
    """Findings by class: code, label, severity, total, excepted."""
    return [
        (row["code"], row["label"], SEVERITIES.get(row["severity"], row["severity"]), f"{row['total']:,}", f"{row['excepted']:,}")
        for row in run.counts.get("classes", [])
    ]


def finding_cells(row: InspectionFinding) -> tuple[str, ...]:
    """One finding as the cells of HEADS."""
    return (
        str(row.number), row.code, row.check, row.message, row.layer, str(row.feature) if row.feature else "", row.key, row.field, row.value,
        SEVERITIES.get(row.severity, row.severity), FINDING_STATES[row.state], row.fix, _coordinate(row.x), _coordinate(row.y),
    )  # fmt: skip


def _coordinate(value: float | None) -> str:
    return "" if value is None else f"{value:.8f}" if abs(value) <= 360 else f"{value:.3f}"


def content(session: Session, one: Told) -> DocumentContent:
    """The report as a document: head, classes, exceptions, tolerances, and the first findings."""
    run = one.run
    found = page_of(session, run.id or 0, FindingQuery(), size=MOST_LISTED)
    note = f"（共 {found.total:,} 条，列出前 {len(found.rows)} 条，全部见质检结果）" if found.total > len(found.rows) else ""
    tables = [Table("问题按类别", ("编码", "问题", "级别", "数量", "其中例外"), tuple(class_rows(run)), (False, False, False, True, True))]
    if one.exceptions:
        tables.append(Table("例外", ("状态", "条数", "理由", "申请人", "审批人", "意见"), tuple(one.exceptions), (False, True, False, False, False, False)))
    if run.parameters:
        values = tuple((name, str(value)) for name, value in sorted(run.parameters.items()))
        tables.append(Table("容差与参数", ("参数", "取值"), values, (False, True)))
    listed = tuple((str(row.number), row.code, row.message, f"{row.layer} {row.key or row.feature or ''}".strip(), FINDING_STATES[row.state]) for row in found.rows)
    tables.append(Table(f"逐条问题{note}", ("序", "编码", "说明", "图层与要素", "状态"), listed, (True, False, False, False, False)))
    rows = tuple(Row(label, value) for label, value in facts(one))
    return DocumentContent("summary", "空间数据质检报告", rows=rows, sections=(Section("质检结果", tables=tuple(tables)),))
