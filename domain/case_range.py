"""Project ranges and survey reports of a case: a file is read, shown as it was understood, and then confirmed.

Until it is confirmed a range counts for nothing. A confirmed one is never overwritten: it is replaced or taken
away, and its line stays. Which of the two kinds a case takes follows from its form: where the area of farmland
comes from survey reports, each range is a survey report.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import shapely
from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select

from domain import decision, portal_clock
from domain.area import area_m2, rounded_m2, sum_m2, unrounded_areas_m2
from domain.case import access, access_rules, history, index, prefill, scope
from domain.case.definition import case_type_of
from domain.case.tables import Case, Material, Task
from domain.columns import BIG_ID, code_column, decimal_column, id_column, json_column, moment_column
from domain.command import Work, anyone_signed_in, command
from domain.district import AccountArea, city_territory, district_name, load_account_areas
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound, Refused
from domain.file_name import accepted_file_name
from domain.file_store import FileStore, ReceivedFile, StoredFile, register
from domain.geometry import multipolygon
from domain.geometry_column import geometry_column
from domain.office import office_of
from domain.overlay import overlapping_area_m2
from domain.range_file import ProjectRange, range_of_polygon, read_range
from domain.range_quality import range_facts
from rules.case_type import CaseType, FieldDefinition
from rules.engine import Decision

PROJECT, SURVEY_REPORT = "project", "survey_report"
QUALITY = "project_range_quality"
REPORT_PROVIDER = "outflow"
"""The fact provider that counts survey reports first; a form that asks it takes reports."""
PANEL = "range"
FORMATS = ("geojson", "json", "txt", "zip", "gpkg", "kml", "kmz", "dxf", "dwg", "mdb", "xlsx")
LARGEST_MB = 50
MOST_RANGES = 50
"""Ranges of one case; more belong into one file."""


class CaseRange(SQLModel, table=True):
    """One range of a case; it counts from `confirmed_at` on, until it is replaced or taken away."""

    __tablename__ = "case_range"
    __table_args__ = (Index("ix_case_range_case", "case_id", "id"), Index("ix_case_range_box", "west", "east"))

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    kind: str = Field(sa_column=code_column(length=16))
    """project 项目范围 | survey_report 测绘报告"""
    name: str = ""
    report_number: str = ""
    protected_m2: Decimal | None = Field(default=None, sa_column=decimal_column(scale=2, nullable=True))
    """耕地保护空间 area that the report states; None where the report does not deal with it (不涉及)."""
    paddy_m2: Decimal | None = Field(default=None, sa_column=decimal_column(scale=2, nullable=True))
    file_name: str
    file_digest: str = Field(sa_column=code_column())
    declared_crs: str = Field(default="", sa_column=code_column(length=32))
    detected: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """What was understood of the file: kind, crs, encoding, features, parts, points."""
    geometry: Any = Field(default=None, sa_column=geometry_column(nullable=True))
    area_m2: Decimal | None = Field(default=None, sa_column=decimal_column(scale=2, nullable=True))
    district_code: str | None = Field(default=None, sa_column=code_column(length=12, nullable=True))
    west: float | None = None
    south: float | None = None
    east: float | None = None
    north: float | None = None
    step: str = Field(sa_column=code_column())
    uploaded_at: datetime = Field(sa_column=moment_column())
    uploaded_by: int | None = Field(default=None, sa_type=BIG_ID)
    confirmed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    replaces: int | None = Field(default=None, sa_type=BIG_ID)
    removed_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    removed_by: int | None = Field(default=None, sa_type=BIG_ID)

    @property
    def label(self) -> str:
        """How the range is called in lists and messages."""
        return self.name or self.report_number or self.file_name


@dataclass(frozen=True, slots=True)
class RangeUpload:
    """A received file and what the person says about it; areas are None where the report does not deal with them."""

    content: ReceivedFile
    file_name: str
    declared_crs: str = ""
    name: str = ""
    report_number: str = ""
    protected_m2: Decimal | None = None
    paddy_m2: Decimal | None = None
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class DistrictShare:
    """The part of a range that lies in one account area, in m²."""

    area: AccountArea
    area_m2: Decimal


@dataclass(frozen=True, slots=True)
class Understood:
    """What was understood of a range file: the range, the quality decision, districts, overlap with the others."""

    range: ProjectRange
    quality: Decision
    shares: tuple[DistrictShare, ...] = ()
    overlaps: tuple[tuple[CaseRange, Decimal], ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_usable(self) -> bool:
        """True if the quality rules let it pass."""
        return not decision.refuses(self.quality)

    @property
    def district(self) -> AccountArea | None:
        """The account area that holds most of the range."""
        return self.shares[0].area if self.shares else None


def receive(store: FileStore, name: str, data: bytes) -> ReceivedFile:
    """Take a range file in. Raises InvalidData for its kind, its size or an empty file."""
    if not data.strip():
        raise InvalidData(f"文件“{name}”是空的。请上传有内容的范围文件。", {"file": "文件是空的"})
    if len(data) > LARGEST_MB * 1024 * 1024:
        raise InvalidData(f"文件“{name}”超过 {LARGEST_MB} MB。请只保留范围图形后再上传。", {"file": f"不能超过 {LARGEST_MB} MB"})
    return store.put_bytes(data, accepted_file_name(name), allowed=FORMATS)


def kind_of(case_type: CaseType) -> str:
    """The kind of range that a case type takes."""
    sources = (each.prefill or each.computed for each in case_type.form.fields())
    return SURVEY_REPORT if any(source and source.provider == REPORT_PROVIDER for source in sources) else PROJECT


def range_fields(case_type: CaseType) -> list[FieldDefinition]:
    """The form's fields that stand for the ranges of the case."""
    return [each for each in case_type.form.fields() if each.type == "range" and not each.is_repeated]


