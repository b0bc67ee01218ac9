"""The shell of a page from its request: navigation by role, the person, notices, the demo banner."""

from typing import Any

from starlette.requests import Request

from domain import role
from domain.actor import Actor
from views.shell import Crumb, Link, Notice, Person, Search, Shell

REPORT_READERS = (
    "reviewer", "section_chief", "approver", "printer", "dispatcher", "erratum_reviewer", "report_admin", "city_handler",
    "city_leader", "bureau_leader", "city_viewer",
)  # fmt: skip
"""Roles that look at reports to the land-use control platform."""

BENCH_LINKS = (
    ("desk", "工作台", "desk", lambda actor: role.handles_cases(actor)),
    ("cases", "办件", "cases", lambda actor: role.handles_cases(actor)),
    ("map", "一张图", "map", lambda actor: role.handles_cases(actor)),
    ("layers", "图层", "layers", lambda actor: role.handles_cases(actor)),
    ("inspections", "质检", "inspections", lambda actor: role.may(actor, "inspections")),
    ("overlays", "叠加分析", "overlays", lambda actor: role.handles_cases(actor)),
    ("ledgers", "台账", "ledgers", lambda actor: role.may(actor, "ledgers")),
    ("usage_control", "用途管制", "usage_control", lambda actor: actor.has_role(*REPORT_READERS)),
    ("rules", "规则", "rules", lambda actor: role.is_staff(actor)),
    ("exchange", "交换", "exchange", lambda actor: role.may(actor, "exchange")),
    ("administration", "管理", "administration", lambda actor: actor.has_role("system_admin", "security_admin")),
    ("audit", "留痕", "audit", lambda actor: actor.has_role("audit_admin")),
)
"""(route, label, key of the current place, who sees it); a route that is not in the table is left out."""

PUBLIC_LINKS = (("hall", "办事大厅", "hall"), ("my_cases", "我的办件", "my_cases"), ("verify", "文书核验", "verify"))


def shell_for(
    request: Request,
    *,
    title: str,
    crumbs: tuple[Crumb, ...] = (),
    current: str = "",
    audience: str | None = None,
    notices: tuple[Notice, ...] = (),
) -> Shell:
    """Everything the base templates read, for this person and this page."""
    actor: Actor | None = getattr(request.state, "actor", None)
    signed_in = actor is not None and actor.person_id is not None
    bench = audience == "bench" or (audience is None and signed_in and role.is_staff(actor))
    preferences = getattr(request.state, "preferences", None)
    return Shell(
        title=title,
        audience="bench" if bench else "public",
        nav=_bench_nav(request, actor, current) if bench else _public_nav(request, signed_in, current),
        crumbs=crumbs,
        person=_person(request, actor) if signed_in else None,
        sign_in=None if signed_in else Link("sign_in", "登录"),
        search=_search(request, actor) if bench else None,
        home=Link(home_of(request, actor) if bench else "hall", "规图"),
        theme=_theme(request, preferences),
        density=preferences.density if preferences else None,
        text_size=preferences.text_size if preferences else "normal",
        csrf_token=getattr(request.state, "csrf_token", None),
        notices=notices,
        is_demo=request.app.state.office.is_demo,
        demo_date=getattr(request.state, "demo_date", None),
        foot_links=tuple(Link(name, label) for name, label in _foot(request)),
        foot_text=_foot_text(request),
    )


def home_of(request: Request, actor: Actor) -> str:
    """The name of the page where this person's day begins; administrators see no cases and have no desk."""
    if not role.is_staff(actor):
        return "hall"
    if role.handles_cases(actor):
        return "desk"
    return "audit" if actor.has_role("audit_admin") else "administration"


def _search(request: Request, actor: Actor) -> Search | None:
    if not role.handles_cases(actor):
        return None
    return Search("cases", "搜索办件、地块、单位", request.query_params.get("q", ""))


def _has_route(request: Request, name: str) -> bool:
    return name in request.app.state.route_names


def _bench_nav(request: Request, actor: Any, current: str) -> tuple[Link, ...]:
    return tuple(
        Link(name, label, is_current=key == current)
        for name, label, key, may_see in BENCH_LINKS
        if _has_route(request, name) and may_see(actor)
    )


def _public_nav(request: Request, signed_in: bool, current: str) -> tuple[Link, ...]:
    return tuple(
        Link(name, label, is_current=key == current)
        for name, label, key in PUBLIC_LINKS
        if _has_route(request, name) and (signed_in or name != "my_cases")
    )


def _person(request: Request, actor: Actor) -> Person:
    unread = getattr(request.state, "unread", None)
    links = [Link(name, label, count=(unread or None) if name == "notices" else None) for name, label in (("account", "我的账号"), ("absences", "外出代理"), ("notices", "消息"))
             if _has_route(request, name) and (name != "absences" or role.is_staff(actor))]
    return Person(actor.name, role.acts_as(actor), tuple(links), "sign_out")


def _theme(request: Request, preferences: Any) -> str:
    wanted = preferences.theme if preferences else "system"
    if wanted != "system":
        return wanted
    return "dark" if request.headers.get("sec-ch-prefers-color-scheme") == "dark" else "light"


def _foot(request: Request) -> list[tuple[str, str]]:
    return [(n, label) for n, label in (("help", "帮助"), ("functions", "功能清单"), ("accessibility", "无障碍说明")) if _has_route(request, n)]


def _foot_text(request: Request) -> str:
    return request.app.state.foot_text
