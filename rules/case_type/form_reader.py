"""Reads form.yaml into a FormDefinition."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from rules.engine.document import Block, Series
from rules.engine.syntax.expression import TypeFault
from rules.engine.syntax.pattern import check_pattern
from rules.engine.unit import unit_named
from rules.engine.value import Declaration

from .condition import Names
from .entry import KEY, Entry, distinct
from .form import (
    CHOICE_TYPES,
    FIELD_TYPES,
    IMPLIED_DECIMALS,
    IMPLIED_UNITS,
    LONGEST,
    NUMBER_TYPES,
    SEARCHABLE_TYPES,
    TEXT_TYPES,
    FieldDefinition,
    FormDefinition,
    Option,
    Repeat,
    SectionDefinition,
    Source,
    declarations,
)
from .known import Known


class FormReader:
    """Reads one form; conditions may read every field of it and the case's own facts."""

    def __init__(
        self, root: Entry, known: Known, case_facts: Names, start: str, steps: tuple[str, ...]
    ) -> None:
        self.root, self.known, self.start, self.steps = root, known, start, steps
        # What may be compared is checked at loading; at work a strange value must not stop the form.
        self.names: dict[str, Declaration] = {
            name: replace(each, domain=None) for name, each in case_facts.items()
        }
        self.shown: dict[str, Declaration] = dict(case_facts)
        self.columns: dict[str, tuple[Names, Names]] = {}
        self._declare_all()

    def read(self) -> FormDefinition:
        """The form; what is wrong in it has been noted."""
        entries = self.root.children("sections", required=True)
        sections = tuple(self._section(entry) for entry in entries)
        distinct(((entry, section.key) for entry, section in zip(entries, sections, strict=True)), "表单分区")
        self._distinct_fields(entries)
        self.root.close()
        return FormDefinition(sections)

    def _declare_all(self) -> None:
        """Names first, so that a condition may read a field further down."""
        for section in _blocks(self.root.block.get("sections")):
            names, shown = self._section_names(section)
            if not isinstance(section.get("repeat"), Block):
                self.names |= names
                self.shown |= shown
                continue
            key, label = str(section.get("key")), str(section.get("label"))
            self.names[key] = Declaration(key, "list", label, columns=names)
            self.shown[key] = Declaration(key, "list", label, columns=shown)
            self.columns[key] = (names, shown)

    def _section_names(self, section: Block) -> tuple[dict[str, Declaration], dict[str, Declaration]]:
        names: dict[str, Declaration] = {}
        shown: dict[str, Declaration] = {}
        for block in _blocks(section.get("fields")):
            key, kind = block.get("key"), block.get("type")
            if isinstance(key, str) and KEY.match(key) and kind in FIELD_TYPES:
                bare = FieldDefinition(key, str(block.get("label", key)), kind, "", unit=_unit(block, kind))
                names |= declarations(bare)
                shown |= declarations(bare, self._domain(block))
        return names, shown

    def _domain(self, block: Block) -> Mapping[str, str] | None:
        """The values a condition may compare this field with; None when they are not known here."""
        if isinstance(block.get("options"), Series):
            return {str(each.get("value")): str(each.get("label")) for each in _blocks(block["options"])}
        dictionary = block.get("dictionary")
        return self.known.dictionaries.get(dictionary) if isinstance(dictionary, str) else None

    def _distinct_fields(self, entries: tuple[Entry, ...]) -> None:
        """Fields outside repeated sections share one space of names with the sections themselves."""
        seen: dict[str, int] = {}
        for entry in entries:
            is_repeated = isinstance(entry.block.get("repeat"), Block)
            own = dict(seen) if is_repeated else seen
            if is_repeated:
                seen.setdefault(str(entry.block.get("key")), entry.line("key"))
            for block in _blocks(entry.block.get("fields")):
                self._note_repeated(block, own, entry)

    def _note_repeated(self, block: Block, seen: dict[str, int], entry: Entry) -> None:
        key = block.get("key")
        if isinstance(key, str) and key in seen:
            entry.note(
                block.line_of("key"),
                f"{entry.path}.fields[{key}].key",
                f"字段 {key} 重复，第 {seen[key]} 行已经用过。请改名",
            )
        seen.setdefault(str(key), block.line_of("key"))

    def _section(self, entry: Entry) -> SectionDefinition:
        key = entry.key()
        repeat = self._repeat(entry)
        own, own_shown = self.columns.get(key, ({}, {}))
        fields = tuple(
            self._field(each, key, repeat is not None, {**self.names, **own}, {**self.shown, **own_shown})
            for each in entry.children("fields", required=True)
        )
        section = SectionDefinition(
            key=key,
            label=entry.text("label", required=True),
            fields=fields,
            note=entry.text("note"),
            visible_when=entry.condition("visible_when", self.names, self.shown),
            repeat=repeat,
            editable_in=entry.words("editable_in", self.steps, default=(self.start,)),
            shown_in=entry.words("shown_in", self.steps),
            personal=entry.flag("personal"),
            line=entry.line(),
        )
        entry.close()
        return section

    def _repeat(self, entry: Entry) -> Repeat | None:
        own = entry.child("repeat")
        if own is None:
            return None
        least = own.whole("min", default=0)
        most = own.whole("max", required=True, least=1, default=1)
        repeat = Repeat(
            least or 0, most or 1, own.text("item", required=True), own.text("add", required=True)
        )
        if repeat.minimum > repeat.maximum:
            own.fault("min", f"min {repeat.minimum} 大于 max {repeat.maximum}。请改成不大于 max")
        own.close()
        return repeat

    def _field(
        self, entry: Entry, section: str, is_repeated: bool, names: Names, shown: Names
    ) -> FieldDefinition:
        kind = entry.one_of("type", FIELD_TYPES, required=True)
        if not kind:
            return FieldDefinition(
                entry.key(), entry.text("label", required=True), "note", section, is_repeated
            )
        one = FieldDefinition(
            key=entry.key(),
            label=entry.text("label", required=True),
            type=kind,
            section=section,
            is_repeated=is_repeated,
            unit=self._checked_unit(entry, kind),
            required=entry.flag("required"),
            required_when=entry.condition("required_when", names, shown),
            visible_when=entry.condition("visible_when", names, shown),
            hint=entry.text("hint"),
            personal=entry.flag("personal"),
            basis=entry.text("basis"),
            search=entry.flag("search"),
            same_rule=entry.text("same_rule"),
            line=entry.line(),
        )
        one = self._with_limits(self._with_choices(self._with_sources(one, entry), entry), entry)
        self._check_field(one, entry)
        entry.close()
        return one

    def _checked_unit(self, entry: Entry, kind: str) -> str:
        unit = entry.text("unit", default=IMPLIED_UNITS.get(kind, ""))
        if not unit:
            return ""
        if kind not in NUMBER_TYPES:
            entry.fault("unit", f"类型 {kind} 没有单位。请删去 unit")
        elif kind in IMPLIED_UNITS and unit != IMPLIED_UNITS[kind]:
            entry.fault("unit", f"类型 {kind} 的单位固定是 {IMPLIED_UNITS[kind]}。要别的单位，类型用 decimal")
        elif unit_named(unit) is None:
            entry.fault("unit", f"没有单位 {unit}。单位见 rules/engine/units.yaml")
        return unit

    def _with_sources(self, one: FieldDefinition, entry: Entry) -> FieldDefinition:
        prefill, computed = entry.child("prefill"), entry.child("computed")
        if prefill is not None and computed is not None:
            entry.fault(
                "computed", "prefill 和 computed 只能写一个：要让人改的用 prefill，系统算出的用 computed"
            )
        return replace(
            one,
            prefill=self._source(prefill, is_prefill=True) if prefill else None,
            computed=self._source(computed, is_prefill=False) if computed else None,
        )

    def _source(self, entry: Entry, is_prefill: bool) -> Source | None:
        provider, dot, key = entry.text("from", required=True).partition(".")
        may_change = entry.flag("change") if is_prefill else False
        otherwise = entry.text("else") if is_prefill else ""
        entry.close()
        if not provider:
            return None
        if not dot:
            entry.fault("from", f"来源要写成 提供者.键，实际是 {provider}")
            return None
        if entry.is_among("from", provider, self.known.facts, "事实提供者"):
            entry.is_among("from", key, self.known.facts[provider], f"事实提供者 {provider}")
        return Source(provider, key, may_change, otherwise)

    def _with_choices(self, one: FieldDefinition, entry: Entry) -> FieldDefinition:
        dictionary = entry.text("dictionary")
        options = tuple(self._option(each) for each in entry.children("options"))
        written = [key for key in ("dictionary", "options") if entry.block.get(key) is not None]
        if one.type in CHOICE_TYPES and len(written) != 1:
            entry.fault("type", f"类型 {one.type} 要写 dictionary 或 options，两者之一")
        if one.type not in CHOICE_TYPES and written:
            entry.fault(
                written[0], f"类型 {one.type} 没有选项。请删去 {written[0]}，或把类型改为 choice、choices"
            )
        if dictionary:
            entry.is_among("dictionary", dictionary, self.known.dictionaries, "字典")
        values = [each.value for each in options]
        if len(set(values)) != len(values):
            entry.fault("options", "选项的 value 有重复。每个选项的 value 要不同")
        return replace(one, dictionary=dictionary, options=options)

    def _option(self, entry: Entry) -> Option:
        option = Option(
            entry.text("value", required=True), entry.text("label", required=True), entry.text("hint")
        )
        entry.close()
        return option

    def _with_limits(self, one: FieldDefinition, entry: Entry) -> FieldDefinition:
        is_date = one.type == "date"
        low, high = (
            (entry.day("min"), entry.day("max")) if is_date else (entry.number("min"), entry.number("max"))
        )
        self._only_for(entry, ("min", "max"), one.type in (*NUMBER_TYPES, "date"), one.type)
        self._only_for(entry, ("decimals",), one.type == "decimal", one.type)
        self._only_for(entry, ("max_length", "pattern", "pattern_hint"), one.type in TEXT_TYPES, one.type)
        one = replace(
            one,
            minimum=low,
            maximum=high,
            decimals=entry.whole("decimals", default=IMPLIED_DECIMALS.get(one.type, 0)) or 0,
            max_length=entry.whole("max_length", least=1, default=LONGEST.get(one.type, 0)) or 0,
            pattern=entry.text("pattern"),
            pattern_hint=entry.text("pattern_hint"),
        )
        self._check_limits(one, entry)
        return one

    def _only_for(self, entry: Entry, keys: tuple[str, ...], fits: bool, kind: str) -> None:
        for key in keys:
            if not fits and key in entry.block:
                entry.fault(key, f"类型 {kind} 不能写 {key}。请删去，或改字段的类型")

    def _check_limits(self, one: FieldDefinition, entry: Entry) -> None:
        if _both(one.minimum, one.maximum) and one.minimum > one.maximum:
            entry.fault("min", f"min {one.minimum} 大于 max {one.maximum}，没有值能填。请改正")
        for key, limit in (("min", one.minimum), ("max", one.maximum)):
            if isinstance(limit, Decimal) and -limit.as_tuple().exponent > one.decimals:
                entry.fault(key, f"{key} {limit} 的小数位多于字段的 {one.decimals} 位")
        if one.pattern:
            self._check_pattern(one, entry)

    def _check_pattern(self, one: FieldDefinition, entry: Entry) -> None:
        if not one.pattern_hint:
            entry.fault("pattern", "写了 pattern 就要写 pattern_hint，用一句话告诉人该怎么填")
        try:
            check_pattern(one.pattern)
        except TypeFault as error:
            entry.fault("pattern", f"pattern 不能用：{error}")

    def _check_field(self, one: FieldDefinition, entry: Entry) -> None:
        rule = one.same_rule
        if rule and entry.is_among("same_rule", rule, self.known.rule_sets, "规则集"):
            kind = self.known.rule_sets[rule].kind
            if kind != "validation":
                entry.fault("same_rule", f"规则集 {rule} 是 {kind} 类，这里要 validation 类")
        if one.search and (one.type not in SEARCHABLE_TYPES or one.is_repeated):
            why = "重复分区里的字段" if one.is_repeated else f"类型 {one.type} "
            entry.fault("search", f"{why}不能检索。可检索的类型：{'、'.join(SEARCHABLE_TYPES)}")
        if one.is_repeated and (one.prefill or one.computed):
            entry.fault(
                "prefill" if one.prefill else "computed",
                "重复分区里的字段不能由系统填写。请把它放到不重复的分区",
            )
        if one.required and one.required_when is not None:
            entry.fault("required_when", "已写 required: true，不要再写 required_when")
        if one.type == "note" and (one.required or one.required_when):
            entry.fault("required", "说明文字（note）不能必填。请删去 required")


def _blocks(value: Any) -> list[Block]:
    return [each for each in value if isinstance(each, Block)] if isinstance(value, Series) else []


def _unit(block: Block, kind: str) -> str:
    unit = block.get("unit", IMPLIED_UNITS.get(kind, ""))
    return unit if isinstance(unit, str) and unit_named(unit) is not None else ""


def _both(low: Decimal | date | None, high: Decimal | date | None) -> bool:
    return low is not None and high is not None
