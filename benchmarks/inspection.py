"""Inspection of 81,000 parcels for validity, repeats, overlaps and gaps, beside PostGIS and geopandas on the same data.

Nothing may be found in the clean parcels, and afterwards exactly the faults that were put in, by us and by the peers
alike; only then are times compared. Reading and loading are left out on both sides; PostGIS has its spatial index.
"""

import resource
import tempfile
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import numpy
import psycopg
import shapely

from benchmarks.parcels import Injected, as_file, parcels, with_faults
from domain.inspection import inspect
from domain.inspection.scheme import Scheme, read_scheme
from rules.engine import RuleBook

PARCELS, FAULTS = 81_000, (79, 200, 200, 500)
SCHEME = """key: bench
title: 基准
basis: 基准
rules: package_quality
crs: [4490]
layers:
  - {name: DKM, fills: true}
checks:
  - {key: validity}
  - {key: self_crossing}
  - {key: repeated}
  - {key: overlap}
  - {key: gap}
"""
SETS = Path(__file__).resolve().parents[1] / "rules" / "sets"
POSTGIS = {
    "图形有效": "SELECT count(*) FROM parcel WHERE NOT ST_IsValid(shape)",
    "重复图形": "SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) n FROM parcel GROUP BY ST_AsBinary(ST_Normalize(shape)) HAVING count(*) > 1) twice",
    "图层内重叠": "SELECT count(*) FROM good a JOIN good b ON a.id < b.id AND a.shape && b.shape WHERE ST_Relate(a.shape, b.shape, 'T********')",
    "图层内缝隙": (
        "SELECT count(*) FROM (SELECT (ST_Dump(ST_Union(ST_MakeValid(shape)))).geom part FROM parcel) whole, "
        "LATERAL ST_DumpRings(part) ring WHERE ring.path[1] > 0"
    ),
}
"""What PostGIS is asked, by check; `good` are the valid parcels, each once."""


def rows(scale: float) -> list[dict[str, Any]]:
    """Prove the findings, then time each side."""
    count = max(2_500, int(PARCELS * scale))
    faults = [max(2, int(each * count / PARCELS)) for each in FAULTS]
    clean = parcels(count)
    spoiled = with_faults(clean, *faults)
    ours = _ours(clean, spoiled)
    name = f"{count:,} 个地块"
    peers = [("PostGIS", _postgis(spoiled)), ("geopandas", _geopandas(spoiled))]
    memory = _row(f"{name}，内存峰值，兆字节", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return [*(_row(f"{name}，四项检查，秒", ours, seconds, peer) for peer, seconds in peers), memory]


def _ours(clean: numpy.ndarray, spoiled: Injected) -> float:
    scheme, book = _scheme(), RuleBook([SETS], engine="python")
    nothing = inspect(as_file(clean), scheme, book, date(2026, 6, 1))
    assert nothing.findings == (), "the clean parcels are not clean"
    started = time.perf_counter()
    result = inspect(as_file(spoiled.geometries), scheme, book, date(2026, 6, 1))
    seconds = time.perf_counter() - started
    found = {code: {each.feature - 1 for each in result.findings if each.code == code} for code in result.counts}
    assert found == {"GEO-09": spoiled.invalid, "TOP-01": spoiled.repeated, "TOP-02": spoiled.overlaps, "TOP-03": spoiled.holes}
    return seconds


def _scheme() -> Scheme:
    with tempfile.TemporaryDirectory(prefix="guitu-bench-") as folder:
        path = Path(folder) / "bench.yaml"
        path.write_text(SCHEME, encoding="utf-8")
        faults: list = []
        scheme = read_scheme(path, faults)
    assert scheme is not None, faults
    return scheme


def _postgis(spoiled: Injected) -> float:
    """Seconds for the four questions, all of whose answers must be the faults that were put in."""
    from tests.postgres import PostgresCluster

    cluster = PostgresCluster.start()
    try:
        url = cluster.create_database()
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            _load(connection, spoiled)
            return _asked(lambda check: connection.execute(POSTGIS[check]).fetchone()[0], spoiled)
    finally:
        cluster.stop()


def _load(connection: psycopg.Connection, spoiled: Injected) -> None:
    connection.execute("CREATE TABLE parcel (id int PRIMARY KEY, shape geometry(Polygon, 4490))")
    with connection.cursor().copy("COPY parcel FROM STDIN") as copy:
        for row, blob in enumerate(shapely.to_wkb(shapely.set_srid(spoiled.geometries, 4490), hex=True, include_srid=True)):
            copy.write_row((row, blob))
    once = "SELECT DISTINCT ON (ST_AsBinary(ST_Normalize(shape))) * FROM parcel WHERE ST_IsValid(shape)"
    connection.execute(f"CREATE TABLE good AS {once}")
    connection.execute("CREATE INDEX ON parcel USING gist (shape)")
    connection.execute("CREATE INDEX ON good USING gist (shape)")
    connection.execute("ANALYZE")


def _geopandas(spoiled: Injected) -> float:
    """The same four questions by geopandas, whole-frame operations only."""
    import geopandas

    frame = geopandas.GeoDataFrame(geometry=list(spoiled.geometries), crs=4490)
    good = frame[frame.is_valid].copy()
    good = good[~good.normalize().to_wkb().duplicated()].reset_index(drop=True)

    def overlaps() -> int:
        pairs = geopandas.sjoin(good, good, predicate="intersects").reset_index()
        pairs = pairs[pairs["index"] < pairs["index_right"]]
        left, right = good.geometry.values[pairs["index"]], good.geometry.values[pairs["index_right"]]
        return int(geopandas.GeoSeries(left).relate_pattern(geopandas.GeoSeries(right), "T********").sum())

    ways: dict[str, Callable[[], int]] = {
        "图形有效": lambda: int((~frame.is_valid).sum()),
        "重复图形": lambda: int(frame.normalize().to_wkb().duplicated().sum()),
        "图层内重叠": overlaps,
        "图层内缝隙": lambda: int(shapely.get_num_interior_rings(shapely.get_parts(frame.make_valid().union_all())).sum()),
    }
    return _asked(lambda check: ways[check](), spoiled)


def _asked(answer: Callable[[str], int], spoiled: Injected) -> float:
    """Seconds of all questions together. Of gaps a peer also tells those that an invalid parcel leaves behind."""
    wanted = {"图形有效": len(spoiled.invalid), "重复图形": len(spoiled.repeated), "图层内重叠": len(spoiled.overlaps)}
    started = time.perf_counter()
    told = {check: int(answer(check)) for check in POSTGIS}
    seconds = time.perf_counter() - started
    assert {check: told[check] for check in wanted} == wanted, told
    assert told["图层内缝隙"] >= len(spoiled.holes), told
    return seconds


def _row(name: str, ours: float, peer: float | None = None, peer_name: str | None = None) -> dict[str, Any]:
    return {
        "case": name, "ours": round(ours, 2), "peer": None if peer is None else round(peer, 2), "peer_name": peer_name,
        "ratio": round(peer / ours, 2) if peer else None, "per_second": None, "p95_ms": None,
    }
