"""Replay of a draft over past decisions: asked for, its progress, what would change and for whom, the list and its export."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.district import district_name
from domain.errors import InvalidData
from domain.rule_edition import draft, examination
from domain.rule_replay import export, live, reading
from domain.rule_replay import request as asking
from domain.rule_replay.reading import ChangeFilter, Group, Standing
from domain.rule_replay.tables import DISTRICT, MONTH, OFFICER, RuleReplay, RuleReplayChange
from views import page, posted
from views.rules import frame
from views.rules.wording import wording
from views.shell import Crumb, Link

NAMES = ("sort", "district", "officer_id", "month", "before", "after")


@dataclass(frozen=True)
class ReplayPage:
    """What templates/rules/replay.html reads."""

    replay: RuleReplay
    standing: Standing
    state: str
    card: Mapping[str, Any]
    is_current: bool
    groups: tuple[tuple[str, str, tuple[Group, ...]], ...]
    words: Mapping[str, str]
    rows: tuple[frame.Row, ...]
    next_href: str | None
    fields: tuple[frame.Row, ...]
    query: Mapping[str, Any]
    live: tuple[frame.Row, ...]
    live_changed: tuple[str, ...]


def start(request: Request) -> Response:
    """Queue the replay of the draft's present text."""
    draft_id, actor = request.path_params["draft_id"], page.actor(request)
    with page.reading(request) as session:
        found = examination.examine(session, draft.draft(session, draft_id))
    with page.writing(request) as session:
        replay_id = asking.request(session, actor, draft_id, found).id
    return page.redirect(request, "rule_replay", replay_id=replay_id)


def show(request: Request) -> Response:
    """How far it is; once it has ended what it found. The card asks for itself again while it runs."""
    with page.reading(request) as session:
        context = _context(request, session)
    trail = (Crumb("草稿与复核", Link("rule_drafts", "草稿与复核")),
             Crumb(context.replay.title, Link("rule_draft", context.replay.title, {"draft_id": context.replay.draft_id})), Crumb("回放"))  # fmt: skip
    is_poll = page.is_htmx(request)
    if is_poll and context.standing.state not in ("queued", "running"):
        # The whole page says what was found, not the card alone.
        return Response(status_code=200, headers={"HX-Refresh": "true"})
    return frame.render(request, "rules/replay.html", context, title=f"回放：{context.replay.title}", trail=trail, block="card" if is_poll else None)


def _context(request: Request, session: Session) -> ReplayPage:
    actor = page.actor(request)
    replay = reading.replay(session, actor, request.path_params["replay_id"])
    row, standing, words = draft.draft(session, replay.draft_id), reading.standing(session, replay), reading.outcome_words(replay)
    wanted = _wanted(request.query_params)
    found = reading.changes(session, actor, replay.id, wanted, posted.query_number(request, "behind") or 0)
    today = _live(session, request, replay) if reading.is_of(replay, row) else ()
    query = {name: value for name, value in asdict(wanted).items() if value is not None}
    grouped = {each: tuple(reading.groups(session, actor, replay.id, each)) for each in (DISTRICT, OFFICER, MONTH)}
    return ReplayPage(
        replay=replay, standing=standing, state=wording("replay_states")[standing.state], card=_card(request, replay, standing),
        is_current=reading.is_of(replay, row),
        groups=((DISTRICT, "按区", grouped[DISTRICT]), (OFFICER, "按经办人", grouped[OFFICER]), (MONTH, "按月", grouped[MONTH])), words=words,
        rows=tuple(_change(request, each, replay.draft_id, words) for each in found.rows),
        next_href=frame.address(request, "rule_replay", {**query, "behind": found.next}, replay_id=replay.id) if found.next else None,
        fields=tuple(_fields(query, words, grouped)), query=query, live=today, live_changed=tuple(each["label"] for each in today if each["is_stricter"]),
    )  # fmt: skip


def _wanted(given: Mapping[str, Any]) -> ChangeFilter:
    """What the query narrows the list to."""
    texts = {name: str(given.get(name) or "").strip() or None for name in NAMES if name != "officer_id"}
    return ChangeFilter(**texts, officer_id=posted.whole_number(str(given.get("officer_id") or ""), "officer_id"))


