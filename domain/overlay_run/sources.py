"""Where ranges and layers of an overlay come from, each with its lineage."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session

from domain.actor import Actor
from domain.case import scope
from domain.case.words import code_of
from domain.case_range import ranges_of
from domain.coordinate_transformation import LocalSystem
from domain.errors import InvalidData, NotAllowed
from domain.layer import FeatureData, catalogue, edition_on, layer_definition
from domain.layer.reading import edition_features, features_of
from domain.layer.tables import LayerEdition
from domain.office import office_of
from domain.overlay import FeatureSet, Repair, repaired
from domain.overlay.table import DISTRICT
from domain.overlay_run.definition import CASE, LAYER, FileRanges, LayerChoice, RunRequest
from domain.role import sees_cases
from domain.vector_file import read_vector

MOST_RANGES = 100_000


@dataclass(frozen=True)
class Ranges:
    """The ranges of an overlay: features, their stated areas where they have them, lineage, and what was mended."""

    features: FeatureSet
    stated_m2: dict[str, Decimal]
    lineage: dict[str, Any]
    repairs: tuple[Repair, ...] = ()


def districts_of(actor: Actor) -> frozenset[str] | None:
    """The districts whose overlays and patches the actor may take; None for the whole city."""
    if actor.is_system:
        return None
    codes = {grant.district_code for grant in actor.grants if sees_cases(grant.role)}
    return None if None in codes else frozenset(code for code in codes if code)


def ranges_for(session: Session, actor: Actor, request: RunRequest) -> Ranges:
    """The ranges that a request names, as far as the actor may see them. Raises NotFound, NotAllowed, InvalidData."""
    if request.source == LAYER:
        found = _of_layer(session, actor, request)
    elif request.source == CASE:
        found = _of_case(session, actor, request.case_id)
    else:
        found = _of_file(session, request.file)
    if not len(found.features):
        raise InvalidData("范围里没有图形，没有可叠加的。请核对所选的图层、行政区或文件。")
    if len(found.features) > MOST_RANGES:
        raise InvalidData(f"范围有 {len(found.features):,} 个图形，一次最多 {MOST_RANGES:,} 个。请按行政区分次叠加。")
    return _mended(found) if request.repairs else found


def layer_for(session: Session, actor: Actor, choice: LayerChoice, ranges: FeatureSet) -> tuple[FeatureSet, dict[str, Any]]:
    """The features of a layer around the ranges that the actor may look at, with their classes, and their lineage.

    Raises NotAllowed for a layer closed to the actor, NotFound for one without data.
    """
    right, edition = catalogue.districts_of(actor, choice.layer), edition_on(session, choice.layer)
    around = shapely.box(*shapely.total_bounds(ranges.geometries))
    found = edition_features(session, edition, around, right)
    lineage = _edition_lineage(choice.layer, edition, len(found)) | {"by": choice.by}
    return feature_set(choice.layer, found), lineage if right is None else lineage | {"districts": sorted(right)}


def feature_set(layer_key: str, features: Sequence[FeatureData]) -> FeatureSet:
    """Features of the layer store with all their values by our field names."""
    definition = layer_definition(layer_key)
    columns = FeatureSet.of(features)
    # A layer may have a column class_code beside the field that classes it; the account area is that of the store.
    merged = tuple(
        {**definition.values(each), definition.class_field: each.class_code, DISTRICT: each.district_code, "status": each.status}
        for each in features
    )
    return FeatureSet(columns.keys, columns.geometries, merged)


def _of_layer(session: Session, actor: Actor, request: RunRequest) -> Ranges:
    right = _both(districts_of(actor), catalogue.districts_of(actor, request.layer))
    edition = edition_on(session, request.layer)
    if right is not None and request.district and request.district not in right:
        raise NotAllowed("所选的行政区不在你的辖区内，没有叠加。请选本区，或请市级人员办理。")
    wanted = {request.district} if request.district else right
    found = [
        each for each in features_of(session, edition)
        if (wanted is None or each.district_code in wanted) and (not request.value or each.class_code == request.value)
    ]  # fmt: skip
    lineage = _edition_lineage(request.layer, edition, len(found)) | {"districts": sorted(wanted) if wanted is not None else []}
    return Ranges(feature_set(request.layer, found), {each.key: each.area_m2 for each in found}, lineage)


def _both(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    """The districts that two rights give together; None for all."""
    return second if first is None else first if second is None else first & second


def _of_case(session: Session, actor: Actor, case_id: int | None) -> Ranges:
    case = scope.find(session, actor, case_id or 0)
    rows = ranges_of(session, case.id)
    keys = tuple(f"{place}. {row.label}"[:120] for place, row in enumerate(rows, start=1))
    features = FeatureSet(keys, FeatureSet.without_attributes([row.geometry for row in rows]).geometries, ({},) * len(rows))
    stated = {key: row.area_m2 for key, row in zip(keys, rows, strict=True)}
    ids = [row.id for row in rows]
    return Ranges(features, stated, {"source": CASE, "case_id": case.id, "case": code_of(case), "ranges": ids, "count": len(rows)})


def _of_file(session: Session, file: FileRanges | None) -> Ranges:
    if file is None:
        raise InvalidData("没有范围文件。请上传后再叠加。")
    office = office_of(session)
    features, detected = read_ranges(office.files.read_bytes(file.digest), file, office.coordinates.systems)
    lineage = {"source": "file", "digest": file.digest, "name": file.name, "count": len(features), "detected": detected}
    return Ranges(features, {}, lineage)


def read_ranges(
    content: bytes, given: FileRanges, local_systems: Mapping[str, LocalSystem]
) -> tuple[FeatureSet, dict[str, str]]:
    """The polygons of an uploaded file one by one in EPSG:4490, and what was detected. Raises InvalidData, UnknownCrs."""
    file = read_vector(content, given.name, given.crs or None, given.encoding or None, local_systems)
    if file.system is None:
        raise InvalidData("文件没有写明坐标系，不能猜测。请选定坐标系后再叠加。", {"crs": "请选坐标系"})
    numbered = FeatureSet.of(file.stored())
    names = tuple(each.name.removeprefix("要素 ")[:120] for each in file.features)
    return FeatureSet(names, numbered.geometries, numbered.attributes), dict(file.detected)


def _edition_lineage(layer_key: str, edition: LayerEdition, count: int) -> dict[str, Any]:
    return {
        "source": LAYER, "layer": layer_key, "title": layer_definition(layer_key).title, "edition": edition.number,
        "token": edition.token, "effective_on": edition.effective_on.isoformat(), "count": count,
    }  # fmt: skip


def _mended(found: Ranges) -> Ranges:
    mended = repaired(found.features)
    changed = {each.key for each in mended.log}
    stated = {key: area for key, area in found.stated_m2.items() if key not in changed}
    return Ranges(mended.features, stated, found.lineage, mended.log)
