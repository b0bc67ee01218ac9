"""Publication of an approved draft: at once or at a date, one set without the others; and what begins by the clock.

The text of an edition is never changed afterwards, for decisions cite its digest: an edition ends because another
begins (`ended_at`), not by a new last day in its text.
"""

from datetime import datetime

from sqlmodel import Session, col, select

from domain import portal_clock
from domain.command import Work, command, holders_of, system_only
from domain.errors import Conflict, InvalidData
from domain.failpoint import reach
from domain.office import office_of
from domain.rule_edition import shelf, store
from domain.rule_edition.dating import dated
from domain.rule_edition.draft import KEEPERS, ended, for_update, record
from domain.rule_edition.examination import Examination
from domain.rule_edition.review import must_be_sound, tell_keepers
from domain.rule_edition.tables import (
    APPROVED,
    IN_FORCE,
    PORTAL,
    PUBLISHED,
    SCHEDULED,
    SET_ASIDE,
    SUPERSEDED,
    RuleDraft,
    RuleEdition,
)  # fmt: skip
from rules.engine import RuleSet, Unread, read_text, start_of
from rules.engine.standing import day_of

NOTICE = "rule_edition"


@command("rule_edition.publish", allow=holders_of(*KEEPERS))
def publish(work: Work, draft_id: int, examination: Examination) -> RuleEdition:
    """Put an approved draft in force, at once or on its day. Raises Refused when unsound, Conflict when overtaken."""
    row = for_update(work, draft_id)
    if row.state != APPROVED:
        raise Conflict(f"「{row.title}」的草稿没有通过复核，不能发布。请先由另一位规则维护人员复核。")
    must_be_sound(work, row, examination)
    shelf.lock(work)
    before = _not_overtaken(work, row)
    at = begins_at(work, row)
    edition = recorded(work, _text_of(work, row, at), at, before)
    _credit(edition, row)
    ended(work, row, PUBLISHED)
    row.edition_id = edition.id
    record(work, row, act="publish", edition=edition.id, digest=edition.digest, replaces=edition.replaces,
           effective_at=at.isoformat())  # fmt: skip
    announce(work, edition)
    reach("rule_edition:published")
    return edition


def begins_at(work: Work, row: RuleDraft) -> datetime:
    """Now, or the start of the day that was asked for if it has not begun."""
    return work.at if row.start_on is None or start_of(row.start_on) <= work.at else start_of(row.start_on)


def _not_overtaken(work: Work, row: RuleDraft) -> RuleEdition | None:
    """The edition that the new one replaces. Raises Conflict if it is not the one the draft was made from."""
    track = (row.kind, row.key, row.is_demo)
    before = store.in_force(work.session, track, work.at)
    if (before.id if before else None) != row.base_id:
        raise Conflict(
            f"起草之后「{row.title}」已有新的版本施行，直接发布会把它改掉。请退回草稿，对照现行版本修改后再送复核。"
        )
    coming = store.scheduled(work.session, track, work.at)
    if coming is not None:
        day = coming.effective_at.astimezone(portal_clock.SHANGHAI).date()
        raise Conflict(f"「{row.title}」已有一版定于 {day} 生效，不能再发布。请先取消那一版，或等它生效后再发布。")
    return before


def _text_of(work: Work, row: RuleDraft, at: datetime) -> str:
    """The draft's text with its first day set; everything else is as it was reviewed."""
    text = row.text
    reviewed = read_text(text, row.key, office_of(work.session).book.known)
    until = reviewed.edition.until
    if until is not None and until < day_of(at):
        raise InvalidData(f"这一版写明 {until} 到期，早于生效日，发布后不会施行。请退回草稿，修改 edition 的 until。")
    return dated(text, day_of(at), until)


def recorded(work: Work, text: str, at: datetime, before: RuleEdition | None) -> RuleEdition:
    """A new edition of a sound text from a moment on; the earlier one ends there. Raises InvalidData if it cannot be read."""
    rules = readable(work, text)
    is_now = at <= work.at
    edition = RuleEdition(
        kind=rules.kind.key, key=rules.key, is_demo=rules.edition.demo, title=rules.title, start=rules.edition.start,
        until=rules.edition.until, effective_at=at, state=IN_FORCE if is_now else SCHEDULED, digest=rules.digest, text=text,
        content=rules.content, source=PORTAL, published_at=work.at, published_by=work.actor.person_id,
        publisher_name=work.actor.name, replaces=before.digest if before else None,
    )  # fmt: skip
    if before is not None and is_now:
        ended_by(work, before, at)
    work.session.add(edition)
    work.session.flush()
    shelf.changed(work)
    return edition


