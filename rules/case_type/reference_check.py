"""Checks between the files of one case type: every name that one uses is defined in another."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from rules.engine.document import Block, Series
from rules.engine.syntax.formula import nearest

from .case_fact import case_facts, list_columns, text_fields
from .case_type import CaseType
from .entry import Entry
from .form import SectionDefinition
from .known import Known

PLACEHOLDER = re.compile(r"\{([^{}:|]*)(?::[^{}|]*)?(?:\|[^{}]*)?\}")
CALENDAR = ("year", "month", "day", "seq")


class ReferenceCheck:
    """Checks one case type against itself and the known names; `heads` are its four files as read."""

    def __init__(self, case_type: CaseType, heads: dict[str, Entry], known: Known) -> None:
        self.case_type, self.heads, self.known = case_type, heads, known

    def run(self) -> None:
        """Note every reference that leads nowhere."""
        self._title()
        self._numbers()
        self._clocks()
        self._list()
        self._actions()
        self._routes()
        self._sections()
        self._visibility()
        self._documents()
        self._unissued()
        self._rule_sets()

    def _entry(self, file: str) -> Entry:
        return self.heads[file]

    def _title(self) -> None:
        root = self._entry("case_type")
        for name in placeholder_names(self.case_type.title_from):
            if not self._is_plain_field(name):
                root.fault(
                    "title_from",
                    f"title_from 里的 {{{name}}} 不是表单字段{nearest(name, self._plain_fields())}",
                )

    def _plain_fields(self) -> tuple[str, ...]:
        return tuple(each.path for each in self.case_type.form.fields() if not each.is_repeated)

    def _is_plain_field(self, name: str) -> bool:
        return name in self._plain_fields()

    def _numbers(self) -> None:
        root, number = self._entry("case_type"), self.case_type.number
        if number is None:
            return
        own = root.child("number")
        self._pattern_names(own, number.numbering.pattern)
        workflow, given = self.case_type.workflow, own.child("given_on")
        if not workflow.has(number.step):
            given.fault(
                "step", f"没有环节 {number.step}{nearest(number.step, [step.key for step in workflow.steps])}"
            )
            return
        actions = [action.key for action in workflow.step(number.step).actions]
        given.is_among("action", number.action, actions, f"环节 {number.step} 的动作")

    def _pattern_names(self, entry: Entry, pattern: str) -> None:
        allowed = (*self._plain_fields(), "district", "district_code", "town_code")
        for name in placeholder_names(pattern):
            if name not in CALENDAR and name not in allowed:
                entry.fault("pattern", f"编号规则里的 {{{name}}} 不是表单字段{nearest(name, allowed)}")

    def _clocks(self) -> None:
        root = self._entry("case_type")
        dates = [
            each.key for each in self.case_type.form.fields() if each.type == "date" and not each.is_repeated
        ]
        seen: set[str] = set()
        for entry, clock in zip(root.children("clocks"), self.case_type.clocks, strict=True):
            if clock.due_from:
                entry.is_among("due_from", clock.due_from, dates, "日期字段")
            if clock.key in seen:
                entry.fault("key", f"时限 {clock.key} 重复。请改名")
            seen.add(clock.key)

    def _list(self) -> None:
        entry = self._entry("case_type").child("list")
        if entry is None:
            return
        searchable = tuple(each.key for each in self.case_type.form.fields() if each.search)
        allowed = (*searchable, *list_columns())
        for column in self.case_type.list.columns:
            entry.is_among("columns", column, allowed, "可检索的字段或栏目")
        if "default_sort" in entry.block:
            entry.is_among(
                "default_sort",
                self.case_type.list.default_sort.removeprefix("-"),
                allowed,
                "可检索的字段或栏目",
            )

    def _actions(self) -> None:
        documents = [each.key for each in self.case_type.documents]
        clocks = [each.key for each in self.case_type.clocks]
        steps = self._entry("workflow").children("steps")
        for entry, step in zip(steps, self.case_type.workflow.steps, strict=True):
            for own, action in zip(entry.children("actions"), step.actions, strict=True):
                for key in action.documents:
                    own.is_among("documents", key, documents, "文书")
                for act in action.clocks:
                    own.is_among("clocks", act.clock, clocks, "时限")

    def _routes(self) -> None:
        """A way that the rule set never chooses would silently be the way of `otherwise`."""
        steps = self._entry("workflow").children("steps")
        for entry, step in zip(steps, self.case_type.workflow.steps, strict=True):
            for own, action in zip(entry.children("actions"), step.actions, strict=True):
                asked = action.route and self.known.rule_sets.get(action.route.ask)
                for answer in action.route.outcomes if asked and asked.answers else ():
                    own.is_among("route", answer, asked.answers, f"规则集 {action.route.ask} 的结论")

    def _unissued(self) -> None:
        issued = {key for step in self.case_type.workflow.steps for action in step.actions for key in action.documents}
        if issued - {spec.key for spec in self.case_type.documents}:
            return  # a misspelt name is told where it stands
        for entry, spec in zip(self._entry("documents").children("documents"), self.case_type.documents, strict=True):
            if spec.key not in issued and not spec.source.get("issued_in") and not spec.source.get("issued_on"):
                entry.fault(
                    "key", f"文书 {spec.key} 没有一处制发。请写进某个动作的 documents，或写 issued_in、issued_on，或删去这份文书"
                )

    def _visibility(self) -> None:
        """Fields that wait for each other to be visible are never seen by anybody."""
        form, waits = self.case_type.form, {}
        for section in form.sections:
            outer = section.visible_when.reads if section.visible_when else frozenset()
            waits |= {field.path: outer | (field.visible_when.reads if field.visible_when else frozenset()) for field in section.fields}
        entries = self._entry("form").children("sections")
        for entry, section in zip(entries, form.sections, strict=True):
            for own, field in zip(entry.children("fields"), section.fields, strict=True):
                if field.path in _reached(waits, field.path):
                    own.fault("visible_when", f"字段 {field.key} 的显示条件绕回到它自己，永远不会显示。请改条件")

    def _sections(self) -> None:
        entries = self._entry("form").children("sections")
        for entry, section in zip(entries, self.case_type.form.sections, strict=True):
            self._editable(entry, section)

    def _editable(self, entry: Entry, section: SectionDefinition) -> None:
        workflow = self.case_type.workflow
        steps = {step.key for step in workflow.steps if section.key in step.edits} | set(section.editable_in)
        usable = [step for step in steps if section.is_shown_in(step)]
        for own, field in zip(entry.children("fields"), section.fields, strict=True):
            is_asked = (field.required or field.required_when is not None) and not field.is_written_by_system
            if is_asked and not usable:
                own.fault(
                    "key",
                    f"字段 {field.key} 必填，但没有环节能填它。请给分区 {section.key} 写 editable_in，或不要必填",
                )

    def _documents(self) -> None:
        for entry in self._entry("documents").children("documents"):
            tables = entry.block.get("tables")
            for table in tables if isinstance(tables, Series) else ():
                self._table_texts(entry, table)
            rest = {key: value for key, value in entry.block.items() if key not in ("tables", "number")}
            for name in (name for text in texts_of(rest) for name in placeholder_names(text)):
                if not self._is_text_field(name):
                    entry.fault(
                        _key_of(entry.block, name),
                        f"文书里的 {{{name}}} 不是表单字段{nearest(name, self._text_fields())}",
                    )

    def _table_texts(self, entry: Entry, table: Any) -> None:
        repeated = {each.key: each for each in self.case_type.form.sections if each.repeat is not None}
        of = table.get("of") if isinstance(table, Block) else None
        if of not in repeated:
            entry.fault(
                "tables", f"表格的 of 写的是 {of}，应是重复分区（{'、'.join(repeated) or '本表单没有'}）"
            )
            return
        columns = [field.key for field in repeated[of].fields]
        for name in (name for text in texts_of(table.get("columns")) for name in placeholder_names(text)):
            if name not in columns:
                entry.fault("tables", f"表格里的 {{{name}}} 不是分区 {of} 的字段{nearest(name, columns)}")

    def _text_fields(self) -> tuple[str, ...]:
        places = [f"{field.key}.area_m2" for field in self.case_type.form.fields() if field.type == "range"]
        given = [f"{provider}.{key}" for provider, keys in self.known.facts.items() for key in keys]
        return (*self._plain_fields(), *text_fields(), *places, *given)

    def _is_text_field(self, name: str) -> bool:
        return name in self._text_fields()

    def _rule_sets(self) -> None:
        """A rule set may read what the form, the case or some provider gives, and nothing else."""
        given = given_facts(self.case_type, self.known.facts)
        for entry, key, rule_set in self._asked():
            for fact in sorted(self.known.rule_sets[rule_set].facts - given):
                entry.fault(key, unknown_fact(rule_set, fact, given))

    def _asked(self) -> Iterator[tuple[Entry, str, str]]:
        case_type, root = self.case_type, self._entry("case_type")
        yield from ((root, "asks_on_start", each) for each in case_type.asks_on_start)
        for entry, step in zip(
            self._entry("workflow").children("steps"), case_type.workflow.steps, strict=True
        ):
            yield from ((entry, "asks", each) for each in step.asks)
            for own, action in zip(entry.children("actions"), step.actions, strict=True):
                yield from ((own, "decides", each) for each in action.decides)
                if action.route is not None and action.route.ask in self.known.rule_sets:
                    yield own, "route", action.route.ask
        for entry, spec in zip(
            self._entry("documents").children("documents"), case_type.documents, strict=True
        ):
            yield from ((entry, "needs", each) for each in spec.needs)
        yield from self._same_rules()

    def _same_rules(self) -> Iterator[tuple[Entry, str, str]]:
        for entry, section in zip(
            self._entry("form").children("sections"), self.case_type.form.sections, strict=True
        ):
            for own, field in zip(entry.children("fields"), section.fields, strict=True):
                if field.same_rule in self.known.rule_sets:
                    yield own, "same_rule", field.same_rule


def given_facts(case_type: CaseType, providers: Mapping[str, Iterable[str]]) -> set[str]:
    """Every fact that a rule set asked by this case type may read: of the form, the case, or some provider."""
    given = set(case_type.form.names) | set(case_facts()) | {name.partition(".")[2] for name in case_facts()}
    given |= {key for keys in providers.values() for key in keys}
    return given | {f"{provider}.{key}" for provider, keys in providers.items() for key in keys}


def unknown_fact(rule_set: str, fact: str, given: Collection[str]) -> str:
    """That a rule set reads what nobody gives, in words."""
    return f"规则集 {rule_set} 要读事实 {fact}，但表单、办件和事实提供者都不给{nearest(fact, given)}"


def asked_rule_sets(case_type: CaseType) -> set[str]:
    """Keys of the rule sets that a case type asks about its cases; lights of its clocks are not among them."""
    found = set(case_type.asks_on_start)
    for step in case_type.workflow.steps:
        found |= set(step.asks) | {key for action in step.actions for key in action.decides}
        found |= {action.route.ask for action in step.actions if action.route is not None}
    found |= {key for spec in case_type.documents for key in spec.needs}
    return found | {field.same_rule for field in case_type.form.fields() if field.same_rule}


def _reached(waits: dict[str, frozenset[str]], start: str) -> set[str]:
    """Every field that must be seen, at one or more removes, before this one is."""
    found: set[str] = set()
    ahead = set(waits[start])
    while ahead:
        name = ahead.pop()
        if name not in found:
            found.add(name)
            ahead |= waits.get(name, frozenset())
    return found


def placeholder_names(text: str) -> list[str]:
    """The names between braces in a text, without formats and fallbacks."""
    return PLACEHOLDER.findall(text)


def texts_of(value: Any) -> Iterator[str]:
    """Every text in nested mappings and lists."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_of(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)


def _key_of(block: Block, name: str) -> str:
    """Which key of a document holds the placeholder."""
    return next(
        key
        for key, value in block.items()
        if any(name in placeholder_names(text) for text in texts_of(value))
    )


def check_links(case_types: list[tuple[CaseType, Entry]]) -> None:
    """Links between case types lead to case types that exist."""
    keys = {case_type.key for case_type, _head in case_types}
    for case_type, head in case_types:
        if case_type.links:
            own = head.child("links")
            for relation, target in case_type.links.items():
                own.is_among(relation, target, keys, "事项")


def check_editions(case_types: list[tuple[CaseType, Entry]]) -> None:
    """Editions of one case type never hold on the same day."""
    for index, (case_type, head) in enumerate(case_types):
        for other, _head in case_types[:index]:
            if other.key == case_type.key and other.edition.overlaps(case_type.edition):
                head.fault(
                    "edition",
                    f"{case_type.edition.key} 起的版本与 {other.edition.key} 起的版本在时间上重叠。请给早的一版写 until",
                )
