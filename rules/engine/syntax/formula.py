"""Formulas: the text of an `expr:` parsed by a grammar into the typed syntax tree."""

from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from lark import Lark, Transformer, Tree
from lark.exceptions import UnexpectedInput, VisitError

from ..value import Declaration
from .aggregate import AGGREGATES, Aggregate
from .expression import (
    Difference,
    Expression,
    Literal,
    Name,
    Names,
    Product,
    Quotient,
    Sum,
    TypeFault,
)
from .function import CALLS, Negative

LONGEST = 500


@dataclass(frozen=True, slots=True)
class Column:
    """`plots.area_m2` as it stands in the text; only list functions may hold one."""

    listed: str
    column: str


@cache
def _grammar() -> Lark:
    text = Path(__file__).with_name("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", maybe_placeholders=False)


def parse_formula(text: str, names: Names) -> Expression:
    """The formula as a tree, every name declared and every unit in order. Raises TypeFault."""
    if len(text) > LONGEST:
        raise TypeFault(f"算式超过 {LONGEST} 字。请拆成几个派生事实")
    expression = _tree(text, names)
    expression.sort(names)
    return expression


def _tree(text: str, names: Names) -> Expression:
    try:
        built = Builder(names).transform(_grammar().parse(text))
    except UnexpectedInput as error:
        raise TypeFault(
            f"算式读不通（第 {error.column} 字附近）：{text}。可用 + - * / ( ) 和 {'、'.join(CALLS)}、sum、count"
        ) from error
    except VisitError as error:
        if isinstance(error.orig_exc, TypeFault):
            raise error.orig_exc from error
        raise
    return _whole(built)


def _whole(built: Any) -> Expression:
    if isinstance(built, Column):
        raise TypeFault(
            f"{built.listed}.{built.column} 是一列，不能直接当一个数。请用 sum({built.listed}.{built.column})"
        )
    return built


class Builder(Transformer):
    """Turns the parse tree into expression nodes, bottom up."""

    def __init__(self, names: Names) -> None:
        super().__init__()
        self.names = names

    def transform(self, tree: Tree | Expression) -> Any:
        return super().transform(tree) if isinstance(tree, Tree) else tree

    def number(self, items: list) -> Expression:
        text = str(items[0])
        return Literal(Decimal(text) if "." in text else int(text))

    def name(self, items: list) -> Expression:
        name = str(items[0])
        declared(self.names, name)
        return Name(name)

    def column(self, items: list) -> Column:
        listed, column = str(items[0]), str(items[1])
        declared_column(self.names, listed, column)
        return Column(listed, column)

    def plus(self, items: list) -> Expression:
        return Sum(*map(_whole, items))

    def minus(self, items: list) -> Expression:
        return Difference(*map(_whole, items))

    def times(self, items: list) -> Expression:
        return Product(*map(_whole, items))

    def over(self, items: list) -> Expression:
        return Quotient(*map(_whole, items))

    def negative(self, items: list) -> Expression:
        operand = _whole(items[0])
        return Literal(-operand.value) if isinstance(operand, Literal) else Negative((operand,))

    def call(self, items: list) -> Expression:
        name, arguments = str(items[0]), items[1:]
        if name in AGGREGATES and name != "collect":
            return self._aggregate(name, arguments)
        if name not in CALLS:
            raise TypeFault(
                f"没有函数 {name}。可用 {'、'.join((*CALLS, 'sum', 'count', 'lowest', 'highest'))}"
            )
        low, high = CALLS[name].arity
        if not low <= len(arguments) <= high:
            raise TypeFault(
                f"{name} 要 {low if low == high else f'{low} 到 {high}'} 个参数，给了 {len(arguments)} 个"
            )
        return CALLS[name](tuple(map(_whole, arguments)))

    def _aggregate(self, name: str, arguments: list) -> Aggregate:
        argument = arguments[0] if len(arguments) == 1 else None
        if name == "count" and isinstance(argument, Name) and self.names[argument.name].type == "list":
            return AGGREGATES[name](argument.name)
        if name != "count" and isinstance(argument, Column):
            return AGGREGATES[name](argument.listed, argument.column)
        raise TypeFault(f"{name} 要写成 {name}({'清单' if name == 'count' else '清单.栏目'})")


def declared(names: Names, name: str) -> Declaration:
    """The declaration of a name. Raises TypeFault with the nearest spelling."""
    if name not in names:
        raise TypeFault(
            f"没有声明事实 {name}{nearest(name, names)}。请在 facts、parameters 或 derived 里声明"
        )
    return names[name]


def declared_column(names: Names, listed: str, column: str) -> Declaration:
    """The declaration of a list's column. Raises TypeFault."""
    declaration = declared(names, listed)
    if declaration.type != "list":
        raise TypeFault(f"「{declaration.label}」（{listed}）不是清单，没有栏目 {column}")
    if column not in declaration.columns:
        raise TypeFault(f"清单 {listed} 没有栏目 {column}{nearest(column, declaration.columns)}")
    return declaration.columns[column]


def nearest(word: str, words: Any) -> str:
    """A hint with the nearest known word, or nothing."""
    found = get_close_matches(str(word), list(map(str, words)), n=1, cutoff=0.6)
    return f"，是否 {found[0]}" if found else ""
