"""Builds the demo layers from the patches: administrative areas, land use of two years, farmland, its quality, planning."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy
import shapely
import yaml
from numpy.random import Generator

from domain.area import area_m2, areas_m2
from domain.demo_cadastre import records
from domain.demo_cadastre.land_use import RandomField, choose, nearest_towns
from domain.demo_cadastre.planning import planned_layers
from domain.demo_cadastre.records import PERMANENT, PROTECTED, Plot
from domain.demo_cadastre.tessellation import Patch, tessellate
from domain.demo_cadastre.year_before import land_use_years
from domain.district import AccountArea, load_account_areas, load_districts
from domain.layer.definition import FeatureData
from domain.town import Town, towns

SETTINGS = Path(__file__).parent / "settings.yaml"


@dataclass(frozen=True)
class DemoCadastre:
    """The demo layers by key, as features ready to be stored; every record says that it is generated."""

    layers: dict[str, list[FeatureData]]
    land_use_before: list[FeatureData] = field(default_factory=list)
    """Land use a year earlier: every feature that did not change is the same object as in the layer."""

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
    arable = [plot for plot in plots if plot.is_arable]
    now, before = land_use_years(plots, chosen)
    layers = {
        "administrative_area": _administrative_areas(accounts, chosen),
        "land_use": now,
        "annual_farmland": [records.annual_farmland(plot, chosen) for plot in arable],
        "permanent_farmland": [records.permanent_farmland(plot, chosen) for plot in plots if plot.protection],
        "farmland_quality": [records.farmland_quality(plot, chosen) for plot in arable],
    }
    return DemoCadastre(layers | planned_layers(plots, chosen), before)


def _plots(
    account: AccountArea, patches: Sequence[Patch], settings: dict[str, Any], random: Generator
) -> list[Plot]:
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
        Plot(number, account, homes[i], patches[i].geometry, areas[i], classes[i], protection[i])
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
