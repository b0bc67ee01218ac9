"""Review of a draft by a second person: submitted, returned with an opinion, approved.

Every step takes an examination made just before, because what is known outside the text (shared numbers,
dictionaries, case types) may have changed since the last one.
"""

from datetime import date

from sqlmodel import Session, col, select

from domain import parameter, portal_clock
from domain.actor import Actor
from domain.case.tables import StoredDecision
from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotAllowed, Refused
from domain.notice import notify
from domain.person import RoleGrant
from domain.rule_edition.draft import KEEPERS, drop_lock, editable, for_update, kept, record
from domain.rule_edition.examination import Examination
from domain.rule_edition.tables import APPROVED, IN_REVIEW, RETURNED, RuleDraft

NOTICE = "rule_draft"


@command("rule_draft.submit", allow=holders_of(*KEEPERS))
def submit(
    work: Work, draft_id: int, version: int, examination: Examination, *, why: str, start_on: date | None = None
) -> RuleDraft:
    """Send a draft to review. Raises Refused with every finding, InvalidData without a reason, Conflict when stale."""
    row = editable(work, draft_id, version)
    if not why.strip():
        raise InvalidData("请写明改了什么、依据是什么，复核人据此复核。", {"why": "请写明改了什么、依据是什么。"})
    if start_on is not None and start_on < portal_clock.today(work.session):
        raise InvalidData("生效日期已经过去。请填今天或以后的日期，或留空（发布时立即生效）。", {"start_on": "不能早于今天。"})
    must_be_sound(work, row, examination)
    row.state, row.why, row.start_on = IN_REVIEW, why.strip(), start_on
    row.submitted_at, row.submitted_by = work.at, work.actor.person_id
    drop_lock(row)
    record(work, row, act="submit", digest=row.digest)
    tell_keepers(work, f"「{row.title}」的规则草稿待复核", f"{work.actor.name}：{row.why}", NOTICE)
    return row


def must_be_sound(work: Work, row: RuleDraft, examination: Examination) -> None:
    """Keep the examination; raise Refused with every reason if it found anything."""
    kept(work, row, examination)
    if examination.reasons:
        raise Refused("这一版规则不能往下走，没有改变任何规则。" + "；".join(examination.reasons))


@command("rule_draft.return", allow=holders_of(*KEEPERS))
def give_back(work: Work, draft_id: int, opinion: str) -> RuleDraft:
    """Return a draft under review to its author, with an opinion. An approved one may be returned before it is published."""
    row = _under_review(work, draft_id, IN_REVIEW, APPROVED)
    if not opinion.strip():
        raise InvalidData("请写明退回的意见，起草人据此修改。", {"opinion": "请写明退回的意见。"})
    _reviewed(work, row, RETURNED, opinion)
    record(work, row, act="return", opinion=row.opinion)
    notify(work, row.author_id, NOTICE, f"「{row.title}」的规则草稿被退回", row.opinion)
    return row


@command("rule_draft.approve", allow=holders_of(*KEEPERS))
def approve(work: Work, draft_id: int, examination: Examination, opinion: str = "") -> RuleDraft:
    """Approve a draft under review. Raises NotAllowed to its author and editors, Refused while anything is unsound."""
    row = _under_review(work, draft_id, IN_REVIEW)
    must_be_sound(work, row, examination)
    if needs_replay(work.session, row):
        raise Refused("这套规则已有判断记录，这一版还没有对历史办件回放，不能通过。请先回放，看过哪些结论会变再定。")
    _reviewed(work, row, APPROVED, opinion)
    record(work, row, act="approve", digest=row.digest, replay=row.replay_id)
    notify(work, row.author_id, NOTICE, f"「{row.title}」的规则草稿已通过复核", row.opinion)
    return row


def _reviewed(work: Work, row: RuleDraft, state: str, opinion: str) -> None:
    row.state, row.opinion, row.reviewed_at = state, opinion.strip(), work.at
    row.reviewer_id, row.reviewer_name = work.actor.person_id, work.actor.name


def _under_review(work: Work, draft_id: int, *states: str) -> RuleDraft:
    row = for_update(work, draft_id)
    if row.state not in states:
        raise Conflict(f"「{row.title}」的草稿现在不在复核中，不能复核。请刷新页面看它到了哪一步。")
    if not may_review(row, work.actor):
        raise NotAllowed("起草或改过这份草稿的人不能复核它。请另一位规则维护人员复核。")
    return row


def may_review(row: RuleDraft, actor: Actor) -> bool:
    """True for a second person: neither the author nor anybody who saved the draft or sent it to review."""
    hands = {row.author_id, row.submitted_by, *row.editors}
    return actor.has_role(*KEEPERS) and not hands & set(actor.hands)


def needs_replay(session: Session, row: RuleDraft) -> bool:
    """True while past decisions exist, a replay is required, and none was made of this very text."""
    if row.replay_digest == row.digest or not parameter.value(session, "rule_replay_required"):
        return False
    asked = select(StoredDecision.id).where(StoredDecision.rule_set == row.key).limit(1)
    return session.exec(asked).first() is not None


def attach_replay(work: Work, draft_id: int, replay_id: int, digest: str) -> RuleDraft:
    """Tie the replay of a text (RuleSet.digest) to the draft, in the transaction that ends the replay."""
    row = for_update(work, draft_id)
    row.replay_id, row.replay_digest = replay_id, digest
    record(work, row, act="replay", replay=replay_id, digest=digest)
    return row


def tell_keepers(work: Work, title: str, body: str, kind: str) -> None:
    """A notice to every rule maintainer but the one who acts."""
    for person_id in _keepers(work):
        if person_id != work.actor.person_id:
            notify(work, person_id, kind, title, body)


def _keepers(work: Work) -> list[int]:
    """Whoever holds the role now, each once."""
    ends = col(RoleGrant.until_at)
    statement = select(RoleGrant.person_id).where(
        col(RoleGrant.role).in_(KEEPERS), RoleGrant.from_at <= work.at, ends.is_(None) | (ends > work.at)
    )
    return sorted(set(work.session.exec(statement)))
