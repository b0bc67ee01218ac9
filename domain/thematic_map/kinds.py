"""The kinds of thematic maps, one function each: from the features that were chosen to what is drawn, its legend and its table."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal

import numpy
import shapely
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.district import load_account_areas
from domain.errors import InvalidData
from domain.format import M2_PER_HECTARE
from domain.geometry import polygons_of
from domain.thematic_map import density
from domain.thematic_map.breaks import class_of, inner_limits
from domain.thematic_map.colours import Ink, categories, is_dark, ramp
from domain.thematic_map.content import Bar, Curve, Dots, Drawn, Fill, Key, Legend, Name, Table
from domain.thematic_map.flows import Flows, end_words, layer_flows, typed_flows
from domain.thematic_map.grouping import (
    CLASS,
    GROUP,
    Attribute,
    Group,
    Unit,
    by_unit_and_class,
    category_attributes,
    groups_of,
    legend_colours,
    number_attributes,
    units_of,
)
from domain.thematic_map.selection import Placed, Selection
from domain.thematic_map.spec import Flow, MapSpec, number_words
from domain.thematic_map.words import Measure, mark, measures, words

THIN = 0.12
"""The line between neighbouring fills, in mm."""
MOST_SINGLE = 6_000
"""More features than this are dissolved by class before they are drawn."""
DOTS_WANTED, MOST_DOTS = 2_500, 20_000
HECTARE_DECIMALS = 2
FLOW_WIDTHS = (0.6, 1.4, 2.6, 4.0)
"""Of the classes of arrows, in mm; fewer classes take the widest of them."""
MOST_NAMED = 60


def draw_single(session: Session, selection: Selection, spec: MapSpec) -> Drawn:
    """Every value of an attribute in its colour; of a district or town the value with the largest area."""
    field = spec.field or CLASS
    groups = groups_of(selection.definition, field, selection.placed)
    shown, rest = _limited(groups)
    inks = categories([group.value for group in shown], legend_colours(selection.definition) if field == GROUP else {})
    labels = {group.value: group.label for group in shown}
    if spec.unit == "feature":
        marks = [_fills(group.placed, inks[group.value]) for group in shown]
        names: list[Name] = []
    else:
        marks, names = _leading(units_of(session, selection, spec.unit), selection, field, inks)
    keys = [Key(labels[group.value], inks[group.value], _hectares(group.area_m2)) for group in shown]
    if rest.placed:
        other = words()["other"]
        marks.insert(0, _fills(rest.placed, Ink(other["colour"])))
        keys.append(Key(other["label"], Ink(other["colour"]), _hectares(rest.area_m2)))
    legend = Legend(_attribute_label(selection, field), tuple(keys), "公顷", f"共 {len(selection.placed):,} 个要素，{_hectares(selection.area_m2)} 公顷")
    notes = () if spec.unit == "feature" else ("每个单元着面积最大的类别的颜色",)
    tables = [_class_table(groups, selection)]
    if len(selection.district_codes) > 1:
        tables.append(_district_table(by_unit_and_class(session, selection, "district", field), selection))
    return Drawn(marks, legend, tuple(tables), names, notes)


def _district_table(found: Sequence[tuple[Unit, Sequence[Group]]], selection: Selection) -> Table:
    """Count and area of every class in every district: what joins the statistics to the shapes of districts."""
    rows = tuple(
        (unit.label, group.label, len(group.placed), group.area_m2, group.area_m2 / M2_PER_HECTARE) for unit, groups in found for group in groups
    )
    whole = selection.area_m2
    total = ("合计", "", len(selection.placed), whole, whole / M2_PER_HECTARE)
    return Table("按行政区和类别统计", ("行政区、管理区", "类别", "个数", "面积（平方米）", "面积（公顷）"), rows, (None, None, 0, 2, 4), total)


def _limited(groups: Sequence[Group]) -> tuple[list[Group], Group]:
    """The groups that are told apart, the largest of too many, and all others as one."""
    most = words()["most_categories"]
    if len(groups) <= most:
        return list(groups), Group("", "", ())
    largest = {group.value for group in sorted(groups, key=lambda each: -each.area_m2)[: most - 1]}
    rest = tuple(each for group in groups if group.value not in largest for each in group.placed)
    return [group for group in groups if group.value in largest], Group("", "", rest)


def _fills(placed: Sequence[Placed], ink: Ink) -> Fill:
    shapes = numpy.array([each.geometry for each in placed], dtype=object)
    return Fill(shapes, ink, "#ffffff" if is_dark(ink.colour) else "#6b7b76", THIN if len(placed) <= MOST_SINGLE else 0.0)


def _leading(units: Sequence[Unit], selection: Selection, field: str, inks: dict[str, Ink]) -> tuple[list, list[Name]]:
    marks, names = [], []
    for unit in units:
        largest = max(groups_of(selection.definition, field, unit.placed), key=lambda each: each.area_m2, default=None)
        ink = inks.get(largest.value) if largest else None
        marks.append(Fill(unit.geometry, ink or Ink(words()["no_value"]["colour"]), words()["base"]["boundary"], 0.25))
        names.append(Name(unit.geometry, unit.label, is_light=ink is not None and is_dark(ink.colour)))
    return marks, names


def _attribute_label(selection: Selection, field: str) -> str:
    return next((each.label for each in category_attributes(selection.definition) if each.key == field), "类别")


def _hectares(area_m2: Decimal) -> str:
    return number_words(area_m2 / M2_PER_HECTARE, HECTARE_DECIMALS)


def _class_table(groups: Sequence[Group], selection: Selection) -> Table:
    whole = selection.area_m2
    rows = tuple(
        (group.label, len(group.placed), group.area_m2, group.area_m2 / M2_PER_HECTARE, group.area_m2 * 100 / whole if whole else Decimal(0))
        for group in groups
    )
    heads = ("类别", "个数", "面积（平方米）", "面积（公顷）", "占比（%）")
    total = ("合计", len(selection.placed), whole, whole / M2_PER_HECTARE, Decimal(100) if whole else Decimal(0))
    return Table("按类别统计", heads, rows, (None, 0, 2, 4, 1), total)


def draw_ranges(session: Session, selection: Selection, spec: MapSpec) -> Drawn:
    """A number in classes from light to dark, of districts, towns or single features."""
    if spec.unit == "feature":
        return _feature_ranges(selection, spec)
    measure = _measure(spec)
    units = units_of(session, selection, spec.unit)
    numbers = [unit.number(measure.key) for unit in units]
    limits, inks, keys, places = _classes([each for each in numbers if each is not None], numbers, measure.decimals, spec)
    marks, names, rows, bars = [], [], [], []
    for unit, number, place in zip(units, numbers, places, strict=True):
        ink = Ink(words()["no_value"]["colour"]) if place is None else inks[place]
        marks.append(Fill(unit.geometry, ink, words()["base"]["boundary"], 0.25))
        said = "" if number is None else number_words(number, measure.decimals)
        names.append(Name(unit.geometry, unit.label, said, is_dark(ink.colour)))
        bars.append(Bar(unit.label, float(number or 0), said, ink))
        rows.append((
            unit.label, len(unit.placed), unit.area_m2, unit.area_m2 / M2_PER_HECTARE,
            unit.number("share") if unit.whole_m2 else "—", "—" if place is None else f"第 {place + 1} 级 {keys[place].label}",
        ))  # fmt: skip
    title = f"{measure.label}（{measure.unit}）"
    head = {"district": "行政区、管理区", "town": "街道、镇"}[spec.unit]
    whole, everything = selection.area_m2, sum((unit.whole_m2 for unit in units), Decimal("0.00"))
    table = Table(
        f"按{head}统计", (head, "个数", "面积（平方米）", "面积（公顷）", "占本单元图层面积（%）", "分级"), tuple(rows), (None, 0, 2, 4, 1, None),
        ("合计", len(selection.placed), whole, whole / M2_PER_HECTARE, whole * 100 / everything if everything else "—", ""),
    )
    legend = Legend(title, keys, f"{'区' if spec.unit == 'district' else '街镇'}数", _total(measure, selection))
    method = f"分级办法：{words()['methods'][spec.method]}，{len(limits) + 1} 级；等于界限的归上一级"
    return Drawn(marks, legend, (table,), names, (method,), tuple(sorted(bars, key=lambda each: -each.number)))


def _measure(spec: MapSpec) -> Measure:
    key = spec.field or "area"
    found = next((each for each in measures() if each.key == key), None)
    if found is None:
        raise InvalidData("按区或街镇分级，只能用面积、个数或占比。请改选指标。", {"field": "请改选指标"})
    return found


def _total(measure: Measure, selection: Selection) -> str:
    return f"共 {len(selection.placed):,} 个要素，{_hectares(selection.area_m2)} 公顷"


def _classes(known: Sequence[Decimal], numbers: Sequence[Decimal | None], decimals: int, spec: MapSpec):
    """The limits rounded as they are written, an ink and a legend line for each class, and the class of each number."""
    if not known:
        raise InvalidData("范围里没有可以分级的数。请换范围、类别或指标。", {"area": "范围里没有数据"})
    step = Decimal(1).scaleb(-decimals)
    limits = tuple(dict.fromkeys(each.quantize(step) for each in inner_limits(known, spec.method, spec.count, spec.breaks)))
    inks = ramp(spec.ramp, len(limits) + 1)
    places = [None if number is None else class_of(number, limits) for number in numbers]
    edges = [min(known), *limits, max(known)]
    keys = []
    for place, ink in enumerate(inks):
        low, high = (number_words(edges[each], decimals) for each in (place, place + 1))
        label = low if low == high else f"{low} — {high}"
        keys.append(Key(label, ink, str(places.count(place))))
    return limits, inks, tuple(keys), places


def _feature_ranges(selection: Selection, spec: MapSpec) -> Drawn:
    attribute, numbers, decimals = _feature_numbers(selection, spec.field or "area")
    known = [each for each in numbers if each is not None]
    limits, inks, keys, places = _classes(known, numbers, decimals, spec)
    alike: list[list[Placed]] = [[] for _ in inks]
    missing = []
    for placed, place in zip(selection.placed, places, strict=True):
        (missing if place is None else alike[place]).append(placed)
    marks = [_fills(found, ink) for found, ink in zip(alike, inks, strict=True) if found]
    if missing:
        marks.insert(0, _fills(missing, Ink(words()["no_value"]["colour"])))
        keys = (*keys, Key(words()["no_value"]["label"], Ink(words()["no_value"]["colour"]), str(len(missing))))
    rows = tuple((key.label, len(found), _sum(found), _sum(found) / M2_PER_HECTARE) for key, found in zip(keys, [*alike, missing], strict=False))
    unit = f"（{attribute.unit}）" if attribute.unit else ""
    table = Table(
        f"{attribute.label}分级统计", (f"{attribute.label}{unit}", "个数", "面积（平方米）", "面积（公顷）"), rows, (None, 0, 2, 4),
        ("合计", len(selection.placed), selection.area_m2, selection.area_m2 / M2_PER_HECTARE),
    )
    legend = Legend(f"{attribute.label}{unit}", keys, "个数", f"共 {len(selection.placed):,} 个要素，{_hectares(selection.area_m2)} 公顷")
    return Drawn(marks, legend, (table,), (), (f"分级办法：{words()['methods'][spec.method]}，{len(limits) + 1} 级；等于界限的归上一级",))


def _sum(placed: Sequence[Placed]) -> Decimal:
    return sum((each.area_m2 for each in placed), Decimal("0.00"))


def _feature_numbers(selection: Selection, key: str) -> tuple[Attribute, list[Decimal | None], int]:
    """The numbers of the features under an attribute; areas in hectares."""
    if key == "area":
        return Attribute("area", "图斑面积", True, "公顷"), [each.area_m2 / M2_PER_HECTARE for each in selection.placed], 2
    found = next((each for each in number_attributes(selection.definition) if each.key == key), None)
    if found is None:
        raise InvalidData("这个图层没有这个数值字段。请从列表里选。", {"field": "请改选字段"})
    values = [selection.definition.values(each.feature).get(key) for each in selection.placed]
    numbers = [None if value in (None, "") else Decimal(str(value)) for value in values]
    decimals = max((-each.normalize().as_tuple().exponent for each in numbers if each is not None), default=0)
    return found, numbers, min(2, max(0, decimals))


def draw_dots(_session: Session, selection: Selection, spec: MapSpec) -> Drawn:
    """Dots that each stand for an equal amount, strewn at random over the features that they stand for."""
    amounts, unit = _amounts(selection, spec.weight)
    whole = sum(amounts, Decimal(0))
    value = spec.dot or _round_amount(whole / DOTS_WANTED)
    if not whole:
        raise InvalidData("范围里没有要素，画不出点。请换范围或类别。", {"area": "范围里没有数据"})
    if whole / value > MOST_DOTS:
        least = _round_amount(whole / MOST_DOTS)
        raise InvalidData(f"一点代表 {value} {unit}，要画 {int(whole / value):,} 点，超过 {MOST_DOTS:,}。请改为不小于 {least}。", {"dot": f"请改为不小于 {least}"})
    places = density.strewn(selection.placed, amounts, value, zlib.crc32(f"{selection.definition.key}{spec.area}".encode()))
    said = f"{value.normalize():f} {unit}"
    colour = words()["dot_colour"]
    patches = numpy.array([each.geometry for each in selection.placed], dtype=object)
    marks = [Fill(patches, Ink("#e9efe4"), "", 0.0), Dots(places, colour, 0.28)]
    legend = Legend(
        f"{words()['weights'][spec.weight]}点密度", (Key(f"一点 = {said}", dot_mm=0.28, ink=Ink(colour)), Key("所代表的图斑", Ink("#e9efe4"))), "",
        f"共 {len(places):,} 点，{_hectares(selection.area_m2)} 公顷",
    )
    table = _class_table(groups_of(selection.definition, CLASS, selection.placed), selection)
    return Drawn(marks, legend, (table,), (), (mark("dots", value=said),))


def _amounts(selection: Selection, weight: str) -> tuple[list[Decimal], str]:
    if weight == "count":
        return [Decimal(1) for _ in selection.placed], "个"
    return [each.area_m2 / M2_PER_HECTARE for each in selection.placed], "公顷"


def _round_amount(value: Decimal) -> Decimal:
    """The next amount of 1, 2 or 5 times a power of ten that is not below the value."""
    if value <= 0:
        return Decimal(1)
    power = Decimal(1).scaleb(value.adjusted())
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def draw_heat(_session: Session, selection: Selection, spec: MapSpec) -> Drawn:
    """The density of features about every place, by a kernel of a stated bandwidth, in classes of equal steps."""
    if not selection.placed:
        raise InvalidData("范围里没有要素，算不出密度。请换范围或类别。", {"area": "范围里没有数据"})
    amounts, unit = _amounts(selection, spec.weight)
    surface = density.kernel_density(selection.placed, [float(each) for each in amounts], selection.extent, spec.bandwidth)
    levels = words()["heat_levels"]
    inks = ramp(spec.ramp, levels)
    step = surface.highest / levels
    marks, keys, rows = [], [], []
    decimals = 2 if surface.highest < 10 else 1 if surface.highest < 100 else 0
    for place, ink in enumerate(inks):
        low, high = step * place, step * (place + 1)
        shape = surface.above(low) if place else None
        if shape is not None and not shape.is_empty:
            marks.append(Fill(shape, ink, "", 0.0, opacity=1.0))
        label = f"{low:,.{decimals}f} — {high:,.{decimals}f}"
        keys.append(Key(label, ink))
        rows.append((label, Decimal(str(round(surface.share_above(low) - surface.share_above(high), 6))) * 100))
    ground = Fill(selection.extent, inks[0], "", 0.0, is_simplified=True)
    said = f"{unit}/平方公里"
    notes = (mark("heat", bandwidth=f"{surface.bandwidth_m:,.0f}", cell=f"{surface.cell_m:,.0f}", weight=words()["weights"][spec.weight]),)
    table = Table(f"密度分级（{said}）", (f"密度（{said}）", "占范围面积（%）"), tuple(rows), (None, 1))
    by_class = _class_table(groups_of(selection.definition, CLASS, selection.placed), selection)
    return Drawn([ground, *marks], Legend(f"密度（{said}）", tuple(keys), "", _total(measures()[0], selection)), (table, by_class), (), notes)


def draw_flow(session: Session, selection: Selection, spec: MapSpec) -> Drawn:
    """Arrows between places, in widths by classes of the number that goes from one to the other."""
    found = typed_flows(session, selection, spec) if spec.is_typed else layer_flows(session, selection, spec)
    drawn = [flow for flow in found.rows if flow.origin != flow.destination]
    decimals = min(4, max((-flow.value.normalize().as_tuple().exponent for flow in found.rows), default=0))
    marks: list = [Fill(shape, Ink("#f3f1e6"), words()["base"]["boundary"], 0.2) for shape in _ground(selection)]
    curves, keys = _curves(drawn, found.places, min(2, max(0, decimals)))
    unit = f"（{found.unit}）" if found.unit else ""
    rows = tuple((flow.origin, flow.destination, flow.value) for flow in found.rows)
    table = Table("起讫表", ("起点", "终点", f"数值{unit}"), rows, (None, None, max(0, decimals)),
                  ("合计", "", sum((flow.value for flow in found.rows), Decimal(0))))
    used = sorted({name for flow in found.rows for name in (flow.origin, flow.destination)})
    names = [Name(found.places[name], name, is_always=True) for name in used] if len(used) <= MOST_NAMED else []
    legend = Legend(f"流量{unit}", keys, "条数", f"共 {len(found.rows)} 条")
    return Drawn([*marks, *curves], legend, (table,), names, tuple(_flow_notes(selection, spec, found, len(found.rows) - len(drawn))))


def _curves(flows: Sequence[Flow], places: Mapping[str, BaseGeometry], decimals: int) -> tuple[list[Curve], tuple[Key, ...]]:
    """The arrows, the widest below, and the classes of their widths in the legend."""
    values, colour = [flow.value for flow in flows], words()["flow_colour"]
    limits = inner_limits(values, "natural", len(FLOW_WIDTHS))
    widths = FLOW_WIDTHS[-len(limits) - 1 :]
    spans = [[value for value in values if class_of(value, limits) == place] for place in range(len(widths))]
    middles = {name: _middle(places[name]) for name in {end for flow in flows for end in (flow.origin, flow.destination)}}
    curves = [
        Curve(middles[flow.origin], middles[flow.destination], widths[class_of(flow.value, limits)], colour)
        for flow in sorted(flows, key=lambda each: -each.value)
    ]
    keys = [
        Key(_span_words(span, decimals), Ink(colour), str(len(span)), line_mm=width) for span, width in zip(spans, widths, strict=True) if span
    ]
    return curves, tuple(keys)


def _span_words(values: Sequence[Decimal], decimals: int) -> str:
    low, high = number_words(min(values), decimals), number_words(max(values), decimals)
    return low if low == high else f"{low} — {high}"


def _flow_notes(selection: Selection, spec: MapSpec, found: Flows, standing: int) -> Iterator[str]:
    yield mark("flow") if spec.is_typed else mark("flow_layer", **end_words(spec, selection.definition))
    if standing:
        yield mark("flow_standing", count=standing)
    if found.left_out:
        yield mark("flow_left_out", count=f"{found.left_out:,}")


def _ground(selection: Selection) -> list[BaseGeometry]:
    codes = set(selection.district_codes)
    return [each.geometry for each in load_account_areas() if each.code in codes]


def _middle(shape: BaseGeometry) -> tuple[float, float]:
    """Where a polygon has most room; a point of a line or point."""
    polygons = polygons_of(shape)
    if not polygons:
        point = shapely.point_on_surface(shape)
        return point.x, point.y
    largest = max(polygons, key=lambda each: each.area)
    x, y = shapely.maximum_inscribed_circle(largest, tolerance=largest.length / 1000).coords[0]
    return x, y


KINDS: dict[str, Callable[[Session, Selection, MapSpec], Drawn]] = {
    "single": draw_single, "ranges": draw_ranges, "dots": draw_dots, "heat": draw_heat, "flow": draw_flow,
}
