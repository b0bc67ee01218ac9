"""Builds what templates see of the sections and fields of a form."""

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from domain.form.content import Spot
from domain.form.fault import FieldFault
from domain.form.shown import conversion, shown
from domain.form.value import DATE_PARTS, date_parts, parse, typed, typed_text, unit_word
from domain.form.view import EntryView, FieldView, SectionView
from rules.case_type.form import PLACE_TYPES, FieldDefinition, SectionDefinition

if TYPE_CHECKING:
    from domain.form.form import Form

Lists = Mapping[str, list[str]]


class SectionViews:
    """Views of one form with its errors; a wrong value is shown as it was typed."""

    def __init__(self, form: "Form", errors: Mapping[str, str], posted: Lists) -> None:
        self.form, self.errors, self.posted = form, errors, posted

    def section(self, section: SectionDefinition) -> SectionView:
        """One section as shown."""
        is_editable = any(self.form.may_edit(field) for field in section.fields)
        entries = self._entries(section, is_editable) if section.repeat else ()
        fields = () if section.repeat else self._fields(section, None)
        asked = [
            each
            for each in (*fields, *(one for entry in entries for one in entry.fields))
            if each.is_required
        ]
        repeat = section.repeat
        return SectionView(
            key=section.key,
            label=section.label,
            note=section.note,
            is_editable=is_editable,
            is_repeated=repeat is not None,
            fields=fields,
            entries=entries,
            item=repeat.item if repeat else "",
            add_label=repeat.add if repeat else "",
            can_add=bool(repeat) and is_editable and len(entries) < repeat.maximum,
            error=self.errors.get(section.key, ""),
            filled_count=sum(1 for each in asked if each.is_filled and not each.error),
            asked_count=len(asked),
            is_personal=section.personal,
        )

    def _entries(self, section: SectionDefinition, is_editable: bool) -> tuple[EntryView, ...]:
        count = len(self.form.content.shown_entries(section))
        can_remove = is_editable and count > section.repeat.minimum
        return tuple(
            EntryView(index, f"{section.key}-{index}", self._fields(section, index), can_remove)
            for index in range(count)
        )

    def _fields(self, section: SectionDefinition, index: int | None) -> tuple[FieldView, ...]:
        spots = (Spot(field, index) for field in section.fields)
        return tuple(self._field(spot) for spot in spots if self.form.content.is_visible(spot))

    def _field(self, spot: Spot) -> FieldView:
        field, name, kept = spot.field, spot.name, self.form.content.kept(spot)
        value, error = typed(field, kept), self.errors.get(name, "")
        may_edit = self.form.may_edit(field)
        return FieldView(
            path=field.path,
            name=name,
            id=name,
            label=field.label,
            type=field.type,
            value=self._typed_value(spot, value, bool(error) and may_edit),
            shown=shown(field, value, self.form.code_words(field)) if field.type != "note" else "",
            is_editable=may_edit,
            is_required=self.form.content.is_required(spot),
            is_filled=value is not None,
            hint=self._hint(field, value),
            error=error,
            wrong_parts=self._wrong_parts(spot) if error else (),
            unit=unit_word(field),
            conversion="" if error else conversion(field, value),
            choices=self.form.choices(field, kept),
            prefill=self._prefill(spot, kept, may_edit),
            place=value if field.type in PLACE_TYPES else None,
            max_length=field.max_length,
            is_personal=field.personal,
        )

    def _typed_value(self, spot: Spot, value: Any, is_wrong: bool) -> Any:
        """What the input holds: the kept value, or what was typed when that is wrong."""
        if spot.field.type == "date":
            parts = {part: self.posted.get(f"{spot.name}-{part}", [""])[-1] for part, _word in DATE_PARTS}
            return (
                parts
                if is_wrong and any(parts.values())
                else date_parts(value if isinstance(value, date) else None)
            )
        if spot.field.type == "choices":
            return list(value or ())
        return (
            self.posted[spot.name][-1]
            if is_wrong and spot.name in self.posted
            else typed_text(spot.field, value)
        )

    def _prefill(self, spot: Spot, kept: Any, may_edit: bool) -> Mapping[str, Any] | None:
        """The mark of a value that a system filled in, for the component `prefilled`."""
        found = self.form.prefilled.get(spot.field.key) if spot.index is None else None
        if not found or found.get("value") is None:
            return None
        mark = {
            "source": self.form.sources.get(found["provider"], found["provider"]),
            "is_editable": may_edit,
        }
        if found.get("read_on"):
            mark["read_on"] = date.fromisoformat(found["read_on"])
        if typed(spot.field, kept) != typed(spot.field, found["value"]):
            mark["original"] = self.form.said(spot.field, found["value"])
        return mark

    def _hint(self, field: FieldDefinition, value: Any) -> str:
        """The hint; while a system has given nothing, what to do about that."""
        missing = field.prefill.otherwise if field.prefill and value is None else ""
        return "。".join(each.rstrip("。") for each in (field.hint or field.pattern_hint, missing) if each)

    def _wrong_parts(self, spot: Spot) -> tuple[str, ...]:
        """Which of year, month and day is wrong, as far as the date as typed tells."""
        typed_parts = [self.posted.get(f"{spot.name}-{part}", [""])[-1] for part, _word in DATE_PARTS]
        if spot.field.type != "date" or not any(typed_parts):
            return ()
        try:
            parse(spot.field, typed_parts)
        except FieldFault as fault:
            return fault.parts
        return ()
