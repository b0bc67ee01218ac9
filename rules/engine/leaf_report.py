"""How one leaf of a condition is reported: prepared once per rule set, filled in per decision."""

from typing import Any

from .syntax.comparison import Comparison
from .syntax.condition import Leaf
from .syntax.expression import Literal, Name, Names
from .value import plain

VERDICT_KEYS = {True: "true", False: "false", None: "unknown"}


class LeafReport:
    """The unchanging part of a leaf's report, and the function for its words."""

    __slots__ = ("_constant", "_describe", "fact", "operator")

    def __init__(self, leaf: Leaf, names: Names) -> None:
        self.operator, self._describe = leaf.key, leaf.describer(names)
        subject = leaf.left if isinstance(leaf, Comparison) else Name(leaf.listed)
        self.fact = subject.name if isinstance(subject, Name) else subject.words(names)
        constant = isinstance(leaf, Comparison) and all(isinstance(limit, Literal) for limit in leaf.limits)
        self._constant = plain([limit.value for limit in leaf.limits]) if constant else None

    def found(self, step: tuple, shown: dict) -> dict[str, Any]:
        """The report for one trace step (actual, limits, verdict)."""
        actual, limits, verdict = step
        return {
            "fact": self.fact,
            "operator": self.operator,
            "limits": plain(limits) if self._constant is None else list(self._constant),
            "actual": len(actual) if isinstance(actual, tuple) else plain(actual),
            "verdict": VERDICT_KEYS[verdict],
            "words": self._describe(actual, limits, verdict, shown),
        }
