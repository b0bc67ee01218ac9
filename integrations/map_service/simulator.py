"""Simulator of the map service."""

from typing import Any

from integrations.digest import content_digest
from integrations.simulators.keeping import Keeping, geometry_faults, keeping_simulator, missing
from integrations.simulators.simulator import Simulator, rejection
from integrations.simulators.store import Store

CODE = "TDT"
PROPERTIES = ("case_number", "patch_number", "title", "district_code")


def map_service_simulator(store: Store) -> Simulator:
    """Build the simulator."""
    return keeping_simulator(store, Keeping("map_service", "/features", CODE, _faults))


def _faults(message: dict[str, Any]) -> list[dict[str, str | None]]:
    feature = message.get("feature") if isinstance(message.get("feature"), dict) else {}
    faults = [*missing(CODE, message, ("business_key", "digest")), *missing(CODE, feature.get("properties") or {}, PROPERTIES)]
    faults += geometry_faults(CODE, feature.get("geometry"))
    if feature.get("type") != "Feature" or feature.get("id") != message.get("business_key"):
        faults.append(rejection(f"{CODE}-FEATURE", "不是 GeoJSON 要素，或要素编号与业务主键不同", field_name="feature"))
    if message.get("digest") and content_digest(feature) != message["digest"]:
        faults.append(rejection(f"{CODE}-DIGEST", "摘要与内容不符", field_name="digest"))
    return faults
