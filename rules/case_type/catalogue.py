"""All case types with all their editions, and how to find the one in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from .case_type import CaseType


class CaseTypeMissing(LookupError):
    """No case type of that key, or none in force on that day."""


class EditionMissing(LookupError):
    """The case type has no edition that began on that day."""


@dataclass(frozen=True, slots=True)
class Group:
    """Case types that the hall shows under one heading."""

    title: str
    case_types: tuple[CaseType, ...]


class Catalogue:
    """The case types that were loaded; never changes."""

    def __init__(self, case_types: Iterable[CaseType]) -> None:
        self._editions: dict[str, list[CaseType]] = {}
        for each in sorted(case_types, key=lambda case_type: case_type.edition.from_on):
            self._editions.setdefault(each.key, []).append(each)

    def keys(self) -> tuple[str, ...]:
        """Keys of all case types, in force or not."""
        return tuple(sorted(self._editions))

    def current(self, key: str, on: date) -> CaseType:
        """The edition in force on that day. Raises CaseTypeMissing."""
        for each in self._known(key):
            if each.edition.covers(on):
                return each
        raise CaseTypeMissing(f"事项 {key} 在 {on} 没有生效的版本。请核对日期，或联系事项的主管处室。")

    def edition(self, key: str, edition: str | date) -> CaseType:
        """The edition that began on that day (YYYY-MM-DD), in force or not. Raises EditionMissing."""
        wanted = edition.isoformat() if isinstance(edition, date) else edition
        for each in self._known(key):
            if each.edition.key == wanted:
                return each
        raise EditionMissing(f"事项 {key} 没有 {wanted} 起的版本。请把这一版放回 editions 文件夹。")

    def editions(self, key: str) -> tuple[CaseType, ...]:
        """Every edition of a case type, oldest first. Raises CaseTypeMissing."""
        return tuple(self._known(key))

    def all(self, on: date) -> tuple[CaseType, ...]:
        """Every case type in force on that day, by group and title."""
        found = [each for editions in self._editions.values() for each in editions if each.edition.covers(on)]
        return tuple(sorted(found, key=lambda each: (each.group, each.title)))

    def groups(self, on: date) -> tuple[Group, ...]:
        """The case types in force on that day under their headings."""
        grouped: dict[str, list[CaseType]] = {}
        for each in self.all(on):
            grouped.setdefault(each.group, []).append(each)
        return tuple(Group(title, tuple(members)) for title, members in grouped.items())

    def _known(self, key: str) -> list[CaseType]:
        if key not in self._editions:
            raise CaseTypeMissing(f"没有事项 {key}。请核对事项的键。")
        return self._editions[key]
