"""Effects on plots: the yearly claim of a district, and plots that go into the plan pool for good (LAND-064)."""

from collections.abc import Mapping, Sequence
from typing import Any

from domain import decision, hold, layer, ledger
from domain.area import sum_m2
from domain.case.tables import Case, Task
from domain.command import Work
from domain.effects import effect
from domain.errors import Conflict, InvalidData
from domain.hold import MARKS, PLOT, YEARLY, yearly_key
from domain.ledger import Detail
from domain.office import office_of
from domain.plot import LAYER, CasePlot, plots_of
from domain.portal_clock import local_date


@effect("claim_year")
def claim_year(work: Work, case: Case, _task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Claim the district's one yearly plan for this case, if its field `field` has the value `is` and there may be one alone.

    Whether there may be one alone is said by `parameter` of `rule_set`, in the edition that decides the case. Two filings at the same moment meet here: one gets the claim, the other is told who has it.
    """
    if case.values.get(arguments["field"]) != arguments["is"] or not _is_alone(work, case, arguments):
        return
    hold.take(work, case, YEARLY, [yearly_key(_area(case), _year(work, case))], "reserved")


def _is_alone(work: Work, case: Case, arguments: Mapping[str, Any]) -> bool:
    book, moment = office_of(work.session).book, decision.rules_moment(work.session, case)
    rules = book.rule_set(decision.kind_of(book, arguments["rule_set"]), arguments["rule_set"], moment)
    found = rules.parameters.get(arguments["parameter"])
    # An edition from before the parameter knew one plan a year and nothing else.
    return found is None or found.general(local_date(moment)) is True


@effect("store_reserve")
def store_reserve(work: Work, case: Case, task: Task | None, arguments: Mapping[str, Any]) -> None:
    """Store the plots of the case: their marks, the layer, and the ledger move together.

    Raises Conflict if the layer was renewed since the upload, so that areas differ, or a mark is missing.
    """
    rows = plots_of(work.session, case.id)
    if not rows:
        raise InvalidData("没有地块，不能入库。请退回填报环节补上地块。")
    numbers = [row.plot_number for row in rows]
    _must_be_unchanged(work, rows)
    hold.pass_on(work, case, case, PLOT, numbers, "stored")
    note = f"{case.number or case.draft_number} 预存入库"
    layer.change_features(
        work, LAYER, numbers, local_date(work.at), case_id=case.id, status=MARKS["stored"], note=note
    )
    ledger.post(
        work, "store", sum_m2(row.area_m2 for row in rows), area=_area(case), year=_year(work, case), case=case, task=task,
        memo=f"{len(rows)} 块", detail=Detail("planned", scope=str(case.values.get(arguments.get("scope", "")) or "")),
    )  # fmt: skip


def _must_be_unchanged(work: Work, rows: Sequence[CasePlot]) -> None:
    features = layer.features_by_key(work.session, LAYER, [row.plot_number for row in rows])
    changed = [r.plot_number for r in rows if r.plot_number not in features or features[r.plot_number].area_m2 != r.area_m2]
    if changed:
        raise Conflict(
            f"地块 {'、'.join(changed[:10])} 在年度耕地资源层中已没有或面积已变（底板在上传后更新过），没有入库。请退回填报环节重新上传。"
        )


def _area(case: Case) -> str:
    if case.district_code is None:
        raise InvalidData("办件还没有行政区。请在表单中选择行政区。", {"district": "请选择"})
    return case.district_code


def _year(work: Work, case: Case) -> int:
    return int(case.values.get("year") or local_date(work.at).year)
