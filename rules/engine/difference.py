"""What changed between two editions of a rule set, one whole sentence a change, with the parts that left and came."""

import json
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from .change import Change, change, word
from .kind import NONE, UNDETERMINED
from .row_table import FIRST as FIRST_ROW
from .row_table import Looked, Row, RowNumber, RowTable
from .rule_set import Case, Derived, Parameter, Rule, RuleSet
from .syntax.comparison import Comparison
from .syntax.condition import Condition, Group
from .unit import PURE, Unit
from .value import Declaration, plain, present
from .words import conclusion


def difference(old: RuleSet, new: RuleSet) -> list[Change]:
    """Every change from one edition to the other, in the order of the file; empty exactly when both say the same."""
    changes = list(Comparer(old, new).changes())
    if not changes and old.digest != new.digest:
        changes.append(change("other", "other", "", 1, after="、".join(_unlike_keys(old, new))))
    return changes


def _unlike_keys(old: RuleSet, new: RuleSet) -> list[str]:
    left, right = json.loads(old.content), json.loads(new.content)
    return sorted(key for key in {*left, *right} if left.get(key) != right.get(key)) or list(right)


class Comparer:
    """Two editions side by side."""

    def __init__(self, old: RuleSet, new: RuleSet) -> None:
        self.old, self.new = old, new
        self._notes = [_notes(rules) for rules in (old, new)]

    def changes(self) -> Iterator[Change]:
        """Every change, section by section."""
        yield from self._head()
        yield from self._declarations("fact", "facts", self.old.facts, self.new.facts)
        yield from self._parameters()
        yield from self._tables()
        yield from self._derived()
        yield from self._declarations("flag", "flags", self.old.flags, self.new.flags)
        yield from self._rules()
        yield from self._cases()

    def _head(self) -> Iterator[Change]:
        old, new = self.old, self.new
        yield from self._set("key", old.key, new.key)
        yield from self._set("title", old.title, new.title)
        yield from self._set("kind", old.kind.label, new.kind.label)
        for key, before, after in (
            ("from", old.edition.start, new.edition.start),
            ("until", old.edition.until or word("long"), new.edition.until or word("long")),
            ("demo", old.edition.demo, new.edition.demo),
        ):
            yield from self._set(key, before, after, "edition", f"edition.{key}")
        yield from self._set("hit", old.hit, new.hit)
        yield from self._set("covers", old.covers, new.covers)
        yield from self._set("asked_on", old.asked_on, new.asked_on)
        yield from self._set("note", self._notes[0].get(""), self._notes[1].get(""))

    def _set(self, aspect: str, before: Any, after: Any, kind: str = "set", key: str = "") -> Iterator[Change]:
        line = self.new.lines.get((key or aspect).partition(".")[0], 1)
        yield from _aspect(kind, key or aspect, line, aspect, before, after, "set")

    def _declarations(
        self, thing: str, section: str, old: Mapping[str, Declaration], new: Mapping[str, Declaration]
    ) -> Iterator[Change]:
        yield from self._gone(thing, section, old, new)
        for name, sort in new.items():
            if name in old:
                yield from _declaration_changes(thing, f"{section}.{name}", old[name], sort)

    def _gone(self, thing: str, section: str, old: Mapping, new: Mapping) -> Iterator[Change]:
        for name in old:
            if name not in new:
                yield self._whole("removed", thing, section, name, old[name], self.old)
        for name in new:
            if name not in old:
                yield self._whole("added", thing, section, name, new[name], self.new)

    def _whole(self, way: str, thing: str, section: str, name: str, found: Any, rules: RuleSet) -> Change:
        sort = found if isinstance(found, Declaration) else found.declaration
        side = "after" if way == "added" else "before"
        words = f"{sort.label}（{name}）{_said(found, rules)}"
        return change(thing, way, f"{section}.{name}", sort.line, thing=word(thing), **{side: words})

    def _parameters(self) -> Iterator[Change]:
        old, new = self.old.parameters, self.new.parameters
        yield from self._gone("parameter", "parameters", old, new)
        for name, parameter in new.items():
            if name in old:
                yield from _parameter_changes(f"parameters.{name}", old[name], parameter, self.new.edition.start)

    def _tables(self) -> Iterator[Change]:
        old, new = self.old.tables, self.new.tables
        for way, side, here, there in (("removed", "before", old, new), ("added", "after", new, old)):
            for name, table in here.items():
                if name not in there:
                    yield change("table", way, f"tables.{name}", table.line, thing=word("table"), **{side: _table_words(table)})
        for name, table in new.items():
            if name in old:
                yield from TableComparer(old[name], table, self.new).changes()

    def _derived(self) -> Iterator[Change]:
        old, new = (_without_looked(rules) for rules in (self.old, self.new))
        yield from self._gone("derived", "derived", old, new)
        for name, derived in new.items():
            if name in old:
                key = f"derived.{name}"
                yield from _declaration_changes("derived", key, old[name].declaration, derived.declaration)
                if (old[name].expression, old[name].condition) != (derived.expression, derived.condition):
                    words = _derived_words(old[name], self.old), _derived_words(derived, self.new)
                    yield from _titled("derived", key, derived.declaration, "expression", *words)

    def _rules(self) -> Iterator[Change]:
        old = {rule.key: rule for rule in self.old.rules}
        new = {rule.key: rule for rule in self.new.rules}
        for key, rule in old.items():
            if key not in new:
                yield self._whole_rule("removed", rule, self.old)
        yield from self._moved(list(old), list(new))
        for key, rule in new.items():
            if key not in old:
                yield self._whole_rule("added", rule, self.new)
            elif rule is not old[key]:
                yield from self._rule(old[key], rule)

    def _whole_rule(self, way: str, rule: Rule, rules: RuleSet) -> Change:
        words = f"「{rule.label}」{rule.when.words(rules.names)}的，{conclusion(rules, rule)}（{rule.basis}）"
        side = "after" if way == "added" else "before"
        return change("rule", way, f"rules.{rule.key}", rule.line, thing=word("rule"), **{side: words})

    def _moved(self, old: list[str], new: list[str]) -> Iterator[Change]:
        left, places = set(new), {key: place for place, key in enumerate(old)}
        common = [key for key in new if key in places]
        staying = _longest_run([places[key] for key in common])
        before = {key: place for place, key in enumerate((key for key in old if key in left), 1)}
        for place, key in enumerate(common, 1):
            if places[key] not in staying:
                rule = self.new.rules[new.index(key)]
                yield change("moved", "rule_moved", f"rules.{key}", rule.line, label=rule.label,
                              before=str(before[key]), after=str(place))  # fmt: skip

    def _rule(self, old: Rule, new: Rule) -> Iterator[Change]:
        key = f"rules.{new.key}"
        yield from _titled("rule", key, new, "label", old.label, new.label)
        yield from _titled("basis", key, new, "basis", old.basis, new.basis)
        if old.when != new.when or old.when.words(self.old.names) != new.when.words(self.new.names):
            yield from self._condition(new, f"{key}.when", old.when, new.when)
        words = [rules.kind.word(rule.outcome) if rule.outcome else None
                 for rules, rule in ((self.old, old), (self.new, new))]  # fmt: skip
        yield from _titled("outcome", f"{key}.then.outcome", new, "outcome", *words)
        texts = [rule.message.text if rule.message else None for rule in (old, new)]
        yield from _titled("message", f"{key}.then.message", new, "message", *texts)
        yield from _titled("outcome", f"{key}.then.sets", new, "sets", old.sets, new.sets)
        for name in dict.fromkeys((*old.values, *new.values)):
            pair = [_value_words(rules, rule.values.get(name))
                    for rules, rule in ((self.old, old), (self.new, new))]  # fmt: skip
            yield from _titled("outcome", f"{key}.then.{name}", new, self.new.kind.values.get(name, name), *pair)
        yield from _titled("rule", key, new, "note", self._notes[0].get(old.key), self._notes[1].get(new.key))

    def _condition(self, rule: Rule, key: str, old: Condition, new: Condition) -> Iterator[Change]:
        if isinstance(old, Group) and type(old) is type(new):
            yield from self._group(rule, key, old, new)
        elif isinstance(old, Comparison) and isinstance(new, Comparison) and old.left == new.left:
            yield from self._comparison(rule, key, old, new)
        else:
            before, after = old.words(self.old.names), new.words(self.new.names)
            yield change("condition", "condition", key, rule.when_line, label=rule.label, before=before, after=after)

    def _group(self, rule: Rule, key: str, old: Group, new: Group) -> Iterator[Change]:
        left = [part for part in old.parts if part not in new.parts]
        came = [(place, part) for place, part in enumerate(new.parts) if part not in old.parts]
        paired = [(one, place, other) for one in left for place, other in came if _alike(one, other)]
        taken: set[int] = set()
        for one, place, other in paired:
            if one in left and place not in taken:
                left.remove(one)
                taken.add(place)
                yield from self._condition(rule, f"{key}.{new.key}[{place}]", one, other)
        yield from (self._part("part_removed", rule, key, part, self.old) for part in left)
        yield from (
            self._part("part_added", rule, f"{key}.{new.key}[{place}]", part, self.new)
            for place, part in came if place not in taken
        )  # fmt: skip
        if not left and not came and old.parts != new.parts:
            before, after = old.words(self.old.names), new.words(self.new.names)
            yield change("condition", "condition", key, rule.when_line, label=rule.label, before=before, after=after)

    def _part(self, way: str, rule: Rule, key: str, part: Condition, rules: RuleSet) -> Change:
        side = "after" if way == "part_added" else "before"
        return change("condition", way, key, rule.when_line, label=rule.label, **{side: part.words(rules.names)})

    def _comparison(self, rule: Rule, key: str, old: Comparison, new: Comparison) -> Iterator[Change]:
        subject, line = new.left.words(self.new.names), new.line or rule.when_line
        before, after = (leaf.words(rules.names).removeprefix(leaf.left.words(rules.names))
                         for leaf, rules in ((old, self.old), (new, self.new)))  # fmt: skip
        if type(old) is type(new):
            before, after = before.removeprefix(old.word).strip(), after.removeprefix(new.word).strip()
            yield change("limit", "limit", f"{key}.{new.key}", line, label=rule.label, subject=subject,
                          word=new.word, before=before, after=after)  # fmt: skip
        else:
            yield change("operator", "operator", f"{key}.{new.key}", line, label=rule.label, subject=subject,
                          before=before, after=after)  # fmt: skip

    def _cases(self) -> Iterator[Change]:
        old, new = _named_cases(self.old), _named_cases(self.new)
        for name, case in old.items():
            if name not in new:
                yield change("case", "removed", f"cases.{case.name}", case.line, thing=word("case"), before=_case_words(case, self.old))
        for name, case in new.items():
            if name not in old:
                yield change("case", "added", f"cases.{case.name}", case.line, thing=word("case"), after=_case_words(case, self.new))
            else:
                yield from _case_changes(old[name], case, self.new)


