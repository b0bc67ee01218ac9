"""Reminders 催办 of a case: when each was given, to which tasks, and since when it is answered."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sqlmodel import Session, col, select

from domain.case.tables import Case, CaseEvent, Task

URGE = "urge"
_FILE = Path(__file__).parent / "reference" / "reminder.yaml"


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder; `answered_at` is when the last of the urged tasks was answered for, None while one is not."""

    at: datetime
    person_id: int | None
    task_ids: tuple[int, ...]
    steps: tuple[str, ...]
    answered_at: datetime | None

    @property
    def is_answered(self) -> bool:
        return self.answered_at is not None


@cache
def settings() -> dict[str, Any]:
    """The words of this module, and the acts that are no answer."""
    return yaml.safe_load(_FILE.read_text(encoding="utf-8"))


def reminders_of(session: Session, case: Case) -> list[Reminder]:
    """Every reminder of a case, the oldest first; two queries.

    A task answers a reminder by ending or by an act of its holder that does more than hand it on. A reminder on
    several branches is answered when each of them has.
    """
    events = session.exec(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(col(CaseEvent.id))).all()
    tasks = {task.id: task for task in session.exec(select(Task).where(Task.case_id == case.id)).all()}
    return [_reminder(event, events, tasks) for event in events if event.operation == URGE]


def _reminder(event: CaseEvent, events: list[CaseEvent], tasks: dict[int, Task]) -> Reminder:
    ids = tuple(event.detail.get("tasks") or ([event.task_id] if event.task_id else []))
    answers = [_answered_at(tasks[each], event, events) for each in ids if each in tasks]
    answered_at = None if None in answers else max(answers, default=event.at)
    steps = tuple(dict.fromkeys(tasks[each].step for each in ids if each in tasks))
    return Reminder(event.at, event.person_id, ids, steps, answered_at)


def _answered_at(task: Task, reminder: CaseEvent, events: list[CaseEvent]) -> datetime | None:
    no_answer = settings()["no_answer"]
    acts = [
        each.at for each in events
        if each.id > reminder.id and each.task_id == task.id and each.operation not in no_answer
    ]
    ended = [task.done_at] if task.done_at is not None else []
    return min([*acts, *ended], default=None)
