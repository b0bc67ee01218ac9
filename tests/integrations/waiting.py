"""Waiting for what happens in another thread or process."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], seconds: float = 15) -> None:
    """Wait until the condition holds; fails the test when it does not within the seconds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "没有在限定时间内发生"
        time.sleep(0.02)
