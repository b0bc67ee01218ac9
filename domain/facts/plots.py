"""What rules and forms need of a case's plots: their state in the layer now, their count and area."""

from collections.abc import Mapping
from typing import Any

from domain import hold, layer
from domain.facts import Ask, fact
from domain.facts.ledger import year_of
from domain.plot import LAYER, facts_about, summary
from domain.plot.listing import numbers_of


@fact("case_plots", title="年度耕地资源层", gives={"plots": "list"})
def case_plots(ask: Ask) -> Mapping[str, Any]:
    """Every plot of the case as it stands in the layer now; one that the case itself reserved is available to it."""
    if ask.case.id is None:
        return {}
    numbers = list(numbers_of(ask.session, ask.case.id))
    features = layer.features_by_key(ask.session, LAYER, numbers) if numbers else {}
    return {"plots": facts_about(ask.session, ask.case, numbers, features)[0]["plots"]}


@fact("plot_total", title="地块明细", gives={"plots_area_m2": "decimal", "plots_count": "integer"})
def plot_total(ask: Ask) -> Mapping[str, Any]:
    """How many plots the case has, and their area in m², which is the sum of the list."""
    if ask.case.id is None:
        return {}
    total = summary(ask.session, ask.case.id)
    return {"plots_area_m2": total.area_m2, "plots_count": total.count}


@fact("annual_claim", title="年度预存登记", gives={"claimed_by": "text"})
def annual_claim(ask: Ask) -> Mapping[str, Any]:
    """Which other case holds the district's yearly claim."""
    claimed = ""
    if ask.case.district_code is not None:
        key = hold.yearly_key(ask.case.district_code, year_of(ask))
        holder = hold.holders(ask.session, hold.YEARLY, [key]).get(key)
        claimed = holder.case_code if holder is not None and holder.case_id != ask.case.id else ""
    return {"claimed_by": claimed}
