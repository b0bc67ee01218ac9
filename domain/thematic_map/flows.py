"""Flows between places, typed by the maker or read from attributes of a layer: from where, to where, how much."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.district import load_account_areas
from domain.errors import InvalidData
from domain.format import M2_PER_HECTARE
from domain.layer import LayerDefinition, catalogue, features_by_key, layer_definition
from domain.thematic_map.grouping import Attribute, number_attributes, town_shapes
from domain.thematic_map.selection import Placed, Selection
from domain.thematic_map.spec import Flow, MapSpec

HOME, SELF = "district", "self"
"""Ends that are no field: the district in which a feature lies, and the feature itself."""
NO_ENDS = frozenset({"element_code", "description"})
MOST_LISTED = 10
MOST_DRAWN = 100


@dataclass(frozen=True)
class Flows:
    """What goes from one named place to another, of each pair once; the shape of every place; features that name no end."""

    rows: tuple[Flow, ...]
    places: Mapping[str, BaseGeometry]
    unit: str = ""
    left_out: int = 0


@dataclass
class _Ends:
    """One end of the flows: its field in words, how a value names a place, and the values that name none."""

    label: str
    read: Callable[[Placed], str]
    places: Mapping[str, tuple[str, BaseGeometry]]
    unknown: Counter = field(default_factory=Counter)

    def place_of(self, placed: Placed) -> tuple[str, BaseGeometry] | None:
        """Name and shape of the place that a feature names; None for no value and, remembered, for one that matches nothing."""
        value = self.read(placed)
        found = self.places.get(value) or (self._of_longer(value) if value.isdigit() else None)
        if value and found is None:
            self.unknown[value] += 1
        return found

    def _of_longer(self, code: str) -> tuple[str, BaseGeometry] | None:
        """The town or the district of a code that goes on below it, as codes of villages do."""
        return next((self.places[code[:size]] for size in (9, 6) if code[:size] in self.places), None)


def end_attributes(definition: LayerDefinition) -> tuple[Attribute, ...]:
    """What of a layer may name where a flow begins or ends."""
    own = (Attribute(HOME, "要素所在的区、管理区"), Attribute(SELF, "要素自己"))
    texts = (each for each in definition.columns if each.type == "text" and not each.codes and not each.options)
    return (*own, *(Attribute(each.name, each.label) for each in texts if each.name not in NO_ENDS))


def amount_attributes(definition: LayerDefinition) -> tuple[Attribute, ...]:
    """What of a layer may say how much flows."""
    return (Attribute("area", "面积", True, "公顷"), Attribute("count", "个数", True, "个"), *number_attributes(definition))


def typed_flows(session: Session, selection: Selection, spec: MapSpec) -> Flows:
    """The flows that the maker wrote. Raises InvalidData for names that are no place."""
    places = _named_places(session, selection)
    unknown = sorted({name for flow in spec.flows for name in (flow.origin, flow.destination) if name not in places})
    if unknown:
        raise InvalidData(f"起讫表里的“{'、'.join(unknown[:5])}”不是本范围的区、管理区或街镇。请改成列表里的名称。", {"flows": f"不认识：{'、'.join(unknown[:5])}"})
    return Flows(_summed(spec.flows), places, spec.flow_unit)


def layer_flows(session: Session, selection: Selection, spec: MapSpec) -> Flows:
    """The features of a layer added up by the places that two of its fields name.

    A field names a district or town by its code or name, or a feature of another layer by its key. A feature with an empty
    field flows nowhere and is counted. Raises InvalidData that lists the values that match nothing, and for too many pairs.
    """
    amount, unit = _amount(selection, spec.field or "area")
    ends = [_ends(session, selection, spec, each) for each in ("origin", "destination")]
    found, places, left_out = [], {}, 0
    for placed in selection.placed:
        one, other = (each.place_of(placed) for each in ends)
        value = amount(placed)
        if one is None or other is None or value <= 0:
            left_out += 1
            continue
        places |= {one[0]: one[1], other[0]: other[1]}
        found.append(Flow(one[0], other[0], value))
    _must_match(ends)
    rows = _summed(found)
    if not rows:
        raise InvalidData("范围里没有起点和终点都填了的要素，画不出流向。请换字段、范围或类别。", {"destination": "范围里没有起点和终点都填了的要素，请换字段、范围或类别"})
    if len(rows) > MOST_DRAWN:
        raise InvalidData(f"合并后有 {len(rows):,} 对起讫，超过 {MOST_DRAWN}，图上分不清。请缩小范围，或改按区看。", {"area": f"合并后有 {len(rows):,} 对起讫，超过 {MOST_DRAWN}，请缩小范围，或改按区看"})
    return Flows(rows, places, spec.flow_unit or unit, left_out)


def _must_match(ends: Sequence[_Ends]) -> None:
    """Refuse values that name no place, listed under the field of their end."""
    faults = {name: _unmatched(each) for name, each in zip(("origin", "destination"), ends, strict=True) if each.unknown}
    if faults:
        raise InvalidData("；".join(faults.values()) + "。请改选字段或对照的图层，或先改正数据。", faults)


def _unmatched(end: _Ends) -> str:
    listed = "、".join(sorted(end.unknown)[:MOST_LISTED])
    more = f" 等 {len(end.unknown):,} 个值" if len(end.unknown) > MOST_LISTED else ""
    return f"“{end.label}”的 {listed}{more}（{end.unknown.total():,} 个要素）对不上任何地点"


def _ends(session: Session, selection: Selection, spec: MapSpec, name: str) -> _Ends:
    """The origin or the destination of a spec."""
    key, layer = getattr(spec, name), getattr(spec, f"{name}_layer")
    known = {each.key: each.label for each in end_attributes(selection.definition)}
    if key not in known:
        raise InvalidData("这个图层没有这个字段，不能作起点或终点。请从列表里选。", {name: "请改选字段"})
    if key == SELF:
        return _Ends(known[key], lambda placed: placed.feature.key, {each.feature.key: (each.feature.key, each.geometry) for each in selection.placed})
    if key == HOME:
        return _Ends(known[key], lambda placed: placed.feature.district_code, _areas(session, selection))

    def read(placed: Placed) -> str:
        return str(selection.definition.values(placed.feature).get(key) or "").strip()

    return _Ends(known[key], read, _of_layer(session, selection, layer, read) if layer else _areas(session, selection))


def _of_layer(session: Session, selection: Selection, layer: str, read: Callable[[Placed], str]) -> dict[str, tuple[str, BaseGeometry]]:
    """The features of another layer that are named, as far as the actor may see them."""
    catalogue.require(selection.actor, layer)
    districts = catalogue.districts_of(selection.actor, layer)
    keys = sorted({value for placed in selection.placed if (value := read(placed))})
    found = features_by_key(session, layer, keys, selection.on)
    return {key: (key, each.geometry) for key, each in found.items() if districts is None or each.district_code in districts}


def _areas(session: Session, selection: Selection) -> dict[str, tuple[str, BaseGeometry]]:
    """Districts by code and name and, within one district, its towns."""
    found = {}
    for area in load_account_areas():
        for key in (area.code, area.name, area.name.removesuffix("区")):
            found[key] = (area.name, area.geometry)
    if len(selection.district_codes) == 1:
        for code, (name, shape) in town_shapes(session, selection).items():
            found[code] = found[name] = (name, shape)
    return found


def _named_places(session: Session, selection: Selection) -> dict[str, BaseGeometry]:
    """The places that a maker may write, by every name that they have."""
    return {key: shape for key, (_name, shape) in _areas(session, selection).items()}


def _amount(selection: Selection, key: str) -> tuple[Callable[[Placed], Decimal], str]:
    """How much a feature stands for, and the unit. Raises InvalidData for a field that is no number of the layer."""
    known = {each.key: each for each in amount_attributes(selection.definition)}
    if key not in known:
        raise InvalidData("这个图层没有这个数值字段，不能作流量。请从列表里选。", {"field": "请改选字段"})
    if key == "area":
        return lambda placed: placed.area_m2 / M2_PER_HECTARE, "公顷"
    if key == "count":
        return lambda _placed: Decimal(1), "个"
    return lambda placed: Decimal(str(selection.definition.values(placed.feature).get(key) or 0)), known[key].unit


def _summed(flows: Sequence[Flow]) -> tuple[Flow, ...]:
    sums: dict[tuple[str, str], Decimal] = {}
    for flow in flows:
        pair = flow.origin, flow.destination
        sums[pair] = sums.get(pair, Decimal(0)) + flow.value
    return tuple(Flow(*pair, value) for pair, value in sums.items())


def end_words(spec: MapSpec, definition: LayerDefinition) -> dict[str, str]:
    """The two ends of a spec in words, for the margin of the map."""
    known = {each.key: each.label for each in end_attributes(definition)}
    layers = {name: getattr(spec, f"{name}_layer") for name in ("origin", "destination")}
    return {
        name: known.get(getattr(spec, name), "") + (f"对照{layer_definition(layer).title}" if layer else "") for name, layer in layers.items()
    }
