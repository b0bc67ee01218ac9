"""Layers: spatial features with attributes, versioned in time, changed by region or by feature, every change
with its case.
"""

from domain.layer.commands import (
    change_features,
    load_layer,
    load_region,
    replace_features,
    replace_region,
    replace_whole,
)
from domain.layer.definition import FeatureData, LayerDefinition, layer_definition, layer_definitions
from domain.layer.index import layer_index
from domain.layer.reading import (
    all_features,
    area_by_district,
    edition_on,
    features_by_key,
    features_in,
    layer_of,
)
from domain.layer.tables import SQLITE_SPATIAL_INDEX, Feature, Layer, LayerDrawing, LayerEdition, LayerTile

__all__ = [
    "SQLITE_SPATIAL_INDEX",
    "Feature",
    "FeatureData",
    "Layer",
    "LayerDefinition",
    "LayerDrawing",
    "LayerEdition",
    "LayerTile",
    "all_features",
    "area_by_district",
    "change_features",
    "edition_on",
    "features_by_key",
    "features_in",
    "layer_definition",
    "layer_definitions",
    "layer_index",
    "layer_of",
    "load_layer",
    "load_region",
    "replace_features",
    "replace_region",
    "replace_whole",
]
