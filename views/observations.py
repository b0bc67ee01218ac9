"""Series of monitoring readings: the list, one series with its course, alarms and readings, and entry by hand."""

import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import dictionary, portal_clock
from domain.district import district_name
from domain.errors import Conflict, InvalidData
from domain.format import moment
from domain.observation import arrival, export, intake, sight
from domain.observation.export import outcome_word
from domain.observation.intake import plain
from domain.observation.judging import words
from domain.observation.sight import KEEPERS, Query, Standing
from domain.observation.tables import Observation, ObservationAlarm, ObservationSeries
from domain.observation.window import LIST, WINDOW, rules_at
from domain.portal_clock import SHANGHAI
from rules.engine import RuleError, RuleSet
from rules.engine.unit import units
from views import page, posted
from views.ledger_chart import Drawn
from views.observation_chart import Line, course
from views.paging import PAGE_SIZE, Pager, pager, place
from views.posted import FieldFault, by_field, faults_of, given_texts
from views.rules import frame
from views.shell import Crumb, Link, Notice

DRAWN = 400
"""The newest readings that a drawing shows."""
TRAIL = Crumb("监测序列", Link("observations", "监测序列"))


@dataclass(frozen=True)
class ListPage:
    """What templates/observations/index.html reads."""

    rows: Sequence[Mapping[str, Any]]
    fields: Sequence[Mapping[str, Any]]
    words: str
    pager: Pager
    may_open: bool


@dataclass(frozen=True)
class SeriesPage:
    """What templates/observations/series.html reads; `form_key` makes a form that is sent twice count once."""

    series: ObservationSeries
    state_said: str
    alarm: ObservationAlarm | None
    unit: str
    facts: Sequence[Mapping[str, Any]]
    chart: Drawn | None
    drawn_count: int
    alarms: Sequence[Mapping[str, Any]]
    readings: Sequence[Mapping[str, Any]]
    pager: Pager
    may_enter: bool
    form_key: str
    faults: Sequence[FieldFault] = ()
    errors: Mapping[str, str] = field(default_factory=lambda: defaultdict(str))
    posted: Mapping[str, str] = field(default_factory=lambda: defaultdict(str))


@dataclass(frozen=True)
class NewPage:
    """What templates/observations/new.html reads."""

    rule_sets: Sequence[Mapping[str, str]]
    units: Sequence[Mapping[str, str]]
    districts: Sequence[Mapping[str, str]]
    faults: Sequence[FieldFault]
    errors: Mapping[str, str]
    posted: Mapping[str, str]


def series_list(request: Request) -> Response:
    """A page of the series within sight, those that alarm first."""
    actor = page.actor(request)
    asked = Query(*(request.query_params.get(name, "").strip() for name in ("q", "state", "district")))
    with page.reading(request) as session:
        found, total = sight.standings(session, actor, asked, place(request), PAGE_SIZE)
        context = ListPage(
            [{"cells": _row(request, each)} for each in found], _fields(asked), asked.words,
            pager(request, len(found), total, "个序列"), actor.has_role(*KEEPERS),
        )  # fmt: skip
    return frame.render(request, "observations/index.html", context, title="监测序列", trail=(Crumb("监测序列"),))


def _fields(asked: Query) -> list[Mapping[str, Any]]:
    states = [{"value": key, "label": label} for key, label in words()["states"].items()]
    return [
        {"name": "q", "label": "编号、监测点、项目", "value": asked.words},
        {"name": "state", "label": "状态", "kind": "select", "value": asked.state, "choices": states},
        {"name": "district", "label": "行政区", "kind": "select", "value": asked.district, "choices": _districts()},
    ]


def _districts() -> list[Mapping[str, str]]:
    return [{"value": each.value, "label": each.label} for each in dictionary.dictionaries()["districts"].choices]


