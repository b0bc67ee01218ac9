"""Outflow of protected farmland 耕地流出: how much of a project it is, patch by patch, and the record of what was confirmed.

Two ways of counting. By reports: what a survey report states counts first, else the overlay of its range; several
reports add up. By patches: the range is laid over the land use layer and the permanent farmland layer. Areas are in
m², rounded once per patch to 0.01; the total is the sum of the counted rows, so details always add up to it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select

from domain import hold
from domain.area import sum_m2
from domain.case.tables import Case, Task
from domain.case_range import CaseRange, ranges_of, whole_range
from domain.columns import BIG_ID, code_column, decimal_column, id_column, json_column, moment_column
from domain.command import Work
from domain.land_use_class import land_use_class
from domain.layer import change_features, edition_on, features_in
from domain.layer.tables import Layer, LayerEdition
from domain.overlay import cross_overlay, overlay_areas
from domain.portal_clock import local_date

PERMANENT, PROTECTED = "永久基本农田", "耕地保护空间"
FARMLAND_LAYER, LAND_LAYER, PLOT_LAYER = "permanent_farmland", "land_use", "annual_farmland"
PADDY = "0101"
REPORTS, PATCHES = "reports", "patches"
USED_UP, MAY_BE_USED_UP = "已流出", frozenset({"可用", "已预存"})


@dataclass(frozen=True, slots=True)
class OutflowRow:
    """One line of the details: a survey report, or the part of the range in one patch."""

    key: str
    label: str
    class_code: str
    class_name: str
    protection: str
    area_m2: Decimal
    paddy_m2: Decimal
    source: str
    """report 测绘报告 | overlay 叠加分析"""
    is_counted: bool


@dataclass(frozen=True, slots=True)
class Outflow:
    """What flows out of protected farmland, in m², with the rows it is the sum of and the editions it rests on."""

    method: str
    rows: tuple[OutflowRow, ...]
    editions: Mapping[str, Any]

    @property
    def area_m2(self) -> Decimal:
        """The counted area."""
        return sum_m2(row.area_m2 for row in self.rows if row.is_counted)

    @property
    def paddy_m2(self) -> Decimal:
        """The part of the counted area that is paddy."""
        return sum_m2(row.paddy_m2 for row in self.rows if row.is_counted)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the counted rows come from: report, overlay, or both."""
        return tuple(sorted({row.source for row in self.rows if row.is_counted}, reverse=True))


class OutflowRecord(SQLModel, table=True):
    """The details of an outflow as they were confirmed; a later confirmation adds a record and leaves the earlier ones."""

    __tablename__ = "outflow_record"
    __table_args__ = (Index("ix_outflow_record_case", "case_id", "id"),)

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    task_id: int | None = Field(default=None, sa_type=BIG_ID)
    method: str = Field(sa_column=code_column(length=16))
    area_m2: Decimal = Field(sa_column=decimal_column(scale=2))
    paddy_m2: Decimal = Field(sa_column=decimal_column(scale=2))
    rows: list[dict[str, Any]] = Field(sa_column=json_column())
    editions: dict[str, Any] = Field(sa_column=json_column())
    ranges: list[dict[str, Any]] = Field(sa_column=json_column())
    """Id, label and file digest of the ranges that were counted."""
    at: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)


def is_loaded(session: Session, *layers: str) -> bool:
    """True if every one of these layers has an edition."""
    statement = select(Layer.key).join(LayerEdition, LayerEdition.layer_id == Layer.id).where(col(Layer.key).in_(layers))
    return set(session.exec(statement.distinct()).all()) == set(layers)


def permanent_overlap_m2(session: Session, ranges: Sequence[CaseRange]) -> Decimal:
    """Area of 永久基本农田 in the union of the ranges, in m²; NotFound while the layer has no data."""
    area = whole_range(ranges)
    found = overlay_areas(area, features_in(session, FARMLAND_LAYER, area), "protection_type", (PERMANENT, PROTECTED))
    return found.area_of(PERMANENT)


def counted(session: Session, ranges: Sequence[CaseRange], method: str) -> Outflow:
    """The outflow of some ranges by one of the two methods; NotFound while a layer has no data."""
    if method == REPORTS:
        rows = [row for each in ranges for row in _report_rows(session, each)]
        return Outflow(method, tuple(rows), _editions(session, FARMLAND_LAYER))
    return Outflow(method, tuple(_patch_rows(session, ranges)), _editions(session, FARMLAND_LAYER, LAND_LAYER))


