"""Export of the books to Excel workbooks, as jobs: what the person who asked may see at the moment the job runs (LAND-098)."""

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from sqlmodel import Session

from domain import dictionary, plot, portal_clock
from domain.actor import Actor
from domain.case import scope as case_scope
from domain.case.words import code_of
from domain.command import Work, anyone_signed_in, command
from domain.errors import NotAllowed, NotFound
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.ledger.account import AccountKey
from domain.ledger.definition import area_label, detail_list, ledgers, pool, posting_kind
from domain.ledger.scope import must_see, visible_areas
from domain.ledger.statement import DetailQuery, StatementQuery, changes, details, overview, statement
from domain.workbook import Cell, Workbook

KIND = "ledger_export"
CHANGE_WORDS = {"stopped": "停办", "resumed": "恢复"}
COLUMN_WORDS = {
    "area": "行政区", "number": "案件编号", "year": "年度", "title": "案件名称", "amount": "耕地面积", "paddy": "水田总量",
    "resource_type": "资源类型", "scope": "范围", "approved_at": "时间",
}  # fmt: skip
IN_M2 = ("amount", "paddy")


@dataclass(frozen=True)
class Table:
    """What becomes a workbook: its title, the heads, the rows."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[Cell]]


def column_label(list_key: str, column: str) -> str:
    """What a column of a list of details is called; outflow lists speak of projects."""
    if column == "title" and list_key != "planned":
        return "项目名称"
    return detail_list(list_key).words.get(column, COLUMN_WORDS[column])


@command("ledger.export", allow=anyone_signed_in)
def request_export(work: Work, what: str, arguments: Mapping[str, Any]) -> Job:
    """Queue an export: overview, statement, details, changes or plots. Raises NotFound for what lies outside one's right."""
    if what not in TABLES:
        raise NotFound("没有这种导出。请从台账页面点导出。")
    if what == "plots":
        case_scope.find(work.session, work.actor, int(arguments["case_id"]))
    elif not visible_areas(work.actor):
        raise NotAllowed("你没有查看台账的岗位，不能导出。需要的，请联系本单位的系统管理员。")
    elif arguments.get("area"):
        must_see(work.actor, str(arguments["area"]))
    return enqueue(work, KIND, f"导出{TITLES[what]}", {"what": what, "arguments": dict(arguments)})


@job_handler(KIND, resumable=True)
def run_export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook with the rights that the owner has now."""
    with progress.reading() as session, tempfile.TemporaryDirectory() as folder:
        table = TABLES[arguments["what"]](session, progress.owner(session), arguments["arguments"])
        file = Path(folder) / "ledger.xlsx"
        with Workbook(file) as book:
            sheet = book.sheet(table.title[:31], table.heads)
            sheet.add(table.rows)
        name = f"{table.title}{portal_clock.today(session):%Y%m%d}.xlsx"
        return JobResult({"rows": sheet.row_count}, progress.office.files.put_path(file, name, allowed=("xlsx",)), name)


def _overview(session: Session, actor: Actor, arguments: Mapping[str, Any]) -> Table:
    shown = [(each, measure) for each in ledgers().pools.values() if not each.is_counter for measure in each.measures.values()]
    heads = ["行政区", "年度", *(f"{each.label} {measure.label}（平方米）" for each, measure in shown), "已冻结（平方米）", "警戒线（平方米）", "状态"]
    rows = [
        [
            area_label(row.area), str(arguments["year"]), *(row.of(each.key, measure.key) for each, measure in shown), row.frozen,
            row.line, "停办" if row.stopped else "正常",
        ]
        for row in overview(session, actor, int(arguments["year"]))
    ]  # fmt: skip
    return Table("资源台账", heads, rows)


def _statement(session: Session, actor: Actor, arguments: Mapping[str, Any]) -> Table:
    key = AccountKey(arguments["pool"], arguments["area"], int(arguments["year"]), arguments["measure"])
    query = StatementQuery(arguments.get("kind", ""), _day(arguments.get("since")), _day(arguments.get("until")))
    found = statement(session, actor, key, query, limit=None)
    rows: list[Sequence[Cell]] = [
        [
            row.posting.booked_on, posting_kind(row.posting.kind).label, code_of(row.case) if row.case else "",
            row.case.title if row.case else row.posting.memo, "；".join(other.label for other in row.others),
            row.entry.amount if row.entry.amount > 0 else None, -row.entry.amount if row.entry.amount < 0 else None,
            row.entry.balance_after,
        ]
        for row in found.rows
    ]  # fmt: skip
    heads = ["日期", "种类", "案件编号", "案件名称", "对方科目", "转入（平方米）", "转出（平方米）", "余额（平方米）"]
    return Table(f"{area_label(key.area)}{pool(key.pool).label}流水", heads, rows)


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _details(session: Session, actor: Actor, arguments: Mapping[str, Any]) -> Table:
    definition, choices = detail_list(arguments["list"]), dictionary.choices(session, portal_clock.today(session))
    words = {
        column: {choice.value: choice.label for choice in choices.get(key, ())}
        for column, key in definition.dictionaries.items()
    }
    year = arguments.get("year")
    query = DetailQuery(arguments.get("area", ""), int(year) if year else None, arguments.get("q", ""))
    found = details(session, actor, definition.key, query, limit=None)
    rows = [[_detail_cell(row, column, words) for column in definition.columns] for row in found.rows]
    heads = [column_label(definition.key, column) + ("（平方米）" if column in IN_M2 else "") for column in definition.columns]
    return Table(definition.label, heads, rows)


def _detail_cell(row: Any, column: str, words: Mapping[str, Mapping[str, str]]) -> Cell:
    if column == "area":
        return area_label(row.area_code)
    value = getattr(row, column)
    if column in words:
        return words[column].get(value, value)
    return str(value) if isinstance(value, int) else value


def _changes(session: Session, actor: Actor, arguments: Mapping[str, Any]) -> Table:
    found, _count = changes(session, actor, arguments.get("area", ""), limit=None)
    heads = ["行政区", "年度", "变动", "时间", "剩余（平方米）", "累计预存（平方米）", "警戒线（平方米）", "引起的案件", "判断"]
    rows = [
        [
            area_label(row.area_code), str(row.year), CHANGE_WORDS[row.change], row.at, row.remaining, row.stored, row.line,
            code_of(case) if case else "", row.message,
        ]
        for row, case in found
    ]  # fmt: skip
    return Table("停办与恢复记录", heads, rows)


def _plots(session: Session, actor: Actor, arguments: Mapping[str, Any]) -> Table:
    case = case_scope.find(session, actor, int(arguments["case_id"]))
    scopes = {each.value: each.label for each in dictionary.choices(session, portal_clock.today(session)).get("quota_scope", ())}
    rows = [
        [area_label(row.area_code), row.plot_number, row.plot_name, scopes.get(row.quota_scope, row.quota_scope), row.class_name, row.area_m2]
        for row in plot.plots_of(session, case.id)
    ]
    return Table("地块明细", ["行政区", "地块编号", "地块名称", "指标范围", "地类", "耕地面积（平方米）"], rows)


TABLES = {"overview": _overview, "statement": _statement, "details": _details, "changes": _changes, "plots": _plots}
TITLES = {"overview": "资源台账", "statement": "台账流水", "details": "资源明细", "changes": "停办与恢复记录", "plots": "地块明细"}

