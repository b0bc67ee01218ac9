"""Reads one rule file into a RuleSet; every fault carries file, line, key and what was expected."""

import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from .declaration_reader import DeclarationReader
from .document import Block, Series, UnreadableDocument, parse_document, read_document
from .fault import Fault, InvalidFact
from .kind import Kind, kinds
from .message import Message, message
from .note import KEY, NOTHING_KNOWN, Known, Notes
from .row_table_reader import RowTableReader
from .rule_set import ALL, FIRST, WORST, Case, Edition, Rule, RuleSet, canonical
from .syntax.condition_reader import ConditionReader
from .syntax.expression import Name, TypeFault
from .syntax.formula import declared, nearest, parse_formula
from .value import Declaration, take

REQUIRED = ("key", "title", "kind", "edition", "facts", "rules")
OPTIONAL = ("hit", "covers", "asked_on", "parameters", "tables", "derived", "flags", "cases", "note")
RULE_REQUIRED = ("key", "basis", "when", "then")
RULE_OPTIONAL = ("label", "note")
EXPECTATIONS = ("outcome", "rule", "fired", "missing", "message", "refused")
HITS = (WORST, FIRST, ALL)
DAY = Declaration("day", "date", "日期")


class Unread(Exception):
    """The file holds faults; carries all of them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("\n".join(map(str, faults)))
        self.faults = faults


def read_rule_set(path: Path, known: Known = NOTHING_KNOWN, shown: str | None = None) -> RuleSet:
    """The rule set in a file. Raises Unread with every fault found in it."""
    file = shown or str(path)
    try:
        document = read_document(path)
    except UnreadableDocument as error:
        raise Unread([Fault(file, error.line, "", error.message)]) from error
    return RuleSetReader(document, file, known).read()


def read_text(text: str, file: str, known: Known = NOTHING_KNOWN) -> RuleSet:
    """The rule set in a text, as the workbench holds it. Raises Unread."""
    try:
        document = parse_document(text)
    except UnreadableDocument as error:
        raise Unread([Fault(file, error.line, "", error.message)]) from error
    return RuleSetReader(document, file, known).read()


def read_content(content: str, known: Known = NOTHING_KNOWN) -> RuleSet:
    """The rule set from its stored canonical content: the edition under which a case was decided. Raises Unread."""
    return RuleSetReader(_block(json.loads(content, parse_float=Decimal)), "stored edition", known).read()


def _block(raw: Any) -> Any:
    if isinstance(raw, dict):
        block = Block(1)
        for key, value in raw.items():
            block[key] = _block(value)
        return block
    if isinstance(raw, list):
        series = Series(1)
        for item in raw:
            series.append(_block(item))
            series.lines.append(1)
        return series
    return raw


class RuleSetReader:
    """One reading of one document."""

    def __init__(self, document: Block, file: str, known: Known) -> None:
        self.document, self.file, self.notes = document, file, Notes(file)
        self.declarations = DeclarationReader(self.notes, known)

    def read(self) -> RuleSet:
        """The rule set. Raises Unread."""
        document, notes = self.document, self.notes
        notes.schema(document, "", document.line, REQUIRED, OPTIONAL)
        kind = self._kind()
        parts = self._declared()
        rules = self._rules(kind) if kind is not None else ()
        edition, key = self._edition(), self._key()
        covers, asked_on, hit = self._covers(), self._asked_on(kind), self._hit()
        cases = self._cases(kind, rules) if kind is not None else ()
        if notes.faults:
            raise Unread(sorted(notes.faults))
        return RuleSet(
            key=key, title=str(document["title"]), kind=kind, edition=edition, hit=hit, hit_declared="hit" in document,
            covers=covers, asked_on=asked_on, rules=rules, cases=cases, file=self.file, lines=dict(document.lines),
            content=canonical(_resolved(document, parts["parameters"])), **parts,
        )  # fmt: skip

    def _line(self, key: str) -> int:
        return self.document.line_of(key)

    def _declared(self) -> dict[str, Any]:
        read, document = self.declarations, self.document
        parts = {
            section: getattr(read, section)(document.get(section), self._line(section))
            for section in ("facts", "parameters")
        }
        parts["tables"], looked = RowTableReader(read).tables(document.get("tables"), self._line("tables"))
        parts["derived"] = {**looked, **read.derived(document.get("derived"), self._line("derived"))}
        parts["flags"] = read.flags(document.get("flags"), self._line("flags"))
        return parts

    def _kind(self) -> Kind | None:
        key = self.document.get("kind")
        if key is not None and key not in kinds():
            self.notes(
                self._line("kind"),
                "kind",
                f"没有规则类别 {key}{nearest(key, kinds())}。可写 {'、'.join(kinds())}",
            )
        return kinds().get(key)

    def _key(self) -> str:
        key = self.document.get("key")
        if key is not None and not (isinstance(key, str) and KEY.match(key)):
            self.notes(self._line("key"), "key", f"键 {key} 应是小写英文字母开头，只含小写字母、数字和下划线")
        return str(key)

    def _hit(self) -> str:
        hit = self.document.get("hit", WORST)
        if hit not in HITS:
            self.notes(
                self._line("hit"),
                "hit",
                f"没有取法 {hit}{nearest(hit, HITS)}。可写 worst（取最重）、first（取第一条）、all（全部）",
            )
        return hit

    def _asked_on(self, kind: Kind | None) -> tuple[str, ...]:
        raw = self.document.get("asked_on")
        if raw is None or kind is None:
            return kind.asked_on if kind else ()
        places = tuple(raw) if isinstance(raw, Series) else (raw,)
        for place in places:
            if place not in kind.asked_on:
                self.notes(
                    self._line("asked_on"),
                    "asked_on",
                    f"{kind.key} 不在 {place} 处询问。可写 {'、'.join(kind.asked_on)}",
                )
        return places

    def _covers(self) -> tuple[str, ...]:
        raw = self.document.get("covers")
        covers = () if raw is None else tuple(raw) if isinstance(raw, Series) else (raw,)
        for name in covers:
            sort = self.declarations.names.get(name)
            if sort is None:
                self.notes(
                    self._line("covers"),
                    "covers",
                    f"没有声明事实 {name}{nearest(name, self.declarations.names)}",
                )
            elif sort.type in ("list", "text") or (sort.type == "code" and sort.domain is None):
                self.notes(
                    self._line("covers"),
                    "covers",
                    f"「{sort.label}」不能声明全覆盖，只有数、日期、是否和列出取值的代码可以",
                )
        return covers

    def _edition(self) -> Edition:
        raw, line = self.document.get("edition"), self._line("edition")
        if raw is None or not self.notes.schema(raw, "edition", line, ("from",), ("until", "demo", "note")):
            return Edition(date.min, None, False)
        start = self._day(raw, "from")
        until = self._day(raw, "until") if raw.get("until") is not None else None
        if start and until and until < start:
            self.notes(raw.line_of("until"), "edition.until", "until 早于 from。请改正")
        if raw.get("demo") not in (None, True, False):
            self.notes(raw.line_of("demo"), "edition.demo", "demo 只写 true 或 false")
        return Edition(start or date.min, until, raw.get("demo") is True)

    def _day(self, block: Block, key: str) -> date | None:
        try:
            return take(DAY, block[key])
        except InvalidFact:
            self.notes(
                block.line_of(key), f"edition.{key}", f"{key} 应是日期（2026-01-31），实际是 {block[key]}"
            )
            return None

    def _rules(self, kind: Kind) -> tuple[Rule, ...]:
        raw = self.document.get("rules")
        if raw is not None and not isinstance(raw, Series):
            self.notes(self._line("rules"), "rules", "rules 应是列表，每条以「- key:」开头")
        if not isinstance(raw, Series):
            return ()
        found: dict[str, Rule] = {}
        for index, (line, block) in enumerate(raw.numbered()):
            rule = self._rule(kind, block, line, index)
            if rule is not None and rule.key in found:
                self.notes(line, f"rules.{rule.key}", f"规则键 {rule.key} 重复。请改名")
            elif rule is not None:
                found[rule.key] = rule
        return tuple(found.values())

    def _rule(self, kind: Kind, block: Any, line: int, index: int) -> Rule | None:
        key = block.get("key", f"[{index}]") if isinstance(block, Block) else f"[{index}]"
        path = f"rules.{key}"
        if not self.notes.schema(block, path, line, RULE_REQUIRED, RULE_OPTIONAL):
            return None
        if not KEY.match(str(key)):
            self.notes(line, path, f"规则键 {key} 应是小写英文字母开头，只含小写字母、数字和下划线")
            return None
        when_line = block.line_of("when")
        when = ConditionReader(self.declarations.names, self.notes).condition(
            block["when"], f"{path}.when", when_line
        )
        then = self._then(kind, block["then"], block.line_of("then"), f"{path}.then")
        if when is None or then is None:
            return None
        return Rule(
            key,
            str(block.get("label", key)),
            str(block["basis"]),
            when,
            **then,
            line=line,
            when_line=when_line,
        )

    def _then(self, kind: Kind, block: Any, line: int, path: str) -> dict[str, Any] | None:
        if not self.notes.schema(block, path, line, (), ("outcome", "message", "sets", *kind.values)):
            return None
        outcome, sets = block.get("outcome"), self._sets(block, path)
        if outcome is None and not sets:
            self.notes(line, path, "then 应写 outcome（结论）或 sets（标记）")
        if outcome is not None and outcome not in kind.outcomes:
            hint = nearest(outcome, kind.outcomes)
            self.notes(
                block.line_of("outcome"),
                f"{path}.outcome",
                f"{kind.key} 没有结论 {outcome}{hint}。可写 {'、'.join(kind.outcomes)}",
            )
        values = {key: self._value(block, key, path) for key in block if key in kind.values}
        return {"outcome": outcome, "message": self._message(block, path), "sets": sets, "values": values}

    def _sets(self, block: Block, path: str) -> tuple[str, ...]:
        raw = block.get("sets")
        sets = () if raw is None else tuple(raw) if isinstance(raw, Series) else (raw,)
        for flag in sets:
            sort = self.declarations.names.get(flag)
            if sort is None or sort.role != "flag":
                self.notes(block.line_of("sets"), f"{path}.sets", f"没有声明标记 {flag}。请在 flags 里声明")
        return sets

    def _message(self, block: Block, path: str) -> Message | None:
        raw = block.get("message")
        if raw is None:
            return None
        line = block.line_of("message")
        try:
            read = message(str(raw))
        except ValueError as error:
            self.notes(line, f"{path}.message", str(error))
            return None
        for name in read.names:
            if name not in self.declarations.names:
                self.notes(
                    line,
                    f"{path}.message",
                    f"告知的话里写了没有声明的 {name}{nearest(name, self.declarations.names)}",
                )
        return read

    def _value(self, block: Block, key: str, path: str) -> Any:
        raw = block[key]
        if not isinstance(raw, Block):
            return tuple(raw) if isinstance(raw, Series) else raw
        names = self.declarations.names
        try:
            if set(raw) == {"expr"}:
                return parse_formula(str(raw["expr"]), names)
            if len(raw) == 1 and next(iter(raw)) in ("fact", "param"):
                (name,) = raw.values()
                declared(names, name)
                return Name(name)
        except TypeFault as fault:
            self.notes(block.line_of(key), f"{path}.{key}", str(fault))
            return None
        self.notes(
            block.line_of(key), f"{path}.{key}", '值应是常数，或 {fact: 键}、{param: 键}、{expr: "算式"} 之一'
        )
        return None

    def _cases(self, kind: Kind, rules: tuple[Rule, ...]) -> tuple[Case, ...]:
        raw = self.document.get("cases")
        if raw is None:
            return ()
        if not isinstance(raw, Series):
            self.notes(self._line("cases"), "cases", "cases 应是列表，每个用例以「- name:」开头")
            return ()
        keys = {rule.key for rule in rules}
        read = [
            self._case(kind, keys, block, line, index) for index, (line, block) in enumerate(raw.numbered())
        ]
        return tuple(case for case in read if case is not None)

    def _case(self, kind: Kind, keys: set[str], block: Any, line: int, index: int) -> Case | None:
        path = f"cases[{index}]"
        if not self.notes.schema(block, path, line, ("name", "on", "given", "expect"), ("why",)):
            return None
        try:
            on = take(DAY, block["on"])
        except InvalidFact:
            self.notes(block.line_of("on"), f"{path}.on", f"on 应是日期（2026-01-31），实际是 {block['on']}")
            return None
        if not isinstance(block["given"], Block) or not isinstance(block["expect"], Block):
            self.notes(line, path, "given 和 expect 都应是映射")
            return None
        self._given(block["given"], f"{path}.given", refused="refused" in block["expect"])
        self._expected(kind, keys, block["expect"], f"{path}.expect")
        return Case(str(block["name"]), on, block["given"], block["expect"], line)

    def _given(self, block: Block, path: str, refused: bool) -> None:
        facts = {name: sort for name, sort in self.declarations.names.items() if sort.role == "fact"}
        for name, raw in block.items():
            if name not in facts:
                self.notes(
                    block.line_of(name), f"{path}.{name}", f"没有声明事实 {name}{nearest(name, facts)}"
                )
            elif not refused:
                self.declarations.taken(facts[name], _unboxed(raw), block.line_of(name), f"{path}.{name}")

    def _expected(self, kind: Kind, keys: set[str], block: Block, path: str) -> None:
        self.notes.schema(block, path, block.line, (), (*EXPECTATIONS, *kind.values))
        if not {"outcome", "refused"} & set(block):
            self.notes(block.line, path, "expect 应写 outcome（结论）或 refused（事实被拒收）")
        outcome = block.get("outcome")
        if "outcome" in block and outcome is None:
            self.notes(block.line_of("outcome"), f"{path}.outcome", "结论还空着。请按条文写出应得的结论（没有结论写 none）")
        if outcome is not None and outcome not in (*kind.outcomes, "none", "undetermined"):
            self.notes(
                block.line_of("outcome"),
                f"{path}.outcome",
                f"{kind.key} 没有结论 {outcome}{nearest(outcome, kind.outcomes)}",
            )
        fired = block.get("fired", ())
        for key in (*fired, *((block["rule"],) if "rule" in block else ())):
            if key not in keys:
                self.notes(block.line, path, f"没有规则 {key}{nearest(key, keys)}")


def _unboxed(raw: Any) -> Any:
    return list(raw) if isinstance(raw, Series) else raw


def _resolved(document: Block, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """The document with shared dated values written out, so that its digest fixes them too."""
    resolved = dict(document)
    if any("table" in row for row in (document.get("parameters") or {}).values()):
        rows = {key: _written_out(row, parameters[key]) for key, row in document["parameters"].items()}
        resolved["parameters"] = rows
    return resolved


def _written_out(row: Mapping[str, Any], parameter: Any) -> Mapping[str, Any]:
    if "table" not in row:
        return row
    sort = parameter.declaration
    kept = {key: value for key, value in row.items() if key not in ("table", "unit", "basis")}
    dated = [{"from": value.start or date.min, "value": value.value} for value in parameter.values]
    unit = {"unit": sort.unit.key} if sort.unit is not None else {}
    return {**kept, "type": sort.type, **unit, "basis": parameter.basis, "values": dated}
