"""Errata 勘误: corrections of a decided case that take effect only when they are approved.

The erratum is a case of its own that was opened from the case it corrects. Its repeated section `changes` names fields
of the original (only those that its form offers) and their corrected values; a corrected range comes as a material.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select

from domain import case_range, case_result, usage_control
from domain.actor import SYSTEM
from domain.case import filled_form, history, scope, versions
from domain.case.definition import case_type_of
from domain.case.tables import Case, CaseEvent, Material
from domain.case_range import CaseRange
from domain.command import Work
from domain.errors import Conflict, InvalidData
from domain.form import Form
from domain.form.fault import FieldFault
from domain.form.value import check_limits, parse, stored
from domain.linked_case import original_of
from domain.ports.case_library import Outcome
from domain.report_extent import range_materials, range_slots
from domain.report_outcome import renew_later, show_on_case
from rules.case_type.form import FieldDefinition

CHANGES = "changes"
APPLIED = "erratum_applied"
"""Operation of the history line on the original that holds the values before and after."""
REPORT_AGAIN = ("invalid", "rejected", "withdrawn")


@dataclass(frozen=True, slots=True)
class Change:
    """One corrected field: its kept values, and how both are said."""

    key: str
    label: str
    before: Any
    after: Any
    before_words: str
    after_words: str


def original(session: Session, erratum: Case) -> Case:
    """The case that an erratum corrects. Raises Conflict if it was opened without one."""
    found = original_of(session, erratum)
    if found is None:
        raise Conflict("这份勘误没有对应的办件，不能办理。请从要更正的办件发起勘误。")
    return found


def changes_of(session: Session, erratum: Case) -> tuple[Change, ...]:
    """What an erratum would change. Raises InvalidData that names every wrong entry."""
    form = filled_form.bind(session, original(session, erratum), None)
    fields = {field.key: field for field in form.definition.fields() if not field.is_repeated}
    found: list[Change] = []
    faults: dict[str, str] = {}
    for place, entry in enumerate(erratum.values.get(CHANGES) or []):
        try:
            found.append(_change(form, fields, entry))
        except FieldFault as fault:
            faults[f"{CHANGES}-{place}-corrected"] = fault.message
    faults |= _repeated(found)
    if faults:
        raise InvalidData("；".join(faults.values()), faults)
    return tuple(found)


def _change(form: Form, fields: Mapping[str, FieldDefinition], entry: Mapping[str, Any]) -> Change:
    if not entry.get("field_key"):
        raise FieldFault("还没有选择更正项。请选择，或删去这一项。")
    field = fields.get(str(entry["field_key"]))
    if field is None:
        raise FieldFault("原办件的表单没有所选的更正项。请另选一项。")
    kept = form.values.get(field.key)
    after = stored(field, _typed(form, field, str(entry.get("corrected") or "")))
    if after == kept:
        raise FieldFault(f"{field.label}更正后与原值相同。请改正，或删去这一项。")
    return Change(field.key, field.label, kept, after, form.said(field, kept), form.said(field, after))


def _typed(form: Form, field: FieldDefinition, text: str) -> Any:
    """The corrected value, read by the original's own definition; a code may be given by its words."""
    by_words = {words: code for code, words in form.code_words(field).items()}
    value = parse(field, [by_words.get(text.strip(), text)])
    if value is None:
        raise FieldFault(f"{field.label}更正后的值还没有填。请填写，或删去这一项。")
    check_limits(field, value, form.valid_codes(field, None))
    return value


def _repeated(changes: list[Change]) -> dict[str, str]:
    keys = [change.key for change in changes]
    twice = {change.label for change in changes if keys.count(change.key) > 1}
    return {CHANGES: f"{'、'.join(sorted(twice))}列了不止一次。请每项只留一条。"} if twice else {}


def must_change_something(session: Session, erratum: Case) -> None:
    """Raise InvalidData if an erratum corrects nothing, or something that cannot be."""
    if not changes_of(session, erratum) and not range_materials(session, erratum):
        message = "没有列出更正项，也没有更换范围文件。请至少更正一项。"
        raise InvalidData(message, {CHANGES: message})


