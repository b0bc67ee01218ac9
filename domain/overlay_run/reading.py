"""Reading saved overlays: which one may see, their rows, and how two of them differ."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, or_, true
from sqlmodel import Session, col, func, select

from domain.actor import Actor
from domain.errors import NotFound
from domain.layer import catalogue, layer_definitions
from domain.overlay_run.definition import RunRequest
from domain.overlay_run.sources import districts_of
from domain.overlay_run.tables import OverlayRun, OverlayRunRow

PAGE_ROWS = 50
ZERO = Decimal("0.00")


def visible(actor: Actor) -> ColumnElement[bool]:
    """The runs of one's district, and one's own; the city sees all."""
    codes = districts_of(actor)
    if codes is None:
        return true()
    return or_(col(OverlayRun.district_code).in_(sorted(codes)), col(OverlayRun.asked_by) == (actor.person_id or 0))


def list_runs(session: Session, actor: Actor, scheme: str | None = None, first: int = 0, size: int = PAGE_ROWS) -> tuple[list[OverlayRun], int]:
    """The runs that an actor may see, the newest first, and how many there are; None: of every kind."""
    wanted = [visible(actor)] + ([] if scheme is None else [col(OverlayRun.scheme) == scheme])
    total = session.exec(select(func.count()).select_from(OverlayRun).where(*wanted)).one()
    found = select(OverlayRun).where(*wanted).order_by(col(OverlayRun.id).desc()).offset(first).limit(size)
    return list(session.exec(found).all()), total


def find(session: Session, actor: Actor, run_id: int) -> OverlayRun:
    """A run that the actor may see, layers and all. Raises NotFound for any other, NotAllowed where a layer is not open."""
    run = in_sight(session, actor, run_id)
    for key in RunRequest.from_document(run.asked).layer_keys:
        if key in layer_definitions():
            catalogue.require(actor, key)
    return run


def in_sight(session: Session, actor: Actor, run_id: int) -> OverlayRun:
    """A run that stands in the list of the actor, to be listed or deleted. Raises NotFound for any other."""
    run = session.exec(select(OverlayRun).where(OverlayRun.id == run_id, visible(actor))).first()
    if run is None:
        raise NotFound("没有这项叠加分析，或它不在你的查阅范围内。请从叠加分析列表进入。")
    return run


def found(session: Session, run_id: int) -> OverlayRun:
    """A run, whoever asks. Raises NotFound once it was deleted."""
    run = session.get(OverlayRun, run_id)
    if run is None:
        raise NotFound("这项叠加分析已经删除，没有计算。")
    return run


def rows_of(session: Session, run_id: int, first: int = 0, size: int = PAGE_ROWS) -> list[OverlayRunRow]:
    """Rows of a result in their order."""
    statement = select(OverlayRunRow).where(OverlayRunRow.run_id == run_id).order_by(OverlayRunRow.place)
    return list(session.exec(statement.offset(first).limit(size)).all())


def every_row(session: Session, run_id: int, size: int = 5_000) -> Iterator[list[OverlayRunRow]]:
    """All rows of a result in batches."""
    after = -1
    while True:
        statement = select(OverlayRunRow).where(OverlayRunRow.run_id == run_id, OverlayRunRow.place > after)
        batch = list(session.exec(statement.order_by(OverlayRunRow.place).limit(size)).all())
        if not batch:
            return
        yield batch
        after = batch[-1].place


@dataclass(frozen=True, slots=True)
class Difference:
    """One row that differs between two results: its range, district and classes, and both areas (0 where it is not)."""

    range_key: str
    district_code: str
    classes: tuple[str, ...]
    first_m2: Decimal
    second_m2: Decimal

    @property
    def change_m2(self) -> Decimal:
        """What the second has more."""
        return self.second_m2 - self.first_m2


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two results beside each other: how many rows agree, those that differ, and the sums by class of each layer.

    `layers` are those that both have, in the order of the first; classes of other layers are left out of the rows.
    """

    same: int
    differences: tuple[Difference, ...]
    layers: tuple[str, ...]
    by_class: tuple[tuple[str, str, Decimal, Decimal], ...]
    """(layer, class, area in the first, area in the second)"""


def compare(session: Session, actor: Actor, first_id: int, second_id: int) -> Comparison:
    """Compare two results row by row. Raises NotFound for one that may not be seen."""
    first, second = find(session, actor, first_id), find(session, actor, second_id)
    keys = [each["layer"] for each in first.asked["layers"]], [each["layer"] for each in second.asked["layers"]]
    common = tuple(key for key in keys[0] if key in keys[1])
    ours, theirs = (
        _areas(session, run.id, [names.index(key) for key in common]) for run, names in zip((first, second), keys, strict=True)
    )
    places = sorted(ours.keys() | theirs.keys())
    found = [Difference(*place, ours.get(place, ZERO), theirs.get(place, ZERO)) for place in places]
    different = tuple(each for each in found if each.change_m2)
    return Comparison(len(found) - len(different), different, common, tuple(_by_class(found, common)))


def _areas(session: Session, run_id: int, chosen: list[int]) -> dict[tuple[str, str, tuple[str, ...]], Decimal]:
    sums: dict[tuple[str, str, tuple[str, ...]], Decimal] = {}
    for rows in every_row(session, run_id):
        for row in rows:
            key = (row.range_key, row.district_code, tuple(row.classes[place] for place in chosen))
            sums[key] = sums.get(key, ZERO) + row.area_m2
        session.expunge_all()
    return sums


def _by_class(found: list[Difference], layers: tuple[str, ...]) -> Iterator[tuple[str, str, Decimal, Decimal]]:
    for place, layer in enumerate(layers):
        sums: dict[str, list[Decimal]] = {}
        for each in found:
            pair = sums.setdefault(each.classes[place], [ZERO, ZERO])
            pair[0] += each.first_m2
            pair[1] += each.second_m2
        for value, (first, second) in sorted(sums.items()):
            yield layer, value, first, second


def lineage_words(lineage: Mapping[str, Any]) -> str:
    """One source of a result in words: which layer in which edition, which file, which case."""
    if lineage.get("source") == "layer":
        return f"{lineage['title']} 第 {lineage['edition']} 版（{lineage['effective_on']} 起），{lineage['count']:,} 个图形"
    if lineage.get("source") == "case":
        return f"办件 {lineage['case']} 的范围，{lineage['count']:,} 个图形"
    return f"文件 {lineage.get('name', '')}（SM3 {str(lineage.get('digest', ''))[:16]}…），{lineage.get('count', 0):,} 个图形"
