"""The golden cases of a draft: run, written, changed; boundary cases proposed at every limit."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData, NotFound
from rules.engine import Draft, ProposedCase, Unread, proposed_cases
from rules.engine.document import UnreadableDocument, parse_document
from rules.engine.editing.writing import flow
from rules.engine.kind import NONE, UNDETERMINED
from rules.engine.rule_set import RuleSet
from rules.engine.value import Declaration, plain
from rules.engine.workbook import shown
from views import page, posted
from views.posted import FieldFault, faults_of
from views.rules import draft_head, reading
from views.rules.draft_head import DraftHead, OpenedDraft


@dataclass(frozen=True)
class CasesForm:
    """What templates/rules/draft/cases.html reads."""

    head: DraftHead
    faults: tuple[Any, ...]
    rows: tuple[Mapping[str, Any], ...]
    proposals: tuple[Mapping[str, Any], ...]
    outcomes: tuple[Mapping[str, str], ...]
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True)
class CaseForm:
    """What templates/rules/draft/case.html reads."""

    head: DraftHead
    number: int
    name: str
    on: str
    why: str
    facts: tuple[Mapping[str, Any], ...]
    outcome: str
    outcomes: tuple[Mapping[str, str], ...]
    rest: str
    differences: tuple[str, ...]
    errors: tuple[FieldFault, ...]


def show(request: Request) -> Response:
    """Every case with its result, and proposals for the limits that none tries; a POST takes one proposal in."""
    errors: tuple[FieldFault, ...] = ()
    if request.method == "POST":
        try:
            draft_head.change(request, lambda draft: _with_proposal(draft, posted.text(request, "name"), posted.text(request, "outcome")))
            return page.redirect(request, "rule_draft_cases", query={"done": "case_added"}, draft_id=request.path_params["draft_id"])
        except Unread as refused:
            errors = draft_head.faults_of_edit(refused)
        except InvalidData as error:
            errors = faults_of(error)
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "cases")
    context = _cases_form(found, errors)
    return draft_head.render(request, "rules/draft/cases.html", context, found, status=422 if errors else 200)


def _cases_form(found: OpenedDraft, errors: tuple[FieldFault, ...]) -> CasesForm:
    rules = found.rules
    if rules is None:
        return CasesForm(found.head, found.faults, (), (), (), errors)
    return CasesForm(
        found.head, (), tuple(_rows(found, rules)), tuple(_proposal(rules, each) for each in proposed_cases(rules)), outcomes_of(rules), errors
    )


def outcomes_of(rules: RuleSet) -> tuple[Mapping[str, str], ...]:
    """What a case may expect: the outcomes of the kind, none, and undetermined for a gate."""
    keys = [*rules.kind.outcomes, NONE, *([UNDETERMINED] if rules.kind.gate else [])]
    return tuple({"value": key, "label": rules.kind.word(key)} for key in keys)


def _rows(found: OpenedDraft, rules: RuleSet) -> list[Mapping[str, Any]]:
    """The cases with what came of them in the last examination."""
    failed = {each["line"]: each["differences"] for each in found.row.golden.get("failed", ())}
    ran = found.row.is_examined and bool(found.row.golden)
    return [
        {**row, "number": number, "line": case.line, "is_known": ran, "differences": failed.get(case.line, ())}
        for number, (row, case) in enumerate(zip(reading.golden_rows(rules), rules.cases, strict=True), 1)
    ]


def _proposal(rules: RuleSet, one: ProposedCase) -> Mapping[str, Any]:
    labels = {key: sort.label for key, sort in rules.names.items()}
    given = "，".join(f"{labels.get(key, key)} {shown(value)}" for key, value in one.given.items())
    return {"name": one.name, "on": one.on.isoformat(), "given": given, "engine": one.engine["outcome_word"], "line": one.line}


def _with_proposal(draft: Draft, name: str, outcome: str) -> Draft:
    one = next((each for each in proposed_cases(draft.read()) if each.name == name), None)
    if one is None:
        raise InvalidData("这个边界已经有用例了。请刷新页面。")
    if not outcome:
        raise InvalidData(f"「{name}」没有选应得的结论。请按条文选，不照抄引擎。")
    return draft.add_case(one.entry(outcome))


def case(request: Request) -> Response:
    """One golden case as a form, or a new one; what was posted is written into the draft."""
    if request.method == "GET":
        return _case_page(request)
    number = request.path_params["number"]
    try:
        if posted.text(request, "act") == "remove":
            draft_head.change(request, lambda draft: draft.remove_case(number - 1))
        else:
            draft_head.change(request, lambda draft: _with_case(request, draft, number))
    except Unread as refused:
        return _case_page(request, draft_head.faults_of_edit(refused))
    except UnreadableDocument as error:
        return _case_page(request, (FieldFault("", f"清单或期望的写法读不出：{error.message}"),))
    return page.redirect(request, "rule_draft_cases", query={"done": "saved"}, draft_id=request.path_params["draft_id"])


def _case_page(request: Request, errors: tuple[FieldFault, ...] = ()) -> Response:
    number, given = request.path_params["number"], posted.given_texts(request)
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "cases")
    if found.rules is None or number > len(found.rules.cases):
        raise NotFound("草稿里没有这个用例，可能已经删去，或文本现在读不出。请从黄金用例页选择。")
    old = _written(found.text, number)
    rest = {key: value for key, value in old.get("expect", {}).items() if key != "outcome"}
    line = found.rules.cases[number - 1].line if number else 0
    context = CaseForm(
        head=found.head, number=number, name=given["name"] or shown(old.get("name")),
        on=given["on"] or (shown(old["on"]) if "on" in old else found.rules.edition.start.isoformat()), why=given["why"] or shown(old.get("why")),
        facts=tuple(_fact_field(key, sort, old, given) for key, sort in found.rules.facts.items()),
        outcome=given["outcome"] or shown(old.get("expect", {}).get("outcome")), outcomes=outcomes_of(found.rules),
        rest=given["rest"] or (flow(plain(rest)) if rest else ""),
        differences=tuple(next((each["differences"] for each in found.row.golden.get("failed", ()) if each["line"] == line), ())), errors=errors,
    )  # fmt: skip
    return draft_head.render(request, "rules/draft/case.html", context, found, status=422 if errors else 200)


def _written(draft: Draft, number: int) -> Mapping[str, Any]:
    return parse_document(draft.text)["cases"][number - 1] if number else {}


def _fact_field(key: str, sort: Declaration, old: Mapping[str, Any], given: Mapping[str, str]) -> Mapping[str, Any]:
    held = old.get("given", {})
    text = given.get(f"given-{key}", _text(held, key))
    unit = sort.unit.label if sort.unit and sort.unit.label else ""
    choices = [("true", "是"), ("false", "否")] if sort.type == "boolean" else list((sort.domain or {}).items())
    return {"name": f"given-{key}", "label": f"{sort.label}（{unit}）" if unit else sort.label, "text": text, "is_list": sort.type == "list",
            "choices": [{"value": value, "label": label} for value, label in choices]}  # fmt: skip


def _text(held: Mapping[str, Any], key: str) -> str:
    """How a given value is shown; an explicit unknown as null, a fact that is not given as nothing."""
    if key not in held:
        return ""
    return "null" if held[key] is None else shown(held[key])


def _with_case(request: Request, draft: Draft, number: int) -> Draft:
    posted_case = _posted_case(posted.given_texts(request), draft, number)
    return draft.replace_case(number - 1, posted_case) if number else draft.add_case(posted_case)


def _posted_case(given: Mapping[str, str], draft: Draft, number: int) -> dict[str, Any]:
    """The case as it is written; whatever reads the same as before stays as it is."""
    old, facts = _written(draft, number), draft.read().facts
    held = old.get("given", {})
    values = {}
    for key, sort in facts.items():
        text = given.get(f"given-{key}", "").strip()
        if text:
            values[key] = held[key] if key in held and text == _text(held, key) else _typed(text, sort)
    rest = plain(parse_document(f"v: {given['rest'].strip()}")["v"]) if given["rest"].strip() else {}
    expect = {**({"outcome": given["outcome"]} if given["outcome"] else {}), **rest}
    on = posted.whole_day(given["on"].strip(), "on")
    made = {"name": given["name"].strip(), "on": on, "given": values, "expect": expect, "why": given["why"].strip() or None}
    kept = {key: value for key, value in old.items() if key not in made}
    return {key: value for key, value in {**made, **kept}.items() if value is not None}


def _typed(text: str, sort: Declaration) -> Any:
    if text == "null":
        return None
    if text[:1] in ("{", "["):
        return plain(parse_document(f"v: {text}")["v"])
    return {"true": True, "false": False}.get(text, text) if sort.type == "boolean" else text