def take_effect(work: Work, erratum: Case) -> None:
    """Change the original as the erratum says; it is reported anew, and the case library gets a new version."""
    corrected = scope.find(work.session, SYSTEM, original(work.session, erratum).id)
    _must_not_be_under_way(work.session, corrected)
    must_change_something(work.session, erratum)
    changes = changes_of(work.session, erratum)
    replaced = _replace_range(work, erratum, corrected)
    _keep_before(work, corrected)
    corrected.values = {**corrected.values, **{change.key: change.after for change in changes}}
    corrected.title = filled_form.title(work.session, corrected, case_type_of(work.session, corrected))[:200]
    versions.keep(work, corrected, "erratum")
    said = [{"label": c.label, "before": c.before_words, "after": c.after_words} for c in changes]
    history.note(
        work, corrected, APPLIED, "勘误生效", opinion=str(erratum.values.get("reason", "")), changes=[*said, *replaced],
        erratum=erratum.id, is_public=True,
    )
    show_on_case(work, corrected)
    _tell_others(work, corrected, str(erratum.values.get("reason", "")))


def _must_not_be_under_way(session: Session, case: Case) -> None:
    row = usage_control.latest(session, case.id)
    if row is not None and usage_control.states()[row.state].is_open:
        raise Conflict(
            f"原办件第 {row.round_no} 次报送还没有结果（{usage_control.states()[row.state].label}），现在改数会与报出的不一致。"
            "请等结果返回后再审核勘误。"
        )


def _keep_before(work: Work, case: Case) -> None:
    """The values before, unless the last kept version has them already."""
    kept = versions.kept(work.session, case.id)
    if not kept or kept[0].values != case.values:
        versions.keep(work, case, "step")


def _replace_range(work: Work, erratum: Case, corrected: Case) -> list[dict[str, str]]:
    """The range files of the erratum take the place of the original's; the old ones stay as older versions."""
    new, old = range_materials(work.session, erratum), range_materials(work.session, corrected)
    if not new:
        return []
    slot = range_slots(work.session, corrected)[0]
    rows = [_copied(work, each, corrected, slot) for each in new]
    work.session.add_all(rows)
    work.session.flush()
    for each in old:
        each.replaced_by = rows[0].id
    _replace_case_ranges(work, erratum, corrected)
    return [{"label": "范围文件", "before": _names(old), "after": _names(new)}]


def _copied(work: Work, row: Material, corrected: Case, slot: str) -> Material:
    same = row.model_dump(exclude={"id", "case_id", "slot", "uploaded_at", "step", "replaced_by", "version_no"})
    return Material(**same, case_id=corrected.id, slot=slot, uploaded_at=work.at, version_no=row.version_no + 1)


def _names(rows: list[Material]) -> str:
    return "、".join(row.name for row in rows)


def _replace_case_ranges(work: Work, erratum: Case, corrected: Case) -> None:
    """The confirmed ranges behind the files follow them."""
    new = case_range.ranges_of(work.session, erratum.id)
    if not new:
        return
    for each in case_range.ranges_of(work.session, corrected.id):
        each.removed_at, each.removed_by = work.at, work.actor.person_id
    for each in new:
        work.session.add(CaseRange(**each.model_dump(exclude={"id", "case_id", "replaces"}), case_id=corrected.id))


def _tell_others(work: Work, case: Case, reason: str) -> None:
    row = usage_control.latest(work.session, case.id)
    if row is not None and row.state in REPORT_AGAIN:
        usage_control.begin(work, case, row.kind)
    if pushed := case_result.pushed(work.session, case.id):
        case_result.push(work, case, Outcome(pushed[0].outcome), reason)
    renew_later(work, case)


def applied_changes(session: Session, erratum: Case) -> list[Mapping[str, str]]:
    """What an approved erratum changed, as it was kept with the original; empty if it took no effect."""
    found = original_of(session, erratum)
    if found is None:
        return []
    statement = select(CaseEvent).where(CaseEvent.case_id == found.id, CaseEvent.operation == APPLIED)
    events = session.exec(statement.order_by(col(CaseEvent.id))).all()
    return [change for event in events if event.detail.get("erratum") == erratum.id for change in event.detail["changes"]]