def _without_looked(rules: RuleSet) -> dict[str, Derived]:
    """The derived facts but for those that tables give, which are told with their tables."""
    return {name: one for name, one in rules.derived.items() if not isinstance(one.expression, RowNumber | Looked)}


def _table_words(table: RowTable) -> str:
    return f"{table.label}（{table.name}），{len(table.rows):,} 行（{table.basis}）"


class TableComparer:
    """Two editions of one table; a row is known again by what it asks."""

    def __init__(self, old: RowTable, new: RowTable, rules: RuleSet) -> None:
        self.old, self.new, self.rules = old, new, rules
        self.key, self.names = f"tables.{new.name}", {"label": new.label}

    def changes(self) -> Iterator[Change]:
        """What it is called, how it is read, then its rows."""
        for aspect in ("label", "basis", "hit", "complete"):
            before, after = getattr(self.old, aspect), getattr(self.new, aspect)
            yield from _aspect("table", self.key, self.new.line, aspect, before, after, "aspect", thing=word("table"), **self.names)
        for name, sort in self.new.gives.items():
            if name in self.old.gives:
                yield from _declaration_changes("derived", f"{self.key}.gives.{name}", self.old.gives[name], sort)
        old, new = self._known(self.old), self._known(self.new)
        yield from (self._whole("row_removed", "before", row, self.old) for key, row in old.items() if key not in new)
        yield from (self._whole("row_added", "after", row, self.new) for key, row in new.items() if key not in old)
        for key, row in new.items():
            if key in old:
                yield from self._row(old[key], row)
        if self.new.hit == FIRST_ROW:
            yield from self._moved(old, new)

    def _known(self, table: RowTable) -> dict[Any, Row]:
        titles = [ask.title for ask in table.asks]
        met: Counter = Counter()
        found = {}
        for row in table.rows:
            asked = frozenset((title, cell) for title, cell in zip(titles, row.cells, strict=True) if cell is not None)
            met[asked] += 1
            found[asked, met[asked]] = row
        return found

    def _whole(self, template: str, side: str, row: Row, table: RowTable) -> Change:
        given = "，".join(f"{sort.label} {present(value, sort)}" for sort, value in zip(table.gives.values(), row.gives, strict=True))
        words = f"{table.sentence(row, self.rules.names)}，得 {given}"
        return change("row", template, f"{self.key}.rows[{row.number}]", row.line, number=str(row.number), **{side: words}, **self.names)

    def _row(self, old: Row, new: Row) -> Iterator[Change]:
        left = dict(zip(self.old.gives, old.gives, strict=True))
        for (name, sort), after in zip(self.new.gives.items(), new.gives, strict=True):
            before = left.get(name)
            if before != after:
                pair = _pair(before, after, sort) if before is not None and after is not None else {
                    "before": present(before, sort), "after": present(after, sort)}  # fmt: skip
                yield change("row", "row", f"{self.key}.rows[{new.number}]", new.line, number=str(new.number), aspect=sort.label,
                             asked=self.new.sentence(new, self.rules.names), **pair, **self.names)  # fmt: skip

    def _moved(self, old: Mapping[Any, Row], new: Mapping[Any, Row]) -> Iterator[Change]:
        common = [key for key in new if key in old]
        staying = _longest_run([old[key].number for key in common])
        for key in common:
            if old[key].number not in staying:
                yield change("moved", "row_moved", f"{self.key}.rows[{new[key].number}]", new[key].line, before=str(old[key].number),
                             after=str(new[key].number), asked=self.new.sentence(new[key], self.rules.names), **self.names)  # fmt: skip


