"""Reports to the land-use control platform 用途管制报送: one round per package, from building it to what came back.

A case may need several rounds: a package that fails validation or is rejected is followed by a new round with a new
business key, because the platform refuses the same key with other content. The first number that comes back stays.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml
from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, func, select

from domain import job
from domain.case import history
from domain.case.tables import Case
from domain.columns import BIG_ID, code_column, id_column, json_column, moment_column
from domain.command import Work
from domain.errors import Conflict

PARTNER = "usage_control"
BUILD_JOB = "build_report_package"
FILE = Path(__file__).parent / "reference" / "usage_control_words.yaml"


class ReportRound(SQLModel, table=True):
    """One package of one case: how far it is, and what the platform said of it."""

    __tablename__ = "report_round"
    __table_args__ = (
        Index("ix_report_round_case", "case_id", "id"),
        Index("ix_report_round_state", "state", "id"),
        Index("ix_report_round_number", "number"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    kind: str = Field(sa_column=code_column())
    round_no: int
    business_key: str = Field(sa_column=code_column(length=120, unique=True))
    state: str = Field(default="building", sa_column=code_column(length=16))
    """A key of `states` in reference/usage_control_words.yaml."""
    number: str | None = Field(default=None, sa_column=code_column(nullable=True))
    """电子监管号 that came back; in a cancellation, the one to be cancelled."""
    receipt_number: str | None = Field(default=None, sa_column=code_column(length=80, nullable=True))
    faults: list[dict[str, Any]] = Field(default_factory=list, sa_column=json_column())
    """What stood against it, ours or the platform's: [{code, text, file, field}]."""
    detail: dict[str, Any] = Field(default_factory=dict, sa_column=json_column())
    """What the package was made of: range, coordinate transformation with residuals, files."""
    package_digest: str | None = Field(default=None, sa_column=code_column(nullable=True))
    original_id: int | None = Field(default=None, sa_type=BIG_ID)
    """Of a cancellation: the round whose number it cancels."""
    job_id: int | None = Field(default=None, sa_type=BIG_ID)
    """The job that builds the package."""
    started_at: datetime = Field(sa_column=moment_column())
    changed_at: datetime = Field(sa_column=moment_column())
    started_by: int | None = Field(default=None, sa_type=BIG_ID)


class ReportEvent(SQLModel, table=True):
    """One change of a round's state; never changed."""

    __tablename__ = "report_event"

    id: int | None = Field(default=None, sa_column=id_column())
    round_id: int = Field(sa_type=BIG_ID, foreign_key="report_round.id", index=True)
    at: datetime = Field(sa_column=moment_column())
    state: str = Field(sa_column=code_column(length=16))
    words: str = ""
    person_name: str = ""


@dataclass(frozen=True, slots=True)
class ReportState:
    """How a state is shown, how far it is, and whether the platform still owes its answer."""

    key: str
    label: str
    tone: str
    stage: int
    is_open: bool


@dataclass(frozen=True, slots=True)
class ReportKind:
    """A kind of package: what it is called, its code in the manifest, and what it must hold."""

    key: str
    label: str
    code: str
    contents: tuple[str, ...]
    chain: str = ""
    """Which chain of numbers it asks for; empty if it asks for none."""
    cancels: str = ""


