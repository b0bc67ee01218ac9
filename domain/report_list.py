"""Lists of reports 报送查询: by matter, district, kind, state and time, within the reader's cases; and as a workbook."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from domain import job, usage_control
from domain.actor import Actor
from domain.case.scope import visible
from domain.case.tables import Case
from domain.command import Work, anyone_signed_in, command
from domain.district import district_name
from domain.errors import NotFound
from domain.facts.supervision_number import is_controlled
from domain.format import moment
from domain.job import Job, JobResult, Progress, job_handler
from domain.office import office_of
from domain.portal_clock import SHANGHAI, today
from domain.usage_control import ReportRound
from domain.workbook import Workbook
from rules.case_type import CaseType

EXPORT_JOB = "report_export"
PAGE = 500
HEADS = ("办件编号", "事项", "项目名称", "行政区", "类别", "轮次", "状态", "电子监管号", "回执号", "错误", "启动时间", "最近变动")


@dataclass(frozen=True)
class ReportQuery:
    """What is looked for; dates are days in Shanghai on which the round was started, both included."""

    case_type: str = ""
    district: str = ""
    kind: str = ""
    state: str = ""
    words: str = ""
    since: date | None = None
    until: date | None = None
    is_oldest_first: bool = False


@dataclass(frozen=True)
class ReportRow:
    """A round with its case."""

    round: ReportRound
    case: Case


@dataclass(frozen=True)
class Matter:
    """One case type that is reported: how many of its cases are in which state by their latest round."""

    case_type: CaseType
    counts: Mapping[str, int]
    unreported: int

    @property
    def total(self) -> int:
        return sum(self.counts.values()) + self.unreported


def rows(session: Session, actor: Actor, query: ReportQuery, first: int, size: int) -> list[ReportRow]:
    """The rounds that fit, the latest first unless asked otherwise, from place `first` on."""
    order = col(ReportRound.id) if query.is_oldest_first else col(ReportRound.id).desc()
    statement = select(ReportRound, Case).join(Case, col(Case.id) == ReportRound.case_id)
    found = session.exec(statement.where(*_conditions(actor, query)).order_by(order).offset(first).limit(size)).all()
    return [ReportRow(row, case) for row, case in found]


def count(session: Session, actor: Actor, query: ReportQuery) -> int:
    """How many rounds fit."""
    statement = select(func.count()).select_from(ReportRound).join(Case, col(Case.id) == ReportRound.case_id)
    return session.exec(statement.where(*_conditions(actor, query))).one()


def _conditions(actor: Actor, query: ReportQuery) -> list[ColumnElement[bool]]:
    exact = (
        (Case.case_type, query.case_type), (Case.district_code, query.district),
        (ReportRound.kind, query.kind), (ReportRound.state, query.state),
    )  # fmt: skip
    found = [visible(actor), *(col(column) == value for column, value in exact if value)]
    if query.words:
        like = f"%{query.words.replace('%', '').replace('_', '')}%"
        found.append(or_(*(col(column).like(like) for column in (Case.number, Case.title, ReportRound.number))))
    if query.since is not None:
        found.append(col(ReportRound.started_at) >= _midnight(query.since))
    if query.until is not None:
        found.append(col(ReportRound.started_at) < _midnight(query.until + timedelta(days=1)))
    return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), SHANGHAI)


def find(session: Session, actor: Actor, round_id: int) -> ReportRow:
    """One round with its case; NotFound out of scope."""
    statement = select(ReportRound, Case).join(Case, col(Case.id) == ReportRound.case_id)
    found = session.exec(statement.where(ReportRound.id == round_id, visible(actor))).first()
    if found is None:
        raise NotFound("没有这次报送，或者它不在你的查阅范围内。请从用途管制查询进入。")
    return ReportRow(*found)


def matters(session: Session, actor: Actor) -> list[Matter]:
    """Every case type that is reported, with its accepted cases by the state of their latest round; two queries."""
    controlled = [each for each in office_of(session).catalogue.all(today(session)) if is_controlled(each)]
    keys = [each.key for each in controlled]
    latest = select(func.max(ReportRound.id)).group_by(col(ReportRound.case_id))
    counted = (
        select(Case.case_type, ReportRound.state, func.count())
        .join(Case, col(Case.id) == ReportRound.case_id)
        .where(visible(actor), col(Case.case_type).in_(keys), col(ReportRound.id).in_(latest))
        .group_by(Case.case_type, ReportRound.state)
    )
    by_type: dict[str, dict[str, int]] = {key: {} for key in keys}
    for key, state, number in session.exec(counted).all():
        by_type[key][state] = number
    totals = select(Case.case_type, func.count()).where(visible(actor), col(Case.case_type).in_(keys))
    totals = totals.where(col(Case.number).is_not(None), Case.status != "draft").group_by(Case.case_type)
    all_cases = dict(session.exec(totals).all())
    return [
        Matter(each, by_type[each.key], max(all_cases.get(each.key, 0) - sum(by_type[each.key].values()), 0))
        for each in controlled
    ]


def cases_of(session: Session, actor: Actor, case_type: str, first: int, size: int) -> list[tuple[Case, ReportRound | None]]:
    """The accepted cases of a matter with their latest round, the newest first; None for one not reported yet."""
    latest = select(func.max(ReportRound.id)).where(ReportRound.case_id == Case.id).correlate(Case).scalar_subquery()
    statement = select(Case, ReportRound).outerjoin(ReportRound, col(ReportRound.id) == latest)
    statement = statement.where(visible(actor), Case.case_type == case_type, col(Case.number).is_not(None))
    return list(session.exec(statement.order_by(col(Case.id).desc()).offset(first).limit(size)).all())


@command("report.export", allow=anyone_signed_in)
def begin_export(work: Work, query: ReportQuery) -> Job:
    """Queue a workbook of the rounds that fit the query."""
    arguments = {name: value for name, value in asdict(query).items() if value}
    return job.enqueue(work, EXPORT_JOB, "导出用途管制报送", arguments)


@job_handler(EXPORT_JOB, resumable=True)
def export(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Write the workbook row by row, with the rights that the owner has while it runs."""
    query = ReportQuery(**{name: _value(name, value) for name, value in arguments.items()})
    with TemporaryDirectory() as folder:
        path = Path(folder) / "report.xlsx"
        written = _write(progress, query, path)
        kept = progress.office.files.put_path(path, "用途管制报送.xlsx")
    return JobResult({"rows": written}, kept, "用途管制报送.xlsx")


