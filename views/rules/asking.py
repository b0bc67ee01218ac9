"""Where rule sets are asked: of every matter the places that ask one, with system, step and act."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from views.rules.wording import wording


@dataclass(frozen=True, slots=True)
class Place:
    """One place that asks a rule set: the matter, the system it belongs to, the step (empty: none), and what asks."""

    rule_set: str
    matter: str
    title: str
    system: str
    step: str
    what: str


def places(case_types: Any) -> list[Place]:
    """Every place of these case types that asks a rule set."""
    return [Place(key, each.key, each.title, each.group, step, what) for each in case_types for key, step, what in _asked(each)]


def _asked(case_type: Any) -> Iterator[tuple[str, str, str]]:
    said = wording("asked_at")
    yield from ((key, "", said["start"]) for key in case_type.asks_on_start)
    yield from ((one.light, "", f"{said['clock']}：{one.label}") for one in case_type.clocks if one.light)
    yield from ((key, "", f"{said['document']}：{one.label}") for one in case_type.documents for key in one.needs)
    yield from ((one.same_rule, "", f"{said['field']}：{one.label}") for one in case_type.form.fields() if one.same_rule)
    for step in case_type.workflow.steps:
        yield from ((key, step.label, said["asks"]) for key in step.asks)
        for action in step.actions:
            yield from ((key, step.label, f"{said['decides']}：{action.label}") for key in action.decides)
            if action.route:
                yield action.route.ask, step.label, f"{said['route']}：{action.label}"
