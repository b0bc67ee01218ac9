"""The newest readings of the series that a form names, over the window of the series' own rule set."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import select

from domain import portal_clock
from domain.facts import Ask, fact
from domain.observation.tables import ObservationSeries
from domain.observation.window import facts_at, rules_at, window_of


@fact("observations", title="监测读数", gives={"readings": "list"})
def observations(ask: Ask) -> Mapping[str, Any]:
    """The readings up to now of the series in the field `observation_series`; nothing if there is none, so that no gate opens."""
    key = ask.values.get("observation_series")
    series = ask.session.exec(select(ObservationSeries).where(ObservationSeries.key == key)).first() if key else None
    if series is None:
        return {}
    at = portal_clock.now(ask.session)
    return facts_at(ask.session, series.id, at, window_of(rules_at(ask.session, series, at), at))