def _report_rows(session: Session, report: CaseRange) -> list[OutflowRow]:
    """One row for a report that states the area; else a row for each patch of 耕地保护空间 in its range."""
    overlaid = _overlay_rows(session, report)
    if report.protected_m2 is None:
        return overlaid
    # A report that gives the area but not the paddy in it: the paddy is what the overlay finds, within that area.
    paddy = report.paddy_m2 if report.paddy_m2 is not None else sum_m2(row.paddy_m2 for row in overlaid)
    return [OutflowRow(
        f"range-{report.id}", report.label, "", "", PROTECTED, report.protected_m2, min(paddy, report.protected_m2), "report", True
    )]


def _overlay_rows(session: Session, report: CaseRange) -> list[OutflowRow]:
    features = {each.key: each for each in features_in(session, FARMLAND_LAYER, report.geometry)}
    found = overlay_areas(report.geometry, list(features.values()), "protection_type", (PERMANENT, PROTECTED))
    return [
        _row(each.key, report.label, features[each.key].attributes["class_code"], each.class_value, each.area_m2)
        for each in found.rows
        if each.class_value == PROTECTED
    ]


def _patch_rows(session: Session, ranges: Sequence[CaseRange]) -> list[OutflowRow]:
    area = whole_range(ranges)
    plots = {each.key: each for each in features_in(session, LAND_LAYER, area)}
    zones = features_in(session, FARMLAND_LAYER, area)
    crossed = cross_overlay(area, list(plots.values()), zones, "class_code", "protection_type", (PERMANENT, PROTECTED))
    return [
        _row(each.key, plots[each.key].attributes.get("location_unit_name", ""), each.class_value, each.zone_value, each.area_m2)
        for each in crossed
    ]


def _row(key: str, label: str, class_code: str, protection: str, area: Decimal) -> OutflowRow:
    paddy = area if class_code == PADDY else Decimal("0.00")
    name = land_use_class(class_code).name
    return OutflowRow(key, label, class_code, name, protection, area, paddy, "overlay", protection == PROTECTED)


def _editions(session: Session, *layers: str) -> dict[str, Any]:
    """Lineage: which edition of each layer the figures rest on."""
    found = {key: edition_on(session, key) for key in layers}
    return {
        key: {"number": each.number, "effective_on": each.effective_on.isoformat(), "token": each.token}
        for key, each in found.items()
    }


def keep(work: Work, case: Case, task: Task | None, found: Outflow) -> OutflowRecord:
    """Keep the details of an outflow with the case as they stand now."""
    ranges = ranges_of(work.session, case.id)
    made = OutflowRecord(
        case_id=case.id, task_id=task.id if task else None, method=found.method, area_m2=found.area_m2,
        paddy_m2=found.paddy_m2, rows=[asdict(row) for row in found.rows], editions=dict(found.editions),
        ranges=[{"id": each.id, "label": each.label, "digest": each.file_digest} for each in ranges],
        at=work.at, person_id=work.actor.person_id,
    )
    work.session.add(made)
    work.session.flush()
    work.record(f"case:{case.id}", outflow=str(made.area_m2), paddy=str(made.paddy_m2), record=made.id)
    return made


def record_of(session: Session, case_id: int) -> OutflowRecord | None:
    """The details that were confirmed last; None before."""
    statement = select(OutflowRecord).where(OutflowRecord.case_id == case_id)
    return session.exec(statement.order_by(col(OutflowRecord.id).desc()).limit(1)).first()


def mark_used_up(work: Work, case: Case) -> list[str]:
    """Mark the plots of the annual farmland layer that the case uses wholly as 已流出; their keys.

    The mark of a stored plot passes from the case that stored it to the one that uses it up. A plot of which a part of
    0.01 m² or more is left stays as it is, and so does one that another case has reserved or locked.
    """
    area = whole_range(ranges_of(work.session, case.id))
    plots = {each.key: each for each in features_in(work.session, PLOT_LAYER, area)}
    used = overlay_areas(area, list(plots.values()), "status").rows
    whole = [each.key for each in used if each.area_m2 >= plots[each.key].area_m2 and plots[each.key].status in MAY_BE_USED_UP]
    taken = _pass_on(work, case, whole)
    if taken:
        change_features(work, PLOT_LAYER, taken, local_date(work.at), case.id, status=USED_UP, note=case.title)
    return taken


def _pass_on(work: Work, case: Case, keys: Sequence[str]) -> list[str]:
    """Give the marks of plots to the case; the keys of those that nobody else has reserved or locked."""
    held = hold.holders(work.session, hold.PLOT, keys)
    givers: dict[int, list[str]] = {}
    for key, holder in held.items():
        if holder.mark == "stored":
            givers.setdefault(holder.case_id, []).append(key)
    for case_id, stored in givers.items():
        hold.pass_on(work, work.session.get_one(Case, case_id), case, hold.PLOT, stored, "used")
    free = [key for key in keys if key not in held]
    if free:
        hold.take(work, case, hold.PLOT, free, "used")
    return sorted([*free, *(key for stored in givers.values() for key in stored)])
