"""Published editions written to their files: after the commit, whole or not at all, tried again until it works."""

from typing import Any

from sqlmodel import Session, col, select

from domain.actor import SYSTEM
from domain.command import Work, command, system_only
from domain.office import Office
from domain.rule_edition.dating import text_digest
from domain.rule_edition.folder import CITY, RuleFolders, write_whole
from domain.rule_edition.tables import IN_FORCE, RuleEdition, RuleFile


def write_pending(doors: Any, office: Office) -> int:
    """Write every edition in force that its file does not hold yet; how many were written.

    A file that is not as the portal knew it is left alone: the comparison that follows makes it a conflict.
    """
    with doors.reading() as session:
        waiting = [(row, *target(session, row)) for row in pending(session)]
    written = 0
    for edition, name, known_digest in waiting:
        fault = _written(office.rule_folders, edition, name, known_digest)
        if fault is None:
            continue
        with doors.writing() as session:
            if fault and fault != edition.write_fault:
                note_fault(session, SYSTEM, edition.id, fault)
            elif not fault:
                note_written(session, SYSTEM, edition.id, name)
                written += 1
    return written


def pending(session: Session) -> list[RuleEdition]:
    """Editions in force whose file does not hold them yet; `write_fault` says why, if a try has failed."""
    is_waiting = (RuleEdition.state == IN_FORCE, col(RuleEdition.written_at).is_(None))
    return list(session.exec(select(RuleEdition).where(*is_waiting)))


def target(session: Session, edition: RuleEdition) -> tuple[str, str]:
    """The name of the city's file of this track, and the digest it was last known with (empty: not there)."""
    track = select(RuleEdition.id).where(
        RuleEdition.kind == edition.kind, RuleEdition.key == edition.key, col(RuleEdition.is_demo).is_(edition.is_demo)
    )
    known = select(RuleFile).where(col(RuleFile.edition_id).in_(track), col(RuleFile.name).startswith(CITY))
    row = session.exec(known.order_by(col(RuleFile.edition_id).desc()).limit(1)).first()
    if row is not None:
        return row.name, row.text_digest
    return f"{CITY}{edition.key}{'_demo' if edition.is_demo else ''}.yaml", ""


def _written(folders: RuleFolders, edition: RuleEdition, name: str, known_digest: str) -> str | None:
    """Empty when the file holds the edition, else why not; None if the file is not as it was known."""
    path = folders.path_of(name)
    try:
        lies_there = text_digest(path.read_bytes()) if path.exists() else ""
        if lies_there not in (known_digest, text_digest(edition.text)):
            return None
        if lies_there != text_digest(edition.text):
            write_whole(path, edition.text)
    except OSError as error:
        return f"没有写成文件 {path}（{error.strerror or error}）。版本已经生效；请腾出空间或改正权限，系统会自动重试。"
    return ""


@command("rule_file.written", allow=system_only)
def note_written(work: Work, edition_id: int, name: str) -> None:
    """The file holds the edition."""
    edition = work.session.get(RuleEdition, edition_id)
    row = work.session.exec(select(RuleFile).where(RuleFile.name == name)).first() or RuleFile(
        name=name, text_digest="", seen_at=work.at
    )
    row.text_digest, row.rules_digest, row.edition_id = text_digest(edition.text), edition.digest, edition.id
    row.seen_at, row.fault_digest, row.faults = work.at, "", []
    edition.file, edition.written_at, edition.write_fault = name, work.at, ""
    work.session.add_all([row, edition])
    work.record(f"rule_set:{edition.key}", act="written", edition=edition.id, file=name)


@command("rule_file.not_written", allow=system_only)
def note_fault(work: Work, edition_id: int, fault: str) -> None:
    """The file could not be written; shown to the maintainers, tried again."""
    edition = work.session.get(RuleEdition, edition_id)
    edition.write_fault = fault
    work.session.add(edition)
    work.record(f"rule_set:{edition.key}", act="not_written", edition=edition.id)
