"""The desk 工作台: what is to do, what runs, what was done; the first page of an official's day."""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from domain.case.inbox import COUNT_LIMIT
from views import case_list, page
from views.case_list import Listing, ListPage

BOXES = {"todo": "待办", "doing": "在办", "done": "已办"}
COUNTED = ("todo",)
"""Boxes whose number stands beside the list whichever box is shown; the others grow with the years and cost as much."""
BULK = {"todo": ("claim", "assign", "transfer", "urge"), "doing": ("urge",), "done": ("urge",)}


@dataclass(frozen=True)
class DeskContext:
    """What templates/desk/index.html reads."""

    list: ListPage
    index: tuple[dict[str, Any], ...]


def desk(request: Request) -> Response:
    """One box of the desk; it opens with the person's own default filter, if there is one."""
    box = request.query_params.get("box", "todo")
    box = box if box in BOXES else "todo"
    with page.reading(request) as session:
        if not request.query_params:
            default = case_list.default_params(session, page.actor(request), "desk")
            if default:
                return page.redirect(request, "desk", query={"box": "todo", **default})
        found = case_list.find(request, session, "desk", box, COUNTED)
        context = DeskContext(case_list.build(found, BOXES[box], bulk=BULK[box]), index_of(found, box))
    block = "list" if page.is_htmx(request) else None
    return page.render(request, "desk/index.html", context, title=BOXES[box], current="desk", audience="bench", block=block)


def index_of(found: Listing, box: str) -> tuple[dict[str, Any], ...]:
    """The index beside the list: the boxes with their counts, and the person's saved filters."""
    url = found.request.app.state.templates.url
    current_saved = found.asked.params.get("saved")
    boxes = [
        {
            "label": label, "href": url("desk", {"box": key}), "count": _count(found, box, key),
            "is_current": key == box and current_saved is None,
        }
        for key, label in BOXES.items()
    ]
    saved = [
        {"label": each.name, "href": url("desk", {"box": "todo", **case_list.saved_params(each)}),
         "is_current": str(each.id) == current_saved}
        for each in found.saved
    ]
    more = [{"label": "全部办件", "href": url("cases")}, {"label": "发起办件", "href": url("new_case")},
            {"label": "我的作业", "href": url("jobs")}]
    return ({"items": boxes}, *(({"title": "我的视图", "items": saved},) if saved else ()), {"title": "其他", "items": more})


def _count(found: Listing, box: str, key: str) -> int | None:
    """The number of a box, as far as it was counted."""
    if key == box and not found.asked.is_narrowed:
        return min(found.counts.total, COUNT_LIMIT)
    return min(found.counts.boxes[key], COUNT_LIMIT) if key in found.counts.boxes else None
