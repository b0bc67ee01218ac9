"""What the map says of a case's ranges: permanent farmland in them, and the outflow of protected farmland."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from domain import outflow
from domain.case_range import CaseRange, ranges_of
from domain.facts import Ask, fact
from domain.ledger import active_freeze

AREA_FIELD, CONFIRMED_FIELD = "farmland_m2", "is_outflow"
"""The form's fields for the outflow of a case and for its confirmation."""
SOURCE_WORDS = {("report",): "测绘报告", ("overlay",): "叠加分析", ("report", "overlay"): "测绘报告和叠加分析", (): "没有流出"}


def _ranges(ask: Ask, *layers: str) -> list[CaseRange]:
    """The ranges that count; none while a layer is missing, because a gate must not open without it."""
    if ask.case.id is None or not outflow.is_loaded(ask.session, *layers):
        return []
    return ranges_of(ask.session, ask.case.id)


@fact("farmland_overlap", title="永久基本农田图层叠加", gives={"overlap_m2": "decimal"})
def farmland_overlap(ask: Ask) -> Mapping[str, Any]:
    """Area of 永久基本农田 in the ranges in m²; nothing without a range."""
    ranges = _ranges(ask, outflow.FARMLAND_LAYER)
    return {"overlap_m2": outflow.permanent_overlap_m2(ask.session, ranges)} if ranges else {}


@fact(
    "outflow", title="测绘报告与永久基本农田图层叠加",
    gives={"outflow_m2": "decimal", "outflow_paddy_m2": "decimal", "outflow_source": "text"},
)
def outflow_by_reports(ask: Ask) -> Mapping[str, Any]:
    """What the survey reports state, else the overlay; several reports add up."""
    ranges = _ranges(ask, outflow.FARMLAND_LAYER)
    if not ranges or _is_frozen(ask):
        return {}
    found = outflow.counted(ask.session, ranges, outflow.REPORTS)
    return {"outflow_m2": found.area_m2, "outflow_paddy_m2": found.paddy_m2, "outflow_source": SOURCE_WORDS[found.sources]}


def _is_frozen(ask: Ask) -> bool:
    """True while the case has set area aside: then the form stays as it was confirmed, whatever the layers do."""
    return active_freeze(ask.session, ask.case.id) is not None


@fact(
    "patch_outflow", title="永久基本农田层、土地利用现状层叠加",
    gives={"patch_outflow_m2": "decimal", "patch_outflow_paddy_m2": "decimal"},
)
def outflow_by_patches(ask: Ask) -> Mapping[str, Any]:
    """The protected farmland in the ranges, patch by patch of the land use layer."""
    ranges = _ranges(ask, outflow.FARMLAND_LAYER, outflow.LAND_LAYER)
    if not ranges or _is_frozen(ask):
        return {}
    found = outflow.counted(ask.session, ranges, outflow.PATCHES)
    return {"patch_outflow_m2": found.area_m2, "patch_outflow_paddy_m2": found.paddy_m2}


@fact("outflow_use", title="耕地流出申报", gives={"use_m2": "decimal", "filing_year": "integer"})
def outflow_use(ask: Ask) -> Mapping[str, Any]:
    """What the case asks of the plan pool: its outflow once that is confirmed on the form, before that 0."""
    is_confirmed = ask.values.get(CONFIRMED_FIELD) is True
    area = ask.values.get(AREA_FIELD) if is_confirmed else "0"
    return {"filing_year": ask.today.year, **({} if area in (None, "") else {"use_m2": Decimal(str(area))})}