def _notes(rules: RuleSet) -> dict[str, Any]:
    document = json.loads(rules.content)
    return {"": document.get("note"), **{row.get("key"): row.get("note") for row in document["rules"]}}


def _alike(one: Condition, other: Condition) -> bool:
    if isinstance(one, Comparison) and isinstance(other, Comparison):
        return one.left == other.left
    return type(one) is type(other)


def _longest_run(places: Sequence[int]) -> set[int]:
    """The members of one longest increasing run: what stayed in order."""
    tails: list[int] = []
    ends: list[int] = []
    before: dict[int, int | None] = {}
    for place in places:
        at = bisect_left(tails, place)
        before[place] = ends[at - 1] if at else None
        tails[at:at + 1] = [place]
        ends[at:at + 1] = [place]
    found, place = set(), ends[-1] if ends else None
    while place is not None:
        found.add(place)
        place = before[place]
    return found


def _aspect(
    kind: str, key: str, line: int, aspect: str, before: Any, after: Any, template: str, **names: str
) -> Iterator[Change]:
    if before == after:
        return
    texts = {side: _text(value) for side, value in (("before", before), ("after", after)) if value not in (None, ())}
    suffix = {("before", "after"): "", ("after",): "_added", ("before",): "_removed"}[tuple(texts)]
    yield change(kind, f"{template}{suffix}", key, line, aspect=word(aspect), **names, **texts)


