"""Reads `when:` blocks into the typed syntax tree; every fault is noted with its line."""

from collections.abc import Callable, Iterable
from typing import Any

from ..document import Block, Series
from ..fault import InvalidFact
from ..value import Declaration, take
from .aggregate import AGGREGATES, inner_names
from .comparison import OPERATORS, Comparison, Matches, StartsWith
from .condition import AllHold, AnyHolds, Condition, Not
from .expression import Expression, Literal, Name, Names, TypeFault
from .formula import declared, declared_column, nearest, parse_formula
from .function import DaysBetween
from .pattern import check_pattern
from .quantifier import QUANTIFIERS

GROUPS = {"all": AllHold, "any": AnyHolds}
SUBJECTS = ("fact", "expr", "list", "days_between")
OPERAND_KEYS = ("fact", "param", "expr")
HIDDEN = ("outside", "not_starts_with", "not_matches")
WRITTEN = tuple(key for key in OPERATORS if key not in HIDDEN)
WORDS = (*SUBJECTS, "all", "any", "not", "every", "where", *AGGREGATES, *WRITTEN)
Note = Callable[[int, str, str], None]


class ConditionReader:
    """Reads conditions and value expressions of one rule set; `note(line, path, message)` collects faults."""

    def __init__(self, names: Names, note: Note) -> None:
        self.names, self.note = names, note

    def inside(self, listed: str) -> "ConditionReader":
        return ConditionReader(inner_names(self.names, listed), self.note)

    def condition(self, block: Any, path: str, line: int) -> Condition | None:
        """The condition, or None when it holds a fault."""
        if not isinstance(block, Block):
            self.note(line, path, "条件应是映射，如 {fact: area_m2, above: 0} 或 {all: [...]}")
            return None
        self._repeats(block, path)
        if set(block) & {"list"}:
            return self._listed(block, path)
        for key in GROUPS:
            if key in block:
                return self._group(block, key, path)
        if "not" in block:
            return self._negation(block, path)
        return self._comparison(block, path)

    def _repeats(self, block: Block, path: str) -> None:
        for line, key in block.repeated:
            self.note(line, path, f"键 {key} 写了两次，只能写一次")

    def _only(self, block: Block, allowed: Iterable[str], path: str) -> bool:
        allowed = tuple(allowed)
        strange = [key for key in block if key not in allowed]
        for key in strange:
            self.note(
                block.line_of(key),
                f"{path}.{key}",
                f"这里没有键 {key}{nearest(key, WORDS)}。可写 {'、'.join(allowed)}",
            )
        return not strange

    def _group(self, block: Block, key: str, path: str) -> Condition | None:
        parts = block[key]
        if not self._only(block, (key,), path):
            return None
        if not isinstance(parts, Series) or len(parts) < 2:
            self.note(
                block.line_of(key), f"{path}.{key}", f"{key} 下应列出两个以上条件；只有一个时直接写那个条件"
            )
            return None
        read = [
            self.condition(part, f"{path}.{key}[{index}]", line)
            for index, (line, part) in enumerate(parts.numbered())
        ]
        return None if None in read else GROUPS[key](tuple(read))

    def _negation(self, block: Block, path: str) -> Condition | None:
        if not self._only(block, ("not",), path):
            return None
        part = self.condition(block["not"], f"{path}.not", block.line_of("not"))
        return None if part is None else Not(part)

    def _comparison(self, block: Block, path: str) -> Condition | None:
        subject = self._subject(block, path)
        return None if subject is None else self._compared(subject, block, path, ())

    def _subject(self, block: Block, path: str) -> Expression | None:
        written = [key for key in SUBJECTS if key in block]
        if len(written) != 1:
            self._unknown_words(block, path)
            self.note(
                block.line,
                path,
                f"条件应恰好有 {'、'.join(SUBJECTS)} 之一，以及 all、any、not 之外的一个比较词",
            )
            return None
        key = written[0]
        return self._guarded(block.line_of(key), f"{path}.{key}", lambda: self._subject_of(key, block[key]))

    def _unknown_words(self, block: Block, path: str) -> None:
        for key in block:
            if key not in WORDS:
                self.note(block.line_of(key), f"{path}.{key}", f"没有键 {key}{nearest(key, WORDS)}")

    def _subject_of(self, key: str, raw: Any) -> Expression:
        if key == "days_between":
            return self._days(raw)
        if not isinstance(raw, str):
            raise TypeFault(f"{key} 后应是文本，实际是 {raw!r}")
        if key == "expr":
            return parse_formula(raw, self.names)
        declared(self.names, raw)
        return Name(raw)

    def _days(self, raw: Any) -> Expression:
        if not isinstance(raw, Series) or len(raw) != 2:
            raise TypeFault("days_between 应写两个日期事实，如 [agreed_on, on]")
        for name in raw:
            declared(self.names, name)
        expression = DaysBetween(tuple(Name(name) for name in raw))
        expression.sort(self.names)
        return expression

    def _guarded(self, line: int, path: str, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except (TypeFault, InvalidFact) as fault:
            self.note(line, path, str(fault))
            return None

    def _compared(
        self, subject: Expression, block: Block, path: str, others: tuple[str, ...]
    ) -> Condition | None:
        allowed = (*[key for key in SUBJECTS if key in block], *others, *WRITTEN)
        if not self._only(block, allowed, path):
            return None
        written = [key for key in WRITTEN if key in block and key not in others]
        if len(written) != 1:
            self.note(
                block.line, path, f"条件应恰好有一个比较词（{'、'.join(WRITTEN)}），实际有 {len(written)} 个"
            )
            return None
        key = written[0]
        line, where = block.line_of(key), f"{path}.{key}"
        return self._guarded(line, where, lambda: self._operator(key, subject, block[key], line))

    def _operator(self, key: str, subject: Expression, raw: Any, line: int) -> Comparison:
        sort = subject.sort(self.names)
        leaf = OPERATORS[key](subject, self._limits(key, raw, sort), line)
        leaf.check(self.names)
        return leaf

    def _limits(self, key: str, raw: Any, sort: Declaration) -> tuple[Expression, ...]:
        if key in ("exists", "missing"):
            if raw is not True:
                raise TypeFault(f"{key} 后写 true；要相反的意思，用 {OPERATORS[key].opposite}")
            return ()
        if key in ("in", "not_in"):
            return self._several(key, raw, sort)
        if key == "between":
            if not isinstance(raw, Series) or len(raw) != 2:
                raise TypeFault("between 后应是 [下限, 上限]")
            return tuple(self._limit(item, sort) for item in raw)
        if issubclass(OPERATORS[key], StartsWith):
            return (self._text(key, raw, sort),)
        return (self._limit(raw, sort),)

    def _several(self, key: str, raw: Any, sort: Declaration) -> tuple[Expression, ...]:
        if not isinstance(raw, Series):
            raise TypeFault(f"{key} 后应是列表，如 [甲, 乙]")
        limits = tuple(self._limit(item, sort) for item in raw)
        if len(set(limits)) != len(limits):
            raise TypeFault(f"{key} 的取值有重复。请删去重复的")
        return limits

    def _text(self, key: str, raw: Any, sort: Declaration) -> Expression:
        if not isinstance(raw, str) or not raw:
            raise TypeFault(f"{key} 后应是加引号的文本")
        if OPERATORS[key] is Matches:
            check_pattern(raw)
        return Literal(raw, Declaration("", "text", sort.label))

    def _limit(self, raw: Any, sort: Declaration) -> Expression:
        if isinstance(raw, Block):
            return self._operand(raw)
        if raw is None:
            raise TypeFault("限值是空的。要判断有没有，用 exists 或 missing")
        return literal(raw, sort)

    def _operand(self, block: Block) -> Expression:
        keys = [key for key in OPERAND_KEYS if key in block]
        if len(block) != 1 or len(keys) != 1:
            raise TypeFault(f"限值写成映射时应恰好有 {'、'.join(OPERAND_KEYS)} 之一")
        key, raw = keys[0], block[keys[0]]
        if key == "expr":
            return parse_formula(str(raw), self.names)
        declaration = declared(self.names, raw)
        if key == "param" and declaration.role != "parameter":
            raise TypeFault(f"{raw} 不是参数。要引用事实，用 fact: {raw}")
        return Name(raw)

    def _listed(self, block: Block, path: str) -> Condition | None:
        listed = self._guarded(block.line_of("list"), f"{path}.list", lambda: self.list_name(block["list"]))
        if listed is None:
            return None
        for key, quantifier in QUANTIFIERS.items():
            if key in block:
                return self._quantified(quantifier, listed, block, path)
        aggregate = self.aggregate(listed, block, path)
        return None if aggregate is None else self._compared(aggregate, block, path, aggregate_keys(block))

    def list_name(self, raw: Any) -> str:
        """The name of a declared list. Raises TypeFault."""
        if declared(self.names, raw).type != "list":
            raise TypeFault(f"{raw} 不是清单（type: list）")
        return raw

    def _quantified(self, quantifier: type, listed: str, block: Block, path: str) -> Condition | None:
        if not self._only(block, ("list", quantifier.key), path):
            return None
        line = block.line_of(quantifier.key)
        inner = self.inside(listed).condition(block[quantifier.key], f"{path}.{quantifier.key}", line)
        return None if inner is None else quantifier(listed, inner, block.line)

    def aggregate(self, listed: str, block: Block, path: str) -> Expression | None:
        """The aggregate written beside `list:`, or None when it holds a fault."""
        keys = [key for key in AGGREGATES if key in block]
        if len(keys) != 1:
            self.note(block.line, path, f"清单条件应恰好有 any、every、{'、'.join(AGGREGATES)} 之一")
            return None
        where = None
        if "where" in block:
            where = self.inside(listed).condition(block["where"], f"{path}.where", block.line_of("where"))
            if where is None:
                return None
        key = keys[0]
        line, place = block.line_of(key), f"{path}.{key}"
        return self._guarded(line, place, lambda: self._aggregate_of(key, listed, block[key], where))

    def _aggregate_of(self, key: str, listed: str, raw: Any, where: Condition | None) -> Expression:
        if key == "count":
            if raw is not True:
                raise TypeFault("count 后写 true，要筛选用 where")
            return AGGREGATES[key](listed, None, where)
        declared_column(self.names, listed, raw)
        aggregate = AGGREGATES[key](listed, raw, where)
        aggregate.sort(self.names)
        return aggregate


def aggregate_keys(block: Block) -> tuple[str, ...]:
    """Which of the aggregate's own keys are written in the block."""
    return tuple(key for key in (*AGGREGATES, "where") if key in block)


def literal(raw: Any, sort: Declaration) -> Literal:
    """A constant of the given sort. Raises TypeFault when it is of another type or outside the domain."""
    like = Declaration("", sort.type, sort.label, sort.unit, sort.domain, own_step=sort.own_step)
    if sort.type in ("text", "code") and not isinstance(raw, str):
        raise TypeFault(f"「{sort.label}」的取值应是文本，{raw} 要加引号")
    return Literal(take(like, raw), like)
