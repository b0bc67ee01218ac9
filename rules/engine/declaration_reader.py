"""Reads what a rule set declares beside its facts: parameters, derived facts and flags."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from .document import Block, Series
from .fact_reader import FactReader
from .rule_set import DatedValue, Derived, Parameter
from .syntax.aggregate import AGGREGATES
from .syntax.condition_reader import ConditionReader, aggregate_keys
from .syntax.expression import TypeFault
from .syntax.formula import nearest, parse_formula
from .unit import PURE, unit_named
from .value import TYPES, Declaration

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


class DeclarationReader(FactReader):
    """Reads every declaration of a rule set, each section in turn."""

    def parameters(self, block: Any, line: int) -> dict[str, Parameter]:
        """The declared parameters; a `table:` parameter takes over the dated values of rules/tables."""
        found = {}
        for name, row_line, row in self.named(block, "parameters", line):
            parameter = self._parameter(name, row, row_line)
            if parameter is not None:
                found[name] = parameter
                self.declare(parameter.declaration)
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
        return self.taken(declaration, raw, line, path)

    def _series(self, declaration: Declaration, raw: Any, line: int, path: str) -> tuple[DatedValue, ...]:
        if not isinstance(raw, Series) or not raw:
            self.notes(line, path, "values 应是列表，每项 {from: 日期, value: 值}")
            return ()
        found: list[DatedValue] = []
        for row_line, row in raw.numbered():
            if not self.notes.schema(row, path, row_line, ("from", "value"), ("basis", "note")):
                continue
            start = self.taken(Declaration("from", "date", "起始日期"), row["from"], row_line, path)
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
        for name, row_line, row in self.named(block, "flags", line):
            if self.notes.schema(row, f"flags.{name}", row_line, ("label",), ("note",)):
                found[name] = self.declare(
                    Declaration(name, "boolean", str(row["label"]), role="flag", line=row_line)
                )
        return found

    def derived(self, block: Any, line: int) -> dict[str, Derived]:
        """The derived facts; each may read those before it, never itself or a later one."""
        rows = self.named(block, "derived", line)
        order = {name: index for index, (name, _, _) in enumerate(rows)}
        found = {}
        for name, row_line, row in rows:
            path = f"derived.{name}"
            optional = [key for key in DERIVED_KEYS if key != "label"]
            if self.notes.schema(row, path, row_line, ("label",), optional):
                derived = self._derived(name, row, path, order)
                if derived is not None:
                    found[name] = derived
                    self.declare(derived.declaration)
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
