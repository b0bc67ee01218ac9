"""What the address of the map says: layers shown, their order, opacity and days, what is compared; and what it means.

    layers=land_use.paddy,…          groups that are shown; order=land_use,…  layers from the top; opacity=land_use:60,…
    on=2025-12-31                    the day of the whole map; days=land_use:2025-12-31,…  the day of single layers
    swipe=land_use@1,land_use@2,50   left, right and where the divider stands, in percent; without @ the layer as shown
    windows=land_use@1,…             what one or three more windows show
    side=left, or source=land_use@1  the side of the divider, or the window, in which a place was pointed at
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from domain.map_legend import BY_KEY, LAYERS
from domain.map_time import Moment, chosen

TOP = "administrative_area"
"""Lines of districts lie above everything unless the address says otherwise."""
MOST_WINDOWS = 3


@dataclass(frozen=True)
class MapState:
    """The state that an address of the map gives; parts that are not understood are as if they were not there."""

    shown: frozenset[str] | None
    order: tuple[str, ...]
    """Every layer from the top to the bottom."""
    opacity: Mapping[str, int]
    on: date | None
    days: Mapping[str, date]
    swipe: Mapping[str, str]
    windows: tuple[str, ...]
    find: str

    def is_shown(self, layer: str, group: str) -> bool:
        """True if a group of a layer is drawn."""
        return BY_KEY[layer].is_shown if self.shown is None else f"{layer}.{group}" in self.shown


def read_state(given: Mapping[str, str], known: Mapping[str, Sequence[Moment]]) -> MapState:
    """The state of an address, where `known` are the layers and days that the actor may see."""
    layers = given.get("layers")
    windows = [each for each in given.get("windows", "").split(",") if is_source(each, known)][:MOST_WINDOWS]
    return MapState(
        shown=None if layers is None else frozenset(layers.split(",")), order=_order(given.get("order", "")),
        opacity={key: int(value) for key, value in _pairs(given.get("opacity", "")) if _is_percent(value)},
        on=_day(given.get("on") or given.get("date", "")), days=dict(_days(given.get("days", ""))), swipe=_swipe(given.get("swipe", ""), known),
        windows=tuple(windows[: 1 if len(windows) == 2 else MOST_WINDOWS]), find=given.get("find", "").strip()[:40],
    )


def named(given: Mapping[str, str]) -> list[str]:
    """The editions that an address names as layer@number."""
    return [each for key in ("swipe", "windows", "source") for each in given.get(key, "").split(",")[:MOST_WINDOWS] if "@" in each]


def _order(text: str) -> tuple[str, ...]:
    wanted = [key for key in dict.fromkeys(text.split(",")) if key in BY_KEY]
    usual = sorted((layer.key for layer in reversed(LAYERS)), key=lambda key: key != TOP)
    return (*wanted, *(key for key in usual if key not in wanted))


def _pairs(text: str) -> list[tuple[str, str]]:
    found = (each.partition(":") for each in text.split(","))
    return [(key, value) for key, _, value in found if key in BY_KEY]


def _days(text: str) -> list[tuple[str, date]]:
    return [(key, day) for key, value in _pairs(text) if (day := _day(value)) is not None]


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _swipe(text: str, known: Mapping[str, Sequence[Moment]]) -> Mapping[str, str]:
    left, right, share = (text.split(",") + ["", "", ""])[:3]
    if not (is_source(left, known) and is_source(right, known)):
        return {"left": "", "right": "", "share": "50"}
    return {"left": left, "right": right, "share": share if _is_percent(share) else "50"}


def _is_percent(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4 and int(text) <= 100


def is_source(text: str, known: Mapping[str, Sequence[Moment]]) -> bool:
    """True for a layer as it is shown, and for one of its editions as layer@number."""
    key, mark, number = text.partition("@")
    return key in known and (not mark or number in {str(each.number) for each in known[key]})


def when(moment: Moment | None) -> str:
    """An edition in words: since when, and its number."""
    return f"{moment.on} 起，第 {moment.number} 版" if moment else "这一天还没有数据"


@dataclass(frozen=True)
class Seen:
    """The editions in which a place is told, by layer (None: the latest ones), and where on the screen it was pointed at.

    `side` is left, right or empty; `words` name the edition that lies there, empty where nothing is compared.
    """

    editions: Mapping[str, Moment] | None
    side: str = ""
    words: str = ""


OTHER = {"left": "right", "right": "left"}


def read_seen(given: Mapping[str, str], known: Mapping[str, Sequence[Moment]]) -> Seen:
    """What lies under a place: one side of the divider with all that is not compared, one window, or the whole map."""
    state = read_state(given, known)
    shown, side = chosen(known, state.on, state.days), given.get("side", "")
    if side in OTHER and state.swipe[side]:
        source, hidden = state.swipe[side], state.swipe[OTHER[side]].partition("@")[0]
        beside = {key: moment for key, moment in shown.items() if key not in (hidden, source.partition("@")[0])}
    else:
        source, side, beside = given.get("source", ""), "", {}
    if not is_source(source, known):
        return Seen(shown if state.on is not None or state.days else None)
    key, moment = moment_of(source, known, shown)
    return Seen(beside | ({key: moment} if moment else {}), side, f"{BY_KEY[key].title}，{when(moment)}")


def moment_of(source: str, known: Mapping[str, Sequence[Moment]], shown: Mapping[str, Moment]) -> tuple[str, Moment | None]:
    """The layer of a source and its edition: the one that is named, or the one that the map shows."""
    key, _, number = source.partition("@")
    return key, next((each for each in known[key] if str(each.number) == number), None) if number else shown.get(key)
