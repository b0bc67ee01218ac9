"""A draft as YAML for experts, and as a workbook that is taken away, changed and brought back."""

from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import Conflict, InvalidData
from rules.engine import Unread, from_workbook, to_workbook
from views import page, posted
from views.posted import FieldFault, faults_of
from views.rules import draft_head
from views.rules.draft_head import DraftHead, SaveState, save_state

LONGEST = 4_000_000
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class YamlForm:
    """What templates/rules/draft/yaml.html reads."""

    head: DraftHead
    text: str
    lines: int
    errors: tuple[FieldFault, ...]
    save: SaveState


@dataclass(frozen=True)
class WorkbookForm:
    """What templates/rules/draft/workbook.html reads."""

    head: DraftHead
    faults: tuple[object, ...]
    errors: tuple[FieldFault, ...]


def yaml(request: Request) -> Response:
    """The text, and what was typed: kept as it is, broken or not, and examined."""
    if request.method == "GET":
        return _yaml_page(request)
    typed = page.form(request).get("text", "")
    if not isinstance(typed, str) or len(typed) > LONGEST or "\0" in typed:
        raise InvalidData(f"规则文本超过 {LONGEST:,} 字或含有不能保存的字符，没有保存。请把大表改用电子表格上传。")
    try:
        draft_head.keep(request, typed, posted.version(request))
    except Conflict as conflict:
        return _yaml_page(request, (FieldFault("text", conflict.message),), typed.replace("\r\n", "\n"), conflict.status)
    if page.is_htmx(request):
        return _yaml_page(request)
    return page.redirect(request, "rule_draft_yaml", query={"done": "saved"}, draft_id=request.path_params["draft_id"])


def _yaml_page(request: Request, errors: tuple[FieldFault, ...] = (), typed: str | None = None, status: int = 200) -> Response:
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "yaml")
    text = found.row.text if typed is None else typed
    context = YamlForm(found.head, text, text.count("\n") + 2, errors, save_state(request, errors))
    # What is typed stays in its box: htmx changes only what was found, beside it, and the version.
    is_fragment = page.is_htmx(request)
    return draft_head.render(
        request, "rules/draft/yaml.html", context, found, status=200 if is_fragment else status, block="saved" if is_fragment else None
    )


def workbook(request: Request) -> Response:
    """The page of the workbook, and the one brought back: only changed cells change the draft."""
    if request.method == "GET":
        return _workbook_page(request)
    try:
        sent, version = posted.upload(request, "file"), posted.version(request)
        with page.reading(request) as session:
            found = draft_head.opened(request, session, "workbook")
        text = from_workbook(sent.file.read(), sent.filename or "", found.known, found.row.text).text
        draft_head.keep(request, text, version)
    except Unread as refused:
        return _workbook_page(request, draft_head.faults_of_edit(refused))
    except InvalidData as error:
        return _workbook_page(request, faults_of(error))
    return page.redirect(request, "rule_draft", query={"done": "uploaded"}, draft_id=request.path_params["draft_id"])


def _workbook_page(request: Request, errors: tuple[FieldFault, ...] = ()) -> Response:
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "workbook")
    context = WorkbookForm(found.head, found.faults, errors)
    return draft_head.render(request, "rules/draft/workbook.html", context, found, status=422 if errors else 200)


def download(request: Request) -> Response:
    """The draft as a workbook. Raises InvalidData while its text cannot be read."""
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "workbook")
    if found.rules is None:
        raise InvalidData("这份草稿的文本现在读不出，不能导出表格。请先在 YAML 里改正。")
    name = quote(f"{found.row.title}.xlsx")
    return Response(to_workbook(found.text), media_type=XLSX, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"})
