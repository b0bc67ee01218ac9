"""Overlay of 81,000 parcels with 5,000 ranges, beside geopandas and PostGIS on the same geometries in the same run.

Every engine gets geometries in memory (PostGIS: loaded, indexed, analysed) and gives every piece with its area. Ours also
checks that every input is sound and measures on the ellipsoid. Each runs in a process of its own, so that its peak memory
is its own. Ours computes in several threads, so its time depends on whether the cores are free; processor time stands beside
it. Areas are compared in square degrees, the measure that all three have, to a relative 1e-6.
"""

import math
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import shapely

PARCELS, RANGES, TIMES = 81_000, 5_000, 3
WEST, SOUTH, STEP = 121.0, 31.0, 0.0008
"""The corner of the sample, and the side of a parcel in degrees (about 80 m)."""
EDGE_POINTS = 4
TOLERANCE = 1e-6


def rows(scale: float) -> list[dict[str, Any]]:
    """Measure the three engines, prove that they agree, and put them beside each other."""
    count, ranges = max(100, int(PARCELS * scale)), max(20, int(RANGES * scale))
    ours, theirs = apart(_ours, count, ranges), apart(_geopandas, count, ranges)
    with cluster() as url:
        stored = None if url is None else apart(_postgis, count, ranges, url)
    found = [each for each in (theirs, stored) if each is not None]
    for each in found:
        require_equal(ours, each)
    case = f"{count:,} 宗地 × {ranges:,} 范围，{ours['pieces']:,} 块"
    made = [_row(f"{case}，秒", ours["seconds"], each["seconds"], each["name"]) for each in found]
    made += [_row(f"{case}，处理器秒", ours["worked"], each["worked"], each["name"]) for each in found if each["worked"]]
    made += [_row(f"{case}，内存峰值 MB", ours["peak_mb"], each["peak_mb"], each["name"]) for each in found if each["peak_mb"]]
    table = apart(_table, count, ranges)
    return [*made, _row(f"同上，按类闭合的成果表 {table['pieces']:,} 行，秒", table["seconds"]), _row("同上，内存峰值 MB", table["peak_mb"])]


