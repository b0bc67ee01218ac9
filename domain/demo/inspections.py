"""Demo inspections: packages made by program, one with faults, one that passes, one batch; all marked as generated."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import shapely
import yaml
from sqlmodel import Session, select

from domain.actor import Actor
from domain.demo import sample_package
from domain.demo.stage import Stage
from domain.errors import NotFound
from domain.geometry import multipolygon
from domain.inspection import Scheme, schemes
from domain.inspection.task import access, admission, course, package, variant
from domain.inspection.task.package import ReceivedPackage
from domain.office import office_of
from domain.person import Person, actor_of

FILE = Path(__file__).parent.parent / "reference" / "demo" / "inspections.yaml"
DISTRICT = "310118"
"""Where every sample patch lies."""


@cache
def document() -> Mapping[str, Any]:
    """What is played."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


Made = Sequence[tuple[int, Mapping[str, Any]]]
"""Tasks by id, with what the file says of them."""


def play(stage: Stage) -> Made:
    """Make every task, let it be read, confirm it, and let it be inspected; those that are to be admitted."""
    tasks = []
    for row in document()["tasks"]:
        with stage.writing() as session:
            files = tuple(_received(session, schemes()[row["scheme"]], each) for each in row["packages"])
            task = course.create(session, _actor(session, row["login"]), row["scheme"], row["title"], row["district"], files, is_generated=True)
            tasks.append((task.id, row))
    stage.settle()
    _each(stage, tasks, course.confirm)
    row = document()["variant"]
    with stage.writing() as session:
        variant.save(session, _actor(session, row["login"]), row["scheme"], row["title"], (), {}, row["note"])
    return [(task_id, row) for task_id, row in tasks if row.get("is_admitted")]


def admit(stage: Stage, tasks: Made) -> None:
    """Admit packages that passed: their patches become cases."""
    _each(stage, tasks, admission.request, 1)


def _each(stage: Stage, tasks: Made, act: Callable[..., Any], *args: Any) -> None:
    """Do one act on every task in the name of whoever made it, and wait until its work is done."""
    for task_id, row in tasks:
        with stage.writing() as session:
            actor = _actor(session, row["login"])
            act(session, actor, task_id, access.task_of(session, actor, task_id).version, *args)
    stage.settle()


def _actor(session: Session, login: str) -> Actor:
    person_id = session.exec(select(Person.id).where(Person.login == login)).first()
    actor = actor_of(session, person_id) if person_id is not None else None
    if actor is None:
        raise NotFound(f"演示账号 {login} 不存在。请先装入演示账号。")
    return actor


def _received(session: Session, scheme: Scheme, row: Mapping[str, Any]) -> ReceivedPackage:
    first = row.get("first", 0)
    data = sample_package.package(scheme, DISTRICT, count=row.get("count", 12), first=first, spoilt=dict(spoilt(scheme, row.get("spoilt", ()), first)))
    return package.receive(office_of(session).files, row["name"], [data])[0]


def spoilt(scheme: Scheme, rows: Sequence[Mapping[str, Any]], first: int = 0) -> Iterator[tuple[tuple[str, int, str], Any]]:
    """The values that spoil a good package of a scheme, by layer, row and field."""
    layer = sample_package.required(scheme)[0]
    for row in rows:
        at = row["row"]
        if row["how"] == "shape":
            shape = sample_package.patch(first + at)
            yield (layer.name, at, "geometry"), multipolygon(shapely.box(*shape.bounds[:2], shape.bounds[2] + 0.0001, shape.bounds[3]))
        elif row["how"] == "repeat":
            yield (layer.name, at, layer.key), sample_package.key_of(layer, DISTRICT, first + at - 1)
        else:
            yield (layer.name, at, layer.district_field), "310199"
