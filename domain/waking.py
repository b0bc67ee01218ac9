"""Telling the runner's threads that there is something to do, so that they need not look all the time."""

import threading

_WAITING: dict[str, set[threading.Event]] = {}
_LOCK = threading.Lock()


def wake(queue: str) -> None:
    """Let every thread that waits for this queue look at it now; to be called after the commit."""
    with _LOCK:
        waiting = tuple(_WAITING.get(queue, ()))
    for event in waiting:
        event.set()


def listen(queue: str, event: threading.Event) -> None:
    """Set the event at every `wake` of the queue from now on."""
    with _LOCK:
        _WAITING.setdefault(queue, set()).add(event)


def leave(queue: str, event: threading.Event) -> None:
    """Stop listening."""
    with _LOCK:
        _WAITING.get(queue, set()).discard(event)
