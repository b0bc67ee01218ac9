"""The library of rule sets: by kind, system, matter and step; searched in words, by fact and by state."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import Response

from domain.rule_edition import conflict, draft, files, store
from domain.rule_edition.tables import IN_FORCE, SCHEDULED, RuleDraft, RuleEdition
from domain.rule_workbench import usage
from domain.rule_workbench.usage import MonthUse, SetQuery
from rules.engine import RuleSet
from rules.engine.kind import kinds
from views import page
from views.case_list import portal_today
from views.rules import frame
from views.rules.wording import wording
from views.shell import Link, Notice

UNUSED = MonthUse("", 0, 0, 0)
SORTS: Mapping[str, Callable[[RuleSet, MonthUse], Any]] = {
    "title": lambda rules, _use: rules.title, "uses": lambda _rules, use: use.asked, "refused": lambda _rules, use: use.refused,
    "rules": lambda rules, _use: len(rules.rules), "cases": lambda rules, _use: len(rules.cases),
}  # fmt: skip
COLUMNS = (
    {"key": "title", "label": "规则集"}, {"key": "asked", "label": "用在"}, {"key": "basis", "label": "依据"}, {"key": "edition", "label": "版本"},
    {"key": "uses", "label": "本月问过", "is_number": True}, {"key": "refused", "label": "不放行", "is_number": True},
    {"key": "rules", "label": "条数", "is_number": True}, {"key": "cases", "label": "用例", "is_number": True},
)
QUERY = ("kind", "system", "matter", "step", "state", "fact", "parameter", "q")


@dataclass(frozen=True)
class LibraryPage:
    """What templates/rules/index.html reads."""

    groups: tuple[frame.Row, ...]
    columns: tuple[frame.Row, ...]
    fields: tuple[frame.Row, ...]
    words: str
    count: int
    may_edit: bool
    drafts: int


@dataclass(frozen=True)
class Standing:
    """What the records say of the rule sets: scheduled editions, drafts and conflicts by key; faults of files; use."""

    current: Sequence[RuleEdition]
    drafts: Sequence[RuleDraft]
    conflicts: frozenset[str]
    faults: int
    use: Mapping[str, MonthUse]
    """How often each set was asked this month, by key."""

    @property
    def unwritten(self) -> int:
        """Editions in force whose file could not be written."""
        return sum(row.state == IN_FORCE and row.written_at is None and bool(row.write_fault) for row in self.current)

    def states(self, key: str) -> list[str]:
        """The states of one rule set, as in wording.yaml."""
        held = {row.state for row in self.current if row.key == key}
        found = [state for state in (IN_FORCE, SCHEDULED) if state in held]
        found += ["draft"] if any(row.key == key for row in self.drafts) else []
        return found + (["conflict"] if key in self.conflicts else [])


def library(request: Request) -> Response:
    """Every rule set by kind, narrowed by what the query asks."""
    office, today, actor = page.office(request), portal_today(request), page.actor(request)
    asked = {name: request.query_params.get(name, "").strip() for name in QUERY}
    with page.reading(request) as session:
        standing = _standing(session, today)
    wanted = SetQuery(asked["q"], asked["kind"], asked["fact"], asked["parameter"], asked["system"], asked["matter"], asked["step"])
    found = [each for each in usage.search(office, wanted, today) if not asked["state"] or asked["state"] in standing.states(each.key)]
    sort = request.query_params.get("sort", "")
    groups: dict[str, list[RuleSet]] = {}
    for rules in _sorted(found, sort, standing.use):
        groups.setdefault(rules.kind.label, []).append(rules)
    context = LibraryPage(
        columns=_columns(request, asked, sort), groups=tuple({"label": label, "rows": [_row(request, each, today, standing) for each in sets]} for label, sets in groups.items()),
        fields=tuple(_fields(asked, office.catalogue.all(today))), words=asked["q"], count=len(found), may_edit=frame.keeps_rules(actor),
        drafts=len(standing.drafts),
    )  # fmt: skip
    notices = _notices(standing) if context.may_edit else ()
    return page.render(request, "rules/index.html", context, title="规则", current="rules", audience="bench", notices=notices)


def _sorted(found: Sequence[RuleSet], sort: str, use: Mapping[str, MonthUse]) -> list[RuleSet]:
    """By what the query names, `-` before it for the largest first; the kinds keep their order."""
    name = sort.removeprefix("-")
    if name in SORTS:
        keys = {rules.key: SORTS[name](rules, use.get(rules.key, UNUSED)) for rules in found}
        found = sorted(found, key=lambda rules: keys[rules.key], reverse=sort.startswith("-"))
    return sorted(found, key=lambda rules: rules.kind.label)


def _columns(request: Request, asked: Mapping[str, str], sort: str) -> tuple[frame.Row, ...]:
    kept = {name: value for name, value in asked.items() if value}
    columns: list[dict[str, Any]] = [dict(column) for column in COLUMNS]
    for column in columns:
        name = column["key"]
        if name not in SORTS:
            continue
        turned = name if sort == f"-{name}" or (not sort.endswith(name) and name == "title") else f"-{name}"
        column["sort"] = {"href": frame.address(request, "rules", {**kept, "sort": turned})}
        if sort.removeprefix("-") == name:
            column["sort"]["order"] = "descending" if sort.startswith("-") else "ascending"
    return tuple(columns)


def _standing(session: Session, today: date) -> Standing:
    open_conflicts = frozenset(row.key for row in conflict.conflicts(session))
    return Standing(
        store.current(session), draft.drafts(session), open_conflicts, len(files.faults(session)),
        usage.of_all(session, today),
    )  # fmt: skip


def _notices(standing: Standing) -> tuple[Notice, ...]:
    """What a maintainer must settle about the files."""
    counted = ((len(standing.conflicts), "套规则的文件与已发布的版本都改过"), (standing.faults, "个规则文件有错，没有启用"),
               (standing.unwritten, "个版本还没有写进规则文件"))  # fmt: skip
    said = "；".join(f"{count} {what}" for count, what in counted if count)
    return (Notice("warn", f"{said}。", link=Link("rule_files", "查看并处理")),) if said else ()


def _fields(asked: Mapping[str, str], case_types: Sequence[Any]) -> list[Mapping[str, Any]]:
    """The filter form: choices from what there is."""
    steps = {step.key: step.label for each in case_types for step in each.workflow.steps if step.key != each.workflow.start}
    lists = (
        ("kind", "类别", {each.key: each.label for each in kinds().values()}),
        ("system", "系统", {each.group: each.group for each in case_types}),
        ("matter", "事项", {each.key: each.title for each in case_types}),
        ("step", "环节", steps),
        ("state", "状态", {key: label for key, label in wording("library_states").items() if key != "fault"}),
    )
    chosen = [
        {"name": name, "label": label, "kind": "select", "value": asked[name],
         "choices": [{"value": value, "label": words} for value, words in choices.items()]}
        for name, label, choices in lists
    ]  # fmt: skip
    return [*chosen, {"name": "fact", "label": "事实", "value": asked["fact"]}, {"name": "parameter", "label": "参数", "value": asked["parameter"]},
            {"name": "q", "label": "名称、依据、条文", "value": asked["q"]}]


def _row(request: Request, rules: RuleSet, on: date, standing: Standing) -> Mapping[str, Any]:
    asking = usage.asked_at(page.office(request), rules.key, on)
    use = standing.use.get(rules.key, UNUSED)
    return {
        "title": {"text": rules.title, "href": frame.address(request, "rule", key=rules.key), "sub": rules.key},
        "edition": {"text": frame.edition_words(rules), "sub": _coming(rules.key, standing)},
        "asked": {"text": "；".join(dict.fromkeys(place.title for place in asking)) or "—"},
        "basis": "；".join(dict.fromkeys(each.strip() for rule in rules.rules for each in rule.basis.split("；"))),
        "uses": {"text": f"{use.asked:,}", "href": frame.address(request, "rule_tab", key=rules.key, tab="use") if use.asked else None,
                 "sub": f"判不出 {use.undetermined:,}" if use.undetermined else ""},
        "refused": f"{use.refused:,}", "rules": str(len(rules.rules)), "cases": str(len(rules.cases)),
    }  # fmt: skip


def _coming(key: str, standing: Standing) -> str:
    """A scheduled edition, a draft with its author, a conflict: what is on its way."""
    said = [f"{row.start.isoformat()} 起有新版本" for row in standing.current if row.key == key and row.state == SCHEDULED]
    states = wording("draft_states")
    said += [f"草稿：{row.author_name}，{states[row.state]}" for row in standing.drafts if row.key == key]
    return "；".join([*said, *(["文件冲突待处理"] if key in standing.conflicts else [])])
