"""Which series a person may look at, and how they stand: alarms, last readings, all in a fixed number of questions."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists
from sqlmodel import Session, col, func, or_, select, true

from domain.actor import Actor
from domain.errors import NotAllowed, NotFound
from domain.observation.tables import Observation, ObservationAlarm, ObservationSeries

KEEPERS = ("rule_maintainer", "system_admin")
"""Who opens series, and sees all of them."""
ENTERING = ("district_handler", "city_handler")
"""Who writes readings down; a district's own in the district."""
ALARM, FAULT, SILENT, CALM = "alarm", "fault", "silent", "calm"
"""States of a series: an open alarm, a window that could not be judged, no reading at all, none of these."""


@dataclass(frozen=True, slots=True)
class Query:
    """What a list of series is narrowed to; empty means all."""

    words: str = ""
    state: str = ""
    district: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """One series with its state, its open alarm and its newest reading."""

    series: ObservationSeries
    state: str
    alarm: ObservationAlarm | None
    last: Observation | None


def seen(actor: Actor) -> ColumnElement[bool]:
    """The condition on ObservationSeries: everything to city offices and keepers, else the own districts and those of none."""
    districts = actor.districts()
    if districts is None or actor.has_role(*KEEPERS):
        return true()
    return or_(col(ObservationSeries.district_code).is_(None), col(ObservationSeries.district_code).in_(districts))


def find(session: Session, actor: Actor, series_id: int) -> ObservationSeries:
    """A series within sight. Raises NotFound."""
    found = session.exec(select(ObservationSeries).where(ObservationSeries.id == series_id, seen(actor))).first()
    if found is None:
        raise NotFound("没有这个监测序列，或者它不在你的查阅范围内。请从监测序列的列表进入。")
    return found


def may_write(actor: Actor, series: ObservationSeries) -> bool:
    """True if a person may write readings of a series down; one of no district only for the whole city."""
    return any(grant.role in ENTERING and grant.covers(series.district_code) for grant in actor.grants)


def may_enter(actor: Actor, series: ObservationSeries) -> None:
    """Raise NotAllowed unless the person may write readings of this series down."""
    if not may_write(actor, series):
        raise NotAllowed("录入监测读数要有这个区的经办岗位。需要录入的，请联系本单位的系统管理员。")


def standings(session: Session, actor: Actor, query: Query, first: int, size: int) -> tuple[list[Standing], int]:
    """A page of series, those with an open alarm first, and how many there are."""
    wanted = and_(seen(actor), *_narrowed(query))
    total = session.exec(select(func.count()).select_from(ObservationSeries).where(wanted)).one()
    order = (_is_alarming().desc(), col(ObservationSeries.key))
    rows = session.exec(select(ObservationSeries).where(wanted).order_by(*order).offset(first).limit(size)).all()
    ids = [row.id for row in rows]
    alarms, last = _open_alarms(session, ids), _last_readings(session, ids)
    return [_standing(row, alarms.get(row.id), last.get(row.id)) for row in rows], total


def standing(session: Session, series: ObservationSeries) -> Standing:
    """How one series stands."""
    alarm, last = _open_alarms(session, [series.id]), _last_readings(session, [series.id])
    return _standing(series, alarm.get(series.id), last.get(series.id))


def _standing(series: ObservationSeries, alarm: ObservationAlarm | None, last: Observation | None) -> Standing:
    state = ALARM if alarm else FAULT if series.fault else CALM if last else SILENT
    return Standing(series, state, alarm, last)


def _is_alarming() -> ColumnElement[bool]:
    return exists().where(
        ObservationAlarm.series_id == ObservationSeries.id, col(ObservationAlarm.ended_at).is_(None), col(ObservationAlarm.withdrawn_at).is_(None)
    )


def _narrowed(query: Query) -> list[ColumnElement[bool]]:
    has_reading = exists().where(Observation.series_id == ObservationSeries.id)
    is_faulty = col(ObservationSeries.fault).is_not(None)
    states = {
        ALARM: _is_alarming(), FAULT: and_(is_faulty, ~_is_alarming()), SILENT: and_(~has_reading, ~_is_alarming(), ~is_faulty),
        CALM: and_(has_reading, ~_is_alarming(), ~is_faulty),
    }  # fmt: skip
    named = [
        or_(*(col(column).contains(word, autoescape=True) for column in (ObservationSeries.key, ObservationSeries.subject, ObservationSeries.title)))
        for word in query.words.split()
    ]
    district = [ObservationSeries.district_code == query.district] if query.district else []
    return [*named, *district, *([states[query.state]] if query.state in states else [])]


def _open_alarms(session: Session, ids: Sequence[int]) -> dict[int, ObservationAlarm]:
    statement = select(ObservationAlarm).where(
        col(ObservationAlarm.series_id).in_(ids), col(ObservationAlarm.ended_at).is_(None), col(ObservationAlarm.withdrawn_at).is_(None)
    )
    return {row.series_id: row for row in session.exec(statement.order_by(col(ObservationAlarm.id)))}


def _last_readings(session: Session, ids: Sequence[int]) -> dict[int, Observation]:
    newest = select(Observation.series_id, func.max(Observation.at).label("at")).where(col(Observation.series_id).in_(ids))
    last = newest.group_by(col(Observation.series_id)).subquery()
    statement = select(Observation).join(last, and_(last.c.series_id == Observation.series_id, last.c.at == Observation.at))
    return {row.series_id: row for row in session.exec(statement.order_by(col(Observation.id)))}


def readings(session: Session, series_id: int, first: int, size: int) -> tuple[list[Observation], int]:
    """A page of readings, the newest first, and how many there are."""
    own = Observation.series_id == series_id
    total = session.exec(select(func.count()).select_from(Observation).where(own)).one()
    order = (col(Observation.at).desc(), col(Observation.id).desc())
    return list(session.exec(select(Observation).where(own).order_by(*order).offset(first).limit(size))), total


def alarms(session: Session, series_id: int, most: int = 50) -> list[ObservationAlarm]:
    """The newest alarms of a series, those that were withdrawn too."""
    statement = select(ObservationAlarm).where(ObservationAlarm.series_id == series_id)
    return list(session.exec(statement.order_by(col(ObservationAlarm.from_at).desc(), col(ObservationAlarm.id).desc()).limit(most)))
