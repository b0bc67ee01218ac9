"""Changing a layer: the whole, one region, or single features; every change is a numbered edition that points
to its case.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from domain.command import Work, command
from domain.errors import InvalidData
from domain.layer.definition import FeatureData
from domain.layer.edition import PLAIN, Terms, begin, end, end_keys, fill, lock
from domain.layer.reading import features_by_key
from domain.layer.rights import data_managers, require_change
from domain.layer.tables import Feature, LayerEdition


@command("layer.replace", allow=data_managers)
def load_layer(
    work: Work,
    layer_key: str,
    features: Sequence[FeatureData],
    effective_on: date,
    is_generated: bool = False,
    note: str = "",
    terms: Terms = PLAIN,
) -> LayerEdition:
    """Replace a whole layer, creating it if needed. Raises Conflict if it is not the edition that the terms expect."""
    require_change(work.actor)
    return replace_whole(work, layer_key, features, effective_on, is_generated=is_generated, note=note, terms=terms)


@command("layer.replace_region", allow=data_managers)
def load_region(
    work: Work,
    layer_key: str,
    district_code: str,
    features: Sequence[FeatureData],
    effective_on: date,
    note: str = "",
    terms: Terms = PLAIN,
) -> LayerEdition:
    """Replace the features of one district. Raises Conflict if it is not the edition that the terms expect."""
    require_change(work.actor, [district_code])
    return replace_region(work, layer_key, district_code, features, effective_on, note=note, terms=terms)


def replace_whole(
    work: Work,
    layer_key: str,
    features: Sequence[FeatureData],
    effective_on: date,
    case_id: int | None = None,
    is_generated: bool | None = None,
    note: str = "",
    terms: Terms = PLAIN,
) -> LayerEdition:
    """A new edition that holds exactly these features; InvalidData for repeated keys, unfit geometry or a day
    in the past of the layer.
    """
    layer = lock(work, layer_key, terms.expected)
    if is_generated is not None:
        layer.is_generated = is_generated
        work.session.add(layer)
    edition = begin(work, layer, effective_on, "whole", terms, case_id, note)
    return fill(work, layer, edition, features, end(work, edition))


def replace_region(
    work: Work,
    layer_key: str,
    district_code: str,
    features: Sequence[FeatureData],
    effective_on: date,
    case_id: int | None = None,
    note: str = "",
    terms: Terms = PLAIN,
) -> LayerEdition:
    """A new edition in which one district has exactly these features; InvalidData if one of them lies in
    another district.
    """
    strangers = [feature.key for feature in features if feature.district_code != district_code]
    if strangers:
        raise InvalidData(
            f"要素 {strangers[0]} 等 {len(strangers)} 个不属于 {district_code}，不能按区更新。请核对行政区代码。"
        )
    layer = lock(work, layer_key, terms.expected)
    edition = begin(work, layer, effective_on, "region", terms, case_id, note, district_code)
    return fill(work, layer, edition, features, end(work, edition, Feature.district_code == district_code))


def replace_features(
    work: Work,
    layer_key: str,
    ended_keys: Sequence[str],
    features: Sequence[FeatureData],
    effective_on: date,
    case_id: int | None = None,
    note: str = "",
    terms: Terms = PLAIN,
) -> LayerEdition:
    """A new edition without the ended keys and with these features; InvalidData if an ended key is not in the
    layer.
    """
    return write_change(work, layer_key, "feature", ended_keys, features, effective_on, case_id, note, terms)


def write_change(
    work: Work,
    layer_key: str,
    extent: str,
    ended_keys: Sequence[str],
    features: Sequence[FeatureData],
    effective_on: date,
    case_id: int | None = None,
    note: str = "",
    terms: Terms = PLAIN,
    region: str | None = None,
) -> LayerEdition:
    """As `replace_features`, for a change that was worked out for another extent: whole, region or area."""
    layer = lock(work, layer_key, terms.expected)
    edition = begin(work, layer, effective_on, extent, terms, case_id, note, region)
    ended = end_keys(work, edition, ended_keys)
    if ended != len(ended_keys):
        raise InvalidData(
            f"要替换的要素有 {len(ended_keys)} 个，图层中现有 {ended} 个。请刷新后核对要素编号。"
        )
    return fill(work, layer, edition, features, ended)


def change_features(
    work: Work,
    layer_key: str,
    keys: Sequence[str],
    effective_on: date,
    case_id: int | None = None,
    status: str | None = None,
    attributes: Mapping[str, Any] | None = None,
    note: str = "",
    terms: Terms = PLAIN,
) -> LayerEdition:
    """A new edition in which these features have another status or other attributes; geometry and area stay.

    The layer is locked before it is read, so that what another changes at the same moment is kept.
    """
    lock(work, layer_key, terms.expected)
    current = features_by_key(work.session, layer_key, keys)
    changed = [_changed(feature, status, attributes or {}) for feature in current.values()]
    terms = replace(terms, change=terms.change or "change")
    return replace_features(work, layer_key, keys, changed, effective_on, case_id, note, terms)


def _changed(feature: FeatureData, status: str | None, attributes: Mapping[str, Any]) -> FeatureData:
    """The status is also an attribute of layers that have such a column, and both are kept equal."""
    merged = dict(feature.attributes) | dict(attributes)
    if status is not None and "status" in merged:
        merged["status"] = status
    return replace(feature, attributes=merged, status=feature.status if status is None else status)
