"""Operations on a task or a case: return, correct, transfer, assist, countersign, suspend, terminate, urge …; a page for each.

Every page works the same way: what is asked for depends on the operation's entry here, the domain decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from domain import dictionary, portal_clock
from domain.actor import Actor
from domain.case import access, colleague, correction, countersign, draft, operations
from domain.case.tables import Task
from domain.errors import InvalidData, NotFound
from views import page
from views.case_head import Opened, crumbs_of, opened
from views.posted import by_field, digits, faults_of

Run = Callable[[Session, Actor, int, FormData, int | None], Any]


@dataclass(frozen=True)
class Operation:
    """What an operation's page asks for, says, and does."""

    title: str
    verb: str
    run: Run
    lead: str = ""
    words_label: str = ""
    words_required: bool = True
    people: str = ""
    """one_fitting | one | many: which colleagues may be chosen, and how many."""
    dictionary: str = ""
    """Standing reasons offered beside the free text."""
    is_bad: bool = False


def _text(given: FormData, name: str) -> str:
    """The reason chosen from the dictionary and the words, as one text."""
    parts = [given.get("reason", ""), given.get(name, "")]
    return "：".join(part.strip() for part in parts if isinstance(part, str) and part.strip())


def _people(given: FormData) -> list[int]:
    """The chosen people; in a sequence, by the place written beside each name."""
    chosen = [number for each in given.getlist("person") if (number := digits(each)) is not None]
    places = {each: given.get(f"place_{each}", "") for each in chosen}
    return sorted(chosen, key=lambda each: 99 if digits(places[each]) is None else digits(places[each]))


def _one(given: FormData) -> int:
    people = _people(given)
    if len(people) != 1:
        raise InvalidData("没有选定人员。请查找并选定一位人员。", {"person": "请选定一位人员"})
    return people[0]


def _items(given: FormData) -> list[dict[str, str]]:
    """The rows of a correction: each ticked field or material with its words."""
    ticked = [each for each in given.getlist("item") if isinstance(each, str) and ":" in each]
    rows = []
    for each in ticked:
        kind, _, key = each.partition(":")
        if kind in ("field", "material"):
            rows.append({kind: key, "what": str(given.get(f"what_{each}", "")).strip()})
    return rows


TASK_OPERATIONS: Mapping[str, Operation] = {
    "return": Operation(
        "退回", "退回", lambda s, a, t, f, v: operations.send_back(s, a, t, str(f.get("to_step", "")), _text(f, "opinion"), v),
        lead="退回后，本环节结束，所选环节重新办理；退回到申报环节时停表。", words_label="退回理由", dictionary="return_reason",
    ),
    "correct": Operation(
        "告知补正", "发出补正告知",
        lambda s, a, t, f, v: correction.ask_correction(s, a, t, _items(f), _text(f, "opinion"), v),
        lead="一次性告知全部需要补正的内容。申请人只能改列出的字段和材料，答复前停表。", words_label="补充说明",
        words_required=False, dictionary="correction_reason",
    ),
    "transfer": Operation(
        "转办", "转办", lambda s, a, t, f, v: operations.transfer(s, a, t, _one(f), _text(f, "opinion"), v),
        lead="交给同岗位、同辖区的同事办理，时限不变。", words_label="转办说明", words_required=False, people="one_fitting",
    ),
    "assign": Operation(
        "分派", "分派", lambda s, a, t, f, v: operations.assign(s, a, t, _one(f)),
        lead="把还没有人认领的任务分派给同岗位、同辖区的同事。", people="one_fitting",
    ),
    "assist": Operation(
        "委派", "委派", lambda s, a, t, f, v: countersign.ask_assistance(s, a, t, _one(f), _text(f, "opinion"), v),
        lead="请一位同事先做基础工作，完成后任务回到你手上，由你决定。", words_label="委派事项", people="one",
    ),
    "countersign": Operation(
        "会签", "发起会签",
        lambda s, a, t, f, v: countersign.ask_countersign(
            s, a, t, _people(f), _text(f, "opinion"), in_sequence=f.get("mode") == "sequence", task_version=v
        ),
        lead="请多位同事提出意见，全部答复后任务回到你手上，由你决定。", words_label="会签事项", people="many",
    ),
    "answer": Operation(
        "答复", "提交意见",
        lambda s, a, t, f, v: countersign.answer(s, a, t, _agrees(f), str(f.get("opinion", "")), v), words_label="意见",
    ),
    "suspend": Operation(
        "停表", "停表", lambda s, a, t, f, v: operations.suspend(s, a, t, _text(f, "opinion"), v),
        lead="停表期间时限不计，不能办理；续办后继续。", words_label="停表理由",
    ),
    "resume": Operation(
        "续办", "续办", lambda s, a, t, f, v: operations.resume(s, a, t, _text(f, "opinion")),
        lead="时限从今天起继续计算。", words_label="续办说明", words_required=False,
    ),
    "terminate": Operation(
        "终止办理", "终止办理", lambda s, a, t, f, v: operations.terminate(s, a, t, _text(f, "opinion"), v),
        lead="终止后不能恢复。已锁定的地块和已冻结的面积随即释放，申请人会看到终止理由。", words_label="终止理由", is_bad=True,
    ),
    "answer_reminder": Operation(
        "回复催办", "回复", lambda s, a, t, f, v: operations.answer_reminder(s, a, t, str(f.get("opinion", "")), v),
        lead="说明办到哪一步、何时办完。催办的人会收到，已上报的随即撤销。", words_label="回复",
    ),
    "hand_back": Operation(
        "放回待认领", "放回", lambda s, a, t, f, v: operations.hand_back(s, a, t, v), lead="放回后，同岗位的同事都可以认领。",
    ),
}


