"""Maps as they were just made, kept for a moment: the page, its picture and its file ask for the same one in turn."""

import threading
from collections import OrderedDict
from typing import Any

from sqlmodel import Session
from starlette.requests import Request

from domain import portal_clock
from domain.layer import catalogue, edition_on
from domain.thematic_map import MapSpec, ThematicMap, make
from views import page

MOST = 2
"""A map of the whole city holds its 22,000 features, some 60 MB."""


class Recent:
    """The maps that were asked for last, by what they were made of."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Any, ThematicMap] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, key: Any) -> ThematicMap | None:
        """The map of a key, if it is still there."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def keep(self, key: Any, made: ThematicMap) -> None:
        """Keep a map in place of the one that was not asked for the longest."""
        with self._lock:
            self._kept[key] = made
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)


def made_map(request: Request, session: Session, spec: MapSpec) -> ThematicMap:
    """The map of a spec for the person who asks; made once for the same person, edition and day.

    A map of a case is always made anew, because who may see a case changes without an edition.
    """
    actor = page.actor(request)
    catalogue.require(actor, spec.layer)
    if spec.area.startswith("case:"):
        return make(session, actor, spec)
    recent: Recent = page.office(request).caches.setdefault("thematic_maps", Recent())
    token = edition_on(session, spec.layer, spec.on).token
    key = (actor.person_id, actor.grants, token, portal_clock.today(session), tuple(spec.to_texts().items()))
    found = recent.take(key)
    if found is None:
        found = make(session, actor, spec)
        recent.keep(key, found)
    return found