def ranges_of(session: Session, case_id: int) -> list[CaseRange]:
    """The ranges that count, oldest first."""
    statement = select(CaseRange).where(
        CaseRange.case_id == case_id, col(CaseRange.confirmed_at).is_not(None), col(CaseRange.removed_at).is_(None)
    )
    return list(session.exec(statement.order_by(col(CaseRange.id))).all())


def history_of(session: Session, case_id: int) -> list[CaseRange]:
    """Every range that ever counted, newest first."""
    statement = select(CaseRange).where(CaseRange.case_id == case_id, col(CaseRange.confirmed_at).is_not(None))
    return list(session.exec(statement.order_by(col(CaseRange.id).desc())).all())


def find_range(session: Session, case_id: int, range_id: int) -> CaseRange:
    """One range of a case, confirmed or not; NotFound for a strange or a given-up one that never counted."""
    row = session.get(CaseRange, range_id)
    if row is None or row.case_id != case_id or (row.removed_at is not None and row.confirmed_at is None):
        raise NotFound("没有这份范围。它可能已被放弃或不属于这个办件，请回到办件重新上传。")
    return row


def whole_range(ranges: Sequence[CaseRange]) -> shapely.MultiPolygon | None:
    """The union of ranges in EPSG:4490, where overlapping ones count once; None without ranges."""
    return multipolygon(shapely.union_all([each.geometry for each in ranges])) if ranges else None


def repeated_m2(ranges: Sequence[CaseRange]) -> Decimal:
    """How much area several ranges have in common, in m²: their sum less their union, never below 0."""
    if len(ranges) < 2:
        return Decimal("0.00")
    return max(Decimal("0.00"), sum_m2(each.area_m2 for each in ranges) - area_m2(whole_range(ranges)))


def may_change(session: Session, case: Case, task: Task | None) -> bool:
    """True if the holder of this task may change the ranges: its step shows them and lets their field be filled in."""
    if task is None or case.status in ("suspended", "closed") or task.status not in ("ready", "held"):
        return False
    definition = case_type_of(session, case)
    locked = access_rules.locked_to(session, case, task)
    if locked is not None:
        return bool(locked & _names(definition))
    if PANEL not in definition.workflow.step(task.step).panels:
        return False
    sections = [each.key for each in definition.form.sections if any(f.type == "range" for f in each.fields)]
    if not sections:
        return task.step == definition.workflow.start
    return bool(access_rules.editable_sections(definition, task) & set(sections))


