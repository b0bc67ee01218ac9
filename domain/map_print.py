"""The current view of the one map as a sheet: what is shown there, laid out like every other map."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from math import cos, radians
from typing import Any

import numpy
import shapely
from sqlmodel import Session

from domain import map_layer, map_time, portal_clock
from domain.actor import Actor
from domain.command import Work, command
from domain.errors import InvalidData, NotFound
from domain.format import M2_PER_HECTARE, date_formal
from domain.job import Job, JobResult, Progress, enqueue, job_handler
from domain.layer import LayerEdition, catalogue
from domain.layer.reading import edition_features, edition_of, latest_editions
from domain.map_layer import Place
from domain.map_legend import LAYERS, USUAL_OPACITY, MapGroup, MapLayer
from domain.map_look import look_of
from domain.map_view import map_users
from domain.thematic_map.colours import Ink, on_white
from domain.thematic_map.content import Content, Drawn, Fill, Key, Legend, Table
from domain.thematic_map.sheet import compose
from domain.thematic_map.spec import LONGEST_TITLE, number_words
from domain.thematic_map.words import label_of, mark, words
from domain.thematic_map.writing import workbook, written_sheet

KIND = "map_print"
SCREEN_DOTS = (1000, 700)
"""About the size of the map on a screen, for what an address with a zoom shows."""
RANGES = "ranges.range"
POINTED_OUT = "#f2b52a"
MOST_PRINTED, MOST_OUTLINED = 40_000, 4_000


@dataclass(frozen=True)
class PrintSpec:
    """What of the map is printed: groups (layer.group; None for those first shown), place and zoom, and by layer its opacity.

    `on` is the day of the whole map, `days` that of single layers; `order` are layers from the top, the others lie below.
    """

    layers: frozenset[str] | None = None
    at: tuple[float, float, float] | None = None
    on: date | None = None
    opacity: Mapping[str, float] = field(default_factory=dict)
    days: Mapping[str, date] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    title: str = ""
    paper: str = "a4"
    orientation: str = "landscape"
    secrecy: str = "internal"


def read_print(given: Mapping[str, str]) -> PrintSpec:
    """The print that an address asks for. Raises InvalidData by key."""
    faults: dict[str, str] = {}
    layers = frozenset(given["layers"].split(",")) if given.get("layers") is not None else None
    at = _place(given.get("at", ""), faults)
    opacity = dict(_opacity(given.get("opacity", ""), faults))
    on = _day(given.get("on") or given.get("date") or "", faults)
    days = dict(_days(given.get("days", ""), faults))
    title = given.get("title", "").strip()
    if len(title) > LONGEST_TITLE:
        faults["title"] = f"最多 {LONGEST_TITLE} 字"
    chosen = {}
    for key, group in (("paper", "papers"), ("orientation", "orientations"), ("secrecy", "secrecy")):
        chosen[key] = given.get(key) or getattr(PrintSpec, key)
        if chosen[key] not in words()[group]:
            faults[key] = "请从列表里选"
    if faults:
        raise InvalidData("打印的设置有 " + str(len(faults)) + " 处不能采用。请改正。", faults)
    return PrintSpec(layers, at, on, opacity, days, tuple(filter(None, given.get("order", "").split(","))), title, **chosen)


def _place(text: str, faults: dict[str, str]) -> tuple[float, float, float] | None:
    if not text:
        return None
    try:
        longitude, latitude, zoom = (float(each) for each in text.split(","))
    except ValueError:
        faults["at"] = "应为“经度,纬度,级别”"
        return None
    if not (119 < longitude < 124 and 30 < latitude < 33 and 5 <= zoom <= 20):
        faults["at"] = "不在上海附近"
        return None
    return longitude, latitude, zoom


def _opacity(text: str, faults: dict[str, str]):
    """Pairs like land_use:60,annual_farmland:90, in percent."""
    for each in filter(None, text.split(",")):
        key, _, percent = each.partition(":")
        if not percent.isdecimal() or not 0 <= int(percent) <= 100:
            faults["opacity"] = "应为“图层:百分数”"
            return
        yield key, int(percent) / 100


def _days(text: str, faults: dict[str, str]):
    """Pairs like land_use:2025-12-31."""
    for each in filter(None, text.split(",")):
        key, _, day = each.partition(":")
        if (found := _day(day, faults)) is not None:
            yield key, found


def _day(text: str, faults: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        faults["on"] = "应写成 2026-01-01 的样子"
        return None


def extent_of(spec: PrintSpec, place: Place | None) -> shapely.Polygon:
    """What of the ground is printed: what the address shows, else what it points out, else the whole city."""
    if spec.at is not None:
        longitude, latitude, zoom = spec.at
        wide = 360 / (256 * 2**zoom) * SCREEN_DOTS[0] / 2
        high = 360 / (256 * 2**zoom) * SCREEN_DOTS[1] / 2 * cos(radians(latitude))
        return shapely.box(longitude - wide, latitude - high, longitude + wide, latitude + high)
    if place is None:
        return shapely.box(*map_layer.WHOLE_CITY)
    west, south, east, north = place.bounds
    margin = max(east - west, north - south, 0.002) * 0.06
    return shapely.box(west - margin, south - margin, east + margin, north + margin)


@dataclass
class _Drawn:
    """What the layers of a print come to, from the bottom to the top."""

    marks: list[Fill] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    source: list[str] = field(default_factory=list)
    is_generated: bool = False


def content_of(session: Session, actor: Actor, spec: PrintSpec, place: Place | None) -> Content:
    """The sheet of the current view, with the actor's rights. Raises InvalidData where there is too much to print, NotFound where no layer has data."""
    extent = extent_of(spec, place)
    moments = map_time.moments(session, actor)
    chosen = map_time.chosen(moments, spec.on, spec.days)
    layers = _drawn_layers(moments, chosen, spec)
    found = _draw_layers(session, actor, spec, extent, [(layer, chosen[layer.key].number) for layer in layers])
    _draw_pointed_out(session, actor, spec, extent, place, found)
    today = portal_clock.today(session)
    table = Table("图内要素", ("图层", "图例", "个数", "面积（平方米）", "面积（公顷）"), tuple(found.rows), (None, None, 0, 2, 4))
    legend = Legend("图内要素个数与面积（公顷）", tuple(reversed(found.keys)), "公顷")
    limited = (catalogue.limits(actor, layer.key) for layer in layers)
    notes = ("个数和面积按与图幅相交的整个图斑统计", *(each for each in limited if each), mark("boundaries"), *((mark("generated_note"),) if found.is_generated else ()))
    return Content(
        title=spec.title or (f"{place.label}地图" if place else "一张图"), subtitle=_subtitle(spec, today),
        extent=extent, outline=None, drawn=Drawn(found.marks, legend, (table,)),
        source=("数据来源：" + "、".join(found.source) if found.source else "没有显示图层", "坐标系：CGCS2000"),
        notes=notes, secrecy="" if spec.secrecy == "none" else label_of("secrecy", spec.secrecy), stamp=mark("generated") if found.is_generated else "",
        maker=f"打印：{actor.name}　{date_formal(today)}",
    )


