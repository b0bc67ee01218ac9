"""The parameters of a draft: values by date and by code, basis, and whether the owner has confirmed them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from rules.engine import Draft, Unread
from rules.engine.document import parse_document
from rules.engine.value import Declaration, plain
from rules.engine.workbook import shown
from views import page, posted
from views.posted import FieldFault
from views.rules import draft_head
from views.rules.draft_head import DraftHead, OpenedDraft, SaveState, save_state


@dataclass(frozen=True, slots=True)
class ValueField:
    """One value: the name of its field, what it holds for, and how it is written."""

    name: str
    label: str
    text: str


@dataclass(frozen=True, slots=True)
class ParameterRow:
    """One parameter as a form group; `table` names the shared number it is taken from, then it is read only."""

    key: str
    label: str
    unit: str
    hint: str
    type: str
    values: tuple[ValueField, ...]
    basis: str
    is_default: bool
    is_dated: bool
    table: str


@dataclass(frozen=True)
class ParametersForm:
    """What templates/rules/draft/parameters.html reads."""

    head: DraftHead
    faults: tuple[Any, ...]
    rows: tuple[ParameterRow, ...]
    given: Mapping[str, str]
    errors: tuple[FieldFault, ...]
    save: SaveState


def show(request: Request) -> Response:
    """The form, and what was posted: every value that differs is written into the draft."""
    if request.method == "GET":
        return _page(request)
    try:
        draft_head.change(request, lambda draft: _edited(draft, posted.given_texts(request), is_whole=not page.is_htmx(request)))
    except Unread as refused:
        return _page(request, draft_head.faults_of_edit(refused), 422)
    if page.is_htmx(request):
        return _page(request)
    return page.redirect(request, "rule_draft_parameters", query={"done": "saved"}, draft_id=request.path_params["draft_id"])


def _page(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "parameters")
    given = posted.given_texts(request) if errors else {}
    context = ParametersForm(found.head, found.faults, tuple(_rows(found)), given, errors, save_state(request, errors))
    # What is typed stays in its fields: htmx changes only what was found, beside them, and the version.
    is_fragment = page.is_htmx(request)
    return draft_head.render(
        request, "rules/draft/parameters.html", context, found, status=200 if is_fragment else status, block="saved" if is_fragment else None
    )


def _rows(found: OpenedDraft) -> list[ParameterRow]:
    if found.rules is None:
        return []
    written = parse_document(found.row.text).get("parameters") or {}
    return [_row(key, written[key], one.declaration) for key, one in found.rules.parameters.items()]


def _row(key: str, written: Mapping[str, Any], sort: Declaration) -> ParameterRow:
    bounds = (("不小于 ", sort.minimum), ("不大于 ", sort.maximum))
    limits = "，".join(f"{word}{plain(bound)}" for word, bound in bounds if bound is not None)
    return ParameterRow(
        key, sort.label, sort.unit.label if sort.unit else "", limits, sort.type, tuple(_values(key, written)), written.get("basis", ""),
        written.get("default") is True, sort.numeric or sort.type == "date", written.get("table", ""),
    )  # fmt: skip


def _values(key: str, written: Mapping[str, Any]) -> list[ValueField]:
    if "value" in written:
        fields = [ValueField(f"value.{key}", "数值", shown(written["value"]))]
    else:
        fields = [ValueField(f"from.{key}.{plain(one['from'])}", f"自 {plain(one['from'])} 起", shown(one["value"])) for one in written.get("values", ())]
    special = next(iter(written["by"].values())) if written.get("by") else {}
    return fields + [ValueField(f"code.{key}.{code}", f"代码 {code}", shown(value)) for code, value in special.items()]


def _edited(draft: Draft, given: Mapping[str, str], *, is_whole: bool) -> Draft:
    """The draft with every value, basis and confirmation that differs from what is written.

    New dated values wait until the whole form is sent: they change its fields, which an autosave leaves as they are.
    """
    rules, written = draft.read(), parse_document(draft.text).get("parameters") or {}
    for key, row in written.items():
        sort = rules.parameters[key].declaration
        for one in _values(key, row):
            text = given.get(one.name, one.text).strip()
            if text != one.text:
                draft = _with_value(draft, one.name, _typed(text, sort))
        basis = given.get(f"basis.{key}", "").strip()
        if basis and basis != row.get("basis"):
            draft = draft.set(("parameters", key, "basis"), basis)
        if row.get("default") is True and given.get(f"confirmed.{key}"):
            draft = draft.remove(("parameters", key, "default"))
        if is_whole and (given.get(f"new_value.{key}") or given.get(f"new_from.{key}")):
            draft = draft.set_parameter(key, _typed(given[f"new_value.{key}"].strip(), sort), given[f"new_from.{key}"].strip())
    return draft


def _with_value(draft: Draft, name: str, value: Any) -> Draft:
    what, key, *rest = name.split(".", 2)
    return draft.set_parameter(key, value, start=rest[0] if what == "from" else None, code=rest[0] if what == "code" else None)


def _typed(text: str, sort: Declaration) -> Any:
    return {"true": True, "false": False}.get(text, text) if sort.type == "boolean" else text
