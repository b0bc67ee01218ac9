"""Making an edition of a layer: its lock, its number, who makes it and why, the rows that end and those that begin."""

import uuid
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy
import shapely
from sqlalchemy import insert, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col, select

from domain.command import Work
from domain.errors import Conflict, InvalidData
from domain.format import moment
from domain.geometry import InvalidGeometry, fault_of, require_degrees
from domain.layer.definition import FeatureData, LayerDefinition, layer_definition
from domain.layer.tables import CHANGES, Feature, Layer, LayerEdition

_BATCH = 2_000
_MOST_KEYS = 500


@dataclass(frozen=True, slots=True)
class Terms:
    """What is said of a change beside its day: the edition it was prepared on, its kind, why, and the year of the data.

    `expected` is the number of the edition that the person saw (0: the layer had none yet); None only for what reads the
    layer inside the same transaction. `change` is a key of CHANGES, "" for the usual one of the way.
    """

    expected: int | None = None
    change: str = ""
    reason: str = ""
    data_year: int | None = None
    restored: int | None = None


PLAIN = Terms()


def lock(work: Work, layer_key: str, expected: int | None = None) -> Layer:
    """The layer's row, locked until the end of the transaction; created for a defined key that has no data yet.

    Raises Conflict that names who made the newer edition, and when, if it is not the expected one.
    """
    layer = _locked(work.session, layer_key)
    if layer is None:
        _create(work, layer_key)
        layer = _locked(work.session, layer_key)
    newest = last_edition(work.session, layer)
    if expected is not None and expected != (newest.number if newest else 0):
        raise Conflict(f"{stale_words(layer, newest)}本次没有改动图层，请重新打开更新页面，核对差异后再提交。")
    return layer


def stale_words(layer: Layer, newest: LayerEdition | None) -> str:
    """Who changed a layer meanwhile, when, and how, as a refusal says it."""
    if newest is None:
        return f"图层“{layer.title}”现在没有数据。"
    kind = CHANGES.get(newest.change, "更新")
    who = newest.person_name or "系统"
    return f"图层“{layer.title}”已由{who}于 {moment(newest.recorded_at)} 更新为第 {newest.number} 版（{kind}）。"


def _locked(session: Session, layer_key: str) -> Layer | None:
    return session.exec(select(Layer).where(Layer.key == layer_key).with_for_update()).first()


def _create(work: Work, layer_key: str) -> None:
    """Two that create the same layer meet at its key: one row, and both go on in turn."""
    insert_row = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    row = {"key": layer_key, "title": layer_definition(layer_key).title, "is_generated": False, "created_at": work.at}
    work.session.execute(insert_row(Layer.__table__).values(row).on_conflict_do_nothing())


def last_edition(session: Session, layer: Layer) -> LayerEdition | None:
    """The newest edition of a layer; None before its first."""
    statement = select(LayerEdition).where(LayerEdition.layer_id == layer.id)
    return session.exec(statement.order_by(col(LayerEdition.number).desc()).limit(1)).first()


def begin(
    work: Work,
    layer: Layer,
    effective_on: date,
    extent: str,
    terms: Terms,
    case_id: int | None = None,
    note: str = "",
    region: str | None = None,
) -> LayerEdition:
    """The next edition of a locked layer, without its features yet. Raises InvalidData for a day in the layer's past."""
    last = last_edition(work.session, layer)
    if last is not None and effective_on < last.effective_on:
        raise InvalidData(
            f"生效日期 {effective_on:%Y-%m-%d} 早于图层现有版本的 {last.effective_on:%Y-%m-%d}。请填写不早于该日的日期。"
        )
    edition = LayerEdition(
        layer_id=layer.id, number=last.number + 1 if last else 1, token=uuid.uuid4().hex, effective_on=effective_on,
        recorded_at=work.at, extent=extent, region_code=region, case_id=case_id, note=note,
        feature_count=last.feature_count if last else 0, person_id=work.actor.person_id, person_name=work.actor.name,
        change=terms.change or extent, reason=terms.reason, restored_number=terms.restored, is_generated=layer.is_generated,
        data_year=terms.data_year if terms.data_year is not None or last is None else last.data_year,
    )  # fmt: skip
    work.session.add(edition)
    work.session.flush()
    return edition


def end(work: Work, edition: LayerEdition, *conditions: Any) -> int:
    """End the current features that meet the conditions with this edition; returns how many."""
    current = (Feature.layer_id == edition.layer_id, Feature.until_number.is_(None))
    return work.session.execute(
        update(Feature).where(*current, *conditions).values(until_number=edition.number),
        execution_options={"synchronize_session": False},
    ).rowcount


def fill(
    work: Work, layer: Layer, edition: LayerEdition, features: Sequence[FeatureData], ended: int
) -> LayerEdition:
    """Insert the features of a new edition, write its counts and note it for the audit. Raises InvalidData for unfit ones."""
    _require_fit(features, layer_definition(layer.key))
    _require_new(work, layer, features)
    for rows in _batches(_rows(layer, edition, features)):
        work.session.execute(insert(Feature.__table__), rows)
    return counted(work, layer, edition, len(features), ended)


def _require_fit(features: Sequence[FeatureData], definition: LayerDefinition) -> None:
    keys = [feature.key for feature in features]
    repeated, count = next(iter(Counter(keys).most_common(1)), ("", 0))
    if count > 1:
        raise InvalidData(f"要素编号 {repeated} 重复。同一图层内编号须唯一，请修改后重新导入。")
    geometries = numpy.array([feature.geometry for feature in features], dtype=object)
    is_fit = numpy.isin(shapely.get_type_id(geometries), definition.type_ids) & ~shapely.is_empty(geometries)
    for index in numpy.flatnonzero(~(is_fit & shapely.is_valid(geometries))):
        fault = fault_of(geometries[index])
        reason = fault.reason if fault else f"为空或不是{definition.geometry_word}"
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
    definition = layer_definition(layer.key)
    for feature, (west, south, east, north) in zip(features, bounds.tolist(), strict=True):
        yield {
            "layer_id": layer.id,
            "key": feature.key,
            "district_code": feature.district_code,
            "class_code": feature.class_code,
            "status": feature.status,
            "area_m2": feature.area_m2,
            "attributes": dict(feature.attributes),
            "words": definition.words_of(feature),
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


def counted(work: Work, layer: Layer, edition: LayerEdition, added: int, ended: int) -> LayerEdition:
    """Write the counts of an edition and note it for the audit."""
    edition.added_count, edition.ended_count = added, ended
    edition.feature_count += added - ended
    work.session.add(edition)
    work.session.flush()
    work.record(
        f"layer:{layer.key}", edition=edition.number, extent=edition.extent, change=edition.change, region=edition.region_code,
        added=added, ended=ended, case_id=edition.case_id, data_year=edition.data_year,
    )  # fmt: skip
    return edition


def end_keys(work: Work, edition: LayerEdition, keys: Sequence[str]) -> int:
    """End the current features of these keys with an edition; how many there were."""
    parts = (list(keys[start : start + _MOST_KEYS]) for start in range(0, len(keys), _MOST_KEYS))
    return sum(end(work, edition, col(Feature.key).in_(part)) for part in parts)
