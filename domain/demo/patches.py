"""Patches of the generated cadastre that sample cases reserve and use: protected farmland of a handy size, in order."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property

import shapely
from shapely import affinity
from sqlmodel import Session, col, select

from domain import layer, outflow, plot
from domain.layer import Feature

_GENERATED = {outflow.FARMLAND_LAYER: "JN", plot.LAYER: "GD"}
"""How the generator numbers the same patch in the two layers."""


class Patches:
    """The patches of one district between two sizes in m², by their numbers."""

    def __init__(self, session: Session, district: str, smallest_m2: Decimal, largest_m2: Decimal) -> None:
        self._session, self._district = session, district
        self._sizes = (smallest_m2, largest_m2)

    @cached_property
    def _by_protection(self) -> Mapping[str, Sequence[Feature]]:
        edition = layer.edition_on(self._session, outflow.FARMLAND_LAYER)
        statement = (
            select(Feature)
            .where(Feature.layer_id == edition.layer_id, Feature.district_code == self._district)
            .where(col(Feature.until_number).is_(None), col(Feature.area_m2).between(*self._sizes))
            .order_by(col(Feature.key))
        )
        found: dict[str, list[Feature]] = {outflow.PERMANENT: [], outflow.PROTECTED: []}
        for each in self._session.exec(statement).all():
            found[each.attributes["protection_type"]].append(each)
        return found

    def plot_numbers(self, skip: int, count: int) -> list[str]:
        """Numbers in the annual farmland layer of the protected patches from the `skip`th on."""
        chosen = self._by_protection[outflow.PROTECTED][skip : skip + count]
        farmland, plots = _GENERATED[outflow.FARMLAND_LAYER], _GENERATED[plot.LAYER]
        return [plots + each.key.removeprefix(farmland) for each in chosen]

    def protected(self, places: Sequence[int], share: float = 1) -> list[shapely.Geometry]:
        """The protected patches at these places, or the part of them around their middle."""
        found = [self._by_protection[outflow.PROTECTED][place].geometry for place in places]
        return found if share == 1 else [_middle(each, share) for each in found]

    def permanent(self, place: int) -> shapely.Geometry:
        """A patch of permanent farmland, which no project may touch."""
        return self._by_protection[outflow.PERMANENT][place].geometry

    def class_code(self, place: int) -> str:
        """The land use class of a protected patch."""
        return str(self._by_protection[outflow.PROTECTED][place].attributes["class_code"])


def _middle(shape: shapely.Geometry, share: float) -> shapely.Geometry:
    """The part of a shape inside a copy of itself that is shrunk around a point within it."""
    side = share**0.5
    within = shape.representative_point()
    cut = shapely.intersection(shape, affinity.scale(shape, side, side, origin=within))
    return max(shapely.get_parts(cut), key=lambda part: part.area)
