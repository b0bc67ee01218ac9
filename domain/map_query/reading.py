"""From the address of the query page to the query: every fault named by its field."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation

from sqlmodel import Session

from domain.actor import Actor
from domain.district import load_account_areas
from domain.errors import InvalidData
from domain.layer import catalogue, layer_definitions
from domain.map_query.definition import MOST_CONDITIONS, Condition, LayerQuery
from domain.map_query.fields import whole_cents
from domain.map_query.place import read_place
from domain.thematic_map.selection import town_of

ORDERS = ("key", "class", "district", "status", "area")


def read_query(session: Session, actor: Actor, given: Mapping[str, str]) -> LayerQuery:
    """The query that the texts of an address ask for.

    Raises NotAllowed for a layer closed to the actor, NotFound for another's sketch, InvalidData by field.
    """
    layer = given.get("layer", "")
    if layer not in layer_definitions():
        raise InvalidData("没有这个图层，或图层还没有数据。请从列表里选。", {"layer": "请从列表里选"})
    catalogue.require(actor, layer)
    order = given.get("sort", "") or "key"
    return LayerQuery(
        layer, _day(given.get("on", "")), given.get("class", ""), _district(given.get("district", "")),
        town_of(given["town"]).code if given.get("town") else "", tuple(_conditions(given)), given.get("join") == "any",
        _least(given.get("least", "")), read_place(session, actor, given), order.removeprefix("-"), order.startswith("-"),
    )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidData(f"“{text[:20]}”不是日期。请写成 2026-10-01 的样子。", {"on": "应写成 2026-10-01 的样子"}) from None


def _district(code: str) -> str:
    if code and code not in {area.code for area in load_account_areas()}:
        raise InvalidData("没有这个区或管理区。请从列表里选。", {"district": "请从列表里选"})
    return code


def _conditions(given: Mapping[str, str]) -> list[Condition]:
    found = [Condition(given.get(f"field{n}", ""), given.get(f"op{n}") or "eq", given.get(f"value{n}", "")) for n in range(1, MOST_CONDITIONS + 1)]
    return [each for each in found if each.field]


def _least(text: str) -> Decimal | None:
    try:
        least = Decimal(text) if text else None
    except InvalidOperation:
        least = Decimal(-1)
    if least is not None and not (least.is_finite() and 0 <= least < 10**12):
        raise InvalidData("“面积不小于”应写平方米数，如 1000。请改正。", {"least": "应为平方米数"})
    return None if least is None else whole_cents(least, "least")