def _names(definition: CaseType) -> set[str]:
    """Keys under which a correction may ask for the ranges: fields, their sections, and materials read as ranges."""
    fields = {each.key for each in range_fields(definition)}
    sections = {each.key for each in definition.form.sections if any(f.key in fields for f in each.fields)}
    return fields | sections | {slot.key for slot in definition.materials if slot.read_as == "range"}


@command("range.read", allow=anyone_signed_in)
def read_upload(work: Work, case_id: int, upload: RangeUpload) -> CaseRange:
    """Keep a received file as a range to be confirmed; a file that cannot be read at all raises InvalidData."""
    case, task = _opened(work, case_id)
    definition = case_type_of(work.session, case)
    if upload.replaces is not None:
        _must_count(find_range(work.session, case_id, upload.replaces))
    elif len(ranges_of(work.session, case_id)) >= MOST_RANGES:
        raise Conflict(f"本案已有 {MOST_RANGES} 份范围，不能再加。请把范围合并到一个文件后再上传。")
    kind = kind_of(definition)
    is_report = kind == SURVEY_REPORT
    row = CaseRange(
        case_id=case.id, kind=kind, name=upload.name, report_number=upload.report_number if is_report else "",
        protected_m2=upload.protected_m2 if is_report else None, paddy_m2=upload.paddy_m2 if is_report else None,
        file_name=accepted_file_name(upload.file_name), file_digest=register(work.session, upload.content, work.at),
        declared_crs=upload.declared_crs, step=task.step, uploaded_at=work.at, uploaded_by=work.actor.person_id,
        replaces=upload.replaces,
    )
    _must_add_up(row)
    row.detected = _detected(read_again(work.session, row))
    work.session.add(row)
    work.session.flush()
    work.record(f"case:{case.id}", operation="range_read", range=row.id, digest=row.file_digest)
    return row


def _must_add_up(row: CaseRange) -> None:
    if row.paddy_m2 is not None and (row.protected_m2 is None or row.paddy_m2 > row.protected_m2):
        message = "其中水田面积大于报告的耕地保护空间面积，或没有填耕地保护空间面积。请按测绘报告核对。"
        raise InvalidData(message, {"paddy_m2": "不能大于耕地保护空间面积"})


def read_again(session: Session, row: CaseRange) -> ProjectRange:
    """The range as its stored file says it."""
    office = office_of(session)
    content = office.files.read_bytes(row.file_digest)
    return read_range(content, row.file_name, row.declared_crs or None, office.coordinates.systems)


def _detected(found: ProjectRange) -> dict[str, Any]:
    return dict(found.detected) | {
        "parts": found.part_count, "rings": found.ring_count, "points": found.point_count,
        "srid": found.system.srid if found.system else None,
    }


def understand(session: Session, case: Case, row: CaseRange) -> Understood:
    """What the file of a range says, and what the rules and the other ranges of the case say of it."""
    found = read_again(session, row)
    facts = range_facts(found, city_territory())
    quality = _quality(session, case, facts)
    if found.area_m2 is None or decision.refuses(quality):
        return Understood(found, quality, facts=facts)
    others = [each for each in ranges_of(session, case.id) if each.id not in (row.id, row.replaces)]
    shared = [(each, overlapping_area_m2(found.geometry, each.geometry)) for each in others]
    return Understood(
        found, quality, district_shares(found.geometry), tuple((each, area) for each, area in shared if area), facts
    )


def _quality(session: Session, case: Case, facts: Mapping[str, Any]) -> Decision:
    book, filed_at = office_of(session).book, decision.rules_moment(session, case)
    edition = book.rule_set(decision.kind_of(book, QUALITY), QUALITY, filed_at)
    return book.decide_edition(edition.digest, facts, on=portal_clock.today(session), subject=f"case:{case.id}")


