"""Series are opened and readings taken in: each once, in whatever order they come."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlmodel import Session, col, select

from domain.command import Work, command, system_only
from domain.errors import Conflict, InvalidData, NotFound
from domain.format import moment
from domain.observation.tables import Observation, ObservationSeries
from domain.observation.window import LIST, rules_at, window_of
from domain.waking import wake
from rules.engine import RuleError

QUEUE = "observations"
AHEAD = timedelta(minutes=5)
"""How far the clock of an instrument may be fast."""
MOST = 1000
"""Readings in one message."""
LARGEST = Decimal(10) ** 12


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading as sent: the sender's key for it, the moment (with zone) it was taken, and the value in the unit of its series."""

    business_key: str
    at: datetime
    value: Decimal


@dataclass(frozen=True, slots=True)
class Taken:
    """How many readings were new, and how many had been taken before."""

    new: int
    repeated: int


def may_open(work: Work) -> None:
    """Whoever maintains rules or runs the system, and the portal itself."""
    if not work.actor.is_system:
        work.actor.must_have("rule_maintainer", "system_admin")


@command("observation.open_series", allow=may_open)
def open_series(
    work: Work, key: str, subject: str, title: str, unit: str, rule_set: str, district_code: str | None = None
) -> ObservationSeries:
    """Begin a series, as a command of its own."""
    return opened(work, key, subject, title, unit, rule_set, district_code)


def opened(
    work: Work, key: str, subject: str, title: str, unit: str, rule_set: str, district_code: str | None = None
) -> ObservationSeries:
    """Begin a series; refused if the rule set does not judge readings of this unit."""
    if work.session.exec(select(ObservationSeries).where(ObservationSeries.key == key)).first() is not None:
        raise Conflict(f"监测序列 {key} 已经有了，不能重复建立。请换一个编号。")
    series = ObservationSeries(
        key=key, subject=subject, title=title, unit=unit, rule_set=rule_set, district_code=district_code, created_at=work.at
    )
    _must_fit(work.session, series, work.at)
    work.session.add(series)
    work.session.flush()
    work.record(f"series:{key}", unit=unit, rule_set=rule_set)
    return series


def _must_fit(session: Session, series: ObservationSeries, at: datetime) -> None:
    try:
        rules = rules_at(session, series, at)
        window_of(rules, at)
    except RuleError as fault:
        raise InvalidData(f"监测序列不能建立：{fault}。", {"rule_set": str(fault)}) from fault
    listed = rules.facts.get(LIST)
    value = listed.columns.get("value") if listed is not None else None
    unit = value.unit.key if value is not None and value.unit is not None else None
    if unit != series.unit:
        message = f"规则集「{rules.title}」的读数单位是 {unit or '（没有）'}，序列的单位是 {series.unit}，不能用来判断。请改单位或另选规则集。"
        raise InvalidData(message, {"unit": message})


def series_of(session: Session, key: str) -> ObservationSeries:
    """The series of this key. Raises NotFound."""
    found = session.exec(select(ObservationSeries).where(ObservationSeries.key == key)).first()
    if found is None:
        raise NotFound(f"没有编号为 {key} 的监测序列。请核对编号，或先建立序列。")
    return found


@command("observation.take", allow=system_only)
def take(work: Work, key: str, readings: Sequence[Reading]) -> Taken:
    """Keep the readings that are new, as a command of its own."""
    return take_in(work, key, readings)


def take_in(work: Work, key: str, readings: Sequence[Reading]) -> Taken:
    """Keep the readings that are new and note from where the windows must be judged; all of them or none.

    A reading that was taken before is passed over; the same key with another moment or value raises Conflict.
    """
    series = locked(work.session, series_of(work.session, key).id)
    wanted = _distinct(readings)
    for reading in wanted.values():
        _must_be_sound(work, reading)
    before = _taken_before(work.session, series.id, list(wanted))
    for known in before:
        _must_agree(known, wanted.pop(known.business_key))
    fresh = list(wanted.values())
    work.session.add_all(
        Observation(series_id=series.id, business_key=r.business_key, at=r.at, value=r.value, received_at=work.at) for r in fresh
    )
    if fresh:
        _note_work(work, series, [r.at for r in fresh])
    work.record(f"series:{key}", count=len(fresh))
    return Taken(len(fresh), len(readings) - len(fresh))


def locked(session: Session, series_id: int) -> ObservationSeries:
    """The series as it is now, held until the transaction ends."""
    statement = select(ObservationSeries).where(ObservationSeries.id == series_id).with_for_update()
    return session.exec(statement.execution_options(populate_existing=True)).one()


def _distinct(readings: Iterable[Reading]) -> dict[str, Reading]:
    found: dict[str, Reading] = {}
    for reading in readings:
        if found.setdefault(reading.business_key, reading) != reading:
            raise Conflict(f"同一批里读数 {reading.business_key} 出现两次而内容不同，整批没有收下。请改正后重发。")
    if len(found) > MOST:
        raise InvalidData(f"一批有 {len(found)} 个读数，最多 {MOST} 个。请分批发送。")
    return found


def _must_be_sound(work: Work, reading: Reading) -> None:
    where = f"读数 {reading.business_key}"
    if not 0 < len(reading.business_key) <= 80:
        raise InvalidData("读数的业务编号应有 1 到 80 个字符，整批没有收下。请改正后重发。")
    if reading.at.tzinfo is None:
        raise InvalidData(f"{where}的时刻没有写时区，整批没有收下。请带上时区重发。")
    if reading.at > work.at + AHEAD:
        raise InvalidData(f"{where}的时刻 {moment(reading.at)} 还没有到，整批没有收下。请核对仪器的时钟。")
    exponent = reading.value.as_tuple().exponent
    if not reading.value.is_finite() or abs(reading.value) >= LARGEST or (isinstance(exponent, int) and exponent < -6):
        raise InvalidData(f"{where}的值 {reading.value} 超出范围或小数多于 6 位，整批没有收下。请核对仪器。")


def _taken_before(session: Session, series_id: int, keys: list[str]) -> list[Observation]:
    statement = select(Observation).where(Observation.series_id == series_id, col(Observation.business_key).in_(keys))
    return list(session.exec(statement).all())


def _must_agree(known: Observation, sent: Reading) -> None:
    if (known.at, known.value) != (sent.at, sent.value):
        raise Conflict(
            f"读数 {sent.business_key} 已收过，{moment(known.at)} 的值是 {plain(known.value)}，这次发来的不同，整批没有收下。"
            "读数不能改写，更正请用新的业务编号。"
        )


def plain(value: Decimal) -> str:
    """A value without the zeros at its end."""
    text = f"{value:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"


def _note_work(work: Work, series: ObservationSeries, moments: list[datetime]) -> None:
    first, last = min(moments), max(moments)
    series.judge_from = min(first, series.judge_from or first)
    series.judge_through = max(last, series.judge_through or last)
    series.settle_from = min(first, series.settle_from or first)
    work.session.add(series)
    work.after_commit(lambda: wake(QUEUE))