def _row(request: Request, found: Standing) -> Mapping[str, Any]:
    series = found.series
    tag = {"label": words()["states"][found.state], "tone": words()["state_tones"][found.state]}
    return {
        "subject": {"text": series.subject, "href": frame.address(request, "observation_series", series_id=series.id),
                    "sub": f"{series.title}　{series.key}{'　演示样例' if series.is_demo else ''}"},
        "state": {"tag": tag, "sub": f"自 {moment(found.alarm.from_at)}" if found.alarm else ""},
        "last": f"{plain(found.last.value)} {_unit(series)}" if found.last else "—",
        "at": moment(found.last.at) if found.last else "—",
        "district": district_name(series.district_code) if series.district_code else "不分区",
        "rules": {"text": _title(request, series), "href": frame.address(request, "rule", key=series.rule_set)},
    }  # fmt: skip


def _title(request: Request, series: ObservationSeries) -> str:
    """The title of the rule set; its key where it is no longer loaded."""
    return next((rules.title for rules in _watching(request) if rules.key == series.rule_set), series.rule_set)


def _watching(request: Request) -> list[RuleSet]:
    """The rule sets that judge readings, each in its last edition."""
    book = page.office(request).book
    found = [book.editions(kind, key)[-1] for kind, key in book.keys()]  # noqa: SIM118
    return [rules for rules in found if LIST in rules.facts and WINDOW in rules.parameters]


def show(request: Request) -> Response:
    """One series: how it stands, its course, alarms and readings."""
    return _shown(request)


def _shown(request: Request, faults: Sequence[FieldFault] = (), status: int = 200) -> Response:
    actor = page.actor(request)
    with page.reading(request) as session:
        series = sight.find(session, actor, request.path_params["series_id"])
        context = _context(request, session, series, faults)
    done = Notice("good", "读数已收下，正在判断。") if request.query_params.get("done") == "taken" else None
    return frame.render(
        request, "observations/series.html", context, title=f"{series.subject} {series.title}", status=status,
        trail=(TRAIL, Crumb(series.key)), notices=(done,) if done else (),
    )  # fmt: skip


def _context(request: Request, session: Session, series: ObservationSeries, faults: Sequence[FieldFault]) -> SeriesPage:
    standing, unit = sight.standing(session, series), _unit(series)
    newest, total = sight.readings(session, series.id, place(request), PAGE_SIZE)
    drawn = newest if total <= len(newest) else sight.readings(session, series.id, 0, DRAWN)[0]
    alarms = sight.alarms(session, series.id)
    rules, lines = _judging(session, series)
    standing_alarms = [each for each in alarms if each.withdrawn_at is None]
    return SeriesPage(
        series=series, state_said=words()["states"][standing.state], alarm=standing.alarm, unit=unit,
        facts=_facts(request, series, standing, rules, lines), chart=course(drawn[::-1], standing_alarms, lines, unit), drawn_count=len(drawn),
        alarms=[{"cells": _alarm(request, each)} for each in alarms], readings=[{"cells": _reading(each)} for each in newest],
        pager=pager(request, len(newest), total, "个读数", series_id=series.id), may_enter=sight.may_write(page.actor(request), series),
        form_key=posted.text(request, "key") if faults else secrets.token_hex(16), faults=faults,
        errors=by_field(tuple(faults)), posted=given_texts(request),
    )  # fmt: skip


def _judging(session: Session, series: ObservationSeries) -> tuple[RuleSet | None, list[Line]]:
    """The edition that judges readings of today, and its limits in the unit of the series."""
    now = portal_clock.now(session)
    try:
        rules = rules_at(session, series, now)
    except RuleError:
        return None, []
    limits = [each for each in rules.parameters.values() if each.by is None and getattr(each.declaration.unit, "key", None) == series.unit]
    values = [(each.declaration.label, each.general(portal_clock.local_date(now))) for each in limits]
    return rules, [Line(label, value) for label, value in values if value is not None]


def _facts(
    request: Request, series: ObservationSeries, standing: Standing, rules: RuleSet | None, lines: Sequence[Line]
) -> list[Mapping[str, Any]]:
    edition = f"{rules.title}，{frame.edition_words(rules)}" if rules else series.rule_set
    last = f"{plain(standing.last.value)} {_unit(series)}，{moment(standing.last.at)}" if standing.last else "还没有读数"
    return [
        {"label": "最近读数", "value": last},
        {"label": "判断规则", "value": {"text": edition, "href": frame.address(request, "rule", key=series.rule_set)}},
        {"label": "警戒值", "value": "；".join(f"{each.label} {plain(each.value)} {_unit(series)}" for each in lines) or "规则集没有这个单位的参数"},
        {"label": "行政区", "value": district_name(series.district_code) if series.district_code else "不分区"},
        {"label": "建立", "value": moment(series.created_at)},
    ]


