"""The frame of every administration page: the index at the left, by what the administrator may do."""

from dataclasses import fields
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.actor import Actor
from domain.dictionary import dictionaries
from domain.town import towns
from views import page
from views.shell import Crumb, Link, Notice

BOTH = ("system_admin", "security_admin")
SYSTEM = ("system_admin",)
SECTIONS = (
    ("人和单位", (("administered_people", "账号与岗位", BOTH), ("organisations", "单位", SYSTEM))),
    ("数据", (
        ("dictionaries", "字典", SYSTEM), ("parameters", "参数", SYSTEM), ("calendars", "工作日历", SYSTEM),
        ("template_files", "模板文件", SYSTEM),
    )),
    ("运行", (("administration", "运行状况", BOTH), ("administered_jobs", "作业", SYSTEM), ("demo_date", "演示日期", SYSTEM))),
)
"""(heading, ((route, label, roles), …))"""


def render(
    request: Request,
    template: str,
    context: Any,
    *,
    section: str,
    title: str,
    trail: tuple[Crumb, ...] = (),
    notices: tuple[Notice, ...] = (),
    status: int = 200,
    block: str | None = None,
) -> Response:
    """A page of the administration; `section` is the route that is marked in the index, `trail` what lies below it."""
    values = {field.name: getattr(context, field.name) for field in fields(context)}
    values["sections"] = _sections(request, page.actor(request), section)
    crumbs = (Crumb("管理", Link("administration", "管理")), *_own_crumb(section, title, trail))
    return page.render(
        request, template, values, title=title, crumbs=crumbs, current="administration", audience="bench",
        notices=notices, status=status, block=block,
    )


def _own_crumb(section: str, title: str, trail: tuple[Crumb, ...]) -> tuple[Crumb, ...]:
    label = next(label for _heading, links in SECTIONS for name, label, _roles in links if name == section)
    return (Crumb(label, Link(section, label)), *trail) if trail else (Crumb(label),)


def _sections(request: Request, actor: Actor, section: str) -> list[dict[str, Any]]:
    url = request.app.state.templates.url
    is_demo = page.office(request).is_demo
    found = []
    for heading, links in SECTIONS:
        items = [
            {"label": label, "href": url(name), "is_current": name == section}
            for name, label, roles in links
            if actor.has_role(*roles) and (name != "demo_date" or is_demo)
        ]
        if items:
            found.append({"title": heading, "items": items})
    return found


def done(request: Request, words: dict[str, str]) -> tuple[Notice, ...]:
    """What a redirect says was done."""
    key = request.query_params.get("done", "")
    return (Notice("good", words[key]),) if key in words else ()


def district_choices() -> list[dict[str, str]]:
    """The districts and management areas, for selects."""
    return [{"value": each.value, "label": each.label} for each in dictionaries()["districts"].choices]


def town_choices() -> list[dict[str, str]]:
    """The streets and towns with their district before the name, for selects."""
    districts = {each.value: each.label for each in dictionaries()["districts"].choices}
    return [{"value": each.code, "label": f"{districts.get(each.district_code, '')} {each.name}"} for each in towns()]
