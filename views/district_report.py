"""Where the boundaries of districts are from, what was wrong with them and how it was repaired."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import district
from domain.layer import area_by_district, layer_of
from domain.outflow import LAND_LAYER, is_loaded
from views import page
from views.map_found import url
from views.shell import Crumb


@dataclass(frozen=True)
class AccountRow:
    """An account area with the area of its plots; None without the land use layer."""

    code: str
    name: str
    kind: str
    plots_m2: Decimal | None
    href: str


@dataclass(frozen=True)
class DistrictReport:
    """The context of map/districts.html."""

    source: Mapping[str, Any]
    accounts: tuple[AccountRow, ...]
    defects: tuple[Mapping[str, str], ...]
    is_generated: bool


def show(request: Request) -> Response:
    """The report on the boundaries."""
    with page.reading(request) as session:
        context = DistrictReport(
            source=district.source_notes(), accounts=_accounts(request, session), defects=tuple(map(_defect, district.defect_report())),
            is_generated=is_loaded(session, LAND_LAYER) and layer_of(session, LAND_LAYER).is_generated,
        )
    crumbs = (Crumb("一张图"), Crumb("区界"))
    return page.render(request, "map/districts.html", context, title="区界的来源、缺陷与修复", crumbs=crumbs, current="map", audience="bench")


def _accounts(request: Request, session: Session) -> tuple[AccountRow, ...]:
    areas = area_by_district(session, LAND_LAYER) if is_loaded(session, LAND_LAYER) else {}
    return tuple(
        AccountRow(each.code, each.name, each.kind, areas.get(each.code), url(request, "map", {"q": each.name}))
        for each in district.load_account_areas()
    )


def _defect(found: district.Defect) -> Mapping[str, str]:
    place = "" if found.x is None else f"{found.x:.6f}°E　{found.y:.6f}°N"
    return {"kind": found.kind, "district": district.district_name(found.district), "found": found.found, "place": place, "repair": found.repair}
