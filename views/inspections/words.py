"""What states, severities and rights of inspections are called on screens, in one place."""

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from domain.district import district_name
from domain.inspection.task import access
from domain.inspection.task.access import CITY
from domain.inspection.task.report import EXCEPTION_STATES, FINDING_STATES, SEVERITIES
from domain.inspection.task.tables import STATES
from views import page
from views.shell import Crumb, Link

HOME = Link("inspections", "质检")
STATE_WORDS = dict(zip(STATES, ("读取中", "不能读取", "待确认", "排队中", "质检中", "不合格", "合格", "已入库", "没有完成", "已取消"), strict=True))
STATE_TONES = {
    "unreadable": "bad", "waiting": "warn", "queued": "info", "running": "info", "reading": "info", "failed": "bad",
    "passed": "good", "admitted": "good", "broken": "bad",
}  # fmt: skip
SEVERITY_TONES = {"error": "bad", "warning": "warn", "notice": "info"}
EXCEPTION_TONES = {"asked": "warn", "approved": "good", "refused": "bad"}
GENERATED = "演示生成的数据，不代表真实成果。"


def state_tag(state: str) -> Mapping[str, str]:
    """The tag of the state of a task or a package."""
    return {"label": STATE_WORDS[state], "tone": STATE_TONES.get(state, "")}


def severity_tag(severity: str) -> Mapping[str, str]:
    """The tag of a finding's severity."""
    return {"label": SEVERITIES.get(severity, severity), "tone": SEVERITY_TONES.get(severity, "")}


def exception_tag(state: str) -> Mapping[str, str]:
    """The tag of a request for an exception."""
    return {"label": EXCEPTION_STATES[state], "tone": EXCEPTION_TONES.get(state, "")}


def finding_state(state: str) -> str:
    """The state of a finding in words."""
    return FINDING_STATES[state]


def area_name(code: str) -> str:
    """The district of a task in words."""
    return "全市" if code == CITY else district_name(code)


def url(request: Request, name: str, query: Mapping[str, Any] | None = None, **params: Any) -> str:
    """The address of a named place."""
    return request.app.state.templates.url(name, query, **params)


def may(request: Request, right: str, district_code: str | None = None) -> bool:
    """True if whoever looks has the right there."""
    return access.may(page.actor(request), right, district_code)


def crumbs(*more: Crumb) -> tuple[Crumb, ...]:
    """Where a page of inspections lies."""
    return (Crumb(HOME.label, HOME), *more)
