"""The ways from the map into a layer: the history of a feature, and its change for those who may change it."""

from collections.abc import Mapping, Sequence

from starlette.requests import Request

from domain import role
from domain.layer import CHANGES, FeatureData, layer_definition
from domain.layer.rights import RIGHT, districts_to_change
from domain.layer_update import ways_of
from domain.layer_update.definition import DELETE, FEATURE, STATUS
from views import page


def history_href(request: Request, layer: str, key: str) -> str:
    """The page of a feature with all its states."""
    return request.app.state.templates.url("layer_feature", {"id": key}, key=layer)


def change_links(request: Request, layer: str, features: Sequence[FeatureData]) -> tuple[Mapping[str, str], ...]:
    """Where features are replaced, given another status or deleted, with how many of them the actor may change; nothing for none."""
    actor = page.actor(request)
    own = districts_to_change(actor)
    keys = [each.key for each in features if own is None or each.district_code in own]
    if not keys or not role.may(actor, RIGHT):
        return ()
    offered = [way for way in (FEATURE, STATUS, DELETE) if way in ways_of(layer_definition(layer))]
    count = f"（{len(keys)} 个）" if len(features) > 1 else ""
    url = request.app.state.templates.url
    return tuple(
        {"label": CHANGES[way] + (count if way != FEATURE else ""), "href": url("update_layer", _asked(way, keys), key=layer)} for way in offered
    )


def _asked(way: str, keys: Sequence[str]) -> Mapping[str, str]:
    """What the form is opened with: a replacement brings its features in a file."""
    return {"way": way} if way == FEATURE else {"way": way, "keys": ",".join(keys)}
