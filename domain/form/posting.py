"""What a browser posts, taken into the values of a form.

Names: `field`, `field-year` `-month` `-day` for dates, `section-0-field` in repeated sections. The buttons of
repeated sections post `_add`, `_remove`, `_up`, `_down`. A name that is absent leaves its value as it was.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Protocol

from domain.errors import InvalidData
from domain.form.content import Content, Spot
from domain.form.fault import FieldFault
from domain.form.value import DATE_PARTS, check_limits, parse, stored, typed
from rules.case_type.form import PLACE_TYPES, FieldDefinition, FormDefinition, SectionDefinition

CONTROLS = ("csrf_token",)
"""Names of the page itself; besides them every name that begins with an underscore."""

_ENTRY = re.compile(r"([a-z][a-z0-9_]*)-(0|[1-9][0-9]{0,3})-([a-z][a-z0-9_]*)\Z")
_PLACE = re.compile(r"([a-z][a-z0-9_]*)-(0|[1-9][0-9]{0,3})\Z")
_PARTS = tuple(part for part, _word in DATE_PARTS)

Posted = Mapping[str, Sequence[str]]


class Rights(Protocol):
    """What posting needs to know of the form around it."""

    definition: FormDefinition

    def may_edit(self, field: FieldDefinition) -> bool: ...

    def valid_codes(self, field: FieldDefinition, kept: Any) -> Collection[str] | None: ...

    def said(self, field: FieldDefinition, kept: Any) -> str: ...


def lists_of(posted: Any) -> dict[str, list[str]]:
    """A posted form as name → texts, from a multi-dict or a plain mapping. Files are refused."""
    pairs = posted.multi_items() if hasattr(posted, "multi_items") else _pairs(posted)
    lists: dict[str, list[str]] = {}
    for name, text in pairs:
        if not isinstance(text, str):
            raise InvalidData(f"「{name}」里收到的是文件，这里只收文字。请在材料一栏上传文件。")
        lists.setdefault(name, []).append(text)
    return lists


def _pairs(posted: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, texts in posted.items():
        yield from ((name, text) for text in ([texts] if isinstance(texts, str) else texts))


class Posting:
    """One post: the values after it, and what could not be taken, by posted name."""

    def __init__(self, rights: Rights, content: Content, posted: Posted) -> None:
        self.rights, self.content, self.definition = rights, content, rights.definition
        self.values: dict[str, Any] = deepcopy(dict(content.values))
        self.errors: dict[str, str] = {}
        self.posted = {name: texts for name, texts in posted.items() if not _is_control(name)}
        self.controls = {name: texts for name, texts in posted.items() if _is_control(name)}

    def take(self) -> None:
        """Take everything in; values that cannot be taken stay as they were."""
        texts = self._by_spot()
        for section in self.definition.sections:
            for spot in self._spots(section, texts):
                self._take_spot(spot, texts[spot.name])
            self._drop_blank(section)
        self._press_buttons()

    def _by_spot(self) -> dict[str, list[str]]:
        """Texts by spot; the three parts of a date come together. Refuses unknown names."""
        texts: dict[str, list[str]] = {}
        for name, given in self.posted.items():
            base, part = self._named(name)
            if part is None:
                texts[base] = list(given)
            else:
                texts.setdefault(base, ["", "", ""])[_PARTS.index(part)] = given[-1]
        return texts

    def _named(self, name: str) -> tuple[str, str | None]:
        base, _, part = name.rpartition("-")
        if part in _PARTS and self._field(base) is not None and self._field(base).type == "date":
            return base, part
        if self._field(name) is None:
            raise InvalidData(f"表单里没有「{name}」这一项，没有保存。页面可能已经过期，请刷新后重新填写。")
        return name, None

    def _field(self, name: str) -> FieldDefinition | None:
        """The field behind a posted name; None if there is none that takes text."""
        entry = _ENTRY.match(name)
        path = f"{entry.group(1)}.{entry.group(3)}" if entry else name
        field = self.definition.field(path) if self.definition.has(path) else None
        if field is None or field.is_repeated != bool(entry) or field.type in (*PLACE_TYPES, "note"):
            return None
        return field

    def _spots(self, section: SectionDefinition, texts: Mapping[str, Any]) -> Iterator[Spot]:
        """Posted spots of a section in page order; entries that are new get their place at the end."""
        if section.repeat is None:
            yield from (spot for field in section.fields if (spot := Spot(field)).name in texts)
            return
        indices = sorted(
            {
                int(found.group(2))
                for name in texts
                if (found := _ENTRY.match(name)) and found.group(1) == section.key
            }
        )
        for index in indices:
            if not self._make_room(section, index):
                return
            yield from (spot for field in section.fields if (spot := Spot(field, index)).name in texts)

    def _make_room(self, section: SectionDefinition, index: int) -> bool:
        """Open one more entry when the first one beyond the end is posted; anything further is refused."""
        entries = self.values.setdefault(section.key, [])
        if index < len(entries):
            return True
        may_edit = any(self.rights.may_edit(field) for field in section.fields)
        if not may_edit or index > len(entries) or len(entries) >= section.repeat.maximum:
            self.errors[section.key] = (
                _too_many(section) if may_edit else f"{section.label}在本环节不能增加。请刷新页面。"
            )
            return False
        entries.append({})
        return True

    def _drop_blank(self, section: SectionDefinition) -> None:
        """Entries that this post opened and left empty are not kept."""
        entries, before = self.values.get(section.key), len(self.content.values.get(section.key) or ())
        while section.repeat is not None and entries and len(entries) > before and not entries[-1]:
            if any(name.startswith(f"{section.key}-{len(entries) - 1}-") for name in self.errors):
                return
            entries.pop()

    def _take_spot(self, spot: Spot, texts: Sequence[str]) -> None:
        kept = self.content.kept(spot)
        try:
            value = parse(spot.field, texts)
            if not self.rights.may_edit(spot.field):
                self._check_untouched(spot, value, kept)
                return
            check_limits(spot.field, value, self.rights.valid_codes(spot.field, kept))
        except FieldFault as fault:
            self.errors[spot.name] = fault.message
            return
        self._keep(spot, stored(spot.field, value))

    def _check_untouched(self, spot: Spot, value: Any, kept: Any) -> None:
        """A locked field may be posted, as read-only inputs are, but only with the value it has."""
        if value != typed(spot.field, kept):
            label = spot.field.label
            raise FieldFault(
                f"{label}在本环节不能修改，原值是{self.rights.said(spot.field, kept)}，没有改动。请刷新页面，只改允许修改的内容。"
            )

    def _keep(self, spot: Spot, kept: Any) -> None:
        target = self.values if spot.index is None else self.values[spot.field.section][spot.index]
        if kept is None or kept == []:
            target.pop(spot.field.key, None)
        else:
            target[spot.field.key] = kept

    def _press_buttons(self) -> None:
        for key in self.controls.get("_add", ()):
            self._add(self._repeated(key))
        for name, act in (("_remove", self._remove), ("_up", self._up), ("_down", self._down)):
            for place in self.controls.get(name, ()):
                found = _PLACE.match(place)
                section = self._repeated(found.group(1) if found else place)
                entries, index = self.values.get(section.key, []), int(found.group(2)) if found else -1
                if not 0 <= index < len(entries):
                    raise InvalidData(f"{section.label}没有第 {index + 1} 项，可能已经删除。请刷新页面。")
                act(section, entries, index)

    def _repeated(self, key: str) -> SectionDefinition:
        for section in self.definition.sections:
            if section.key == key and section.repeat is not None:
                if not any(self.rights.may_edit(field) for field in section.fields):
                    raise InvalidData(f"{section.label}在本环节不能增减。请刷新页面。")
                return section
        raise InvalidData(f"表单里没有可以增减的分区「{key}」。请刷新页面。")

    def _add(self, section: SectionDefinition) -> None:
        entries = self.values.setdefault(section.key, [])
        if len(entries) >= section.repeat.maximum:
            self.errors[section.key] = _too_many(section)
        else:
            entries.append({})

    def _remove(self, section: SectionDefinition, entries: list, index: int) -> None:
        if len(entries) <= section.repeat.minimum:
            least = section.repeat.minimum
            self.errors[section.key] = (
                f"{section.label}至少要有 {least} 项，不能再删。要换内容，直接修改这一项。"
            )
            return
        del entries[index]
        self.errors = {
            name: text for name, text in self.errors.items() if not name.startswith(f"{section.key}-")
        }

    def _up(self, section: SectionDefinition, entries: list, index: int) -> None:
        if index > 0:
            entries[index - 1], entries[index] = entries[index], entries[index - 1]

    def _down(self, section: SectionDefinition, entries: list, index: int) -> None:
        if index < len(entries) - 1:
            entries[index + 1], entries[index] = entries[index], entries[index + 1]


def _too_many(section: SectionDefinition) -> str:
    return f"{section.label}最多 {section.repeat.maximum} 项，没有再加。更多的请另报一件，或联系窗口。"


def _is_control(name: str) -> bool:
    return name.startswith("_") or name in CONTROLS
