"""The difference of an update as the page shows it: by district with areas, feature by feature, and small shapes to draw."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import shapely

from domain.area import sum_m2
from domain.layer import FeatureData
from domain.layer_update.matching import AREA, CLASS, DISTRICT, KINDS, STATUS, Pair
from domain.layer_update.plan import Plan

MOST_LISTED = 500
MOST_DRAWN = 400
_DRAWN_DEGREES = 2e-6
"""What a shape of the small picture may lose: two decimetres."""

_TOLD = {CLASS: "class_code", STATUS: "status", DISTRICT: "district_code"}
"""Changes whose values are short enough to be told."""


def difference(plan: Plan) -> dict[str, Any]:
    """The difference as plain values: `counts`, `changes` by kind, `districts` with a `total`, `items` and `shapes`."""
    by_district: dict[str, list[Pair]] = defaultdict(list)
    for pair in plan.pairs:
        by_district[(pair.new or pair.former).district_code].append(pair)
    touched = [pair for pair in plan.pairs if pair.kind != "kept"]
    return {
        "counts": dict(Counter(pair.kind for pair in plan.pairs)), "changes": dict(Counter(kind for pair in plan.pairs for kind in pair.changes)),
        "districts": [{"code": code, **_sums(pairs)} for code, pairs in sorted(by_district.items())], "total": _sums(plan.pairs),
        "items": [_item(pair) for pair in touched[:MOST_LISTED]], "listed_of": len(touched), "shapes": _shapes(touched),
        "refusals": list(plan.refusals), "conflicts": [each.as_document() for each in plan.conflicts],
    }  # fmt: skip


def _sums(pairs: Sequence[Pair]) -> dict[str, Any]:
    """Counts and areas (texts, m²) before and after, and by kind; before and after differ by what is added, ended and changed."""
    kinds = {kind: [pair for pair in pairs if pair.kind == kind] for kind in ("added", "ended", "changed", "cut", "kept")}
    sides = {"before": [pair.former for pair in pairs], "after": [pair.new for pair in pairs]}
    changed = [*kinds["changed"], *kinds["cut"]]
    return {
        **{side: _sum(features) for side, features in sides.items()}, "added": _sum(pair.new for pair in kinds["added"]),
        "ended": _sum(pair.former for pair in kinds["ended"]), "kept": _sum(pair.new for pair in kinds["kept"]),
        "changed": {"count": len(changed), "area": str(sum_m2(_grown(pair) for pair in changed))},
    }  # fmt: skip


def _grown(pair: Pair) -> Decimal:
    return pair.new.area_m2 - pair.former.area_m2


def _sum(features: Iterable[FeatureData | None]) -> dict[str, Any]:
    found = [each for each in features if each is not None]
    return {"count": len(found), "area": str(sum_m2(each.area_m2 for each in found))}


def _item(pair: Pair) -> dict[str, Any]:
    return {
        "key": pair.key, "kind": pair.kind, "district": (pair.new or pair.former).district_code, "what": _words(pair),
        "before": str(pair.former.area_m2) if pair.former else None, "after": str(pair.new.area_m2) if pair.new else None,
    }  # fmt: skip


def _words(pair: Pair) -> str:
    """What changed, with the values that are short."""
    if pair.kind in ("added", "ended"):
        return ""
    parts = []
    for kind in pair.changes:
        field = _TOLD.get(kind)
        values = f" {getattr(pair.former, field) or '空'} → {getattr(pair.new, field) or '空'}" if field else ""
        parts.append(KINDS[kind] + values)
    return ("跨范围边界，切开：" if pair.is_cut else "") + "、".join(part for part in parts if part != KINDS[AREA] or len(parts) == 1)


def _shapes(touched: Sequence[Pair]) -> dict[str, list[str]]:
    """Shapes for a small picture as hexadecimal WKB in EPSG:4490: what ends, what is added, what is changed or cut."""
    drawn = touched[:MOST_DRAWN]
    sides = {
        "ended": [pair.former for pair in drawn if pair.kind == "ended"], "added": [pair.new for pair in drawn if pair.kind == "added"],
        "changed": [pair.new for pair in drawn if pair.kind in ("changed", "cut")],
    }  # fmt: skip
    return {name: [shapely.simplify(each.geometry, _DRAWN_DEGREES).wkb_hex for each in features] for name, features in sides.items()}
