"""Drafts of rule sets: opened, saved as they are typed, locked to their editor, examined, discarded."""

from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, select

from domain import parameter, portal_clock
from domain.actor import Actor
from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotFound
from domain.office import office_of
from domain.rule_edition import store
from domain.rule_edition.dating import text_digest
from domain.rule_edition.examination import Examination
from domain.rule_edition.tables import DISCARDED, EDITABLE, UNFINISHED, RuleDraft, RuleEdition
from rules.engine.kind import kinds
from rules.engine.note import KEY
from rules.engine.standing import Track

KEEPERS = ("rule_maintainer",)
NEW_TEXT = """key: {key}
title: {title}
kind: {kind}
edition: {{from: {day}, until: null}}
facts: {{}}
rules: []
cases: []
"""


def draft(session: Session, draft_id: int) -> RuleDraft:
    """One draft, finished or not. Raises NotFound."""
    row = session.get(RuleDraft, draft_id)
    if row is None:
        raise NotFound("没有这份规则草稿。请从草稿列表进入。")
    return row


def drafts(session: Session, *, finished: bool = False) -> list[RuleDraft]:
    """The unfinished drafts, the last changed first; with `finished` those that were published or discarded."""
    is_wanted = col(RuleDraft.state).not_in(UNFINISHED) if finished else col(RuleDraft.state).in_(UNFINISHED)
    return list(session.exec(select(RuleDraft).where(is_wanted).order_by(col(RuleDraft.changed_at).desc())))


def unfinished_draft(session: Session, kind: str, key: str, is_demo: bool = False) -> RuleDraft | None:
    """The one draft of a rule set that is under way, None if there is none."""
    return session.exec(select(RuleDraft).where(RuleDraft.open_key == open_key((kind, key, is_demo)))).first()


def open_key(track: Track) -> str:
    """What keeps a second draft of the same set and track from being opened."""
    return ":".join([*track[:2], "demo" if track[2] else "real"])


@command("rule_draft.open", allow=holders_of(*KEEPERS))
def open_draft(work: Work, kind: str, key: str, *, is_demo: bool = False, why: str = "") -> RuleDraft:
    """Open a draft of the edition in force. Raises Conflict if one is under way, NotFound without an edition."""
    base = store.in_force(work.session, (kind, key, is_demo), work.at)
    if base is None:
        raise NotFound(f"规则集 {key} 还没有施行中的版本记录，不能从它起草。请稍后重试，或新建规则集。")
    return started(work, base, base.text, why)


@command("rule_draft.open_new", allow=holders_of(*KEEPERS))
def open_new(work: Work, kind: str, key: str, title: str, *, text: str | None = None) -> RuleDraft:
    """Open a draft of a rule set that does not exist yet. Raises InvalidData for key, kind or title, Conflict if it does."""
    key, title = key.strip(), title.strip()
    _check_new(work, kind, key, title)
    day = portal_clock.today(work.session).isoformat()
    return _started(work, (kind, key, False), title, text or NEW_TEXT.format(key=key, title=title, kind=kind, day=day))


def _check_new(work: Work, kind: str, key: str, title: str) -> None:
    faults = {}
    if kind not in kinds():
        faults["kind"] = "请从列表中选择类别。"
    if not KEY.match(key) or len(key) > 60:
        faults["key"] = "键应以小写英文字母开头，只含小写字母、数字和下划线，不超过 60 个字符。"
    if not title or "\n" in title or len(title) > 80:
        faults["title"] = "请写规则集的名称，不超过 80 个字。"
    if faults:
        raise InvalidData("规则集没有新建，请改正标出的各项。", faults)
    loaded = office_of(work.session).book.keys()
    if any(key == known for _kind, known in loaded):
        raise Conflict(f"已有键为 {key} 的规则集，同一个键只能是一个规则集。请换一个键，或打开原有的规则集起草。")


