"""Taking plots into a case: all rows of a workbook or none, each matched with the annual farmland layer and reserved."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, delete, select

from domain import dictionary, failpoint, hold, layer, portal_clock
from domain.actor import Actor
from domain.case import access, access_rules, history, index, prefill
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.command import Work, anyone_signed_in, command
from domain.decision import refuses, store
from domain.district import district_name
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.file_name import extension_of
from domain.file_store import FileStore, ReceivedFile, register
from domain.format import moment
from domain.hold import MARKS, PLOT, Holder
from domain.layer import FeatureData
from domain.office import office_of
from domain.plot.listing import numbers_of, summary
from domain.plot.sheet import PlotRow, PlotSheet, definition, read_sheet
from domain.plot.tables import CasePlot, PlotUpload
from rules.case_type import FieldDefinition

LAYER = "annual_farmland"
GATE_KIND, GATE = "usage_gate", "plot_usage_gate"
AVAILABLE = "可用"
STATUS_CODES = {label: mark for mark, label in MARKS.items()} | {AVAILABLE: "available"}
_GATE_CODES = {"major": "lent"}
"""Marks that the rule set calls otherwise."""


@dataclass(frozen=True, slots=True)
class RowFault:
    """Why one row of a workbook cannot be taken."""

    row_no: int
    plot_number: str
    reason: str


class PlotsRefused(Refused):
    """A workbook that was refused whole; `rows` names every row that cannot be taken, and why."""

    def __init__(self, message: str, decisions: tuple[Any, ...], rows: tuple[RowFault, ...]) -> None:
        super().__init__(message, decisions)
        self.rows = rows


def receive(files: FileStore, name: str, chunks: Iterable[bytes]) -> tuple[ReceivedFile, PlotSheet]:
    """Take a workbook in and read it, before the command. Raises InvalidData for kind, size or content."""
    if extension_of(name) != "xlsx":
        raise InvalidData(f"地块表只收 Excel 工作簿（.xlsx），「{name}」没有上传。请在表格软件中另存为 .xlsx 后再上传。")
    largest = definition().largest_mb * 1024 * 1024
    received = files.put(chunks, name, allowed=("xlsx",), largest_bytes=largest)
    return received, read_sheet(files.path_of(received.digest))


def plots_field(session: Session, case: Case) -> FieldDefinition:
    """The form field that holds the plots. Raises NotFound for a case type without one."""
    fields = case_type_of(session, case).form.fields()
    found = next((field for field in fields if field.type == "plots"), None)
    if found is None:
        raise NotFound("这类办件没有地块清单。请从有地块的办件进入。")
    return found


def may_change(session: Session, actor: Actor, case: Case, task: Task | None) -> bool:
    """True if the holder of the task may change the plots now."""
    if task is None or case.status in ("closed", "suspended") or not access.holds(actor, task):
        return False
    field = plots_field(session, case)
    locked = access_rules.locked_to(session, case, task)
    editable = access_rules.editable_sections(case_type_of(session, case), task)
    return field.section in editable and (locked is None or field.key in locked)


def _must_change(work: Work, task_id: int) -> tuple[Task, Case]:
    task, case = access.must_hold(work, task_id)
    if not may_change(work.session, work.actor, case, task):
        raise NotAllowed("本环节不能改动地块。需要改动的，请把办件退回填报环节。")
    return task, case


@command("plot.upload", allow=anyone_signed_in)
def upload(work: Work, task_id: int, sheet: PlotSheet, received: ReceivedFile, name: str) -> PlotUpload:
    """Take every plot of a workbook into the case and reserve it, or none.

    Raises PlotsRefused with every row that does not fit, Conflict with the holder if another case was faster.
    """
    task, case = _must_change(work, task_id)
    return take_in(work, task, case, sheet, received, name)


def take_in(work: Work, task: Task, case: Case, sheet: PlotSheet, received: ReceivedFile, name: str) -> PlotUpload:
    """The building block under `upload`: gate, rows, marks and form in one transaction. Raises as `upload` does."""
    if case.district_code is None:
        raise InvalidData("还没有选择行政区，不能上传地块。请先在申请信息中选择行政区并保存。", {"district": "请先选择"})
    features = layer.features_by_key(work.session, LAYER, sorted({row.plot_number for row in sheet.rows}))
    decision = _checked(work.session, case, sheet.rows, features)
    register(work.session, received, work.at)
    kept = PlotUpload(
        case_id=case.id, digest=received.digest, name=name, plot_count=len(sheet.rows), at=work.at,
        person_id=work.actor.person_id, person_name=work.actor.name,
    )  # fmt: skip
    work.session.add(kept)
    work.session.flush()
    _add(work, case, kept, sheet.rows, features)
    failpoint.reach("plot:added")
    hold.take(work, case, PLOT, [row.plot_number for row in sheet.rows], "reserved")
    failpoint.reach("plot:held")
    store(work, case, decision, "form", task)
    _note(work, case, task, "upload_plots", f"上传地块 {len(sheet.rows)} 块", file=name)
    return kept


def _checked(session: Session, case: Case, rows: Sequence[PlotRow], features: Mapping[str, FeatureData]) -> Any:
    """The decision of the gate on all rows together; raises PlotsRefused unless every row may be taken."""
    facts, holders = facts_about(session, case, [row.plot_number for row in rows], features)
    present = set(numbers_of(session, case.id))
    for one in facts["plots"]:
        one["occurrences"] += one["plot_number"] in present
    book, day = office_of(session).book, portal_clock.today(session)
    decision = book.decide(GATE_KIND, GATE, facts, day, f"case:{case.id}")
    faults = tuple(_faults(session, case, rows, features, holders, present))
    if refuses(decision) or faults:
        message = decision.message if refuses(decision) else "有的行与年度耕地资源层不符"
        raise PlotsRefused(f"{message.rstrip('。')}。整批没有上传，共有 {len(faults)} 行要改，见下表。", (decision,), faults)
    return decision


def facts_about(
    session: Session, case: Case, numbers: Sequence[str], features: Mapping[str, FeatureData]
) -> tuple[dict[str, Any], Mapping[str, Holder]]:
    """What the gate reads of plots: whether they are known, how often named, where, and how they are occupied.

    A plot that this case itself has reserved counts as available to it.
    """
    holders = hold.holders(session, PLOT, numbers)
    counts = Counter(numbers)
    plots = [_plot_fact(case, number, count, features.get(number), holders.get(number)) for number, count in counts.items()]
    return {"district": case.district_code, "plots": plots}, holders


def _plot_fact(case: Case, number: str, count: int, feature: FeatureData | None, holder: Holder | None) -> dict[str, Any]:
    if feature is None:
        return {"plot_number": number, "found": False, "occurrences": count, "plot_district": None, "status": None}
    status = STATUS_CODES[feature.status]
    if holder is not None:
        status = "available" if (holder.case_id, holder.mark) == (case.id, "reserved") else holder.mark
    return {
        "plot_number": number, "found": True, "occurrences": count, "plot_district": feature.district_code,
        "status": _GATE_CODES.get(status, status),
    }  # fmt: skip


def _faults(
    session: Session,
    case: Case,
    rows: Sequence[PlotRow],
    features: Mapping[str, FeatureData],
    holders: Mapping[str, Holder],
    present: set[str],
) -> Iterable[RowFault]:
    """Every reason of every row, in the words of the person who typed it."""
    first: dict[str, int] = {}
    scopes = _scopes(session)
    for row in rows:
        number, feature = row.plot_number, features.get(row.plot_number)
        before = first.setdefault(number, row.row_no)
        holder = holders.get(number)
        reasons = (row.fault,) if row.fault else (
            "没有填地块唯一编号" if not number else None,
            f"与第 {before} 行重复" if number and before != row.row_no else None,
            "已在本案地块明细中" if number in present else None,
            "年度耕地资源层中没有这个编号" if number and feature is None else None,
            _place_fault(case, row, feature),
            _occupied(case, feature, holder),
            f"没有“{row.quota_scope}”这种指标范围" if row.quota_scope and row.quota_scope not in scopes else None,
        )
        if reason := "；".join(filter(None, reasons)):
            yield RowFault(row.row_no, number, reason)


def _place_fault(case: Case, row: PlotRow, feature: FeatureData | None) -> str | None:
    """The plot must lie in the case's district, and the sheet must say so."""
    if feature is None:
        return None
    name = district_name(feature.district_code)
    if feature.district_code != case.district_code:
        return f"地块在{name}，不在本区"
    if row.district not in (name, feature.district_code):
        return f"表中行政区写的是“{row.district or '（空）'}”，地块在{name}"
    return None


