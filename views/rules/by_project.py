"""Which rule sets, in which editions, decided the cases of a project."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.case.tables import Case
from domain.case.words import code_of
from domain.rule_edition.history import EditionUse
from domain.rule_workbench import usage
from domain.rule_workbench.usage import Given
from rules.engine import RuleBook
from rules.engine.kind import kinds
from views import page
from views.paging import PAGE_SIZE, Pager, pager, place
from views.rules import frame
from views.shell import Crumb


@dataclass(frozen=True)
class ProjectPage:
    """What templates/rules/by_project.html reads; `words` is empty until something is asked."""

    words: str
    cases: tuple[Mapping[str, Any], ...]
    pager: Pager


def show(request: Request) -> Response:
    """A page of the cases within reach that fit the words, each with the editions that decided it."""
    words = request.query_params.get("q", "").strip()
    with page.reading(request) as session:
        found = usage.of_project(session, page.actor(request), words, place(request), PAGE_SIZE)
        given = usage.newest_given(session, [case.id for case, _uses in found.rows])
        context = ProjectPage(
            words, tuple(_case(request, case, uses, given) for case, uses in found.rows),
            pager(request, len(found.rows), found.total, "件"),
        )  # fmt: skip
    return frame.render(request, "rules/by_project.html", context, title="项目用过的规则", trail=(Crumb("项目用过的规则"),))


def _case(request: Request, case: Case, uses: list[EditionUse], given: Mapping[tuple[int, str, str], Given]) -> Mapping[str, Any]:
    rows = [_row(request, use, given[case.id, use.rule_set, use.digest]) for use in uses]
    return {"title": case.title or code_of(case), "code": code_of(case), "rows": rows}


def _row(request: Request, use: EditionUse, given: Given) -> Mapping[str, Any]:
    """One rule set in one edition; one decided before any record has no text to show."""
    record = use.edition
    edition = {"text": "没有版本记录"}
    if record is not None:
        address = frame.address(request, "rule_tab", {"edition": use.digest}, key=use.rule_set, tab="yaml")
        edition = {"text": f"{record.effective_at:%Y-%m-%d} 起用", "href": address}
    return {
        "title": {"text": record.title if record else _title(page.office(request).book, given.kind, use.rule_set), "sub": use.rule_set},
        "edition": edition, "count": f"{use.decisions:,}",
        "outcome": {"text": kinds()[given.kind].word(given.outcome), "href": frame.address(request, "rule_decision", decision_id=given.decision)},
    }  # fmt: skip


def _title(book: RuleBook, kind: str, key: str) -> str:
    """The title of the last edition; the key where the set is no longer loaded."""
    return book.editions(kind, key)[-1].title if (kind, key) in book.keys() else key  # noqa: SIM118
