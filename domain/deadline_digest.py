"""One notice a day to each person about the deadlines of the tasks in hand, instead of one for every case."""

from collections import Counter, defaultdict
from datetime import datetime, time

from sqlmodel import Session, col, func, select

from domain import portal_clock
from domain.case.tables import Case, Task
from domain.clock import Clock
from domain.command import Work, command, system_only
from domain.notice import Notice, notify

KIND = "deadline_digest"
WORDS = {"black": "黑灯", "red": "红灯", "yellow": "黄灯"}


@command("digest.send", allow=system_only)
def send_digests(work: Work) -> int:
    """Tell everybody who holds tasks with a yellow, red or black light how many; how many people were told.

    A person who was told today is not told again. Lights that rest on a provisional date send no notice.
    """
    told = _told_today(work.session)
    due = {person: lights for person, lights in _lights_by_person(work.session).items() if person not in told}
    for person, lights in due.items():
        counts = "、".join(f"{WORDS[light]} {lights[light]} 件" for light in WORDS if lights[light])
        notify(work, person, KIND, f"你手上有临期或超期的办件：{counts}", "请在工作台按灯色查看并办理。")
    work.record("notices", digests=len(due))
    return len(due)


def _told_today(session: Session) -> set[int]:
    midnight = datetime.combine(portal_clock.today(session), time(0), portal_clock.SHANGHAI)
    return set(session.exec(select(Notice.person_id).where(Notice.kind == KIND, Notice.created_at >= midnight)).all())


def _lights_by_person(session: Session) -> dict[int, Counter[str]]:
    """By person the number of cases in hand with each light; one grouped query."""
    holder = func.coalesce(Task.assignee_id, Task.reserved_for)
    statement = (
        select(holder, Case.light, func.count(func.distinct(Case.id)))
        .select_from(Task)
        .join(Case, col(Case.id) == Task.case_id)
        .where(col(Task.status).in_(("ready", "held")), holder.is_not(None), col(Case.light).in_(tuple(WORDS)))
        .where(_has_definite_clock())
        .group_by(holder, Case.light)
    )
    found: dict[int, Counter[str]] = defaultdict(Counter)
    for person, light, count in session.exec(statement).all():
        found[person][light] += count
    return found


def _has_definite_clock() -> object:
    """The light of the case is that of a clock whose date is certain."""
    return (
        select(Clock.id)
        .where(Clock.case_id == Case.id, Clock.light == Case.light, Clock.status != "finished")
        .where(col(Clock.is_provisional).is_(False))
        .exists()
    )
