"""The working calendar: a year as twelve months, corrections, official tables, and what each change moved."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import calendar_table, calendar_year, portal_clock
from domain.calendar_table import CalendarRevision
from domain.calendar_year import MovedClock, Year
from domain.errors import InvalidData, NotFound
from domain.working_calendar import FIRST_DAY, LAST_DAY, SpecialDay
from views.administration import frame
from views.page import actor, reading, redirect, writing
from views.posted import (
    FieldFault,
    by_field,
    day,
    faults_of,
    given_texts,
    number,
    query_day,
    query_number,
    text,
    upload,
)
from views.shell import Crumb

SECTION = "calendars"
LARGEST_TABLE_BYTES = 256 * 1024
DONE = {
    "correct": "这一天已更正，正在重算受影响的时限。", "drop": "更正已撤回，正在重算受影响的时限。",
    "load": "该年的表已载入，正在重算受影响的时限。", "official": "该年的表的效力已改，正在重算受影响的时限。",
}


@dataclass(frozen=True)
class CalendarPage:
    """The context of administration/calendar.html; `chosen` is the day whose correction form is open."""

    year: Year
    first_year: int
    last_year: int
    chosen: date | None
    chosen_special: SpecialDay | None
    chosen_works: bool
    chosen_is_corrected: bool
    revisions: list[dict[str, Any]]
    given: dict[str, str]
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True)
class RevisionPage:
    """The context of administration/calendar_revision.html."""

    revision: CalendarRevision
    words: str
    moves: list[MovedClock]


def show(request: Request) -> Response:
    """A year: the present one unless another is asked for."""
    return _show(request, query_number(request, "year"), query_day(request, "day"))


def _show(
    request: Request, year: int | None, chosen: date | None, errors: tuple[FieldFault, ...] = (), status: int = 200
) -> Response:
    with reading(request) as session:
        shown = year or (chosen or portal_clock.today(session)).year
        if not FIRST_DAY.year <= shown <= LAST_DAY.year:
            raise NotFound(f"工作日历只到 {FIRST_DAY.year} 至 {LAST_DAY.year} 年。请选其间的年份。")
        found, calendar = calendar_year.year_of(session, shown), calendar_table.calendar_of(session)
        revisions = [_revision_row(request, row, moved) for row, moved in calendar_year.revisions(session)]
    cells = [cell for month in found.months for week in month.weeks for cell in week if cell and cell.day == chosen]
    page = CalendarPage(
        year=found, first_year=FIRST_DAY.year, last_year=LAST_DAY.year, chosen=chosen if cells else None,
        chosen_special=calendar.special_day(chosen) if cells else None, chosen_works=bool(cells) and cells[0].is_working,
        chosen_is_corrected=bool(cells) and cells[0].is_corrected, revisions=revisions, given=given_texts(request),
        wrong=by_field(errors), errors=errors,
    )
    return frame.render(
        request, "administration/calendar.html", page, section=SECTION, title="工作日历",
        notices=frame.done(request, DONE), status=status,
    )


def _revision_row(request: Request, row: CalendarRevision, moved: int) -> dict[str, Any]:
    href = request.app.state.templates.url("calendar_revision", revision_id=row.id)
    return {"cells": {
        "at": {"text": f"{portal_clock.local_date(row.at)}", "href": href}, "who": row.person_name,
        "change": words_of(row.change), "reason": row.reason, "moved": moved,
    }}


def words_of(change: dict[str, Any]) -> str:
    """What a revision changed, in words."""
    if "load_year" in change:
        return f"载入 {change['load_year']} 年的表（{change['days']} 天）"
    if "year" in change:
        return f"{change['year']} 年的表{'恢复为正式' if change['is_official'] else '改为暂定'}"
    if "dropped" in change:
        return f"{change['day']} 撤回更正「{change['dropped']}」"
    return f"{change['day']} 改为{'上班' if change['is_working'] else '休息'}（{change['name']}）"


def _changed(
    request: Request, done: str, year: int, chosen: date | None, act: Callable[..., Any], reason: str = "reason"
) -> Response:
    """Run a command; `reason` is what the page calls the field of the reason in this form."""
    try:
        with writing(request) as session:
            act(session, actor(request))
    except InvalidData as error:
        return _show(request, year, chosen, _renamed(error, reason), 422)
    return redirect(request, SECTION, query={"year": year, "done": done})


def _renamed(error: InvalidData, reason: str) -> tuple[FieldFault, ...]:
    return tuple(FieldFault(reason if fault.field == "reason" else fault.field, fault.text) for fault in faults_of(error))


def correct_day(request: Request) -> Response:
    """Make a day a working day or a day off."""
    chosen = _posted_day(request)
    is_working = text(request, "is_working", 1) == "1"
    return _changed(request, "correct", chosen.year, chosen, lambda session, who: calendar_table.correct_day(
        session, who, chosen, is_working=is_working, name=text(request, "name", 40), reason=text(request, "reason", 400)))


def drop_correction(request: Request) -> Response:
    """Take the correction of a day back."""
    chosen = _posted_day(request)
    return _changed(request, "drop", chosen.year, chosen, lambda session, who: calendar_table.drop_correction(
        session, who, chosen, reason=text(request, "reason", 400)))


def set_official(request: Request) -> Response:
    """Declare the table of a year official, or not."""
    year = _posted_year(request)
    is_official = text(request, "is_official", 1) == "1"
    return _changed(request, "official", year, None, lambda session, who: calendar_table.set_year_official(
        session, who, year, is_official=is_official, reason=text(request, "official_reason", 400)), "official_reason")


def load_year(request: Request) -> Response:
    """Put the official table of a year in force, from a file in the form of the shipped ones."""
    year = _posted_year(request)
    try:
        document = _document(request)
        with writing(request) as session:
            calendar_table.load_year(session, actor(request), document, reason=text(request, "load_reason", 400))
    except InvalidData as error:
        faults = (FieldFault(fault.field or "table", fault.text) for fault in _renamed(error, "load_reason"))
        return _show(request, year, None, tuple(faults), 422)
    return redirect(request, SECTION, query={"year": document["year"], "done": "load"})


def _document(request: Request) -> dict[str, Any]:
    content = upload(request, "table").file.read(LARGEST_TABLE_BYTES + 1)
    if len(content) > LARGEST_TABLE_BYTES:
        raise InvalidData("工作日历的文件超过 256 KB，没有载入。一年的表只有几十天，请核对文件。", {"table": "文件超过 256 KB"})
    try:
        document = json.loads(content)
    except ValueError as error:
        raise InvalidData("文件不是 JSON，没有载入。请按 2026.json 的格式准备。", {"table": "文件不是 JSON"}) from error
    if not isinstance(document, dict):
        raise InvalidData("文件的内容不是一年的表，没有载入。请按 2026.json 的格式准备。", {"table": "内容不是一年的表"})
    return document


def _posted_day(request: Request) -> date:
    found = day(request, "day")
    if found is None:
        raise InvalidData("没有说明是哪一天。请在日历中点选日期。")
    return found


def _posted_year(request: Request) -> int:
    found = number(request, "year")
    if found is None:
        raise InvalidData("没有说明是哪一年。请从工作日历页面提交。")
    return found


def revision(request: Request) -> Response:
    """One change of the calendar with the due dates it moved."""
    with reading(request) as session:
        found = session.get(CalendarRevision, request.path_params["revision_id"])
        if found is None:
            raise NotFound("没有这次日历更改。请从工作日历页面进入。")
        page = RevisionPage(found, words_of(found.change), calendar_year.moved_clocks(session, found))
    return frame.render(
        request, "administration/calendar_revision.html", page, section=SECTION, title=page.words, trail=(Crumb(page.words),)
    )
