"""Simulator of the shared library."""

from typing import Any

from integrations.digest import content_digest
from integrations.simulators.keeping import Keeping, geometry_faults, keeping_simulator, missing
from integrations.simulators.simulator import Simulator, rejection
from integrations.simulators.store import Store

CODE = "GXK"
TEXTS = ("business_key", "case_number", "clue_number", "patch_number", "source", "district_code", "area_m2", "digest")


def sharing_library_simulator(store: Store) -> Simulator:
    """Build the simulator."""
    return keeping_simulator(store, Keeping("sharing_library", "/patches", CODE, _faults))


def _faults(message: dict[str, Any]) -> list[dict[str, str | None]]:
    faults = [*missing(CODE, message, TEXTS), *geometry_faults(CODE, message.get("geometry"))]
    content = {name: value for name, value in message.items() if name != "digest"}
    if message.get("digest") and content_digest(content) != message["digest"]:
        faults.append(rejection(f"{CODE}-DIGEST", "摘要与内容不符", field_name="digest"))
    return faults
