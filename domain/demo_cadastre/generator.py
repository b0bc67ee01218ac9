"""Builds the four demo layers from the patches: land use, annual farmland, permanent farmland, administrative
areas.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy
import shapely
import yaml
from numpy.random import Generator
from shapely.geometry.base import BaseGeometry

from domain.area import area_m2, areas_m2
from domain.demo_cadastre.land_use import RandomField, choose, nearest_towns
from domain.demo_cadastre.tessellation import Patch, tessellate
from domain.district import AccountArea, load_account_areas, load_districts
from domain.land_use_class import land_use_class
from domain.layer.definition import FeatureData
from domain.town import Town, towns

SETTINGS = Path(__file__).parent / "settings.yaml"
AVAILABLE = "可用"
PERMANENT, PROTECTED = "永久基本农田", "耕地保护空间"


@dataclass(frozen=True)
class DemoCadastre:
    """The demo layers by key, as features ready to be stored; every record says that it is generated."""

    layers: dict[str, list[FeatureData]]

    @cached_property
    def digest(self) -> str:
        """SHA-256 over every key, geometry and attribute, in order."""
        sha = hashlib.sha256()
        for key, features in self.layers.items():
            for feature in features:
                sha.update(f"{key}|{feature.key}|{feature.area_m2}|{feature.status}".encode())
                sha.update(shapely.to_wkb(feature.geometry))
                sha.update(json.dumps(dict(feature.attributes), ensure_ascii=False, default=str).encode())
        return sha.hexdigest()


@dataclass(frozen=True, slots=True)
class _Plot:
    """A patch with what the layers say about it."""

    number: int
    account: AccountArea
    town: Town
    geometry: BaseGeometry
    area_m2: Decimal
    class_code: str
    protection: str


def demo_settings() -> dict[str, Any]:
    """The shipped settings of the generator."""
    return yaml.safe_load(SETTINGS.read_text(encoding="utf-8"))


def generate_demo_cadastre(settings: dict[str, Any] | None = None) -> DemoCadastre:
    """The demo cadastre of all account areas; the same settings (with their seed) give the same records."""
    chosen = settings or demo_settings()
    accounts = load_account_areas()
    patches = tessellate(accounts, chosen)
    plots = []
    for index, account in enumerate(accounts):
        own = [patch for patch in patches if patch.account == index]
        random = numpy.random.default_rng([chosen["seed"], index])
        plots += _plots(account, own, chosen, random)
    return DemoCadastre(
        {
            "administrative_area": _administrative_areas(accounts, chosen),
            "land_use": [_land_use(plot, chosen) for plot in plots],
            "annual_farmland": [
                _annual_farmland(plot, chosen) for plot in plots if plot.class_code.startswith("01")
            ],
            "permanent_farmland": [_permanent_farmland(plot, chosen) for plot in plots if plot.protection],
        }
    )


def _plots(
    account: AccountArea, patches: Sequence[Patch], settings: dict[str, Any], random: Generator
) -> list[_Plot]:
    """The patches of one account area with town, class and protection, numbered from 1 from south-west to
    north-east.
    """
    points = shapely.get_coordinates(shapely.point_on_surface([patch.geometry for patch in patches]))
    order = numpy.lexsort((points[:, 0], numpy.floor(points[:, 1] / 0.02)))
    patches, points = [patches[i] for i in order], points[order]
    classes = _classes(account, patches, points, settings, random)
    protection = _protection(classes, points, settings, random)
    homes = nearest_towns(points, _towns_of(account), random)
    areas = areas_m2([patch.geometry for patch in patches])
    return [
        _Plot(number, account, homes[i], patches[i].geometry, areas[i], classes[i], protection[i])
        for i, number in enumerate(range(1, len(patches) + 1))
    ]


def _classes(
    account, patches: Sequence[Patch], points: numpy.ndarray, settings: dict[str, Any], random
) -> list[str]:
    """A land use class code for each patch; the arable share is the account's, the rest half other farmland,
    half built.
    """
    share = RandomField(random, 0.08, 0.9).shares(points)
    arable = settings["arable_share"][account.code]
    farm = arable + min(0.3, arable) * 0.8
    drawn = {
        kind: choose(settings[f"{kind}_classes"], len(patches), random)
        for kind in ("arable", "other_farm", "built", "hole")
    }
    kinds = numpy.where(share < arable, "arable", numpy.where(share < farm, "other_farm", "built"))
    return [drawn["hole" if patch.is_hole else str(kinds[i])][i] for i, patch in enumerate(patches)]


def _protection(
    classes: Sequence[str], points: numpy.ndarray, settings: dict[str, Any], random: Generator
) -> list[str]:
    """永久基本农田, 耕地保护空间 or nothing for arable patches, in the stated shares."""
    arable = numpy.array([code.startswith("01") for code in classes])
    protection = numpy.full(len(classes), "", dtype=object)
    share = RandomField(random, 0.05, 0.6).shares(points[arable])
    permanent, protected = (
        settings["permanent_share"],
        settings["permanent_share"] + settings["protected_share"],
    )
    protection[arable] = numpy.where(
        share < permanent, PERMANENT, numpy.where(share < protected, PROTECTED, "")
    )
    return protection.tolist()


def _towns_of(account: AccountArea) -> list[Town]:
    """Towns of the district; of a management area those of the districts it is cut from."""
    own = [town for town in towns() if town.district_code == account.code]
    if own:
        return own
    touching = {d.code for d in load_districts() if shapely.intersects(d.geometry, account.geometry)}
    return [town for town in towns() if town.district_code in touching]


def _common(plot: _Plot, settings: dict[str, Any]) -> dict[str, Any]:
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


def _location(plot: _Plot) -> dict[str, str]:
    return {"location_unit_code": f"{plot.town.code}0000000000", "location_unit_name": plot.town.name}


def _feature(
    plot: _Plot, key: str, class_code: str, attributes: dict[str, Any], status: str = ""
) -> FeatureData:
    return FeatureData(key, plot.account.code, class_code, plot.area_m2, plot.geometry, attributes, status)


def _land_use(plot: _Plot, settings: dict[str, Any]) -> FeatureData:
    arable = plot.class_code.startswith("01")
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


def _annual_farmland(plot: _Plot, settings: dict[str, Any]) -> FeatureData:
    key = _key("GD", plot)
    quality = 5 + plot.number % 4
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


def _permanent_farmland(plot: _Plot, settings: dict[str, Any]) -> FeatureData:
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


def _key(prefix: str, plot: _Plot) -> str:
    """The unique number of a plot in a layer, such as GD310118-000123."""
    return f"{prefix}{plot.account.code}-{plot.number:06d}"


def _administrative_areas(accounts: Sequence[AccountArea], settings: dict[str, Any]) -> list[FeatureData]:
    """The account areas as features; their areas are those of schematic boundaries."""
    features = []
    for number, account in enumerate(accounts, start=1):
        kind = "行政区" if account.kind == "district" else "管理区"
        area = area_m2(account.geometry)
        values = {
            "feature_code": f"{account.code}{number:06d}",
            "element_code": "1000600100",
            "district_code": account.code,
            "district_name": account.name,
            "area_kind": kind,
            "area_m2": area,
            "description": f"示意边界，{settings['note']}",
        }
        features.append(FeatureData(account.code, account.code, kind, area, account.geometry, values))
    return features
