"""Overlay 叠加: one range on a layer (`overlay_areas`, for decisions), and many on many (operations, tables, slivers, repair)."""

from domain.overlay.adjustment import adjusted
from domain.overlay.features import FeatureSet, OverlayFeature, require_sound_set
from domain.overlay.one_range import (
    CrossRow,
    FeatureIndex,
    Overlay,
    OverlayRow,
    class_value,
    cross_overlay,
    overlapping_area_m2,
    overlay_areas,
)
from domain.overlay.operations import (
    OPERATIONS,
    Pieces,
    clip,
    disjoint,
    dissolve,
    erase,
    identity,
    intersection,
    symmetric_difference,
    union,
)
from domain.overlay.repair import Repair, Repaired, repaired
from domain.overlay.slivers import Sliver, SliverReport, SliverRule, handle_slivers
from domain.overlay.spread import spread_table
from domain.overlay.table import OverlayLayer, OverlayTable, TableRow, overlay_table

__all__ = [
    "OPERATIONS",
    "CrossRow",
    "FeatureIndex",
    "FeatureSet",
    "Overlay",
    "OverlayFeature",
    "OverlayLayer",
    "OverlayRow",
    "OverlayTable",
    "Pieces",
    "Repair",
    "Repaired",
    "Sliver",
    "SliverReport",
    "SliverRule",
    "TableRow",
    "adjusted",
    "class_value",
    "clip",
    "cross_overlay",
    "disjoint",
    "dissolve",
    "erase",
    "handle_slivers",
    "identity",
    "intersection",
    "overlapping_area_m2",
    "overlay_areas",
    "overlay_table",
    "repaired",
    "require_sound_set",
    "spread_table",
    "symmetric_difference",
    "union",
]