def readable(work: Work, text: str) -> RuleSet:
    """The rule set in a text. Raises InvalidData with what is wrong."""
    try:
        return read_text(text, "规则", office_of(work.session).book.known)
    except Unread as unread:
        raise InvalidData("规则文本读不出，没有发布：" + "；".join(map(str, unread.faults))) from unread


def ended_by(work: Work, before: RuleEdition, at: datetime, state: str = SUPERSEDED) -> None:
    """The edition before ends where the new one begins; its text stays as decisions cite it."""
    before.state, before.ended_at = state, at
    work.session.add(before)


def _credit(edition: RuleEdition, row: RuleDraft) -> None:
    """Who wrote and who reviewed it, and why."""
    edition.draft_id, edition.why, edition.rolls_back_to = row.id, row.why, row.rolls_back_to
    edition.author_id, edition.author_name = row.author_id, row.author_name
    edition.reviewer_id, edition.reviewer_name = row.reviewer_id, row.reviewer_name


def announce(work: Work, edition: RuleEdition) -> None:
    """Tell the maintainers what is in force, or will be."""
    at = edition.effective_at.astimezone(portal_clock.SHANGHAI)
    when = "现已生效" if edition.state == IN_FORCE else f"将于 {at:%Y-%m-%d} 生效"
    tell_keepers(work, f"「{edition.title}」的新版本{when}", edition.why, NOTICE)


@command("rule_edition.cancel_schedule", allow=holders_of(*KEEPERS))
def cancel_schedule(work: Work, edition_id: int, why: str) -> RuleEdition:
    """Set an edition aside that has not begun. Raises InvalidData without a reason, Conflict once it is in force."""
    shelf.lock(work)
    edition = store.edition(work.session, edition_id)
    if edition.state != SCHEDULED or edition.effective_at <= work.at:
        raise Conflict(f"「{edition.title}」的这一版不是待生效的版本，不能取消。已生效的请用回退。")
    if not why.strip():
        raise InvalidData("请写明取消的理由。", {"why": "请写明取消的理由。"})
    edition.state, edition.ended_at = SET_ASIDE, work.at
    work.session.add(edition)
    work.record(f"rule_set:{edition.key}", act="cancel_schedule", edition=edition.id, why=why.strip())
    shelf.changed(work)
    tell_keepers(work, f"「{edition.title}」待生效的版本已取消", why.strip(), NOTICE)
    return edition


def is_due(session: Session) -> bool:
    """True if a scheduled edition has reached its moment."""
    at = portal_clock.now(session)
    due = select(RuleEdition.id).where(RuleEdition.state == SCHEDULED, RuleEdition.effective_at <= at).limit(1)
    return session.exec(due).first() is not None


@command("rule_edition.start_due", allow=system_only)
def start_due(work: Work) -> int:
    """Note what has begun by the clock; how many. The rule book goes by the moment itself and needs no such note."""
    shelf.lock(work)
    due = select(RuleEdition).where(RuleEdition.state == SCHEDULED, RuleEdition.effective_at <= work.at)
    begun = work.session.exec(due.order_by(col(RuleEdition.effective_at), col(RuleEdition.id))).all()
    for edition in begun:
        _begin(work, edition)
    if begun:
        shelf.changed(work)
    return len(begun)


def _begin(work: Work, edition: RuleEdition) -> None:
    before = store.in_force(
        work.session, (edition.kind, edition.key, edition.is_demo), edition.effective_at - edition.effective_at.resolution
    )
    if before is not None and before.state == IN_FORCE:
        ended_by(work, before, edition.effective_at)
    edition.state, edition.replaces = IN_FORCE, before.digest if before else None
    work.session.add(edition)
    work.record(f"rule_set:{edition.key}", act="begin", edition=edition.id, replaces=edition.replaces)
    announce(work, edition)
