"""Patches of cases to the map service of the city (天地图).

The kind of a message is `map_feature`, its business key the number of the case; its payload is a MapFeature.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from domain.exchange.delivery import delivery
from domain.exchange.tables import OutboxMessage
from domain.office import Office
from domain.ports.map_service import MapFeature

PARTNER, KIND = "map_service", "map_feature"


def payload_of(feature: MapFeature) -> dict[str, Any]:
    """A feature as the payload of a message."""
    return asdict(feature)


def _compare(office: Office, message: OutboxMessage) -> str | None:
    return None if office.partners.map_service.is_placed(message.business_key) else "对方没有这个图斑"


@delivery(PARTNER, KIND, compare=_compare)
def place(office: Office, message: OutboxMessage) -> Mapping[str, Any]:
    """Deliver a feature."""
    return office.partners.map_service.place(MapFeature(**message.payload)).to_json()
