"""Packages and schemes that the tests of inspection share: a clean one, to be spoiled in one place."""

from datetime import date
from pathlib import Path
from typing import Any

import numpy
import yaml

import rules
from domain.area import area_m2
from domain.inspection import InspectionResult, Scheme, inspect, schemes
from domain.inspection.scheme import read_scheme
from domain.projection import system_of_srid
from domain.spatial_file import FileField, FileLayer, SpatialFile
from rules.engine import RuleBook

ON = date(2026, 6, 1)
BOOK = RuleBook([Path(rules.__file__).parent / "sets"], engine="python")
LAYER, DISTRICT, WEST, SOUTH, SIDE = "BHTB", "310117", 121.2, 31.0, 0.001
LENGTHS = {"BSM": 18, "YSDM": 10, "XZQDM": 12, "XZQMC": 100, "TBBH": 20, "DLBM": 5, "DLMC": 60, "QSXZ": 2, "YJJBNTLX": 20, "DRDC": 4, "SJNF": 4, "BZ": 255}


def square(column: float, row: float, side: float = 1) -> Any:
    """A square of the grid of parcels, in EPSG:4490 within Songjiang."""
    import shapely

    x, y = WEST + column * SIDE, SOUTH + row * SIDE
    return shapely.box(x, y, x + side * SIDE, y + side * SIDE)


def array(values) -> numpy.ndarray:
    """Anything as a one-dimensional array of objects."""
    found = numpy.empty(len(values), dtype=object)
    found[:] = list(values)
    return found


def layer_of(name: str, geometries, columns: dict[str, list], fields=None, srid: int | None = 4490, kind="Polygon", **more) -> FileLayer:
    """A layer built by hand."""
    declared = fields or tuple(FileField(key, "", "text", 50) for key in columns)
    system = None if srid is None else system_of_srid(srid)
    return FileLayer(name, kind, declared, array(geometries), {key: array(each) for key, each in columns.items()}, system, **more)


def supplement(geometries, **changed) -> SpatialFile:
    """A package 补划数据包 in order in everything but its geometries, with some columns changed."""
    import shapely

    count = len(geometries)
    valid = [each is not None and shapely.is_valid(each) and each.geom_type.endswith("Polygon") for each in geometries]
    columns = {
        "BSM": [f"{DISTRICT}{row:06}" for row in range(count)], "YSDM": ["2090020530"] * count, "XZQDM": [DISTRICT] * count,
        "XZQMC": ["松江区"] * count, "TBBH": [f"T{row + 1}" for row in range(count)], "DLBM": ["0101"] * count,
        "DLMC": ["水田"] * count, "QSXZ": ["30"] * count,
        "TBMJ": [float(area_m2(each)) if fine else 1.0 for each, fine in zip(geometries, valid, strict=True)],
        "YJJBNTLX": ["永久基本农田"] * count, "DRDC": ["调入"] * count, "SJNF": ["2026"] * count, "BZ": [""] * count,
    }  # fmt: skip
    columns |= changed
    fields = tuple(
        FileField(key, "", "decimal", 18, 2) if key == "TBMJ" else FileField(key, "", "text", LENGTHS[key]) for key in columns
    )
    return SpatialFile("bh.zip", "GeoPackage", (layer_of(LAYER, geometries, columns, fields),), "UTF-8")


def found(file: SpatialFile, scheme: Scheme | str = "supplement_package", **more) -> InspectionResult:
    """The result of inspecting a package by a shipped scheme, or another."""
    chosen = schemes()[scheme] if isinstance(scheme, str) else scheme
    return inspect(file, chosen, BOOK, ON, **{"district": DISTRICT if scheme == "supplement_package" else ""} | more)


def told(result: InspectionResult) -> list[tuple[str, int]]:
    """(code, feature) of every finding."""
    return [(each.code, each.feature) for each in result.findings]


def scheme_of(folder: Path, **content) -> Scheme:
    """A scheme written for a test. Fails on any fault of it."""
    text = {"key": "test", "title": "试", "basis": "样例", "rules": "package_quality", "crs": [4490], "lowest_score": 90} | content
    text["checks"] = [{"key": key, "marks": 5, "most": 40} for key in text["checks"]]
    path = folder / "test.yaml"
    path.write_text(yaml.safe_dump(text, allow_unicode=True), encoding="utf-8")
    faults: list = []
    scheme = read_scheme(path, faults)
    assert faults == []
    return scheme
