"""The check of the working calendar before the portal serves."""

import logging

from domain import portal_clock
from domain.errors import PortalError
from domain.working_calendar import official_calendar
from portal.settings import Settings

log = logging.getLogger(__name__)


def calendar_faults(settings: Settings) -> list[str]:
    """The shipped calendar tables can be read; that the present year has none only warns.

    Without this year's table every date is provisional, but the portal must serve, so that an administrator can
    enter the table.
    """
    try:
        calendar = official_calendar()
    except PortalError as broken:
        return [f"工作日历不能读取：{broken.message}"]
    year = portal_clock.today().year
    if year not in calendar.official_years:
        log.warning("no official working calendar is shipped for %s", year)
    return []
