"""Conflicts: a file and the published edition both changed. A maintainer chooses; the other one is kept."""

from sqlmodel import Session, col, select

from domain.command import Work, command, holders_of
from domain.errors import Conflict, InvalidData, NotFound, Refused
from domain.office import office_of
from domain.rule_edition import shelf, store
from domain.rule_edition.dating import text_digest
from domain.rule_edition.examination import Examination, examine_text
from domain.rule_edition.folder import CITY
from domain.rule_edition.publication import announce, readable, recorded
from domain.rule_edition.tables import FILE, OPEN, SET_ASIDE, RuleConflict, RuleEdition, RuleFile
from rules.engine import start_of


def conflicts(session: Session, *, is_open: bool = True) -> list[RuleConflict]:
    """Conflicts that wait for a maintainer, or those that are settled; the newest first."""
    wanted = RuleConflict.state == OPEN if is_open else RuleConflict.state != OPEN
    return list(session.exec(select(RuleConflict).where(wanted).order_by(col(RuleConflict.id).desc())))


def conflict(session: Session, conflict_id: int) -> RuleConflict:
    """One conflict. Raises NotFound."""
    row = session.get(RuleConflict, conflict_id)
    if row is None:
        raise NotFound("没有这条冲突记录。请从冲突列表进入。")
    return row


def examine(session: Session, row: RuleConflict) -> Examination:
    """Examine the file's text before it is taken; call it with a reading session."""
    return examine_text(office_of(session), row.file_text, row.key)


@command("rule_conflict.take_file", allow=holders_of("rule_maintainer"))
def take_file(work: Work, conflict_id: int, examination: Examination, why: str) -> RuleEdition:
    """Put the file's text in force from now or its day; the published edition stays in the history.

    Raises Refused with every finding, InvalidData without a reason, Conflict when it is settled already.
    """
    row, before = _open(work, conflict_id, why)
    if not row.file_digest:
        raise Conflict("文件已被移走，没有可采用的内容。请保留已发布的版本，系统会重新写出文件。")
    if examination.text_digest != text_digest(row.file_text) or examination.reasons:
        raise Refused("文件里的规则不能采用，没有改变任何规则。" + "；".join(examination.reasons))
    at = max(work.at, start_of(examination.rules.edition.start))
    edition = recorded(work, row.file_text, at, before)
    edition.source, edition.file, edition.why, edition.written_at = FILE, row.name, why.strip(), work.at
    _settle(work, row, "file", why)
    _know(work, row, edition)
    announce(work, edition)
    return edition


@command("rule_conflict.keep_published", allow=holders_of("rule_maintainer"))
def keep_published(work: Work, conflict_id: int, why: str) -> RuleEdition | None:
    """Keep what is in force; the file's text is kept as an edition set aside, and the city's file written anew."""
    row, before = _open(work, conflict_id, why)
    aside = _set_aside(work, row, why) if row.file_digest else None
    _settle(work, row, "kept", why)
    known = work.session.exec(select(RuleFile).where(RuleFile.name == row.name)).first()
    if known is None:
        known = RuleFile(name=row.name, text_digest="", seen_at=work.at, edition_id=before.id)
    known.text_digest, known.seen_at = row.file_digest, work.at
    work.session.add(known)
    if row.name.startswith(CITY):
        before.written_at = None
        known.edition_id = before.id
        work.session.add(before)
    return aside


def _open(work: Work, conflict_id: int, why: str) -> tuple[RuleConflict, RuleEdition]:
    shelf.lock(work)
    row = conflict(work.session, conflict_id)
    if row.state != OPEN:
        raise Conflict(f"这条冲突已由 {row.decider_name} 处理。请刷新页面。")
    if not why.strip():
        raise InvalidData("请写明这样选择的理由。", {"why": "请写明这样选择的理由。"})
    before = store.in_force(work.session, (row.kind, row.key, row.is_demo), work.at)
    return row, before or store.edition(work.session, row.edition_id)


def _settle(work: Work, row: RuleConflict, state: str, why: str) -> None:
    row.state, row.decided_at, row.decided_by = state, work.at, work.actor.person_id
    row.decider_name, row.why = work.actor.name, why.strip()
    work.session.add(row)
    work.record(f"rule_set:{row.key}", act=f"conflict_{state}", conflict=row.id, why=row.why)


def _set_aside(work: Work, row: RuleConflict, why: str) -> RuleEdition:
    rules = readable(work, row.file_text)
    aside = RuleEdition(
        kind=rules.kind.key, key=rules.key, is_demo=rules.edition.demo, title=rules.title, start=rules.edition.start,
        until=rules.edition.until, effective_at=work.at, ended_at=work.at, state=SET_ASIDE, digest=rules.digest,
        text=row.file_text, content=rules.content, source=FILE, file=row.name, why=why.strip(), published_at=work.at,
        published_by=work.actor.person_id, publisher_name=work.actor.name, written_at=work.at,
    )  # fmt: skip
    work.session.add(aside)
    work.session.flush()
    return aside


def _know(work: Work, row: RuleConflict, edition: RuleEdition) -> None:
    known = work.session.exec(select(RuleFile).where(RuleFile.name == row.name)).first() or RuleFile(
        name=row.name, text_digest="", seen_at=work.at
    )
    known.text_digest, known.rules_digest, known.edition_id = row.file_digest, edition.digest, edition.id
    known.seen_at, known.fault_digest, known.faults = work.at, "", []
    work.session.add(known)