def _alarm(request: Request, alarm: ObservationAlarm) -> Mapping[str, Any]:
    until = f"已撤销，{moment(alarm.withdrawn_at)}" if alarm.withdrawn_at else moment(alarm.ended_at) if alarm.ended_at else "还在报警"
    can_open = alarm.decision_id is not None and frame.keeps_rules(page.actor(request))
    href = frame.address(request, "rule_decision", decision_id=alarm.decision_id) if can_open else None
    return {"from": moment(alarm.from_at), "until": until, "message": {"text": alarm.message, "href": href}, "told": f"{alarm.told} 人"}


def _reading(reading: Observation) -> Mapping[str, Any]:
    is_manual = arrival.entered_by_hand(reading.business_key)
    return {
        "at": moment(reading.at), "value": plain(reading.value), "outcome": outcome_word(reading.outcome), "received": moment(reading.received_at),
        "key": "人工录入" if is_manual else reading.business_key,
    }  # fmt: skip


def _unit(series: ObservationSeries) -> str:
    known = units().get(series.unit)
    return known.label if known else series.unit


def enter(request: Request) -> Response:
    """Take in a reading that was read off."""
    series_id = request.path_params["series_id"]
    try:
        at, value = _moment(posted.text(request, "at", 40)), _value(posted.text(request, "value", 40))
        with page.writing(request) as session:
            arrival.enter(session, page.actor(request), series_id, posted.text(request, "key", 80), at or portal_clock.now(session), value)
    except InvalidData as fault:
        return _shown(request, faults_of(fault), 422)
    except Conflict as fault:
        return _shown(request, (FieldFault("value", fault.message),), 409)
    return page.redirect(request, "observation_series", query={"done": "taken"}, series_id=series_id)


def _moment(text: str) -> datetime | None:
    if not text:
        return None
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidData(f"测得时刻「{text}」读不出来。请写成 2026-10-01 08:00 的样子。", {"at": "请写成 2026-10-01 08:00 的样子"}) from error
    return at if at.tzinfo else at.replace(tzinfo=SHANGHAI)


def _value(text: str) -> Decimal:
    try:
        return Decimal(text.replace(",", ""))
    except InvalidOperation as error:
        said = "读数应是十进制数" if text else "请填写读数"
        raise InvalidData(f"{said}。请改正后再提交。", {"value": said}) from error


def begin_export(request: Request) -> Response:
    """Queue the workbook of a series."""
    with page.writing(request) as session:
        job = export.begin(session, page.actor(request), request.path_params["series_id"])
    return page.redirect(request, "job", job_id=job.id)


def new(request: Request) -> Response:
    """The form for a new series, or the series it makes."""
    if request.method != "POST":
        return _form(request, (), 200)
    names = ("key", "subject", "title", "unit", "rule_set", "district_code")
    given = {name: posted.text(request, name, 80) for name in names}
    try:
        missing = {name: "请填写" for name in names[:-1] if not given[name]}
        if missing:
            raise InvalidData("还有没有填的项。请填写。", missing)
        with page.writing(request) as session:
            made = intake.open_series(session, page.actor(request), **{**given, "district_code": given["district_code"] or None})
            series_id = made.id
    except InvalidData as fault:
        return _form(request, faults_of(fault), 422)
    except Conflict as fault:
        return _form(request, (FieldFault("key", fault.message),), 409)
    return page.redirect(request, "observation_series", series_id=series_id)


def _form(request: Request, faults: tuple[FieldFault, ...], status: int) -> Response:
    watching = _watching(request)
    units_of = {rules.facts[LIST].columns["value"].unit for rules in watching}
    context = NewPage(
        [{"value": each.key, "label": each.title} for each in watching],
        [{"value": each.key, "label": each.label} for each in units_of if each is not None],
        _districts(), faults, by_field(faults), given_texts(request),
    )  # fmt: skip
    return frame.render(request, "observations/new.html", context, title="建立监测序列", trail=(TRAIL, Crumb("建立")), status=status)

