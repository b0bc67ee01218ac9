"""Districts and management areas of the city: schematic boundaries, their defects, and the partition that
accounts are kept by.

Boundaries are in EPSG:4490 and never a source of areas. After the repairs stated in
reference/districts/manifest.yaml the districts are a partition of the city; the account areas are the
districts less the management areas, and the management areas.
"""

import functools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import shapely
import yaml
from shapely.geometry.base import BaseGeometry

from domain.area import area_m2
from domain.coverage import faces_of, merged, shared_edges
from domain.errors import NotFound
from domain.geometry import STORAGE_SRID, fault_of, multipolygon
from domain.projection import UnknownCrs, system_of_text

FOLDER = Path(__file__).parent / "reference" / "districts"


@dataclass(frozen=True, slots=True)
class Defect:
    """A defect of a source boundary: kind (invalid, missing_code, overlap, gap), what was found, what was
    done.
    """

    kind: str
    district: str
    found: str
    repair: str
    x: float | None = None
    y: float | None = None


@dataclass(frozen=True, slots=True)
class District:
    """A district: code of GB/T 2260, name, repaired boundary in EPSG:4490, defects of its source boundary."""

    code: str
    name: str
    geometry: shapely.MultiPolygon
    defects: tuple[Defect, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountArea:
    """An area that areas are booked to: `kind` is district or management_area. Account areas do not overlap."""

    code: str
    name: str
    kind: str
    geometry: shapely.MultiPolygon


@dataclass(frozen=True)
class _Territory:
    districts: tuple[District, ...]
    accounts: tuple[AccountArea, ...]
    management_areas: tuple[AccountArea, ...]


def load_districts() -> list[District]:
    """The districts by code: repaired, without overlap or enclosed gap, management areas included."""
    return list(_territory(FOLDER).districts)


def load_management_areas() -> list[AccountArea]:
    """The management areas (临港新片区)."""
    return list(_territory(FOLDER).management_areas)


def load_account_areas() -> list[AccountArea]:
    """The areas of the accounts by code: districts less management areas, and management areas; a partition
    of the city.
    """
    return list(_territory(FOLDER).accounts)


def defect_report() -> list[Defect]:
    """Every defect of the source boundaries, by district."""
    return [defect for district in load_districts() for defect in district.defects]


def source_notes() -> dict[str, Any]:
    """What the manifest says of the source: file, declared system with its reason, repairs by kind, management areas."""
    return yaml.safe_load((FOLDER / "manifest.yaml").read_text(encoding="utf-8"))


@functools.cache
def city_territory() -> BaseGeometry:
    """The union of all districts, valid, in EPSG:4490."""
    territory = shapely.coverage_union_all([district.geometry for district in load_districts()])
    shapely.prepare(territory)
    return territory


def account_of(geometry: BaseGeometry) -> AccountArea | None:
    """The account area that holds a point inside the geometry (EPSG:4490); None outside the city."""
    point = shapely.point_on_surface(geometry)
    return next((area for area in load_account_areas() if shapely.covers(area.geometry, point)), None)


def district_name(code: str) -> str:
    """The name of a district, a management area or the city (310100); NotFound for any other code."""
    found = _names().get(code)
    if found is None:
        raise NotFound(f"没有代码为“{code}”的行政区或管理区。请核对行政区代码。")
    return found


@functools.cache
def _names() -> dict[str, str]:
    """Names by code, read without building any geometry."""
    manifest, features = _read(FOLDER)
    names = {
        f.get("id") or manifest["restored_codes"][f["properties"]["name"]]: f["properties"]["name"]
        for f in features
    }
    names |= {area["code"]: area["name"] for area in manifest["management_areas"]}
    return names | {manifest["city"]["code"]: manifest["city"]["name"]}


def _read(folder: Path) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    manifest = yaml.safe_load((folder / "manifest.yaml").read_text(encoding="utf-8"))
    source = json.loads((folder / manifest["source"]).read_text(encoding="utf-8"))
    return manifest, source["features"]


@functools.cache
def _territory(folder: Path) -> _Territory:
    manifest, features = _read(folder)
    if system_of_text(manifest["crs"]).srid != STORAGE_SRID:
        raise UnknownCrs(f"区界清单声明的坐标系 {manifest['crs']} 不是 EPSG:4490。请先转换区界，再改清单。")
    return _Repair(manifest, features).territory()


class _Repair:
    """Finds the defects of the source boundaries and builds the partition from their line work."""

    def __init__(self, manifest: dict[str, Any], features: Sequence[dict[str, Any]]) -> None:
        self.manifest, self.defects = manifest, []
        self.names, self.raw = {}, {}
        for feature in features:
            name = feature["properties"]["name"]
            code = feature.get("id") or self._restored_code(name)
            self.names[code], self.raw[code] = name, shapely.from_geojson(json.dumps(feature["geometry"]))
        self.codes = sorted(self.names)
        self.valid = {code: self._made_valid(code) for code in self.codes}

    def territory(self) -> _Territory:
        """Districts, accounts and management areas from one set of faces, so that they share their edges
        exactly.
        """
        self._report_overlaps()
        areas = self.manifest["management_areas"]
        outlines = [shapely.Polygon(area["outline"]) for area in areas]
        lines = [shapely.boundary(g) for g in self.valid.values()] + [
            outline.exterior for outline in outlines
        ]
        faces = faces_of(lines)
        district = self._district_of_faces(faces)
        points = shapely.point_on_surface(faces)
        account = district.copy()
        for number, (area, outline) in enumerate(zip(areas, outlines, strict=True)):
            sources = [self.codes.index(code) for code in area["cut_from"]]
            account[shapely.contains(outline, points) & numpy.isin(district, sources)] = (
                len(self.codes) + number
            )
        accounts = self._accounts(merged(faces, account), areas)
        return _Territory(
            self._districts(merged(faces, district)),
            accounts,
            tuple(a for a in accounts if a.kind == "management_area"),
        )

    def _restored_code(self, name: str) -> str:
        code = self.manifest["restored_codes"][name]
        self._found("missing_code", code, "来源没有行政区代码", repair_note=f"：{code}")
        return code

    def _found(
        self, kind: str, code: str, found: str, repair_note: str = "", at: tuple[float, float] | None = None
    ) -> None:
        repair = self.manifest["repairs"][kind] + repair_note
        self.defects.append((code, Defect(kind, code, found, repair, *(at or (None, None)))))

    def _made_valid(self, code: str) -> BaseGeometry:
        fault = fault_of(self.raw[code])
        if fault is None:
            return self.raw[code]
        self._found("invalid", code, fault.reason, at=(fault.x, fault.y))
        return shapely.make_valid(self.raw[code], method="structure", keep_collapsed=False)

    def _report_overlaps(self) -> None:
        for i, lower in enumerate(self.codes):
            for higher in self.codes[i + 1 :]:
                common = multipolygon(shapely.intersection(self.valid[lower], self.valid[higher]))
                if not common.is_empty:
                    found = f"与{self.names[higher]}重叠约 {area_m2(common):.0f} 平方米"
                    self._found("overlap", lower, found, f"：{self.names[lower]}", _place(common))

    def _district_of_faces(self, faces: numpy.ndarray) -> numpy.ndarray:
        """Index of the district of each face, by the stated repairs; -1 for faces outside the city."""
        points = shapely.point_on_surface(faces)
        district = numpy.full(len(faces), -1)
        for index in reversed(range(len(self.codes))):
            district[shapely.contains(self.valid[self.codes[index]], points)] = index
        outer = [
            shapely.Polygon(part.exterior)
            for part in shapely.get_parts(shapely.union_all(list(self.valid.values())))
        ]
        is_gap = (district < 0) & shapely.contains(shapely.union_all(outer), points)
        first, second, length = shared_edges(faces)
        for gap in numpy.flatnonzero(is_gap):
            district[gap] = self._longest_neighbour(gap, district, first, second, length)
            found = f"与邻区之间有被围住的空隙约 {area_m2(faces[gap]):.0f} 平方米"
            code = self.codes[district[gap]]
            self._found("gap", code, found, f"：{self.names[code]}", _place(faces[gap]))
        return district

    @staticmethod
    def _longest_neighbour(face: int, district: numpy.ndarray, first, second, length) -> int:
        """The district with the longest common edge; of equal ones the lower code."""
        touching = (first == face) | (second == face)
        other = numpy.where(first == face, second, first)[touching]
        known = district[other] >= 0
        total = numpy.bincount(district[other][known], weights=length[touching][known])
        return int(total.argmax())

    def _districts(self, geometries: dict[int, BaseGeometry]) -> tuple[District, ...]:
        return tuple(
            District(
                code,
                self.names[code],
                multipolygon(geometries[index]),
                tuple(defect for owner, defect in self.defects if owner == code),
            )
            for index, code in enumerate(self.codes)
        )

    def _accounts(
        self, geometries: dict[int, BaseGeometry], areas: list[dict[str, Any]]
    ) -> tuple[AccountArea, ...]:
        named = [(code, self.names[code], "district") for code in self.codes]
        named += [(area["code"], area["name"], "management_area") for area in areas]
        accounts = [AccountArea(*name, multipolygon(geometries[i])) for i, name in enumerate(named)]
        return tuple(sorted(accounts, key=lambda account: account.code))


def _place(geometry: BaseGeometry) -> tuple[float, float]:
    point = shapely.point_on_surface(geometry)
    return point.x, point.y
