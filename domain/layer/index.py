"""Layers in memory: one search tree per edition, shared by all sessions of the process."""

import threading
from collections import OrderedDict
from datetime import date

from sqlmodel import Session

from domain.layer.reading import all_features, edition_on
from domain.overlay import FeatureIndex

_MOST_EDITIONS = 12


class IndexCache:
    """Keeps the most recently used editions; an edition never changes, so nothing ever has to be dropped for
    being stale.

    The key is the edition's token, which is never used again, so a rolled-back edition cannot be mistaken for
    another.
    """

    def __init__(self, capacity: int = _MOST_EDITIONS) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[str, FeatureIndex] = OrderedDict()
        self._building: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def index(self, session: Session, layer_key: str, on: date | None = None) -> FeatureIndex:
        """The index of the edition in force on a day; built by one thread while the others wait for it."""
        token = edition_on(session, layer_key, on).token
        with self._lock:
            building = self._building.setdefault(token, threading.Lock())
        with building:
            found = self._kept.get(token)
            if found is None:
                found = FeatureIndex(all_features(session, layer_key, on))
            self._keep(token, found)
        return found

    def _keep(self, token: str, index: FeatureIndex) -> None:
        with self._lock:
            self._kept[token] = index
            self._kept.move_to_end(token)
            while len(self._kept) > self._capacity:
                oldest, _ = self._kept.popitem(last=False)
                self._building.pop(oldest, None)


_CACHE = IndexCache()


def layer_index(session: Session, layer_key: str, on: date | None = None) -> FeatureIndex:
    """The features of a layer on a day with a search tree in memory, for overlays; NotFound before its first
    day.
    """
    return _CACHE.index(session, layer_key, on)
