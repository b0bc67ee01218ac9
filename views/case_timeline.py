"""What happened to a case: the timeline beside the step, and the full history of each turn."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import col, select

from domain.case.tables import CaseEvent, Material
from views.case_head import Opened, task_words

STOPS = ("suspend", "correct")


@dataclass(frozen=True)
class History:
    """One line of the full history: who did what at which step, how long it took, the opinion, the files, to whom."""

    at: datetime
    label: str
    step: str
    who: str
    took: str
    opinion: str
    to: str
    materials: tuple[Mapping[str, Any], ...]


def timeline(one: Opened, events: Sequence[CaseEvent]) -> list[Mapping[str, Any]]:
    """The open tasks first, then what was done, newest first."""
    now = [
        {"label": one.step_label(task.step), "state": "now", "note": task_words(task),
         "who": one.names.get(task.assignee_id or 0, ""), "at": task.claimed_at or task.created_at, "text": ""}
        for task in one.open_tasks
    ]
    return [*now, *(_event(one, event) for event in events)]


def _event(one: Opened, event: CaseEvent) -> Mapping[str, Any]:
    shown: dict[str, Any] = {
        "label": event.label, "at": event.at, "who": _who(event), "text": event.opinion,
        "state": "stop" if event.operation in STOPS else "past",
    }
    if event.step:
        shown["note"] = one.step_label(event.step)
    return shown


def _who(event: CaseEvent) -> str:
    return f"{event.person_name}（代{event.on_behalf_of}）" if event.on_behalf_of else event.person_name


def turns(one: Opened, events: Sequence[CaseEvent]) -> list[History]:
    """Every event with the materials that came in while its task was in hand; two queries whatever the number."""
    statement = select(Material).where(Material.case_id == one.case.id).order_by(col(Material.id))
    materials = one.session.exec(statement).all()
    previous: dict[str | None, datetime] = {}
    found = []
    for event in reversed(events):
        since = previous.get(event.step)
        came = [each for each in materials if _came_with(each, event, since)]
        previous[event.step] = event.at
        found.append(_turn(one, event, came))
    return list(reversed(found))


def _came_with(material: Material, event: CaseEvent, since: datetime | None) -> bool:
    if material.step != event.step or material.uploaded_at > event.at:
        return False
    return since is None or material.uploaded_at > since


def _turn(one: Opened, event: CaseEvent, materials: Sequence[Material]) -> History:
    people = event.detail.get("people") or ([event.detail["to_person"]] if event.detail.get("to_person") else [])
    steps = [one.step_label(key) for key in (event.to_step or "").split(",") if key]
    return History(
        at=event.at,
        label=event.label,
        step=one.step_label(event.step) if event.step else "—",
        who=_who(event),
        took=took(event.duration_s),
        opinion="；".join([event.opinion, *event.detail.get("items", [])]).strip("；"),
        to="、".join([*steps, *people]) or "—",
        materials=tuple({"name": each.name, "href": one.url("material_file", material_id=each.id)} for each in materials),
    )


def took(seconds: int | None) -> str:
    """A duration in words: 3 天 4 小时, 12 分钟."""
    if seconds is None:
        return "—"
    days, rest = divmod(seconds, 86_400)
    hours, minutes = rest // 3600, rest % 3600 // 60
    if days:
        return f"{days} 天 {hours} 小时"
    return f"{hours} 小时 {minutes} 分" if hours else f"{max(minutes, 1)} 分钟"
