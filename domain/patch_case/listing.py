"""The patches of a package with the state of every stage: read from the case and from the messages, never from a copied flag."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, and_, case, false, literal, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from domain.actor import Actor
from domain.case import scope
from domain.case.definition import case_type_of
from domain.case.tables import Case
from domain.exchange import OutboxMessage
from domain.exchange.tables import PartnerLine
from domain.patch_case.handing_over import LIBRARY, MAP
from domain.patch_case.overlaying import LAID, NOTE, SECTION
from domain.patch_case.tables import AdmittedPatch
from rules.engine.document import read_document

PAGE = 50
FILE = Path(__file__).resolve().parent.parent / "reference" / "patch_case_words.yaml"
NONE, WORKING, DONE, FAILED = "none", "working", "done", "failed"
LOST = ("refused", "dead", "cancelled")
UNDER_WAY = ("waiting", "sending")
WAITING, REPEATED = "waiting", "repeated"
SORTS = ("id", "-id", "-area_m2", "area_m2")
_library, _map = aliased(OutboxMessage), aliased(OutboxMessage)


@cache
def words(group: str) -> Mapping[str, Any]:
    """One group of words by key. Raises KeyError for a group that does not exist."""
    return dict(read_document(FILE)[group])


@dataclass(frozen=True, slots=True)
class PatchQuery:
    """What is looked for among the patches of one package."""

    run_id: int
    state: str = ""
    words: str = ""
    sort: str = SORTS[0]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of a patch: its state, what can be said of it, and what is to be done where it failed."""

    key: str
    state: str
    said: str = ""
    advice: str = ""

    @property
    def words(self) -> str:
        """What is said and what is to be done, as one text."""
        return "。".join(each.rstrip("。") for each in (self.said, self.advice) if each)


@dataclass(frozen=True, slots=True)
class PatchRow:
    """A patch with its case, if it has one, whether the viewer may open that, and every stage in order."""

    patch: AdmittedPatch
    case: Case | None
    may_open: bool
    stages: tuple[Stage, ...]

    def stage(self, key: str) -> Stage:
        """One stage by key."""
        return next(each for each in self.stages if each.key == key)


@dataclass(frozen=True, slots=True)
class Summary:
    """How many patches a package has, and how many have come through each stage."""

    total: int = 0
    opened: int = 0
    repeated: int = 0
    faults: int = 0
    shared: int = 0
    placed: int = 0
    lost: int = 0
    under_way: int = 0

    @property
    def left(self) -> int:
        """Patches without a case."""
        return self.total - self.opened

    @property
    def is_working(self) -> bool:
        """True while messages are on their way."""
        return bool(self.under_way)


def summary_of(session: Session, run_id: int) -> Summary:
    """The counts of a package, in one statement."""

    def count(condition: ColumnElement[bool]) -> Any:
        return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

    statement = _joined(
        select(
            func.count(AdmittedPatch.id), count(col(AdmittedPatch.case_id).is_not(None)), count(col(AdmittedPatch.is_repeated)),
            count(AdmittedPatch.fault != ""), count(_library.status == "delivered"), count(_map.status == "delivered"),
            count(_any(LOST)), count(_any(UNDER_WAY)),
        )
    ).where(AdmittedPatch.run_id == run_id)  # fmt: skip
    return Summary(*(int(each) for each in session.execute(statement).one()))


def partners_down(session: Session) -> list[PartnerLine]:
    """The lines on which patches wait because their partner does not answer."""
    down = (col(PartnerLine.partner).in_((LIBRARY, MAP)), col(PartnerLine.down_since).is_not(None))
    return list(session.exec(select(PartnerLine).where(*down).order_by(col(PartnerLine.partner))).all())


def _joined(statement: Any) -> Any:
    """A statement over the patches, with the case of each and its two messages."""

    def sent(message: Any, partner: str) -> ColumnElement[bool]:
        return and_(message.case_id == AdmittedPatch.case_id, message.partner == partner)

    joined = statement.select_from(AdmittedPatch).outerjoin(Case, Case.id == AdmittedPatch.case_id)
    return joined.outerjoin(_library, sent(_library, LIBRARY)).outerjoin(_map, sent(_map, MAP))


def _any(statuses: Sequence[str]) -> ColumnElement[bool]:
    return or_(col(_library.status).in_(statuses), col(_map.status).in_(statuses))


def page_of(session: Session, actor: Actor, query: PatchQuery, first: int = 0, size: int = PAGE) -> tuple[list[PatchRow], int]:
    """Rows from the `first`th on and how many fit in all, with two statements; the viewer was let in by the task."""
    total = session.exec(_filtered(_joined(select(func.count(AdmittedPatch.id))), query)).one()
    statement = _filtered(_joined(select(AdmittedPatch, Case, _library, _map, _may_open(actor))), query).order_by(*_order(query.sort))
    rows = session.execute(statement.offset(first).limit(size)).all()
    return [_row(session, *each) for each in rows], int(total)


