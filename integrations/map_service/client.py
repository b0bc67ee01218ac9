"""Client of the map service."""

from typing import Any

from domain.ports.map_service import MapFeature
from domain.ports.receipt import Receipt
from integrations.answer import read_envelope
from integrations.digest import content_digest
from integrations.http import Connection
from integrations.receipt import read_held, read_receipt


class MapServiceClient:
    """Delivers features over HTTP."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def place(self, feature: MapFeature, *, correlation_id: str | None = None) -> Receipt:
        """Deliver a feature."""
        answer = self._connection.post_json("/features", message_of(feature), correlation_id)
        return read_receipt(read_envelope(self._connection.partner, answer), feature.business_key)

    def is_placed(self, business_key: str, *, correlation_id: str | None = None) -> bool:
        """True if the map service shows a feature under this key."""
        answer = self._connection.get("/features", {"business_key": business_key}, correlation_id=correlation_id)
        return read_held(read_envelope(self._connection.partner, answer))


def message_of(feature: MapFeature) -> dict[str, Any]:
    """Return the message that delivers a feature: one GeoJSON feature, and the digest of it."""
    content = {
        "type": "Feature",
        "id": feature.business_key,
        "geometry": dict(feature.geometry),
        "properties": {
            "case_number": feature.case_number, "patch_number": feature.patch_number, "title": feature.title,
            "district_code": feature.district_code,
        },
    }  # fmt: skip
    return {"business_key": feature.business_key, "feature": content, "digest": content_digest(content)}
