"""What was understood of a file, for the page on which a person confirms it before anything is stored."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import shapely

from domain.geometry import CrsMismatch
from domain.projection import to_storage
from domain.spatial_file.coordinate_words import suggest_system, suggestion_words
from domain.spatial_file.model import FileField, FileLayer, SpatialFile

_SAMPLES, _LONGEST_SAMPLE = 6, 40


@dataclass(frozen=True, slots=True)
class UnderstoodLayer:
    """One layer in words and numbers; `bounds` in the file's coordinates, `stored_bounds` in EPSG:4490 (both W, S, E, N)."""

    name: str
    alias: str
    geometry_type: str
    count: int
    empty_count: int
    fields: tuple[FileField, ...]
    crs_words: str
    system: str
    system_srid: int | None
    suggestion: str
    suggested_srid: int | None
    bounds: tuple[float, float, float, float] | None
    stored_bounds: tuple[float, float, float, float] | None
    samples: tuple[str, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Understood:
    """A file as it was understood: format, encoding with sample texts, layers, members, notes."""

    file_name: str
    kind: str
    encoding: str
    layers: tuple[UnderstoodLayer, ...]
    members: tuple[str, ...]
    notes: tuple[str, ...]
    header: Mapping[str, str]

    def as_json(self) -> dict[str, Any]:
        """The same as plain dictionaries and lists."""
        return _listed(asdict(self))


def understood(file: SpatialFile) -> Understood:
    """What a person confirms of a file."""
    return Understood(
        file.file_name, file.kind, file.encoding, tuple(_layer(layer) for layer in file.layers), tuple(file.members),
        file.notes, dict(file.header),
    )  # fmt: skip


def _layer(layer: FileLayer) -> UnderstoodLayer:
    suggested, found = suggest_system(layer), layer.bounds()
    empty = sum(1 for each in layer.geometries if each is None or each.is_empty) if layer.geometry_type else 0
    return UnderstoodLayer(
        layer.name, layer.alias, layer.geometry_type, layer.count, empty, layer.fields, layer.crs_words,
        layer.system.title if layer.system else "", layer.system.srid if layer.system else None,
        suggestion_words(layer) if not layer.crs_words else "", suggested.srid if suggested else None,
        found, _stored(layer, found), _samples(layer), layer.notes,
    )  # fmt: skip


def _stored(layer: FileLayer, found: tuple[float, float, float, float] | None):
    """The extent in EPSG:4490; None without a system, or where the coordinates are none of that system."""
    if layer.system is None or found is None:
        return None
    try:
        return tuple(to_storage(shapely.box(*found), layer.system).bounds)
    except CrsMismatch:
        return None


def _samples(layer: FileLayer) -> tuple[str, ...]:
    """A few texts of the layer, those that are not plain ASCII first: they show whether the encoding is right."""
    found: dict[str, None] = {}
    for field in layer.fields:
        if field.type == "text":
            texts = [value for value in layer.columns[field.name][:2000] if isinstance(value, str) and value.strip()]
            texts.sort(key=str.isascii)
            found |= dict.fromkeys(text[:_LONGEST_SAMPLE] for text in texts[:2])
    return tuple(sorted(found, key=str.isascii)[:_SAMPLES])


def _listed(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value
