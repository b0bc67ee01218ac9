"""Irregular patches that fill the account areas exactly: curved cells, merges, holes, multiparts and
T-vertices on purpose.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from numpy.random import Generator
from shapely.geometry.base import BaseGeometry

from domain.area import unrounded_areas_m2
from domain.coverage import GRID_DEGREES, faces_of, merged, shared_edges
from domain.district import AccountArea


@dataclass(frozen=True, slots=True)
class Patch:
    """A generated patch: index of its account area, geometry in EPSG:4490, and whether it lies in the hole of
    another.
    """

    account: int
    geometry: BaseGeometry
    is_hole: bool = False


def tessellate(accounts: Sequence[AccountArea], settings: dict[str, Any]) -> list[Patch]:
    """Patches that cover every account area without gap or overlap; the same settings give the same patches."""
    random = numpy.random.default_rng(settings["seed"])
    seeds = numpy.concatenate(
        [_seeds(area, count, settings, random) for area, count in _shares(accounts, settings)]
    )
    faces, account = _cells(seeds, accounts, settings, random)
    group = _merge_slivers(faces, account, settings["smallest_patch_m2"])
    faces, account = _merged_faces(faces, account, group)
    faces, account = _merged_faces(
        faces, account, _merge_some(faces, account, settings["merge_share"], random)
    )
    shells = _with_extra_vertices(_polygons(faces), settings["extra_vertex_share"], random)
    return _multiparts(
        *_holes(shells, account, settings["hole_share"], random), settings["multipart_share"], random
    )


def _shares(accounts: Sequence[AccountArea], settings: dict[str, Any]) -> list[tuple[AccountArea, int]]:
    """How many seed points each account area gets: a fixed number, and the rest by area."""
    areas = unrounded_areas_m2([account.geometry for account in accounts])
    left = settings["patches"] - settings["fewest_per_area"] * len(accounts)
    counts = settings["fewest_per_area"] + numpy.round(left * areas / areas.sum()).astype(int)
    return list(zip(accounts, counts.tolist(), strict=True))


def _seeds(area: AccountArea, count: int, settings: dict[str, Any], random: Generator) -> numpy.ndarray:
    """Seed points inside an area: some spread evenly, some around villages; no two in one square of the
    finest spacing.
    """
    clustered = int(count * settings["clustered_share"])
    even = _inside(area.geometry, count - clustered, random)
    centres = _inside(area.geometry, max(1, clustered // settings["cluster_size"]), random)
    around = numpy.repeat(centres, 2 * settings["cluster_size"], axis=0)
    around = around + random.normal(0, settings["cluster_spread_degrees"], around.shape)
    around = around[shapely.contains_xy(area.geometry, around[:, 0], around[:, 1])]
    points = numpy.concatenate([even, random.permutation(around)])
    square = numpy.floor(points / settings["fewest_gap_degrees"]).astype(int)
    _, first = numpy.unique(square, axis=0, return_index=True)
    return points[numpy.sort(first)][:count]


def _inside(geometry: BaseGeometry, count: int, random: Generator) -> numpy.ndarray:
    west, south, east, north = geometry.bounds
    found = numpy.empty((0, 2))
    while len(found) < count:
        points = random.uniform((west, south), (east, north), (4 * count, 2))
        found = numpy.concatenate([found, points[shapely.contains_xy(geometry, points[:, 0], points[:, 1])]])
    return found[:count]


def _cells(
    seeds: numpy.ndarray, accounts: Sequence[AccountArea], settings: dict[str, Any], random: Generator
) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Faces of the bent Voronoi edges and the account boundaries, with the account of each; faces outside are
    dropped.
    """
    lines = shapely.voronoi_polygons(shapely.multipoints(seeds), only_edges=True, ordered=False)
    bent = _bent(shapely.get_parts(shapely.line_merge(lines)), settings["edge_bend"], random)
    faces = faces_of([*bent, *(shapely.boundary(account.geometry) for account in accounts)])
    points = shapely.point_on_surface(faces)
    owner = numpy.full(len(faces), -1)
    for index, account in enumerate(accounts):
        shapely.prepare(account.geometry)
        owner[shapely.contains(account.geometry, points)] = index
    return faces[owner >= 0], owner[owner >= 0]


