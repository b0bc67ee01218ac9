"""Demo stories: cases of the last weeks in every step and light, each act done by whoever's turn it was, on its day.

A story is a row of reference/demo/stories.yaml: what the case is about, and its acts as 「工作日 动词」. The acts of all
stories are played in the order of their days through the same commands as on the screens, while the portal's clock shows
that day; so numbers, clocks, papers and history are what they would be had the bureau worked here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.portal_clock import SHANGHAI
from domain.working_calendar import official_calendar

FILE = Path(__file__).parent.parent / "reference" / "demo" / "stories.yaml"
OPENING = time(9, 0)
PACE = timedelta(minutes=3)
"""Between two acts of a day."""


@dataclass
class Story:
    """One case: what it is about, and where it stands while it is played."""

    place: int
    """Its place among all stories, from 0; ranges and project codes are told apart by it."""
    kind: str
    given: Mapping[str, Any]
    case_id: int | None = None

    @property
    def district(self) -> str:
        return str(self.given["district"])


@dataclass(frozen=True)
class Act:
    """One act: how many working days before the day of loading, what is done, with what, and by whom if not by the holder."""

    days_back: int
    verb: str
    detail: str = ""
    login: str = ""


@dataclass(frozen=True)
class Scene:
    """An act of a story at its moment."""

    at: datetime
    story: Story
    act: Act


@cache
def document() -> Mapping[str, Any]:
    """The stories as they stand in the file."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def stories() -> list[tuple[Story, tuple[Act, ...]]]:
    """Every story with its acts, in the order of the file."""
    found: list[tuple[Story, tuple[Act, ...]]] = []
    for kind, group in document()["groups"].items():
        for row in group["stories"]:
            given = {**group.get("common", {}), **row}
            found.append((Story(len(found), kind, given), tuple(parse(text) for text in given["acts"])))
    return found


def parse(text: str) -> Act:
    """Read an act such as 「12 return apply @reviewer2.310118」; raises ValueError for another form."""
    words = text.split()
    login = words.pop()[1:] if words[-1].startswith("@") else ""
    if not 2 <= len(words) <= 3 or not words[0].isdecimal() or words[0] == "0":
        raise ValueError(f"演示故事的一步应写作「工作日 动词 [内容] [@登录名]」，收到的是「{text}」")
    return Act(int(words[0]), words[1], words[2] if len(words) == 3 else "", login)


def first_moment(today: date) -> datetime:
    """When the earliest act happens: the accounts must be there before it."""
    return min(scene.at for scene in scenes(today, stories())) - timedelta(days=1)


def scenes(today: date, told: Sequence[tuple[Story, Sequence[Act]]]) -> list[Scene]:
    """All acts in the order in which they happen: by day, and on a day by the order of the stories."""
    calendar = official_calendar()
    ordered = sorted(
        ((-act.days_back, place, story.place, story, act) for story, acts in told for place, act in enumerate(acts)),
        key=lambda each: each[:3],
    )
    found, on_day = [], {}
    for back, _place, _story, story, act in ordered:
        day, _is_provisional = calendar.add(today, back)
        on_day[day] = on_day.get(day, -1) + 1
        at = datetime.combine(day, OPENING, SHANGHAI).astimezone(UTC) + PACE * on_day[day]
        found.append(Scene(at, story, act))
    return found
