"""Failpoints of the settings: the process kills itself at a named place, so that a test sees what a power cut leaves.

A setting is `place` or `place@count`: the process dies when the place is reached for the count-th time (first by
default). The settings refuse failpoints unless DEBUG is on.
"""

import os
import signal
import threading
from collections.abc import Iterable

from domain import failpoint


def install(settings: Iterable[str]) -> None:
    """Arm the failpoints; without any, nothing is installed."""
    left = dict(_parsed(each) for each in settings)
    if not left:
        return
    lock = threading.Lock()

    def reached(place: str) -> None:
        with lock:
            if place not in left:
                return
            left[place] -= 1
            if left[place] == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    failpoint.install(reached)


def _parsed(text: str) -> tuple[str, int]:
    place, _, count = text.rpartition("@")
    return (place, int(count)) if place and count.isdecimal() else (text, 1)
