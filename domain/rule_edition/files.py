"""Rule files and records kept in step, in both directions.

A pass (`sync`) writes what was published and is not in its file yet, then compares every file with what the portal
last knew of it. A file that somebody changed, while the portal published nothing of that set, is examined and taken
in as a new edition; one that cannot be is a fault, and what was in force stays. If both changed it is a conflict
(conflict.py), and what was published stays until a maintainer chooses.
"""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlmodel import Session, col, select

from domain.actor import SYSTEM
from domain.command import Work, command, system_only
from domain.office import Office
from domain.rule_edition import file_writing, shelf
from domain.rule_edition.dating import text_digest
from domain.rule_edition.examination import Examination, examine_text
from domain.rule_edition.file_taking import seed, settle
from domain.rule_edition.folder import CITY
from domain.rule_edition.tables import OPEN, RuleConflict, RuleFile


class Doors(Protocol):
    """The database, as the runner knows it."""

    def reading(self) -> AbstractContextManager[Session]: ...

    def writing(self) -> AbstractContextManager[Session]: ...


@dataclass(frozen=True)
class Seen:
    """A file as it lies there now; `examination` is None if it is gone or unreadable as text."""

    name: str
    digest: str
    text: str
    examination: Examination | None
    fault: str = ""

    @property
    def findings(self) -> list[dict[str, object]]:
        """Why it cannot be taken in: [{line, key, message}]."""
        if self.fault:
            return [{"line": 1, "key": "", "message": self.fault}]
        if self.examination is None:
            return []
        found = [{"line": each.line, "key": each.key, "message": each.message} for each in self.examination.findings]
        failed = self.examination.golden.get("failed", ())
        return found + [
            {"line": row["line"], "key": "cases", "message": f"用例「{row['case']}」没有通过：{'；'.join(row['differences'])}"}
            for row in failed
        ]


def sync(doors: Doors, office: Office) -> int:
    """One pass; how many files were not as the portal knew them. Nothing that is in force is lost by it."""
    file_writing.write_pending(doors, office)
    with doors.reading() as session:
        shelf.refresh(session)
        known = {row.name: row for row in session.exec(select(RuleFile))}
        waiting = session.exec(select(RuleConflict).where(RuleConflict.state == OPEN)).all()
    changed = [seen for seen in look(office, known) if not _is_settled(seen, known.get(seen.name), waiting)]
    changed += [each for each in _reverted(office, known, waiting) if each.name not in {seen.name for seen in changed}]
    if changed and not known:
        with doors.writing() as session:
            seed_all(session, SYSTEM, changed)
    else:
        for seen in changed:
            with doors.writing() as session:
                take_in(session, SYSTEM, seen)
    if changed:
        office.book.reload()
    return len(changed)


def look(office: Office, known: dict[str, RuleFile]) -> list[Seen]:
    """The files that are not as the portal last knew them, examined."""
    files = office.rule_folders.files()
    found = [_seen(office, name, path, known.get(name)) for name, path in files.items()]
    gone = [row for name, row in known.items() if name not in files and row.text_digest and _could_be_seen(office, name)]
    return [seen for seen in found if seen is not None] + [Seen(row.name, "", "", None) for row in gone]


def _could_be_seen(office: Office, name: str) -> bool:
    """A folder that is not there (a disk that was not mounted) does not mean that its files were removed."""
    return office.rule_folders.city.exists() if name.startswith(CITY) else True


def _seen(office: Office, name: str, path: Path, row: RuleFile | None) -> Seen | None:
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        return Seen(name, "unreadable", "", None, f"文件读不出（{error}）。请检查文件的权限和编码（UTF-8）")
    digest = text_digest(raw)
    is_as_known = row is not None and row.text_digest == digest and not row.faults
    if is_as_known and "table:" not in text:
        return None
    examination = examine_text(office, text.replace("\r\n", "\n"), name)
    if is_as_known and examination.digest == row.rules_digest:
        return None
    return Seen(name, digest, text.replace("\r\n", "\n"), examination)


def _is_settled(seen: Seen, row: RuleFile | None, waiting: Iterable[RuleConflict]) -> bool:
    """True for a fault that is noted already, and for a conflict that waits for a maintainer."""
    if row is not None and seen.findings and row.fault_digest == seen.digest and row.faults == seen.findings:
        return True
    return any(each.name == seen.name and each.file_digest == seen.digest for each in waiting)


def _reverted(office: Office, known: dict[str, RuleFile], waiting: Iterable[RuleConflict]) -> list[Seen]:
    """Files of open conflicts that are again what the portal knew."""
    files = office.rule_folders.files()
    found = []
    for each in waiting:
        row, path = known.get(each.name), files.get(each.name)
        digest = text_digest(path.read_bytes()) if path is not None else ""
        if row is not None and row.text_digest == digest != each.file_digest:
            found.append(Seen(each.name, digest, path.read_text("utf-8") if path else "", None))
    return found


@command("rule_file.seed", allow=system_only)
def seed_all(work: Work, seen: list[Seen]) -> None:
    """The first pass of a database: every sound file becomes a record, from the day its text says, all or none."""
    seed(work, seen)


@command("rule_file.take_in", allow=system_only)
def take_in(work: Work, seen: Seen) -> None:
    """Settle one file that is not as the portal knew it: a new edition, a fault, or a conflict."""
    settle(work, seen)


@dataclass(frozen=True, slots=True)
class FileFault:
    """A file that is not in force as it lies there, and why: [{line, key, message}]."""

    name: str
    findings: tuple[dict[str, object], ...]


def faults(session: Session) -> list[FileFault]:
    """Every file whose present text could not be taken in; what was in force before stays."""
    rows = session.exec(select(RuleFile).where(RuleFile.fault_digest != "").order_by(col(RuleFile.name)))
    return [FileFault(row.name, tuple(row.faults)) for row in rows]
