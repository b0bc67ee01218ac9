"""How the portal runs: runner, jobs, messages, last sweep, room on the disk."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain import calendar_table, health
from domain.health import Health
from domain.ports.partner import PARTNERS
from views.administration import frame
from views.page import office, reading
from views.shell import Notice

DUTIES = {
    "jobs": "作业", "heartbeat": "心跳", "sweep": "每日自动处理", "results": "取回报送结果", "rules": "规则上架",
    "observations": "监测读数判断",
}


@dataclass(frozen=True)
class OverviewPage:
    """The context of administration/overview.html; `troubles` has one sentence per thing to look after."""

    troubles: tuple[str, ...]
    health: Health
    duties: list[dict[str, Any]]
    partners: list[dict[str, Any]]
    rules: int
    free_bytes: int
    last_sweep_at: datetime | None


def show(request: Request) -> Response:
    """The overview; the title says whether anything must be looked after."""
    with reading(request) as session:
        found = health.look(session)
        calendar_fault = calendar_table.calendar_fault(session)
    runner = request.app.state.runner.health()
    page = OverviewPage(
        troubles=_troubles(request, found, runner, calendar_fault),
        health=found,
        duties=[_duty_row(name, duty) for name, duty in runner["duties"].items()],
        partners=[_partner_row(each) for each in found.partners],
        rules=health.rules_in_force(office(request)),
        free_bytes=health.free_bytes(office(request).files.root),
        last_sweep_at=found.last_sweep_at,
    )
    notices = tuple(Notice("warn", trouble) for trouble in page.troubles)
    return frame.render(request, "administration/overview.html", page, section="administration", title="运行状况", notices=notices)


def _troubles(request: Request, found: Health, runner: dict[str, Any], calendar_fault: str | None) -> tuple[str, ...]:
    words = []
    if not runner["is_running"]:
        words.append("本进程没有运行后台任务。只有一个进程运行它们；确认另有进程在运行，否则请重启门户。")
    words += [f"后台任务「{_duty_words(name)}」出错（{duty['fault']}），正在重试。原因见日志。" for name, duty in runner["duties"].items() if duty["fault"]]
    if found.stuck_jobs:
        words.append(f"有 {found.stuck_jobs} 项作业两分钟没有心跳。请在「作业」中查看。")
    if found.jobs.get("failed"):
        words.append(f"有 {found.jobs['failed']} 项作业没有完成。请在「作业」中查看原因，可以重试。")
    words += [f"{PARTNERS[each.partner].label}连不上，{each.waiting} 条消息在等。恢复后自动发出。" for each in found.partners if each.is_down]
    words += [f"发往{PARTNERS[each.partner].label}的 {each.dead} 条消息已放弃。请报送管理员在「交换」中重发。" for each in found.partners if each.dead]
    words += [f"规则文件有 {len(office(request).book.faults)} 处错误，上一个好的版本仍在使用。"] if office(request).book.faults else []
    return (*words, calendar_fault) if calendar_fault else tuple(words)


def _duty_words(name: str) -> str:
    partner = PARTNERS.get(name.removeprefix("outbox-"))
    return f"报送{partner.label}" if partner else DUTIES.get(name, name)


def _duty_row(name: str, duty: dict[str, Any]) -> dict[str, Any]:
    tag = {"label": "出错", "tone": "bad"} if duty["fault"] else {"label": "正常", "tone": "good"}
    return {"cells": {"name": _duty_words(name), "beat": duty["seconds_since_beat"], "state": {"tag": tag}}}


def _partner_row(each: health.PartnerState) -> dict[str, Any]:
    tag = {"label": "连不上", "tone": "bad"} if each.is_down else {"label": "正常", "tone": "good"}
    return {"cells": {"name": PARTNERS[each.partner].label, "waiting": each.waiting, "dead": each.dead, "state": {"tag": tag}}}