def started(work: Work, base: RuleEdition, text: str, why: str = "", rolls_back_to: int | None = None) -> RuleDraft:
    """A draft on the edition in force, in the transaction of the act that wants it. Raises Conflict if one is under way."""
    track = (base.kind, base.key, base.is_demo)
    row = _started(work, track, base.title, text, why)
    row.base_id, row.base_digest, row.rolls_back_to = base.id, base.digest, rolls_back_to
    return row


def _started(work: Work, track: Track, title: str, text: str, why: str = "") -> RuleDraft:
    _refuse_second(work.session, track)
    actor = work.actor
    row = RuleDraft(
        kind=track[0], key=track[1], is_demo=track[2], title=title, open_key=open_key(track), text=text, why=why.strip(),
        opened_at=work.at, author_id=actor.person_id, author_name=actor.name, changed_at=work.at,
        editor_id=actor.person_id, editor_name=actor.name, editors=[actor.person_id],
    )
    take_lock(work, row)
    work.session.add(row)
    work.session.flush()
    record(work, row, act="open")
    return row


def _refuse_second(session: Session, track: Track) -> None:
    other = unfinished_draft(session, *track)
    if other is not None:
        since = other.opened_at.astimezone(portal_clock.SHANGHAI)
        raise Conflict(
            f"「{other.title}」已有一份未完成的草稿（{other.author_name} 于 {since:%Y-%m-%d %H:%M} 起草）。请在那份草稿上修改，或先将其作废。"
        )


@command("rule_draft.save", allow=holders_of(*KEEPERS))
def save(work: Work, draft_id: int, text: str, version: int, *, why: str | None = None) -> RuleDraft:
    """Keep the text as typed, broken or not, and renew the lock. Raises Conflict when stale, locked or under review."""
    row = editable(work, draft_id, version)
    row.text = text.replace("\r\n", "\n")
    row.why = row.why if why is None else why.strip()
    row.version += 1
    row.changed_at, row.editor_id, row.editor_name = work.at, work.actor.person_id, work.actor.name
    row.editors = sorted({*row.editors, work.actor.person_id})
    record(work, row, act="save", text_digest=text_digest(row.text))
    return row


def editable(work: Work, draft_id: int, version: int) -> RuleDraft:
    """The draft, locked to who asks, in the version that was seen. Raises NotFound or Conflict."""
    row = for_update(work, draft_id)
    if row.state not in EDITABLE:
        raise Conflict(f"「{row.title}」的草稿已送复核或已结束，不能再改。要修改的，请复核人先退回。")
    if row.version != version:
        at = row.changed_at.astimezone(portal_clock.SHANGHAI)
        raise Conflict(f"草稿在你打开之后由 {row.editor_name} 于 {at:%Y-%m-%d %H:%M} 改过，本次没有保存。请刷新后再改。")
    take_lock(work, row)
    return row


def for_update(work: Work, draft_id: int) -> RuleDraft:
    """The draft, held until the commit. Raises NotFound."""
    row = work.session.exec(select(RuleDraft).where(RuleDraft.id == draft_id).with_for_update()).first()
    return row if row is not None else draft(work.session, draft_id)


def locked_by_other(row: RuleDraft, actor: Actor, at: Any) -> bool:
    """True while somebody else edits the draft."""
    return row.lock_id not in (None, actor.person_id) and row.lock_until is not None and row.lock_until > at


def take_lock(work: Work, row: RuleDraft) -> None:
    """Lock the draft to the actor, or renew the lock. Raises Conflict naming who holds it and since when."""
    if locked_by_other(row, work.actor, work.at):
        since, until = (each.astimezone(portal_clock.SHANGHAI) for each in (row.lock_since, row.lock_until))
        raise Conflict(
            f"{row.lock_name} 自 {since:%Y-%m-%d %H:%M} 起正在编辑这份草稿，锁定到 {until:%H:%M}。请等其完成，或到期后接手。"
        )
    if row.lock_id != work.actor.person_id or row.lock_until is None or row.lock_until <= work.at:
        row.lock_id, row.lock_name, row.lock_since = work.actor.person_id, work.actor.name, work.at
    minutes = parameter.value(work.session, "rule_draft_lock_minutes")
    row.lock_until = work.at + timedelta(minutes=int(minutes))


