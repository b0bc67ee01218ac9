"""The sums of a result that its page shows at once; areas as texts, so that JSON keeps them exact."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from domain.overlay import OverlayTable, Repair
from domain.overlay.table import TableRow
from domain.overlay_run.definition import Measure, RunRequest, scheme

MOST_LISTED = 200
_TENTH = Decimal("0.01")


def summary_of(
    table: OverlayTable, groups: Mapping[str, list[str]], asked: RunRequest, repairs: Sequence[Repair] = ()
) -> dict[str, Any]:
    """By class of each layer, by district, by group with the preset's measures, residuals, slivers, repairs."""
    count = len(table.layer_keys)
    return {
        "by_class": [_texts(table.by_class(place)) for place in range(count)],
        "by_district": _texts(table.by_district()),
        "residual_m2": [_text(table.residual_m2(place)) for place in range(count)],
        "repeated_m2": {key: _text(area) for key, area in table.repeated_m2.items() if area},
        "slivers": {key: _slivers(report.slivers) for key, report in table.slivers.items()},
        "repairs": [_repair(each) for each in repairs[:MOST_LISTED]],
        "repaired": sum(each.is_mended for each in repairs),
        "set_apart": sum(not each.is_mended for each in repairs),
        "groups": by_group(table.rows, groups, table.layer_keys, scheme(asked.scheme).measures if asked.scheme else ()),
    }


def by_group(
    rows: Sequence[TableRow], groups: Mapping[str, list[str]], layer_keys: Sequence[str], measures: Sequence[Measure]
) -> list[dict[str, Any]]:
    """For each combination of the grouping values: ranges, area, measures, and areas by the classes that measures ask of."""
    members: dict[tuple[str, ...], list[TableRow]] = {}
    for row in rows:
        members.setdefault(tuple(groups[row.range_key]), []).append(row)
    return [
        {
            "values": list(values), "ranges": len({row.range_key for row in found}), "area_m2": _text(_sum(found)),
            "measures": {each.key: _measured(found, layer_keys, each) for each in measures},
            "grades": {each.key: _grades(found, layer_keys, each) for each in measures if each.mean_of},
        }
        for values, found in sorted(members.items())
    ]  # fmt: skip


def _measured(rows: Sequence[TableRow], layer_keys: Sequence[str], measure: Measure) -> str:
    within = _within(rows, layer_keys, measure)
    if not measure.mean_of:
        return _text(_sum(within))
    graded = _grades(rows, layer_keys, measure)
    numbers = {Decimal(grade): Decimal(area) for grade, area in graded.items() if grade.isdecimal()}
    whole = sum(numbers.values(), Decimal(0))
    if not whole:
        return ""
    return format((sum(grade * area for grade, area in numbers.items()) / whole).quantize(_TENTH, ROUND_HALF_UP), "f")


def _grades(rows: Sequence[TableRow], layer_keys: Sequence[str], measure: Measure) -> dict[str, str]:
    """The area in the classes of the measure by class of the layer that it asks of, empty where that has nothing."""
    place, sums = list(layer_keys).index(measure.mean_of), {}
    for row in _within(rows, layer_keys, measure):
        sums[row.classes[place]] = sums.get(row.classes[place], Decimal("0.00")) + row.area_m2
    ordered = sorted(sums, key=lambda grade: (not grade.isdecimal(), int(grade) if grade.isdecimal() else 0, grade))
    return {grade: _text(sums[grade]) for grade in ordered}


def _within(rows: Sequence[TableRow], layer_keys: Sequence[str], measure: Measure) -> list[TableRow]:
    place = list(layer_keys).index(measure.layer)
    return [row for row in rows if row.classes[place] in measure.classes]


def _slivers(found: Sequence[Any]) -> dict[str, Any]:
    sums: dict[str, Decimal] = {}
    for each in found:
        sums[each.treatment] = sums.get(each.treatment, Decimal("0.00")) + each.area_m2
    listed = [
        {"range": each.left_key, "feature": each.right_key, "area_m2": _text(each.area_m2), "width_m": _text(each.width_m),
         "treatment": each.treatment, "given_to": each.given_to}
        for each in found[:MOST_LISTED]
    ]  # fmt: skip
    return {"count": len(found), "area_m2": {key: _text(area) for key, area in sums.items()}, "listed": listed}


def _repair(each: Repair) -> dict[str, Any]:
    return {
        "key": each.key, "fault": each.fault, "x": each.x, "y": each.y, "points_before": each.points_before,
        "points_after": each.points_after, "before_m2": None if each.before_m2 is None else _text(each.before_m2),
        "after_m2": None if each.after_m2 is None else _text(each.after_m2),
    }  # fmt: skip


def _sum(rows: Sequence[TableRow]) -> Decimal:
    return sum((row.area_m2 for row in rows), Decimal("0.00"))


def _texts(sums: Mapping[str, Decimal]) -> dict[str, str]:
    return {key: _text(area) for key, area in sums.items()}


def _text(area: Decimal) -> str:
    return format(area, "f")
