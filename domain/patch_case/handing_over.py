"""What partners are told of a case and its patch: the shared library and the map service, through the outbox."""

import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import shapely

from domain.area import sum_m2
from domain.case.tables import Case
from domain.case_range import ranges_of, whole_range
from domain.command import Work
from domain.errors import Conflict
from domain.exchange import OutboxMessage, send
from domain.exchange_handlers import map_service, sharing_library
from domain.patch_case.overlaying import SECTION
from domain.ports.map_service import MapFeature
from domain.ports.sharing_library import OverlayShare, SharedPatch

LIBRARY, MAP = sharing_library.PARTNER, map_service.PARTNER


def send_patch(work: Work, case: Case, partner: str) -> OutboxMessage:
    """Write the message for one partner. Raises Conflict for a case without number or patch."""
    ranges = ranges_of(work.session, case.id)
    if case.number is None or not ranges:
        raise Conflict("案件还没有编号或没有图斑，不能推送。请从质检任务页面立案。")
    kind, payload = _MESSAGES[partner](case, json.loads(shapely.to_geojson(whole_range(ranges))), sum_m2(each.area_m2 for each in ranges))
    return send(work, partner, kind, case.number, payload, case_id=case.id)


def _shared(case: Case, geometry: Mapping[str, Any], area_m2: Decimal) -> tuple[str, dict[str, Any]]:
    said = case.values
    shares = tuple(OverlayShare(row["layer"], row["class"], Decimal(row["overlap_m2"])) for row in said.get(SECTION) or ())
    patch = SharedPatch(
        case.number, case.number, said["clue_number"], said["patch_number"], said.get("clue_source", ""), case.district_code, area_m2, shares, geometry
    )
    return sharing_library.KIND, sharing_library.payload_of(patch)


def _placed(case: Case, geometry: Mapping[str, Any], area_m2: Decimal) -> tuple[str, dict[str, Any]]:
    feature = MapFeature(case.number, case.number, case.values["patch_number"], case.title, case.district_code, geometry)
    return map_service.KIND, map_service.payload_of(feature)


_MESSAGES: Mapping[str, Callable[[Case, Mapping[str, Any], Decimal], tuple[str, dict[str, Any]]]] = {LIBRARY: _shared, MAP: _placed}
