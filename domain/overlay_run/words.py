"""Fields and classes of layers as a person reads them."""

from domain.district import district_name
from domain.land_use_class import land_use_classes
from domain.layer import layer_definitions
from domain.layer.definition import LayerColumn

UNCOVERED = "（未覆盖）"
_LAND_USE, _DISTRICT = "class_code", "district_code"


def field_label(layer_key: str, field: str) -> str:
    """The Chinese label of a field of a layer; its name where the layer is not known."""
    found = _column(layer_key, field)
    return found.label if found else field


def class_words(layer_key: str, field: str, value: str) -> str:
    """What a class is called: its name beside the code where it has one; UNCOVERED for the empty class."""
    if not value:
        return UNCOVERED
    column, name = _column(layer_key, field), ""
    if column is not None and value in column.codes:
        name = column.codes[value]
    elif field == _LAND_USE and value in land_use_classes():
        name = land_use_classes()[value].name
    elif field == _DISTRICT:
        name = district_name(value)
    return f"{name}（{value}）" if name and name != value else value


def _column(layer_key: str, field: str) -> LayerColumn | None:
    definition = layer_definitions().get(layer_key)
    return next((each for each in definition.columns if each.name == field), None) if definition else None