@cache
def _words() -> Mapping[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


@cache
def states() -> Mapping[str, ReportState]:
    """Every state by key, in the order of the way."""
    return MappingProxyType({key: ReportState(key, **entry) for key, entry in _words()["states"].items()})


@cache
def kinds() -> Mapping[str, ReportKind]:
    """Every kind of package that the portal makes, by key."""
    found = {}
    for key, entry in _words()["kinds"].items():
        found[key] = ReportKind(key, **{**entry, "contents": tuple(entry["contents"])})
    return MappingProxyType(found)


def stages() -> tuple[str, ...]:
    """The stages of the progress bar."""
    return tuple(_words()["stages"])


def rounds_of(session: Session, case_id: int) -> list[ReportRound]:
    """Every round of a case, the latest first."""
    statement = select(ReportRound).where(ReportRound.case_id == case_id).order_by(col(ReportRound.id).desc())
    return list(session.exec(statement).all())


def latest(session: Session, case_id: int) -> ReportRound | None:
    """The latest round of a case; None if nothing was reported."""
    statement = select(ReportRound).where(ReportRound.case_id == case_id).order_by(col(ReportRound.id).desc())
    return session.exec(statement.limit(1)).first()


def numbered(session: Session, case_id: int) -> ReportRound | None:
    """The round that brought the number in force; None without one."""
    return session.exec(
        select(ReportRound).where(ReportRound.case_id == case_id, ReportRound.state == "numbered").limit(1)
    ).first()


def events_of(session: Session, round_ids: Sequence[int]) -> list[ReportEvent]:
    """The changes of some rounds in the order in which they happened."""
    statement = select(ReportEvent).where(col(ReportEvent.round_id).in_(round_ids))
    return list(session.exec(statement.order_by(col(ReportEvent.id))).all())


def begin(work: Work, case: Case, kind: str, *, cancels: ReportRound | None = None) -> ReportRound:
    """Start a round: its package is built by a job. Refused while an earlier one is under way or has its number."""
    _must_be_startable(work.session, case, kind)
    for stuck in rounds_of(work.session, case.id):
        if is_stuck(work.session, stuck):
            change(work, stuck, "withdrawn", "组卷作业没有完成，已另行组卷")
    case_rounds = select(func.count()).select_from(ReportRound).where(ReportRound.case_id == case.id, ReportRound.kind == kind)
    round_no = work.session.exec(case_rounds).one() + 1
    started = ReportRound(
        case_id=case.id,
        kind=kind,
        round_no=round_no,
        business_key=f"{case.number}/{kind}/{round_no}",
        number=cancels.number if cancels else None,
        original_id=cancels.id if cancels else None,
        started_at=work.at,
        changed_at=work.at,
        started_by=work.actor.person_id,
    )
    work.session.add(started)
    work.session.flush()
    change(work, started, "building", f"第 {round_no} 次组卷")
    started.job_id = job.enqueue(work, BUILD_JOB, f"组卷：{case.title}", {"round": started.id}, case_id=case.id).id
    return started


def _must_be_startable(session: Session, case: Case, kind: str) -> None:
    if not case.number:
        raise Conflict("办件还没有编号，不能报送。请先受理。")
    for earlier in rounds_of(session, case.id):
        if earlier.kind != kind:
            continue
        if states()[earlier.state].is_open and not is_stuck(session, earlier):
            label = states()[earlier.state].label
            raise Conflict(f"第 {earlier.round_no} 次报送还没有结果（{label}），不能再报送一次。请等结果返回，或先刷新。")
        if earlier.state in ("numbered", "cancelled"):
            raise Conflict("部系统已经给出最终结果，不能重复报送。已有监管号需要更正的，请先办理注销。")


def is_stuck(session: Session, row: ReportRound) -> bool:
    """True if a package was to be built and its job has ended without building it."""
    if row.state != "building" or row.job_id is None:
        return False
    building = session.get(job.Job, row.job_id)
    return building is None or building.status in ("failed", "cancelled")


def change(work: Work, row: ReportRound, state: str, words: str = "") -> None:
    """Put a round into a state, with a line of its own history."""
    row.state, row.changed_at = state, work.at
    work.session.add(row)
    note(work, row, words)


def note(work: Work, row: ReportRound, words: str) -> None:
    """Write a line into the history of a round; its state stays."""
    work.session.add(
        ReportEvent(round_id=row.id, at=work.at, state=row.state, words=words, person_name=work.actor.name)
    )
    work.record(f"case:{row.case_id}", report=row.business_key, state=row.state)


def tell_case(work: Work, case: Case, row: ReportRound, words: str) -> None:
    """Write what came of a round into the history of its case."""
    history.note(work, case, "report", f"用途管制：{states()[row.state].label}", opinion="", round=row.round_no, said=words)


def faults_in_words(row: ReportRound) -> str:
    """Every fault of a round in one sentence, each with the file and field it means."""
    return "；".join(_fault_words(fault) for fault in row.faults)


def _fault_words(fault: Mapping[str, Any]) -> str:
    place = "、".join(str(fault[name]) for name in ("file", "field") if fault.get(name))
    code = f"（{fault['code']}）" if fault.get("code") else ""
    return f"{fault['text']}{code}{f'，位置 {place}' if place else ''}"
