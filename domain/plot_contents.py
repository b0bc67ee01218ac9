"""What lies on a piece of land 这块地上有什么: its permanent farmland, its land use by class, the ranges of cases."""

from dataclasses import dataclass
from decimal import Decimal

from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.actor import Actor
from domain.case.tables import Case
from domain.case_range import CaseRange
from domain.land_use_class import land_use_classes
from domain.layer import FeatureData, catalogue, features_in
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
    """What was found; None where the layer has no data, or is closed to the actor. Ranges are those of cases that the actor may see."""

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
    permanent, protected = _protection(session, actor, land)
    met = ((row, case, overlapping_area_m2(land, row.geometry)) for row, case in ranges_in(session, actor, land.bounds))
    return PlotContents(permanent, protected, _classes(session, actor, land), tuple(each for each in met if each[2]))


def _open_features(session: Session, actor: Actor, layer_key: str, land: BaseGeometry) -> list[FeatureData] | None:
    """The features of a layer on the land that the actor may look at; None without data, or for a layer closed to the actor."""
    if not catalogue.may_open(actor, layer_key) or not is_loaded(session, layer_key):
        return None
    return features_in(session, layer_key, land, districts=catalogue.districts_of(actor, layer_key))


def _protection(session: Session, actor: Actor, land: BaseGeometry) -> tuple[Decimal | None, Decimal | None]:
    features = _open_features(session, actor, FARMLAND_LAYER, land)
    if features is None:
        return None, None
    found = overlay_areas(land, features, "class_code", (PERMANENT, PROTECTED))
    return found.area_of(PERMANENT), found.area_of(PROTECTED)


def _classes(session: Session, actor: Actor, land: BaseGeometry) -> tuple[ClassShare, ...]:
    features = _open_features(session, actor, LAND_LAYER, land)
    if features is None:
        return ()
    found = overlay_areas(land, features, "class_code")
    known, total = land_use_classes(), found.total_m2
    shares = [
        ClassShare(code, known[code].name if code in known else "不在三调工作分类中", area, area / total)
        for code, area in found.by_class().items()
    ]
    return tuple(sorted(shares, key=lambda each: (-each.area_m2, each.code)))