def _titled(kind: str, key: str, thing: Any, aspect: str, before: Any, after: Any) -> Iterator[Change]:
    shown = word("rule" if isinstance(thing, Rule) else thing.role if thing.role != "built_in" else "fact")
    yield from _aspect(kind, key, thing.line, aspect, before, after, "aspect", thing=shown, label=thing.label)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return word(str(value).lower())
    if isinstance(value, Unit):
        return value.label or value.key
    if isinstance(value, Mapping):
        return "、".join(f"{key} {_text(part)}" for key, part in value.items())
    if isinstance(value, tuple | list):
        return "、".join(map(_text, value))
    if isinstance(value, Declaration):
        return f"{value.label}（{value.type}）"
    return str(plain(value))


def _declaration_changes(thing: str, key: str, old: Declaration, new: Declaration) -> Iterator[Change]:
    for one in fields(Declaration):
        if one.name in ("name", "role", "line"):
            continue
        before, after = _attribute(old, one.name), _attribute(new, one.name)
        yield from _aspect(thing, key, new.line, one.name, before, after, "aspect",
                           thing=word(thing), label=new.label)  # fmt: skip


def _attribute(sort: Declaration, name: str) -> Any:
    value = getattr(sort, name)
    return {key: _shape(column) for key, column in value.items()} or None if name == "columns" else value


def _shape(sort: Declaration) -> str:
    given = (sort.label, sort.type, sort.unit, sort.minimum, sort.maximum, sort.domain)
    return "，".join(_text(value) for value in given if value is not None)


def _parameter_changes(key: str, old: Parameter, new: Parameter, first: date) -> Iterator[Change]:
    sort = new.declaration
    yield from _declaration_changes("parameter", key, old.declaration, sort)
    for aspect in ("basis", "default", "by"):
        before, after = getattr(old, aspect), getattr(new, aspect)
        yield from _aspect("parameter", f"{key}.{aspect}", sort.line, aspect, before, after, "aspect",
                           thing=word("parameter"), label=sort.label)  # fmt: skip
    yield from _dated_changes(key, old, new, first)
    yield from _by_code(key, old, new)


