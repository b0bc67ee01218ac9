"""Marks of cases on patches that an update touches: kept where the patch remains, asked about where it goes or changes its area."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import shapely
from sqlmodel import Session, col, select

from domain.case.tables import Case
from domain.command import Work
from domain.hold import MARKS, PLOT, Hold, Holder, holders, release, take
from domain.layer import FeatureData, LayerDefinition
from domain.layer_update.matching import Pair
from domain.notice import notify
from domain.overlay import overlapping_area_m2

KEEP, TAKE = "keep", "take"
CHOICES = {KEEP: "保留原图斑", TAKE: "按新数据更新"}
USED = "used"
"""The mark of land that has flowed out: it stays with its case whatever becomes of the patch."""
END_REASON = "layer_update"


@dataclass(frozen=True, slots=True)
class MarkConflict:
    """A patch under a mark that would go or change its area: who holds it in words, and both areas (None: gone)."""

    key: str
    held: str
    words: str
    district_code: str
    before_m2: Decimal
    after_m2: Decimal | None
    case_id: int | None
    mark: str
    overlaps: tuple[tuple[str, Decimal], ...] = ()
    """New features that the patch would lie under if it is kept, by key, and the area that would be there twice, in m²."""

    def as_document(self) -> dict[str, Any]:
        """As plain values, for the database."""
        return {
            "key": self.key, "words": self.words, "district": self.district_code, "before": str(self.before_m2),
            "after": None if self.after_m2 is None else str(self.after_m2),
            "overlaps": [[key, str(area_m2)] for key, area_m2 in self.overlaps],
        }  # fmt: skip


def conflicts_of(session: Session, definition: LayerDefinition, pairs: Sequence[Pair]) -> list[MarkConflict]:
    """The conflicts of an update with marks, by key; none for a layer that cases do not hold."""
    if not definition.held_by:
        return []
    touched = [pair for pair in pairs if pair.former is not None and (pair.new is None or pair.new.area_m2 != pair.former.area_m2)]
    held = holders(session, PLOT, [held_key(definition, pair.former) for pair in touched])
    found = [_conflict(definition, pair, held.get(held_key(definition, pair.former))) for pair in touched]
    conflicts = sorted((each for each in found if each is not None), key=lambda each: each.key)
    return _with_overlaps(conflicts, {pair.former.key: pair.former for pair in touched}, pairs)


def _with_overlaps(
    conflicts: Sequence[MarkConflict], formers: Mapping[str, FeatureData], pairs: Sequence[Pair]
) -> list[MarkConflict]:
    """The conflicts, each with what the new data have where the kept patch would be. Invalid new features are refused elsewhere."""
    news = [pair.new for pair in pairs if pair.new is not None and pair.new != pair.former and shapely.is_valid(pair.new.geometry)]
    tree = shapely.STRtree([each.geometry for each in news])
    return [replace(each, overlaps=_overlaps(formers[each.key], news, tree)) for each in conflicts]


def _overlaps(former: FeatureData, news: Sequence[FeatureData], tree: shapely.STRtree) -> tuple[tuple[str, Decimal], ...]:
    met = (news[place] for place in sorted(tree.query(former.geometry)))
    shared = ((each.key, overlapping_area_m2(former.geometry, each.geometry)) for each in met if each.key != former.key)
    return tuple((key, area_m2) for key, area_m2 in shared if area_m2)


def held_key(definition: LayerDefinition, feature: FeatureData) -> str:
    """The name by which cases hold a feature."""
    return str(feature.attributes.get(definition.held_by) or feature.key)


def _conflict(definition: LayerDefinition, pair: Pair, holder: Holder | None) -> MarkConflict | None:
    former = pair.former
    if holder is None and former.status in ("", definition.statuses[0]):
        return None
    words = holder.words if holder else f"{former.key} 状态为“{former.status}”"
    after = pair.new.area_m2 if pair.new else None
    return MarkConflict(
        former.key, held_key(definition, former), words, former.district_code, former.area_m2, after,
        holder.case_id if holder else None, holder.mark if holder else "",
    )  # fmt: skip


def decided(pairs: Sequence[Pair], conflicts: Sequence[MarkConflict], decisions: Mapping[str, Mapping[str, Any]]) -> list[Pair]:
    """The pairs after the decisions: a patch that is to be kept stays as it was, its mark with it."""
    kept = {each.key for each in conflicts if decisions.get(each.key, {}).get("choice") == KEEP}
    return [Pair(pair.former, pair.former) if pair.former is not None and pair.key in kept else pair for pair in pairs]


def let_go(work: Work, layer_title: str, conflicts: Sequence[MarkConflict], decisions: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Release the marks of patches that go by decision, and tell their holders; what was released, so that it can come back."""
    gone = [each for each in conflicts if each.after_m2 is None and each.case_id is not None and each.mark != USED]
    gone = [each for each in gone if decisions[each.key]["choice"] == TAKE]
    for each in gone:
        case = work.session.get_one(Case, each.case_id)
        release(work, case, PLOT, [each.held], END_REASON)
        _tell(work, case, layer_title, each, decisions[each.key]["reason"])
    return [{"held": each.held, "case": each.case_id, "mark": each.mark} for each in gone]


def _tell(work: Work, case: Case, layer_title: str, conflict: MarkConflict, reason: str) -> None:
    statement = select(Hold.person_id).where(Hold.case_id == case.id, Hold.object_key == conflict.held).order_by(col(Hold.id).desc())
    person_id = work.session.exec(statement.limit(1)).first()
    if person_id is not None:
        title = f"地块 {conflict.held} 已随“{layer_title}”更新退出，{MARKS[conflict.mark]}标记已解除"
        notify(work, person_id, "layer_update", title, f"理由：{reason}。请核对办件 {case.number or case.draft_number} 的地块。", case_id=case.id)


def bring_back(work: Work, released: Sequence[Mapping[str, Any]]) -> None:
    """Take marks again that an update had released, when it is taken back. Raises Conflict if another holds the patch now."""
    for each in released:
        take(work, work.session.get_one(Case, each["case"]), PLOT, [each["held"]], each["mark"])


def with_year(feature: FeatureData, data_year: int | None, has_year: bool) -> FeatureData:
    """A feature of the new year, where the layer's features say their year."""
    if data_year is None or not has_year:
        return feature
    return replace(feature, attributes=dict(feature.attributes) | {"data_year": data_year})
