"""Effects of an outflow of farmland: its details are kept when it is confirmed; plots used up are marked when it closes."""

from collections.abc import Mapping
from typing import Any

from domain import outflow
from domain.case.tables import Case, Task
from domain.case_range import district_shares, ranges_of, whole_range
from domain.command import Work
from domain.district import district_name
from domain.effects import effect
from domain.errors import Refused
from domain.facts.space import AREA_FIELD, CONFIRMED_FIELD


@effect("record_outflow")
def record_outflow(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Count the outflow again, by the method `by` (reports or patches), keep its details, and write it on the form.

    Refused if the range lies in another district than the case: its area is booked there.
    """
    ranges = ranges_of(work.session, case.id)
    if not ranges:
        raise Refused("没有确认过的范围，不能申报耕地流出。请先上传并确认范围。")
    there = district_shares(whole_range(ranges))[0].area
    if there.code != case.district_code:
        own = district_name(case.district_code) if case.district_code else "未填"
        raise Refused(f"范围在{there.name}，本案的行政区是{own}，不能申报。请更正行政区或更换范围。")
    found = outflow.counted(work.session, ranges, arguments["by"])
    outflow.keep(work, case, task, found)
    case.values = {**case.values, AREA_FIELD: str(found.area_m2), "paddy_m2": str(found.paddy_m2)}
    work.session.add(case)


@effect("mark_used_plots")
def mark_used_plots(work: Work, case: Case, _task: Task | None, _arguments: Mapping[str, Any]) -> None:
    """Mark the plots that a confirmed outflow uses up."""
    if case.values.get(CONFIRMED_FIELD) is True:
        keys = outflow.mark_used_up(work, case)
        work.record(f"case:{case.id}", plots_used_up=len(keys))
