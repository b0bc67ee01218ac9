"""Named places at which a test may make the process fail; silent in a running portal."""

from collections.abc import Callable

_handler: Callable[[str], None] | None = None


def reach(name: str) -> None:
    """Tell the test, if there is one, that this place was reached; the handler may raise or kill."""
    if _handler is not None:
        _handler(name)


def install(handler: Callable[[str], None] | None) -> None:
    """Install (or remove, with None) the handler of a test."""
    global _handler
    _handler = handler
