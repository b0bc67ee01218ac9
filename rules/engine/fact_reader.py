"""Reads the facts a rule set declares: types, units, domains, columns, bounds."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from .document import Block, Series
from .fault import InvalidFact
from .note import KEY, Known, Notes
from .syntax.aggregate import AGGREGATES
from .syntax.formula import nearest
from .unit import PURE, Unit, unit_named, units
from .value import DECISION_DATE, TYPES, Declaration, take

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


class FactReader:
    """Reads facts and their columns; fills `names` with every declaration, in the order in which they may be read."""

    def __init__(self, notes: Notes, known: Known) -> None:
        self.notes, self.known = notes, known
        self.names: dict[str, Declaration] = {"on": DECISION_DATE}

    def facts(self, block: Any, line: int) -> dict[str, Declaration]:
        """The declared facts."""
        found = {}
        for name, row_line, row in self.named(block, "facts", line):
            declaration = self._fact(name, row, row_line, f"facts.{name}")
            if declaration is not None:
                found[name] = self.declare(declaration)
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

    def declare(self, declaration: Declaration) -> Declaration:
        """Make a name readable by what comes after it."""
        self.names[declaration.name] = declaration
        return declaration

    def named(self, block: Any, section: str, line: int) -> list[tuple[str, int, Any]]:
        """(key, line, row) of each entry of a section whose key is good and new."""
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

    def column(self, name: str, row: Any, line: int, path: str) -> Declaration | None:
        """The declaration of a column, None when it holds a fault."""
        return self._fact(name, row, line, path, column=True)

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
        rows = self.named(row["columns"], f"{path}.columns", row.line_of("columns"))
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
        return self.taken(declaration, row[key], row.line_of(key), f"{path}.{key}")

    def taken(self, declaration: Declaration, raw: Any, line: int, path: str) -> Any:
        """The value as declared, None when it does not fit, which is noted."""
        try:
            return take(declaration, raw)
        except InvalidFact as fault:
            self.notes(line, path, str(fault))
            return None

    def _step(self, declaration: Declaration, row: Block, path: str) -> Decimal | None:
        if row.get("step") is None:
            return None
        step = self.taken(
            Declaration("step", "decimal", "最小一步"), row["step"], row.line_of("step"), f"{path}.step"
        )
        if declaration.type != "decimal" or (step is not None and step <= 0):
            self.notes(row.line_of("step"), f"{path}.step", "step 只用于小数，且应大于 0")
            return None
        return step
