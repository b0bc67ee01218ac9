"""A form at one step: what is shown, what may be changed, what is taken in, and what is wrong with it."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Protocol

from domain.form.content import Content, Spot, Values
from domain.form.fault import FieldFault
from domain.form.posting import Posting, lists_of
from domain.form.section import SectionViews
from domain.form.shown import shown
from domain.form.value import check_limits, typed
from domain.form.view import Choice, Difference, FormError, IndexEntry, PrintSection, SectionView
from rules.case_type.form import FieldDefinition, FormDefinition, SectionDefinition, dictionary_of


class Answer(Protocol):
    """What the form reads of a decision of a validation rule set."""

    outcome: str
    message: str
    values: Mapping[str, Any]


Decide = Callable[[str], Answer]
"""Asks a validation rule set about this case."""


class Form:
    """One form with its values, as one person sees it at one step.

    `editable` are keys of the sections that may be changed; `locked_to`, in a correction, the only fields (or
    sections) that may. `dictionaries` maps a dictionary to its choices; `case` holds the `case.*` facts;
    `sources` are the names of the fact providers, for the marks of prefilled values.
    """

    def __init__(
        self,
        definition: FormDefinition,
        values: Values,
        *,
        step: str,
        editable: Collection[str],
        dictionaries: Mapping[str, Sequence[Choice]],
        prefilled: Values | None = None,
        locked_to: Collection[str] | None = None,
        case: Values | None = None,
        sources: Mapping[str, str] | None = None,
    ) -> None:
        self.definition, self.values, self.step = definition, values, step
        self.prefilled, self.dictionaries = prefilled or {}, dictionaries
        self.editable = frozenset(editable)
        self.locked_to = None if locked_to is None else frozenset(locked_to)
        self.case, self.sources = case or {}, sources or {}
        self.content = Content(definition, values, self.case)

    def with_values(self, values: Values) -> "Form":
        """The same form with other values."""
        return Form(
            self.definition,
            values,
            step=self.step,
            editable=self.editable,
            dictionaries=self.dictionaries,
            prefilled=self.prefilled,
            locked_to=self.locked_to,
            case=self.case,
            sources=self.sources,
        )

    def may_edit(self, field: FieldDefinition) -> bool:
        """Whether a person may change this field here and now."""
        if field.section not in self.editable or field.type == "note":
            return False
        if field.is_written_by_system and not self._is_left_to_people(field):
            return False
        return self.locked_to is None or bool(self.locked_to & {field.path, field.key, field.section})

    def _is_left_to_people(self, field: FieldDefinition) -> bool:
        """Whether the source of a value that people may not change has none, so that they fill it in themselves."""
        return field.computed is None and self.prefilled.get(field.key, {}).get("value") is None

    def accept(self, posted: Any) -> tuple[dict[str, Any], dict[str, str]]:
        """Take in what was posted: the new values and the errors by posted name.

        What cannot be taken stays as it was. Raises InvalidData for a name that the form does not have.
        """
        posting = Posting(self, self.content, lists_of(posted))
        posting.take()
        return posting.values, posting.errors

    def check(self, decide: Decide | None = None) -> dict[str, str]:
        """Everything that stands against leaving this step, by posted name, in page order."""
        errors: dict[str, str] = {}
        for section in self._shown_sections():
            if section.key in self.editable and self.content.is_section_visible(section):
                errors |= self._section_errors(section)
        if decide is not None:
            errors = {**dict(self._rule_errors(decide, is_complete=not errors)), **errors}
        order = self._page_order()
        return {name: errors[name] for name in sorted(errors, key=lambda name: order.get(name, len(order)))}

    def sections(
        self, errors: Mapping[str, str] | None = None, posted: Any = None
    ) -> tuple[SectionView, ...]:
        """The visible sections for templates; with `posted`, wrong values stand as they were typed."""
        views = SectionViews(self, dict(errors or {}), lists_of(posted) if posted is not None else {})
        return tuple(
            views.section(each) for each in self._shown_sections() if self.content.is_section_visible(each)
        )

    def error_summary(self, errors: Mapping[str, str]) -> tuple[FormError, ...]:
        """The errors in page order for the summary above the form."""
        order = self._page_order()
        return tuple(
            FormError(name, errors[name])
            for name in sorted(errors, key=lambda name: order.get(name, len(order)))
        )

    def facts(self) -> dict[str, Any]:
        """Typed facts of the visible fields for the rule engine, `case.*` included."""
        return dict(self.content.facts)

    def settled(self) -> dict[str, Any]:
        """The values without those that are hidden now: what is kept once the form is handed in."""
        values: dict[str, Any] = {}
        for section in self.definition.sections:
            if section.repeat is not None and self.content.is_section_visible(section):
                values[section.key] = [{} for _entry in self.content.entries(section)]
            for spot in self.content.visible_spots(section):
                kept = self.content.kept(spot)
                if kept is not None and kept != "":
                    (values if spot.index is None else values[section.key][spot.index])[spot.field.key] = kept
        return values

    def differences(self, before: Values) -> tuple[Difference, ...]:
        """What changed since other values, in words, in page order."""
        old = self.with_values(before)
        return tuple(self._changed(old))

    def index_entries(self) -> tuple[IndexEntry, ...]:
        """The typed search values of the visible fields that are marked `search`."""
        spots = (spot for section in self.definition.sections for spot in self.content.visible_spots(section))
        found = ((spot.field, self.content.typed(spot)) for spot in spots if spot.field.search)
        return tuple(_index_entry(field, value) for field, value in found if value is not None)

    def print_rows(self) -> tuple[PrintSection, ...]:
        """The visible content in words, for papers."""
        return tuple(
            self._printed(each) for each in self._shown_sections() if self.content.is_section_visible(each)
        )

    def choices(self, field: FieldDefinition, kept: Any = None) -> tuple[Choice, ...]:
        """What may be chosen; a retired code only where it is chosen already."""
        if field.options:
            return tuple(Choice(each.value, each.label, each.hint) for each in field.options)
        dictionary = dictionary_of(field)
        if not dictionary:
            return ()
        chosen = kept if isinstance(kept, list) else [kept]
        return tuple(
            each for each in self.dictionaries[dictionary] if not each.is_retired or each.value in chosen
        )

    def code_words(self, field: FieldDefinition) -> dict[str, str]:
        """The words of every code of a field, retired ones included."""
        dictionary = dictionary_of(field)
        known = self.dictionaries[dictionary] if dictionary else self.choices(field)
        return {each.value: each.label for each in known}

    def valid_codes(self, field: FieldDefinition, kept: Any) -> Collection[str] | None:
        """The codes that may be posted for a field; None for fields without codes."""
        coded = field.options or dictionary_of(field)
        return {each.value for each in self.choices(field, kept)} if coded else None

    def said(self, field: FieldDefinition, kept: Any) -> str:
        """A kept value in words."""
        return shown(field, typed(field, kept), self.code_words(field))

    def _shown_sections(self) -> Iterator[SectionDefinition]:
        return (each for each in self.definition.sections if each.is_shown_in(self.step))

    def _page_order(self) -> dict[str, int]:
        names: list[str] = []
        for section in self.definition.sections:
            names += [section.key, *(spot.name for spot in self.content.spots(section))]
        return {name: place for place, name in enumerate(dict.fromkeys(names))}

    def _section_errors(self, section: SectionDefinition) -> dict[str, str]:
        errors = {}
        if section.repeat is not None and (message := self._count_error(section)):
            errors[section.key] = message
        for spot in self.content.visible_spots(section):
            if message := self._spot_error(spot):
                errors[spot.name] = message
        return errors

    def _count_error(self, section: SectionDefinition) -> str | None:
        count, repeat = len(self.content.entries(section)), section.repeat
        if count < repeat.minimum:
            return f"{section.label}至少填 {repeat.minimum} 项，现有 {count} 项。请用「{repeat.add}」补上。"
        if count > repeat.maximum:
            return f"{section.label}最多填 {repeat.maximum} 项，现有 {count} 项。请删去多出的。"
        return None

    def _spot_error(self, spot: Spot) -> str | None:
        value = self.content.typed(spot)
        if value is None:
            return _missing(spot.field) if self.content.is_required(spot) else None
        try:
            check_limits(spot.field, value, self.valid_codes(spot.field, self.content.kept(spot)))
        except FieldFault as fault:
            return fault.message
        return None

    def _rule_errors(self, decide: Decide, is_complete: bool) -> Iterator[tuple[str, str]]:
        """Each rule set is asked once; while fields are missing, 「cannot tell」 says nothing new."""
        for rule_set, name in self._asked_rules().items():
            answer = decide(rule_set)
            if answer.outcome == "refuse" or (answer.outcome == "undetermined" and is_complete):
                yield str(answer.values.get("field") or name), answer.message

    def _asked_rules(self) -> dict[str, str]:
        """The validation rule sets of the visible fields, each with the name that its message stands at."""
        asked: dict[str, str] = {}
        for section in self._shown_sections():
            if section.key in self.editable:
                for spot in self.content.visible_spots(section):
                    if spot.field.same_rule:
                        asked.setdefault(
                            spot.field.same_rule, spot.field.key if spot.index is None else section.key
                        )
        return asked

    def _changed(self, old: "Form") -> Iterator[Difference]:
        for section in self.definition.sections:
            before = {spot.name: spot for spot in old.content.visible_spots(section)}
            after = {spot.name: spot for spot in self.content.visible_spots(section)}
            for name in sorted(
                before | after, key=lambda each: ({**old._page_order(), **self._page_order()})[each]
            ):
                spot = after.get(name) or before[name]
                words = [
                    form.said(spot.field, form.content.kept(spot))
                    if name in seen
                    else shown(spot.field, None, {})
                    for form, seen in ((old, before), (self, after))
                ]
                if words[0] != words[1]:
                    yield Difference(spot.field.path, section.label, _numbered(section, spot), *words)

    def _printed(self, section: SectionDefinition) -> PrintSection:
        rows: dict[int | None, list[tuple[str, str]]] = {}
        for spot in self.content.visible_spots(section):
            rows.setdefault(spot.index, []).append(
                (spot.field.label, self.said(spot.field, self.content.kept(spot)))
            )
        if section.repeat is None:
            return PrintSection(section.label, tuple(rows.get(None, ())))
        return PrintSection(section.label, entries=tuple(tuple(each) for each in rows.values()))


def _missing(field: FieldDefinition) -> str:
    if field.type in ("choice", "choices", "boolean", "district", "town"):
        return f"{field.label}还没有选。请选一项。"
    if field.type in ("range", "plots"):
        return f"{field.label}还没有提供。请上传或选取后再继续。"
    if field.is_written_by_system:
        return f"{field.label}还没有取得。请稍后重新取数，仍然没有的请联系窗口。"
    return f"{field.label}还没有填。请填写后再继续。"


def _numbered(section: SectionDefinition, spot: Spot) -> str:
    if spot.index is None or section.repeat is None:
        return spot.field.label
    return f"{section.repeat.item} {spot.index + 1}：{spot.field.label}"


def _index_entry(field: FieldDefinition, value: Any) -> IndexEntry:
    if isinstance(value, bool):
        return IndexEntry(field.key, text_value="true" if value else "false")
    if isinstance(value, int | Decimal):
        return IndexEntry(field.key, number_value=Decimal(value))
    if isinstance(value, date):
        return IndexEntry(field.key, date_value=value)
    return IndexEntry(field.key, text_value=str(value)[:200])
