"""A decision: the outcome, its message and values, and everything it rests on."""

from collections.abc import Mapping
from datetime import date
from functools import cached_property
from typing import Any

from .kind import NONE, UNDETERMINED
from .leaf_report import VERDICT_KEYS
from .program import Judgement
from .rule_set import ALL, FIRST, Rule, RuleSet
from .syntax.comparison import Exists
from .syntax.condition import Verdict
from .syntax.expression import Expression
from .value import plain, present

VERDICT_WORDS = {True: "成立", False: "不成立", None: "判不出"}


class Decision:
    """What one rule set says on given facts and day; the same inputs give the same decision for ever."""

    def __init__(self, rules: RuleSet, judgement: Judgement, on: date, subject: str | None) -> None:
        self.rules, self.on, self.subject = rules, on, subject
        self._judgement = judgement
        self._fired = [rule for rule, verdict in zip(rules.rules, judgement.verdicts, strict=True) if verdict]
        self.rule = self._deciding()
        self.outcome = self._outcome()
        self.message = self._message()
        self.values = _worked_out(self.rule, judgement.facts) if self.rule is not None else {}

    @property
    def kind(self) -> str:
        return self.rules.kind.key

    @property
    def key(self) -> str:
        return self.rules.key

    @property
    def title(self) -> str:
        return self.rules.title

    @property
    def digest(self) -> str:
        return self.rules.digest

    @property
    def edition(self) -> dict[str, Any]:
        edition = self.rules.edition
        return {"from": plain(edition.start), "until": plain(edition.until), "demo": edition.demo}

    @property
    def undetermined(self) -> bool:
        return self.outcome == UNDETERMINED

    def _concluding(self, verdict: Verdict) -> list[tuple[int, int, Rule]]:
        """(severity, place, rule) of the rules with an outcome and that verdict; place alone ranks under `first`."""
        ranks, by_place = self.rules.kind.severity, self.rules.hit == FIRST
        pairs = zip(self.rules.rules, self._judgement.verdicts, strict=True)
        return [
            (0 if by_place else ranks(rule.outcome), place, rule)
            for place, (rule, found) in enumerate(pairs)
            if found is verdict and rule.outcome is not None
        ]

    def _deciding(self) -> Rule | None:
        fired = self._concluding(True)
        best = min(fired)[:2] if fired else None
        if self.rules.kind.gate and any(self._could_overrule(rank, best) for rank in self._concluding(None)):
            self._blocked = True
            return None
        self._blocked = False
        return self.rules.rules[best[1]] if best else None

    def _could_overrule(self, unknown: tuple[int, int, Rule], best: tuple[int, int] | None) -> bool:
        """Whether the answer would change if the rule that cannot be told turned out true."""
        if best is None or unknown[0] < best[0]:
            return True
        if unknown[:2] > best:
            return False
        decided, rule = self.rules.rules[best[1]], unknown[2]
        return rule.outcome != decided.outcome or rule.values != decided.values

    def _outcome(self) -> str:
        if self._blocked:
            return UNDETERMINED
        return self.rule.outcome if self.rule is not None else NONE

    def _message(self) -> str:
        if self._blocked:
            return f"缺少{'、'.join(self._missing_labels())}，「{self.title}」判不出，不能继续。请补齐后再办"
        if self.rules.hit == ALL:
            return "；".join(filter(None, map(self._said, self._fired)))
        return self._said(self.rule) if self.rule is not None else ""

    def _said(self, rule: Rule) -> str:
        return (
            rule.message.filled(self._judgement.facts, self.rules.names) if rule.message is not None else ""
        )

    def _missing_labels(self) -> list[str]:
        return [f"「{self.rules.names[name].label}」" for name in self.missing]

    @cached_property
    def missing(self) -> list[str]:
        """Facts that were needed by a rule that could not be told, in the order of their declaration."""
        needed: set[str] = set()
        rows = zip(self.rules.rules, self._judgement.verdicts, self._judgement.traces, strict=True)
        for rule, verdict, trace in rows:
            if verdict is None:
                for leaf, step in zip(rule.when.leaves(), trace, strict=True):
                    if step[2] is None:
                        needed |= leaf.reads()
        return self._absent(needed)

    def _absent(self, needed: set[str]) -> list[str]:
        facts = self._judgement.facts
        for name in reversed(self.rules.derived):
            if name in needed and facts[name] is None:
                needed = needed | self.rules.derived[name].reads()
        for name, parameter in self.rules.parameters.items():
            if name in needed and facts[name] is None and parameter.by is not None:
                needed = needed | {parameter.by}
        given = [name for name in self.rules.facts if name in needed and self._incomplete(name)]
        # A fact whose absence the rules themselves provide for is named only when nothing else is missing.
        given = [name for name in given if name not in self._optional] or given
        return given or [
            name
            for name in (*self.rules.derived, *self.rules.parameters)
            if name in needed and facts[name] is None
        ]

    @property
    def _optional(self) -> set[str]:
        leaves = [
            leaf for rule in self.rules.rules for leaf in rule.when.leaves() if isinstance(leaf, Exists)
        ]
        return {name for leaf in leaves for name in leaf.reads()}

    def _incomplete(self, name: str) -> bool:
        value = self._judgement.facts[name]
        return value is None or (
            isinstance(value, tuple) and any(None in record.values() for record in value)
        )

    @property
    def fired(self) -> list[dict[str, Any]]:
        """The rules that hold, with basis, outcome, message and values of each."""
        return [
            {
                "rule": rule.key, "label": rule.label, "basis": rule.basis, "outcome": rule.outcome,
                "message": self._said(rule), "values": plain(_worked_out(rule, self._judgement.facts)), "sets": list(rule.sets),
            }
            for rule in self._fired
        ]  # fmt: skip

    @property
    def considered(self) -> list[dict[str, Any]]:
        """Every rule with its verdict and each leaf: what was asked, the limit, the actual value, the finding."""
        rows = zip(
            self.rules.rules,
            self.rules.leaf_reports,
            self._judgement.verdicts,
            self._judgement.traces,
            strict=True,
        )
        shown: dict[str, str] = {}
        return [
            {
                "rule": rule.key, "label": rule.label, "basis": rule.basis, "verdict": VERDICT_KEYS[verdict],
                "leaves": [report.found(step, shown) for report, step in zip(reports, trace, strict=True)],
            }
            for rule, reports, verdict, trace in rows
        ]  # fmt: skip

    @property
    def tables(self) -> list[dict[str, Any]]:
        """Every table asked: the row found (None when there is none or it cannot be told), in words, and how many rows were looked at."""
        return [
            {
                "table": name, "label": table.label, "basis": table.basis, "row": looked.row.number if looked.row else None,
                "words": table.sentence(looked.row, self.rules.names) if looked.row else "", "looked_at": looked.looked_at,
                "rows": len(table.rows), "gives": {key: plain(self._judgement.facts[key]) for key in table.gives},
            }
            for name, table in self.rules.tables.items()
            for looked in (table.find(self._judgement.facts),)
        ]  # fmt: skip

    @property
    def found(self) -> dict[str, Any]:
        """Every name with its value: facts, parameters, derived facts, flags and the decision date."""
        return self._judgement.facts

    @property
    def facts(self) -> dict[str, Any]:
        """The given facts as they were taken in."""
        return {name: self._judgement.facts[name] for name in self.rules.facts}

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The parameters as they stood on the day, with unit, basis and whether they are a default."""
        return {
            name: {
                "value": plain(self._judgement.facts[name]), "unit": parameter.declaration.unit.key if parameter.declaration.unit else None,
                "label": parameter.declaration.label, "basis": parameter.basis, "default": parameter.default,
            }
            for name, parameter in self.rules.parameters.items()
        }  # fmt: skip

    def to_json(self) -> dict[str, Any]:
        """The decision as plain JSON values, complete enough to be read without the rule file."""
        found = self._judgement.facts
        return {
            "kind": self.kind, "key": self.key, "title": self.title, "edition": self.edition, "digest": self.digest,
            "on": self.on.isoformat(), "subject": self.subject, "outcome": self.outcome,
            "outcome_word": self.rules.kind.word(self.outcome), "message": self.message,
            "rule": self.rule.key if self.rule else None, "basis": self.rule.basis if self.rule else None,
            "values": plain(self.values), "fired": self.fired, "considered": self.considered, "facts": plain(self.facts),
            "derived": {name: plain(found[name]) for name in self.rules.derived},
            "flags": {name: VERDICT_KEYS[found[name]] for name in self.rules.flags},
            "parameters": self.parameters, "missing": self.missing, **({"tables": self.tables} if self.rules.tables else {}),
        }  # fmt: skip

    def sentences(self) -> list[str]:
        """The reasoning in Chinese, one line a finding."""
        start = self.rules.edition.start
        demo = "（演示值）" if self.rules.edition.demo else ""
        lines = [
            f"{self.rules.kind.label}「{self.title}」{demo}，版本 {start.isoformat()}，判断日期 {present(self.on, self.rules.names['on'])}"
        ]
        lines += [
            f"{sort.label}：{present(self._judgement.facts[name], sort)}"
            for name, sort in self._shown().items()
        ]
        for table in self.tables:
            found = f"查得第 {table['row']} 行" if table["row"] else "没有查到能确定的一行"
            words = f"：{table['words']}" if table["words"] else ""
            lines.append(f"表「{table['label']}」{found}（共 {table['rows']:,} 行，看了 {table['looked_at']:,} 行）{words}")
        for row in self.considered:
            label = row["label"] if row["label"] != row["rule"] else row["rule"]
            verdict = {VERDICT_KEYS[key]: word for key, word in VERDICT_WORDS.items()}[row["verdict"]]
            lines.append(
                f"规则「{label}」（{row['basis']}）{verdict}：{'；'.join(leaf['words'] for leaf in row['leaves'])}"
            )
        lines.append(
            f"结论：{self.rules.kind.word(self.outcome)}{'。' + self.message if self.message else ''}"
        )
        return lines

    def _shown(self) -> Mapping[str, Any]:
        return {
            name: sort
            for name, sort in self.rules.names.items()
            if name != "on" and sort.role in ("fact", "derived", "parameter")
        }


def _worked_out(rule: Rule, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: value.compile()(facts) if isinstance(value, Expression) else value
        for key, value in rule.values.items()
    }