def drop_lock(row: RuleDraft) -> None:
    """Nobody edits the draft any more."""
    row.lock_id, row.lock_name, row.lock_since, row.lock_until = None, "", None, None


@command("rule_draft.take_over", allow=holders_of(*KEEPERS))
def take_over(work: Work, draft_id: int, version: int) -> RuleDraft:
    """Go on with a draft whose lock has run out or was released. Raises Conflict while somebody holds it."""
    row = for_update(work, draft_id)
    before = row.lock_name
    row = editable(work, draft_id, version)
    record(work, row, act="take_over", before=before)
    return row


@command("rule_draft.release", allow=holders_of(*KEEPERS))
def release(work: Work, draft_id: int) -> RuleDraft:
    """Give one's lock back, so that others may go on at once."""
    row = for_update(work, draft_id)
    if locked_by_other(row, work.actor, work.at):
        raise Conflict(f"这份草稿由 {row.lock_name} 锁定，只有本人可以释放。")
    drop_lock(row)
    record(work, row, act="release")
    return row


@command("rule_draft.keep_examination", allow=holders_of(*KEEPERS))
def keep_examination(work: Work, draft_id: int, examination: Examination) -> RuleDraft:
    """Keep findings and golden results with the draft. Raises Conflict if the text has changed meanwhile."""
    row = for_update(work, draft_id)
    kept(work, row, examination)
    record(work, row, act="examine", findings=len(row.findings), failed=len(row.golden.get("failed", ())))
    return row


def kept(work: Work, row: RuleDraft, examination: Examination) -> None:
    """Note an examination of the present text. Raises Conflict if it is of another text."""
    if examination.text_digest != text_digest(row.text):
        raise Conflict("草稿在检查期间又改过，这次检查的结果不算数。请重新检查。")
    row.findings = [{"line": each.line, "key": each.key, "message": each.message} for each in examination.findings]
    row.golden, row.digest = dict(examination.golden), examination.digest
    row.title = examination.rules.title if examination.rules is not None else row.title
    row.examined_version, row.examined_at = row.version, work.at


@command("rule_draft.discard", allow=holders_of(*KEEPERS))
def discard(work: Work, draft_id: int, why: str) -> RuleDraft:
    """Give a draft up; its text stays readable. Raises InvalidData without a reason, Conflict while somebody edits it."""
    row = for_update(work, draft_id)
    if row.state not in UNFINISHED:
        raise Conflict(f"「{row.title}」的这份草稿已经结束，不能作废。")
    if not why.strip():
        raise InvalidData("请写明作废的理由。", {"why": "请写明作废的理由。"})
    if locked_by_other(row, work.actor, work.at):
        raise Conflict(f"{row.lock_name} 正在编辑这份草稿，现在不能作废。请等其完成或锁定到期。")
    ended(work, row, DISCARDED)
    record(work, row, act="discard", why=why.strip())
    return row


@command("rule_draft.rebase", allow=holders_of(*KEEPERS))
def rebase(work: Work, draft_id: int, version: int) -> RuleDraft:
    """Say that the draft takes the edition now in force into account; it must be examined again."""
    row = editable(work, draft_id, version)
    base = store.in_force(work.session, (row.kind, row.key, row.is_demo), work.at)
    if base is None:
        raise Conflict(f"「{row.title}」还没有施行中的版本，不用更新起草的依据。")
    row.base_id, row.base_digest, row.version = base.id, base.digest, row.version + 1
    record(work, row, act="rebase", base=base.id)
    return row


def ended(work: Work, row: RuleDraft, state: str) -> None:
    """The draft is finished; the next one may be opened."""
    row.state, row.open_key, row.ended_at = state, None, work.at
    drop_lock(row)


def record(work: Work, row: RuleDraft, **detail: Any) -> None:
    """The act in the audit trail, under the rule set."""
    work.session.add(row)
    work.record(f"rule_set:{row.key}", draft=row.id, version=row.version, **detail)
