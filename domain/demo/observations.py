"""Demo series of monitoring readings: generated, marked, one of them over its line before now and once in the past.

The readings come in the way that pushed ones do; the runner judges them and raises the alarms.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from domain.command import Work
from domain.errors import Refused
from domain.observation import intake
from domain.observation.intake import Reading
from domain.office import office_of

FILE = Path(__file__).parent.parent / "reference" / "demo" / "observations.yaml"
_STEP = Decimal("0.001")


@cache
def _document() -> Mapping[str, Any]:
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def load(work: Work) -> None:
    """Open the demo series with their readings up to now; Refused on a database that is no demo."""
    if not office_of(work.session).is_demo:
        raise Refused("演示监测序列是样例，只能装入演示库。请在演示环境中操作。")
    for entry in _document()["series"]:
        given = {name: entry[name] for name in ("key", "subject", "title", "unit", "rule_set")}
        series = intake.opened(work, **given, district_code=entry["district"])
        series.is_demo = True
        work.session.add(series)
        intake.take_in(work, entry["key"], list(_readings(entry, work.at)))


def _readings(entry: Mapping[str, Any], until: datetime) -> Iterator[Reading]:
    """The readings of the last weeks, the oldest first; those that go over the line stand in the entry."""
    hours, days = _document()["every_hours"], _document()["days"]
    values = {Decimal(age): Decimal(value) for age, value in entry["over"].items()}
    for place in range(days * 24 // hours):
        age = Decimal(place * hours) + Decimal("0.4")
        value = values.get(age) or _calm(entry, place * hours)
        at = until - timedelta(hours=float(age))
        yield Reading(f"{entry['key']}-{at:%Y%m%d%H%M}", at.replace(second=0, microsecond=0), value)


def _calm(entry: Mapping[str, Any], hour: int) -> Decimal:
    """A value that swings with the day and slowly over the weeks; the same at every load."""
    wave = math.sin(hour / 24 * 2 * math.pi) * 0.4 + math.sin(hour / 160 * 2 * math.pi) * 0.6
    return (Decimal(entry["base"]) + Decimal(entry["swing"]) * Decimal(str(wave))).quantize(_STEP)
