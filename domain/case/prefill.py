"""Filling in what systems already know, with source and date; and keeping computed fields up to date."""

from collections.abc import Collection, Mapping
from typing import Any

from sqlmodel import Session

from domain import decision, portal_clock
from domain.actor import Actor
from domain.case.definition import case_type_of
from domain.case.tables import Case
from domain.command import Work
from domain.decision import Gathered
from domain.errors import OutsideSystemDown
from domain.facts import PROVIDERS
from domain.form.value import stored
from rules.case_type import FieldDefinition, FormDefinition, Source


def providers_of(form: FormDefinition) -> frozenset[str]:
    """The providers that the form's prefilled and computed fields ask."""
    return frozenset(source.provider for _field, source in _sources(form))


def gather(session: Session, actor: Actor, case: Case) -> tuple[dict[str, Any], tuple[str, ...]]:
    """What the outside providers of the form say, and the names of those that do not answer now.

    A form can be filled in by hand while a partner is down, so unlike a gate this waits for nobody. To be called
    without a transaction; the case may be one that is not in the database yet.
    """
    found: dict[str, Any] = {}
    down: list[str] = []
    for name in outside_providers_of(case_type_of(session, case).form):
        try:
            found |= decision.gather_outside(session, actor, case, (), (name,))
        except OutsideSystemDown:
            down.append(name)
    return found, tuple(down)


def outside_providers_of(form: FormDefinition) -> tuple[str, ...]:
    """The providers of the form that ask a partner, by name."""
    return tuple(sorted(name for name in providers_of(form) if PROVIDERS[name].is_outside))


def typed_by_people(form: FormDefinition, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values that no source fills in: what a source may be asked by, such as the code of a project."""
    sourced = {field.key for field, _source in _sources(form)}
    return {key: value for key, value in values.items() if key not in sourced}


def missing(form: FormDefinition, case: Case) -> tuple[str, ...]:
    """Titles of the outside sources that have given nothing for this case so far."""
    answered = {mark.get("provider") for mark in case.prefilled.values() if mark.get("value") is not None}
    return tuple(PROVIDERS[name].title for name in outside_providers_of(form) if name not in answered)


def _sources(form: FormDefinition) -> list[tuple[FieldDefinition, Source]]:
    pairs = [(field, field.prefill or field.computed) for field in form.fields() if not field.is_repeated]
    return [(field, source) for field, source in pairs if source is not None]


def refresh(work: Work, case: Case, gathered: Gathered) -> None:
    """Ask the providers of the form again: outside ones as `gathered` before, the others now.

    A computed value and one that people may not change follow their source; another is filled in only while it
    is empty or still as it was filled in. What a provider could not say stays as it was, and is marked so.
    """
    _take(work, case, gathered, _sources(case_type_of(work.session, case).form))


def recompute(work: Work, case: Case, gathered: Gathered) -> None:
    """Ask again for the computed fields alone: what people filled in or confirmed stays as it is."""
    form = case_type_of(work.session, case).form
    _take(work, case, gathered, [(field, source) for field, source in _sources(form) if field.computed is not None])


def _take(work: Work, case: Case, gathered: Gathered, pairs: list[tuple[FieldDefinition, Source]]) -> None:
    found = answers(work, case, {source.provider for _field, source in pairs}, gathered)
    values, marks = dict(case.values), dict(case.prefilled)
    for field, source in pairs:
        if source.provider not in found:
            continue
        value = stored(field, found[source.provider].get(source.key))
        if value is not None and not _is_own(field, values, marks):
            values[field.key] = value
        marks[field.key] = {
            "provider": source.provider,
            "value": value,
            "read_on": portal_clock.local_date(work.at).isoformat(),
        }
    case.values, case.prefilled = values, marks


def _is_own(field: FieldDefinition, values: dict[str, Any], marks: dict[str, Any]) -> bool:
    """Whether a person wrote this value, so that it must stay."""
    if field.is_written_by_system or values.get(field.key) in (None, ""):
        return False
    return values[field.key] != marks.get(field.key, {}).get("value")


def answers(work: Work, case: Case, names: Collection[str], gathered: Gathered) -> dict[str, dict[str, Any]]:
    """What the named providers say; an outside one that was not gathered is left out."""
    ask = decision.ask_about(work.session, work.actor, case)
    inside = {name: dict(PROVIDERS[name].get(ask)) for name in names if not PROVIDERS[name].is_outside}
    return inside | {name: dict(gathered[name]) for name in names if name in gathered}
