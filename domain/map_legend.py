"""The legend of the one map: its layers from the bottom to the top, each with groups of features that look alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from domain.layer import FeatureData, layer_definition
from domain.map_look import Look, look_of

FILE = Path(__file__).parent / "reference" / "map_legend.yaml"
FEW, DETAIL_ZOOM, DENSE_DETAIL_ZOOM = 60_000, 13, 14
"""From a zoom on every feature is drawn by itself; below it, groups are dissolved (domain/map_drawing.py). A layer of
more than `FEW` features is dissolved one zoom further, so that no tile has to be made of thousands of them."""

USUAL_OPACITY = 90
"""Of every layer in percent unless the address says otherwise, so that what lies below shines through a little."""


@dataclass(frozen=True, slots=True)
class MapGroup:
    """Features of a layer that look alike: key, label, mark (of reference/map_marks.yaml), the values they have."""

    key: str
    label: str
    mark: str
    values: tuple[str, ...]

    @property
    def look(self) -> Look:
        """How the group looks, on the screen and on paper."""
        return look_of(self.mark)


@dataclass(frozen=True, slots=True)
class MapLayer:
    """A layer of the map: its groups, by the class or by the status of a feature, and whether small scales dissolve it."""

    key: str
    by: str
    groups: tuple[MapGroup, ...]
    is_dissolved: bool = True
    is_shown: bool = True

    @property
    def title(self) -> str:
        """The title of the layer."""
        return layer_definition(self.key).title

    def group_of(self, feature: FeatureData) -> str:
        """The group of a feature: the longest value that its class or status begins with; the last group for others."""
        value = getattr(feature, self.by)
        fitting = [(len(each), group.key) for group in self.groups for each in group.values if value.startswith(each)]
        return max(fitting)[1] if fitting else self.groups[-1].key


def detail_zoom(feature_count: int) -> int:
    """The first zoom at which a layer with so many features is drawn feature by feature."""
    return DETAIL_ZOOM if feature_count <= FEW else DENSE_DETAIL_ZOOM


def read_legend(file: Path = FILE) -> tuple[MapLayer, ...]:
    """The layers as the file writes them."""
    entries = yaml.safe_load(file.read_text(encoding="utf-8"))
    return tuple(MapLayer(**{**entry, "groups": tuple(map(_group, entry["groups"]))}) for entry in entries)


def _group(entry: dict) -> MapGroup:
    return MapGroup(**{**entry, "values": tuple(entry["values"])})


LAYERS = read_legend()
BY_KEY = {layer.key: layer for layer in LAYERS}


def palette(layers: Iterable[str]) -> dict[str, dict[str, dict[str, Any]]]:
    """What the map script paints with: by layer and group its look, as plain values."""
    return {key: {group.key: group.look.to_json() for group in BY_KEY[key].groups} for key in layers}
