"""A scheme on paper for tests of the tasks: three checks whose answer is plain, so that a test sets what is found."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy
import pyogrio
import pytest
import shapely

from domain.errors import InvalidData
from domain.inspection import Finding, InspectionResult
from domain.inspection.task import engine, plan
from domain.projection import system_of_srid
from domain.spatial_file import FileField, FileLayer, SpatialFile

SCHEME, TITLE = "supplement_package", "补划数据包"
REAL_READ = engine.read
FIELDS = ("TBBH", "XZQDM", "TBMJ")
WEST, SOUTH, SIDE = 121.08, 31.05, 0.001


def square(place: int, side: float = SIDE) -> shapely.Polygon:
    """The square at a place of a row of squares that do not touch."""
    west = WEST + place * 2 * SIDE
    return shapely.box(west, SOUTH, west + side, SOUTH + side)


def package(folder: Path, rows: Sequence[tuple[str, str, float]], name: str = "patches.gpkg", layer: str = "BHTB") -> bytes:
    """A GeoPackage with a square for each row of (TBBH, XZQDM, TBMJ)."""
    path = folder / name
    path.unlink(missing_ok=True)
    columns = [numpy.array([row[place] for row in rows], dtype=object if place < 2 else float) for place in range(3)]
    geometries = shapely.to_wkb([square(place) for place in range(len(rows))])
    pyogrio.raw.write(path, geometries, columns, list(FIELDS), layer=layer, driver="GPKG", geometry_type="Polygon", crs="EPSG:4490")
    return path.read_bytes()


def read(path: Path, file_name: str, declared_crs: str, encoding: str, local_systems: Mapping[str, Any]) -> SpatialFile:
    """The layers of a GeoPackage, of whatever name."""
    if not file_name.endswith(".gpkg"):
        raise InvalidData(f"「{file_name}」里没有图层。请核对后重新上传。")
    layers = []
    for name, kind in pyogrio.list_layers(path).tolist():
        meta, _, blobs, columns = pyogrio.raw.read(path, layer=name)
        fields = tuple(FileField(each, "", "text", 20) for each in meta["fields"])
        values = dict(zip(meta["fields"], columns, strict=True))
        layers.append(FileLayer(name, kind, fields, shapely.from_wkb(blobs), values, system_of_srid(4490)))
    return SpatialFile(file_name, "GeoPackage", tuple(layers), encoding or "UTF-8")


def inspect(office: Any, file: SpatialFile, task: Any, run: Any, on: Any, tell: Any) -> InspectionResult:
    """A patch without a number is an error, a repeated number too, a small area a warning; a variant may switch them off."""
    tell("检查属性", 0.5)
    off, findings, seen = set(run.variant.get("off", [])), [], set()
    least = float(run.variant.get("parameters", {}).get("least", "100"))
    for layer in file.layers:
        for row in range(layer.count):
            values, place = layer.values(row), layer.geometries[row]
            key = str(values["TBBH"] or "")
            known = {
                "layer": layer.name, "feature": row + 1, "key": key, "x": place.centroid.x, "y": place.centroid.y, "geometry": place,
            }  # fmt: skip
            if "SX-01" not in off and not key:
                findings.append(Finding("SX-01", "图斑编号为空", message=f"第 {row + 1} 个图斑没有编号", severity="error", fix="补填编号", field="TBBH", rule="empty", **known))
            if "SX-02" not in off and key and key in seen:
                findings.append(Finding("SX-02", "图斑编号重复", message=f"编号 {key} 重复", severity="error", fix="改编号", field="TBBH", value=key, rule="twice", **known))
            if "MJ-01" not in off and values["TBMJ"] < least:
                findings.append(Finding("MJ-01", "面积过小", message=f"面积 {values['TBMJ']} 平方米", severity="warning", fix="核对", field="TBMJ", rule="small", **known))
            seen.add(key)
    marks, lowest = _score(Counter(each.check for each in findings))
    errors = any(each.severity == "error" for each in findings)
    checked = {layer.name: layer.count for layer in file.layers}
    return InspectionResult(SCHEME, "edition-1", tuple(findings), checked, marks, not errors and marks >= lowest, {"least": str(least)}, {"GEOS": "3"})


def _score(left: Mapping[str, int]) -> tuple[Decimal, Decimal]:
    taken = {"图斑编号为空": 5, "图斑编号重复": 5, "面积过小": 1}
    return max(Decimal(0), Decimal(100) - sum(taken[check] * count for check, count in left.items())), Decimal(90)


def scheme_page(session: Any, key: str) -> Mapping[str, Any]:
    """The scheme with its checks and its parameter."""
    checks = [{"key": code, "label": label} for code, label in (("SX-01", "图斑编号为空"), ("SX-02", "图斑编号重复"), ("MJ-01", "面积过小"))]
    parameters = [{"key": "least", "label": "最小面积", "value": "100", "unit": "平方米"}]
    return {"key": key, "title": TITLE, "basis": "LAND-076", "edition": "edition-1", "lowest": Decimal(90), "checks": checks, "parameters": parameters}


def certificate(office: Any, run: Any, task: Any, result: InspectionResult, at: Any) -> dict[str, Any]:
    """What the certificate says of the result."""
    return {"package": run.digest, "score": str(result.score), "passed": result.passed, "certifies": not run.variant.get("off")}


def features_of(layer: FileLayer, definition: Any, session: Any) -> list[Any]:
    """Every row as a feature of the layer."""
    from domain.area import area_m2
    from domain.layer import FeatureData

    return [
        FeatureData(
            str(values["TBBH"]), str(values["XZQDM"]), "永久基本农田", area_m2(shapely.MultiPolygon([place])), shapely.MultiPolygon([place]),
            {"farmland_number": str(values["TBBH"])}, "",
        )
        for place, values in ((layer.geometries[row], layer.values(row)) for row in range(layer.count))
    ]  # fmt: skip


def put_in(patch: pytest.MonkeyPatch) -> None:
    """Let tasks work by the scheme on paper, and admit to a layer that every portal has."""
    for name, act in {
        "read": read, "inspect": inspect, "certificate": certificate, "features_of": features_of, "scheme_page": scheme_page,
        "titles": lambda: {SCHEME: TITLE}, "require_scheme": lambda key: None,
        "score": lambda task, left: _score(left), "lowest_score": lambda task: Decimal(90), "write_rules": lambda session, run, task, path: path.write_bytes(b"PK"),
        "checked_variant": lambda work, scheme, off, parameters: (list(off), dict(parameters)),
    }.items():  # fmt: skip
        patch.setattr(engine, name, act)
    patch.setattr(plan, "plan_of", lambda scheme: plan.Plan(("permanent_farmland",), "feature", "预入库", "district", "LAND-076", ("SX-02",)))