def _draw_layers(session: Session, actor: Actor, spec: PrintSpec, extent: shapely.Polygon, editions: Sequence[tuple[MapLayer, int]]) -> _Drawn:
    """The layers in their editions, the first one below."""
    found, latest = _Drawn(), latest_editions(session)
    for layer, number in editions:
        edition = edition_of(session, layer.key, number)
        marks, keys, rows = _layer(session, actor, layer, edition, spec, extent)
        found.marks += marks
        found.keys += keys
        found.rows += rows
        found.source.append(f"{layer.title}第 {edition.number} 版（{date_formal(edition.effective_on)}起）")
        found.is_generated |= latest[layer.key].is_generated
    return found


def _draw_pointed_out(session: Session, actor: Actor, spec: PrintSpec, extent: shapely.Polygon, place: Place | None, found: _Drawn) -> None:
    """The ranges of cases above the layers, and above all what the address points out."""
    if (ranges := _ranges(session, actor, spec, extent)) is not None:
        found.marks.append(ranges)
        found.keys.append(Key("办件范围", _as_seen(ranges)))
    if place is not None and not place.point and (outlines := map_layer.outlines(session, actor, place)):
        found.marks.append(Fill([shape for _name, shape in outlines], None, POINTED_OUT, 0.9, is_simplified=False))
        found.keys.append(Key(place.label, None, "", stroke=POINTED_OUT))


def _drawn_layers(moments: Mapping[str, Any], chosen: Mapping[str, Any], spec: PrintSpec) -> list[MapLayer]:
    """The layers that are shown and have data on their day. Raises NotFound where none of those asked for has."""
    asked = [layer for layer in _in_order(spec.order) if layer.key in moments and _shown(layer, spec)]
    found = [layer for layer in asked if layer.key in chosen]
    if asked and not found:
        raise NotFound("显示的图层在这一天都还没有数据，没有打印。请换一个日期，或显示别的图层。")
    return found


def _subtitle(spec: PrintSpec, today: date) -> str:
    whole = f"{date_formal(spec.on)}的状态" if spec.on else f"{date_formal(today)}的现状"
    return whole + ("，部分图层为其他日期，见数据来源" if spec.days else "")


def _shown(layer: MapLayer, spec: PrintSpec) -> bool:
    if spec.layers is None:
        return layer.is_shown
    return any(f"{layer.key}.{group.key}" in spec.layers for group in layer.groups)