def _occupied(case: Case, feature: FeatureData | None, holder: Holder | None) -> str | None:
    if holder is not None and holder.case_id != case.id:
        return f"已被办件 {holder.case_code} {MARKS[holder.mark]}（自 {moment(holder.since)}）"
    if feature is not None and holder is None and feature.status != AVAILABLE:
        return f"在年度耕地资源层中的状态是“{feature.status}”，已被占用过"
    return None


def _scopes(session: Session) -> Mapping[str, str]:
    """Codes of quota scopes, by code and by label."""
    choices = dictionary.choices(session, portal_clock.today(session)).get("quota_scope", ())
    return {name: choice.value for choice in choices for name in (choice.value, choice.label)}


def _add(
    work: Work, case: Case, kept: PlotUpload, rows: Sequence[PlotRow], features: Mapping[str, FeatureData]
) -> None:
    scopes, usual = _scopes(work.session), str(case.values.get("quota_scope") or "")
    for row in rows:
        feature = features[row.plot_number]
        work.session.add(CasePlot(
            case_id=case.id, upload_id=kept.id, plot_number=feature.key, plot_name=feature.attributes.get("plot_name") or "",
            area_code=feature.district_code, quota_scope=scopes.get(row.quota_scope, usual), class_code=feature.class_code,
            class_name=feature.attributes.get("class_name") or "", area_m2=feature.area_m2, added_at=work.at,
        ))  # fmt: skip
    work.session.flush()


