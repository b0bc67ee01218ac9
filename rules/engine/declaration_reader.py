"""Reads what a rule set declares: facts, parameters, derived facts and flags."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from .document import Block, Series
from .fault import Fault, InvalidFact
from .rule_set import DatedValue, Derived, Parameter
from .syntax.aggregate import AGGREGATES
from .syntax.condition_reader import ConditionReader, aggregate_keys
from .syntax.expression import TypeFault
from .syntax.formula import nearest, parse_formula
from .unit import PURE, Unit, unit_named, units
from .value import DECISION_DATE, TYPES, Declaration, take

KEY = re.compile(r"[a-z][a-z0-9_]*\Z")
RESERVED = frozenset({"on", "true", "false", "null", *AGGREGATES})
FACT_KEYS = (
    "type",
    "unit",
    "label",
    "domain",
    "dictionary",
    "columns",
    "min",
    "max",
    "step",
    "provider",
    "note",
)
PARAMETER_KEYS = (
    "type",
    "value",
    "values",
    "by",
    "table",
    "unit",
    "label",
    "basis",
    "default",
    "min",
    "max",
    "step",
    "note",
)
DERIVED_KEYS = ("expr", "when", "list", *AGGREGATES, "where", "unit", "label", "step", "note")


@dataclass(frozen=True)
class Known:
    """What lies outside the rule files: dictionaries of codes, fact providers (None: not checked), dated tables."""

    dictionaries: Mapping[str, Mapping[str, str] | Collection[str]] = field(default_factory=dict)
    providers: Collection[str] | None = None
    tables: Mapping[str, Parameter] = field(default_factory=dict)


NOTHING_KNOWN = Known()


class Notes:
    """The faults found so far in one file."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.faults: list[Fault] = []

    def __call__(self, line: int, key: str, message: str) -> None:
        self.faults.append(Fault(self.file, line, key, message))

    def schema(
        self, block: Any, path: str, line: int, required: Collection[str], optional: Collection[str]
    ) -> bool:
        """Whether the block is a mapping with all required and no unknown keys; notes what is not."""
        if not isinstance(block, Block):
            self(line, path, "这里应是映射（key: value）")
            return False
        before = len(self.faults)
        allowed = (*required, *optional)
        for key_line, key in block.repeated:
            self(key_line, f"{path}.{key}".lstrip("."), f"键 {key} 写了两次，只能写一次")
        for key in block:
            if key not in allowed:
                self(
                    block.line_of(key),
                    f"{path}.{key}".lstrip("."),
                    f"没有键 {key}{nearest(key, allowed)}。可写 {'、'.join(allowed)}",
                )
        for key in required:
            if block.get(key) in (None, ""):
                self(block.line_of(key), f"{path}.{key}".lstrip("."), f"缺少 {key}。请补上")
        return len(self.faults) == before