def everything(session: Session, actor: Actor, query: PatchQuery) -> Iterator[PatchRow]:
    """Every row that fits, in order, a page at a time."""
    first = 0
    while rows := page_of(session, actor, query, first, 500)[0]:
        yield from rows
        first += len(rows)


def of_case(session: Session, actor: Actor, case_id: int) -> PatchRow | None:
    """The patch that a case was opened for; None for a case of another kind. One statement."""
    statement = _joined(select(AdmittedPatch, Case, _library, _map, _may_open(actor)))
    opened = (AdmittedPatch.case_id == case_id, col(AdmittedPatch.is_repeated).is_(False))
    found = session.execute(statement.where(*opened).limit(1)).first()
    return _row(session, *found) if found else None


def _may_open(actor: Actor) -> Any:
    return case((and_(col(AdmittedPatch.case_id).is_not(None), scope.visible(actor)), literal(True)), else_=false())


def _filtered(statement: Any, query: PatchQuery) -> Any:
    found = statement.where(AdmittedPatch.run_id == query.run_id)
    if query.state in _FILTERS:
        found = found.where(_FILTERS[query.state]())
    if query.words:
        like = f"%{query.words.replace('%', '').replace('_', '')}%"
        found = found.where(or_(col(AdmittedPatch.feature_key).like(like), col(AdmittedPatch.number).like(like), col(Case.number).like(like)))
    return found


_FILTERS = {
    WAITING: lambda: and_(col(AdmittedPatch.case_id).is_(None), AdmittedPatch.fault == ""),
    WORKING: lambda: _any(UNDER_WAY),
    FAILED: lambda: or_(AdmittedPatch.fault != "", _any(LOST)),
    DONE: lambda: and_(_library.status == "delivered", _map.status == "delivered"),
    REPEATED: lambda: col(AdmittedPatch.is_repeated),
}


def _order(sort: str) -> tuple[Any, ...]:
    column = col(AdmittedPatch.area_m2 if sort.endswith("area_m2") else AdmittedPatch.id)
    return (column.desc() if sort.startswith("-") else column, col(AdmittedPatch.id))


def _row(session: Session, patch: AdmittedPatch, opened: Case | None, library: OutboxMessage | None, placed: OutboxMessage | None, may_open: Any) -> PatchRow:
    stages = (
        _of_case("number", patch, opened.number if opened else ""), _of_overlay(patch, opened),
        _of_message("library", library), _of_case("flow", patch, _flow_words(session, opened) if opened else ""), _of_message("map", placed),
    )  # fmt: skip
    return PatchRow(patch, opened, bool(may_open), stages)


def _of_case(key: str, patch: AdmittedPatch, said: str | None) -> Stage:
    if patch.case_id is not None:
        return Stage(key, DONE, said or "")
    return Stage(key, FAILED, patch.fault, words("advice")["opening"]) if patch.fault else Stage(key, NONE)


def _of_overlay(patch: AdmittedPatch, opened: Case | None) -> Stage:
    """Done if there was a layer to lay the patch over."""
    if opened is not None and not opened.values.get(LAID):
        return Stage("overlay", NONE, opened.values.get(NOTE, ""), words("advice")["no_layer"])
    return _of_case("overlay", patch, _overlay_words(opened) if opened else "")


def _of_message(key: str, message: OutboxMessage | None) -> Stage:
    if message is None:
        return Stage(key, NONE)
    if message.status == "delivered":
        return Stage(key, DONE, (message.answer or {}).get("receipt_number", ""))
    if message.status in LOST:
        return Stage(key, FAILED, message.fault or "", words("advice")[message.status])
    return Stage(key, WORKING, message.fault or "", words("advice")["retrying"] if message.fault else "")


def _overlay_words(opened: Case) -> str:
    """The largest classes of the overlay; what was laid over says the case."""
    rows = sorted(opened.values.get(SECTION) or (), key=lambda row: Decimal(row["overlap_m2"]), reverse=True)
    named = "；".join(f"{row['layer']} {row['class']} {Decimal(row['overlap_m2']):,} 平方米" for row in rows[:3])
    return named + (f"；共 {len(rows)} 项" if len(rows) > 3 else "") or opened.values.get(NOTE, "")


def _flow_words(session: Session, opened: Case) -> str:
    workflow = case_type_of(session, opened).workflow
    return "、".join(workflow.step(key).label for key in opened.steps.split(",") if key)
