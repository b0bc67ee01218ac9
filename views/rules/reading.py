"""One rule set as it is read: in words, as a table, with parameters, golden cases and YAML."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.case.words import words
from domain.errors import NotFound
from domain.rule_workbench import usage
from rules.engine import RuleSet, prose, table, table_rows
from rules.engine.value import plain, present
from views import page
from views.decision_card import tone
from views.paging import PAGE_SIZE, Pager, pager, place
from views.rules import editions, frame, shown, use
from views.rules.shown import RuleHead, Shown
from views.rules.wording import wording


@dataclass(frozen=True)
class RulePage:
    """What templates/rules/show.html reads."""

    head: RuleHead
    digest: str
    sentences: tuple[str, ...]
    facts: tuple[Mapping[str, str], ...]
    asked: tuple[str, ...]


@dataclass(frozen=True)
class TablePage:
    """What templates/rules/table.html reads: a page of the rules, or of one large table."""

    head: RuleHead
    table: Mapping[str, Any]
    tones: Mapping[str, str]
    large: tuple[frame.Row, ...]
    is_large: bool
    words: str
    pager: Pager


@dataclass(frozen=True)
class ParametersPage:
    """What templates/rules/parameters.html reads."""

    head: RuleHead
    parameters: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class CasesPage:
    """What templates/rules/cases.html reads."""

    head: RuleHead
    cases: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True)
class YamlPage:
    """What templates/rules/yaml.html reads; no lines for an edition that is not recorded."""

    head: RuleHead
    lines: tuple[str, ...]
    file: str


def show(request: Request) -> Response:
    """One rule set in words, as it reads today or in the edition that the query names."""
    with page.reading(request) as session:
        found = shown.find(request, session)
    return _render(request, "rules/show.html", _reading(request, found), found)


def tab(request: Request) -> Response:
    """Another view of the same edition."""
    wanted = request.path_params["tab"]
    if wanted == "editions":
        return editions.show(request)
    if wanted == "use":
        return use.show(request)
    if wanted not in TABS:
        raise NotFound("规则集没有这个视图。请从上方的页签选择。")
    with page.reading(request) as session:
        found = shown.find(request, session)
    template, made = TABS[wanted]
    return _render(request, template, made(request, found), found)


def _render(request: Request, template: str, context: Any, found: Shown) -> Response:
    rules = found.rules
    return frame.render(request, template, context, title=rules.title, trail=frame.set_crumbs(rules.kind.key, rules.key, rules.title))


def _reading(request: Request, found: Shown) -> RulePage:
    said = wording("asked_at")
    asking = usage.asked_at(page.office(request), found.rules.key, found.today)
    asked = (f"{one.title}，{said[one.place]}{'：' if one.label else ''}{one.label}" for one in asking)
    return RulePage(
        head=shown.head(request, found, ""), digest=found.rules.digest, sentences=tuple(prose(found.rules)),
        facts=tuple(_facts(found.rules)), asked=tuple(dict.fromkeys(asked)),
    )  # fmt: skip


def _facts(rules: RuleSet) -> list[Mapping[str, str]]:
    named = words("fact_types")
    return [
        {"label": one.label, "key": key, "type": named.get(one.type, one.type), "unit": one.unit.label if one.unit else "—"}
        for key, one in rules.facts.items()
    ]


def _table(request: Request, found: Shown) -> TablePage:
    rules, asked = found.rules, request.query_params.get("q", "").strip()
    name = request.query_params.get("table", "")
    if name and name not in rules.tables:
        raise NotFound("这套规则没有这张表。请从判断表页选择。")
    start = place(request)
    made = table_rows(rules, name, start, PAGE_SIZE, asked) if name else table(rules, start, PAGE_SIZE, asked)
    return TablePage(
        head=shown.head(request, found, "table"), table=made, tones={each: tone(each) for each in rules.kind.outcomes},
        large=large_tables(request, rules, name), is_large=bool(name), words=asked,
        pager=pager(request, len(made["rows"]), made["total"], "行" if name else "条", key=rules.key, tab="table"),
    )  # fmt: skip


def large_tables(request: Request, rules: RuleSet, current: str) -> tuple[frame.Row, ...]:
    """Links to the large tables of the set."""
    query = {"edition": request.query_params.get("edition") or None}
    return tuple(
        {"label": f"{one.label}（{len(one.rows):,} 行）", "is_current": name == current,
         "href": frame.address(request, "rule_tab", {**query, "table": name}, key=rules.key, tab="table")}
        for name, one in rules.tables.items()
    )  # fmt: skip


def _parameters(request: Request, found: Shown) -> ParametersPage:
    return ParametersPage(shown.head(request, found, "parameters"), tuple(_values(found.rules)))


def _values(rules: RuleSet) -> list[Mapping[str, Any]]:
    """Every value of every parameter, dated and by code, with unit, basis and whether the owner has yet to confirm it."""
    rows = []
    for name, one in rules.parameters.items():
        sort = one.declaration
        shared = {"label": sort.label, "key": name, "basis": one.basis, "is_default": one.default,
                  "unit": sort.unit.label if sort.unit and sort.unit.label else "—"}  # fmt: skip
        dated = [(each.start.isoformat() if each.start else "—", "", each.value) for each in one.values]
        special = [("—", code, value) for code, value in one.special.items()]
        domain = rules.facts[one.by].domain if one.by else None
        rows += [
            {**shared, "value": present(value, sort), "from_on": start, "for": (domain or {}).get(code, code) if code else "—"}
            for start, code, value in (*dated, *special)
        ]
    return rows


def _cases(request: Request, found: Shown) -> CasesPage:
    return CasesPage(shown.head(request, found, "cases"), tuple(golden_rows(found.rules)))


def golden_rows(rules: RuleSet) -> list[dict[str, Any]]:
    """The golden cases in words: given, expected."""
    return [
        {"name": one.name, "on": one.on.isoformat(), "given": _pairs(rules, one.given), "expect": _expected(rules, one.expect)}
        for one in rules.cases
    ]


def _pairs(rules: RuleSet, given: Mapping[str, Any]) -> str:
    labels = {key: declaration.label for key, declaration in rules.names.items()}
    return "，".join(f"{labels.get(key, key)} {plain(value)}" for key, value in given.items())


def _expected(rules: RuleSet, expect: Mapping[str, Any]) -> str:
    if "refused" in expect:
        return f"{words('rules')['refused']}{expect['refused']}"
    outcome = str(expect.get("outcome", ""))
    return rules.kind.word(outcome) if outcome else _pairs(rules, expect)


def _yaml(request: Request, found: Shown) -> YamlPage:
    text = found.record.text if found.record else ""
    return YamlPage(shown.head(request, found, "yaml"), tuple(text.splitlines()), found.record.file if found.record else found.rules.file)


TABS: Mapping[str, tuple[str, Callable[[Request, Shown], Any]]] = {
    "table": ("rules/table.html", _table),
    "parameters": ("rules/parameters.html", _parameters),
    "cases": ("rules/cases.html", _cases),
    "yaml": ("rules/yaml.html", _yaml),
}
"""Template and context of each view that only reads the rules."""
