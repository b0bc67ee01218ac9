"""The rules of a draft as rows: a page of them with a search, one as a form; and the rows of large tables."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData, NotFound
from rules.engine import Draft, FormRow, Opaque, RowTest, Unread, form, table, table_rows, with_rows
from rules.engine.document import UnreadableDocument, parse_document
from rules.engine.editing.writing import flow
from rules.engine.rule_set import RuleSet
from rules.engine.syntax.comparison import OPERATORS
from rules.engine.syntax.condition_reader import HIDDEN
from rules.engine.value import Declaration, plain
from rules.engine.workbook import shown
from views import page, posted
from views.decision_card import tone
from views.paging import PAGE_SIZE, Pager, pager, place
from views.posted import FieldFault, faults_of
from views.rules import draft_head, frame
from views.rules.draft_head import DraftHead, OpenedDraft
from views.rules.wording import wording

LISTED = ("between", "outside", "in", "not_in")
ASKED = ("exists", "missing")
NEW = "new"


@dataclass(frozen=True)
class RulesPage:
    """What templates/rules/draft/rules.html reads."""

    head: DraftHead
    faults: tuple[Any, ...]
    table: Mapping[str, Any] | None
    tones: Mapping[str, str]
    large: tuple[frame.Row, ...]
    is_large: bool
    words: str
    pager: Pager | None


@dataclass(frozen=True, slots=True)
class TestField:
    """One condition as fields; `yaml` alone for what no column can hold."""

    name: str
    subject: str
    operator: str
    kind: str
    limit: str
    unit: str
    yaml: str
    words: str


@dataclass(frozen=True)
class RuleForm:
    """What templates/rules/draft/rule.html reads."""

    head: DraftHead
    row: FormRow
    is_new: bool
    position: str
    tests: tuple[TestField, ...]
    subjects: tuple[Mapping[str, str], ...]
    operators: tuple[Mapping[str, str], ...]
    limit_kinds: tuple[Mapping[str, str], ...]
    outcomes: tuple[Mapping[str, str], ...]
    values: tuple[Mapping[str, str], ...]
    names: tuple[Mapping[str, str], ...]
    total: int
    given: Mapping[str, str]
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True)
class RowForm:
    """What templates/rules/draft/table_row.html reads."""

    head: DraftHead
    name: str
    label: str
    number: int | None
    cells: tuple[Mapping[str, str], ...]
    errors: tuple[FieldFault, ...]


def show(request: Request) -> Response:
    """A page of the rules, or of the rows of a large table."""
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "rules")
    return draft_head.render(request, "rules/draft/rules.html", _page(request, found), found)


def _page(request: Request, found: OpenedDraft) -> RulesPage:
    rules, asked, name = found.rules, request.query_params.get("q", "").strip(), request.query_params.get("table", "")
    if rules is None:
        return RulesPage(found.head, found.faults, None, {}, (), False, asked, None)
    if name and name not in rules.tables:
        raise NotFound("这份草稿没有这张表。请从判断表页选择。")
    start = place(request)
    made = table_rows(rules, name, start, PAGE_SIZE, asked) if name else table(rules, start, PAGE_SIZE, asked)
    return RulesPage(
        found.head, (), made, {each: tone(each) for each in rules.kind.outcomes}, _large(request, found, name), bool(name), asked,
        pager(request, len(made["rows"]), made["total"], "行" if name else "条", draft_id=found.row.id),
    )  # fmt: skip


def _large(request: Request, found: OpenedDraft, current: str) -> tuple[frame.Row, ...]:
    return tuple(
        {"label": f"{one.label}（{len(one.rows):,} 行）", "is_current": name == current,
         "href": frame.address(request, "rule_draft_rules", {"table": name}, draft_id=found.row.id)}
        for name, one in found.rules.tables.items()
    )  # fmt: skip


def rule(request: Request) -> Response:
    """One rule as a form, or a new one; what was posted is written into the draft."""
    if request.method == "GET":
        return _rule_page(request)
    try:
        if page.form(request).get("act") == "remove":
            draft_head.change(request, lambda draft: draft.remove_rule(request.path_params["rule"]))
        else:
            draft_head.change(request, lambda draft: _with_rule(request, draft))
    except Unread as refused:
        return _rule_page(request, draft_head.faults_of_edit(refused))
    except InvalidData as error:
        return _rule_page(request, faults_of(error))
    return page.redirect(request, "rule_draft_rules", query={"done": "saved"}, draft_id=request.path_params["draft_id"])


def _rule_page(request: Request, errors: tuple[FieldFault, ...] = ()) -> Response:
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "rules")
    if found.rules is None:
        return page.redirect(request, "rule_draft_rules", draft_id=found.row.id)
    row, total = _row_of(found.text, request.path_params["rule"])
    return draft_head.render(
        request, "rules/draft/rule.html", _rule_form(request, found, row, total, errors), found, status=422 if errors else 200
    )


def _row_of(draft: Draft, key: str) -> tuple[FormRow, int]:
    """The row of a rule and how many there are; an empty one for a new rule. Raises NotFound."""
    made = form(draft)
    if key == NEW:
        return FormRow(None, "", "", "", (), None, place=made.total), made.total
    row = next((each for each in made.rows if each.key == key), None)
    if row is None:
        raise NotFound("草稿里没有这条规则，可能已经改名或删去。请从判断表页选择。")
    return row, made.total


def _rule_form(request: Request, found: OpenedDraft, row: FormRow, total: int, errors: tuple[FieldFault, ...]) -> RuleForm:
    rules, given = found.rules, posted.given_texts(request)
    tests = [_test(f"t{index}", each, rules.names) for index, each in enumerate(row.tests)]
    blanks = [TestField(f"t{len(tests) + extra}", "", "", "constant", "", "", "", "") for extra in range(2)]
    return RuleForm(
        head=found.head, row=row, is_new=row.origin is None, position=str(row.place + 1), tests=tuple(_again(each, given) for each in (*tests, *blanks)),
        subjects=tuple(_subjects(rules, row)),
        operators=tuple({"value": key, "label": each.word} for key, each in OPERATORS.items() if key not in HIDDEN),
        limit_kinds=_choices(wording("limit_kinds")), outcomes=_choices(rules.kind.outcomes),
        values=tuple({"key": key, "label": label, "text": shown(row.values.get(key))} for key, label in rules.kind.values.items()),
        names=tuple({"value": key, "label": sort.label} for key, sort in rules.names.items()), total=total, given=given, errors=errors,
    )  # fmt: skip


def _choices(labels: Mapping[str, str]) -> tuple[Mapping[str, str], ...]:
    return tuple({"value": key, "label": label} for key, label in labels.items())


def _again(test: TestField, given: Mapping[str, str]) -> TestField:
    """The field with what was posted in a refused form."""
    if f"{test.name}-limit" not in given and f"{test.name}-yaml" not in given:
        return test
    return replace(test, **{part: given[f"{test.name}-{part}"] for part in ("subject", "operator", "kind", "limit", "yaml") if f"{test.name}-{part}" in given})


def _test(name: str, test: RowTest | Opaque, names: Mapping[str, Declaration]) -> TestField:
    if isinstance(test, Opaque):
        return TestField(name, "", "", "", "", "", test.yaml, test.words)
    sort = names.get(test.column)
    unit = sort.unit.label if sort is not None and sort.unit is not None else ""
    return TestField(name, _subject_text(test.subject), test.operator, test.limit_kind, _limit_text(test), unit, "", test.words)


def _subject_text(subject: Mapping[str, Any]) -> str:
    """A subject as the value of its choice: the fact's key, or what is worked out, as YAML."""
    return subject["fact"] if "fact" in subject else flow(subject)


