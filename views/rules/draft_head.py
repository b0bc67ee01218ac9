"""What stands above and beside every page of a draft: its steps, lock, findings and golden cases; and how a change is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import portal_clock
from domain.actor import Actor
from domain.errors import Conflict
from domain.office import office_of
from domain.rule_edition import draft, examination
from domain.rule_edition.tables import (
    APPROVED,
    EDITABLE,
    IN_REVIEW,
    OPEN,
    PUBLISHED,
    RETURNED,
    UNFINISHED,
    RuleDraft,
)
from rules.engine import Draft, Fault, RuleSet, Unread
from rules.engine.note import Known
from views import page, posted
from views.posted import FieldFault
from views.rules import frame
from views.rules.wording import wording
from views.shell import Crumb, Link, Notice

MOST_FINDINGS = 50
Edit = Callable[[Draft], Draft]


@dataclass(frozen=True)
class DraftHead:
    """What templates/rules/draft/_head.html and _beside.html read."""

    row: RuleDraft
    state: str
    tone: str
    tabs: tuple[frame.Row, ...]
    steps: tuple[Mapping[str, str], ...]
    findings: tuple[frame.Row, ...]
    findings_count: int
    failed: tuple[frame.Row, ...]
    may_edit: bool
    is_locked_by_other: bool
    may_take_over: bool
    is_mine: bool


@dataclass(frozen=True, slots=True)
class SaveState:
    """What came of a save: idle, saved or refused, and why."""

    state: str
    why: str


def save_state(request: Request, errors: tuple[FieldFault, ...]) -> SaveState:
    """The line beside the buttons after a request."""
    return SaveState("refused" if errors else "saved" if request.method == "POST" else "idle", errors[0].text if errors else "")


@dataclass(frozen=True)
class OpenedDraft:
    """A draft read for a page; `rules` is None while its text cannot be read, then `faults` say why."""

    row: RuleDraft
    text: Draft
    rules: RuleSet | None
    faults: tuple[Fault, ...]
    head: DraftHead
    known: Known


def opened(request: Request, session: Session, tab: str) -> OpenedDraft:
    """The draft of the path. Raises NotFound."""
    row = draft.draft(session, request.path_params["draft_id"])
    book = office_of(session).book
    text = Draft(row.text, row.key, book.known)
    rules, faults = None, ()
    try:
        rules = book.draft(row.text, row.key)
    except Unread as unread:
        faults = tuple(unread.faults)
    return OpenedDraft(row, text, rules, faults, _head(request, row, tab, portal_clock.now(session)), book.known)


def _head(request: Request, row: RuleDraft, tab: str, at: datetime) -> DraftHead:
    actor = page.actor(request)
    other = draft.locked_by_other(row, actor, at)
    is_mine = row.lock_id == actor.person_id and row.lock_until is not None and row.lock_until > at
    may_edit = row.state in EDITABLE and not other
    return DraftHead(
        row=row, state=wording("draft_states")[row.state], tone=wording("draft_tones")[row.state],
        tabs=tuple(_tabs(request, row, tab)), steps=tuple(_steps(row)),
        findings=tuple(_finding(request, row, each) for each in row.findings[:MOST_FINDINGS]), findings_count=len(row.findings),
        failed=tuple(_failure(request, row, each) for each in row.golden.get("failed", ())), may_edit=may_edit,
        is_locked_by_other=other and row.state in UNFINISHED, may_take_over=may_edit and not is_mine, is_mine=is_mine,
    )  # fmt: skip


def _tabs(request: Request, row: RuleDraft, current: str) -> list[frame.Row]:
    return [
        {"label": label, "href": frame.address(request, f"rule_draft_{tab}" if tab else "rule_draft", draft_id=row.id), "is_current": tab == current}
        for tab, label in wording("draft_tabs").items()
    ]


def _steps(row: RuleDraft) -> list[Mapping[str, str]]:
    """How far the draft has come: edited, checked, reviewed, published."""
    done = {OPEN: 0, RETURNED: 0, IN_REVIEW: 1, APPROVED: 2, PUBLISHED: 4}.get(row.state, 0)
    failed, golden = len(row.golden.get("failed", ())), row.golden.get("cases", 0)
    checked = f"检查 {len(row.findings)} 处，用例 {golden - failed} / {golden}" if row.is_examined else "检查"
    labels = (f"修改并{checked}", "复核", "发布", "施行")
    return [{"label": label, "state": "done" if place < done else "now" if place == done else "coming"} for place, label in enumerate(labels)]


def yaml_address(request: Request, row: RuleDraft, line: int) -> str:
    """The line of the draft's YAML."""
    return f"{frame.address(request, 'rule_draft_yaml', draft_id=row.id)}#line-{line}"


