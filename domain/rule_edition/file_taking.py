"""What becomes of a rule file that is not as the portal knew it."""

from typing import TYPE_CHECKING, Any

from sqlmodel import col, select

from domain.command import Work
from domain.rule_edition import shelf, store
from domain.rule_edition.folder import CITY
from domain.rule_edition.publication import NOTICE, announce, ended_by, recorded
from domain.rule_edition.review import tell_keepers
from domain.rule_edition.tables import (
    FILE,
    IN_FORCE,
    OPEN,
    SCHEDULED,
    SET_ASIDE,
    SUPERSEDED,
    RuleConflict,
    RuleEdition,
    RuleFile,
)
from rules.engine import RuleSet, start_of
from rules.engine.rule_book import track_of
from rules.engine.standing import Track

if TYPE_CHECKING:
    from domain.rule_edition.files import Seen


def seed(work: Work, seen: "list[Seen]") -> None:
    """Every sound file becomes a record, the city's before a shipped one of the same first day."""
    sound = [each for each in seen if not each.findings and each.examination is not None]
    tracks: dict[Track, list[RuleEdition]] = {}
    for each in sorted(sound, key=lambda each: (each.examination.rules.edition.start, not each.name.startswith(CITY))):
        rules = each.examination.rules
        _seed_one(work, each, rules, tracks.setdefault(track_of(rules), []))
    for each in seen:
        if each.findings:
            _note_fault(work, each, _row(work, each.name))
    for track in tracks.values():
        _put_in_order(work, track)
    work.record("rule_files", act="seed", files=len(sound), faults=len(seen) - len(sound))
    shelf.changed(work)


def _seed_one(work: Work, seen: "Seen", rules: RuleSet, track: list[RuleEdition]) -> None:
    edition = _as_record(work, seen, rules)
    twin = next((each for each in track if each.digest == rules.digest), None)
    if twin is None:
        edition.state = SET_ASIDE if any(each.effective_at == edition.effective_at for each in track) else IN_FORCE
        work.session.add(edition)
        work.session.flush()
        if edition.state != SET_ASIDE:
            track.append(edition)
    _known(work, _row(work, seen.name), seen, twin or edition)


def _as_record(work: Work, seen: "Seen", rules: RuleSet) -> RuleEdition:
    return RuleEdition(
        kind=rules.kind.key, key=rules.key, is_demo=rules.edition.demo, title=rules.title, start=rules.edition.start,
        until=rules.edition.until, effective_at=start_of(rules.edition.start), state=IN_FORCE, digest=rules.digest,
        text=seen.text, content=rules.content, source=FILE, file=seen.name, published_at=work.at,
        publisher_name=work.actor.name, written_at=work.at,
    )  # fmt: skip


def _put_in_order(work: Work, track: list[RuleEdition]) -> None:
    """One is in force, those before it are superseded, those after it wait for their day."""
    begun = [each for each in track if each.effective_at <= work.at]
    for place, each in enumerate(track):
        if place + 1 < len(track):
            following = track[place + 1]
            following.replaces = each.digest
            each.ended_at = following.effective_at if following.effective_at <= work.at else None
        each.state = SCHEDULED if each not in begun else IN_FORCE if each is begun[-1] else SUPERSEDED


def settle(work: Work, seen: "Seen") -> None:
    """A new edition, a note that nothing changed, a fault, or a conflict."""
    shelf.lock(work)
    row = _row(work, seen.name)
    _close_conflicts(work, seen)
    if seen.findings:
        _note_fault(work, seen, row)
    elif not seen.digest:
        _removed(work, seen, row)
    elif seen.examination is not None:
        _changed(work, seen, row, seen.examination.rules)


def _row(work: Work, name: str) -> RuleFile:
    found = work.session.exec(select(RuleFile).where(RuleFile.name == name)).first()
    return found or RuleFile(name=name, text_digest="", seen_at=work.at)


def _known(work: Work, row: RuleFile, seen: "Seen", edition: RuleEdition) -> None:
    """The portal knows the file as it lies there, as the text of an edition."""
    row.text_digest, row.rules_digest, row.edition_id, row.seen_at = seen.digest, edition.digest, edition.id, work.at
    row.fault_digest, row.faults = "", []
    work.session.add(row)


def _note_fault(work: Work, seen: "Seen", row: RuleFile) -> None:
    row.fault_digest, row.faults, row.seen_at = seen.digest, seen.findings, work.at
    work.session.add(row)
    work.record(f"rule_file:{seen.name}"[:80], act="fault", findings=len(seen.findings))
    tell_keepers(work, f"规则文件 {seen.name} 有错误，没有采用；原来的版本继续有效", _first_words(seen), NOTICE)


def _first_words(seen: "Seen") -> str:
    first: dict[str, Any] = seen.findings[0]
    return f"第 {first['line']} 行 {first['key']}：{first['message']}"