def _value(name: str, value: Any) -> Any:
    return date.fromisoformat(value) if name in ("since", "until") else value


def _write(progress: Progress, query: ReportQuery, path: Path) -> int:
    with Workbook(path) as book, progress.reading() as session:
        sheet = book.sheet("用途管制报送", HEADS)
        for row in _all(session, progress.owner(session), query):
            sheet.add([_cells(session, row)])
            progress.tell(sheet.row_count, doing="写入工作簿")
    return sheet.row_count


def _all(session: Session, actor: Actor, query: ReportQuery) -> Iterator[ReportRow]:
    first = 0
    while found := rows(session, actor, query, first, PAGE):
        yield from found
        first += len(found)


def _cells(session: Session, row: ReportRow) -> list[Any]:
    state, kind = usage_control.states()[row.round.state], usage_control.kinds()[row.round.kind]
    case_type = office_of(session).catalogue.edition(row.case.case_type, row.case.edition)
    return [
        row.case.number, case_type.title, row.case.title,
        district_name(row.case.district_code) if row.case.district_code else "", kind.label, row.round.round_no, state.label,
        row.round.number or "", row.round.receipt_number or "", usage_control.faults_in_words(row.round),
        moment(row.round.started_at), moment(row.round.changed_at),
    ]  # fmt: skip