def _dated_changes(key: str, old: Parameter, new: Parameter, first: date) -> Iterator[Change]:
    sort = new.declaration
    left, right = ({dated.start: dated.value for dated in side.values} for side in (old, new))
    for side, other in ((left, right), (right, left)):
        if None in side and None not in other and min(other, default=date.max) <= first:
            # One value for all time and one from the first day of the edition say the same.
            other[None] = other.pop(min(other))
    for start in sorted({*left, *right}, key=lambda day: day or date.min):
        names = {"label": sort.label, "day": start.isoformat() if start else word("long")}
        if start in left and start in right:
            if left[start] != right[start]:
                template = "parameter_dated" if start else "parameter"
                yield change("parameter", template, key, sort.line, **names, **_pair(left[start], right[start], sort))
        elif start in right:
            yield change("parameter", "parameter_day_added", key, sort.line, **names, after=present(right[start], sort))
        else:
            yield change("parameter", "parameter_day_removed", key, sort.line, **names, before=present(left[start], sort))


def _by_code(key: str, old: Parameter, new: Parameter) -> Iterator[Change]:
    sort = new.declaration
    for code in dict.fromkeys((*old.special, *new.special)):
        before, after = old.special.get(code), new.special.get(code)
        if before == after:
            continue
        names = {"label": sort.label, "code": code}
        if before is None or after is None:
            side = {"after": present(after, sort)} if before is None else {"before": present(before, sort)}
            template = "parameter_by_added" if before is None else "parameter_by_removed"
            yield change("parameter", template, f"{key}.by", sort.line, **names, **side)
        else:
            yield change("parameter", "parameter_by", f"{key}.by", sort.line, **names, **_pair(before, after, sort))


def _pair(before: Any, after: Any, sort: Declaration) -> dict[str, str]:
    """Both values in words; numbers with the same count of decimals, so that they can be compared at a glance."""
    numbers = (before, after)
    if sort.type != "decimal":
        return {"before": present(before, sort), "after": present(after, sort)}
    unit = sort.unit or PURE
    places = max(unit.decimals, *(-Decimal(number).as_tuple().exponent for number in numbers))
    gap = "" if not unit.label or unit.key == "percent" else " "
    texts = [f"{Decimal(number):,.{places}f}{gap}{unit.label}" for number in numbers]
    return dict(zip(("before", "after"), texts, strict=True))


def _said(found: Any, rules: RuleSet) -> str:
    if isinstance(found, Parameter):
        values = "、".join(present(dated.value, found.declaration) for dated in found.values)
        return f"：{values}（{found.basis}）"
    return f"：{_derived_words(found, rules)}" if isinstance(found, Derived) else ""


def _derived_words(derived: Derived, rules: RuleSet) -> str:
    return (derived.expression or derived.condition).words(rules.names)


def _value_words(rules: RuleSet, value: Any) -> Any:
    return value.words(rules.names) if hasattr(value, "words") else value


def _named_cases(rules: RuleSet) -> dict[tuple[str, int], Case]:
    """Cases by name; of several with one name, by their number among those."""
    met: Counter[str] = Counter()
    found = {}
    for case in rules.cases:
        found[case.name, met[case.name]] = case
        met[case.name] += 1
    return found


def _case_words(case: Case, rules: RuleSet) -> str:
    return f"「{case.name}」应得 {_told(case.expect, 'outcome', rules) or _text(case.expect)}"


def _case_changes(old: Case, new: Case, rules: RuleSet) -> Iterator[Change]:
    names = {"thing": word("case"), "label": new.name}
    key = f"cases.{new.name}"
    yield from _aspect("case", f"{key}.on", new.line, "on", old.on, new.on, "aspect", **names)
    for side in ("given", "expect"):
        before, after = getattr(old, side), getattr(new, side)
        for name in dict.fromkeys((*before, *after)):
            aspect = f"{word(side)}{rules.facts[name].label if name in rules.facts else word(name)}"
            one, other = (_told(block, name, rules) for block in (before, after))
            yield from _aspect("case", f"{key}.{side}.{name}", new.line, aspect, one, other, "aspect", **names)


def _told(block: Mapping[str, Any], name: str, rules: RuleSet) -> str | None:
    value = block.get(name)
    known = rules.kind.outcomes.keys() | {NONE, UNDETERMINED}
    if name == "outcome" and value in known:
        return rules.kind.word(value)
    return None if value is None else _text(value)