@command("plot.remove", allow=anyone_signed_in)
def remove(work: Work, task_id: int, plot_number: str) -> None:
    """Take one plot out of the case; its mark is released. Raises Conflict if it is not there any more."""
    task, case = _must_change(work, task_id)
    _drop(work, case, [plot_number])
    _note(work, case, task, "remove_plot", f"删除地块 {plot_number}")


@command("plot.clear", allow=anyone_signed_in)
def clear(work: Work, task_id: int) -> int:
    """Take every plot out of the case 地块清空; all marks are released. How many there were."""
    task, case = _must_change(work, task_id)
    numbers = list(numbers_of(work.session, case.id))
    if not numbers:
        raise Conflict("地块明细本来就是空的，没有可以清空的地块。")
    _drop(work, case, numbers)
    _note(work, case, task, "clear_plots", f"地块清空，共 {len(numbers)} 块")
    return len(numbers)


def _drop(work: Work, case: Case, numbers: Sequence[str]) -> None:
    """Delete the rows and end the holds; both or neither."""
    statement = select(CasePlot).where(CasePlot.case_id == case.id, col(CasePlot.plot_number).in_(numbers[:1]))
    if work.session.exec(statement).first() is None:
        raise Conflict(f"地块 {numbers[0]} 已不在明细中，没有可以删除的。请刷新页面。")
    for start in range(0, len(numbers), 500):
        part = list(numbers[start : start + 500])
        work.session.exec(delete(CasePlot).where(col(CasePlot.case_id) == case.id, col(CasePlot.plot_number).in_(part)))
    hold.release(work, case, PLOT, numbers, "removed")


def _note(work: Work, case: Case, task: Task, operation: str, label: str, **detail: Any) -> None:
    """Bring the form, the index and the history up to date with the plots."""
    refresh_form(work, case)
    history.note(work, case, operation, label, task=task, **detail)


def refresh_form(work: Work, case: Case) -> None:
    """Write count and area of the plots into the form, as the field and the computed fields say them."""
    field, total = plots_field(work.session, case), summary(work.session, case.id)
    values = {key: value for key, value in case.values.items() if key != field.key}
    if total.count:
        values[field.key] = {"plots": total.count, "area_m2": str(total.area_m2)}
    case.values = values
    prefill.refresh(work, case, {})
    index.rewrite(work.session, case)
    work.session.add(case)


