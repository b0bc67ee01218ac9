"""Matching of rules by durable-rules, in the one way that was measured to be safe.

The C module is used without its Host, threads, timers or sids: a fact is asserted under a lock, the rules that
fire are collected, the fact is retracted. At most 40 rules and 50 alternatives share one C rule set; numbers go in as
scaled integers; texts and codes as their place among the constants they are compared with. Comparisons
with one constant, and comparisons of two values (as their difference against zero), are matched by C;
leaves it cannot be given (lists, patterns, constants with more than four decimals) enter as booleans that the
evaluator worked out, so there the cross-check covers only how conditions are joined.
"""

import json
import math
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from importlib import import_module
from itertools import count
from pathlib import Path
from typing import Any

from .fault import MatcherRefused
from .number import EXACT
from .program import Judgement
from .rule_set import RuleSet
from .syntax.comparison import Comparison, Exists, In, Matches, StartsWith
from .syntax.condition import AllHold, AnyHolds, Condition, Leaf, Not
from .syntax.expression import Literal, Name

RULES_PER_SHARD, WEIGHT_PER_SHARD, TERMS = 40, 50, 30
MOST_RULES = 400
SECONDS_TO_BUILD = 10
PLACES, BOUND = 4, 2**62
NUMERIC_SIGNS = {
    "is": None, "is_not": "$neq", "below": "$lt", "before": "$lt", "at_most": "$lte", "on_or_before": "$lte",
    "above": "$gt", "after": "$gt", "at_least": "$gte", "on_or_after": "$gte",
}  # fmt: skip
Definition = dict[str, Any]


def scaled(value: Any) -> int:
    """An order-keeping whole number: twice the value in ten-thousandths, one more when digits follow."""
    if isinstance(value, date):
        return 2 * value.toordinal() * 10**PLACES
    if isinstance(value, int):
        return max(-BOUND, min(BOUND, 2 * value * 10**PLACES))
    moved = value.scaleb(PLACES, EXACT)
    whole = math.floor(moved)
    return max(-BOUND, min(BOUND, 2 * whole + (whole != moved)))


