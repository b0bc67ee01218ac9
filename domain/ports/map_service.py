"""Hand-over of patches of cases to the map service of the city (天地图), as GeoJSON features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from domain.ports.receipt import Receipt


@dataclass(frozen=True, slots=True)
class MapFeature:
    """A feature to be shown on the map with its case; `geometry` is GeoJSON in EPSG:4490."""

    business_key: str
    case_number: str
    patch_number: str
    title: str
    district_code: str
    geometry: Mapping[str, Any]


class MapService(Protocol):
    """The map service as the portal uses it."""

    def place(self, feature: MapFeature, *, correlation_id: str | None = None) -> Receipt:
        """Deliver a feature; the same key and content gives the first identifier again.

        Raises PartnerRefused for other content under the same key.
        """

    def is_placed(self, business_key: str, *, correlation_id: str | None = None) -> bool:
        """True if the map service shows a feature under this key."""
