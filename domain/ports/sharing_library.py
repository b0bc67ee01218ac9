"""Hand-over of patches of cases to the shared library of spatial data (共享库)."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Protocol

from domain.ports.receipt import Receipt


@dataclass(frozen=True, slots=True)
class OverlayShare:
    """How much of a patch, in m², lies in one class of one layer."""

    layer: str
    class_words: str
    area_m2: Decimal


@dataclass(frozen=True, slots=True)
class SharedPatch:
    """A patch with its case as the library keeps it; `geometry` is GeoJSON in EPSG:4490."""

    business_key: str
    case_number: str
    clue_number: str
    patch_number: str
    source: str
    district_code: str
    area_m2: Decimal
    overlays: tuple[OverlayShare, ...]
    geometry: Mapping[str, Any]


class SharingLibrary(Protocol):
    """The shared library as the portal uses it."""

    def store(self, patch: SharedPatch, *, correlation_id: str | None = None) -> Receipt:
        """Deliver a patch; the same key and content gives the first receipt again.

        Raises PartnerRefused for other content under the same key.
        """

    def is_held(self, business_key: str, *, correlation_id: str | None = None) -> bool:
        """True if the library holds a patch under this key."""
