"""The values of a form with what follows from them: which parts are visible, and which facts they give."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from domain.form.value import typed
from rules.case_type.condition import BoundCondition
from rules.case_type.form import FieldDefinition, FormDefinition, SectionDefinition, declarations

Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Spot:
    """One field in one place: outside repeated sections, or in one of their entries."""

    field: FieldDefinition
    index: int | None = None

    @property
    def name(self) -> str:
        """The name under which the value is posted, which is also the id on the page."""
        if self.index is None:
            return self.field.key
        return f"{self.field.section}-{self.index}-{self.field.key}"


class Content:
    """One form filled in. Values are those kept in JSON; hidden ones stay in them, but give no facts."""

    def __init__(self, definition: FormDefinition, values: Values, case: Values) -> None:
        self.definition, self.values, self.case = definition, values, case

    def entries(self, section: SectionDefinition) -> Sequence[Values]:
        """The entries of a repeated section."""
        return self.values.get(section.key) or ()

    def shown_entries(self, section: SectionDefinition) -> Sequence[Values]:
        """The entries as shown: as many blank ones behind as the section asks for at least."""
        entries = self.entries(section)
        return [*entries, *({} for _blank in range(section.repeat.minimum - len(entries)))]

    def kept(self, spot: Spot) -> Any:
        """What is kept in JSON for a spot."""
        return self._place(spot).get(spot.field.key)

    def _place(self, spot: Spot) -> Values:
        """The values among which a spot lies; those of an entry that is not kept yet are empty."""
        if spot.index is None:
            return self.values
        entries = self.entries(self.definition.section(spot.field.section))
        return entries[spot.index] if spot.index < len(entries) else {}

    def typed(self, spot: Spot) -> Any:
        """The typed value of a spot; None for nothing."""
        return typed(spot.field, self.kept(spot))

    def spots(self, section: SectionDefinition) -> Iterator[Spot]:
        """Every place of a section that has a value of its own, visible or not."""
        if section.repeat is None:
            yield from (Spot(field) for field in section.fields if field.type != "note")
            return
        for index in range(len(self.shown_entries(section))):
            yield from (Spot(field, index) for field in section.fields if field.type != "note")

    def visible_spots(self, section: SectionDefinition) -> Iterator[Spot]:
        """The places of a section that are visible now."""
        if self.is_section_visible(section):
            yield from (spot for spot in self.spots(section) if self.is_visible(spot))

    def is_section_visible(self, section: SectionDefinition) -> bool:
        return section.key in self._visible[0]

    def is_visible(self, spot: Spot) -> bool:
        """Whether the conditions of the section and of the field hold; one that cannot be told hides."""
        if spot.field.section not in self._visible[0]:
            return False
        if spot.index is None:
            return spot.field.key in self._visible[1]
        condition = spot.field.visible_when
        return condition is None or condition.holds(self.facts_at(spot)) is True

    def is_required(self, spot: Spot) -> bool:
        condition = spot.field.required_when
        return spot.field.required or (condition is not None and condition.holds(self.facts_at(spot)) is True)

    @cached_property
    def facts(self) -> Mapping[str, Any]:
        """Typed facts of the visible fields and of the case, for conditions and rules."""
        return self._facts(*self._visible)

    def facts_at(self, spot: Spot) -> Mapping[str, Any]:
        """The facts seen from a spot: inside an entry, its own values besides."""
        if spot.index is None:
            return self.facts
        section = self.definition.section(spot.field.section)
        return {**self.facts, **_record(section.fields, self._place(spot))}

    @cached_property
    def _visible(self) -> tuple[frozenset[str], frozenset[str]]:
        """Keys of visible sections and fields; a hidden one gives no fact, so look until nothing changes."""
        sections = frozenset(each.key for each in self.definition.sections if each.visible_when is None)
        fields = frozenset(each.key for each in self._plain_fields() if each.visible_when is None)
        for _round in range(len(sections) + len(self.definition.sections) + 20):
            facts = self._facts(sections, fields)
            found = (
                frozenset(each.key for each in self.definition.sections if _holds(each.visible_when, facts)),
                frozenset(each.key for each in self._plain_fields() if _holds(each.visible_when, facts)),
            )
            if found == (sections, fields):
                break
            sections, fields = found
        return sections, fields

    def _plain_fields(self) -> Iterator[FieldDefinition]:
        return (each for each in self.definition.fields() if not each.is_repeated)

    def _facts(self, sections: frozenset[str], fields: frozenset[str]) -> dict[str, Any]:
        facts: dict[str, Any] = {**dict.fromkeys(self.definition.names), **self.case}
        for section in self.definition.sections:
            if section.key not in sections:
                continue
            if section.repeat is not None:
                facts[section.key] = tuple(
                    self._visible_record(section, entry, facts) for entry in self.entries(section)
                )
                continue
            facts |= _record([each for each in section.fields if each.key in fields], self.values)
        return facts

    def _visible_record(self, section: SectionDefinition, entry: Values, facts: Values) -> dict[str, Any]:
        """One entry as a record; a column that its own condition hides is empty."""
        record = _record(section.fields, entry)
        around = {**facts, **record}
        hidden = [each for each in section.fields if not _holds(each.visible_when, around)]
        return {**record, **{name: None for each in hidden for name in declarations(each)}}


def _holds(condition: BoundCondition | None, facts: Values) -> bool:
    return condition is None or condition.holds(facts) is True


def _record(fields: Sequence[FieldDefinition], values: Values) -> dict[str, Any]:
    """The facts that these fields give with these values."""
    record: dict[str, Any] = {}
    for field in fields:
        record |= _facts_of(field, values.get(field.key))
    return record


def _facts_of(field: FieldDefinition, kept: Any) -> dict[str, Any]:
    value = typed(field, kept)
    if field.type == "range":
        value = value or {}
        return {
            f"{field.key}_area_m2": value.get("area_m2"),
            f"{field.key}_feature_count": value.get("feature_count"),
        }
    if field.type == "plots":
        return {f"{field.key}_count": (value or {}).get("plots")}
    if field.type == "choices":
        return {field.key: tuple({"value": each} for each in value or ())}
    return {} if field.type == "note" else {field.key: value}
