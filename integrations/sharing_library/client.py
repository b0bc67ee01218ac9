"""Client of the shared library."""

from typing import Any

from domain.ports.receipt import Receipt
from domain.ports.sharing_library import SharedPatch
from integrations.answer import read_envelope
from integrations.digest import content_digest
from integrations.http import Connection
from integrations.receipt import read_held, read_receipt


class SharingLibraryClient:
    """Delivers patches over HTTP."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def store(self, patch: SharedPatch, *, correlation_id: str | None = None) -> Receipt:
        """Deliver a patch."""
        answer = self._connection.post_json("/patches", message_of(patch), correlation_id)
        return read_receipt(read_envelope(self._connection.partner, answer), patch.business_key)

    def is_held(self, business_key: str, *, correlation_id: str | None = None) -> bool:
        """True if the library holds a patch under this key."""
        answer = self._connection.get("/patches", {"business_key": business_key}, correlation_id=correlation_id)
        return read_held(read_envelope(self._connection.partner, answer))


def message_of(patch: SharedPatch) -> dict[str, Any]:
    """Return the message that delivers a patch, with its digest; areas are decimal numbers in words."""
    content = {
        "business_key": patch.business_key,
        "case_number": patch.case_number,
        "clue_number": patch.clue_number,
        "patch_number": patch.patch_number,
        "source": patch.source,
        "district_code": patch.district_code,
        "area_m2": f"{patch.area_m2:f}",
        "overlays": [{"layer": each.layer, "class": each.class_words, "area_m2": f"{each.area_m2:f}"} for each in patch.overlays],
        "geometry": dict(patch.geometry),
    }
    return {**content, "digest": content_digest(content)}
