"""Layers: spatial features with attributes, versioned in time, changed by region or by feature, every change
with its case.
"""

from domain.layer.border import CUT, REFUSE
from domain.layer.commands import (
    change_features,
    load_layer,
    load_region,
    replace_features,
    replace_region,
    replace_whole,
    write_change,
)
from domain.layer.definition import FeatureData, LayerDefinition, layer_definition, layer_definitions
from domain.layer.edition import Terms
from domain.layer.feature_span import FeatureSpan, history_of
from domain.layer.index import layer_index
from domain.layer.reading import (
    all_features,
    area_by_district,
    edition_on,
    features_by_key,
    features_in,
    layer_of,
)
from domain.layer.restoring import restore_former
from domain.layer.rights import districts_to_change, require_change
from domain.layer.tables import (
    CHANGES,
    SQLITE_SPATIAL_INDEX,
    Feature,
    Layer,
    LayerDrawing,
    LayerEdition,
    LayerTile,
)

__all__ = [
    "CHANGES",
    "CUT",
    "REFUSE",
    "SQLITE_SPATIAL_INDEX",
    "Feature",
    "FeatureData",
    "FeatureSpan",
    "Layer",
    "LayerDefinition",
    "LayerDrawing",
    "LayerEdition",
    "LayerTile",
    "Terms",
    "all_features",
    "area_by_district",
    "change_features",
    "districts_to_change",
    "edition_on",
    "features_by_key",
    "features_in",
    "history_of",
    "layer_definition",
    "layer_definitions",
    "layer_index",
    "layer_of",
    "load_layer",
    "load_region",
    "replace_features",
    "replace_region",
    "replace_whole",
    "require_change",
    "restore_former",
    "write_change",
]
