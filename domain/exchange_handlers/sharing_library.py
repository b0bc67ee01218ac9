"""Patches of cases to the shared library (共享库).

The kind of a message is `shared_patch`, its business key the number of the case; its payload is a SharedPatch with areas as text.
"""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from domain.exchange.delivery import delivery
from domain.exchange.tables import OutboxMessage
from domain.office import Office
from domain.ports.sharing_library import OverlayShare, SharedPatch

PARTNER, KIND = "sharing_library", "shared_patch"


def payload_of(patch: SharedPatch) -> dict[str, Any]:
    """A patch as the payload of a message."""
    shares = [{**asdict(each), "area_m2": f"{each.area_m2:f}"} for each in patch.overlays]
    return {**asdict(patch), "area_m2": f"{patch.area_m2:f}", "overlays": shares}


def patch_of(payload: Mapping[str, Any]) -> SharedPatch:
    """The patch that a payload holds."""
    shares = tuple(OverlayShare(**{**each, "area_m2": Decimal(each["area_m2"])}) for each in payload["overlays"])
    return SharedPatch(**{**payload, "area_m2": Decimal(payload["area_m2"]), "overlays": shares})


def _compare(office: Office, message: OutboxMessage) -> str | None:
    return None if office.partners.sharing_library.is_held(message.business_key) else "对方没有这个图斑"


@delivery(PARTNER, KIND, compare=_compare)
def store(office: Office, message: OutboxMessage) -> Mapping[str, Any]:
    """Deliver a patch."""
    return office.partners.sharing_library.store(patch_of(message.payload)).to_json()
