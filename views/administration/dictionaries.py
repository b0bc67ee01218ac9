"""Dictionaries: the list of them, and one with its codes: add, rename, retire, restore, reorder."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import select
from starlette.requests import Request
from starlette.responses import Response

from domain import dictionary, portal_clock
from domain.dictionary import Dictionary, DictionaryEntry
from domain.errors import InvalidData
from domain.form.view import Choice
from views.administration import frame
from views.page import actor, form, reading, redirect, writing
from views.posted import FieldFault, by_field, day, faults_of, given_texts, text, version
from views.shell import Crumb, Link

SECTION = "dictionaries"
DONE = {"add": "代码已增加。", "relabel": "名称已改，旧办件中也随之改变。", "retire": "代码已停用，旧办件不受影响。", "restore": "代码已恢复。", "reorder": "顺序已保存。"}


@dataclass(frozen=True)
class DictionariesPage:
    """The context of administration/dictionaries.html."""

    rows: list[dict[str, Any]]


@dataclass(frozen=True)
class DictionaryPage:
    """The context of administration/dictionary.html; `versions` holds the version of each changed code."""

    dictionary: Dictionary
    entries: tuple[Choice, ...]
    versions: dict[str, int]
    given: dict[str, str]
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True)
class EntryPage:
    """The context of administration/dictionary_entry.html."""

    dictionary: Dictionary
    entry: Choice
    version: int
    today: str
    given: dict[str, str]
    wrong: dict[str, str]
    errors: tuple[FieldFault, ...]


def list_dictionaries(request: Request) -> Response:
    """Every dictionary with how many codes it offers."""
    with reading(request) as session:
        found = dictionary.choices(session, portal_clock.today(session))
    url = request.app.state.templates.url
    rows = [
        {"cells": {
            "label": {"text": one.label, "href": url("dictionary", key=key)}, "key": key, "source": one.source,
            "offered": sum(not each.is_retired for each in found[key]), "retired": sum(each.is_retired for each in found[key]),
        }}
        for key, one in dictionary.dictionaries().items()
    ]
    return frame.render(request, "administration/dictionaries.html", DictionariesPage(rows), section=SECTION, title="字典")


def show(request: Request) -> Response:
    """One dictionary."""
    return _show(request)


def _show(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    key = request.path_params["key"]
    with reading(request) as session:
        entries = dictionary.entries(session, key, portal_clock.today(session))
        changed = session.exec(select(DictionaryEntry).where(DictionaryEntry.dictionary == key)).all()
    one = dictionary.dictionaries()[key]
    page = DictionaryPage(one, entries, {row.value: row.version for row in changed}, given_texts(request), by_field(errors), errors)
    return frame.render(
        request, "administration/dictionary.html", page, section=SECTION, title=one.label, trail=(Crumb(one.label),),
        notices=frame.done(request, DONE), status=status,
    )


def add(request: Request) -> Response:
    """Add a code."""
    key = request.path_params["key"]
    try:
        with writing(request) as session:
            dictionary.add_entry(session, actor(request), key, text(request, "value", 60), text(request, "label", 200), text(request, "hint", 200))
    except InvalidData as error:
        return _show(request, faults_of(error), 422)
    return redirect(request, "dictionary", key=key, query={"done": "add"})


def reorder(request: Request) -> Response:
    """Move one code up or down by one place."""
    key, value, up = request.path_params["key"], text(request, "value", 60), form(request).get("move") == "up"
    with writing(request) as session:
        values = [each.value for each in dictionary.entries(session, key, portal_clock.today(session))]
        dictionary.reorder_entries(session, actor(request), key, _moved(values, value, -1 if up else 1))
    return redirect(request, "dictionary", key=key, query={"done": "reorder"})


def _moved(values: list[str], value: str, by: int) -> list[str]:
    if value not in values:
        raise InvalidData("要移动的代码不在字典里。请刷新页面后再排序。")
    place = values.index(value)
    other = min(max(place + by, 0), len(values) - 1)
    values[place], values[other] = values[other], values[place]
    return values


def entry(request: Request) -> Response:
    """One code with its forms."""
    return _entry(request)


def _entry(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    key, value = request.path_params["key"], request.path_params["value"]
    with reading(request) as session:
        found = dictionary.entry_of(session, key, value, portal_clock.today(session))
        row = dictionary.changed_row(session, key, value)
        today = portal_clock.today(session).isoformat()
    one = dictionary.dictionaries()[key]
    page = EntryPage(one, found, row.version if row else 0, today, given_texts(request), by_field(errors), errors)
    trail = (Crumb(one.label, Link("dictionary", one.label, {"key": key})), Crumb(found.label))
    return frame.render(request, "administration/dictionary_entry.html", page, section=SECTION, title=found.label, trail=trail, status=status)


def _changed(request: Request, done: str, act: Callable[..., Any]) -> Response:
    key, value = request.path_params["key"], request.path_params["value"]
    try:
        with writing(request) as session:
            act(session, actor(request), key, value)
    except InvalidData as error:
        return _entry(request, faults_of(error), 422)
    return redirect(request, "dictionary", key=key, query={"done": done})


def relabel(request: Request) -> Response:
    """Call a code by another name."""
    return _changed(request, "relabel", lambda session, who, key, value: dictionary.relabel_entry(
        session, who, key, value, text(request, "label", 200), text(request, "hint", 200), version(request)))


def retire(request: Request) -> Response:
    """Stop offering a code from a day on."""
    return _changed(request, "retire", lambda session, who, key, value: dictionary.retire_entry(
        session, who, key, value, day(request, "on"), version(request)))


def restore(request: Request) -> Response:
    """Offer a code again."""
    return _changed(request, "restore", lambda session, who, key, value: dictionary.restore_entry(
        session, who, key, value, version(request)))
