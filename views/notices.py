"""A person's notices 消息: unread first, each leading to its case."""

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from domain import notice
from domain.errors import InvalidData
from domain.notice import Notice
from views.page import actor, reading, redirect, render, writing
from views.paging import PAGE_SIZE, Pager, pager, place
from views.posted import number
from views.shell import Crumb


@dataclass(frozen=True)
class NoticesPage:
    """The context of account/notices.html; `newest` is the last one that this page speaks for."""

    rows: tuple[Notice, ...]
    unread: int
    only_unread: bool
    newest: int
    pager: Pager
    has_cases: bool


def show(request: Request) -> Response:
    """The list, narrowed to unread ones if asked."""
    only_unread = request.query_params.get("only") == "unread"
    person_id = actor(request).person_id
    with reading(request) as session:
        found = notice.page_of(session, person_id, only_unread=only_unread, first=place(request), size=PAGE_SIZE)
    newest = max((row.id for row in found.rows), default=0)
    page = NoticesPage(
        found.rows, found.unread, only_unread, newest, pager(request, len(found.rows), found.total, "条"), _case_page(request) is not None
    )
    return render(request, "account/notices.html", page, title="消息", crumbs=(Crumb("消息"),))


def open_notice(request: Request) -> Response:
    """Mark a notice as read and go to what it speaks of."""
    with writing(request) as session:
        row = notice.mark_read(session, actor(request), request.path_params["notice_id"])
    target = _case_page(request)
    if row.case_id is not None and target is not None:
        return redirect(request, target, case_id=row.case_id)
    if row.subject is not None and row.subject.startswith("inspection:"):
        return redirect(request, "inspection", task_id=int(row.subject.removeprefix("inspection:")))
    return redirect(request, "notices")


def read_all(request: Request) -> Response:
    """Mark everything up to the newest notice of the page as read."""
    through = number(request, "through")
    if through is None:
        raise InvalidData("没有说明读到哪一条。请从消息页面提交。")
    with writing(request) as session:
        notice.mark_all_read(session, actor(request), through)
    return redirect(request, "notices")


def _case_page(request: Request) -> str | None:
    """The route that shows a case to this person."""
    wanted = "my_case" if actor(request).is_applicant else "case"
    return wanted if wanted in request.app.state.route_names else None
