"""落图: what the layers of the one map answer about a range, before it is put on the map and into its case."""

from dataclasses import dataclass
from decimal import Decimal

import shapely
from sqlmodel import Session

from domain.area import sum_m2
from domain.errors import NotFound, OutsideSystemDown
from domain.land_use_class import land_use_class
from domain.layer import edition_on, features_in, layer_definition
from domain.overlay import overlapping_area_m2

LAYERS = ("land_use", "permanent_farmland")


@dataclass(frozen=True, slots=True)
class Met:
    """Plots of one class that a range meets: how many, and the area of the range on them in m²."""

    layer: str
    label: str
    count: int
    area_m2: Decimal


def plots_met(session: Session, geometry: shapely.MultiPolygon) -> list[Met]:
    """What a range (EPSG:4490, valid) meets in each layer, by class; OutsideSystemDown while a layer gives no answer."""
    return [each for layer in LAYERS for each in _met(session, layer, geometry)]


def _met(session: Session, layer: str, geometry: shapely.MultiPolygon) -> list[Met]:
    title = layer_definition(layer).title
    try:
        edition_on(session, layer)
    except NotFound as error:
        raise OutsideSystemDown(f"“一张图”空间服务没有返回「{title}」的数据，暂时不能落图。范围没有存入，请稍后重新获取；仍不行的，请联系窗口。") from error
    by_class: dict[str, list[Decimal]] = {}
    for feature in features_in(session, layer, geometry):
        area = overlapping_area_m2(geometry, feature.geometry)
        if area:
            by_class.setdefault(_label(layer, feature.class_code), []).append(area)
    return [Met(title, label, len(areas), sum_m2(areas)) for label, areas in sorted(by_class.items())]


def _label(layer: str, class_code: str) -> str:
    return f"{class_code} {land_use_class(class_code).name}" if layer == "land_use" else class_code