def _fields(query: Mapping[str, Any], words: Mapping[str, str], grouped: Mapping[str, tuple[Group, ...]]) -> list[frame.Row]:
    """The filter form above the list."""
    lists = (
        ("sort", "变化", wording("replay_sorts")),
        ("district", "区", {each.value: each.label for each in grouped[DISTRICT] if each.value}),
        ("officer_id", "经办人", {each.value: each.label for each in grouped[OFFICER] if each.value}),
        ("month", "月份", {each.value: each.label for each in grouped[MONTH]}),
        ("before", "原结论", words), ("after", "草稿的结论", words),
    )  # fmt: skip
    return [
        {"name": name, "label": label, "kind": "select", "value": str(query.get(name, "")),
         "choices": [{"value": value, "label": text} for value, text in choices.items()]}
        for name, label, choices in lists
    ]  # fmt: skip


def _card(request: Request, replay: RuleReplay, standing: Standing) -> Mapping[str, Any]:
    return {
        "id": f"replay-{replay.id}", "title": f"回放 {standing.total:,} 次判断", "state": standing.state,
        "url": frame.address(request, "rule_replay", replay_id=replay.id),
        "progress": 100 * standing.done // standing.total if standing.total else None, "doing": f"已比较 {standing.done:,} 次",
        "cancel_url": frame.address(request, "cancel_rule_replay", replay_id=replay.id), "why": standing.fault,
        "retry_url": frame.address(request, "resume_rule_replay", replay_id=replay.id), "results": [],
    }  # fmt: skip


def _change(request: Request, row: RuleReplayChange, draft_id: int, words: Mapping[str, str]) -> frame.Row:
    return {
        "id": {"text": f"判断 {row.decision_id}", "href": frame.address(request, "rule_decision", {"against": f"draft:{draft_id}"}, decision_id=row.decision_id), "sub": _subject(row.subject)},
        "district": district_name(row.district_code) if row.district_code else "—", "officer": row.officer_name or "—",
        "on": row.decided_on.isoformat(), "sort": wording("replay_sorts")[row.sort],
        "before": {"text": words.get(row.before_outcome, row.before_outcome), "sub": row.before_message},
        "after": {"text": words.get(row.after_outcome or "", "—"), "sub": row.after_message},
    }  # fmt: skip


def _subject(subject: str) -> str:
    """What was decided about, in words: a case by its id, a ledger by its year."""
    what, _, which = subject.partition(":")
    words = wording("subjects").get(what)
    return words.format(which=which.rpartition(":")[2]) if words else subject


def _live(session: Session, request: Request, replay: RuleReplay) -> tuple[frame.Row, ...]:
    """What the draft says of the books as they stand today."""
    try:
        found = live.answers(session, page.actor(request), replay.draft_id)
    except InvalidData:
        # The draft was broken since; its page says where, and the replay stands as it was.
        return ()
    words = reading.outcome_words(replay)
    return tuple(
        {"label": each.label, "now": words.get(each.now.outcome or "", "—"), "draft": words.get(each.draft.outcome or "", "—"),
         "message": each.draft.message, "is_changed": each.is_changed, "is_stricter": each.is_stricter}
        for each in found
    )  # fmt: skip


def cancel(request: Request) -> Response:
    """End it; what was compared stays."""
    with page.writing(request) as session:
        asking.cancel(session, page.actor(request), request.path_params["replay_id"])
    return page.redirect(request, "rule_replay", query={"done": "cancelled_replay"}, replay_id=request.path_params["replay_id"])


def resume(request: Request) -> Response:
    """Go on where it stopped."""
    with page.writing(request) as session:
        asking.resume(session, page.actor(request), request.path_params["replay_id"])
    return page.redirect(request, "rule_replay", replay_id=request.path_params["replay_id"])


def export_list(request: Request) -> Response:
    """Queue the list as a workbook, narrowed as it is shown."""
    wanted = _wanted(posted.given_texts(request))
    with page.writing(request) as session:
        job_id = export.request_export(session, page.actor(request), request.path_params["replay_id"], wanted).id
    return page.redirect(request, "job", job_id=job_id)