def _in_order(order: Sequence[str]) -> list[MapLayer]:
    """The layers of the map from the bottom to the top; those of the order (from the top) above all others."""
    return sorted(LAYERS, key=lambda layer: -order.index(layer.key) if layer.key in order else -len(LAYERS) - 1)


def _layer(session: Session, actor: Actor, layer: MapLayer, edition: LayerEdition, spec: PrintSpec, extent: shapely.Polygon):
    """The marks, legend lines and table rows of a layer's groups within the extent."""
    wanted = [group for group in layer.groups if spec.layers is None or f"{layer.key}.{group.key}" in spec.layers]
    found = edition_features(session, edition, extent, catalogue.districts_of(actor, layer.key))
    if len(found) > MOST_PRINTED:
        raise InvalidData(f"图内“{layer.title}”有 {len(found):,} 个要素，超过 {MOST_PRINTED:,}，没有打印。请放大后再打印，或关掉这个图层。")
    alike: dict[str, list] = {group.key: [] for group in layer.groups}
    for feature in found:
        alike[layer.group_of(feature)].append(feature)
    marks, keys, rows = [], [], []
    for group in wanted:
        features = alike[group.key]
        fill = _fill(group, [each.geometry for each in features], spec.opacity.get(layer.key, USUAL_OPACITY / 100))
        area_m2 = sum((each.area_m2 for each in features), Decimal("0.00"))
        if features:
            marks.append(fill)
            number = "" if layer.key == map_layer.DISTRICT_LAYER else number_words(area_m2 / M2_PER_HECTARE, 2)
            keys.append(Key(group.label, _as_seen(fill), number, stroke=fill.stroke))
            rows.append((layer.title, group.label, len(features), area_m2, area_m2 / M2_PER_HECTARE))
    return marks, keys, rows


def _fill(group: MapGroup, shapes: list, opacity: float) -> Fill:
    """The mark of a group on paper, which has the look of the screen; of very many shapes the lines between fills are left out."""
    look = group.look
    ink = Ink(look.fill, look.pattern) if look.fill else None
    stroke_mm = look.width_mm if len(shapes) < MOST_OUTLINED or ink is None else 0.0
    return Fill(numpy.array(shapes, dtype=object), ink, look.stroke, stroke_mm, look.dash_mm, look.opacity * opacity)


def _as_seen(fill: Fill) -> Ink | None:
    """The ink of a fill as it looks on white paper."""
    return Ink(on_white(fill.ink.colour, fill.opacity), fill.ink.pattern) if fill.ink else None


def _ranges(session: Session, actor: Actor, spec: PrintSpec, extent: shapely.Polygon) -> Fill | None:
    """The ranges of cases in the actor's scope, where the map shows them."""
    if spec.layers is not None and RANGES not in spec.layers:
        return None
    found = [row.geometry for row, _case in map_layer.ranges_in(session, actor, extent.bounds)]
    look = look_of("m-pick")
    return Fill(found, Ink(look.fill), look.stroke, look.width_mm, opacity=look.opacity) if found else None


def feature_count(content: Content) -> int:
    """How many features of layers are in view."""
    return sum(int(row[2]) for table in content.drawn.tables for row in table.rows)


def file_name(content: Content, kind: str) -> str:
    """What the file is called."""
    plain = "".join(each for each in content.title if each.isalnum() or each in "（）-—") or "地图"
    return f"{plain[:60]}.{kind}"


def written(content: Content, spec: PrintSpec, kind: str) -> bytes:
    """The sheet as a file of one of the formats of thematic maps."""
    if kind == "xlsx":
        return workbook(content, content.drawn.tables)
    sheet = compose(content, spec.paper, spec.orientation)
    return sheet.svg.encode() if kind == "svg" else written_sheet(sheet, content, content.drawn.tables, spec.paper, spec.orientation, kind)


@command("map_print.export", allow=map_users)
def request_print(work: Work, given: Mapping[str, str], kind: str) -> Job:
    """Queue a print of very much."""
    return enqueue(work, KIND, f"打印地图（{kind.upper()}）", {"given": dict(given), "format": kind})


@job_handler(KIND, resumable=True)
def run_print(progress: Progress, arguments: Mapping[str, Any]) -> JobResult:
    """Read, draw and keep the sheet, with the rights that the owner has when it runs."""
    given, kind = arguments["given"], arguments["format"]
    spec = read_print(given)
    progress.tell(0, 2, "读取图内要素")
    with progress.reading() as session:
        actor = progress.owner(session)
        content = content_of(session, actor, spec, map_layer.sought(session, actor, given)[1])
    progress.tell(1, 2, f"绘制 {feature_count(content):,} 个要素")
    name = file_name(content, kind)
    received = progress.office.files.put_bytes(written(content, spec, kind), name, allowed=(kind,))
    return JobResult({"features": feature_count(content)}, received, name)