def exact(value: Any) -> bool:
    """Whether a constant keeps its place exactly under `scaled`."""
    if isinstance(value, Decimal):
        moved = value.scaleb(PLACES, EXACT)
        return moved == int(moved) and abs(moved) < BOUND // 2
    return isinstance(value, date) or (isinstance(value, int) and abs(value) < BOUND // 2 // 10**PLACES)


class Field:
    """One field of the fact given to C: which leaf's trace it is taken from, and how."""

    __slots__ = ("leaf", "name", "rule")

    def __init__(self, name: str, rule: int, leaf: int) -> None:
        self.name, self.rule, self.leaf = name, rule, leaf

    def encoded(self, step: tuple) -> int | None:
        raise NotImplementedError


class NumberField(Field):
    __slots__ = ()

    def encoded(self, step: tuple) -> int | None:
        return None if step[0] is None else scaled(step[0])


class DifferenceField(Field):
    __slots__ = ()

    def encoded(self, step: tuple) -> int | None:
        actual, (limit,), verdict = step
        if verdict is None:
            return None
        if isinstance(actual, date):
            return scaled(actual.toordinal() - limit.toordinal())
        return scaled(EXACT.subtract(actual, limit))


class ChoiceField(Field):
    """Texts, codes and booleans: the place among the constants met, -1 for any other."""

    __slots__ = ("places",)

    def __init__(self, name: str, rule: int, leaf: int) -> None:
        super().__init__(name, rule, leaf)
        self.places: dict[Any, int] = {}

    def place(self, constant: Any) -> int:
        return self.places.setdefault(constant, len(self.places))

    def encoded(self, step: tuple) -> int | None:
        return None if step[0] is None else self.places.get(step[0], -1)


class PresenceField(Field):
    __slots__ = ()

    def encoded(self, step: tuple) -> int | None:
        return None if step[0] is None else 1


class VerdictField(Field):
    __slots__ = ()

    def encoded(self, step: tuple) -> int | None:
        return None if step[2] is None else int(step[2])


class Encoder:
    """Turns the conditions of a rule set into C definitions and the fields they read."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.fields: dict[Any, Field] = {}
        self._rule, self._leaves = 0, count()

    def definition(self, index: int, condition: Condition) -> Definition:
        """The C condition of one rule."""
        self._rule, self._leaves = index, count()
        return self._encode(condition, negated=False)

    def _encode(self, condition: Condition, negated: bool) -> Definition:
        if isinstance(condition, Not):
            return self._encode(condition.part, not negated)
        if isinstance(condition, AllHold | AnyHolds):
            parts = [self._encode(part, negated) for part in condition.parts]
            return _joined("$or" if isinstance(condition, AnyHolds) is not negated else "$and", parts)
        return self._leaf(condition, next(self._leaves), negated)

    def _leaf(self, leaf: Leaf, index: int, negated: bool) -> Definition:
        asked = leaf.negated() if negated else leaf
        encoded = self._compared(asked, index) if isinstance(asked, Comparison) else None
        if encoded is not None:
            return encoded
        field = self._field(VerdictField, ("verdict", self._rule, index), index)
        return {field.name: 0 if negated else 1}

    def _field(self, kind: type[Field], key: Any, index: int) -> Any:
        if key not in self.fields:
            self.fields[key] = kind(f"f{len(self.fields)}", self._rule, index)
        return self.fields[key]

    def _compared(self, leaf: Comparison, index: int) -> Definition | None:
        sort = leaf.left.sort(self.rules.names)
        if isinstance(leaf, Exists):
            field = self._field(PresenceField, ("presence", leaf.left), index)
            return {"$ex" if leaf.present_means else "$nex": {field.name: 1}}
        if isinstance(leaf, StartsWith | Matches):
            return None
        constants = [limit.value for limit in leaf.limits if isinstance(limit, Literal)]
        if len(constants) == len(leaf.limits) and constants:
            return (
                self._numbers(leaf, index, constants)
                if sort.numeric or sort.type == "date"
                else self._choice(leaf, index, constants)
            )
        if leaf.key in NUMERIC_SIGNS and (sort.numeric or sort.type == "date"):
            field = self._field(DifferenceField, ("difference", self._rule, index), index)
            return _sign(leaf.key, field.name, 0)
        return None

    def _numbers(self, leaf: Comparison, index: int, constants: list) -> Definition | None:
        if not all(map(exact, constants)):
            return None
        key = ("number", leaf.left) if isinstance(leaf.left, Name) else ("number", self._rule, index)
        name, limits = self._field(NumberField, key, index).name, [scaled(constant) for constant in constants]
        if leaf.key == "between":
            return {"$and": [{"$gte": {name: limits[0]}}, {"$lte": {name: limits[1]}}]}
        if leaf.key == "outside":
            return {"$or": [{"$lt": {name: limits[0]}}, {"$gt": {name: limits[1]}}]}
        return _each(leaf, name, limits)

    def _choice(self, leaf: Comparison, index: int, constants: list) -> Definition:
        key = ("choice", leaf.left) if isinstance(leaf.left, Name) else ("choice", self._rule, index)
        field = self._field(ChoiceField, key, index)
        return _each(leaf, field.name, [field.place(constant) for constant in constants])


def _sign(key: str, name: str, limit: int) -> Definition:
    sign = NUMERIC_SIGNS[key]
    return {name: limit} if sign is None else {sign: {name: limit}}


def _each(leaf: Comparison, name: str, limits: Sequence[int]) -> Definition:
    if not isinstance(leaf, In):
        return _sign(leaf.key, name, limits[0])
    if leaf.key == "in":
        return _joined("$or", [{name: limit} for limit in limits])
    return _joined("$and", [{"$neq": {name: limit}} for limit in limits])


def _joined(sign: str, parts: list[Definition]) -> Definition:
    while len(parts) > TERMS:
        chunks = [parts[start : start + TERMS] for start in range(0, len(parts), TERMS)]
        parts = [chunk[0] if len(chunk) == 1 else {sign: chunk} for chunk in chunks]
    return parts[0] if len(parts) == 1 else {sign: parts}


def weight(definition: Definition) -> int:
    """How many alternatives of the condition may match one fact at once."""
    ((key, value),) = definition.items()
    if key == "$or":
        return sum(map(weight, value))
    if key == "$and":
        return math.prod(map(weight, value))
    return 1


def _shards(definitions: list[Definition]) -> Iterator[Definition]:
    shard: Definition = {}
    carried = 0
    for index, definition in enumerate(definitions):
        own = weight(definition)
        if shard and (carried + own > WEIGHT_PER_SHARD or len(shard) >= RULES_PER_SHARD):
            yield shard
            shard, carried = {}, 0
        # The marker keeps $nex from matching the engine's own state message, which would loop for ever.
        shard[str(index)] = {"all": [{"m": {"$and": [{"_f": 1}, definition]}}]}
        carried += own
    if shard:
        yield shard


def name_hash(name: str) -> int:
    """The 32-bit FNV-1a by which the C module tells field names apart."""
    found = 0x811C9DC5
    for byte in name.encode():
        found = ((found ^ byte) * 16777619) & 0xFFFFFFFF
    return found


def c_module() -> Any:
    """The C module of durable-rules. Raises MatcherRefused where it was not built."""
    try:
        return import_module("durable_rules_engine")
    except ImportError as error:
        raise MatcherRefused(
            "这台机器上没有 durable-rules 的 C 模块。请安装它，或设 RULE_ENGINE=python 只用自有求值器"
        ) from error


class Matcher:
    """The C rule sets of one edition; safe to call from several threads."""

    def __init__(self, rules: RuleSet) -> None:
        encoder = Encoder(rules)
        definitions = [self._definition(encoder, index, rule.when) for index, rule in enumerate(rules.rules)]
        self.title = rules.title
        self.shards = [json.dumps(shard) for shard in _shards(definitions)]
        self.fields = tuple(encoder.fields.values())
        self._refuse_collisions()
        self._handles: list[Any] = []
        self._lock = threading.Lock()

    def _definition(self, encoder: Encoder, index: int, condition: Condition) -> Definition:
        definition = encoder.definition(index, condition)
        if weight(definition) <= WEIGHT_PER_SHARD:
            return definition
        raise MatcherRefused(
            f"「{encoder.rules.title}」的规则 {encoder.rules.rules[index].key} 展开后有 {weight(definition)} 种并列情形，"
            f"匹配引擎最多 {WEIGHT_PER_SHARD} 种。请把它拆成几条规则或派生事实"
        )

    def _refuse_collisions(self) -> None:
        hashes = {name_hash(field.name) for field in self.fields} | {name_hash("_f"), name_hash("id")}
        if len(hashes) != len(self.fields) + 2:
            raise MatcherRefused(f"「{self.title}」的字段名在匹配引擎里相撞。请拆分规则集")

    def fired(self, judgement: Judgement) -> set[int]:
        """Places of the rules that the C engine finds true for the judged facts."""
        fact = {"_f": 1, "id": "f"}
        for field in self.fields:
            value = field.encoded(judgement.traces.step(field.rule, field.leaf))
            if value is not None:
                fact[field.name] = value
        with self._lock:
            return self._collected(json.dumps(fact))

    def close(self) -> None:
        """Give the C rule sets back; the next question builds them anew."""
        with self._lock:
            handles, self._handles = self._handles, []
        for handle in handles:
            c_module().delete_ruleset(handle)

    def _collected(self, fact: str) -> set[int]:
        c_engine = c_module()
        found: set[int] = set()
        self._handles = self._handles or [c_engine.create_ruleset("s", shard) for shard in self.shards]
        for index, handle in enumerate(self._handles):
            try:
                _collect(c_engine, handle, fact, found)
            except BaseException:
                # The C rule set may hold a half-asserted fact, so it is built anew before anything else is asked of it.
                self._handles[index] = c_engine.create_ruleset("s", self.shards[index])
                c_engine.delete_ruleset(handle)
                raise
        return found


def _collect(c_engine: Any, handle: Any, fact: str, found: set[int]) -> None:
    code, offset = c_engine.assert_fact(handle, fact)
    if code == 1:
        return
    if code:
        raise MatcherRefused(f"匹配引擎返回代码 {code}。请改用 RULE_ENGINE=python，并把规则文件交给维护人员")
    started = c_engine.start_action_for_state(handle, offset)
    action = started[1] if started else None
    while action:
        found.add(int(action[2 : action.index('"', 2)]))
        action = c_engine.complete_and_start_action(handle, offset)
    c_engine.retract_fact(handle, fact)


def probe(matchers: Sequence[Matcher], seconds: float = SECONDS_TO_BUILD) -> None:
    """Build the C rule sets once in a short-lived child, for a fault in C kills its process. Raises MatcherRefused."""
    shards = [shard for matcher in matchers for shard in matcher.shards]
    if not shards:
        return
    command = [sys.executable, str(Path(__file__).with_name("matcher_probe.py"))]
    try:
        child = subprocess.run(
            command, input=json.dumps(shards), text=True, capture_output=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise MatcherRefused(
            f"匹配引擎 {seconds:g} 秒内没有编译完规则。请减少规则或把条件拆成派生事实"
        ) from error
    if child.returncode:
        raise MatcherRefused(
            f"匹配引擎编译规则时失败（退出码 {child.returncode}）：{child.stderr.strip()[-200:]}"
        )
