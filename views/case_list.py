"""A case list as its template reads it: filters, heads, rows, pager, lamps; the desk and the list of all cases share it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qs

from sqlmodel import Session
from starlette.requests import Request

from domain import dictionary, portal_clock, town
from domain.actor import Actor
from domain.case import columns as case_columns
from domain.case import inbox, saved_filter
from domain.case.columns import Column, Places
from domain.case.inbox import COUNT_LIMIT, PAGE_ROWS, CasePage, CaseRow, ClockLine, Counts
from domain.case.tables import SavedFilter
from domain.case.words import code_of, words
from domain.form.shown import shown
from domain.format import date_table, local
from domain.light import COLOURS
from rules.case_type import Catalogue
from rules.case_type.form import FieldDefinition
from views import page
from views.case_query import ListRequest, default_direction, place_text, read


@dataclass(frozen=True)
class ListPage:
    """Everything templates/cases/_list.html reads."""

    title: str
    route: str
    plate: tuple[str, ...]
    lamps: tuple[Mapping[str, Any], ...]
    filters: Mapping[str, Any]
    columns: tuple[Mapping[str, Any], ...]
    rows: tuple[Mapping[str, Any], ...]
    pager: Mapping[str, Any]
    bulk_actions: tuple[Mapping[str, Any], ...]
    export: Mapping[str, Any]
    empty: Mapping[str, Any]
    words: str
    saved: tuple[SavedFilter, ...]
    current_saved: SavedFilter | None


@dataclass
class Listing:
    """What one request for a list found; `build` makes the page of it."""

    request: Request
    route: str
    asked: ListRequest
    page: CasePage
    counts: Counts
    saved: Sequence[SavedFilter]
    known: Mapping[str, Column]
    today: date

    @property
    def actor(self) -> Actor:
        return page.actor(self.request)

    @property
    def catalogue(self) -> Catalogue:
        return page.office(self.request).catalogue

    def href(self, **changed: Any) -> str:
        """The same list with some parameters changed."""
        return self.request.app.state.templates.url(self.route, self.asked.with_params(**changed))


def portal_today(request: Request) -> date:
    """The portal's date without asking the database: the gate knows it already."""
    return getattr(request.state, "demo_date", None) or portal_clock.today()


def find(request: Request, session: Session, route: str, box: str | None, boxes: Sequence[str] = ()) -> Listing:
    """Ask for one page of a list: six statements at most, whatever the number of rows."""
    actor, today = page.actor(request), portal_today(request)
    asked = read(request.query_params, page.office(request).catalogue, today, box)
    dictionaries = dictionary.choices_of(session, asked.case_type.form, today) if asked.case_type else {}
    known = case_columns.columns_of(asked.case_type, dictionaries)
    fields = case_columns.field_keys(case_columns.wanted(asked.columns, known))
    # The box that is shown counts its own rows; a box that nobody looks at is counted only if it is asked for.
    others = [each for each in boxes if each != box or asked.is_narrowed]
    counts = inbox.counts(session, actor, asked.query, others)
    return Listing(
        request=request, route=route, asked=asked, counts=counts, known=known, today=today,
        page=inbox.page(session, actor, asked.query, fields, total=counts.total),
        saved=saved_filter.filters_of(session, actor, route),
    )


def build(found: Listing, title: str, plate: tuple[str, ...] = (), bulk: Sequence[str] = ()) -> ListPage:
    """The page of a list."""
    places = _places()
    columns = case_columns.wanted(found.asked.columns, found.known)
    return ListPage(
        title=title,
        route=found.route,
        plate=plate,
        lamps=_lamps(found),
        filters=_filters(found, places),
        columns=tuple(_head(found, column) for column in columns),
        rows=_rows(found, columns, places),
        pager=_pager(found),
        bulk_actions=tuple({"label": BULK_LABELS[key], "name": "act", "value": key} for key in bulk),
        export={"params": _pairs(found.asked.conditions() | {"sort": found.asked.query.sort}), "box": found.asked.query.box},
        empty=_empty(found),
        words=found.asked.query.words,
        saved=tuple(found.saved),
        current_saved=_current_saved(found),
    )


BULK_LABELS = {"claim": "认领", "assign": "分派", "transfer": "转办", "urge": "催办"}


def _places() -> Places:
    """Names of districts and towns as shipped, which costs no query."""
    shipped = {key: one.choices for key, one in dictionary.dictionaries().items() if key in ("districts", "towns")}
    return Places.of(shipped)


