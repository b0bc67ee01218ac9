"""The fields of a layer in a query: what can be asked of them, and the condition in SQL."""

from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Double, String, cast, func, or_

from domain.errors import InvalidData
from domain.layer import Feature, LayerDefinition, layer_definition
from domain.layer.definition import LayerColumn
from domain.map_query.definition import Condition, operators

NUMBERS = ("decimal", "integer")
MOST_VALUES = 50


def fields_of(layer: str) -> dict[str, LayerColumn]:
    """The fields of a layer by name, in the order of its definition."""
    return {each.name: each for each in layer_definition(layer).columns}


def column_of(layer: str, field: str, where: str = "field") -> LayerColumn:
    """The field of a name. Raises InvalidData for one that the layer has not."""
    found = fields_of(layer).get(field)
    if found is None:
        raise InvalidData("这个图层没有所选的字段。请按图层重新选字段。", {where: "请重新选字段"})
    return found


def expression(definition: LayerDefinition, column: LayerColumn) -> Any:
    """The value of a field in SQL: numbers as double, texts as text; the area is the exact column."""
    own = {definition.key_field: Feature.key, definition.class_field: Feature.class_code, "area_m2": Feature.area_m2}
    if column.name in own:
        return own[column.name]
    text = cast(Feature.attributes[column.name].as_string(), String)
    return cast(_filled(text), Double) if column.type in NUMBERS else text


def _filled(text: Any) -> Any:
    """Nothing instead of an empty text, which is no number."""
    return func.nullif(text, "")


def condition_sql(layer: str, asked: Condition, number: int) -> Any:
    """The condition on a row of `feature`. Raises InvalidData under field<number>, op<number> or value<number>."""
    definition, column = layer_definition(layer), column_of(layer, asked.field, f"field{number}")
    operator, kind = operators().get(asked.operator), "number" if column.type in NUMBERS else "text"
    if operator is None or kind not in operator.kinds:
        word = operator.label if operator else asked.operator
        raise InvalidData(
            f"“{column.label}”是{'数字' if kind == 'number' else '文字'}，不能用“{word}”比较。请换一种比较方式。", {f"op{number}": "不适用于这个字段"}
        )
    if operator.needs_value and not asked.value:
        raise InvalidData(f"“{column.label}{operator.label}”后面没有写值。请补上，或去掉这个条件。", {f"value{number}": "请写值"})
    found = expression(definition, column)
    read = _reader(column, number)
    return _compared(found, operator.key, asked.value, read)


def _reader(column: LayerColumn, number: int) -> Any:
    """How a typed value becomes one of the field."""
    def as_number(text: str) -> Any:
        try:
            value = Decimal(text.strip())
        except InvalidOperation:
            value = Decimal("NaN")
        if not value.is_finite() or abs(value) >= 10**15:
            raise InvalidData(f"“{column.label}”应与数字比较，“{text[:20]}”不是数字。请改正。", {f"value{number}": "应为数字"})
        return whole_cents(value, f"value{number}") if column.name == "area_m2" else float(value)

    return as_number if column.type in NUMBERS else str


def whole_cents(value: Decimal, where: str) -> Decimal:
    """An area of at most two decimals, as areas are kept. Raises InvalidData."""
    if value != round(value, 2):
        raise InvalidData("面积最多写两位小数。请改正。", {where: "最多两位小数"})
    return round(value, 2)


def _compared(found: Any, operator: str, typed: str, read: Any) -> Any:
    if operator in ("empty", "filled"):
        nothing = or_(found.is_(None), found == "") if isinstance(found.type, String) else found.is_(None)
        return nothing if operator == "empty" else ~nothing
    if operator == "in":
        parts = [part.strip() for part in typed.replace("，", ",").split(",") if part.strip()]
        return found.in_([read(part) for part in parts[:MOST_VALUES]])
    if operator in ("starts", "has"):
        return (found.startswith if operator == "starts" else found.contains)(typed, autoescape=True)
    value = read(typed)
    if operator == "ne":
        return or_(found != value, found.is_(None))
    return {"eq": found.__eq__, "ge": found.__ge__, "gt": found.__gt__, "le": found.__le__, "lt": found.__lt__}[operator](value)
