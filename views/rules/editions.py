"""Editions of a rule set: who published what, when and why; the difference of any two; roll back; a cancelled schedule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import parameter
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.office import office_of
from domain.portal_clock import SHANGHAI, now
from domain.rule_edition import roll_back, store
from domain.rule_edition.publication import cancel_schedule
from domain.rule_edition.tables import IN_FORCE, SCHEDULED, SET_ASIDE, RuleEdition
from rules.engine import Change, difference
from rules.engine.change import DELETED, INSERTED
from rules.engine.note import Known
from views import page, posted
from views.posted import FieldFault, faults_of
from views.rules import frame, shown
from views.rules.shown import RuleHead
from views.rules.wording import wording
from views.shell import Crumb

PIECES = {DELETED: "del", INSERTED: "ins"}


@dataclass(frozen=True)
class EditionsPage:
    """What templates/rules/editions.html reads."""

    head: RuleHead
    rows: tuple[frame.Row, ...]
    choices: tuple[Mapping[str, str], ...]
    older: str
    newer: str
    sentences: tuple[Any, ...] | None
    compared: str


@dataclass(frozen=True)
class RollBackPage:
    """What templates/rules/roll_back.html reads."""

    record: RuleEdition
    sentences: tuple[Any, ...]
    may_alone: bool
    why: str
    errors: tuple[FieldFault, ...]


@dataclass(frozen=True)
class CancelPage:
    """What templates/rules/cancel_schedule.html reads."""

    record: RuleEdition
    why: str
    errors: tuple[FieldFault, ...]


def sentences_of(changes: Sequence[Change]) -> tuple[Any, ...]:
    """Changes as ui.diff takes them: pieces kept, deleted and inserted."""
    return tuple(
        [text if mark not in PIECES else {PIECES[mark]: text} for mark, text in change.parts] for change in changes
    )


def show(request: Request) -> Response:
    """The editions of a rule set, and the difference of the two that the query names."""
    with page.reading(request) as session:
        found = shown.find(request, session)
        known = office_of(session).book.known
    chosen = _chosen(request, found.records)
    context = EditionsPage(
        head=shown.head(request, found, "editions"), rows=tuple(_row(request, row) for row in found.records),
        choices=tuple({"value": str(row.id), "label": _name(row)} for row in found.records),
        older=str(chosen[0].id) if chosen else "", newer=str(chosen[1].id) if chosen else "",
        sentences=_difference(chosen, known) if chosen else None,
        compared=f"{_name(chosen[0])} → {_name(chosen[1])}" if chosen else "",
    )  # fmt: skip
    rules = found.rules
    trail = frame.set_crumbs(rules.kind.key, rules.key, rules.title)
    return frame.render(request, "rules/editions.html", context, title=f"{rules.title}的版本", trail=trail)


def _chosen(request: Request, records: Sequence[RuleEdition]) -> tuple[RuleEdition, RuleEdition] | None:
    """The two editions to compare: those named, else the newest and the one before it; None if there is only one."""
    numbers = [posted.query_number(request, name) for name in ("from", "to")]
    by_id = {row.id: row for row in records}
    if any(number is not None and number not in by_id for number in numbers):
        raise NotFound("没有要比较的版本。请从版本列表中选择。")
    if all(number is not None for number in numbers):
        return by_id[numbers[0]], by_id[numbers[1]]
    return (records[1], records[0]) if len(records) > 1 else None


def _difference(pair: tuple[RuleEdition, RuleEdition], known: Known) -> tuple[Any, ...]:
    older, newer = (shown.read_record(row, known) for row in pair)
    return sentences_of(difference(older, newer))


def _name(row: RuleEdition) -> str:
    demo = "（演示值）" if row.is_demo else ""
    return f"{row.effective_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M} {wording('edition_states')[row.state]}{demo}"


def _row(request: Request, row: RuleEdition) -> frame.Row:
    url = request.app.state.templates.url
    made = "，".join(part for part in (
        row.author_name and f"{row.author_name}起草", row.reviewer_name and f"{row.reviewer_name}复核",
        row.publisher_name and f"{row.publisher_name}发布") if part)  # fmt: skip
    return {
        "record": row, "href": url("rule", {"edition": row.digest}, key=row.key), "state": wording("edition_states")[row.state],
        "tone": wording("edition_tones")[row.state], "made": made or wording("sources")[row.source],
        "may_roll_back": row.state not in (IN_FORCE, SCHEDULED, SET_ASIDE), "is_scheduled": row.state == SCHEDULED,
    }  # fmt: skip


def go_back(request: Request) -> Response:
    """The question before a roll back, and the roll back: at once by one person, or as a draft for two."""
    edition_id = request.path_params["edition_id"]
    if request.method == "GET":
        return _roll_back_page(request)
    why, actor = posted.text(request, "why"), page.actor(request)
    try:
        with page.writing(request) as session:
            if page.form(request).get("way") == "draft":
                row = roll_back.draft_roll_back(session, actor, edition_id, why)
                return page.redirect(request, "rule_draft", query={"done": "opened"}, draft_id=row.id)
            made = roll_back.roll_back(session, actor, edition_id, why)
            key = made.key
    except (InvalidData, Conflict, NotAllowed) as error:
        faults = faults_of(error) if isinstance(error, InvalidData) else (FieldFault("", error.message),)
        return _roll_back_page(request, faults, why, error.status)
    return page.redirect(request, "rule_tab", query={"done": "rolled_back"}, key=key, tab="editions")


def _roll_back_page(request: Request, errors: tuple[FieldFault, ...] = (), why: str = "", status: int = 200) -> Response:
    with page.reading(request) as session:
        record = store.edition(session, request.path_params["edition_id"])
        standing = store.in_force(session, (record.kind, record.key, record.is_demo), now(session))
        context = RollBackPage(
            record=record, sentences=_difference((standing, record), office_of(session).book.known) if standing else (),
            may_alone=bool(parameter.value(session, "rule_roll_back_alone")), why=why, errors=errors,
        )  # fmt: skip
    trail = (*frame.set_crumbs(record.kind, record.key, record.title), Crumb("回退"))
    return frame.render(request, "rules/roll_back.html", context, title=f"回退{record.title}", trail=trail, status=status)


def cancel(request: Request) -> Response:
    """Cancel an edition that has not begun, with the reason."""
    edition_id, why = request.path_params["edition_id"], ""
    errors: tuple[FieldFault, ...] = ()
    if request.method == "POST":
        why = posted.text(request, "why")
        try:
            with page.writing(request) as session:
                key = cancel_schedule(session, page.actor(request), edition_id, why).key
            return page.redirect(request, "rule_tab", query={"done": "cancelled"}, key=key, tab="editions")
        except InvalidData as error:
            errors = faults_of(error)
    with page.reading(request) as session:
        record = store.edition(session, edition_id)
    trail = (*frame.set_crumbs(record.kind, record.key, record.title), Crumb("取消待生效的版本"))
    return frame.render(
        request, "rules/cancel_schedule.html", CancelPage(record, why, errors), title="取消待生效的版本", trail=trail,
        status=422 if errors else 200,
    )  # fmt: skip