def _changed(work: Work, seen: "Seen", row: RuleFile, rules: RuleSet) -> None:
    track = track_of(rules)
    before, coming = store.in_force(work.session, track, work.at), store.scheduled(work.session, track, work.at)
    known = _recorded_as(work, track, rules.digest)
    if before is None and coming is None:
        _first(work, seen, row, rules)
    elif known is not None and (row.id is None or known in (before, coming)):
        _same(work, seen, row, known)
    elif _is_ours(row, before, coming):
        _take(work, seen, row, rules, before, coming)
    else:
        _conflict(work, seen, track, before or coming)


def _recorded_as(work: Work, track: Track, digest: str) -> RuleEdition | None:
    statement = select(RuleEdition).where(
        RuleEdition.digest == digest, RuleEdition.key == track[1], RuleEdition.state != SET_ASIDE
    )
    return work.session.exec(statement.order_by(col(RuleEdition.effective_at).desc(), col(RuleEdition.id).desc())).first()


def _is_ours(row: RuleFile, before: RuleEdition | None, coming: RuleEdition | None) -> bool:
    """True if the portal published nothing of the set since it last knew this file."""
    if row.id is None or row.edition_id is None:
        return all(each is None or each.source == FILE for each in (before, coming))
    return row.edition_id in {each.id for each in (before, coming) if each is not None}


def _first(work: Work, seen: "Seen", row: RuleFile, rules: RuleSet) -> None:
    """A rule set that was not there before is in force from the day its text says."""
    edition = _as_record(work, seen, rules)
    edition.state = IN_FORCE if edition.effective_at <= work.at else SCHEDULED
    work.session.add(edition)
    work.session.flush()
    shelf.changed(work)
    _taken(work, seen, row, edition)


def _same(work: Work, seen: "Seen", row: RuleFile, edition: RuleEdition) -> None:
    """The rules are those of a recorded edition; comments or golden cases may differ, and the next draft has them."""
    if edition.text != seen.text and edition.ended_at is None:
        edition.text = seen.text
        shelf.changed(work)
    edition.written_at, edition.write_fault, edition.file = edition.written_at or work.at, "", seen.name
    work.session.add(edition)
    _known(work, row, seen, edition)
    work.record(f"rule_file:{seen.name}"[:80], act="same", edition=edition.id)


def _take(
    work: Work, seen: "Seen", row: RuleFile, rules: RuleSet, before: RuleEdition | None, coming: RuleEdition | None
) -> None:
    """Cases filed so far keep their edition: the file's is in force from now, or from its day."""
    if coming is not None and coming.id == row.edition_id:
        ended_by(work, coming, work.at, SET_ASIDE)
    at = max(work.at, start_of(rules.edition.start))
    edition = recorded(work, seen.text, at, before)
    edition.source, edition.file, edition.written_at = FILE, seen.name, work.at
    _taken(work, seen, row, edition)


def _taken(work: Work, seen: "Seen", row: RuleFile, edition: RuleEdition) -> None:
    _known(work, row, seen, edition)
    work.record(f"rule_set:{edition.key}", act="take_in", edition=edition.id, digest=edition.digest,
                replaces=edition.replaces, file=seen.name)  # fmt: skip
    announce(work, edition)


def _removed(work: Work, seen: "Seen", row: RuleFile) -> None:
    """A file that is gone: moved, of an edition of the past, or removed while its rules are in force."""
    edition = work.session.get(RuleEdition, row.edition_id) if row.edition_id else None
    others = select(RuleFile).where(
        RuleFile.edition_id == row.edition_id, RuleFile.name != row.name, RuleFile.text_digest != ""
    )
    is_current = edition is not None and edition.state in (IN_FORCE, SCHEDULED)
    if is_current and work.session.exec(others).first() is None:
        _conflict(work, seen, (edition.kind, edition.key, edition.is_demo), edition)
        return
    row.text_digest, row.seen_at, row.fault_digest, row.faults = "", work.at, "", []
    work.session.add(row)


def _conflict(work: Work, seen: "Seen", track: Track, edition: RuleEdition) -> None:
    work.session.add(RuleConflict(
        name=seen.name, kind=track[0], key=track[1], is_demo=track[2], file_digest=seen.digest, file_text=seen.text,
        edition_id=edition.id, found_at=work.at,
    ))  # fmt: skip
    work.record(f"rule_set:{edition.key}", act="conflict", edition=edition.id, file=seen.name, file_digest=seen.digest)
    words = "文件已被移走" if not seen.digest else "文件和已发布的版本都改过"
    tell_keepers(work, f"「{edition.title}」的{words}，请选用其一", f"{seen.name}；选定之前已发布的版本继续有效。", NOTICE)


def _close_conflicts(work: Work, seen: "Seen") -> None:
    """A file that changed again makes an open conflict about its earlier text pointless."""
    still = select(RuleConflict).where(RuleConflict.name == seen.name, RuleConflict.state == OPEN)
    for each in work.session.exec(still):
        if each.file_digest != seen.digest:
            each.state, each.decided_at, each.decider_name = "gone", work.at, work.actor.name
            work.session.add(each)
            work.record(f"rule_set:{each.key}", act="conflict_gone", conflict=each.id)
