"""Tiles of the small scales, drawn beforehand: features that look alike dissolved, simplified zoom by zoom.

At small scales a square holds thousands of plots, each smaller than a dot. They are merged by group and district,
simplified to what a screen can show, and kept as finished tiles of the edition; at large scales a tile is made
of the plots themselves when it is asked for. Drawing is a job: the runner begins it when a layer has a newer edition,
and until it is done the map shows the drawing before. The editions with which a year ended are drawn too, so that
years can be compared at every scale.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy
import shapely
from shapely.geometry.base import BaseGeometry
from sqlalchemy import delete, extract, func, insert
from sqlmodel import Session, col, select

from domain import job
from domain.actor import SYSTEM
from domain.command import Work, command, system_only
from domain.job import Job, JobResult, Progress, job_handler
from domain.layer import FeatureData, Layer, LayerDrawing, LayerEdition, LayerTile, layer_of
from domain.layer.reading import edition_of, features_of, latest_editions
from domain.map_legend import BY_KEY, LAYERS, MapLayer, detail_zoom
from domain.map_tile import Tile, TileFeature, encode, tiles_over

KIND = "map_drawing"
FIRST_ZOOM = 8
"""The whole city in one window; smaller scales show nothing more."""
_TOLERANCE_DOTS = 0.6
_SMALLEST_DOTS = 1.5
"""Parts and holes below this many square dots are left out."""
_BATCH = 100
YEARS = 4
"""Of so many years that ended with an edition of its own a layer keeps the drawing, for comparing years."""
DISTRICT = "district"
"""The property of a drawn polygon that says of which district it is."""
Kind = tuple[str, str]
"""Group and district code."""


@dataclass(frozen=True, slots=True)
class DrawnTile:
    """A finished tile of a drawing."""

    tile: Tile
    content: bytes


def draw(layer: MapLayer, features: Sequence[FeatureData]) -> Iterator[DrawnTile]:
    """Every tile of the small scales in which the layer has something, from the large scale to the small one.

    Its polygons say their group and their district, so that a tile can be narrowed to some districts.
    """
    kinds, shapes = dissolved(layer, features)
    for zoom in range(detail_zoom(len(features)) - 1, FIRST_ZOOM - 1, -1):
        shapes = shapely.coverage_simplify(shapes, _dot_degrees(zoom) * _TOLERANCE_DOTS)
        seen, owner = _large_enough(shapes, _dot_degrees(zoom) ** 2 * _SMALLEST_DOTS)
        yield from _tiles(layer, zoom, [kinds[index] for index in owner], seen)


def dissolved(layer: MapLayer, features: Sequence[FeatureData]) -> tuple[list[Kind], numpy.ndarray]:
    """The group, the district and the union of all features of one group and district (EPSG:4490), in a fixed order."""
    alike: defaultdict[Kind, list[BaseGeometry]] = defaultdict(list)
    for feature in features:
        alike[layer.group_of(feature), feature.district_code].append(feature.geometry)
    keys = sorted(alike)
    return keys, numpy.array([shapely.union_all(alike[key]) for key in keys], dtype=object)


def _dot_degrees(zoom: int) -> float:
    """How wide a dot of the screen is, in degrees of longitude."""
    return 360 / (256 << zoom)


def _large_enough(shapes: numpy.ndarray, smallest: float) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The polygons of the shapes that can be seen, without holes that cannot, and the shape each is of.

    `smallest` is an area in square degrees; only for what is drawn, never for what is measured.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    is_seen = (shapely.get_type_id(parts) == 3) & (shapely.area(parts) >= smallest)
    return numpy.array([_without_small_holes(part, smallest) for part in parts[is_seen]], dtype=object), owner[is_seen]


def _without_small_holes(polygon: shapely.Polygon, smallest: float) -> shapely.Polygon:
    holes = [ring for ring in polygon.interiors if shapely.Polygon(ring).area >= smallest]
    return polygon if len(holes) == len(polygon.interiors) else shapely.Polygon(polygon.exterior, holes)


def _tiles(layer: MapLayer, zoom: int, kinds: Sequence[Kind], polygons: numpy.ndarray) -> Iterator[DrawnTile]:
    if not len(polygons):
        return
    tree = shapely.STRtree(polygons)
    for tile in tiles_over(tuple(shapely.total_bounds(polygons).tolist()), zoom):
        met = sorted(tree.query(shapely.box(*tile.bounds)).tolist())
        if content := encode(tile, layer.key, _grouped(kinds, polygons, met)):
            yield DrawnTile(tile, content)


def _grouped(kinds: Sequence[Kind], polygons: numpy.ndarray, met: Sequence[int]) -> list[TileFeature]:
    """One feature for each group of a district, so that it is drawn in one stroke."""
    alike: defaultdict[Kind, list[BaseGeometry]] = defaultdict(list)
    for index in met:
        alike[kinds[index]].append(polygons[index])
    return [
        TileFeature(shapely.MultiPolygon(found), {"group": group, DISTRICT: district})
        for (group, district), found in sorted(alike.items())
    ]


def drawing_of(session: Session, layer_key: str, number: int | None = None) -> LayerDrawing | None:
    """The drawing of an edition of a layer, its latest drawing without a number; None if there is none."""
    statement = select(LayerDrawing).where(LayerDrawing.layer_id == layer_of(session, layer_key).id)
    if number is not None:
        statement = statement.where(LayerDrawing.edition_number == number)
    return session.exec(statement.order_by(col(LayerDrawing.edition_number).desc()).limit(1)).first()


def drawn_tile(session: Session, drawing: LayerDrawing, tile: Tile) -> bytes:
    """A tile of a drawing; empty where the layer has nothing."""
    found = session.exec(select(LayerTile.content).where(
        LayerTile.drawing_id == drawing.id, LayerTile.zoom == tile.zoom,
        LayerTile.tile_column == tile.column, LayerTile.tile_row == tile.row,
    )).first()
    return found or b""


def undrawn(session: Session) -> list[MapLayer]:
    """The layers of the map whose latest edition has no drawing yet."""
    latest, drawn = latest_editions(session), _drawn(session)
    loaded = [(layer, latest[layer.key]) for layer in LAYERS if layer.is_dissolved and layer.key in latest]
    return [layer for layer, edition in loaded if (edition.layer_id, edition.number) not in drawn]


def undrawn_years(session: Session) -> list[tuple[MapLayer, LayerEdition]]:
    """The editions with which the layers of the map ended a year, and the latest ones, that have no drawing yet."""
    drawn = _drawn(session)
    return [
        (BY_KEY[key], edition) for key, years in year_ends(session).items() if BY_KEY[key].is_dissolved
        for edition in years if (edition.layer_id, edition.number) not in drawn
    ]


def year_ends(session: Session) -> dict[str, list[LayerEdition]]:
    """By layer of the map the last edition of each year, the newest first; of the last `YEARS` years that have one."""
    last = (
        select(LayerEdition.layer_id, func.max(LayerEdition.number).label("number"))
        .group_by(LayerEdition.layer_id, extract("year", LayerEdition.effective_on)).subquery()
    )
    statement = (
        select(Layer.key, LayerEdition).join(LayerEdition, LayerEdition.layer_id == Layer.id)
        .join(last, (last.c.layer_id == LayerEdition.layer_id) & (last.c.number == LayerEdition.number))
        .order_by(col(LayerEdition.number).desc())
    )
    found: dict[str, list[LayerEdition]] = defaultdict(list)
    for key, edition in session.execute(statement):
        found[key].append(edition)
    return {layer.key: found[layer.key][:YEARS] for layer in LAYERS if layer.key in found}


def _drawn(session: Session) -> set[tuple[int, int]]:
    """What has a drawing, as id of the layer and number of the edition."""
    return {(layer_id, number) for layer_id, number in session.execute(select(LayerDrawing.layer_id, LayerDrawing.edition_number))}


def is_due(session: Session) -> bool:
    """True if a layer has to be drawn and no job is at it."""
    if not undrawn_years(session):
        return False
    begun = select(Job.id).where(Job.kind == KIND, col(Job.status).in_(job.UNFINISHED)).limit(1)
    return session.exec(begun).first() is None


@command("map.begin_drawing", allow=system_only)
def begin(work: Work) -> None:
    """Queue the drawing of what changed."""
    titles = "、".join(dict.fromkeys(layer.title for layer, _edition in undrawn_years(work.session)))
    job.enqueue(work, KIND, f"绘制一张图的小比例尺瓦片：{titles}", {})


@job_handler(KIND, resumable=True)
def draw_changed(progress: Progress, _arguments: Mapping[str, Any]) -> JobResult:
    """Draw what has no drawing: the latest editions, and those with which the layers ended a year."""
    with progress.reading() as session:
        wanted = [(layer, edition.number) for layer, edition in undrawn_years(session)]
    drawn: dict[str, Any] = {}
    for done, (layer, number) in enumerate(wanted):
        progress.tell(done, len(wanted), f"绘制{layer.title}第 {number} 版")
        with progress.reading() as session:
            tiles = list(draw(layer, features_of(session, edition_of(session, layer.key, number))))
        with progress.writing() as session:
            keep(session, SYSTEM, layer.key, number, tiles)
        drawn.setdefault(layer.key, []).append({"edition": number, "tiles": len(tiles)})
    return JobResult(drawn)


@command("map.keep_drawing", allow=system_only)
def keep(work: Work, layer_key: str, edition_number: int, tiles: Sequence[DrawnTile]) -> LayerDrawing:
    """Keep the tiles of an edition as its drawing, in place of drawings that nobody asks for any more."""
    return store(work, layer_key, edition_number, tiles)


def store(work: Work, layer_key: str, edition_number: int, tiles: Sequence[DrawnTile]) -> LayerDrawing:
    """The building block of `keep`, for loading inside another command."""
    layer = layer_of(work.session, layer_key)
    _forget(work, layer, edition_number)
    drawing = LayerDrawing(
        layer_id=layer.id, edition_number=edition_number, drawn_at=work.at, tile_count=len(tiles),
        size_bytes=sum(len(each.content) for each in tiles),
    )
    work.session.add(drawing)
    work.session.flush()
    rows = [
        {"drawing_id": drawing.id, "zoom": each.tile.zoom, "tile_column": each.tile.column, "tile_row": each.tile.row,
         "content": each.content}
        for each in tiles
    ]
    for start in range(0, len(rows), _BATCH):
        work.session.execute(insert(LayerTile.__table__), rows[start : start + _BATCH])
    work.record(f"layer:{layer_key}", drawing=edition_number, tiles=drawing.tile_count, bytes=drawing.size_bytes)
    return drawing


def _forget(work: Work, layer: Layer, number: int) -> None:
    """Delete the drawing of an edition, and those of editions that are neither the latest nor ended a year."""
    kept = {edition.number for edition in year_ends(work.session).get(layer.key, [])} - {number}
    drawings = select(LayerDrawing.id).where(LayerDrawing.layer_id == layer.id, col(LayerDrawing.edition_number).not_in(kept))
    old = list(work.session.exec(drawings).all())
    if old:
        work.session.execute(delete(LayerTile).where(col(LayerTile.drawing_id).in_(old)))
        work.session.execute(delete(LayerDrawing).where(col(LayerDrawing.id).in_(old)))
