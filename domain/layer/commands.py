"""Changing a layer: the whole, one region, or single features; every change is a numbered edition that points
to its case.
"""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

import numpy
import shapely
from sqlalchemy import insert, update
from sqlmodel import select

from domain.command import Work, command
from domain.errors import InvalidData, NotAllowed
from domain.geometry import InvalidGeometry, fault_of, require_degrees
from domain.layer.definition import FeatureData, layer_definition
from domain.layer.reading import features_by_key
from domain.layer.tables import Feature, Layer, LayerEdition

_BATCH = 2_000
_MOST_KEYS = 500


def data_managers(work: Work) -> None:
    """The city's handlers (市级数据管理) and the portal itself."""
    if not work.actor.is_system and not work.actor.has_role("city_handler"):
        raise NotAllowed("图层数据只由市级经办人员更新。请联系市规划资源局。")


@command("layer.replace", allow=data_managers)
def load_layer(
    work: Work,
    layer_key: str,
    features: Sequence[FeatureData],
    effective_on: date,
    is_generated: bool = False,
    note: str = "",
) -> LayerEdition:
    """Replace a whole layer, creating it if needed."""
    return replace_whole(work, layer_key, features, effective_on, is_generated=is_generated, note=note)


@command("layer.replace_region", allow=data_managers)
def load_region(
    work: Work,
    layer_key: str,
    district_code: str,
    features: Sequence[FeatureData],
    effective_on: date,
    note: str = "",
) -> LayerEdition:
    """Replace the features of one district."""
    return replace_region(work, layer_key, district_code, features, effective_on, note=note)


def replace_whole(
    work: Work,
    layer_key: str,
    features: Sequence[FeatureData],
    effective_on: date,
    case_id: int | None = None,
    is_generated: bool | None = None,
    note: str = "",
) -> LayerEdition:
    """A new edition that holds exactly these features; InvalidData for repeated keys, unfit geometry or a day
    in the past of the layer.
    """
    layer = _layer_for_change(work, layer_key)
    if is_generated is not None:
        layer.is_generated = is_generated
    edition = _new_edition(work, layer, effective_on, "whole", case_id, note)
    ended = _end(work, edition)
    return _fill(work, layer, edition, features, ended)


def replace_region(
    work: Work,
    layer_key: str,
    district_code: str,
    features: Sequence[FeatureData],
    effective_on: date,
    case_id: int | None = None,
    note: str = "",
) -> LayerEdition:
    """A new edition in which one district has exactly these features; InvalidData if one of them lies in
    another district.
    """
    strangers = [feature.key for feature in features if feature.district_code != district_code]
    if strangers:
        raise InvalidData(
            f"要素 {strangers[0]} 等 {len(strangers)} 个不属于 {district_code}，不能按区更新。请核对行政区代码。"
        )
    layer = _layer_for_change(work, layer_key)
    edition = _new_edition(work, layer, effective_on, "region", case_id, note, district_code)
    ended = _end(work, edition, Feature.district_code == district_code)
    return _fill(work, layer, edition, features, ended)


def replace_features(
    work: Work,
    layer_key: str,
    ended_keys: Sequence[str],
    features: Sequence[FeatureData],
    effective_on: date,
    case_id: int | None = None,
    note: str = "",
) -> LayerEdition:
    """A new edition without the ended keys and with these features; InvalidData if an ended key is not in the
    layer.
    """
    layer = _layer_for_change(work, layer_key)
    edition = _new_edition(work, layer, effective_on, "feature", case_id, note)
    ended = 0
    for start in range(0, len(ended_keys), _MOST_KEYS):
        ended += _end(work, edition, Feature.key.in_(list(ended_keys[start : start + _MOST_KEYS])))
    if ended != len(ended_keys):
        raise InvalidData(
            f"要替换的要素有 {len(ended_keys)} 个，图层中现有 {ended} 个。请刷新后核对要素编号。"
        )
    return _fill(work, layer, edition, features, ended)


def change_features(
    work: Work,
    layer_key: str,
    keys: Sequence[str],
    effective_on: date,
    case_id: int | None = None,
    status: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    note: str = "",
) -> LayerEdition:
    """A new edition in which these features have another status or other attributes; geometry and area stay."""
    current = features_by_key(work.session, layer_key, keys)
    changed = [_changed(feature, status, attributes or {}) for feature in current.values()]
    return replace_features(work, layer_key, keys, changed, effective_on, case_id, note)


def _changed(feature: FeatureData, status: str | None, attributes: Mapping[str, Any]) -> FeatureData:
    """The status is also an attribute of layers that have such a column, and both are kept equal."""
    merged = dict(feature.attributes) | dict(attributes)
    if status is not None and "status" in merged:
        merged["status"] = status
    return replace(feature, attributes=merged, status=feature.status if status is None else status)


