"""Troubles with rules 规则故障: a file that is broken, a parameter without a value, a set that cannot answer.

Each is kept as one row from when it began until it is over, and told once to the rule maintainers and the system
administrators, however often it recurs and however many cases it stops.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import Field, Session, SQLModel, col, func, select

from domain import notice, portal_clock
from domain.actor import SYSTEM
from domain.columns import code_column, id_column, moment_column
from domain.command import Work, command, system_only
from domain.office import Office
from domain.recipient import holders
from domain.rule_edition import files
from rules.engine import NoEditionInForce, RuleError, RuleSetMissing

FILE, PARAMETER, DECISION, SERIES, CLOCK = "file", "parameter", "decision", "series", "clock"
STANDING = (FILE, PARAMETER)
"""Kinds that can be looked at any time; the others are over when they have not recurred for a day."""
QUIET_AFTER = timedelta(days=1)
ROLES = ("rule_maintainer", "system_admin")
_WORDS = Path(__file__).parent / "reference" / "rule_trouble.yaml"


class RuleTrouble(SQLModel, table=True):
    """One trouble: what it concerns, why, since when, how often, and when it was over."""

    __tablename__ = "rule_trouble"

    id: int | None = Field(default=None, sa_column=id_column())
    kind: str = Field(sa_column=code_column(length=16))
    """file | parameter | decision | series | clock"""
    name: str = Field(sa_column=code_column(length=240))
    """The file, the rule set and parameter, the rule set, or the series."""
    open_key: str | None = Field(default=None, sa_column=code_column(length=260, nullable=True, unique=True))
    """Kind and name while it lasts; null afterwards."""
    reason: str
    since: datetime = Field(sa_column=moment_column())
    last_at: datetime = Field(sa_column=moment_column(index=True))
    times: int = 1
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))


@dataclass(frozen=True, slots=True)
class Found:
    """A trouble as it is seen now."""

    kind: str
    name: str
    reason: str

    @property
    def open_key(self) -> str:
        return f"{self.kind}:{self.name}"


@cache
def words() -> dict[str, Any]:
    """What is said of troubles."""
    return yaml.safe_load(_WORDS.read_text(encoding="utf-8"))


def open_troubles(session: Session) -> list[RuleTrouble]:
    """What is wrong with rules now, the oldest first."""
    statement = select(RuleTrouble).where(col(RuleTrouble.open_key).is_not(None)).order_by(col(RuleTrouble.id))
    return list(session.exec(statement).all())


def open_count(session: Session) -> int:
    """How many troubles there are now."""
    statement = select(func.count()).select_from(RuleTrouble).where(col(RuleTrouble.open_key).is_not(None))
    return session.exec(statement).one()


def note(work: Work, found: Found) -> RuleTrouble:
    """Keep a trouble, and tell of it if it is new."""
    statement = select(RuleTrouble).where(RuleTrouble.open_key == found.open_key).with_for_update()
    row = work.session.exec(statement).first()
    if row is not None:
        row.last_at, row.times, row.reason = work.at, row.times + 1, found.reason
    else:
        row = RuleTrouble(
            kind=found.kind, name=found.name, open_key=found.open_key, reason=found.reason, since=work.at, last_at=work.at
        )
        _tell(work, found)
    work.session.add(row)
    work.record(f"rule_trouble:{found.kind}", key=found.name)
    return row


def _tell(work: Work, found: Found) -> None:
    title = words()["titles"][found.kind].format(name=found.name)
    body = f"{found.reason}。{words()['remedies'][found.kind]}"
    for person_id in holders(work.session, ROLES):
        notice.notify(work, person_id, "rules", title, body)


def end(work: Work, row: RuleTrouble) -> None:
    """Note that a trouble is over."""
    row.open_key, row.ended_at = None, work.at
    work.session.add(row)
    work.record(f"rule_trouble:{row.kind}", key=row.name, state="ended")


@command("rule_trouble.note", allow=system_only)
def note_failure(work: Work, rule_set: str, reason: str) -> None:
    """A rule set could not answer; called after the act that it stopped was rolled back."""
    note(work, Found(DECISION, rule_set, reason))


@command("rule_trouble.note_clocks", allow=system_only)
def note_clocks(work: Work, count: int, first: str) -> None:
    """The night could not compute some clocks; each of them says so on its case."""
    note(work, Found(CLOCK, words()["clocks"], words()["clock_reason"].format(count=count, first=first)))


def reason_of(error: BaseException) -> str:
    """Why a question to the rules got no answer, in words without internals."""
    return str(error) if isinstance(error, RuleError) else words()["engine_reason"].format(error=type(error).__name__)


def standing(session: Session, office: Office) -> dict[str, Found]:
    """The broken files and missing parameters of this moment, by open key."""
    found = [*_of_files(session, office), *_of_parameters(session, office)]
    return {each.open_key: each for each in found}


def _of_files(session: Session, office: Office) -> Iterable[Found]:
    by_file: dict[str, list[str]] = {}
    for fault in files.faults(session):
        by_file[fault.name.rpartition(":")[2]] = [str(each["message"]) for each in fault.findings]
    for broken in office.book.faults:
        messages = by_file.setdefault(Path(broken.file).name, [])
        if broken.message not in messages:
            messages.append(broken.message)
    for name, messages in sorted(by_file.items()):
        yield Found(FILE, name, _joined(messages))


def _joined(messages: list[str]) -> str:
    first = messages[0] if messages else ""
    return first if len(messages) < 2 else words()["many"].format(first=first, count=len(messages))


def _of_parameters(session: Session, office: Office) -> Iterable[Found]:
    today = portal_clock.today(session)
    for kind, key in office.book.keys():  # noqa: SIM118 (a book is no mapping)
        try:
            rules = office.book.rule_set(kind, key, today)
        except (NoEditionInForce, RuleSetMissing):
            continue
        for name, parameter in rules.parameters.items():
            is_by_code_alone = parameter.by is not None and not parameter.values
            if parameter.general(today) is None and not is_by_code_alone:
                label = parameter.declaration.label
                reason = words()["parameter_reason"].format(title=rules.title, label=label, day=today.isoformat())
                yield Found(PARAMETER, f"{key}.{name}", reason)


def keep(database: files.Doors, office: Office) -> bool:
    """Compare what stands with what is kept, and write only if they differ; True if they did."""
    with database.reading() as session:
        now_found = standing(session, office)
        kept = {row.open_key: row.reason for row in open_troubles(session) if row.kind in STANDING}
    if {key: found.reason for key, found in now_found.items()} == kept:
        return False
    with database.writing() as session:
        settle(session, SYSTEM, now_found)
    return True


@command("rule_trouble.settle", allow=system_only)
def settle(work: Work, now_found: Mapping[str, Found]) -> None:
    """Keep what is new, end what is over."""
    kept = {row.open_key: row for row in open_troubles(work.session) if row.kind in STANDING}
    for key, found in now_found.items():
        if key not in kept or kept[key].reason != found.reason:
            note(work, found)
    for key, row in kept.items():
        if key not in now_found:
            end(work, row)


@command("rule_trouble.end_quiet", allow=system_only)
def end_quiet(work: Work) -> int:
    """Every night: what has not recurred for a day is over; how many."""
    rows = [row for row in open_troubles(work.session) if row.kind not in STANDING and row.last_at <= work.at - QUIET_AFTER]
    for row in rows:
        end(work, row)
    work.record("rule_troubles", count=len(rows))
    return len(rows)
