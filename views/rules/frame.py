"""What the pages of the rules workbench share: crumbs, notices of what was done, links, names of editions."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse

from domain.actor import Actor
from domain.case.words import words
from domain.rule_edition.draft import KEEPERS
from rules.engine import RuleSet
from rules.engine.kind import kinds
from views import page
from views.rules.wording import wording
from views.shell import Crumb, Link, Notice

Row = Mapping[str, Any]


def address(request: Request, name: str, query: Mapping[str, object] | None = None, **params: object) -> str:
    """The path of a named page."""
    return request.app.state.templates.url(name, query, **params)


def keeps_rules(actor: Actor) -> bool:
    """True for those who may change rules."""
    return actor.has_role(*KEEPERS)


def edition_words(rules: RuleSet) -> str:
    """The days of an edition: 2026-01-01 起."""
    until = f"—{rules.edition.until.isoformat()}" if rules.edition.until else " 起"
    return f"{rules.edition.start.isoformat()}{until}{words('rules')['demo'] if rules.edition.demo else ''}"


def crumbs(*trail: Crumb) -> tuple[Crumb, ...]:
    """The path below the library."""
    return (Crumb("规则", Link("rules", "规则")), *trail)


def set_crumbs(kind: str, key: str, title: str) -> tuple[Crumb, Crumb]:
    """The path to one rule set: its kind, and itself."""
    return Crumb(kinds()[kind].label, Link("rules", "", query={"kind": kind})), Crumb(title, Link("rule", title, {"key": key}))


def render(
    request: Request, template: str, context: Any, *, title: str, trail: tuple[Crumb, ...] = (), block: str | None = None,
    status: int = 200, notices: tuple[Notice, ...] = (),
) -> HTMLResponse:  # fmt: skip
    """A page of the workbench, with the notice of what was done before it."""
    return page.render(
        request, template, context, title=title, crumbs=crumbs(*trail), current="rules", audience="bench", block=block,
        status=status, notices=(*_done(request), *notices),
    )  # fmt: skip


def _done(request: Request) -> tuple[Notice, ...]:
    said = wording("done").get(request.query_params.get("done", ""))
    return (Notice("good", said),) if said else ()
