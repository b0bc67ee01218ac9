"""The function list 功能清单: what the portal owes, where each function is found, and what the last full run proved."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from domain.function_list import RESULTS_NAME, Standing, standings
from views import page
from views.paging import Pager, pager, place

STATES = {"": "全部", "proven": "已证明", "begun": "部分证明", "placed": "已有位置，未证明", "open": "还没有"}
PAGE_ROWS = 50


@dataclass(frozen=True)
class FunctionsContext:
    """What templates/functions/index.html reads."""

    rows: tuple[Standing, ...]
    words: str
    state: str
    states: tuple[dict[str, str], ...]
    total: int
    proven: int
    clauses: int
    passed: int
    pager: Pager


def functions(request: Request) -> Response:
    """Every function with its clauses, searched by number, name, place and words, and by how far it is proven."""
    words, state = request.query_params.get("q", "").strip(), request.query_params.get("state", "")
    every = standings(request.app.state.settings.var_dir / RESULTS_NAME)
    fitting = [each for each in every if state in ("", state_of(each)) and _fits(each, words)]
    shown = fitting[place(request):][:PAGE_ROWS]
    context = FunctionsContext(
        rows=tuple(shown), words=words, state=state,
        states=tuple({"value": key, "label": label} for key, label in STATES.items() if key),
        total=len(every), proven=sum(1 for each in every if each.is_proven),
        clauses=sum(each.clause_count for each in every), passed=sum(each.passed_count for each in every),
        pager=pager(request, len(shown), len(fitting), "项"),
    )
    return page.render(request, "functions/index.html", context, title="功能清单")


def state_of(standing: Standing) -> str:
    """How far a function is: proven, in part, present but not proven, or not there."""
    if standing.is_proven:
        return "proven"
    if standing.passed_count:
        return "begun"
    return "placed" if standing.function.places else "open"


def _fits(standing: Standing, words: str) -> bool:
    one = standing.function
    places = (one.id, one.title, one.path, *one.places, *one.clauses.values())
    return all(any(word.lower() in each.lower() for each in places) for word in words.split())
