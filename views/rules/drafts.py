"""Drafts: the list with what waits for review, a new one, and the acts on one: lock, discard, rebase."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.decision import kind_of
from domain.errors import InvalidData
from domain.rule_edition import draft, review
from domain.rule_edition.tables import IN_REVIEW, RuleDraft
from rules.engine.kind import kinds
from views import page, posted
from views.posted import FieldFault, by_field, faults_of
from views.rules import draft_head, frame
from views.rules.wording import wording
from views.shell import Crumb, Link

MOST_FINISHED = 50


@dataclass(frozen=True)
class DraftsPage:
    """What templates/rules/drafts.html reads."""

    to_review: tuple[frame.Row, ...]
    others: tuple[frame.Row, ...]
    finished: tuple[frame.Row, ...]


@dataclass(frozen=True)
class NewSetPage:
    """What templates/rules/new.html reads."""

    kinds: tuple[Mapping[str, str], ...]
    given: Mapping[str, str]
    errors: tuple[FieldFault, ...]
    by_field: Mapping[str, str]


@dataclass(frozen=True)
class DiscardPage:
    """What templates/rules/draft/discard.html reads."""

    row: RuleDraft
    why: str
    errors: tuple[FieldFault, ...]


def list_drafts(request: Request) -> Response:
    """What waits for the reader's review, the other unfinished drafts, the last finished ones."""
    actor = page.actor(request)
    with page.reading(request) as session:
        unfinished, finished = draft.drafts(session), draft.drafts(session, finished=True)[:MOST_FINISHED]
        mine = [row for row in unfinished if row.state == IN_REVIEW and review.may_review(row, actor)]
        context = DraftsPage(
            tuple(_row(request, row) for row in mine), tuple(_row(request, row) for row in unfinished if row not in mine),
            tuple(_row(request, row) for row in finished),
        )  # fmt: skip
    return frame.render(request, "rules/drafts.html", context, title="草稿与复核", trail=(Crumb("草稿与复核"),))


def _row(request: Request, row: RuleDraft) -> frame.Row:
    return {
        "title": {"text": row.title, "href": frame.address(request, "rule_draft", draft_id=row.id), "sub": row.key},
        "state": {"tag": {"label": wording("draft_states")[row.state], "tone": wording("draft_tones")[row.state]}},
        "author": row.author_name, "changed_at": row.changed_at, "why": row.why or "—",
    }  # fmt: skip


def open_one(request: Request) -> Response:
    """Open a draft of the edition in force and go to it."""
    key = request.path_params["key"]
    kind = kind_of(page.office(request).book, key)
    is_demo = page.form(request).get("is_demo") == "true"
    with page.writing(request) as session:
        row = draft.open_draft(session, page.actor(request), kind, key, is_demo=is_demo)
        session.refresh(row)
    draft_head.examined(request, row, page.actor(request))
    return page.redirect(request, "rule_draft_parameters", query={"done": "opened"}, draft_id=row.id)


def new_set(request: Request) -> Response:
    """Open a draft of a rule set that does not exist yet."""
    given, errors = posted.given_texts(request), ()
    if request.method == "POST":
        try:
            with page.writing(request) as session:
                row = draft.open_new(session, page.actor(request), given["kind"], given["key"], given["title"])
                session.refresh(row)
            draft_head.examined(request, row, page.actor(request))
            return page.redirect(request, "rule_draft_yaml", query={"done": "opened"}, draft_id=row.id)
        except InvalidData as error:
            errors = faults_of(error)
    context = NewSetPage(tuple({"value": each.key, "label": each.label} for each in kinds().values()), given, errors, by_field(errors))
    return frame.render(
        request, "rules/new.html", context, title="新建规则集", trail=(Crumb("新建规则集"),), status=422 if errors else 200
    )


def take_over(request: Request) -> Response:
    """Go on with a draft whose lock has run out."""
    return _act(request, "taken", lambda session, actor, number: draft.take_over(session, actor, number, posted.version(request)))


def release(request: Request) -> Response:
    """Give the lock back."""
    return _act(request, "released", draft.release)


def rebase(request: Request) -> Response:
    """Take the edition now in force as the base, then look at the draft anew."""
    return _act(request, "rebased", lambda session, actor, number: draft.rebase(session, actor, number, posted.version(request)))


def check(request: Request) -> Response:
    """Examine the present text again: what is known outside it may have changed."""
    with page.reading(request) as session:
        row = draft.draft(session, request.path_params["draft_id"])
    draft_head.examined(request, row, page.actor(request))
    return page.redirect(request, "rule_draft", query={"done": "saved"}, draft_id=row.id)


def _act(request: Request, done: str, act: Callable[..., Any]) -> Response:
    draft_id = request.path_params["draft_id"]
    with page.writing(request) as session:
        act(session, page.actor(request), draft_id)
    return page.redirect(request, "rule_draft", query={"done": done}, draft_id=draft_id)


def discard(request: Request) -> Response:
    """Give a draft up, with the reason."""
    draft_id, why, errors = request.path_params["draft_id"], "", ()
    if request.method == "POST":
        why = posted.text(request, "why")
        try:
            return _act(request, "discarded", lambda session, actor, number: draft.discard(session, actor, number, why))
        except InvalidData as error:
            errors = faults_of(error)
    with page.reading(request) as session:
        row = draft.draft(session, draft_id)
    trail = (Crumb("草稿与复核", Link("rule_drafts", "草稿与复核")), Crumb(row.title, Link("rule_draft", row.title, {"draft_id": draft_id})), Crumb("作废"))
    return frame.render(
        request, "rules/draft/discard.html", DiscardPage(row, why, errors), title=f"作废草稿：{row.title}", trail=trail,
        status=422 if errors else 200,
    )  # fmt: skip
