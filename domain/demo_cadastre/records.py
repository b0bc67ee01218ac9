"""Records of the demo layers: what each layer says about a patch; all of it is made up and says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shapely.geometry.base import BaseGeometry

from domain.district import AccountArea
from domain.land_use_class import land_use_class
from domain.layer.definition import FeatureData
from domain.town import Town

AVAILABLE, PROPOSED = "可用", "预入库"
PERMANENT, PROTECTED = "永久基本农田", "耕地保护空间"
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plot:
    """A patch with what the layers say about it."""

    number: int
    account: AccountArea
    town: Town
    geometry: BaseGeometry
    area_m2: Decimal
    class_code: str
    protection: str

    @property
    def is_arable(self) -> bool:
        """True for a patch of 耕地."""
        return self.class_code.startswith("01")

    @property
    def is_built(self) -> bool:
        """True for a patch of 建设用地."""
        return self.class_code[:2] in ("05", "06", "07")


def _common(plot: Plot, settings: Settings) -> dict[str, Any]:
    """Fields that every layer of plots has."""
    return {
        "feature_code": f"{plot.town.district_code}{plot.account.code[-2:]}{settings['data_year']}{plot.number:06d}",
        "patch_number": f"{plot.number:08d}",
        "class_code": plot.class_code,
        "class_name": land_use_class(plot.class_code).name,
        "area_m2": plot.area_m2,
        "data_year": settings["data_year"],
        "description": settings["note"],
    }


def _location(plot: Plot) -> dict[str, str]:
    return {"location_unit_code": f"{plot.town.code}0000000000", "location_unit_name": plot.town.name}


def _feature(
    plot: Plot, key: str, class_code: str, attributes: dict[str, Any], status: str = ""
) -> FeatureData:
    return FeatureData(key, plot.account.code, class_code, plot.area_m2, plot.geometry, attributes, status)


def land_use(plot: Plot, settings: Settings) -> FeatureData:
    """The patch in the survey of land use."""
    arable = plot.is_arable
    values = _common(plot, settings) | _location(plot)
    values |= {
        "element_code": "2001010100",
        "ownership": "30" if arable or plot.class_code == "0702" else "20",
        "owner_unit_code": values["location_unit_code"],
        "owner_unit_name": plot.town.name,
        "class_area_m2": plot.area_m2,
        "farmland_type": "PD" if arable else None,
        "slope_grade": "1" if arable else None,
    }
    return _feature(plot, _key("DL", plot), plot.class_code, values)


def annual_farmland(plot: Plot, settings: Settings) -> FeatureData:
    """An arable patch in the annual base of farmland."""
    key, quality = _key("GD", plot), quality_class(plot)
    values = _common(plot, settings) | {
        "plot_number": key,
        "plot_name": f"{plot.town.name}{plot.number}号地块",
        "district_code": plot.account.code,
        "district_name": plot.account.name,
        "quality_class": quality,
        "quality_grade": "高" if quality < 7 else "中",
        "supplement_note": "",
        "status": AVAILABLE,
    }
    return _feature(plot, key, plot.class_code, values, AVAILABLE)


def permanent_farmland(plot: Plot, settings: Settings) -> FeatureData:
    """A protected patch among the permanent farmland."""
    key = _key("JN", plot)
    values = _common(plot, settings) | _location(plot)
    values |= {
        "element_code": "2005010300",
        "district_code": plot.account.code,
        "district_name": plot.account.name,
        "farmland_number": key,
        "protection_type": plot.protection,
        "slope_grade": "1",
    }
    return _feature(plot, key, plot.protection, values)


def _key(prefix: str, plot: Plot) -> str:
    """The unique number of a plot in a layer, such as GD310118-000123."""
    return f"{prefix}{plot.account.code}-{plot.number:06d}"


def quality_class(plot: Plot) -> int:
    """The quality of an arable patch, the same in every layer."""
    return 5 + plot.number % 4


def farmland_quality(plot: Plot, settings: Settings) -> FeatureData:
    """An arable patch in the survey of farmland quality."""
    key, quality = _key("DB", plot), quality_class(plot)
    values = {
        "feature_code": key, "district_code": plot.account.code, "quality_class": quality, "area_m2": plot.area_m2,
        "description": settings["note"],
    }  # fmt: skip
    return _feature(plot, key, str(quality), values)


def supplement(plot: Plot, settings: Settings, direction: str, protection: str) -> FeatureData:
    """An arable patch that a district asks to bring in (调入) or to give up (调出)."""
    key, values = _key("BT", plot), _common(plot, settings)
    values |= {
        "element_code": "2005010300", "patch_number": key, "district_code": plot.account.code, "district_name": plot.account.name,
        "ownership": "30", "protection_type": protection, "direction": direction,
    }  # fmt: skip
    return _feature(plot, key, plot.class_code, values, PROPOSED)


def added_farmland(plot: Plot, settings: Settings, number: int, user_code: str, user_name: str) -> FeatureData:
    """An arable patch as if newly won by a project, with the district that uses its quota."""
    key, common = _key("XZ", plot), _common(plot, settings)
    values = {name: common[name] for name in ("feature_code", "class_code", "class_name", "area_m2", "description")} | {
        "feature_code": key, "district_code": plot.account.code, "district_name": plot.account.name,
        "project_number": f"样例项目-{plot.account.code}-{number:02d}", "acceptance_number": f"样例验〔{settings['data_year']}〕{number}号",
        "quality_class": quality_class(plot), "used_by_code": user_code, "used_by_name": user_name,
    }  # fmt: skip
    return _feature(plot, key, plot.class_code, values)
