"""Alarms: one for each crossing, raised and told once, moved or withdrawn when late readings show it otherwise."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from sqlmodel import Session, col, or_, select

from domain import decision, notice
from domain.command import Work
from domain.observation.tables import Observation, ObservationAlarm, ObservationSeries
from domain.observation.window import judged
from domain.recipient import holders, roles_in

QUIET = frozenset({"none", "admit", "allow", "balanced"})
OPEN_OUTCOMES = (None, "undetermined")
"""A window of which nothing is known neither begins a crossing nor ends one."""
LATE = timedelta(hours=1)
"""An alarm raised so long after its reading was taken is said to be late."""


@dataclass(frozen=True, slots=True)
class Run:
    """A crossing as judged: the first reading that alarms, and the first after it that does not (None: none yet)."""

    start: datetime
    end: datetime | None

    def touches(self, alarm: ObservationAlarm) -> bool:
        """True if an alarm speaks of the same time."""
        begins_before_end = self.end is None or alarm.from_at < self.end
        return begins_before_end and (alarm.ended_at is None or alarm.ended_at > self.start)


def settle_alarms(work: Work, series: ObservationSeries, since: datetime, words: Mapping[str, str]) -> None:
    """Bring the alarms from a moment on into line with the outcomes of the readings."""
    alarms = alarms_after(work.session, series.id, since)
    # From where the crossing that reaches to that moment began, so that it is seen whole.
    since = min([since, *(alarm.from_at for alarm in alarms)])
    for run in runs(_outcomes(work.session, series, since)):
        same = [alarm for alarm in alarms if run.touches(alarm)]
        if same:
            _move(work, same[0], run)
            for other in same[1:]:
                other.withdrawn_at = work.at  # it was one crossing all along, of which people know
        else:
            _raise(work, series, run, words)
        alarms = [alarm for alarm in alarms if alarm not in same]
        work.session.add_all(same)
    for alarm in alarms:
        _withdraw(work, series, alarm, words)


def alarms_after(session: Session, series_id: int, since: datetime) -> list[ObservationAlarm]:
    """The alarms that stand and reach to a moment or beyond, the oldest first."""
    statement = select(ObservationAlarm).where(
        ObservationAlarm.series_id == series_id,
        col(ObservationAlarm.withdrawn_at).is_(None),
        or_(col(ObservationAlarm.ended_at).is_(None), col(ObservationAlarm.ended_at) >= since),
    )
    return list(session.exec(statement.order_by(col(ObservationAlarm.from_at), col(ObservationAlarm.id))).all())


def _outcomes(session: Session, series: ObservationSeries, since: datetime) -> list[tuple[datetime, str | None]]:
    statement = select(Observation.at, Observation.outcome).where(Observation.series_id == series.id, Observation.at >= since)
    return list(session.exec(statement.order_by(col(Observation.at), col(Observation.id))).all())


def runs(outcomes: Iterable[tuple[datetime, str | None]]) -> list[Run]:
    """The crossings in a row of outcomes by time; readings without an outcome are passed over."""
    known = [(at, outcome not in QUIET) for at, outcome in outcomes if outcome not in OPEN_OUTCOMES]
    edges = [
        (at, is_over) for (_at, was_over), (at, is_over) in pairwise([(None, False), *known]) if is_over is not was_over
    ]
    starts = [at for at, is_over in edges if is_over]
    ends = [at for at, is_over in edges if not is_over]
    return [Run(start, ends[place] if place < len(ends) else None) for place, start in enumerate(starts)]


def _move(work: Work, alarm: ObservationAlarm, run: Run) -> None:
    if (alarm.from_at, alarm.ended_at) != (run.start, run.end):
        alarm.from_at, alarm.ended_at = run.start, run.end
        work.record(f"alarm:{alarm.id}", state="ended" if run.end else "open")


def _raise(work: Work, series: ObservationSeries, run: Run, words: Mapping[str, str]) -> None:
    made = judged(work.session, series, run.start)
    stored = decision.store(work, None, made, "observe")
    stored.subject = f"series:{series.key}"
    work.session.flush()
    roles = roles_in(made.values.get("target"))
    told = holders(work.session, roles, series.district_code)
    alarm = ObservationAlarm(
        series_id=series.id, from_at=run.start, ended_at=run.end, raised_at=work.at, message=made.message,
        roles=",".join(roles), told=len(told), decision_id=stored.id,
    )
    work.session.add(alarm)
    work.session.flush()
    work.record(f"alarm:{alarm.id}", state="raised", count=len(told))
    is_late = work.at - run.start > LATE
    body = words["late_body"].format(message=made.message) if is_late else made.message
    _tell(work, series, told, words["alarm_title"], body)


def _withdraw(work: Work, series: ObservationSeries, alarm: ObservationAlarm, words: Mapping[str, str]) -> None:
    """No reading bears the alarm any more: those who were told of it hear so."""
    alarm.withdrawn_at = work.at
    work.session.add(alarm)
    work.record(f"alarm:{alarm.id}", state="withdrawn")
    told = holders(work.session, roles_in(alarm.roles), series.district_code)
    _tell(work, series, told, words["withdrawn_title"], words["withdrawn_body"])


def _tell(work: Work, series: ObservationSeries, people: list[int], title: str, body: str) -> None:
    for person_id in people:
        notice.notify(work, person_id, "observation", title.format(subject=series.subject, title=series.title), body)
