"""Rules as they are read: the library of rule sets, and each in words, as a table, with parameters and golden cases."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.case.words import words
from domain.decision import kind_of
from domain.errors import NotFound
from rules.engine import NoEditionInForce, RuleBook, RuleSet, prose, table
from rules.engine.kind import kinds
from rules.engine.value import plain, present
from views import page
from views.case_list import portal_today
from views.decision_card import tone
from views.shell import Crumb, Link


@dataclass(frozen=True)
class LibraryContext:
    """What templates/rules/index.html reads."""

    groups: tuple[Mapping[str, Any], ...]
    kinds: tuple[Mapping[str, str], ...]
    kind: str
    words: str
    count: int


@dataclass(frozen=True)
class RuleContext:
    """What templates/rules/show.html reads."""

    title: str
    key: str
    kind_label: str
    asked_on: tuple[str, ...]
    edition: str
    digest: str
    sentences: tuple[str, ...]
    table: Mapping[str, Any]
    tones: Mapping[str, str]
    parameters: tuple[Mapping[str, Any], ...]
    facts: tuple[Mapping[str, str], ...]
    cases: tuple[Mapping[str, Any], ...]
    editions: tuple[Mapping[str, Any], ...]
    used_by: tuple[str, ...]


def library(request: Request) -> Response:
    """Every rule set by kind, searched by title, key, and basis."""
    book, today = page.office(request).book, portal_today(request)
    kind, asked = request.query_params.get("kind", ""), request.query_params.get("q", "").strip()
    found = [rules for rules in _in_force(book, today) if kind in ("", rules.kind.key) and _fits(rules, asked)]
    groups: dict[str, list[RuleSet]] = {}
    for rules in found:
        groups.setdefault(rules.kind.label, []).append(rules)
    context = LibraryContext(
        groups=tuple({"label": label, "rows": [_row(request, each) for each in sets]} for label, sets in groups.items()),
        kinds=tuple({"value": each.key, "label": each.label} for each in kinds().values()), kind=kind, words=asked,
        count=len(found),
    )
    return page.render(request, "rules/index.html", context, title="规则", current="rules", audience="bench")


def _in_force(book: RuleBook, on: date) -> list[RuleSet]:
    """The edition in force of every set; of a set with none in force, the one that comes next or was last."""
    return [_edition(book, kind, key, on) for kind, key in book.keys()]  # noqa: SIM118


def _edition(book: RuleBook, kind: str, key: str, on: date) -> RuleSet:
    try:
        return book.rule_set(kind, key, on)
    except NoEditionInForce:
        return book.editions(kind, key)[-1]


def _fits(rules: RuleSet, asked: str) -> bool:
    places = (rules.title, rules.key, *(rule.basis for rule in rules.rules), *(rule.label for rule in rules.rules))
    return all(any(word.lower() in place.lower() for place in places) for word in asked.split())


def _row(request: Request, rules: RuleSet) -> Mapping[str, Any]:
    href = request.app.state.templates.url("rule", key=rules.key)
    return {
        "title": {"text": rules.title, "href": href, "sub": rules.key}, "edition": _edition_words(rules),
        "rules": len(rules.rules), "cases": len(rules.cases),
        "basis": "；".join(dict.fromkeys(each.strip() for rule in rules.rules for each in rule.basis.split("；"))),
    }


def _edition_words(rules: RuleSet) -> str:
    until = f"—{rules.edition.until.isoformat()}" if rules.edition.until else " 起"
    return f"{rules.edition.start.isoformat()}{until}{words('rules')['demo'] if rules.edition.demo else ''}"


def show(request: Request) -> Response:
    """One rule set as it reads today, or in the edition that began on the day in the URL's query."""
    book, key, today = page.office(request).book, request.path_params["key"], portal_today(request)
    if key not in {each for _kind, each in book.keys()}:  # noqa: SIM118
        raise NotFound("没有这套规则。请从规则列表中选择。")
    rules = _wanted(book, key, request.query_params.get("edition", ""), today)
    context = _context(request, book, rules)
    crumbs = (Crumb("规则", Link("rules", "规则")), Crumb(rules.kind.label, Link("rules", "", query={"kind": rules.kind.key})),
              Crumb(rules.title))
    return page.render(
        request, "rules/show.html", context, title=rules.title, crumbs=crumbs, current="rules", audience="bench"
    )


def _wanted(book: RuleBook, key: str, digest: str, today: date) -> RuleSet:
    kind = kind_of(book, key)
    if not digest:
        return _edition(book, kind, key, today)
    for rules in book.editions(kind, key):
        if rules.digest == digest:
            return rules
    raise NotFound("没有这个版本的规则。请从版本列表中选择。")


def _context(request: Request, book: RuleBook, rules: RuleSet) -> RuleContext:
    return RuleContext(
        title=rules.title,
        key=rules.key,
        kind_label=rules.kind.label,
        asked_on=tuple(words("asked_on").get(each, each) for each in rules.asked_on),
        edition=_edition_words(rules),
        digest=rules.digest,
        sentences=tuple(prose(rules)),
        table=table(rules),
        tones={outcome: tone(outcome) for outcome in rules.kind.outcomes},
        parameters=tuple(_parameters(rules)),
        facts=tuple(_facts(rules)),
        cases=tuple(_cases(rules)),
        editions=tuple(_editions(request, book, rules)),
        used_by=tuple(_used_by(request, rules)),
    )


def _parameters(rules: RuleSet) -> list[Mapping[str, Any]]:
    """Every dated value of every parameter, with unit, basis and whether the owner has yet to confirm it."""
    return [
        {
            "label": one.declaration.label, "value": present(dated.value, one.declaration),
            "from_on": dated.start.isoformat() if dated.start else "—", "basis": one.basis, "is_default": one.default,
        }
        for one in rules.parameters.values()
        for dated in one.values
    ]


def _facts(rules: RuleSet) -> list[Mapping[str, str]]:
    named = words("fact_types")
    return [
        {"label": one.label, "key": key, "type": named.get(one.type, one.type), "unit": one.unit.label if one.unit else "—"}
        for key, one in rules.facts.items()
    ]


def _cases(rules: RuleSet) -> list[Mapping[str, Any]]:
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


def _editions(request: Request, book: RuleBook, shown: RuleSet) -> list[Mapping[str, Any]]:
    url = request.app.state.templates.url
    return [
        {"label": _edition_words(each), "href": url("rule", {"edition": each.digest}, key=each.key),
         "is_current": each.digest == shown.digest}
        for each in reversed(book.editions(shown.kind.key, shown.key))
    ]


def _used_by(request: Request, rules: RuleSet) -> list[str]:
    """Case types that ask this set: at the start, at a step, by an action, a route, a document, a clock or a field."""
    types = page.office(request).catalogue.all(portal_today(request))
    return [each.title for each in types if rules.key in _asked_by(each)]


def _asked_by(case_type: Any) -> set[str]:
    keys = {*case_type.asks_on_start, *(one.light for one in case_type.clocks)}
    keys |= {key for document in case_type.documents for key in document.needs}
    keys |= {field.same_rule for field in case_type.form.fields() if field.same_rule}
    for step in case_type.workflow.steps:
        keys |= set(step.asks)
        for action in step.actions:
            keys |= {*action.decides, *([action.route.ask] if action.route else [])}
    return keys