def _limit_text(test: RowTest) -> str:
    if test.limit_kind == "mixed":
        return flow(test.limit)
    return "、".join(shown(each) for each in test.limit) if isinstance(test.limit, list | tuple) else shown(test.limit)


def _subjects(rules: RuleSet, row: FormRow) -> list[Mapping[str, str]]:
    """What a condition may ask: every fact, derived fact, flag and parameter, and what this rule works out itself."""
    named = [{"value": key, "label": f"{sort.label}（{sort.unit.label}）" if sort.unit and sort.unit.label else sort.label}
             for key, sort in rules.names.items() if sort.type != "list"]  # fmt: skip
    own = {_subject_text(test.subject) for test in row.tests if isinstance(test, RowTest) and "fact" not in test.subject}
    return [*named, *({"value": each, "label": each} for each in sorted(own))]


def _with_rule(request: Request, draft: Draft) -> Draft:
    """The draft with the posted rule in place of the one it was, or as a new one."""
    given, rules = posted.given_texts(request), draft.read()
    before, total = _row_of(draft, request.path_params["rule"])
    try:
        made = _posted_row(given, rules, before)
    except UnreadableDocument as error:
        raise InvalidData(f"条件或附带内容的写法读不出：{error.message}。") from error
    at = _position(given.get("position", ""), total - (before.origin is not None))
    return with_rows(draft, [made], at, [before.origin] if before.origin else [])


def _position(text: str, last: int) -> int:
    """The place from 0 that the form's number from 1 means."""
    number = posted.whole_number(text.strip(), "position")
    return last if number is None else min(max(number - 1, 0), last)


