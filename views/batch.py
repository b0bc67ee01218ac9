"""Batch: claim, assign, transfer or urge several cases at once; never a decision. Each case is an act of its own."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session, col, select
from starlette.requests import Request
from starlette.responses import Response

from domain.actor import Actor
from domain.case import access, colleague, operations, scope
from domain.case.movement import open_tasks
from domain.case.tables import Case, Task
from domain.case.words import code_of
from domain.errors import Conflict, InvalidData, PortalError
from views import page
from views.posted import digits
from views.shell import Crumb, Link

MOST_CASES = 50
LABELS = {"claim": "认领", "assign": "分派", "transfer": "转办", "urge": "催办"}
WITH_PEOPLE = ("assign", "transfer")


@dataclass(frozen=True)
class BatchContext:
    """What templates/cases/batch.html reads; `results` is empty until the batch was carried out."""

    act: str
    label: str
    cases: tuple[Mapping[str, Any], ...]
    people: tuple[Any, ...]
    searched: str
    chosen: int | None
    words: str
    error: str
    results: tuple[Mapping[str, Any], ...] = ()
    done_count: int = 0


def batch(request: Request) -> Response:
    """Show the chosen cases and ask what is needed; carry the batch out case by case, and tell each result."""
    given = page.form(request) if request.method == "POST" else request.query_params
    act, ids = str(given.get("act", "")), _ids(given.getlist("case"))
    if act not in LABELS or not ids:
        raise InvalidData("没有勾选办件，或没有这项批量操作。请回到列表勾选后再操作。")
    if request.method == "GET" or "confirmed" not in given:
        return _page(request, act, ids, given)
    person = digits(given.get("person"))
    if act in WITH_PEOPLE and person is None:
        return _page(request, act, ids, given, error="没有选定人员。请选定一位人员。")
    results = [_carry_out(request, act, case_id, person, given) for case_id in ids]
    return _page(request, act, ids, given, results=tuple(results))


def _ids(texts: list[Any]) -> list[int]:
    found = list(dict.fromkeys(number for each in texts if (number := digits(each)) is not None))
    if len(found) > MOST_CASES:
        raise InvalidData(f"一次最多 {MOST_CASES} 件。请分批操作。")
    return found


def _carry_out(request: Request, act: str, case_id: int, person: int | None, given: Any) -> Mapping[str, Any]:
    """One case of the batch in a transaction of its own; what stands against it is told in its row."""
    actor, words = page.actor(request), str(given.get("opinion", "")).strip()
    try:
        with page.writing(request) as session:
            _act(session, actor, act, case_id, person, words)
    except PortalError as fault:
        return {"case_id": case_id, "is_done": False, "text": fault.message}
    return {"case_id": case_id, "is_done": True, "text": ""}


def _act(session: Session, actor: Actor, act: str, case_id: int, person: int | None, words: str) -> None:
    if act == "urge":
        operations.urge(session, actor, case_id, words)
        return
    found = scope.find(session, actor, case_id)
    if act == "transfer":
        held = access.held_task(session, actor, found)
        if held is None:
            raise Conflict("这件不在你手上，不能转办。")
        operations.transfer(session, actor, held.id, person, words, held.version)
        return
    task = _free_task(session, actor, found)
    if act == "claim":
        operations.claim(session, actor, task.id)
    else:
        operations.assign(session, actor, task.id, person)


def _free_task(session: Session, actor: Actor, found: Case) -> Task:
    tasks = open_tasks(session, found.id)
    for task in tasks:
        if task.status == "ready" and access.may_claim(actor, task):
            return task
    if access.held_task(session, actor, found) is not None:
        raise Conflict("这件已在你手上，不用认领；要交给别人请用「转办」。")
    raise Conflict("这件现在没有待你岗位认领的任务，可能已被他人认领。")


def _page(
    request: Request, act: str, ids: list[int], given: Any, *, error: str = "", results: tuple[Mapping[str, Any], ...] = ()
) -> Response:
    searched, chosen = str(given.get("name", "")), digits(given.get("person"))
    with page.reading(request) as session:
        cases = _cases(request, session, ids, results)
        people = _people(session, page.actor(request), act, ids, searched) if not results else ()
    context = BatchContext(
        act=act, label=LABELS[act], cases=cases, people=people, searched=searched,
        chosen=chosen, words=str(given.get("opinion", "")), error=error, results=results,
        done_count=sum(1 for each in results if each["is_done"]),
    )
    crumbs = (Crumb("待办", Link("desk", "待办")), Crumb(f"批量{LABELS[act]}"))
    return page.render(
        request, "cases/batch.html", context, title=f"批量{LABELS[act]}", crumbs=crumbs, current="desk", audience="bench",
        status=422 if error else 200,
    )


def _cases(
    request: Request, session: Session, ids: list[int], results: tuple[Mapping[str, Any], ...]
) -> tuple[Mapping[str, Any], ...]:
    """The chosen cases that the person may see, in the order they were chosen, with what came of each."""
    statement = scope.visible_cases(page.actor(request)).where(col(Case.id).in_(ids))
    found = {each.id: each for each in session.exec(statement).all()}
    outcome = {each["case_id"]: each for each in results}
    url = request.app.state.templates.url
    return tuple(
        {
            "id": case_id, "name": found[case_id].title or code_of(found[case_id]) if case_id in found else "不在查阅范围内",
            "code": code_of(found[case_id]) if case_id in found else "—",
            "href": url("case", case_id=case_id) if case_id in found else None, "result": outcome.get(case_id),
        }
        for case_id in ids
    )


def _people(session: Session, actor: Actor, act: str, ids: list[int], searched: str) -> tuple[Any, ...]:
    """Colleagues who fit the first of the tasks; whoever does not fit another is told in its row."""
    if act not in WITH_PEOPLE:
        return ()
    wanted = "held" if act == "transfer" else "ready"
    statement = select(Task).where(col(Task.case_id).in_(ids), Task.status == wanted, Task.kind == "step").order_by(col(Task.id))
    tasks = [task for task in session.exec(statement).all() if _is_mine(actor, task)]
    return tuple(colleague.fitting(session, actor, tasks[0], searched)) if tasks else ()


def _is_mine(actor: Actor, task: Task) -> bool:
    return access.holds(actor, task) or (task.status == "ready" and access.may_claim(actor, task))
