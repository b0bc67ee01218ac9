"""How a rule set is used: how often each edition was asked, and the cases that went by it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.case.words import code_of
from domain.errors import InvalidData
from domain.rule_edition import history
from domain.rule_workbench import usage
from views import page
from views.paging import PAGE_SIZE, Pager, pager, place
from views.rules import frame, shown
from views.rules.shown import RuleHead, Shown

MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])\Z")


@dataclass(frozen=True)
class UsePage:
    """What templates/rules/use.html reads."""

    head: RuleHead
    month: usage.Use
    months: tuple[usage.MonthUse, ...]
    editions: tuple[frame.Row, ...]
    cases: tuple[Mapping[str, Any], ...]
    shown_edition: str
    pager: Pager


def show(request: Request) -> Response:
    """Counts of every edition, and a page of the cases within reach that went by the one shown."""
    with page.reading(request) as session:
        found = shown.find(request, session)
        counts = history.counts_of(session, found.rules.kind.key, found.rules.key)
        cases = history.cases_by(session, page.actor(request), found.rules.digest, place(request), PAGE_SIZE)
        context = UsePage(
            head=shown.head(request, found, "use"), month=usage.of_month(session, found.rules.key, _month(request)),
            months=tuple(reversed(usage.by_month(session, found.rules.key))), editions=tuple(_editions(request, found, counts)),
            cases=tuple(_case(request, each) for each in cases.rows), shown_edition=frame.edition_words(found.rules),
            pager=pager(request, len(cases.rows), cases.total, "件", key=found.rules.key, tab="use"),
        )  # fmt: skip
    rules = found.rules
    return frame.render(request, "rules/use.html", context, title=f"{rules.title}的使用", trail=frame.set_crumbs(rules.kind.key, rules.key, rules.title))


def _month(request: Request) -> str | None:
    """The month that the query names, None for the present one. Raises InvalidData."""
    month = request.query_params.get("month", "")
    if month and not MONTH.match(month):
        raise InvalidData("月份应写成 2026-10 的样子。请改正。")
    return month or None


def _editions(request: Request, found: Shown, counts: Mapping[str, tuple[int, int]]) -> list[frame.Row]:
    """One row for each set of rules that was ever in force; records with equal rules share their counts."""
    rows: dict[str, frame.Row] = {}
    for record in found.records:
        decisions, cases = counts.get(record.digest, (0, 0))
        rows.setdefault(record.digest, {
            "edition": {"text": f"{record.effective_at:%Y-%m-%d} 起用", "href": frame.address(request, "rule_tab", {"edition": record.digest}, key=record.key, tab="use")},
            "decisions": f"{decisions:,}", "cases": f"{cases:,}",
        })  # fmt: skip
    return list(rows.values())


def _case(request: Request, case: Any) -> Mapping[str, Any]:
    return {"title": {"text": case.title or code_of(case), "href": frame.address(request, "case_tab", case_id=case.id, tab="decisions")},
            "code": code_of(case)}  # fmt: skip
