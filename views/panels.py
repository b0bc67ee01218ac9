"""Panels of a step: parts of the case page that a workflow names, each with its own template and its own data.

`templates/cases/panels/<name>.html` is included with the mapping that the function of that name answers, as `panel`.
A module that owns a panel registers it with `@panel("name")` and is imported in views/all_panels.py.
"""

from collections.abc import Callable, Mapping
from typing import Any

from sqlmodel import Session
from starlette.requests import Request

from domain.case.tables import Case, Task

Panel = Callable[[Request, Session, Case, Task | None], Mapping[str, Any]]

PANELS: dict[str, Panel] = {}


def panel(name: str) -> Callable[[Panel], Panel]:
    """Register what gives a panel its data."""

    def register(make: Panel) -> Panel:
        if name in PANELS:
            raise ValueError(f"panel {name} is registered twice")
        PANELS[name] = make
        return make

    return register


def shown(request: Request, session: Session, case: Case, task: Task | None, names: tuple[str, ...]) -> list[dict[str, Any]]:
    """The named panels with their data, in the order of the workflow. A panel without data of its own gets none."""
    return [
        {
            "name": name, "template": f"cases/panels/{name}.html",
            "panel": dict(PANELS[name](request, session, case, task)) if name in PANELS else {},
        }
        for name in names
    ]