def spot(request: Request, row: RuleDraft, key: str, line: int) -> str:
    """Where a finding is put right: the rule's form, the parameters, the case, or the line of the YAML."""
    steps = key.replace("[", ".").replace("]", "").split(".")
    if steps[0] == "parameters":
        return f"{frame.address(request, 'rule_draft_parameters', draft_id=row.id)}#{'.'.join(steps[:2])}"
    if steps[0] == "rules" and len(steps) > 1 and steps[1]:
        return frame.address(request, "rule_draft_rule", draft_id=row.id, rule=steps[1])
    return yaml_address(request, row, line)


def _finding(request: Request, row: RuleDraft, each: Mapping[str, Any]) -> frame.Row:
    return {**each, "href": spot(request, row, each["key"], each["line"]), "yaml": yaml_address(request, row, each["line"])}


def _failure(request: Request, row: RuleDraft, each: Mapping[str, Any]) -> frame.Row:
    return {**each, "href": f"{frame.address(request, 'rule_draft_cases', draft_id=row.id)}#case-{each['line']}"}


def keep(request: Request, text: str, version: int, *, why: str | None = None) -> RuleDraft:
    """Save a text in the version that was seen, then examine it and keep what was found."""
    draft_id, actor = request.path_params["draft_id"], page.actor(request)
    with page.writing(request) as session:
        saved = draft.save(session, actor, draft_id, text, version, why=why)
        session.refresh(saved)
    return examined(request, saved, actor)


def examined(request: Request, saved: RuleDraft, actor: Actor) -> RuleDraft:
    """Examine the draft and keep the findings with it."""
    with page.reading(request) as session:
        found = examination.examine(session, draft.draft(session, saved.id))
    try:
        with page.writing(request) as session:
            kept = draft.keep_examination(session, actor, saved.id, found)
            session.refresh(kept)
            return kept
    except Conflict:
        # Somebody saved meanwhile; that save examines its own text, and the page shows it.
        return saved


def change(request: Request, edit: Edit) -> RuleDraft:
    """Make one edit of the draft's text and keep it. Raises EditRefused, Conflict when stale or locked."""
    version = posted.version(request)
    with page.reading(request) as session:
        before = opened(request, session, "")
    return keep(request, edit(before.text).text, version)


def faults_of_edit(error: Unread) -> tuple[FieldFault, ...]:
    """The reasons of a refused edit for the error summary."""
    return tuple(FieldFault("", f"{fault.key}：{fault.message}" if fault.key else fault.message) for fault in error.faults)


def render(
    request: Request, template: str, context: Any, found: OpenedDraft, *, status: int = 200, notices: tuple[Notice, ...] = (),
    block: str | None = None,
) -> Response:  # fmt: skip
    """A page of the draft."""
    trail = (Crumb("草稿与复核", Link("rule_drafts", "草稿与复核")), Crumb(found.row.title))
    return frame.render(
        request, template, context, title=f"草稿：{found.row.title}", trail=trail, status=status, notices=notices, block=block
    )