def require_equal(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Raise unless both have the same pieces and the same area."""
    if ours["pieces"] != theirs["pieces"] or not math.isclose(ours["area"], theirs["area"], rel_tol=TOLERANCE):
        raise AssertionError(f"{theirs['name']}: {theirs['pieces']} pieces, area {theirs['area']}; ours {ours['pieces']}, {ours['area']}")


def sample(count: int, ranges: int) -> tuple[numpy.ndarray, numpy.ndarray]:
    """Parcels that share every edge point by point, and ranges (turned rectangles) that lie over some ten of them each."""
    random = numpy.random.default_rng(20_260_101)
    side = math.ceil(math.sqrt(count))
    corners = numpy.stack(numpy.meshgrid(numpy.arange(side + 1.0), numpy.arange(side + 1.0), indexing="ij"), axis=-1)
    corners += random.uniform(-0.2, 0.2, corners.shape)
    across, along = (_bent(random, corners, axis) for axis in (0, 1))
    parcels = [_parcel(across, along, place // side, place % side) for place in range(count)]
    centres, angles = random.uniform(1, side - 1, (ranges, 2)), random.uniform(0, math.pi, ranges)
    sizes = random.uniform(0.5, 3.5, (ranges, 2))
    corner = numpy.array([[-0.5, -0.5], [0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5]])
    turn = numpy.stack([numpy.cos(angles), numpy.sin(angles), -numpy.sin(angles), numpy.cos(angles)], axis=-1).reshape(-1, 2, 2)
    rings = centres[:, None, :] + numpy.einsum("rpi,rij->rpj", corner[None] * sizes[:, None, :], turn)
    return shapely.polygons([_degrees(each) for each in parcels]), shapely.polygons(_degrees(rings))


def _bent(random: numpy.random.Generator, corners: numpy.ndarray, axis: int) -> numpy.ndarray:
    """The points of every edge along one axis, both ends included, bent a little between them."""
    start, end = (corners[:-1], corners[1:]) if axis == 0 else (corners[:, :-1], corners[:, 1:])
    shares = numpy.linspace(0, 1, EDGE_POINTS + 2)[:, None]
    points = start[:, :, None, :] * (1 - shares) + end[:, :, None, :] * shares
    points[:, :, 1:-1] += random.uniform(-0.04, 0.04, points[:, :, 1:-1].shape)
    return points


def _parcel(across: numpy.ndarray, along: numpy.ndarray, x: int, y: int) -> numpy.ndarray:
    south, east, north, west = across[x, y], along[x + 1, y], across[x, y + 1][::-1], along[x, y][::-1]
    return numpy.concatenate([south, east[1:], north[1:], west[1:]])


def _degrees(points: numpy.ndarray) -> numpy.ndarray:
    return points * STEP + (WEST, SOUTH)


def apart(engine: Callable[..., dict[str, Any]], *arguments: Any) -> dict[str, Any]:
    """Run an engine in a fresh process; its answer, with its peak memory unless it says that this is not its own."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_watched, (engine, arguments))


def _watched(engine: Callable[..., dict[str, Any]], arguments: tuple[Any, ...]) -> dict[str, Any]:
    found = engine(*arguments)
    return {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, **found}


def _timed(name: str, work: Callable[[], tuple[int, float]]) -> dict[str, Any]:
    """The median of several runs, with the pieces and the area of the last."""
    seconds, worked = [], []
    for _ in range(TIMES):
        started, before = time.perf_counter(), time.process_time()
        pieces, area = work()
        seconds.append(time.perf_counter() - started)
        worked.append(time.process_time() - before)
    return {"name": name, "seconds": statistics.median(seconds), "worked": statistics.median(worked), "pieces": pieces, "area": area}


def _ours(count: int, ranges: int) -> dict[str, Any]:
    from domain.overlay import FeatureSet, intersection

    parcels, wanted = sample(count, ranges)

    def work() -> tuple[int, float]:
        found = intersection(FeatureSet.without_attributes(parcels), FeatureSet.without_attributes(wanted))
        areas, square = found.areas, shapely.area(found.geometries)
        return int((areas > 0).sum()), float(square.sum())

    return _timed("ours", work)


def _table(count: int, ranges: int) -> dict[str, Any]:
    """Ranges by the classes of the parcels, each place once, rows that close."""
    from domain.overlay import FeatureSet, OverlayLayer, overlay_table

    parcels, wanted = sample(count, ranges)
    bare = FeatureSet.without_attributes(parcels)
    classed = FeatureSet(bare.keys, bare.geometries, tuple({"kind": "甲乙丙丁戊"[place % 5]} for place in range(count)))

    def work() -> tuple[int, float]:
        found = overlay_table(FeatureSet.without_attributes(wanted), [OverlayLayer("parcels", classed.taken(range(count)), "kind")])
        return len(found.rows), float(found.total_m2)

    return _timed("ours", work)


def _geopandas(count: int, ranges: int) -> dict[str, Any]:
    import geopandas

    parcels, wanted = sample(count, ranges)
    left, right = (geopandas.GeoDataFrame({name: range(len(each))}, geometry=each) for name, each in (("parcel", parcels), ("range", wanted)))

    def work() -> tuple[int, float]:
        areas = geopandas.overlay(left, right, how="intersection", keep_geom_type=True).area
        return int((areas > 0).sum()), float(areas.sum())

    return _timed("geopandas", work)


def _postgis(count: int, ranges: int, url: str) -> dict[str, Any]:
    import psycopg

    tables = dict(zip(("parcels", "ranges"), sample(count, ranges), strict=True))
    query = (
        "SELECT count(*), sum(area) FROM (SELECT ST_Area(ST_Intersection(a.shape, b.shape)) AS area "
        "FROM parcels a JOIN ranges b ON ST_Intersects(a.shape, b.shape)) AS pieces WHERE area > 0"
    )
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        for name, shapes in tables.items():
            connection.execute(f"CREATE TABLE {name} (id serial PRIMARY KEY, shape geometry(Polygon))")
            with connection.cursor().copy(f"COPY {name} (shape) FROM STDIN") as copy:
                for blob in shapely.to_wkb(shapes, hex=True):
                    copy.write_row((blob,))
            connection.execute(f"CREATE INDEX ON {name} USING gist (shape)")
            connection.execute(f"ANALYZE {name}")
        found = _timed("PostGIS", lambda: connection.execute(query).fetchone())
    return found | {"peak_mb": None, "worked": None}


@contextmanager
def cluster() -> Iterator[str | None]:
    """The address of an empty database with PostGIS: the one of OVERLAY_BENCH_URL, else a private one; None without any."""
    if os.environ.get("OVERLAY_BENCH_URL"):
        yield os.environ["OVERLAY_BENCH_URL"]
        return
    from tests.postgres import PostgresCluster, PostgresUnavailable

    try:
        started = PostgresCluster.start()
    except PostgresUnavailable:
        yield None
        return
    try:
        yield started.create_database()
    finally:
        started.stop()


def _row(name: str, ours: float, peer: float | None = None, peer_name: str | None = None) -> dict[str, Any]:
    return {
        "case": name, "ours": round(ours, 3), "peer": None if peer is None else round(peer, 3), "peer_name": peer_name,
        "ratio": round(peer / ours, 2) if peer else None, "per_second": None, "p95_ms": None,
    }  # fmt: skip
