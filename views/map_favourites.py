"""Layers kept at hand on the map: the buttons of its tree."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from domain import map_favourite
from domain.map_view import LONGEST_STATE
from views import page, posted


def change(request: Request) -> Response:
    """Keep a layer at hand (`keep`) or no longer (`drop`), and back to the map as it was (`state`)."""
    kept, dropped = posted.text(request, "keep", 64), posted.text(request, "drop", 64)
    with page.writing(request) as session:
        if kept:
            map_favourite.keep(session, page.actor(request), kept)
        else:
            map_favourite.drop(session, page.actor(request), dropped)
    state = dict(parse_qsl(posted.text(request, "state", LONGEST_STATE).removeprefix("?"), keep_blank_values=True))
    return page.redirect(request, "map", query=state, anchor=f"layer-{kept or dropped}")