def _layer_for_change(work: Work, layer_key: str) -> Layer:
    """The layer's row, locked until the end of the transaction; created for a defined key that has no data
    yet.
    """
    found = work.session.exec(select(Layer).where(Layer.key == layer_key).with_for_update()).first()
    if found is None:
        found = Layer(key=layer_key, title=layer_definition(layer_key).title, created_at=work.at)
        work.session.add(found)
        work.session.flush()
    return found


def _new_edition(
    work: Work,
    layer: Layer,
    effective_on: date,
    extent: str,
    case_id: int | None,
    note: str,
    region: str | None = None,
) -> LayerEdition:
    last = work.session.exec(
        select(LayerEdition)
        .where(LayerEdition.layer_id == layer.id)
        .order_by(LayerEdition.number.desc())
        .limit(1)
    ).first()
    if last is not None and effective_on < last.effective_on:
        raise InvalidData(
            f"生效日期 {effective_on:%Y-%m-%d} 早于图层现有版本的 {last.effective_on:%Y-%m-%d}。请填写不早于该日的日期。"
        )
    edition = LayerEdition(
        layer_id=layer.id,
        number=last.number + 1 if last else 1,
        token=uuid.uuid4().hex,
        effective_on=effective_on,
        recorded_at=work.at,
        extent=extent,
        region_code=region,
        case_id=case_id,
        note=note,
        feature_count=last.feature_count if last else 0,
    )
    work.session.add(edition)
    work.session.flush()
    return edition


def _end(work: Work, edition: LayerEdition, *conditions: Any) -> int:
    """End the current features that meet the conditions with this edition; returns how many."""
    current = (Feature.layer_id == edition.layer_id, Feature.until_number.is_(None))
    return work.session.execute(
        update(Feature).where(*current, *conditions).values(until_number=edition.number),
        execution_options={"synchronize_session": False},
    ).rowcount


def _fill(
    work: Work, layer: Layer, edition: LayerEdition, features: Sequence[FeatureData], ended: int
) -> LayerEdition:
    """Insert the features of a new edition, write its counts and note it for the audit."""
    _require_fit(features)
    _require_new(work, layer, features)
    for rows in _batches(_rows(layer, edition, features)):
        work.session.execute(insert(Feature.__table__), rows)
    edition.added_count, edition.ended_count = len(features), ended
    edition.feature_count += len(features) - ended
    work.session.add(edition)
    work.session.flush()
    work.record(
        f"layer:{layer.key}",
        edition=edition.number,
        extent=edition.extent,
        region=edition.region_code,
        added=edition.added_count,
        ended=edition.ended_count,
        case_id=edition.case_id,
    )
    return edition


def _require_fit(features: Sequence[FeatureData]) -> None:
    keys = [feature.key for feature in features]
    repeated, count = next(iter(Counter(keys).most_common(1)), ("", 0))
    if count > 1:
        raise InvalidData(f"要素编号 {repeated} 重复。同一图层内编号须唯一，请修改后重新导入。")
    geometries = numpy.array([feature.geometry for feature in features], dtype=object)
    is_polygonal = numpy.isin(shapely.get_type_id(geometries), (3, 6)) & ~shapely.is_empty(geometries)
    for index in numpy.flatnonzero(~(is_polygonal & shapely.is_valid(geometries))):
        fault = fault_of(geometries[index])
        reason = fault.reason if fault else "为空或不是面"
        raise InvalidGeometry(f"要素 {keys[index]} 的图形{reason}，不能入库。请修正后重新导入。")
    require_degrees(geometries)


def _require_new(work: Work, layer: Layer, features: Sequence[FeatureData]) -> None:
    """Refuse keys that the layer has after the ending of what is replaced."""
    keys = [feature.key for feature in features]
    for start in range(0, len(keys), _MOST_KEYS):
        statement = select(Feature.key).where(
            Feature.layer_id == layer.id,
            Feature.until_number.is_(None),
            Feature.key.in_(keys[start : start + _MOST_KEYS]),
        )
        found = work.session.exec(statement.limit(1)).first()
        if found is not None:
            raise InvalidData(f"要素编号 {found} 在图层“{layer.title}”中已存在。请改用新编号，或按要素替换。")


def _rows(layer: Layer, edition: LayerEdition, features: Sequence[FeatureData]) -> Iterable[dict[str, Any]]:
    bounds = shapely.bounds(numpy.array([feature.geometry for feature in features], dtype=object))
    for feature, (west, south, east, north) in zip(features, bounds.tolist(), strict=True):
        yield {
            "layer_id": layer.id,
            "key": feature.key,
            "district_code": feature.district_code,
            "class_code": feature.class_code,
            "status": feature.status,
            "area_m2": feature.area_m2,
            "attributes": dict(feature.attributes),
            "geometry": feature.geometry,
            "west": west,
            "south": south,
            "east": east,
            "north": north,
            "from_number": edition.number,
        }


def _batches(rows: Iterable[dict[str, Any]]) -> Iterable[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    for row in rows:
        batch.append(row)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch
