"""Query and statistics of one layer: conditions and a range from the address, a list, sums, export."""

from domain.map_query.answer import QueryAnswer, QueryRow, Sum, ask, every_feature
from domain.map_query.definition import MOST_CONDITIONS, Condition, LayerQuery, Place, operators
from domain.map_query.export import request_export
from domain.map_query.fields import fields_of
from domain.map_query.reading import ORDERS, read_query

__all__ = [
    "MOST_CONDITIONS",
    "ORDERS",
    "Condition",
    "LayerQuery",
    "Place",
    "QueryAnswer",
    "QueryRow",
    "Sum",
    "ask",
    "every_feature",
    "fields_of",
    "operators",
    "read_query",
    "request_export",
]