def district_shares(geometry: shapely.MultiPolygon) -> tuple[DistrictShare, ...]:
    """How a range (EPSG:4490) is spread over the account areas in m², the largest part first; parts of 0.00 are left out."""
    areas = load_account_areas()
    pieces = unrounded_areas_m2([shapely.intersection(geometry, each.geometry) for each in areas])
    shares = [DistrictShare(area, rounded_m2(piece)) for area, piece in zip(areas, pieces, strict=True)]
    return tuple(sorted((each for each in shares if each.area_m2), key=lambda each: (-each.area_m2, each.area.code)))


@command("range.declare", allow=anyone_signed_in)
def declare_crs(work: Work, case_id: int, range_id: int, declared_crs: str) -> CaseRange:
    """State the coordinate system of a file that names none, before the range is confirmed."""
    _case, _task = _opened(work, case_id)
    row = _unconfirmed(work.session, case_id, range_id)
    row.declared_crs = declared_crs
    row.detected = _detected(read_again(work.session, row))
    work.session.add(row)
    work.record(f"case:{case_id}", operation="range_declare", range=row.id, crs=declared_crs)
    return row


@command("range.confirm", allow=anyone_signed_in)
def confirm(work: Work, case_id: int, range_id: int) -> CaseRange:
    """Let a range count: the quality rules and the district are asked again, and the form follows.

    Raises Refused with the decision if the rules find an error or the range lies in another district.
    """
    case, task = _opened(work, case_id)
    row = _unconfirmed(work.session, case_id, range_id)
    found = understand(work.session, case, row)
    if not found.is_usable:
        raise Refused(f"范围没有通过质检：{found.quality.message}。范围没有存入，请改正后重新上传。", (found.quality,))
    if fault := district_fault(case, found):
        raise Refused(fault)
    _store(work, row, found)
    decision.store(work, case, found.quality, "form", task)
    if row.replaces is not None:
        _take_away(work, _must_count(find_range(work.session, case_id, row.replaces)))
    _file_in_tree(work, case, task, row)
    return _changed(work, case, task, row, "range_confirm", "确认范围")


def district_fault(case: Case, found: Understood) -> str | None:
    """Why the place of a range does not fit the case; None if it does, or while the case has no district."""
    there = found.district
    if case.district_code is None or there is None or there.code == case.district_code:
        return None
    own = district_name(case.district_code)
    return f"范围在{there.name}，本案的行政区是{own}，不能存入。请核对文件和坐标带号；范围无误的，请到{there.name}办理。"


def _store(work: Work, row: CaseRange, found: Understood) -> None:
    row.geometry = found.range.usable_geometry()
    row.area_m2, row.detected = found.range.area_m2, _detected(found.range)
    row.district_code = found.district.code if found.district else None
    row.west, row.south, row.east, row.north = row.geometry.bounds
    row.confirmed_at = work.at
    work.session.add(row)


def come_in(work: Work, case: Case, geometry: shapely.MultiPolygon, content: ReceivedFile, file_name: str, name: str) -> CaseRange:
    """A range that the case was opened with (EPSG:4490): it counts at once; part of the command that opens the case."""
    found = range_of_polygon(geometry, name)
    row = CaseRange(
        case_id=case.id, kind=PROJECT, name=name, file_name=accepted_file_name(file_name), file_digest=register(work.session, content, work.at),
        detected=_detected(found), geometry=found.usable_geometry(), area_m2=found.area_m2, district_code=case.district_code,
        step=case.steps, uploaded_at=work.at, uploaded_by=work.actor.person_id, confirmed_at=work.at,
    )  # fmt: skip
    row.west, row.south, row.east, row.north = row.geometry.bounds
    work.session.add(row)
    return row


