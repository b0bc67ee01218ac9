"""Laying a map out on paper: title, double neatline with the graticule, window, legend, scale bar, north, margin."""

from dataclasses import dataclass
from typing import Any

import numpy
import shapely

from domain.district import city_territory, load_account_areas
from domain.thematic_map.content import Content, Curve, Dots, Fill, Key, Legend, Name
from domain.thematic_map.svg import INK, Svg, lines_of, shortened, text_width
from domain.thematic_map.window import Box, Window, label_place, open_window, scale_bar, ticks
from domain.thematic_map.words import mark, words

SIMPLIFY_MM, SMALLEST_MM2 = 0.06, 0.05
"""What the eye does not see on paper: a bend of this width, a bit of this size."""
COARSE_FROM = 60_000
"""Drawings with more vertices than this lose bits below `SMALLEST_MM2`."""
BAND = 5.0
"""Between the inner and the outer neatline, where the coordinates stand."""
SOFT = "#56676e"


@dataclass(frozen=True)
class Layout:
    """The places of the parts of a sheet, in millimetres."""

    width: float
    height: float
    window: Box
    legend: Box
    title_y: float
    foot_y: float
    columns: int
    is_screen: bool = False
    paper_note: str = ""


def layout_of(paper: str, orientation: str, key_count: int = 0) -> Layout:
    """Where things stand on a paper: the legend on the right of a landscape sheet, below the map on a portrait one."""
    size = words()["papers"][paper]
    if size.get("is_screen"):
        width, height = size["width_mm"], size["height_mm"]
        return Layout(width, height, Box(8, 20, width - 16, 92), Box(3, 121, width - 6, 46), 9.0, height - 15, 2, True)
    short, long = size["width_mm"], size["height_mm"]
    note = mark("paper", paper=size["label"], orientation=words()["orientations"][orientation])
    if orientation == "landscape":
        side = 62.0
        window = Box(16, 33, long - 16 - side - 18, short - 33 - 30)
        return Layout(long, short, window, Box(long - side - 9, 28, side - 3, short - 28 - 25), 16.0, short - 19.5, 1, paper_note=note)
    columns = 3 if short < 250 else 4
    tall = 17.0 + 6.4 * min(9, max(2, -(-key_count // columns)))
    window = Box(16, 33, short - 32, long - 33 - tall - 34)
    return Layout(short, long, window, Box(11, long - tall - 24, short - 22, tall), 16.0, long - 19.5, columns, paper_note=note)


@dataclass(frozen=True)
class Sheet:
    """A laid-out map: its SVG, its scale, and what was drawn coarsely."""

    svg: str
    denominator: int
    width: float
    height: float


def compose(content: Content, paper: str, orientation: str) -> Sheet:
    """The sheet of a map on a paper (a4, a3 or phone), landscape or portrait."""
    layout = layout_of(paper, orientation, len(content.drawn.legend.keys))
    window = open_window(content.drawn.extent or content.extent, layout.window)
    svg = Svg(layout.width, layout.height)
    svg.box(0, 0, layout.width, layout.height, "#ffffff")
    _ground(svg, window, content)
    is_coarse = _marks(svg, window, content)
    _outline(svg, window, content)
    _names(svg, window, content)
    _crosses(svg, window)
    svg.end_window()
    _furniture(svg, window, layout)
    _neatline(svg, window, layout)
    _title(svg, layout, content)
    _beside(svg, layout, content, window, _legend(svg, layout, content.drawn.legend))
    _foot(svg, layout, window, content, is_coarse)
    description = f"{content.drawn.legend.title}；比例尺 1:{window.denominator:,}；图后的数据见同页表格。"
    return Sheet(svg.document(content.title, description), window.denominator, layout.width, layout.height)


def scale_of(content: Content, paper: str, orientation: str) -> int:
    """The denominator at which `compose` will draw, without drawing."""
    layout = layout_of(paper, orientation, len(content.drawn.legend.keys))
    return open_window(content.drawn.extent or content.extent, layout.window).denominator


def _ground(svg: Svg, window: Window, content: Content) -> None:
    """Outside, city, and the schematic boundaries of districts, below everything else."""
    base, box = words()["base"], window.box
    svg.begin_window(box.x, box.y, box.width, box.height)
    svg.box(box.x, box.y, box.width, box.height, base["outside"])
    _polygons(svg, window, [city_territory()], base["city"], stroke="#9aa6a3", stroke_mm=0.35)
    for area in load_account_areas():
        _polygons(svg, window, [area.geometry], "", stroke="#b7bfba", stroke_mm=0.18, dash=(1.2, 0.6))


def _polygons(svg: Svg, window: Window, shapes: Any, fill: str, is_coarse: bool = False, **line: Any) -> None:
    svg.polygons(_seen(window, shapes, is_coarse), fill, **line)


def _seen(window: Window, shapes: Any, is_coarse: bool) -> numpy.ndarray:
    """What of the shapes can be seen in the window, in millimetres: cut, simplified, without what is too small."""
    paper = window.to_paper(numpy.asarray(shapes, dtype=object).ravel())
    paper = shapely.simplify(paper, SIMPLIFY_MM)
    box = window.box
    cut = shapely.clip_by_rect(paper, box.x - 2, box.y - 2, box.right + 2, box.bottom + 2)
    parts = shapely.get_parts(cut)
    while len(parts) and (shapely.get_type_id(parts) >= 4).any():
        parts = shapely.get_parts(parts)
    parts = parts[shapely.get_type_id(parts) == 3]
    return parts[shapely.area(parts) >= SMALLEST_MM2] if is_coarse else parts


def _marks(svg: Svg, window: Window, content: Content) -> bool:
    """Everything of the map itself; True if bits too small for the paper were left out."""
    vertices = sum(int(shapely.get_num_coordinates(each.geometry).sum()) for each in content.drawn.marks if isinstance(each, Fill))
    is_coarse = vertices > COARSE_FROM
    for place, each in enumerate(content.drawn.marks):
        if isinstance(each, Fill):
            _fill(svg, window, each, is_coarse, _shapes(content, place, each, is_coarse))
        elif isinstance(each, Dots):
            svg.dots(window.places(each.places) if len(each.places) else each.places, each.colour, each.radius_mm)
        elif isinstance(each, Curve):
            _curve(svg, window, each)
    return is_coarse


def _shapes(content: Content, place: int, each: Fill, is_coarse: bool) -> numpy.ndarray:
    """The shapes of a mark; in a coarse drawing their union, which is made once for all papers."""
    shapes = numpy.asarray(each.geometry, dtype=object).ravel()
    if not (is_coarse and each.is_simplified and len(shapes) > 1):
        return shapes
    if place not in content.dissolved:
        content.dissolved[place] = numpy.array([shapely.union_all(shapes)], dtype=object)
    return content.dissolved[place]


def _fill(svg: Svg, window: Window, each: Fill, is_coarse: bool, shapes: numpy.ndarray) -> None:
    stroke = each.stroke if not (is_coarse and each.stroke_mm < 0.2) else ""
    thin = 0.4 if is_coarse and each.ink is None and each.is_simplified and len(shapes) == 1 else 1.0  # outlines of thousands of patches
    svg.polygons(
        _seen(window, shapes, is_coarse), each.ink.colour if each.ink else "", each.ink.pattern if each.ink else "", stroke, each.stroke_mm * thin,
        tuple(length * thin for length in each.dash_mm), each.opacity,
    )


def _curve(svg: Svg, window: Window, each: Curve) -> None:
    """A quadratic curve that bends to the left of its way, so that there and back are two lines, with an arrow head."""
    (x1, y1), (x2, y2) = window.places(numpy.array([each.start, each.end])).tolist()
    length = max(1e-6, float(numpy.hypot(x2 - x1, y2 - y1)))
    bend_x, bend_y = (x1 + x2) / 2 + (y2 - y1) * 0.18, (y1 + y2) / 2 - (x2 - x1) * 0.18
    head = min(max(2.2, each.width_mm * 1.7), length / 2)
    places = numpy.linspace(0, 1, 33)[:, None]
    way = (1 - places) ** 2 * [x1, y1] + 2 * places * (1 - places) * [bend_x, bend_y] + places**2 * [x2, y2]
    kept = way[numpy.hypot(*(way - way[-1]).T) > head * 0.7]
    svg.line([tuple(each) for each in kept.tolist()], "#ffffff", each.width_mm + 0.5, is_round=True, opacity=0.8)
    svg.line([tuple(each) for each in kept.tolist()], each.colour, each.width_mm, opacity=0.8)
    along = (way[-1] - kept[-1]) / max(1e-6, float(numpy.hypot(*(way[-1] - kept[-1]))))
    across, tip = numpy.array([-along[1], along[0]]), way[-1]
    wide = max(head * 0.45, each.width_mm * 0.85)
    svg.area([tuple(tip), tuple(tip - along * head + across * wide), tuple(tip - along * head - across * wide)], each.colour)


def _outline(svg: Svg, window: Window, content: Content) -> None:
    """The edge of the chosen area over the map."""
    if content.outline is not None:
        _polygons(svg, window, [content.outline], "", stroke="#ffffff", stroke_mm=1.1)
        _polygons(svg, window, [content.outline], "", stroke="#8f1f10", stroke_mm=0.45, dash=(3, 0.8, 0.6, 0.8))


def _names(svg: Svg, window: Window, content: Content) -> None:
    """Names of what the map counts, else of the districts around; only where they have room."""
    names = list(content.drawn.names)
    if not names:
        around = load_account_areas() if window.denominator >= 100_000 else []
        own = content.outline
        names = [Name(each.geometry, each.name) for each in around if own is None or not shapely.covers(own, shapely.point_on_surface(each.geometry))]
    taken: list[shapely.Geometry] = []
    for each in sorted(names, key=lambda name: not name.is_always):
        _name(svg, window, each, bool(content.drawn.names), taken)


def _name(svg: Svg, window: Window, each: Name, is_subject: bool, taken: list[shapely.Geometry]) -> None:
    shape = shapely.clip_by_rect(window.to_paper(each.geometry), window.box.x, window.box.y, window.box.right, window.box.bottom)
    x, y, room = label_place(shape)
    if each.is_always:  # the end of an arrow stands in the middle
        y += 4.5
    size = 3.0 if is_subject else 2.7
    width = text_width(each.text, size)
    has_room = room * 2 >= width * 0.62
    has_below = bool(each.below) and room >= size * 1.3
    place = shapely.box(x - width / 2, y - size, x + width / 2, y + size * (1.5 if has_below else 0.4))
    if not room or not (has_room or each.is_always) or any(shapely.intersects(place, other) for other in taken):
        return
    taken.append(place)
    colour, halo = ("#ffffff", "") if each.is_light else (INK if is_subject else SOFT, "#ffffff")
    svg.text(x, y + (0 if has_below else size * 0.36), each.text, size, anchor="middle", is_bold=is_subject, colour=colour, halo=halo)
    if has_below:
        svg.text(x, y + size * 1.05, each.below, 2.4, anchor="middle", colour=colour, halo=halo)


def _crosses(svg: Svg, window: Window) -> None:
    """Small crosses where the round meridians and parallels meet."""
    longitudes, latitudes = ([tick.degrees for tick in ticks(window, edge)] for edge in ("bottom", "left"))
    if not longitudes or not latitudes:
        return
    met = numpy.array([(longitude, latitude) for longitude in longitudes for latitude in latitudes])
    for x, y in window.places(met).tolist():
        svg.line([(x - 1.2, y), (x + 1.2, y)], INK, 0.12, opacity=0.7)
        svg.line([(x, y - 1.2), (x, y + 1.2)], INK, 0.12, opacity=0.7)


def _furniture(svg: Svg, window: Window, layout: Layout) -> None:
    """Scale bar with the numeric scale, and north, inside the window on plates of paper."""
    box, bar = window.box, scale_bar(window.denominator, 30 if layout.is_screen else 46)
    length = bar.part_mm * bar.parts
    width = length + 16
    x, y = box.x + 2.5, box.bottom - 13.5
    svg.box(x, y, width, 11, "#ffffff", "#b7bfba", 0.15, opacity=0.92)
    if not layout.is_screen:  # a screen has no fixed size: only the bar holds there
        svg.text(x + 3.5, y + 3.6, f"1:{window.denominator:,}".replace(",", " "), 2.9, is_bold=True)
    left = x + 4.5
    for place in range(bar.parts):
        svg.box(left + place * bar.part_mm, y + 7.6, bar.part_mm, 1.3, INK if place % 2 == 0 else "#ffffff", INK, 0.18)
    for place in (0, 1, 2, 4):
        unit = bar.unit if place == bar.parts else ""
        anchor = "start" if unit else "middle"
        shift = -text_width(bar.words(place), 2.2) / 2 if unit else 0
        svg.text(left + place * bar.part_mm + shift, y + 6.8, bar.words(place) + unit, 2.2, anchor=anchor)
    _north(svg, box.right - 8.5, box.y + 4)


def _north(svg: Svg, x: float, y: float) -> None:
    """An arrow whose dark half is on the left; up is true north at the meridian of the middle."""
    svg.box(x - 5.5, y - 2, 11, 19.5, "#ffffff", "#b7bfba", 0.15, opacity=0.92)
    svg.text(x, y + 2.2, "北", 3.2, anchor="middle", is_bold=True, is_song=True)
    top, middle, bottom = y + 3.4, y + 12.6, y + 15.8
    svg.area([(x, top), (x - 3.1, bottom), (x, middle)], INK)
    svg.area([(x, top), (x + 3.1, bottom), (x, middle)], "#ffffff")
    svg.line([(x, top), (x + 3.1, bottom), (x, middle), (x - 3.1, bottom), (x, top)], INK, 0.2)


def _neatline(svg: Svg, window: Window, layout: Layout) -> None:
    """Inner and outer neatline with ticks at round minutes and their coordinates between."""
    box = window.box
    svg.box(box.x, box.y, box.width, box.height, "none", INK, 0.25)
    svg.box(box.x - BAND, box.y - BAND, box.width + 2 * BAND, box.height + 2 * BAND, "none", INK, 0.8)
    for edge, y, reach in (("top", box.y, -1.6), ("bottom", box.bottom, 1.6)):
        for tick in ticks(window, edge):
            svg.line([(tick.at, y), (tick.at, y + reach)], INK, 0.2)
            if box.x + 9 < tick.at < box.right - 9:
                svg.text(tick.at, y - 1.9 if reach < 0 else y + 3.9, tick.text, 2.1, anchor="middle")
    for edge, x, reach in (("left", box.x, -1.6), ("right", box.right, 1.6)):
        for tick in ticks(window, edge):
            svg.line([(x, tick.at), (x + reach, tick.at)], INK, 0.2)
            if box.y + 9 < tick.at < box.bottom - 9:
                svg.text(x - 1.9 if reach < 0 else x + 3.9, tick.at, tick.text, 2.1, anchor="middle", rotated=-90)


def _title(svg: Svg, layout: Layout, content: Content) -> None:
    """Title and subtitle over the sheet; the mark of secrecy on the left, the stamp of made-up data on the right."""
    middle = layout.width / 2
    size = 4.6 if layout.is_screen else 7.2
    room = layout.width - (12 if layout.is_screen else 84)
    while size > 3.6 and text_width(content.title, size) > room:
        size -= 0.2
    svg.text(middle, layout.title_y, shortened(content.title, size, room), size, anchor="middle", is_bold=True, is_song=True)
    if content.subtitle:
        svg.text(middle, layout.title_y + (4.4 if layout.is_screen else 6.4), shortened(content.subtitle, 3.1, room + 30), 3.1, anchor="middle", colour=SOFT)
    if layout.is_screen:
        return
    if content.secrecy:
        svg.text(layout.window.x - BAND, layout.title_y - 4, content.secrecy, 3.0, is_bold=True)
    if content.stamp:
        width = text_width(content.stamp, 3.0) + 5
        right = layout.width - 11
        svg.box(right - width, layout.title_y - 8, width, 6, "#ffffff", "#a52a17", 0.35)
        svg.text(right - width / 2, layout.title_y - 3.9, content.stamp, 3.0, anchor="middle", is_bold=True, colour="#a52a17")


def _legend(svg: Svg, layout: Layout, legend: Legend) -> float:
    """The legend in one column beside the map or several below it, closer where there are many; where it ends."""
    box = layout.legend
    svg.text(box.x, box.y + 3.4, "图例", 4.0, is_bold=True, is_song=True)
    svg.text(box.x + 11, box.y + 3.4, shortened(legend.title, 2.7, box.width - 12), 2.7, colour=SOFT)
    svg.line([(box.x, box.y + 5.4), (box.right, box.y + 5.4)], INK, 0.3)
    room = box.height - 9 - (5 if legend.total else 0)
    per_column = -(-len(legend.keys) // layout.columns)
    step = min(6.4, room / max(1, per_column))
    if layout.columns == 1 and legend.number_head:
        svg.text(box.right, box.y + 9.2, legend.number_head, 2.4, anchor="end", colour=SOFT)
    width = (box.width - 5 * (layout.columns - 1)) / layout.columns
    top = box.y + (11.2 if layout.columns == 1 and legend.number_head else 8.2)
    for place, key in enumerate(legend.keys):
        column, row = divmod(place, max(1, per_column))
        _key(svg, key, box.x + column * (width + 5), top + row * step, width, step)
    if legend.total:
        y = top + min(len(legend.keys), per_column) * step + 3.2
        svg.line([(box.x, y - 2.6), (box.right, y - 2.6)], "#cbd6d5", 0.2)
        unit = f"右边的数字是{legend.number_head}；" if layout.columns > 1 and legend.number_head else ""
        svg.text(box.x, y + 0.8, shortened(f"{unit}{legend.total}", 2.5, box.width), 2.5, colour=SOFT)
    return top + min(len(legend.keys), per_column) * step + (6 if legend.total else 0)


def _beside(svg: Svg, layout: Layout, content: Content, window: Window, y: float) -> None:
    """What stands beside a landscape map below the legend, as far as there is room: the ranking, and where the area lies."""
    if layout.columns > 1:
        return
    box, bottom = layout.legend, layout.legend.bottom
    extent = content.drawn.extent or content.extent
    if extent.envelope.area < city_territory().envelope.area * 0.5 and bottom - y > 42:
        bottom -= 38
        _locator(svg, Box(box.x, bottom + 4, box.width, 32), window)
    if content.drawn.bars and bottom - y > 10 + 3.4 * len(content.drawn.bars):
        _bars(svg, Box(box.x, y + 5, box.width, bottom - y - 6), content)


def _bars(svg: Svg, box: Box, content: Content) -> None:
    """The units from the largest number down, each as a bar in the ink of its class."""
    svg.text(box.x, box.y + 2.6, "由大到小", 3.2, is_bold=True, is_song=True)
    svg.line([(box.x, box.y + 4.4), (box.right, box.y + 4.4)], INK, 0.3)
    bars = content.drawn.bars
    step = min(5.0, (box.height - 7) / len(bars))
    size, left = min(2.5, step * 0.68), box.x + 17
    room = box.width - 17 - 15
    largest = max(each.number for each in bars) or 1.0
    for place, each in enumerate(bars):
        y = box.y + 6.2 + place * step
        svg.text(left - 1.5, y + step * 0.62, shortened(each.label, size, 15.5), size, anchor="end")
        svg.box(left, y + step * 0.12, max(0.2, room * each.number / largest), step * 0.66, each.ink.colour, "#6b7b76", 0.12)
        svg.text(box.right, y + step * 0.62, each.words or "—", size, anchor="end")


def _locator(svg: Svg, box: Box, window: Window) -> None:
    """The whole city in small, with the ground of the map marked."""
    svg.box(box.x, box.y, box.width, box.height, words()["base"]["outside"], INK, 0.2)
    small = open_window(city_territory(), box)
    svg.polygons(_seen(small, [city_territory()], False), "#ffffff", stroke="#7a6a58", stroke_mm=0.18)
    for area in load_account_areas():
        svg.polygons(_seen(small, [area.geometry], False), "", stroke="#cbd6d5", stroke_mm=0.1)
    ground = shapely.intersection(small.to_paper(window.ground()), box.shape)
    svg.polygons([ground], "#a52a17", stroke="#a52a17", stroke_mm=0.35, opacity=0.45)
    svg.text(box.x + 1.5, box.y + 3.6, "位置示意", 2.4, colour=SOFT)


def _key(svg: Svg, key: Key, x: float, y: float, width: float, step: float) -> None:
    high = min(4.0, step - 0.9)
    middle = y + high / 2
    if key.line_mm:
        svg.line([(x, middle), (x + 7, middle)], key.ink.colour if key.ink else INK, key.line_mm)
    elif key.dot_mm:
        svg.dots(numpy.array([[x + 3.5, middle]]), key.ink.colour if key.ink else INK, max(0.5, key.dot_mm))
    elif key.ink:
        svg.box(x, y, 7, high, key.ink.colour, "#6b7b76", 0.15, key.ink.pattern)
    else:
        svg.box(x, y, 7, high, "none", key.stroke or INK, 0.4)
    size = min(2.9, step * 0.62)
    taken = text_width(key.number, size) + 2 if key.number else 0
    room = width - 9 - taken
    fitting = max(2.1, min(size, size * room / max(0.1, text_width(key.label, size))))
    svg.text(x + 8.6, middle + size * 0.36, shortened(key.label, fitting, room), fitting)
    if key.number:
        svg.text(x + width, middle + size * 0.36, key.number, size, anchor="end")


def _foot(svg: Svg, layout: Layout, window: Window, content: Content, is_coarse: bool) -> None:
    """Source, projection, how it was drawn, and by whom, below the neatline."""
    meridian = _degrees(window.projection.meridian)
    notes = [mark("projection", meridian=meridian), mark("north", convergence=f"{window.convergence_minutes:.0f}"), *content.notes, layout.paper_note]
    if is_coarse:
        notes.append(mark("dissolved", smallest=SMALLEST_MM2))
    x, y = layout.window.x - BAND if not layout.is_screen else 3.0, layout.foot_y
    size, room = 2.3, layout.width - 2 * (layout.window.x - BAND if not layout.is_screen else 3.0)
    if layout.is_screen:
        for line in lines_of("；".join(content.source), size, room)[:4]:
            svg.text(x, y, line, size, colour=SOFT)
            y += 3.2
        return
    svg.text(x, y, shortened("　".join(content.source), size, room), size)
    for line in lines_of("说明：" + "；".join(notes) + "。", size, room)[:3]:
        y += 3.4
        svg.text(x, y, line, size, colour=SOFT)
    svg.text(x + room, layout.foot_y, content.maker, size, anchor="end")


def _degrees(longitude: float) -> str:
    minutes = round(longitude * 60)
    return f"{minutes // 60}°{minutes % 60:02d}′E"

