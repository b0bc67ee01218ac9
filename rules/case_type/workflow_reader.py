"""Reads workflow.yaml into a WorkflowDefinition."""

from collections.abc import Mapping
from typing import Any

from rules.engine.document import Block, Series
from rules.engine.kind import kinds

from .condition import Names
from .entry import Entry, distinct
from .known import Known
from .workflow import (
    CLOCK_ACTS,
    COUNTINGS,
    DEFAULT_OPERATIONS,
    OPINIONS,
    OUTCOMES,
    RETURN_TARGETS,
    SCOPES,
    STYLES,
    ActionDefinition,
    ClockAct,
    EffectCall,
    Move,
    Route,
    StepClock,
    StepDefinition,
    WorkflowDefinition,
)

ROUTING_KINDS = tuple(key for key, kind in kinds().items() if "route" in kind.values)
GATE_KINDS = tuple(key for key, kind in kinds().items() if kind.gate)


class WorkflowReader:
    """Reads one workflow; `names` are what an action's `when` may read."""

    def __init__(
        self, root: Entry, known: Known, sections: tuple[str, ...], names: Names, shown: Names
    ) -> None:
        self.root, self.known, self.sections, self.names, self.shown = root, known, sections, names, shown
        self.steps = step_keys(root.block)

    def read(self) -> WorkflowDefinition:
        """The workflow; what is wrong in it has been noted."""
        start = self.root.text("start", required=True)
        if start:
            self.root.is_among("start", start, self.steps, "环节")
        entries = self.root.children("steps", required=True)
        steps = tuple(self._step(entry) for entry in entries)
        distinct(((entry, step.key) for entry, step in zip(entries, steps, strict=True)), "环节")
        self.root.close()
        return WorkflowDefinition(start, steps)

    def _step(self, entry: Entry) -> StepDefinition:
        role = entry.text("role", required=True)
        if role:
            entry.is_among("role", role, self.known.roles, "岗位")
        actions = entry.children("actions", required=True)
        step = StepDefinition(
            key=entry.key(),
            label=entry.text("label", required=True),
            role=role,
            scope=entry.one_of("scope", SCOPES, required=True, default="district"),
            actions=tuple(self._action(each) for each in actions),
            clock=self._clock(entry),
            edits=entry.words("edits", self.sections),
            panels=entry.words("panels", self.known.panels),
            asks=rule_set_keys(entry, "asks", self.known),
            operations=entry.words("operations", self.known.operations, default=DEFAULT_OPERATIONS),
            return_to=entry.words("return_to", RETURN_TARGETS, default=RETURN_TARGETS),
            is_join=entry.one_of("join", ("all",)) == "all",
            line=entry.line(),
        )
        distinct(((each, action.key) for each, action in zip(actions, step.actions, strict=True)), "动作")
        entry.close()
        return step

    def _clock(self, entry: Entry) -> StepClock | None:
        own = entry.child("clock")
        if own is None:
            return None
        days = own.whole("days", required=True, least=1, default=1)
        clock = StepClock(days or 1, own.one_of("counting", COUNTINGS, required=True, default="working"))
        own.close()
        return clock

    def _action(self, entry: Entry) -> ActionDefinition:
        action = ActionDefinition(
            key=entry.key(),
            label=entry.text("label", required=True),
            style=entry.one_of("style", STYLES, default="plain"),
            opinion=entry.one_of("opinion", OPINIONS, default="optional"),
            decides=rule_set_keys(entry, "decides", self.known, GATE_KINDS),
            to=self._move(entry, "to"),
            route=self._route(entry),
            effects=self._effects(entry),
            documents=entry.words("documents"),
            clocks=self._clock_acts(entry),
            when=entry.condition("when", self.names, self.shown),
            confirm=entry.text("confirm"),
            public=entry.flag("public"),
            line=entry.line(),
        )
        written = [key for key in ("to", "route") if entry.block.get(key) is not None]
        if len(written) != 1:
            entry.fault("to", "动作要写 to 或 route，两者之一（不离开本环节的写 to: stay）")
        entry.close()
        return action

    def _move(self, entry: Entry, key: str) -> Move | None:
        value = entry.raw(key)
        if value is None:
            return None
        if isinstance(value, Series):
            return self._parallel(entry, key, value)
        if not isinstance(value, str):
            entry.fault(key, f"{key} 应是环节、环节的列表、end:结果 或 stay，实际是 {value!r}")
            return None
        if value == "stay":
            return Move()
        if value.startswith("end:") or value == "end":
            outcome = value.partition(":")[2]
            return Move(outcome=outcome) if entry.is_among(key, outcome, OUTCOMES, "办理结果") else None
        return Move((value,)) if entry.is_among(key, value, self.steps, "环节") else None

    def _parallel(self, entry: Entry, key: str, value: Series) -> Move | None:
        if len(value) < 2 or len(set(map(str, value))) != len(value):
            entry.fault(key, f"{key} 写成列表时要有两个以上不同的环节；只去一个环节的直接写环节")
            return None
        known = [entry.is_among(key, str(step), self.steps, "环节") for step in value]
        return Move(tuple(value)) if all(known) else None

    def _route(self, entry: Entry) -> Route | None:
        own = entry.child("route")
        if own is None:
            return None
        ask = own.text("ask", required=True)
        if ask:
            check_rule_set(own, "ask", ask, self.known, ROUTING_KINDS)
        targets = own.child("outcomes", required=True)
        outcomes = {key: self._move(targets, key) for key in targets.block} if targets else {}
        own.raw("otherwise", required=True)
        otherwise = self._move(own, "otherwise")
        own.close()
        if otherwise is None or None in outcomes.values():
            return None
        return Route(ask, outcomes, otherwise)

    def _effects(self, entry: Entry) -> tuple[EffectCall, ...]:
        value = entry.raw("effects")
        if value is None:
            return ()
        if not isinstance(value, Series):
            entry.fault("effects", "effects 应是列表，如 [open_ledger] 或 [{name: …, with: {…}}]")
            return ()
        return tuple(call for item in value if (call := self._effect(entry, item)) is not None)

    def _effect(self, entry: Entry, item: Any) -> EffectCall | None:
        if isinstance(item, Block):
            return self._effect_with_arguments(Entry(item, f"{entry.path}.effects", entry.note))
        name = str(item)
        return EffectCall(name) if entry.is_among("effects", name, self.known.effects, "效果") else None

    def _effect_with_arguments(self, own: Entry) -> EffectCall | None:
        name, given = own.text("name", required=True), own.child("with")
        own.close()
        if name and not own.is_among("name", name, self.known.effects, "效果"):
            return None
        arguments: Mapping[str, Any] = dict(given.block) if given else {}
        if given and "partner" in arguments:
            given.is_among("partner", str(arguments["partner"]), self.known.partners, "对接单位")
        return EffectCall(name, arguments) if name else None

    def _clock_acts(self, entry: Entry) -> tuple[ClockAct, ...]:
        own = entry.child("clocks")
        if own is None:
            return ()
        acts = [ClockAct(act, clock) for act in CLOCK_ACTS for clock in _one_or_more(own, act)]
        own.close()
        return tuple(acts)


