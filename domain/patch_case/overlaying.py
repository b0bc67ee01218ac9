"""套合: a patch laid over the layers that its plan names, by the one overlay engine, as the layers stand today."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.area import sum_m2
from domain.inspection.task.plan import Opening, OverlayOf
from domain.layer import features_in, layer_definition
from domain.layer.reading import LatestEdition, latest_editions
from domain.overlay import overlay_areas
from domain.overlay_run.words import class_words

SECTION, NOTE, LAID = "overlays", "overlay_note", "overlaid_layers"
"""The form's section for the rows of an overlay, its fields for what is said of the layers and for how many were laid over."""


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a patch, in m², lies in one class of a layer."""

    layer: str
    class_value: str
    class_words: str
    area_m2: Decimal


@dataclass(frozen=True, slots=True)
class PatchOverlay:
    """What a patch was found to lie on, and in words with which editions of the layers."""

    shares: tuple[Share, ...]
    layers: tuple[str, ...]
    note: str

    def values(self, opening: Opening) -> dict[str, Any]:
        """The overlay as the form keeps it."""
        rows = [
            {"layer": layer_definition(each.layer).title, "class": each.class_words, "overlap_m2": f"{each.area_m2:f}"}
            for each in self.shares
        ]
        return {SECTION: rows, NOTE: self.note, LAID: len(self.layers), **{name: self._total(*wanted) for name, wanted in opening.totals.items()}}

    def _total(self, layer: str, class_value: str) -> str | None:
        """The area in one class of a layer; nothing is said of a layer that has no data."""
        if layer not in self.layers:
            return None
        return f"{sum_m2(each.area_m2 for each in self.shares if (each.layer, each.class_value) == (layer, class_value)):f}"


class Overlaying:
    """The layers of a plan as they stand at one moment, for any number of patches."""

    def __init__(self, session: Session, opening: Opening) -> None:
        editions = latest_editions(session)
        self._session, self._opening = session, opening
        self._present = [each for each in opening.overlays if each.layer in editions]
        self._note = _note(opening.overlays, editions)

    def of(self, geometry: BaseGeometry) -> PatchOverlay:
        """Lay a valid polygon (EPSG:4490) over the layers. Raises InvalidData that names a feature that cannot be measured."""
        found: list[Share] = []
        for each in self._present:
            shares = overlay_areas(geometry, features_in(self._session, each.layer, geometry), each.by).by_class()
            found += [Share(each.layer, value, class_words(each.layer, each.by, value), area) for value, area in shares.items()]
        return PatchOverlay(tuple(found), tuple(each.layer for each in self._present), self._note)


def _note(wanted: Sequence[OverlayOf], editions: Mapping[str, LatestEdition]) -> str:
    laid = [f"{layer_definition(each.layer).title}第 {editions[each.layer].number} 版" for each in wanted if each.layer in editions]
    absent = [layer_definition(each.layer).title for each in wanted if each.layer not in editions]
    return "；".join(filter(None, ("，".join(laid), f"{'、'.join(absent)}还没有数据，没有套合" if absent else "")))