def _posted_row(given: Mapping[str, str], rules: RuleSet, before: FormRow) -> FormRow:
    tests: list[RowTest | Opaque] = []
    for index, old in enumerate((*before.tests, None, None)):
        made = _posted_test(given, f"t{index}", old, rules)
        if made is not None:
            tests.append(made)
    if not tests:
        raise InvalidData("规则没有条件。请至少写一个条件。", {"t0-subject": "请至少写一个条件。"})
    values = {key: _value(given.get(f"value-{key}", "").strip(), before.values.get(key)) for key in rules.kind.values}
    key = given.get("key", "").strip() or before.key
    return replace(
        before, key=key, label=given["label"].strip() or key, basis=given["basis"].strip(), tests=tuple(tests), outcome=given["outcome"] or None,
        message=given["message"].strip() or None, values={name: value for name, value in values.items() if value is not None},
        note=given["note"].strip() or None,
    )  # fmt: skip


def _value(text: str, old: Any) -> Any:
    """What goes along with the outcome: kept when it reads the same, else a word, or YAML where it begins like it."""
    if text == shown(old):
        return old
    return _raw(text) if text else None


def _raw(text: str) -> Any:
    return plain(parse_document(f"v: {text}")["v"]) if text[:1] in ("{", "[") else text


def _posted_test(given: Mapping[str, str], name: str, old: RowTest | Opaque | None, rules: RuleSet) -> RowTest | Opaque | None:
    """The condition that was posted: the old one when nothing differs, None when it was taken out or is blank."""
    if given.get(f"{name}-remove"):
        return None
    if isinstance(old, Opaque):
        text = given.get(f"{name}-yaml", old.yaml).strip()
        return old if text == old.yaml else Opaque(plain(parse_document(f"v: {text}")["v"])) if text else None
    parts = tuple(given.get(f"{name}-{part}", "").strip() for part in ("subject", "operator", "kind", "limit"))
    if old is not None and parts == (_subject_text(old.subject), old.operator, old.limit_kind, _limit_text(old)):
        return old
    subject, operator, kind, limit = parts
    if not subject or not operator:
        return None
    written = plain(parse_document(f"v: {subject}")["v"]) if subject.startswith("{") else {"fact": subject}
    sort = rules.names.get(subject)
    return RowTest(written, operator, _limit(limit, operator, kind, sort), kind or "constant")


def _limit(text: str, operator: str, kind: str, sort: Declaration | None) -> Any:
    if operator in ASKED:
        return True
    if kind in ("fact", "param", "expr"):
        return text
    if text[:1] in ("{", "["):
        return _raw(text)
    if operator in LISTED:
        return [_one(each.strip(), sort) for each in text.replace("，", "、").replace(",", "、").split("、") if each.strip()]
    return _one(text, sort)


def _one(text: str, sort: Declaration | None) -> Any:
    if sort is not None and sort.type == "boolean":
        return {"true": True, "是": True, "false": False, "否": False}.get(text, text)
    return text


def table_row(request: Request) -> Response:
    """One row of a large table as a form, or a new one."""
    if request.method == "GET":
        return _row_page(request)
    name, number, given = request.path_params["table"], request.path_params["number"], posted.given_texts(request)
    cells = {key.removeprefix("cell-"): text.strip() for key, text in given.items() if key.startswith("cell-")}

    def edit(draft: Draft) -> Draft:
        if given["act"] == "remove":
            return draft.remove_table_row(name, number)
        return draft.set_table_cells(name, number, cells) if number else draft.add_table_row(name, cells)

    try:
        draft_head.change(request, edit)
    except Unread as refused:
        return _row_page(request, draft_head.faults_of_edit(refused), cells)
    query = {"done": "saved", "table": name, "page": max(number - 1, 0) // PAGE_SIZE + 1 if number else None}
    return page.redirect(request, "rule_draft_rules", query=query, draft_id=request.path_params["draft_id"])


def _row_page(request: Request, errors: tuple[FieldFault, ...] = (), typed: Mapping[str, str] | None = None) -> Response:
    name, number = request.path_params["table"], request.path_params["number"]
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "rules")
    if found.rules is None or name not in found.rules.tables or number > len(found.rules.tables[name].rows):
        raise NotFound("草稿里没有这一行，可能已经删去，或文本现在读不出。请从判断表页选择。")
    titles = table_rows(found.rules, name, max(number - 1, 0), 1)
    written = found.text.table_rows(name)
    old = dict(zip(written[0], written[1][number - 1], strict=True)) if number else {}
    cells = tuple(
        {"name": f"cell-{title}", "label": label, "text": (typed or old).get(title, ""), "hint": title} for title, label in titles["columns"]
    )
    context = RowForm(found.head, name, titles["label"], number or None, cells, errors)
    return draft_head.render(request, "rules/draft/table_row.html", context, found, status=422 if errors else 200)