def _bent(lines: numpy.ndarray, bend: float, random: Generator) -> list[BaseGeometry]:
    """Each edge with its midpoint moved aside by up to `bend` of its length, so that cells are no convex
    polygons.
    """
    coordinates, owner = shapely.get_coordinates(lines, return_index=True)
    is_edge = owner[1:] == owner[:-1]
    start, end = coordinates[:-1][is_edge], coordinates[1:][is_edge]
    order = numpy.lexsort(numpy.concatenate([start, end], axis=1).T)
    start, end = start[order], end[order]
    aside = (end - start)[:, ::-1] * (-1, 1)
    length = numpy.hypot(*(end - start).T)
    share = random.uniform(-bend, bend, len(start)) * numpy.minimum(1, 0.02 / numpy.maximum(length, 1e-12))
    middle = (start + end) / 2 + aside * share[:, None]
    return list(shapely.linestrings(numpy.stack([start, middle, end], axis=1)))


def _merge_slivers(faces: numpy.ndarray, account: numpy.ndarray, smallest_m2: float) -> numpy.ndarray:
    """Group numbers that put every face below the smallest area to the neighbour of its account with the
    longest common edge.
    """
    small = unrounded_areas_m2(faces) < smallest_m2
    best = _longest_neighbours(faces, account)
    group = numpy.arange(len(faces))
    for face in numpy.flatnonzero(small & (best >= 0)):
        group[face] = best[face]
    return _roots(group)


def _merge_some(
    faces: numpy.ndarray, account: numpy.ndarray, share: float, random: Generator
) -> numpy.ndarray:
    """Group numbers that put a share of the faces to their longest neighbour."""
    chosen = random.random(len(faces)) < share
    best = _longest_neighbours(faces, account)
    group = numpy.where(chosen & (best >= 0), best, numpy.arange(len(faces)))
    return _roots(group)


def _longest_neighbours(faces: numpy.ndarray, account: numpy.ndarray) -> numpy.ndarray:
    """For each face the neighbour of the same account with the longest common edge; -1 for none."""
    first, second, length = shared_edges(faces)
    same = account[first] == account[second]
    one, other = (
        numpy.concatenate([first[same], second[same]]),
        numpy.concatenate([second[same], first[same]]),
    )
    order = numpy.argsort(numpy.concatenate([length[same]] * 2), kind="stable")
    best = numpy.full(len(faces), -1)
    best[one[order]] = other[order]
    return best


def _roots(group: numpy.ndarray) -> numpy.ndarray:
    """Follows "goes to" pointers to their end; of a circle the smallest number is the end."""
    roots = group.copy()
    for start in range(len(group)):
        path, at = [], start
        while group[at] != at and at not in path:
            path.append(at)
            at = int(group[at])
        roots[start] = min(path[path.index(at) :]) if at in path else at
    return roots


def _merged_faces(faces, account: numpy.ndarray, group: numpy.ndarray) -> tuple[numpy.ndarray, numpy.ndarray]:
    united = merged(faces, group)
    return numpy.array(list(united.values()), dtype=object), account[list(united)]


def _polygons(faces: numpy.ndarray) -> numpy.ndarray:
    """Faces as polygons; the union of a coverage gives a multipolygon of one part for some."""
    return numpy.array(
        [shapely.get_geometry(face, 0) if shapely.get_num_geometries(face) == 1 else face for face in faces]
    )


def _with_extra_vertices(polygons: numpy.ndarray, share: float, random: Generator) -> numpy.ndarray:
    """Polygons with the midpoint of some edges added; the midpoint is exact, so the neighbour's edge runs
    through it.
    """
    return numpy.array([_with_midpoints(polygon, share, random) for polygon in polygons], dtype=object)


