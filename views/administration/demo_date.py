"""The date of a demo database: shown, and moved forward."""

from dataclasses import dataclass
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from domain import demo_date, portal_clock
from domain.errors import InvalidData, NotFound
from views.administration import frame
from views.page import actor, office, reading, redirect, writing
from views.posted import FieldFault, day, faults_of, given_texts

DONE = {"move": "日期已拨动，正在重算时限与亮灯。"}


@dataclass(frozen=True)
class DemoDatePage:
    """The context of administration/demo_date.html."""

    today: date
    is_moved: bool
    given: dict[str, str]
    errors: tuple[FieldFault, ...]


def show(request: Request) -> Response:
    """The present date with the form; a post moves it."""
    if not office(request).is_demo:
        raise NotFound("这不是演示库，没有演示日期。")
    if request.method == "GET":
        return _page(request)
    try:
        wanted = day(request, "to")
        if wanted is None:
            raise InvalidData("没有写拨到哪一天。请填写日期。", {"to": "请填写日期"})
        with writing(request) as session:
            demo_date.move_demo_date(session, actor(request), wanted)
    except InvalidData as error:
        return _page(request, faults_of(error), 422)
    return redirect(request, "demo_date", query={"done": "move"})


def _page(request: Request, errors: tuple[FieldFault, ...] = (), status: int = 200) -> Response:
    with reading(request) as session:
        page = DemoDatePage(portal_clock.today(session), portal_clock.demo_date(session) is not None, given_texts(request), errors)
    return frame.render(
        request, "administration/demo_date.html", page, section="demo_date", title="演示日期", notices=frame.done(request, DONE), status=status
    )