def _pairs(params: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Parameters as names and values of hidden inputs."""
    return tuple((key, each) for key, value in params.items() for each in (value if isinstance(value, list) else [value]))


def _lamps(found: Listing) -> tuple[Mapping[str, Any], ...]:
    """The lamps with their counts; the one that is lit filters the list, a second click lets it go."""
    chosen = found.asked.query.light
    return tuple(
        {
            "colour": colour, "words": words("lights")[colour], "count": found.counts.lights.get(colour, 0),
            "is_current": colour == chosen, "href": found.href(light=None if colour == chosen else colour),
        }
        for colour in COLOURS
    )


def _filters(found: Listing, places: Places) -> Mapping[str, Any]:
    kept = {key: value for key, value in found.asked.params.items() if key in ("box", "sort", "light")}
    offered = [column for key, column in found.known.items()]
    return {
        "action": found.request.app.state.templates.url(found.route),
        "fields": [*_usual_filters(found, places), *_field_filters(found)],
        "clear_href": found.request.app.state.templates.url(found.route, {"box": found.asked.params.get("box")}),
        "save_href": _save_href(found) if found.asked.is_narrowed else None,
        "columns": [
            {"value": column.key, "label": column.label, "is_shown": column.key in found.asked.columns} for column in offered
        ],
        "columns_name": "col",
        "hidden": kept,
    }


def _save_href(found: Listing) -> str:
    return found.request.app.state.templates.url("new_filter", {"list": found.route, **found.asked.conditions()})


def _usual_filters(found: Listing, places: Places) -> list[Mapping[str, Any]]:
    given, query = found.asked.params, found.asked.query
    types = [{"value": each.key, "label": each.short} for each in found.catalogue.all(found.today)]
    statuses = [{"value": key, "label": label} for key, label in words("statuses").items() if key != "draft"]
    fields = [_select("type", "事项", types, query.case_type), _select("status", "状态", statuses, query.status)]
    fields += _place_filters(found, places)
    if found.asked.case_type:
        steps = [{"value": step.key, "label": step.label} for step in found.asked.case_type.workflow.steps]
        fields.append(_select("step", "环节", steps, query.step))
    fields += [
        {"name": "from", "label": "收件日期从", "kind": "date", "value": given.get("from", "")},
        {"name": "until", "label": "到", "kind": "date", "value": given.get("until", "")},
        {"name": "q", "label": "项目、单位、编号", "value": query.words},
    ]
    return fields


def _place_filters(found: Listing, places: Places) -> list[Mapping[str, Any]]:
    """Districts in the actor's scope if there are several, and the towns of the one that is chosen or only one."""
    own = found.actor.districts()
    codes = [code for code in places.districts if own is None or code in own]
    fields = []
    if len(codes) > 1:
        choices = [{"value": code, "label": places.districts[code]} for code in codes]
        fields.append(_select("district", "行政区", choices, found.asked.query.district_code))
    here = found.asked.query.district_code or (codes[0] if len(codes) == 1 else "")
    towns = [{"value": each.code, "label": each.name} for each in town.towns() if each.district_code == here]
    if towns:
        fields.append(_select("town", "街镇", towns, found.asked.query.town_code))
    return fields


def _select(name: str, label: str, choices: list[dict[str, str]], value: str | None) -> Mapping[str, Any]:
    return {"name": name, "label": label, "kind": "select", "choices": choices, "value": value or ""}


def _field_filters(found: Listing) -> list[Mapping[str, Any]]:
    """A filter for every searchable field of the chosen case type, by its type."""
    filters: list[Mapping[str, Any]] = []
    for column in found.known.values():
        if column.form_field is not None and column.form_field.key not in ("district", "town"):
            filters += _field_filter(column, column.form_field, found.asked.params)
    return filters


def _field_filter(column: Column, field: FieldDefinition, given: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if column.is_number or field.type == "date":
        kind = "date" if field.type == "date" else "search"
        ends = ((f"{column.key}_from", f"{column.label}从"), (f"{column.key}_until", "到"))
        return [{"name": name, "label": label, "kind": kind, "value": given.get(name, "")} for name, label in ends]
    if column.choices:
        choices = [{"value": code, "label": label} for code, label in column.choices.items()]
        return [_select(column.key, column.label, choices, given.get(column.key))]
    return [{"name": column.key, "label": column.label, "value": given.get(column.key, "")}]


def _head(found: Listing, column: Column) -> Mapping[str, Any]:
    head: dict[str, Any] = {"key": column.key, "label": column.label, "is_number": column.is_number}
    key = "due_on" if column.key == "clock" else column.key
    if key in inbox.SORT_COLUMNS:
        head["sort"] = _sort(found, key)
    return head


def _sort(found: Listing, key: str) -> Mapping[str, Any]:
    current = found.asked.query.sort
    if current.removeprefix("-") != key:
        return {"href": found.href(sort=default_direction(key))}
    is_descending = current.startswith("-")
    order = "descending" if is_descending else "ascending"
    return {"href": found.href(sort=key if is_descending else f"-{key}"), "order": order}


Cells = Callable[[CaseRow], Any]


def _rows(found: Listing, columns: Sequence[Column], places: Places) -> tuple[Mapping[str, Any], ...]:
    """The rows; how each column shows a case is settled once for all of them."""
    readers = [(column.key, _reader(found, column, places)) for column in columns]
    return tuple(_row(row, readers) for row in found.page.rows)


def _row(row: CaseRow, readers: Sequence[tuple[str, Cells]]) -> Mapping[str, Any]:
    case, code = row.case, code_of(row.case)
    return {
        "id": f"case-{case.id}",
        "select": {"value": case.id, "label": f"{case.title or code} {code}"},
        "cells": {key: read_cell(row) for key, read_cell in readers},
    }


def _reader(found: Listing, column: Column, places: Places) -> Cells:
    special: dict[str, Cells] = {
        "clock": lambda row: clock_cell(row.clock, row.case.light, row.case.light_words),
        "title": lambda row: _title(url, row),
        "light": lambda row: _light(row.case.light, row.case.light_words),
        "holder": lambda row: row.holder or _free(row),
    }
    url, catalogue, today = found.request.app.state.templates.url, found.catalogue, found.today
    if column.key in special:
        return special[column.key]
    return lambda row: _cell(column, case_columns.cell(column, row.case, row.holder, row.fields, catalogue, places), today)


def _cell(column: Column, value: Any, today: date) -> Any:
    if isinstance(value, datetime):
        return date_table(local(value).date(), today)
    if isinstance(value, date):
        return date_table(value, today)
    if column.form_field is not None and value is not None and not isinstance(value, str):
        return shown(column.form_field, value, column.choices).split(" ")[0]
    return value or "—"


def _title(url: Callable[..., str], row: CaseRow) -> Mapping[str, Any]:
    cell: dict[str, Any] = {"text": row.case.title or code_of(row.case), "href": url("case", case_id=row.case.id)}
    if row.case.status in ("draft", "correction", "suspended"):
        cell["tag"] = {"label": words("statuses")[row.case.status], "tone": "" if row.case.status == "draft" else "warn"}
    return cell


def _free(row: CaseRow) -> Any:
    if row.task is not None and row.task.status == "ready":
        return {"text": words("task_statuses")["ready"], "is_soft": True}
    return "—"


def _light(colour: str, said: str) -> Any:
    return {"light": {"colour": colour, "words": said}} if colour in COLOURS else "—"


def clock_cell(clock: ClockLine | None, colour: str, said: str) -> Any:
    """The small ruler and light of a clock; the light alone of a case whose clocks have ended."""
    if clock is None or clock.light not in COLOURS:
        return _light(colour, said)
    runs = (("used", clock.used_days), ("left", clock.left_days), ("over", clock.over_days))
    return {"clock": {
        "runs": [{"kind": kind, "days": days} for kind, days in runs], "colour": clock.light, "words": clock.light_words,
        "clock_name": clock.label,
    }}


def _pager(found: Listing) -> Mapping[str, Any]:
    """Where the page lies; further pages are found by place, so only the first page knows its number."""
    params, rows = found.asked.params, len(found.page.rows)
    is_first = not any(key in params for key in ("after", "before"))
    return {
        "first": 1 if is_first and rows else None,
        "rows": rows,
        "total": found.page.total,
        "is_total_exact": found.page.is_total_exact,
        "limit": COUNT_LIMIT,
        "page_size": PAGE_ROWS,
        "first_href": None if is_first else found.href(),
        "previous_href": _place_href(found, "before", found.page.previous_before),
        "next_href": _place_href(found, "after", found.page.next_after),
    }


def _place_href(found: Listing, key: str, place: tuple[Any, int] | None) -> str | None:
    return found.href(**{key: place_text(place)}) if place is not None else None


def _empty(found: Listing) -> Mapping[str, Any]:
    clear = found.request.app.state.templates.url(found.route, {"box": found.asked.params.get("box")})
    return {"is_narrowed": found.asked.is_narrowed, "box": found.asked.query.box, "clear_href": clear}


def _current_saved(found: Listing) -> SavedFilter | None:
    wanted = found.asked.params.get("saved")
    return next((each for each in found.saved if str(each.id) == wanted), None)


def saved_params(saved: SavedFilter) -> dict[str, Any]:
    """The URL parameters that a saved filter stands for, with its own mark."""
    kept = {key: values if key == "col" else values[-1] for key, values in parse_qs(saved.query).items()}
    return {**kept, "saved": saved.id}


def default_params(session: Session, actor: Actor, route: str) -> dict[str, Any] | None:
    """What a list opens with, if the person chose a filter for that."""
    chosen = next((each for each in saved_filter.filters_of(session, actor, route) if each.is_default), None)
    return saved_params(chosen) if chosen else None
