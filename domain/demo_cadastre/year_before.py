"""Land use in two years: some patches had another class a year earlier, some were one patch with a neighbour.

The present year is the one that every other demo layer is made from; the year before is derived from it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy
import shapely
from numpy.random import Generator

from domain.area import area_m2
from domain.demo_cadastre import records
from domain.demo_cadastre.land_use import choose
from domain.demo_cadastre.records import Plot, Settings
from domain.geometry import multipolygon
from domain.layer.definition import FeatureData

_OWN_STREAM = 10_000
"""Changes are drawn apart from the patches, so that they do not alter them."""


def land_use_years(plots: Sequence[Plot], settings: Settings) -> tuple[list[FeatureData], list[FeatureData]]:
    """Land use now and a year earlier. A patch that did not change is one and the same feature, of the earlier year."""
    random = numpy.random.default_rng([settings["seed"], _OWN_STREAM])
    before: dict[int, Plot | None] = dict(_converted(plots, settings["changes"]["conversions"], random))
    before |= _split(plots, set(before), settings["changes"]["splits"], random)
    last = {**settings, "data_year": settings["data_year"] - 1}
    now = [records.land_use(plot, settings if place in before else last) for place, plot in enumerate(plots)]
    earlier = [
        now[place] if place not in before else records.land_use(before[place], last)
        for place in range(len(plots)) if before.get(place, plots[place]) is not None
    ]  # fmt: skip
    return now, earlier


def _converted(plots: Sequence[Plot], conversions: Sequence[Settings], random: Generator) -> Iterator[tuple[int, Plot]]:
    """Patches whose class was another."""
    codes, taken = numpy.array([plot.class_code for plot in plots]), numpy.zeros(len(plots), dtype=bool)
    for rule in conversions:
        fitting = numpy.flatnonzero(numpy.isin(codes, rule["now"]) & ~taken)
        chosen = random.choice(fitting, size=min(rule["count"], len(fitting)), replace=False)
        taken[chosen] = True
        for place, code in zip(chosen.tolist(), choose(rule["before"], len(chosen), random), strict=True):
            yield place, replace(plots[place], class_code=code)


def _split(plots: Sequence[Plot], taken: set[int], count: int, random: Generator) -> dict[int, Plot | None]:
    """Arable patches that were one with a built neighbour of the same account; the neighbour was not there."""
    shapes = numpy.array([plot.geometry for plot in plots], dtype=object)
    tree, found = shapely.STRtree(shapes), {}
    for place in random.permutation(len(plots)).tolist():
        if len(found) >= 2 * count:
            break
        other = next(_neighbours(plots, shapes, tree, place, taken | found.keys()), None)
        if other is not None:
            merged = multipolygon(shapely.union(shapes[place], shapes[other]))
            found |= {place: replace(plots[place], geometry=merged, area_m2=area_m2(merged)), other: None}
    return found


def _neighbours(plots: Sequence[Plot], shapes: numpy.ndarray, tree: shapely.STRtree, place: int, taken: set[int]) -> Iterator[int]:
    if place in taken or not plots[place].is_arable:
        return
    for other in sorted(tree.query(shapes[place], predicate="touches").tolist()):
        is_built = plots[other].is_built and plots[other].account.code == plots[place].account.code
        if is_built and other not in taken and shapely.length(shapely.intersection(shapes[place], shapes[other])) > 0:
            yield other
