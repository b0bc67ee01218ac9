"""Layers as a DXF drawing: closed lines, lines and points on layers of their names, values as extended data (XDATA)."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import ezdxf
import numpy
import shapely
from ezdxf import units
from ezdxf.layouts import Modelspace

from domain.errors import InvalidData
from domain.projection import CoordinateSystem, from_storage
from domain.spatial_file.drawing import OWN_APPLICATION
from domain.spatial_file.model import FileLayer
from domain.spatial_file.written_column import check_texts

RING_FIELDS = ("BFH", "QH", "YSH")
"""Part number 部分号, ring number 圈号 (1 outside, 2 and up its holes) and feature number 要素号 of a closed line."""
_LONGEST_BYTES = 255
_FORBIDDEN = re.compile(r"[<>/\\\":;?*|=\'`,\x00-\x1f]")


def write_drawing(path: Path, layers: Sequence[FileLayer], system: CoordinateSystem) -> list[str]:
    """Write layers given in EPSG:4490 to a DXF (2010, UTF-8) in `system`; what a reader has to know, in Chinese.

    Every ring is a closed line of its own: its extended data say of which feature and part it is. Raises InvalidData for
    values that extended data cannot hold.
    """
    document = ezdxf.new("R2010", units=units.M if system.is_projected else units.UNITLESS)
    document.appids.add(OWN_APPLICATION)
    notes = [f"DXF 不记坐标系：图中坐标为 {system.title}，读取时请声明。"]
    for layer in layers:
        name = _FORBIDDEN.sub("_", layer.name)[:255] or "0"
        if name != layer.name:
            notes.append(f"图层“{layer.name}”在 DXF 里名为“{name}”。")
        if name not in document.layers:
            document.layers.add(name)
        notes += _write_layer(document.modelspace(), layer, name, system)
    document.saveas(path)
    return notes


def _write_layer(space: Modelspace, layer: FileLayer, name: str, system: CoordinateSystem) -> list[str]:
    texts = {field.name: [_text(field.name, value) for value in layer.columns[field.name]] for field in layer.fields}
    check_texts(layer, texts, "utf-8", _LONGEST_BYTES)
    rings, empty = 0, 0
    for row, shape in enumerate(layer.geometries):
        if shape is None or shape.is_empty:
            empty += 1
            continue
        values = [column[row] for column in texts.values()]
        found = list(_drawn(space, shapely.force_2d(from_storage(shape, system)), name))
        rings += sum(ring > 1 for _, _, ring in found)
        for entity, part, ring in found:
            marks = [f"{key}={value}" for key, value in zip(RING_FIELDS, (part, ring, row + 1), strict=True)]
            entity.set_xdata(OWN_APPLICATION, [(1000, text) for text in (*values, *(marks if ring else marks[2:]))])
    notes = [f"图层“{layer.name}”有 {rings} 个内圈，各写为一条闭合多段线，扩展数据里写明部分号和圈号。"] if rings else []
    return notes + ([f"图层“{layer.name}”有 {empty} 行没有图形，没有写出。"] if empty else [])


def _text(field: str, value: Any) -> str:
    return f"{field}={'' if value is None else value}".replace("\n", " ").replace("\r", " ")


def _drawn(space: Modelspace, shape: shapely.Geometry, layer: str) -> Iterator[tuple[Any, int, int]]:
    """(entity, part number, ring number) of every line and point of a geometry; the ring number is 0 for no ring."""
    style = {"layer": layer}
    for part, each in enumerate(shapely.get_parts(shape), start=1):
        if each.geom_type == "Polygon":
            for ring, line in enumerate((each.exterior, *each.interiors), start=1):
                yield space.add_lwpolyline(_points(line)[:-1], close=True, dxfattribs=style), part, ring
        elif each.geom_type == "LineString":
            yield space.add_lwpolyline(_points(each), dxfattribs=style), part, 0
        elif each.geom_type == "Point":
            yield space.add_point((each.x, each.y), dxfattribs=style), part, 0
        else:
            raise InvalidData(f"图形类型 {each.geom_type} 不能写入 DXF。请改用 GeoPackage 导出。")


def _points(line: shapely.Geometry) -> numpy.ndarray:
    return shapely.get_coordinates(line)
