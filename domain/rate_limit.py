"""How often one address may ask in a while: a sliding window in memory, for pages that need no sign-in."""

import threading
from collections import OrderedDict, deque

from domain.errors import TooManyRequests

MOST_KEYS = 10_000
"""Addresses that are remembered; the one that was quiet the longest is forgotten first."""


class RateLimit:
    """At most `most` acts per key within `seconds`; one object for all threads of the process."""

    def __init__(self, most: int, seconds: float) -> None:
        self.most, self.seconds = most, seconds
        self._acts: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: str, at: float) -> None:
        """Count one act at a moment of a monotonic clock, in seconds. Raises TooManyRequests when there were too many."""
        with self._lock:
            acts = self._acts.setdefault(key, deque())
            self._acts.move_to_end(key)
            while acts and acts[0] <= at - self.seconds:
                acts.popleft()
            if len(acts) >= self.most:
                wait = int(acts[0] + self.seconds - at) + 1
                raise TooManyRequests(f"同一网络地址 {self.seconds:g} 秒内最多查 {self.most} 次，本次没有查询。请等 {wait} 秒再试。")
            acts.append(at)
            if len(self._acts) > MOST_KEYS:
                self._acts.popitem(last=False)
