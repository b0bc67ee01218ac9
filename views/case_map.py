"""The map of one case as a page of its own, drawn by Folium for a frame of the case page; its scripts carry a nonce."""

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely
from jinja2 import Template
from markupsafe import escape
from shapely.geometry.base import BaseGeometry
from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from domain import outflow
from domain.case import scope
from domain.case_range import find_range, ranges_of, understand
from domain.errors import NotFound, Refused
from domain.land_use_class import land_use_class
from domain.layer import FeatureData, features_in
from views import page

if TYPE_CHECKING:
    import folium

POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)
"""The document is alone in its sandbox: its scripts reach neither the page around it nor its session."""
WORDS = Template("""
{% macro header(this, kwargs) %}
<style>.leaflet-container { background: #f6f6ee } .leaflet-bar, .leaflet-bar a { border-radius: 0 }</style>
{% endmacro %}
{% macro script(this, kwargs) %}
L.control.zoom({zoomInTitle: "放大", zoomOutTitle: "缩小"}).addTo({{ this._parent.get_name() }});
L.control.scale({imperial: false}).addTo({{ this._parent.get_name() }});
{% endmacro %}
""")
"""What Folium says in English only, or draws in grey."""
LAND_STYLE = {"color": "#7d8c86", "weight": 0.6, "fillColor": "#e3dcd6", "fillOpacity": 0.6}
ARABLE_STYLE = LAND_STYLE | {"fillColor": "#f1eccb"}
AROUND_DEGREES = 0.003
RANGE_STYLE = {"color": "#0b5468", "weight": 3, "fillColor": "#0b5468", "fillOpacity": 0.15}
PERMANENT_STYLE = {"color": "#8f1f10", "weight": 2, "dashArray": "10 3 2 3", "fillOpacity": 0.05, "fillColor": "#8f1f10"}
PROTECTED_STYLE = {"color": "#2f6b3a", "weight": 1.5, "dashArray": "4 3", "fillOpacity": 0.1, "fillColor": "#2f6b3a"}


@dataclass(frozen=True, slots=True)
class Shape:
    """A range as the map draws it: what its tooltip says, and its geometry in EPSG:4490."""

    label: str
    geometry: BaseGeometry


def show(request: Request) -> Response:
    """The ranges of a case and the permanent farmland they meet."""
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), request.path_params["case_id"])
        ranges = ranges_of(session, case.id)
        if not ranges:
            raise NotFound("本案还没有确认过的范围。请先上传并确认范围。")
        drawn = _map(request, session, [Shape(f"{row.label}　{row.area_m2:,} 平方米", row.geometry) for row in ranges])
    return _framed(request, drawn, case.title)


def show_range(request: Request) -> Response:
    """One range 落图查看, before or after it was confirmed; Refused while its quality rules find an error."""
    params = request.path_params
    with page.reading(request) as session:
        case = scope.find(session, page.actor(request), params["case_id"])
        row = find_range(session, case.id, params["range_id"])
        found = understand(session, case, row)
        if not found.is_usable or found.range.geometry is None:
            raise Refused(f"范围没有通过质检：{found.quality.message}。改正后重新上传，才能落图。", (found.quality,))
        drawn = _map(request, session, [Shape(f"{row.label}　{found.range.area_m2:,} 平方米", found.range.geometry)])
    return _framed(request, drawn, case.title)


def _framed(request: Request, drawn: "folium.Map", title: str) -> Response:
    nonce = secrets.token_urlsafe(16)
    icon = request.app.state.templates.environment.globals["asset"]("mark.svg")
    html = re.sub(r"<(script|style)\b", rf'<\1 nonce="{nonce}"', _readable(drawn.get_root().render(), title, icon))
    return HTMLResponse(html, headers={"Content-Security-Policy": POLICY.format(nonce=nonce), "Cache-Control": "no-store"})


def _readable(html: str, title: str, icon: str) -> str:
    """What Folium leaves out: the language, a title, an icon, a name of the map, and a view that people may enlarge."""
    html = html.replace("<html>", '<html lang="zh-Hans-CN">', 1)
    head = f'<head><title>范围图：{escape(title)}</title><link rel="icon" href="{escape(icon)}" type="image/svg+xml">'
    html = html.replace("<head>", head, 1)
    html = html.replace('<div class="folium-map"', '<div class="folium-map" role="region" aria-label="本案范围图，方向键移动，加减号缩放"', 1)
    return re.sub(r",\s*maximum-scale=1\.0,\s*user-scalable=no", "", html)


def _map(request: Request, session: Session, ranges: list[Shape]) -> "folium.Map":
    """A map without outside tiles: everything on it is from the portal."""
    import folium
    from branca.element import MacroElement

    asset = request.app.state.templates.environment.globals["asset"]
    whole = shapely.union_all([each.geometry for each in ranges])
    west, south, east, north = whole.bounds
    made = folium.Map(tiles=None, zoom_control=False, attributionControl=False)
    made.default_js = [("leaflet", asset("vendor/leaflet/leaflet.js"))]
    made.default_css = [("leaflet_css", asset("vendor/leaflet/leaflet.css"))]
    worded = MacroElement()
    worded._template = WORDS
    worded.add_to(made)
    _surround(made, session, whole)
    met = _patches(session, whole)
    _add(made, "永久基本农田", _named(each for each in met if each.class_code == outflow.PERMANENT), PERMANENT_STYLE)
    _add(made, "耕地保护空间", _named(each for each in met if each.class_code != outflow.PERMANENT), PROTECTED_STYLE)
    _add(made, "本案范围", [(each.label, each.geometry) for each in ranges], RANGE_STYLE)
    folium.LayerControl(position="topleft", collapsed=False).add_to(made)
    made.fit_bounds([[south, west], [north, east]], padding=(30, 30))
    return made


def _surround(made: "folium.Map", session: Session, whole: BaseGeometry) -> None:
    """The plots around, arable ones apart, so that one sees where the range lies."""
    if not outflow.is_loaded(session, outflow.LAND_LAYER):
        return
    land = features_in(session, outflow.LAND_LAYER, shapely.box(*shapely.buffer(shapely.box(*whole.bounds), AROUND_DEGREES).bounds))
    arable = [each for each in land if land_use_class(each.class_code).is_arable]
    _add(made, "耕地", _named(arable), ARABLE_STYLE)
    _add(made, "其他地类", _named(each for each in land if not land_use_class(each.class_code).is_arable), LAND_STYLE)


def _patches(session: Session, whole: BaseGeometry) -> list[FeatureData]:
    if not outflow.is_loaded(session, outflow.FARMLAND_LAYER):
        return []
    return features_in(session, outflow.FARMLAND_LAYER, whole)


def _named(features: Iterable[FeatureData]) -> list[tuple[str, BaseGeometry]]:
    return [(f"{each.key}　{each.class_code}　{each.area_m2:,} 平方米", each.geometry) for each in features]


def _add(made: "folium.Map", title: str, shapes: list[tuple[str, BaseGeometry]], style: dict) -> None:
    import folium

    if not shapes:
        return
    group = folium.FeatureGroup(name=title)
    for label, geometry in shapes:
        # Folium writes labels into HTML as they are; this one holds file names that people chose.
        safe = label.translate(str.maketrans({"&": "＆", "<": "＜", ">": "＞", "`": "｀", "\\": "＼", "$": "＄"}))
        shape = folium.GeoJson(shapely.geometry.mapping(geometry), style_function=lambda _feature, chosen=style: chosen)
        shape.add_child(folium.Tooltip(safe)).add_to(group)
    group.add_to(made)
