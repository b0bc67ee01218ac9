"""Moving the date of a demo database forward."""

from datetime import date, timedelta

from domain import portal_clock
from domain.command import Work, command, holders_of
from domain.errors import InvalidData, Refused
from domain.job import enqueue
from domain.office import office_of
from domain.portal_clock import DemoClock

FARTHEST_DAYS = 3653
"""Ten years at most: beyond, certificates and sessions of the demo end and nothing can be shown."""


@command("demo_date.move", allow=holders_of("system_admin"))
def move_demo_date(work: Work, to: date) -> DemoClock:
    """Move the portal's date forward to a day; clocks are swept by a job after the commit.

    Refused on a database that is not a demo, and for a day that is not after the portal's present date:
    going back would put what was already done into the future.
    """
    session = work.session
    if not office_of(session).is_demo:
        raise Refused("这不是演示库，日期不能拨动。需要查看以后的亮灯，请在演示环境中操作。")
    present = portal_clock.today(session)
    if to <= present:
        raise InvalidData(f"门户日期现在是 {present}，只能往后拨，不能拨到 {to}。请选以后的日期。", {"to": "须晚于门户日期"})
    if to > portal_clock.today() + timedelta(days=FARTHEST_DAYS):
        raise InvalidData(f"{to} 距今超过十年，不能拨到那里。请选近一些的日期。", {"to": "不超过十年"})
    days = portal_clock.offset(session) + (to - present)
    move = DemoClock(
        offset_s=int(days.total_seconds()), moved_to=to, moved_at=portal_clock.now(), moved_by=work.actor.person_id
    )
    session.add(move)
    session.flush()
    portal_clock.forget_offset(session)
    work.record("demo_clock", moved_from=present.isoformat(), moved_to=to.isoformat())
    enqueue(work, "sweep_clocks", f"演示日期拨到 {to}，重算时限", {"reason": f"演示日期由 {present} 拨到 {to}"})
    return move
