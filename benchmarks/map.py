"""The one map with 200,000 patches: drawing the small scales, and the time of a tile at each zoom, against 100 ms."""

import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlmodel import Session

from domain.actor import SYSTEM
from domain.demo_cadastre import demo_settings, generate_demo_cadastre
from domain.layer import edition_on, load_layer
from domain.map_drawing import FIRST_ZOOM, draw, keep
from domain.map_layer import tile_bytes
from domain.map_legend import BY_KEY
from domain.map_tile import Tile, tiles_over
from portal.database import Database
from portal.migration import migrate
from portal.office import open_office
from portal.settings import read_settings

PATCHES, TILE_MS, TILES = 200_000, 100, 25
LAYER = BY_KEY["land_use"]
SUBURBS = (121.0, 30.9, 121.8, 31.4)
"""The part of the city from which tiles are taken: nearly every square of it is full."""


def rows(scale: float) -> list[dict[str, Any]]:
    """Generate the patches, load and draw them, and fetch tiles zoom by zoom."""
    cadastre = generate_demo_cadastre(demo_settings() | {"patches": max(5_000, int(PATCHES * scale))})
    features = cadastre.layers[LAYER.key]
    with tempfile.TemporaryDirectory(prefix="guitu-bench-") as folder:
        settings = read_settings({"VAR_DIR": folder})
        migrate(settings.database_url)
        database = Database(settings.database_url, office=open_office(settings))
        with database.writing() as session:
            load_layer(session, SYSTEM, LAYER.key, features, date(2026, 1, 1), is_generated=True)
        started = time.perf_counter()
        tiles = list(draw(LAYER, features))
        with database.writing() as session:
            keep(session, SYSTEM, LAYER.key, 1, tiles)
        drawn_s = time.perf_counter() - started
        with database.reading() as session:
            assert edition_on(session, LAYER.key).feature_count == len(features)
            return [_row(f"{len(features):,} 个图斑，绘制小比例尺 {len(tiles)} 块，秒", drawn_s), *_zooms(session)]


def _zooms(session: Session) -> Iterator[dict[str, Any]]:
    for zoom in range(FIRST_ZOOM, 19):
        found = list(tiles_over(SUBURBS, zoom))
        chosen = random.Random(1).sample(found, min(TILES, len(found)))
        times = sorted(_milliseconds(session, tile) for tile in chosen)
        yield _row(f"第 {zoom} 级一块，中位数毫秒", statistics.median(times), TILE_MS, times[int(len(times) * 0.95)])


def _milliseconds(session: Session, tile: Tile) -> float:
    started = time.perf_counter()
    tile_bytes(session, SYSTEM, LAYER, tile)
    return (time.perf_counter() - started) * 1000


def _row(name: str, ours: float, limit: float | None = None, p95_ms: float | None = None) -> dict[str, Any]:
    return {
        "case": name, "ours": round(ours, 1), "peer": limit, "peer_name": "限值" if limit else None,
        "ratio": round(ours / limit, 3) if limit else None, "per_second": None, "p95_ms": round(p95_ms, 1) if p95_ms else None,
    }