@command("range.remove", allow=anyone_signed_in)
def remove(work: Work, case_id: int, range_id: int) -> CaseRange:
    """Take a range away, or give up one that was not confirmed."""
    case, task = _opened(work, case_id)
    row = find_range(work.session, case_id, range_id)
    if row.confirmed_at is None:
        row.removed_at, row.removed_by = work.at, work.actor.person_id
        work.session.add(row)
        work.record(f"case:{case.id}", operation="range_give_up", range=row.id)
        return row
    _take_away(work, _must_count(row))
    return _changed(work, case, task, row, "range_remove", "删除范围")


def _take_away(work: Work, row: CaseRange) -> None:
    row.removed_at, row.removed_by = work.at, work.actor.person_id
    work.session.add(row)
    for each in _files_in_tree(work.session, row.case_id):
        if each.digest == row.file_digest:
            each.removed_at = work.at
            work.session.add(each)


def _file_in_tree(work: Work, case: Case, task: Task, row: CaseRange) -> None:
    """Put the file of a range into the material slot that is read as ranges, if the case type has one."""
    slots = [slot.key for slot in case_type_of(work.session, case).materials if slot.read_as == "range"]
    if not slots or any(each.digest == row.file_digest for each in _files_in_tree(work.session, case.id)):
        return
    stored = work.session.get(StoredFile, row.file_digest)
    work.session.add(Material(
        case_id=case.id, slot=slots[0], name=row.file_name, digest=row.file_digest, size=stored.size_bytes,
        media_type=stored.media_type, uploaded_at=work.at, uploaded_by=work.actor.person_id, step=task.step,
        read={**row.detected, **({"declared_crs": row.declared_crs} if row.declared_crs else {})},
    ))


def _files_in_tree(session: Session, case_id: int) -> list[Material]:
    case = session.get(Case, case_id)
    slots = [slot.key for slot in case_type_of(session, case).materials if slot.read_as == "range"]
    statement = select(Material).where(
        Material.case_id == case_id, col(Material.slot).in_(slots), col(Material.removed_at).is_(None),
        col(Material.replaced_by).is_(None),
    )
    return list(session.exec(statement).all())


def _must_count(row: CaseRange) -> CaseRange:
    if row.confirmed_at is None or row.removed_at is not None:
        raise Conflict(f"范围「{row.label}」已经被替换或删除，本次没有改动。请刷新页面，看现在的范围。")
    return row


def _unconfirmed(session: Session, case_id: int, range_id: int) -> CaseRange:
    row = find_range(session, case_id, range_id)
    if row.confirmed_at is not None:
        raise Conflict(f"范围「{row.label}」已经确认，不能再改。需要更换的，请用「替换」。")
    return row


def _opened(work: Work, case_id: int) -> tuple[Case, Task]:
    """The case and the task by which the actor may change its ranges; a free task is taken up on the way."""
    case = scope.find(work.session, work.actor, case_id)
    task = access.task_in_hand(work.session, work.actor, case)
    if task is None or not may_change(work.session, case, task):
        raise NotAllowed("现在不能改动范围：办件不在你手上，或本环节不收范围，或已停表、已结束。")
    if task.status == "ready":
        access.take(work, task)
    return case, task


def _changed(work: Work, case: Case, task: Task, row: CaseRange, operation: str, label: str) -> CaseRange:
    work.session.flush()
    write_to_form(work, case)
    history.note(work, case, operation, label, task=task, range=row.label, area_m2=str(row.area_m2), digest=row.file_digest)
    return row


def write_to_form(work: Work, case: Case) -> None:
    """Bring the form after its ranges: the fields that stand for them, and what is computed from them."""
    ranges = ranges_of(work.session, case.id)
    kept = {"area_m2": str(sum_m2(each.area_m2 for each in ranges)), "feature_count": len(ranges)} if ranges else None
    values = {**case.values, **{each.key: kept for each in range_fields(case_type_of(work.session, case))}}
    case.values = {key: value for key, value in values.items() if value is not None}
    prefill.refresh(work, case, {})
    index.rewrite(work.session, case)
    work.session.add(case)


