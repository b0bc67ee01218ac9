"""What the pages of layers share: the frame of one layer, its tabs, its links, and values in words."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import quote

from starlette.requests import Request

from domain import format, role
from domain.actor import Actor
from domain.district import district_name, load_account_areas
from domain.layer import CHANGES, FeatureData, LayerDefinition
from domain.layer.catalogue import Entry, words
from domain.layer.definition import LayerColumn
from domain.layer.history import Version
from domain.layer.rights import RIGHT
from domain.layer.tables import LayerEdition
from domain.map_legend import BY_KEY
from domain.overlay_run.words import class_words
from views.map_found import url
from views.shell import Crumb, Link

CURRENT = "layers"
HOME = Link("layers", "图层")


def crumbs(entry: Entry, *more: Crumb) -> tuple[Crumb, ...]:
    """The way to a page of a layer."""
    return Crumb("图层", HOME), Crumb(entry.title, Link("layer", entry.title, {"key": entry.key}) if more else None), *more


def tabs(request: Request, entry: Entry, current: str) -> Sequence[Mapping[str, Any]]:
    """The pages of a layer, and where else it leads; a layer without data has its description alone."""
    places = [("layer", "说明")] + ([("layer_features", "要素"), ("layer_versions", "版本")] if entry.has_data else [])
    found: list[Mapping[str, Any]] = [{"label": label, "href": url(request, name, key=entry.key), "is_current": name == current} for name, label in places]
    if entry.has_data and entry.key in BY_KEY:
        found.append({"label": "在一张图上看", "href": map_href(request, entry.key), "is_end": True})
    return found


def map_href(request: Request, key: str) -> str:
    """The one map with this layer alone, above the districts."""
    return f"{url(request, 'map')}?layers={quote(map_groups([key]))}"


def map_groups(keys: Iterable[str]) -> str:
    """The groups of these layers above the districts, as an address of the one map takes them."""
    shown = dict.fromkeys(("administrative_area", *keys))
    return ",".join(f"{key}.{group.key}" for key in shown if key in BY_KEY for group in BY_KEY[key].groups)


def update_href(request: Request, actor: Actor, key: str) -> str:
    """Where the layer is updated; empty for those who may not, and where the portal has no such page."""
    may = role.may(actor, RIGHT) and "update_layer" in request.app.state.route_names
    return url(request, "update_layer", key=key) if may else ""


def security_words(level: str) -> str:
    """A security level in words."""
    return words()["security_levels"][level]


def class_label(definition: LayerDefinition, code: str) -> str:
    """A class with its name."""
    return class_words(definition.key, definition.class_field, code)


def districts_of(entry: Entry) -> list[Mapping[str, str]]:
    """The districts that a filter offers: those whose features one may see."""
    return [{"value": each.code, "label": each.name} for each in load_account_areas() if entry.districts is None or each.code in entry.districts]


def scope_words(entry: Entry) -> str:
    """Which part of the layer one sees; empty text for all of it."""
    if entry.districts is None:
        return ""
    names = "、".join(district_name(code) for code in sorted(entry.districts))
    return f"按岗位授权，只列{names}的要素。" if names else "岗位授权没有写行政区，看不到要素。请联系本单位的系统管理员。"


def edition_words(version: Version) -> str:
    """An edition by its number and its day."""
    return f"第 {version.edition.number} 版，{version.edition.effective_on:%Y-%m-%d}"


def change_words(edition: LayerEdition) -> str:
    """What kind of change an edition was."""
    return CHANGES.get(edition.change or edition.extent, "更新")


def attributes(definition: LayerDefinition, feature: FeatureData) -> list[Mapping[str, Any]]:
    """Every field of a feature by its Chinese label and code, an empty one too; codes with their meaning."""
    values = definition.values(feature)
    found: list[Mapping[str, Any]] = [{"label": "账户区", "value": district_name(feature.district_code)}]
    return found + [{"label": f"{each.label}（{each.column}）", "value": value_words(each, values.get(each.name))} for each in definition.columns]


def value_words(column: LayerColumn, value: Any) -> Any:
    """A value as a person reads it: areas in three units, codes with their meaning, a dash for none."""
    if value is None or value == "":
        return "—"
    if isinstance(value, Decimal):
        return {"text": format.area_m2(value), "sub": f"{format.hectares(value)}，{format.mu(value)}"}
    return f"{value} {column.codes.get(str(value), '')}".rstrip()
