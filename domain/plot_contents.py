"""What lies on a piece of land 这块地上有什么: its permanent farmland, its land use by class, the ranges of cases."""

from dataclasses import dataclass
from decimal import Decimal

from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.actor import Actor
from domain.case.tables import Case
from domain.case_range import CaseRange
from domain.land_use_class import land_use_classes
from domain.layer import features_in
from domain.map_layer import ranges_in
from domain.outflow import FARMLAND_LAYER, LAND_LAYER, PERMANENT, PROTECTED, is_loaded
from domain.overlay import overlapping_area_m2, overlay_areas


@dataclass(frozen=True, slots=True)
class ClassShare:
    """The part of the land in one class of land use, in m² and as a share of what the layer covers of it."""

    code: str
    name: str
    area_m2: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class PlotContents:
    """What was found; None where the layer has no data. Ranges are those of cases that the actor may see."""

    permanent_m2: Decimal | None
    protected_m2: Decimal | None
    classes: tuple[ClassShare, ...]
    ranges: tuple[tuple[CaseRange, Case, Decimal], ...]

    @property
    def total_m2(self) -> Decimal:
        """The sum of the classes."""
        return sum((each.area_m2 for each in self.classes), Decimal("0.00"))


def contents_of(session: Session, actor: Actor, land: BaseGeometry) -> PlotContents:
    """Lay a valid polygon in EPSG:4490 over the present editions of the layers; areas as in domain.overlay, shared edges are 0."""
    permanent, protected = _protection(session, land)
    met = ((row, case, overlapping_area_m2(land, row.geometry)) for row, case in ranges_in(session, actor, land.bounds))
    return PlotContents(permanent, protected, _classes(session, land), tuple(each for each in met if each[2]))


def _protection(session: Session, land: BaseGeometry) -> tuple[Decimal | None, Decimal | None]:
    if not is_loaded(session, FARMLAND_LAYER):
        return None, None
    found = overlay_areas(land, features_in(session, FARMLAND_LAYER, land), "class_code", (PERMANENT, PROTECTED))
    return found.area_of(PERMANENT), found.area_of(PROTECTED)


def _classes(session: Session, land: BaseGeometry) -> tuple[ClassShare, ...]:
    if not is_loaded(session, LAND_LAYER):
        return ()
    found = overlay_areas(land, features_in(session, LAND_LAYER, land), "class_code")
    known, total = land_use_classes(), found.total_m2
    shares = [
        ClassShare(code, known[code].name if code in known else "不在三调工作分类中", area, area / total)
        for code, area in found.by_class().items()
    ]
    return tuple(sorted(shares, key=lambda each: (-each.area_m2, each.code)))
