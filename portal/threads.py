"""Which threads serve a request: pages, forms and what asks a partner each have their own, so that none holds up the others.

Few for pages: one interpreter answers them one after the other anyway, and threads that take it from each other make every
answer late. More for forms, which wait for the writer of the database, and for partners, who may stay silent.
"""

from collections.abc import Callable
from typing import Any

from anyio import CapacityLimiter, to_thread
from anyio.lowlevel import RunVar
from starlette.requests import Request

from portal.access import Page

READS = ("GET", "HEAD")
_PAGES: RunVar[CapacityLimiter] = RunVar("page threads")
_PARTNERS: RunVar[CapacityLimiter] = RunVar("partner threads")


async def on_page_thread(request: Request, work: Callable[..., Any], *arguments: Any) -> Any:
    """Run what a page does, in one of PAGE_THREADS."""
    return await to_thread.run_sync(work, *arguments, limiter=_limiter(_PAGES, request.app.state.settings.page_threads))


async def on_form_thread(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run what may wait for the writer of the database, in one of REQUEST_THREADS, the threads of everything else."""
    return await to_thread.run_sync(work, *arguments)


async def on_own_thread(request: Request, page: Page, work: Callable[..., Any], *arguments: Any) -> Any:
    """Run the action of a page in a thread of its kind."""
    if page.asks_partner(request):
        limiter = _limiter(_PARTNERS, request.app.state.settings.partner_threads)
        return await to_thread.run_sync(work, *arguments, limiter=limiter)
    if request.method in READS and not page.is_long:
        return await on_page_thread(request, work, *arguments)
    return await on_form_thread(work, *arguments)


def _limiter(kind: RunVar[CapacityLimiter], threads: int) -> CapacityLimiter:
    """The limiter of this event loop; a limiter must not be shared by two of them."""
    try:
        return kind.get()
    except LookupError:
        made = CapacityLimiter(threads)
        kind.set(made)
        return made
