"""Where features lie: coordinate system, district, and coordinates written beside a point."""

from collections.abc import Iterator

import numpy
import shapely

from domain.inspection.subject import Candidate, InspectedLayer, Subject, number_of, rounded, text_of


def crs(subject: Subject) -> Iterator[Candidate]:
    """Layers without a system, of a system that the scheme does not accept, or with coordinates that contradict it."""
    accepted = "、".join(f"EPSG:{each}" for each in subject.scheme.crs)
    for layer in subject.spatial():
        system = layer.layer.system
        if system is None:
            problem, actual = ("unknown", layer.layer.crs_words) if layer.layer.crs_words else ("missing", "")
        elif system.srid not in subject.scheme.crs:
            problem, actual = "other", f"EPSG:{system.srid}"
        elif layer.system is None:
            problem, actual = "contradicted", f"EPSG:{system.srid}"
        else:
            continue
        yield Candidate("crs", layer.name, {"problem": problem, "expected": accepted, "actual": actual}, value=actual)


def district_extent(subject: Subject) -> Iterator[Candidate]:
    """Features that lie outside the city, or outside the district that the scheme compares with.

    With `extent: district` the district is that of the task, else the one that the feature's own code names. Area
    outside is ellipsoidal; points and lines count as wholly outside or not at all.
    """
    from domain.district import city_territory, load_districts

    if subject.scheme.extent == "none":
        return
    by_code = {each.code: each for each in load_districts()} if subject.scheme.extent == "district" else {}
    for layer in subject.spatial():
        if layer.system is None:
            continue
        for code, rows in _by_district(subject, layer, by_code).items():
            territory = by_code[code].geometry if code else city_territory()
            yield from _outside(layer, rows, territory, by_code[code].name if code else "上海市")


def _by_district(subject: Subject, layer: InspectedLayer, by_code: dict) -> dict[str, numpy.ndarray]:
    """Rows by the district in which they must lie; "" the city."""
    usable = numpy.flatnonzero(layer.is_valid & ~layer.is_empty)
    column = layer.column(layer.spec.district_field) if layer.spec.district_field else None
    if subject.district in by_code or column is None:
        return {subject.district if subject.district in by_code else "": usable}
    codes = numpy.array([text_of(value)[:6] for value in column])[usable]
    named = numpy.array([code if code in by_code else "" for code in codes])
    return {str(code): usable[named == code] for code in numpy.unique(named)}


def _outside(layer: InspectedLayer, rows: numpy.ndarray, territory, name: str) -> Iterator[Candidate]:
    stored = layer.stored(layer.geometries[rows])
    shapely.prepare(territory)
    away = numpy.flatnonzero(~shapely.covers(territory, stored))
    for index, row in zip(away, rows[away], strict=True):
        part = shapely.difference(stored[index], territory)
        is_area = layer.types[row] in (3, 6)
        area = rounded(_area(part)) if is_area else rounded(0)
        point = shapely.point_on_surface(layer.geometries[row])
        facts = {"area_m2": area, "is_area": is_area, "expected": name, "other": name}
        yield Candidate("district_extent", layer.name, facts, int(row), x=point.x, y=point.y)


def _area(part) -> float:
    from domain.area import unrounded_areas_m2

    return float(unrounded_areas_m2([part])[0])


def coordinates(subject: Subject) -> Iterator[Candidate]:
    """Points that lie elsewhere than the coordinates in their fields say, in metres; empty fields are another check's."""
    for layer in subject.spatial():
        xs, ys = layer.column(layer.spec.x_field), layer.column(layer.spec.y_field)
        if not layer.spec.x_field or xs is None or ys is None:
            continue
        for row, (x, y) in enumerate(zip(map(number_of, xs), map(number_of, ys), strict=True)):
            if x is None or y is None or layer.is_empty[row]:
                continue
            point = shapely.centroid(layer.geometries[row])
            here, written = numpy.array([[point.x, point.y]]), numpy.array([[float(x), float(y)]])
            away = float(numpy.hypot(*layer.metres(here, written)[0]))
            if away > 0:
                facts = {"length_m": rounded(away, 3), "actual": f"{x}，{y}", "field": layer.spec.x_field}
                yield Candidate("coordinates", layer.name, facts, row, layer.spec.x_field, f"{x},{y}", point.x, point.y)


MEASURES = {"crs": crs, "district_extent": district_extent, "coordinates": coordinates}
