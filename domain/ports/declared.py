"""Who may ask a partner: jobs and commands always, a request only where its route says so.

A request that asks without saying so would wait in a thread that others need.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

log = logging.getLogger(__name__)
_UNDECLARED: ContextVar[str] = ContextVar("undeclared_page", default="")


@contextmanager
def undeclared(page: str) -> Iterator[None]:
    """What is done in here belongs to a page that does not say that it asks partners."""
    token = _UNDECLARED.set(page)
    try:
        yield
    finally:
        _UNDECLARED.reset(token)


def note_asking(partner: str) -> None:
    """Told before a partner is asked. An undeclared page is logged as a fault of ours; its user gets his answer."""
    page = _UNDECLARED.get()
    if page:
        log.error("page %s asks the partner %s without saying so in the route table", page, partner)
