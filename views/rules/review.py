"""The draft as a reviewer sees it: what changes, what the checks say; submit, return, approve, publish."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain import portal_clock
from domain.errors import Conflict, InvalidData, NotAllowed, PortalError, Refused
from domain.rule_edition import draft, examination, publication, review, store
from domain.rule_edition.tables import APPROVED, IN_REVIEW, UNFINISHED, RuleDraft, RuleEdition
from domain.rule_replay import reading as replays
from domain.rule_replay.tables import RuleReplay
from rules.engine import difference
from views import page, posted
from views.posted import FieldFault, by_field, faults_of
from views.rules import draft_head, editions, frame, shown
from views.rules.draft_head import DraftHead, OpenedDraft
from views.rules.wording import wording

MOST_REPLAYS = 3
Act = Callable[[Session, int, examination.Examination], Any]

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class DraftPage:
    """What templates/rules/draft/show.html reads."""

    head: DraftHead
    faults: tuple[Any, ...]
    base: RuleEdition | None
    sentences: tuple[Any, ...]
    is_overtaken: bool
    may_submit: bool
    may_review: bool
    may_publish: bool
    may_return: bool
    needs_replay: bool
    replays: tuple[frame.Row, ...]
    is_unfinished: bool
    why: str
    start_on: str
    opinion: str
    errors: tuple[FieldFault, ...]
    by_field: Any


def show(request: Request) -> Response:
    """The draft: what it changes, what was found, and what can be done with it now."""
    return _page(request)


def _page(request: Request, error: PortalError | None = None) -> Response:
    with page.reading(request) as session:
        found = draft_head.opened(request, session, "")
        context = _context(request, session, found, error)
    return draft_head.render(request, "rules/draft/show.html", context, found, status=error.status if error else 200)


def _context(request: Request, session: Session, found: OpenedDraft, error: PortalError | None) -> DraftPage:
    row, actor, given = found.row, page.actor(request), posted.given_texts(request)
    base = store.edition(session, row.base_id) if row.base_id else None
    errors = _errors(error)
    second = review.may_review(row, actor)
    return DraftPage(
        head=found.head, faults=found.faults, base=base, sentences=_sentences(found, base),
        is_overtaken=_is_overtaken(session, row), may_submit=found.head.may_edit, may_review=second and row.state == IN_REVIEW,
        may_publish=row.state == APPROVED, may_return=second and row.state in (IN_REVIEW, APPROVED),
        needs_replay=row.state == IN_REVIEW and review.needs_replay(session, row), is_unfinished=row.state in UNFINISHED,
        replays=tuple(_replay(request, session, each, row) for each in replays.of_draft(session, actor, row.id)[:MOST_REPLAYS]),
        why=given["why"] or row.why, start_on=given["start_on"] or (row.start_on.isoformat() if row.start_on else ""),
        opinion=given["opinion"], errors=errors, by_field=by_field(errors),
    )  # fmt: skip


def _replay(request: Request, session: Session, replay: RuleReplay, row: RuleDraft) -> frame.Row:
    """One replay in a line: how far, of which text, and what it found."""
    state = replays.standing(session, replay).state
    return {
        "href": frame.address(request, "rule_replay", replay_id=replay.id), "state": wording("replay_states")[state], "is_done": state == "done",
        "is_current": replays.is_of(replay, row), "replay": replay,
    }  # fmt: skip


def _errors(error: PortalError | None) -> tuple[FieldFault, ...]:
    if error is None:
        return ()
    return faults_of(error) if isinstance(error, InvalidData) else (FieldFault("", error.message),)


def _is_overtaken(session: Session, row: RuleDraft) -> bool:
    """True if another edition came in force since the draft was opened."""
    if row.state not in UNFINISHED:
        return False
    standing = store.in_force(session, (row.kind, row.key, row.is_demo), portal_clock.now(session))
    return (standing.id if standing else None) != row.base_id


def _sentences(found: OpenedDraft, base: RuleEdition | None) -> tuple[Any, ...]:
    if base is None or found.rules is None:
        return ()
    return editions.sentences_of(difference(shown.read_record(base, found.known), found.rules))


def submit(request: Request) -> Response:
    """Send the draft to review."""

    def act(session: Session, number: int, found: examination.Examination) -> None:
        version, start_on = posted.version(request), posted.day(request, "start_on")
        review.submit(session, page.actor(request), number, version, found, why=posted.text(request, "why"), start_on=start_on)

    return _examined_act(request, "submitted", act)


def approve(request: Request) -> Response:
    """Approve it, as the second person."""
    return _examined_act(request, "approved", lambda session, number, found: review.approve(
        session, page.actor(request), number, found, posted.text(request, "opinion")))  # fmt: skip


def publish(request: Request) -> Response:
    """Put it in force, at once or on its day."""
    return _examined_act(request, "published", lambda session, number, found: publication.publish(
        session, page.actor(request), number, found))  # fmt: skip


def give_back(request: Request) -> Response:
    """Return it to its author with an opinion."""
    try:
        with page.writing(request) as session:
            review.give_back(session, page.actor(request), request.path_params["draft_id"], posted.text(request, "opinion"))
    except (InvalidData, NotAllowed, Conflict) as error:
        return _page(request, error)
    return _to_draft(request, "returned")


def _examined_act(request: Request, done: str, act: Act) -> Response:
    """Examine the text as it is now, then act on it; refused, the page says why."""
    number = request.path_params["draft_id"]
    with page.reading(request) as session:
        found = examination.examine(session, draft.draft(session, number))
    try:
        with page.writing(request) as session:
            act(session, number, found)
    except Refused as error:
        # The refusal undid everything, what was found too; the page shows it beside the reason.
        _keep_found(request, number, found)
        return _page(request, error)
    except (InvalidData, NotAllowed, Conflict) as error:
        return _page(request, error)
    return _to_draft(request, done)


def _keep_found(request: Request, number: int, found: examination.Examination) -> None:
    try:
        with page.writing(request) as session:
            draft.keep_examination(session, page.actor(request), number, found)
    except Conflict:
        log.info("draft %s was changed while it was examined; the next examination shows what is found", number)


def _to_draft(request: Request, done: str) -> Response:
    return page.redirect(request, "rule_draft", query={"done": done}, draft_id=request.path_params["draft_id"])