class DeclarationReader:
    """Fills `names` with every declaration of the set, in the order in which they may be read."""

    def __init__(self, notes: Notes, known: Known) -> None:
        self.notes, self.known = notes, known
        self.names: dict[str, Declaration] = {"on": DECISION_DATE}

    def facts(self, block: Any, line: int) -> dict[str, Declaration]:
        """The declared facts."""
        found = {}
        for name, row_line, row in self._named(block, "facts", line):
            declaration = self._fact(name, row, row_line, f"facts.{name}")
            if declaration is not None:
                found[name] = self._declare(declaration)
        self._columns_apart(found)
        return found

    def _columns_apart(self, facts: Mapping[str, Declaration]) -> None:
        for name, declaration in facts.items():
            for column in set(declaration.columns) & set(facts):
                self.notes(
                    declaration.columns[column].line,
                    f"facts.{name}.columns.{column}",
                    f"栏目 {column} 与事实同名。请改一个名字",
                )

    def _declare(self, declaration: Declaration) -> Declaration:
        self.names[declaration.name] = declaration
        return declaration

    def _named(self, block: Any, section: str, line: int) -> list[tuple[str, int, Any]]:
        if block is None:
            return []
        if not isinstance(block, Block):
            self.notes(line, section, f"{section} 应是映射：每个键一项")
            return []
        for key_line, key in block.repeated:
            self.notes(key_line, f"{section}.{key}", f"键 {key} 写了两次，只能写一次")
        return [
            (key, block.line_of(key), row)
            for key, row in block.items()
            if self._good_key(key, section, block.line_of(key))
        ]

    def _good_key(self, key: str, section: str, line: int) -> bool:
        path = f"{section}.{key}"
        if not KEY.match(key):
            self.notes(line, path, f"键 {key} 应是小写英文字母开头，只含小写字母、数字和下划线")
        elif key in RESERVED:
            self.notes(line, path, f"{key} 是保留字，不能用作键")
        elif key in self.names:
            self.notes(line, path, f"{key} 已经在别处声明过。请改名")
        else:
            return True
        return False

    def _fact(self, name: str, row: Any, line: int, path: str, column: bool = False) -> Declaration | None:
        keys = [key for key in FACT_KEYS if not (column and key in ("columns", "provider"))]
        if not self.notes.schema(
            row, path, line, ("type", "label"), [key for key in keys if key not in ("type", "label")]
        ):
            return None
        kind = row["type"]
        if kind not in TYPES or (column and kind == "list"):
            self.notes(
                row.line_of("type"),
                f"{path}.type",
                f"没有类型 {kind}{nearest(kind, TYPES)}。可写 {'、'.join(TYPES)}",
            )
            return None
        self._provided(row, path)
        declaration = Declaration(
            name, kind, str(row["label"]), unit=self._unit(row, path, kind), domain=self._domain(row, path, kind),
            columns=self._columns(row, path, kind), provider=row.get("provider"), role="column" if column else "fact", line=line,
        )  # fmt: skip
        return self._bounded(declaration, row, path)

    def _provided(self, row: Block, path: str) -> None:
        provider = row.get("provider")
        if provider is not None and self.known.providers is not None and provider not in self.known.providers:
            hint = nearest(provider, self.known.providers)
            self.notes(row.line_of("provider"), f"{path}.provider", f"没有名为 {provider} 的取数来源{hint}")

    def _unit(self, row: Block, path: str, kind: str) -> Unit | None:
        key = row.get("unit")
        if kind not in ("decimal", "integer"):
            if key is not None:
                self.notes(row.line_of("unit"), f"{path}.unit", f"类型 {kind} 没有单位。请删去 unit")
            return None
        if key is None:
            if kind == "decimal":
                self.notes(row.line, f"{path}.unit", '小数要写单位（无量纲写 "1"）')
            return PURE
        unit = unit_named(str(key))
        if unit is None:
            self.notes(
                row.line_of("unit"),
                f"{path}.unit",
                f"没有单位 {key}{nearest(key, units())}。可写 {'、'.join(units())}",
            )
        return unit

    def _domain(self, row: Block, path: str, kind: str) -> Mapping[str, str] | None:
        written = [key for key in ("domain", "dictionary") if key in row]
        if kind != "code":
            for key in written:
                self.notes(row.line_of(key), f"{path}.{key}", f"只有 type: code 才有 {key}")
            return None
        if len(written) != 1:
            self.notes(
                row.line, f"{path}.domain", "代码应恰好有 domain（列出取值）或 dictionary（字典名）之一"
            )
            return None
        return (
            self._dictionary(row, path)
            if written[0] == "dictionary"
            else self._listed_domain(row["domain"], row.line_of("domain"), path)
        )

    def _dictionary(self, row: Block, path: str) -> Mapping[str, str] | None:
        name = row["dictionary"]
        if name not in self.known.dictionaries:
            if self.known.dictionaries:
                hint = nearest(name, self.known.dictionaries)
                self.notes(row.line_of("dictionary"), f"{path}.dictionary", f"没有字典 {name}{hint}")
            return None
        codes = self.known.dictionaries[name]
        return dict(codes) if isinstance(codes, Mapping) else {code: code for code in codes}

    def _listed_domain(self, raw: Any, line: int, path: str) -> Mapping[str, str] | None:
        domain = (
            dict(raw)
            if isinstance(raw, Block)
            else {item: item for item in raw}
            if isinstance(raw, Series)
            else {}
        )
        if not domain or not all(isinstance(part, str) and part for pair in domain.items() for part in pair):
            self.notes(
                line, f"{path}.domain", "domain 应列出至少一个文本取值（像数字的要加引号），或写成 代码: 名称"
            )
            return None
        if isinstance(raw, Series) and len(domain) != len(raw):
            self.notes(line, f"{path}.domain", "domain 里有重复的取值。请删去重复的")
        return domain

    def _columns(self, row: Block, path: str, kind: str) -> dict[str, Declaration]:
        if kind != "list":
            if "columns" in row:
                self.notes(row.line_of("columns"), f"{path}.columns", "只有 type: list 才有 columns")
            return {}
        if not isinstance(row.get("columns"), Block) or not row["columns"]:
            self.notes(row.line, f"{path}.columns", "清单要写 columns：每个栏目的类型和名称")
            return {}
        rows = self._named(row["columns"], f"{path}.columns", row.line_of("columns"))
        read = {
            key: self._fact(key, column, line, f"{path}.columns.{key}", column=True)
            for key, line, column in rows
        }
        return {key: column for key, column in read.items() if column is not None}

    def _bounded(self, declaration: Declaration, row: Block, path: str) -> Declaration:
        bounds = {}
        for key, attribute in (("min", "minimum"), ("max", "maximum")):
            if row.get(key) is not None:
                bounds[attribute] = self._bound(declaration, row, key, path)
        if (
            bounds.get("minimum") is not None
            and bounds.get("maximum") is not None
            and bounds["minimum"] > bounds["maximum"]
        ):
            self.notes(row.line_of("max"), f"{path}.max", "max 小于 min。请改正")
        return replace(declaration, **bounds, own_step=self._step(declaration, row, path))

    def _bound(self, declaration: Declaration, row: Block, key: str, path: str) -> Any:
        if declaration.type not in ("decimal", "integer", "date"):
            self.notes(row.line_of(key), f"{path}.{key}", f"类型 {declaration.type} 没有 {key}")
            return None
        return self._taken(declaration, row[key], row.line_of(key), f"{path}.{key}")

    def _taken(self, declaration: Declaration, raw: Any, line: int, path: str) -> Any:
        try:
            return take(declaration, raw)
        except InvalidFact as fault:
            self.notes(line, path, str(fault))
            return None

    def _step(self, declaration: Declaration, row: Block, path: str) -> Decimal | None:
        if row.get("step") is None:
            return None
        step = self._taken(
            Declaration("step", "decimal", "最小一步"), row["step"], row.line_of("step"), f"{path}.step"
        )
        if declaration.type != "decimal" or (step is not None and step <= 0):
            self.notes(row.line_of("step"), f"{path}.step", "step 只用于小数，且应大于 0")
            return None
        return step

    def parameters(self, block: Any, line: int) -> dict[str, Parameter]:
        """The declared parameters; a `table:` parameter takes over the dated values of rules/tables."""
        found = {}
        for name, row_line, row in self._named(block, "parameters", line):
            parameter = self._parameter(name, row, row_line)
            if parameter is not None:
                found[name] = parameter
                self._declare(parameter.declaration)
        return found

    def _parameter(self, name: str, row: Any, line: int) -> Parameter | None:
        path = f"parameters.{name}"
        if not isinstance(row, Block) or "table" not in row:
            required = ("label", "basis")
        else:
            required = ("label",)
        if not self.notes.schema(
            row, path, line, required, [key for key in PARAMETER_KEYS if key not in required]
        ):
            return None
        if "table" in row:
            return self._tabled(name, row, path)
        declaration = self._parameter_sort(name, row, path, line)
        if declaration is None:
            return None
        values = self._dated(declaration, row, path)
        by, special = self._by(declaration, row, path)
        return Parameter(declaration, str(row["basis"]), row.get("default") is True, values, by, special)

    def _tabled(self, name: str, row: Block, path: str) -> Parameter | None:
        key = row["table"]
        if key not in self.known.tables:
            self.notes(
                row.line_of("table"),
                f"{path}.table",
                f"rules/tables 里没有 {key}{nearest(key, self.known.tables)}",
            )
            return None
        shared = self.known.tables[key]
        if row.get("unit") is not None and unit_named(str(row["unit"])) != shared.declaration.unit:
            expected = (shared.declaration.unit or PURE).key
            self.notes(row.line_of("unit"), f"{path}.unit", f"{key} 的单位是 {expected}，不是 {row['unit']}")
        declaration = replace(
            shared.declaration, name=name, label=str(row["label"]), role="parameter", line=row.line
        )
        return replace(shared, declaration=declaration, basis=str(row.get("basis") or shared.basis))

    def _parameter_sort(self, name: str, row: Block, path: str, line: int) -> Declaration | None:
        kind = row.get(
            "type", "integer" if row.get("unit") in ("day", "working_day", "month", "year") else "decimal"
        )
        if kind not in TYPES or kind == "list":
            self.notes(
                row.line_of("type"),
                f"{path}.type",
                f"参数不能是类型 {kind}。可写 decimal、integer、text、boolean、date、code",
            )
            return None
        shown = Declaration(
            name, kind, str(row["label"]), unit=self._unit(row, path, kind), role="parameter", line=line
        )
        return self._bounded(shown, row, path)

    def _dated(self, declaration: Declaration, row: Block, path: str) -> tuple[DatedValue, ...]:
        if ("value" in row) == ("values" in row):
            self.notes(
                row.line, f"{path}.value", "参数应恰好有 value（一个值）或 values（按日期的几个值）之一"
            )
            return ()
        if "value" in row:
            return (
                DatedValue(
                    None, self._needed(declaration, row["value"], row.line_of("value"), f"{path}.value")
                ),
            )
        return self._series(declaration, row["values"], row.line_of("values"), f"{path}.values")

    def _needed(self, declaration: Declaration, raw: Any, line: int, path: str) -> Any:
        if raw is None:
            self.notes(line, path, "参数的值是空的。请写出值")
        return self._taken(declaration, raw, line, path)

    def _series(self, declaration: Declaration, raw: Any, line: int, path: str) -> tuple[DatedValue, ...]:
        if not isinstance(raw, Series) or not raw:
            self.notes(line, path, "values 应是列表，每项 {from: 日期, value: 值}")
            return ()
        found: list[DatedValue] = []
        for row_line, row in raw.numbered():
            if not self.notes.schema(row, path, row_line, ("from", "value"), ("basis", "note")):
                continue
            start = self._taken(Declaration("from", "date", "起始日期"), row["from"], row_line, path)
            if found and start is not None and start <= found[-1].start:
                self.notes(row_line, path, "values 应按日期从早到晚排列，日期不能重复")
            found.append(
                DatedValue(start or date.min, self._needed(declaration, row["value"], row_line, path))
            )
        return tuple(found)

    def _by(self, declaration: Declaration, row: Block, path: str) -> tuple[str | None, dict[str, Any]]:
        raw = row.get("by")
        if raw is None:
            return None, {}
        line, path = row.line_of("by"), f"{path}.by"
        if not isinstance(raw, Block) or len(raw) != 1:
            self.notes(line, path, "by 应写成 {事实: {代码: 值}}，只按一个事实区分")
            return None, {}
        ((fact, table),) = raw.items()
        sort = self.names.get(fact)
        if sort is None or sort.type not in ("code", "text") or not isinstance(table, Block):
            self.notes(line, path, f"by 里的 {fact} 应是已声明的代码或文本事实，其下每个代码一个值")
            return None, {}
        self._codes_known(sort, table, path)
        return fact, {
            code: self._needed(declaration, value, table.line_of(code), f"{path}.{code}")
            for code, value in table.items()
        }

    def _codes_known(self, sort: Declaration, table: Block, path: str) -> None:
        for code in table:
            if sort.domain is not None and code not in sort.domain:
                self.notes(
                    table.line_of(code),
                    f"{path}.{code}",
                    f"「{sort.label}」没有代码 {code}{nearest(code, sort.domain)}",
                )

    def flags(self, block: Any, line: int) -> dict[str, Declaration]:
        """The declared flags, which rules set and other rules read."""
        found = {}
        for name, row_line, row in self._named(block, "flags", line):
            if self.notes.schema(row, f"flags.{name}", row_line, ("label",), ("note",)):
                found[name] = self._declare(
                    Declaration(name, "boolean", str(row["label"]), role="flag", line=row_line)
                )
        return found

    def derived(self, block: Any, line: int) -> dict[str, Derived]:
        """The derived facts; each may read those before it, never itself or a later one."""
        rows = self._named(block, "derived", line)
        order = {name: index for index, (name, _, _) in enumerate(rows)}
        found = {}
        for name, row_line, row in rows:
            path = f"derived.{name}"
            optional = [key for key in DERIVED_KEYS if key != "label"]
            if self.notes.schema(row, path, row_line, ("label",), optional):
                derived = self._derived(name, row, path, order)
                if derived is not None:
                    found[name] = derived
                    self._declare(derived.declaration)
        return found

    def _derived(self, name: str, row: Block, path: str, order: Mapping[str, int]) -> Derived | None:
        ways = [key for key in ("expr", "when", "list") if key in row]
        if len(ways) != 1:
            self.notes(row.line, path, "派生事实应恰好有 expr（算式）、when（条件）、list（清单汇总）之一")
            return None
        reader = ConditionReader(
            self.names, lambda line, key, message: self._note_derived(line, key, message, order)
        )
        if ways[0] == "when":
            condition = reader.condition(row["when"], f"{path}.when", row.line_of("when"))
            declaration = Declaration(name, "boolean", str(row["label"]), role="derived", line=row.line)
            return None if condition is None else Derived(declaration, None, condition)
        return self._valued(name, row, path, reader)

    def _note_derived(self, line: int, key: str, message: str, order: Mapping[str, int]) -> None:
        for name in order:
            if message.startswith(f"没有声明事实 {name}") and name not in self.names:
                message = f"读了后面才算出的 {name}（或循环引用）。派生事实只能读写在它前面的"
                break
        self.notes(line, key, message)

    def _valued(self, name: str, row: Block, path: str, reader: ConditionReader) -> Derived | None:
        way = "expr" if "expr" in row else "list"
        try:
            expression = self._expression(row, path, reader)
            sort = expression.sort(self.names) if expression is not None else None
        except TypeFault as fault:
            reader.note(row.line_of(way), f"{path}.{way}", str(fault))
            return None
        if expression is None:
            return None
        declaration = replace(
            sort,
            name=name,
            label=str(row["label"]),
            role="derived",
            line=row.line,
            minimum=None,
            maximum=None,
            own_step=None,
        )
        return Derived(self._declared_unit(declaration, sort, row, path), expression, None)

    def _expression(self, row: Block, path: str, reader: ConditionReader) -> Any:
        if "expr" in row:
            return parse_formula(str(row["expr"]), self.names)
        listed = reader.list_name(row["list"])
        if not aggregate_keys(row):
            raise TypeFault(f"清单汇总应恰好有 {'、'.join(AGGREGATES)} 之一")
        return reader.aggregate(listed, row, path)

    def _declared_unit(
        self, declaration: Declaration, sort: Declaration, row: Block, path: str
    ) -> Declaration:
        if sort.numeric:
            declaration = replace(
                declaration, own_step=self._step(replace(declaration, type="decimal"), row, path)
            )
            written = self._unit(row, path, sort.type) if "unit" in row else None
            if sort.role == "constant":
                return replace(declaration, unit=written or PURE)
            if written is not None and written != (sort.unit or PURE):
                self.notes(
                    row.line_of("unit"),
                    f"{path}.unit",
                    f"算出来的单位是 {(sort.unit or PURE).key}，写的是 {written.key}。请改正其一",
                )
            elif written is None and sort.type == "decimal":
                self.notes(
                    row.line, f"{path}.unit", f"派生的小数要写单位（算出来是 {(sort.unit or PURE).key}）"
                )
        elif "unit" in row:
            self.notes(row.line_of("unit"), f"{path}.unit", f"类型 {sort.type} 没有单位。请删去 unit")
        return declaration