def _with_midpoints(polygon: BaseGeometry, share: float, random: Generator) -> BaseGeometry:
    if polygon.geom_type != "Polygon":
        return polygon
    rings = []
    for ring in (polygon.exterior, *polygon.interiors):
        points = shapely.get_coordinates(ring)
        chosen = numpy.flatnonzero(random.random(len(points) - 1) < share)
        rings.append(numpy.insert(points, chosen + 1, (points[chosen] + points[chosen + 1]) / 2, axis=0))
    return shapely.Polygon(rings[0], rings[1:])


def _holes(
    polygons: numpy.ndarray, account: numpy.ndarray, share: float, random: Generator
) -> tuple[list[BaseGeometry], list[int], list[bool]]:
    """Some polygons with a hole, and the polygons that fill these holes vertex by vertex."""
    shells, owners, inner = list(polygons), account.tolist(), []
    for index in numpy.flatnonzero(random.random(len(polygons)) < share):
        ring = _pond(polygons[index], random)
        if ring is not None:
            shells[index] = shapely.Polygon(shells[index].exterior, [*shells[index].interiors, ring.exterior])
            inner.append((ring, int(account[index])))
    return (
        shells + [ring for ring, _ in inner],
        owners + [owner for _, owner in inner],
        [False] * len(shells) + [True] * len(inner),
    )


def _pond(polygon: BaseGeometry, random: Generator) -> shapely.Polygon | None:
    """An irregular ring on the grid well inside a polygon, or None where there is no room."""
    if polygon.geom_type != "Polygon":
        return None
    centre = shapely.point_on_surface(polygon)
    room = shapely.distance(centre, polygon.boundary)
    corners = int(random.integers(6, 11))
    angles = numpy.sort(random.uniform(0, 2 * numpy.pi, corners))
    radii = room * random.uniform(0.45, 0.8, corners)
    points = numpy.stack([centre.x + radii * numpy.cos(angles), centre.y + radii * numpy.sin(angles)], axis=1)
    ring = shapely.Polygon(numpy.round(points / GRID_DEGREES) * GRID_DEGREES)
    is_fit = ring.is_valid and room > 2e-4 and shapely.contains_properly(polygon, ring)
    return ring if is_fit and numpy.diff(angles).max() < 2.5 else None


def _multiparts(
    shells: list[BaseGeometry], owners: list[int], is_hole: list[bool], share: float, random: Generator
) -> list[Patch]:
    """Joins some pairs of patches that have a common neighbour but do not touch into one patch of two parts."""
    geometries = numpy.array(shells, dtype=object)
    first, second = shapely.STRtree(geometries).query(geometries, predicate="intersects")
    neighbours = [set() for _ in shells]
    for one, other in zip(first.tolist(), second.tolist(), strict=True):
        if one != other:
            neighbours[one].add(other)
    taken, partner = set(), {}
    for index in numpy.flatnonzero(random.random(len(shells)) < share).tolist():
        second_part = _partner(index, neighbours, owners, is_hole, taken)
        if second_part is not None:
            partner[index] = second_part
            taken |= {index, second_part}
    joined = set(partner.values())
    return [
        Patch(
            owners[i],
            shapely.MultiPolygon(_parts(shells[i]) + _parts(shells[partner[i]]))
            if i in partner
            else shells[i],
            is_hole[i],
        )
        for i in range(len(shells))
        if i not in joined
    ]


def _partner(
    index: int, neighbours: list[set[int]], owners: list[int], is_hole: list[bool], taken: set[int]
) -> int | None:
    """A patch of the same account two steps away that does not touch this one."""
    if index in taken or is_hole[index]:
        return None
    near = neighbours[index]
    candidates = {far for between in near for far in neighbours[between]} - near - taken - {index}
    fitting = [far for far in candidates if owners[far] == owners[index] and not is_hole[far]]
    return min(fitting, default=None)


def _parts(geometry: BaseGeometry) -> list[BaseGeometry]:
    return list(shapely.get_parts(geometry))
