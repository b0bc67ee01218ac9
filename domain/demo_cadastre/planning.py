"""Demo layers beside the survey: planning lines, proposed supplements, boreholes; made up from the patches, and marked so."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy
import shapely
from numpy.random import Generator
from shapely import affinity

from domain.area import area_m2
from domain.demo_cadastre import records
from domain.demo_cadastre.records import PERMANENT, PROTECTED, Plot, Settings
from domain.district import AccountArea
from domain.geometry import multipolygon
from domain.layer.definition import FeatureData
from domain.overlay import FeatureSet, erase

_OWN_STREAM = 20_000
_LINES = {"permanent_farmland_line": "JX", "ecological_red_line": "ST", "urban_growth_boundary": "CZ"}
Line = tuple[AccountArea, shapely.MultiPolygon, str, dict[str, Any]]
"""Account, shape, class and attributes of a planning line."""
_NO_AREA = Decimal("0.00")


def planned_layers(plots: Sequence[Plot], settings: Settings) -> dict[str, list[FeatureData]]:
    """Each layer by its key."""
    random = numpy.random.default_rng([settings["seed"], _OWN_STREAM])
    of_account: dict[str, list[Plot]] = defaultdict(list)
    for plot in plots:
        of_account[plot.account.code].append(plot)
    found: dict[str, list] = defaultdict(list)
    for own in of_account.values():
        found["protected_space_supplement"] += _supplements(own, settings, random)
        farmland = list(_farmland_lines(own, settings, random))
        natural = list(_red_lines(own, settings, random, [each[1] for each in farmland]))
        found["permanent_farmland_line"] += farmland
        found["ecological_red_line"] += natural
        found["urban_growth_boundary"] += _boundaries(own, settings, random, [each[1] for each in (*farmland, *natural)])
        found["geology_borehole"] += _boreholes(own, settings, random)
    found["added_farmland"] = list(_added(of_account, settings))
    return {key: _numbered(rows, _LINES[key]) if key in _LINES else rows for key, rows in found.items()}


def _drawn(random: Generator, plots: Sequence[Plot], count: int) -> list[Plot]:
    chosen = random.choice(len(plots), size=min(count, len(plots)), replace=False) if plots else ()
    return [plots[place] for place in sorted(chosen)]


def _supplements(plots: Sequence[Plot], settings: Settings, random: Generator) -> Iterator[FeatureData]:
    """Unprotected arable patches brought in, protected ones given up, of both kinds of protection."""
    arable = [plot for plot in plots if plot.is_arable]
    for number, plot in enumerate(_drawn(random, [each for each in arable if not each.protection], settings["supplements_in"])):
        yield records.supplement(plot, settings, "调入", (PERMANENT, PROTECTED)[number % 2])
    for plot in _drawn(random, [each for each in arable if each.protection], settings["supplements_out"]):
        yield records.supplement(plot, settings, "调出", plot.protection)


def _added(plots: Mapping[str, Sequence[Plot]], settings: Settings) -> Iterator[FeatureData]:
    """Unprotected arable patches as if newly won, whose quota a few other districts use; a stream of its own, so that nothing else moves."""
    random = numpy.random.default_rng([settings["seed"], _OWN_STREAM + 1])
    names = {code: own[0].account.name for code, own in plots.items() if own}
    for code, users in settings["added_farmland"]["flows"].items():
        arable = [plot for plot in plots.get(code, ()) if plot.class_code.startswith("01") and not plot.protection]
        for number, plot in enumerate(_drawn(random, arable, settings["added_farmland"]["count"])):
            user = users[number % len(users)]
            yield records.added_farmland(plot, settings, number + 1, user, names.get(user, ""))


def _red_lines(plots: Sequence[Plot], settings: Settings, random: Generator, taken: list[shapely.Geometry]) -> Iterator[Line]:
    """Round some natural patches, where nothing else was laid out before."""
    chosen = settings["red_line"]
    natural = [plot for plot in plots if plot.class_code in chosen["classes"]]
    for plot in _drawn(random, natural, chosen["count"]) if len(natural) > chosen["fewest"] else ():
        kind = chosen["kinds"][int(random.integers(len(chosen["kinds"])))]
        shape = _blob(plot, random, chosen["radius_degrees"], taken)
        yield plot.account, shape, kind, {"element_code": "2090030200", "line_kind": kind, "description": settings["note"]}


def _boundaries(plots: Sequence[Plot], settings: Settings, random: Generator, taken: list[shapely.Geometry]) -> Iterator[Line]:
    """Round some built patches; the three lines do not cross."""
    chosen = settings["growth_boundary"]
    built = [plot for plot in plots if plot.is_built]
    for plot in _drawn(random, built, chosen["count"]):
        code, name = chosen["zones"][int(random.integers(len(chosen["zones"])))]
        yield plot.account, _blob(plot, random, chosen["radius_degrees"], taken), code, {
            "element_code": "2090030300", "district_code": plot.account.code, "district_name": plot.account.name,
            "zone_code": code, "zone_name": name, "description": settings["note"],
        }  # fmt: skip


def _farmland_lines(plots: Sequence[Plot], settings: Settings, random: Generator) -> Iterator[Line]:
    """The permanent farmland of each town in one piece; a few patches were left out when the line was drawn."""
    towns: dict[str, list[Plot]] = defaultdict(list)
    for plot in plots:
        if plot.protection == PERMANENT and random.random() >= settings["left_out_share"]:
            towns[plot.town.code].append(plot)
    for code, own in sorted(towns.items()):
        account, shape = own[0].account, multipolygon(shapely.union_all([plot.geometry for plot in own]))
        yield account, shape, "2090030100", {
            "element_code": "2090030100", "district_code": account.code, "district_name": account.name, "patch_number": code,
            "description": settings["note"],
        }  # fmt: skip


def _numbered(found: Sequence[Line], prefix: str) -> list[FeatureData]:
    features = []
    for number, (account, shape, code, values) in enumerate(found, start=1):
        key, area = f"{prefix}{account.code}{number:04d}", area_m2(shape)
        if area:
            own = {"feature_code": key, "district_code": account.code, "area_m2": area}
            features.append(FeatureData(key, account.code, code, area, shape, own | values))
    return features


def _blob(plot: Plot, random: Generator, radius: float, taken: list[shapely.Geometry]) -> shapely.MultiPolygon:
    """A smooth shape around a patch, inside its account and outside of what is taken; it is then taken too."""
    angles = numpy.linspace(0, 2 * numpy.pi, 32, endpoint=False)
    waves = sum(random.uniform(0.03, 0.15) * numpy.sin(count * angles + random.uniform(0, 6)) for count in (2, 3, 5))
    x, y = shapely.get_coordinates(shapely.point_on_surface(plot.geometry))[0]
    ring = numpy.column_stack([numpy.cos(angles), numpy.sin(angles)]) * (1 + waves)[:, None] * radius * random.uniform(0.7, 1.5)
    shape = affinity.rotate(shapely.Polygon(ring), random.uniform(0, 180))
    made = multipolygon(shapely.intersection(affinity.translate(shape, x, y), plot.account.geometry))
    left = erase(FeatureSet.without_attributes([made]), FeatureSet.without_attributes(taken)) if taken else None
    found = made if left is None else multipolygon(shapely.union_all(left.geometries))
    if not found.is_empty:
        taken.append(found)
    return found


def _boreholes(plots: Sequence[Plot], settings: Settings, random: Generator) -> Iterator[FeatureData]:
    """A grid of boreholes for each made-up building project."""
    built = [plot for plot in plots if plot.is_built]
    for number, plot in enumerate(_drawn(random, built, settings["borehole_projects"]), start=1):
        project = f"GC{plot.account.code}{settings['data_year']}{number:02d}"
        x, y = shapely.get_coordinates(shapely.point_on_surface(plot.geometry))[0]
        places = [(x + column * 0.0004, y + row * 0.0003) for row in range(3) for column in range(4)]
        inside = shapely.contains_xy(plot.account.geometry, *numpy.transpose(places))
        for hole, (east, north) in enumerate((each for each, is_in in zip(places, inside, strict=True) if is_in), start=1):
            yield _borehole(plot.account, project, hole, round(east, 6), round(north, 6), settings, random)


def _borehole(account: AccountArea, project: str, hole: int, x: float, y: float, settings: Settings, random: Generator) -> FeatureData:
    key = f"{project}-ZK{hole:02d}"
    values = {
        "borehole_number": key, "project_number": project, "x": f"{x:.6f}", "y": f"{y:.6f}",
        "elevation_m": f"{random.uniform(2.5, 5.5):.2f}", "depth_m": f"{random.uniform(25, 85):.2f}", "description": settings["note"],
    }  # fmt: skip
    return FeatureData(key, account.code, project, _NO_AREA, shapely.Point(x, y), values)
