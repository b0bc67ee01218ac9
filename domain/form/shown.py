"""Values in the words of screens and papers."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from domain import format as wording
from domain.form.value import is_year, unit_word
from rules.case_type.form import FieldDefinition

EMPTY_WORD = "未填"


def shown(field: FieldDefinition, value: Any, labels: Mapping[str, str]) -> str:
    """A typed value as people read it; `labels` are the words of codes."""
    if value is None:
        return EMPTY_WORD
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, int | Decimal):
        return _quantity(field, value)
    if isinstance(value, date):
        return wording.date_formal(value)
    if isinstance(value, tuple):
        return "、".join(labels.get(each, each) for each in value)
    return _place(field, value) if isinstance(value, Mapping) else labels.get(value, value)


def _quantity(field: FieldDefinition, value: int | Decimal) -> str:
    if field.type == "area":
        return wording.area_m2(value)
    if field.type == "money":
        return wording.money(value)
    unit = unit_word(field)
    if is_year(field):
        return str(value)
    return wording.thousands(value) + (f" {unit}" if unit else "")


def _place(field: FieldDefinition, value: Mapping[str, Any]) -> str:
    """A reference to a range or to plots; its module shows the rest behind the link."""
    if field.type == "plots":
        return f"{value['plots']} 块"
    words = f"{value['feature_count']} 个图形"
    return (
        f"{words}，{wording.area_m2(Decimal(value['area_m2']))}"
        if value.get("area_m2") is not None
        else words
    )


def conversion(field: FieldDefinition, value: Any) -> str:
    """The same quantity in other units, below the input; empty for other fields."""
    if value is None:
        return ""
    if field.type == "area":
        return f"约合 {wording.hectares(value)}，{wording.mu(value)}"
    return f"大写 {wording.capital_money(value)}" if field.type == "money" else ""
