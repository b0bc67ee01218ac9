"""The table of an overlay on a cluster: the same rows as in one process, tile by tile.

Each range is wholly in one tile (domain/scale_out.py), so its rows are made in one place and adjusted to its area as
always. Ranges are made disjoint before they are spread. A tile gets the features of the layers that its ranges meet; a
feature on a border goes to several tiles, where only its parts in that tile's ranges count.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import numpy

from domain.overlay.features import FeatureSet, require_sound_set
from domain.overlay.operations import disjoint
from domain.overlay.slivers import SliverReport, SliverRule
from domain.overlay.table import (
    OverlayLayer,
    OverlayTable,
    Watch,
    near_features,
    overlay_table,
    range_areas,
    table_of_disjoint,
)
from domain.scale_out import ScaleOut, tiles_of


def spread_table(
    scale_out: ScaleOut | None,
    ranges: FeatureSet,
    layers: Sequence[OverlayLayer],
    *,
    slivers: SliverRule | None = None,
    registered_m2: Mapping[str, Decimal] | None = None,
    keeps_pieces: bool = False,
    watch: Watch = lambda done, doing: None,
) -> OverlayTable:
    """`overlay_table`, on the cluster once ranges and features together are as many as its setting says."""
    if scale_out is None or not scale_out.wants(len(ranges) + sum(len(each.features) for each in layers)):
        return overlay_table(ranges, layers, slivers=slivers, registered_m2=registered_m2, keeps_pieces=keeps_pieces, watch=watch)
    require_sound_set(ranges)
    single, repeated = disjoint(ranges)
    areas = range_areas(single, registered_m2 or {})
    tiles = tiles_of(single.geometries, scale_out.tile_features)
    parts = [_part(single.taken(rows), layers, slivers, areas, keeps_pieces) for rows in tiles]
    made = scale_out.spread(table_of_disjoint, parts, lambda done: watch(len(layers) * done // len(tiles), f"分块 {done}/{len(tiles)}"))
    watch(len(layers), "")
    return _joined(made, single, layers, areas, repeated)


def _part(
    ranges: FeatureSet, layers: Sequence[OverlayLayer], slivers: SliverRule | None, areas: Mapping[str, Decimal], keeps_pieces: bool
) -> tuple:
    near = [OverlayLayer(each.key, near_features(each.features, ranges), each.by, each.priority) for each in layers]
    return ranges, near, slivers, {key: areas[key] for key in ranges.keys}, keeps_pieces


def _joined(
    made: Sequence[OverlayTable], ranges: FeatureSet, layers: Sequence[OverlayLayer], areas: Mapping[str, Decimal], repeated: float
) -> OverlayTable:
    place = {key: number for number, key in enumerate(ranges.keys)}
    rows = sorted((row for each in made for row in each.rows), key=lambda row: place[row.range_key])
    twice = {layer.key: sum(each.repeated[layer.key] for each in made) for layer in layers}
    reports = {
        key: SliverReport(tuple(sliver for each in made for sliver in each.slivers[key].slivers)) for key in (made[0].slivers if made else ())
    }
    return OverlayTable(
        tuple(layer.key for layer in layers), tuple(rows), areas, {"": repeated, **twice}, reports, _pieces([each.pieces for each in made], place)
    )


def _pieces(found: Sequence[FeatureSet | None], place: Mapping[str, int]) -> FeatureSet | None:
    """The pieces of all tiles in the order of their ranges."""
    kept = [each for each in found if each is not None]
    if not kept:
        return None
    whole = FeatureSet(
        tuple(key for each in kept for key in each.keys), numpy.concatenate([each.geometries for each in kept]),
        tuple(values for each in kept for values in each.attributes),
    )  # fmt: skip
    return whole.taken(sorted(range(len(whole)), key=lambda row: place[whole.keys[row]]))
