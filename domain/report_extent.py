"""The range that a case reports: read from its material, in national coordinates, with how it got there."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session, col, select

from domain.case.definition import case_type_of
from domain.case.tables import Case, Material
from domain.coordinate_transformation import LocalSystem, ResidualReport
from domain.errors import InvalidData
from domain.geometry import multipolygon, require_polygons
from domain.office import office_of
from domain.range_file import ProjectRange, read_range


@dataclass(frozen=True, slots=True)
class RangeFile:
    """One range file as it was read; `local` and `residuals` are None if it was surveyed in the national system."""

    range: ProjectRange
    name: str
    digest: str
    local: LocalSystem | None = None
    residuals: ResidualReport | None = None

    @property
    def is_converted(self) -> bool:
        """True if the range stands in national coordinates."""
        return self.range.geometry is not None

    @property
    def max_residual_m(self) -> Decimal | None:
        """The largest residual at a control point in metres; 0 for a range that needed no transformation.

        None if a transformation was used that has no control points to be checked with.
        """
        if self.local is None:
            return Decimal("0.000") if self.is_converted else None
        if self.residuals is None:
            return None
        return self.residuals.max_residual_m

    def detail(self) -> dict[str, Any]:
        """How the range came to national coordinates, to be kept with the round and shown."""
        found = self.range
        return {
            "file": self.name,
            "file_digest": self.digest,
            "system": found.detected.get("crs", ""),
            "parts": found.part_count,
            "points": found.point_count,
            "transformation": self.local.note if self.local else None,
            "is_demonstration": bool(self.local and self.local.is_demonstration),
            "max_residual_m": str(self.max_residual_m) if self.max_residual_m is not None else None,
            "residuals": [
                {"name": each.name, "length_m": f"{each.length_m:.3f}"}
                for each in (self.residuals.residuals if self.residuals else ())
            ],
        }


@dataclass(frozen=True, slots=True)
class ReportExtent:
    """The range that a case reports: one or several files, taken together."""

    files: tuple[RangeFile, ...]

    @property
    def is_converted(self) -> bool:
        """True if every file stands in national coordinates."""
        return all(each.is_converted for each in self.files)

    @property
    def geometry(self) -> shapely.MultiPolygon:
        """The union of the files in EPSG:4490, where overlapping ones count once."""
        return multipolygon(shapely.union_all([each.range.geometry for each in self.files]))

    @property
    def max_residual_m(self) -> Decimal | None:
        """The largest residual of all files; None if one of them could not be checked."""
        found = [each.max_residual_m for each in self.files]
        return None if None in found else max(found)

    def facts(self) -> dict[str, Any]:
        """What the rule set of the residual reads."""
        return {"layer_present": True, "converted": self.is_converted, "max_residual_m": self.max_residual_m}

    def heading(self) -> tuple[str, ...]:
        """The comment above the coordinates."""
        used = {each.local.name: each.local for each in self.files if each.local is not None}
        lines = ["CGCS2000 国家大地坐标系（EPSG:4490）：点号,圈号,经度,纬度"]
        lines += [f"由{local.name}转换，{local.note}" for local in used.values()]
        return (*lines, f"控制点最大残差 {self.max_residual_m} 米") if used else tuple(lines)


NO_LAYER = {"layer_present": False, "converted": False, "max_residual_m": None}


def extent_of(session: Session, case: Case) -> ReportExtent | None:
    """The range that a case reports; None if none was uploaded. Raises InvalidData if it cannot serve."""
    rows = range_materials(session, case)
    return ReportExtent(tuple(_read(session, row) for row in rows)) if rows else None


def _read(session: Session, row: Material) -> RangeFile:
    parameters = office_of(session).coordinates
    content = office_of(session).files.read_bytes(row.digest)
    found = read_range(content, row.name, row.read.get("declared_crs"), parameters.systems)
    if found.geometry is not None and found.geometry.is_empty:
        raise InvalidData(f"范围文件「{row.name}」里没有图形，不能报送。请转勘误更换范围文件。")
    if found.geometry is not None:
        require_polygons(found.geometry)
    local = parameters.systems.get(found.detected.get("crs", ""))
    return RangeFile(found, row.name, row.digest, local, parameters.residuals(local) if local else None)


def range_slots(session: Session, case: Case) -> list[str]:
    """The material slots whose content is read as a range."""
    return [slot.key for slot in case_type_of(session, case).materials if slot.read_as == "range"]


def range_materials(session: Session, case: Case) -> list[Material]:
    """The present files of those slots, oldest first."""
    statement = select(Material).where(
        Material.case_id == case.id,
        col(Material.slot).in_(range_slots(session, case)),
        col(Material.replaced_by).is_(None),
        col(Material.removed_at).is_(None),
    )
    return list(session.exec(statement.order_by(col(Material.id))).all())
