"""The form of a case as it stands: for whoever holds it, for rules, for papers and for the index."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session

from domain import dictionary, portal_clock
from domain.case import access_rules
from domain.case.definition import case_type_of
from domain.case.tables import Case, Task
from domain.facts import PROVIDERS
from domain.form import Form
from domain.form.content import Spot
from rules.case_type import CaseType
from rules.case_type.form import SectionDefinition


def bind(session: Session, case: Case, task: Task | None) -> Form:
    """The form of a case for the holder of a task; read-only without one."""
    definition = case_type_of(session, case)
    return Form(
        definition.form,
        case.values,
        step=task.step if task else "",
        editable=access_rules.editable_sections(definition, task) if task else frozenset(),
        dictionaries=_dictionaries(session),
        prefilled=case.prefilled,
        locked_to=access_rules.locked_to(session, case, task) if task else None,
        case=case_facts(session, case),
        sources={name: provider.title for name, provider in PROVIDERS.items()},
    )


def _dictionaries(session: Session) -> Mapping[str, Any]:
    """The codes of every dictionary, read once a session."""
    if "dictionaries" not in session.info:
        session.info["dictionaries"] = dictionary.choices(session, portal_clock.today(session))
    return session.info["dictionaries"]


def case_facts(session: Session, case: Case) -> dict[str, Any]:
    """The facts that every case has: rules/case_type/case_facts.yaml names them."""
    return {
        "case.status": case.status,
        "case.outcome": case.outcome,
        "case.step": case.steps,
        "case.district_code": case.district_code,
        "case.submitted_on": portal_clock.local_date(case.submitted_at) if case.submitted_at else None,
        "case.accepted_on": portal_clock.local_date(case.accepted_at) if case.accepted_at else None,
        "case.today": portal_clock.today(session),
        "case.applicant_kind": _applicant_kind(case),
    }


def _applicant_kind(case: Case) -> str:
    if case.applicant_id is None:
        return "staff"
    return "enterprise" if case.organisation_id else "citizen"


def facts(session: Session, case: Case) -> dict[str, Any]:
    """Typed facts of the form and of the case itself, for rules and conditions."""
    return bind(session, case, None).facts()


def texts(form: Form) -> dict[str, Any]:
    """What papers may say of the form: numbers and dates as they are, codes in words, groups as lists."""
    found: dict[str, Any] = {}
    for section in form.definition.sections:
        if section.repeat is None:
            found |= {spot.field.key: _said(form, spot) for spot in form.content.visible_spots(section)}
        elif form.content.is_section_visible(section):
            found[section.key] = _entries(form, section)
    return found


def _entries(form: Form, section: SectionDefinition) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = [{} for _entry in form.content.entries(section)]
    for spot in form.content.visible_spots(section):
        if spot.index is not None and spot.index < len(entries):
            entries[spot.index][spot.field.key] = _said(form, spot)
    return entries


def _said(form: Form, spot: Spot) -> Any:
    """The typed value where papers format it (numbers, dates), else its words."""
    value = form.content.typed(spot)
    if spot.field.type in ("choice", "choices", "district", "town", "boolean", "range", "plots"):
        return form.said(spot.field, form.content.kept(spot))
    return value


def labels(form: Form) -> Mapping[str, str]:
    """Field key → label, for messages about empty fields."""
    return {field.path: field.label for field in form.definition.fields()}


def title(session: Session, case: Case, definition: CaseType) -> str:
    """The name of the case, made of its form as the case type says; empty parts fall away."""
    said = {key: value for key, value in texts(bind(session, case, None)).items() if value not in (None, "")}
    text = definition.title_from
    for field in definition.form.fields():
        if not field.is_repeated:
            text = text.replace("{" + field.key + "}", str(said.get(field.key, "")))
    return " ".join(text.split()) or f"未命名的{definition.short}"
