"""Holds 锁定: a case's mark on a plot or patch; one holder at a time, and a refusal names the holder and since when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Index, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Field, Session, SQLModel, col, select

from domain.case import ending
from domain.case.tables import Case
from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work
from domain.errors import Conflict
from domain.format import moment

PLOT, YEARLY, PATCH = "plot", "yearly_claim", "patch"
MARKS = {"reserved": "预占", "stored": "已预存", "used": "已流出", "major": "周转锁定", "qyzz": "QYZZ锁定", "leased": "租赁锁定",
         "opened": "立案"}
"""What a case may do to a plot or patch; for plots also the status of the annual farmland layer that goes with it."""
_MOST_KEYS = 500
_IS_ACTIVE = text("ended_at IS NULL")


class Hold(SQLModel, table=True):
    """A mark of a case on one object; active until it is released or passed on."""

    __tablename__ = "hold"
    __table_args__ = (
        Index("ux_hold_active", "object_kind", "object_key", unique=True, sqlite_where=_IS_ACTIVE, postgresql_where=_IS_ACTIVE),
        Index("ix_hold_case", "case_id", "ended_at"),
    )

    id: int | None = Field(default=None, sa_column=id_column())
    object_kind: str = Field(sa_column=code_column(length=16))
    object_key: str = Field(sa_column=code_column())
    case_id: int = Field(sa_type=BIG_ID, foreign_key="case_file.id")
    mark: str = Field(sa_column=code_column(length=16))
    since: datetime = Field(sa_column=moment_column())
    person_id: int | None = Field(default=None, sa_type=BIG_ID)
    ended_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))
    end_reason: str = Field(default="", sa_column=code_column(length=24))


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds an object: the case, its mark, and since when."""

    key: str
    case_id: int
    case_code: str
    mark: str
    since: datetime

    @property
    def words(self) -> str:
        """Holder and moment, as a refusal says them."""
        return f"{self.key} 已被办件 {self.case_code} {MARKS[self.mark]}（自 {moment(self.since)}）"


def holders(session: Session, kind: str, keys: Collection[str]) -> dict[str, Holder]:
    """The active holder of each of the keys that has one."""
    found: dict[str, Holder] = {}
    wanted = sorted(set(keys))
    for start in range(0, len(wanted), _MOST_KEYS):
        statement = (
            select(Hold, Case.number, Case.draft_number)
            .join(Case, col(Case.id) == Hold.case_id)
            .where(Hold.object_kind == kind, col(Hold.object_key).in_(wanted[start : start + _MOST_KEYS]))
            .where(col(Hold.ended_at).is_(None))
        )
        for row, number, draft in session.exec(statement).all():
            found[row.object_key] = Holder(row.object_key, row.case_id, number or draft, row.mark, row.since)
    return found


def held_by(session: Session, case_id: int, kind: str = PLOT) -> dict[str, Hold]:
    """The active holds of a case on objects of a kind, by the key of the object."""
    statement = select(Hold).where(Hold.case_id == case_id, Hold.object_kind == kind, col(Hold.ended_at).is_(None))
    return {row.object_key: row for row in session.exec(statement.order_by(col(Hold.object_key))).all()}


def take(work: Work, case: Case, kind: str, keys: Sequence[str], mark: str) -> None:
    """Mark objects for a case, all or none. Raises Conflict that names every other holder and since when.

    The keys are inserted in order, so that two cases after the same plots wait in line instead of for each other.
    """
    wanted = sorted(set(keys))
    work.session.flush()
    for start in range(0, len(wanted), _MOST_KEYS):
        work.session.execute(_insert(work, case, kind, wanted[start : start + _MOST_KEYS], mark))
    held = holders(work.session, kind, wanted)
    if wanted and not held.keys() >= set(wanted):  # let go by its holder between the two statements
        raise Conflict("有对象刚被其他办件释放，本次没有占用。请再试一次。")
    if strangers := [held[key] for key in wanted if held[key].case_id != case.id]:
        raise Conflict(f"{refusal(strangers)}。本次没有占用任何地块，请换用可用的地块后重新上传。")
    work.record(f"case:{case.id}", hold=mark, objects=len(wanted))


def _insert(work: Work, case: Case, kind: str, keys: Sequence[str], mark: str) -> postgresql.Insert | sqlite.Insert:
    insert = sqlite.insert if work.session.get_bind().dialect.name == "sqlite" else postgresql.insert
    rows = [
        {
            "object_kind": kind, "object_key": key, "case_id": case.id, "mark": mark, "since": work.at,
            "person_id": work.actor.person_id, "end_reason": "",
        }
        for key in keys
    ]  # fmt: skip
    return insert(Hold.__table__).values(rows).on_conflict_do_nothing()


def refusal(strangers: Sequence[Holder]) -> str:
    """The first holders in words, and how many more there are."""
    named = "；".join(holder.words for holder in strangers[:10])
    return named if len(strangers) <= 10 else f"{named}；另有 {len(strangers) - 10} 个"


def release(work: Work, case: Case, kind: str = PLOT, keys: Collection[str] | None = None, reason: str = "released") -> int:
    """End the holds of a case (all of a kind, or those of the keys); how many there were."""
    ended = 0
    wanted = None if keys is None else sorted(set(keys))
    work.session.flush()
    for part in [None] if wanted is None else [wanted[i : i + _MOST_KEYS] for i in range(0, len(wanted), _MOST_KEYS)]:
        statement = update(Hold).where(
            col(Hold.case_id) == case.id, col(Hold.object_kind) == kind, col(Hold.ended_at).is_(None)
        )
        statement = statement if part is None else statement.where(col(Hold.object_key).in_(part))
        ended += work.session.execute(statement.values(ended_at=work.at, end_reason=reason)).rowcount
    if ended:
        work.record(f"case:{case.id}", released=ended, reason=reason)
    return ended


def pass_on(work: Work, holder: Case, case: Case, kind: str, keys: Sequence[str], mark: str) -> None:
    """Give the holds of one case to another (or the same one) under another mark. Raises Conflict if a hold is missing."""
    held = held_by(work.session, holder.id, kind)
    if missing := [key for key in keys if key not in held]:
        raise Conflict(f"地块 {'、'.join(missing[:10])} 已不在办件 {holder.number or holder.draft_number} 名下。请刷新后核对。")
    release(work, holder, kind, keys, "passed_on")
    take(work, case, kind, keys, mark)


def yearly_key(area: str, year: int) -> str:
    """The one yearly claim of an area: the annual reserve plan that a district files once a year."""
    return f"{area}-{year}"


def marks_of(session: Session, kind: str = PLOT) -> Mapping[str, str]:
    """Every active mark by the key of its object."""
    statement = select(Hold.object_key, Hold.mark).where(Hold.object_kind == kind, col(Hold.ended_at).is_(None))
    return dict(session.exec(statement).all())


@ending.on_giving_up
def release_given_up(work: Work, case: Case, _outcome: str) -> None:
    """A case that ended without its purpose lets go of whatever it had only reserved."""
    for kind in (PLOT, YEARLY):
        reserved = [key for key, row in held_by(work.session, case.id, kind).items() if row.mark == "reserved"]
        if reserved:
            release(work, case, kind, reserved, "given_up")
