"""An update worked out: every feature it touches before and after, why it cannot be done, and what must be decided first.

It is worked out twice by the same code: for the page on which it is confirmed, and again under the lock of the layer.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from shapely.geometry.base import BaseGeometry
from sqlmodel import Session

from domain.actor import Actor
from domain.district import district_name
from domain.errors import NotAllowed, NotFound
from domain.layer import (
    CUT,
    FeatureData,
    LayerDefinition,
    all_features,
    features_by_key,
    features_in,
    require_change,
)
from domain.layer.border import CutFeature, divided, strangers
from domain.layer_update.definition import AREA, DELETE, FEATURE, OF_THE_WHOLE, REGION, STATUS, UpdateRequest
from domain.layer_update.marks import MarkConflict, conflicts_of, decided, with_year
from domain.layer_update.matching import Pair, changes_of, identity, matched
from domain.layer_update.upload import Upload

_MOST_NAMED = 10


@dataclass(frozen=True)
class Plan:
    """What an update does: pairs by key, refusals in words, conflicts with marks, and those of them that are undecided."""

    pairs: tuple[Pair, ...]
    refusals: tuple[str, ...]
    conflicts: tuple[MarkConflict, ...]
    undecided: tuple[str, ...]

    @property
    def written(self) -> list[Pair]:
        """The pairs that the new edition is made of; what stays as it is, is not written again."""
        return [pair for pair in self.pairs if pair.former != pair.new]

    @property
    def ended_keys(self) -> list[str]:
        """The keys of the rows that end."""
        return [pair.former.key for pair in self.written if pair.former is not None]

    @property
    def begun(self) -> list[FeatureData]:
        """The features of the rows that begin."""
        return [pair.new for pair in self.written if pair.new is not None]


@dataclass(frozen=True)
class _Scope:
    """The old features that an update is about, those that cross its border, and keys that were asked for in vain."""

    formers: Sequence[FeatureData]
    crossing: Sequence[CutFeature] = ()
    refusals: tuple[str, ...] = ()


def plan_of(
    session: Session,
    actor: Actor,
    definition: LayerDefinition,
    request: UpdateRequest,
    upload: Upload | None,
    area: BaseGeometry | None,
    data_year: int | None = None,
    decisions: Mapping[str, Mapping[str, Any]] | None = None,
) -> Plan:
    """Work an update out on the layer as it stands now; nothing is written."""
    news = upload.features if upload else ()
    scope = _scope(session, definition, request, news, area)
    pairs = _pairs(definition, request, scope, news, upload is not None and upload.is_survey)
    conflicts = conflicts_of(session, definition, pairs)
    pairs = decided(pairs, conflicts, decisions or {})
    has_year = any(column.name == "data_year" for column in definition.columns)
    pairs = [replace(pair, new=with_year(pair.new, data_year, has_year)) if pair.new else pair for pair in pairs]
    refusals = [*(upload.refusals if upload else ()), *scope.refusals, *_refusals(session, definition, request, scope, pairs, news, area)]
    refusals += _beyond(actor, request, pairs)
    return Plan(
        tuple(sorted(pairs, key=lambda pair: pair.key)), tuple(dict.fromkeys(refusals)), tuple(conflicts),
        tuple(each.key for each in conflicts if each.key not in (decisions or {})),
    )  # fmt: skip


def _scope(
    session: Session, definition: LayerDefinition, request: UpdateRequest, news: Sequence[FeatureData], area: BaseGeometry | None
) -> _Scope:  # fmt: skip
    """Which old features are concerned, by the way of the update."""
    try:
        if request.way in OF_THE_WHOLE:
            return _Scope(all_features(session, definition.key))
        if request.way == REGION:
            return _Scope(all_features(session, definition.key, districts=[request.district]))
        if area is not None:
            found = divided(features_in(session, definition.key, area), area)
            return _Scope(found.inside, found.crossing, (found.refusal(),) if found.crossing and request.border != CUT else ())
        return _by_keys(session, definition, request, [each.key for each in news] if request.way == FEATURE else request.keys)
    except NotFound:
        return _Scope(())


def _by_keys(session: Session, definition: LayerDefinition, request: UpdateRequest, keys: Sequence[str]) -> _Scope:
    """The features of these names; names that the layer has not are refused unless they come to be added."""
    found = features_by_key(session, definition.key, keys)
    by_name = {identity(definition, each): each for each in found.values()}
    if missing := set(keys) - by_name.keys() - found.keys():
        named = {identity(definition, each): each for each in all_features(session, definition.key)}
        by_name |= {key: named[key] for key in missing & named.keys()}
    formers = list({each.key: each for each in [*by_name.values(), *found.values()]}.values())
    lost = sorted(set(keys) - by_name.keys() - found.keys()) if request.way != FEATURE else []
    return _Scope(formers, refusals=(f"图层里没有编号 {_some(lost)}。请核对编号后重新提交。",) if lost else ())


def _pairs(definition: LayerDefinition, request: UpdateRequest, scope: _Scope, news: Sequence[FeatureData], is_survey: bool) -> list[Pair]:
    if request.way == STATUS:
        return [_with_status(definition, each, request.status) for each in scope.formers]
    cut = [Pair(each.feature, each.remainder, ("shape", "area"), is_cut=True) for each in scope.crossing]
    if request.way == DELETE:
        return [Pair(each, None) for each in scope.formers] + cut
    return matched(definition, scope.formers, news, is_survey) + cut


def _with_status(definition: LayerDefinition, feature: FeatureData, status: str) -> Pair:
    """A feature under another status; the status that means history ends it."""
    if status == definition.ended_status:
        return Pair(feature, None)
    new = replace(feature, status=status, attributes=dict(feature.attributes) | {"status": status})
    return Pair(feature, new, changes_of(definition, feature, new, True))


def _refusals(
    session: Session, definition: LayerDefinition, request: UpdateRequest, scope: _Scope, pairs: Sequence[Pair],
    news: Sequence[FeatureData], area: BaseGeometry | None,
) -> Iterable[str]:  # fmt: skip
    if request.way == REGION and (others := [each.key for each in news if each.district_code != request.district]):
        yield f"要素 {_some(others)} 不在{district_name(request.district)}。请核对行政区，或改用其他更新方式。"
    if request.way == AREA and area is not None and (others := strangers(news, area)):
        yield f"要素 {_some(others)} 伸出更新范围。请扩大范围，或改正图形。"
    if definition.ended_status and (others := [each.key for each in news if each.status == definition.ended_status]):
        yield f"要素 {_some(others)} 的状态是“{definition.ended_status}”，不入现势图层。请从数据里去掉，或改用“变更状态”。"
    if others := _taken(session, definition, scope, pairs):
        yield f"新图形的编号 {_some(others)} 在图层里已有，且不在这次更新的范围内。请改用新编号，或改用“按图形更新”。"
    if not any(pair.former != pair.new for pair in pairs):
        yield "新数据与图层现有内容没有差别，没有要更新的。"


def _taken(session: Session, definition: LayerDefinition, scope: _Scope, pairs: Sequence[Pair]) -> list[str]:
    """Keys of added features that the layer keeps for others."""
    added = [pair.key for pair in pairs if pair.former is None]
    left = {each.feature.key for each in scope.crossing}
    try:
        present = features_by_key(session, definition.key, added)
    except NotFound:
        return []
    gone = {each.key for each in scope.formers}
    return sorted(key for key in present if key not in gone or key in left)


def _beyond(actor: Actor, request: UpdateRequest, pairs: Sequence[Pair]) -> list[str]:
    """The districts outside the actor's right that the update would touch, in words."""
    whole = request.way in OF_THE_WHOLE
    touched = {side.district_code for pair in pairs for side in (pair.former, pair.new) if side is not None and pair.former != pair.new}
    try:
        require_change(actor, None if whole else touched)
    except NotAllowed as refused:
        return [refused.message]
    return []


def _some(keys: Sequence[str]) -> str:
    """The first keys, and how many there are if not all are named."""
    return "、".join(keys[:_MOST_NAMED]) + (f" 等 {len(keys):,} 个" if len(keys) > _MOST_NAMED else "")