def _agrees(given: FormData) -> bool:
    if given.get("agrees") not in ("yes", "no"):
        raise InvalidData("没有选择同意或不同意。请选择后再提交。", {"agrees": "请选择同意或不同意"})
    return given["agrees"] == "yes"


CASE_OPERATIONS: Mapping[str, Operation] = {
    "urge": Operation(
        "催办", "催办", lambda s, a, c, f, v: operations.urge(s, a, c, _text(f, "opinion")),
        lead="提醒现在经办的人员，同一环节一天一次。", words_label="催办的话", words_required=False,
    ),
    "take_back": Operation(
        "拿回", "拿回", lambda s, a, c, f, v: operations.take_back(s, a, c), lead="下一环节还没有认领时，可以把刚送出的办件拿回来重办。",
    ),
    "withdraw": Operation(
        "撤回申请", "撤回申请", lambda s, a, c, f, v: operations.withdraw(s, a, c, _text(f, "opinion")),
        lead="撤回后办件结束，不能恢复；需要再办的，重新发起。", words_label="撤回理由", is_bad=True,
    ),
    "discard": Operation(
        "删除草稿", "删除草稿", lambda s, a, c, f, v: draft.discard(s, a, c), lead="草稿还没有提交，删除后不能恢复。", is_bad=True,
    ),
}


@dataclass(frozen=True)
class OperationContext:
    """What templates/cases/operation.html reads."""

    operation: Operation
    key: str
    code: str
    name: str
    action: str
    keep_href: str
    task: Task | None
    found: tuple[Any, ...]
    chosen: tuple[int, ...]
    searched: str
    targets: tuple[Mapping[str, str], ...]
    reasons: tuple[Mapping[str, str], ...]
    items: tuple[Mapping[str, Any], ...]
    given: Mapping[str, Any]
    errors: Mapping[str, str]
    faults: tuple[Any, ...]


def task_operation(request: Request) -> Response:
    """One operation on a task: its page, and the operation itself."""
    return _operation(request, TASK_OPERATIONS, request.path_params["task_id"])


def case_operation(request: Request) -> Response:
    """One operation on a case as a whole."""
    return _operation(request, CASE_OPERATIONS, request.path_params["case_id"])


def _operation(request: Request, known: Mapping[str, Operation], subject: int) -> Response:
    key = request.path_params["operation"]
    if key not in known:
        raise NotFound("没有这项操作。请从办件页进入。")
    if request.method == "GET":
        return _page(request, known[key], key)
    given = page.form(request)
    version = given.get("_task_version", "")
    try:
        with page.writing(request) as session:
            known[key].run(session, page.actor(request), subject, given, digits(version))
    except InvalidData as fault:
        return _page(request, known[key], key, fault)
    return _arrive(request, key)