def _one_or_more(entry: Entry, key: str) -> tuple[str, ...]:
    if isinstance(entry.block.get(key), Series):
        return entry.words(key)
    value = entry.text(key)
    return (value,) if value else ()


def step_keys(block: Block) -> tuple[str, ...]:
    """Keys of the steps of a workflow file, before it is read in full."""
    steps = block.get("steps")
    found = (
        [step.get("key") for step in steps if isinstance(step, Block)] if isinstance(steps, Series) else []
    )
    return tuple(key for key in found if isinstance(key, str))


def rule_set_keys(entry: Entry, key: str, known: Known, wanted: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A list of rule set keys, each known and of a wanted kind."""
    return tuple(each for each in entry.words(key) if check_rule_set(entry, key, each, known, wanted))


def check_rule_set(entry: Entry, key: str, rule_set: str, known: Known, wanted: tuple[str, ...] = ()) -> bool:
    """Whether the rule set exists and is of a wanted kind (any, if none is named); notes a fault if not."""
    if not entry.is_among(key, rule_set, known.rule_sets, "规则集"):
        return False
    kind = known.rule_sets[rule_set].kind
    if wanted and kind not in wanted:
        entry.fault(key, f"规则集 {rule_set} 是 {kind} 类，这里要 {'、'.join(wanted)} 类")
        return False
    return True