def _arrive(request: Request, key: str) -> Response:
    """Back to the case if it is still in one's scope, else to the desk."""
    if key == "discard":
        return page.redirect(request, "desk", query={"box": "todo"})
    return page.redirect(request, "case", case_id=request.path_params["case_id"])


def _page(request: Request, operation: Operation, key: str, fault: InvalidData | None = None) -> Response:
    with page.reading(request) as session:
        one = opened(request, session, request.path_params["case_id"])
        context = _context(request, one, operation, key, fault)
        crumbs = crumbs_of(one, operation.title)
    return page.render(
        request, "cases/operation.html", context, title=f"{operation.title} {context.code}", crumbs=crumbs, current="cases",
        audience="bench", status=422 if fault else 200,
    )


def _context(request: Request, one: Opened, operation: Operation, key: str, fault: InvalidData | None) -> OperationContext:
    task = _task(request, one)
    given = page.form(request) if request.method == "POST" else request.query_params
    chosen = [number for each in given.getlist("person") if (number := digits(each)) is not None]
    searched = str(given.get("name", ""))
    faults = faults_of(fault) if fault else ()
    return OperationContext(
        operation=operation, key=key, code=one.case.number or one.case.draft_number, name=one.case.title,
        action=str(request.url.path), keep_href=one.url("case", case_id=one.case.id), task=task,
        found=tuple(_found(one, operation, task, searched, chosen)), chosen=tuple(chosen), searched=searched,
        targets=tuple(_targets(one, key, task)), reasons=tuple(_reasons(one, operation)),
        items=tuple(_correctable(one, given)) if key == "correct" else (),
        given={name: given.get(name, "") for name in ("opinion", "to_step", "reason", "mode", "agrees")},
        errors=by_field(faults), faults=faults,
    )


def _task(request: Request, one: Opened) -> Task | None:
    """The task of the URL, which must belong to the case of the URL."""
    if "task_id" not in request.path_params:
        return None
    task, _case = access.find_task(one.session, one.actor, request.path_params["task_id"])
    if task.case_id != one.case.id:
        raise NotFound("没有这项任务，或它不属于这个办件。请从办件页进入。")
    return task


def _found(one: Opened, operation: Operation, task: Task | None, searched: str, chosen: list[int]) -> list[Any]:
    if not operation.people or task is None:
        return []
    if operation.people == "one_fitting":
        return colleague.fitting(one.session, one.actor, task, searched)
    return colleague.anybody(one.session, one.actor, searched, chosen)


def _targets(one: Opened, key: str, task: Task | None) -> list[Mapping[str, str]]:
    if key != "return" or task is None:
        return []
    return [
        {"value": step.key, "label": step.label, "hint": "申请人修改后重新提交" if step.scope == "applicant" else ""}
        for step in operations.return_targets(one.session, one.case, task)
    ]


def _reasons(one: Opened, operation: Operation) -> list[Mapping[str, str]]:
    if not operation.dictionary:
        return []
    entries = dictionary.entries(one.session, operation.dictionary, portal_clock.today(one.session))
    return [{"value": each.label, "label": each.label} for each in entries if not each.is_retired]


def _correctable(one: Opened, given: Any) -> list[Mapping[str, Any]]:
    """Fields and materials that a correction may name, by section, with what was ticked and written."""
    ticked = set(given.getlist("item"))
    start = one.case_type.workflow.start
    groups = []
    for section in one.case_type.form.sections:
        if section.editable_in and start not in section.editable_in:
            continue
        keys = [(section.key, section.label)] if section.repeat else [
            (field.key, field.label) for field in section.fields if field.type != "note" and not field.is_written_by_system
        ]
        groups.append({"label": section.label, "rows": [_row("field", key, label, ticked, given) for key, label in keys]})
    slots = [_row("material", slot.key, slot.label, ticked, given) for slot in one.case_type.materials]
    return [*groups, {"label": "材料", "rows": slots}]


def _row(kind: str, key: str, label: str, ticked: set[Any], given: Any) -> Mapping[str, Any]:
    value = f"{kind}:{key}"
    return {"value": value, "label": label, "is_ticked": value in ticked, "what": given.get(f"what_{value}", "")}
