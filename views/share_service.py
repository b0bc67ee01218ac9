"""The service addresses of shares, for programs: what there is, features by pages, vector tiles; everything else is refused.

The token is in the address; it is compared by its digest and written nowhere. Every use is recorded, refused ones too.
"""

import time
from collections.abc import Callable
from typing import Any

from sqlmodel import Session
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from domain.actor import SYSTEM
from domain.errors import Gone, InvalidData, NotAllowed, NotFound
from domain.layer import edition_on, layer_definition
from domain.layer_share import service
from domain.layer_share.tables import LayerShare
from domain.map_tile import Tile
from domain.rate_limit import RateLimit
from views import page, posted
from views.map import NOT_KEPT, TILE_TYPE
from views.map_found import url

LONGEST_TOKEN = 128


def _served(request: Request, what: str, answer: Callable[[Session, LayerShare], tuple[Response, int]]) -> Response:
    """The answer of a share that is in force, recorded; a refusal is recorded too where the share is known."""
    request.state.wants_json = True
    limit: RateLimit = page.office(request).caches.setdefault("share_limit", RateLimit(service.READS_A_MINUTE, 60))
    limit.take(request.client.host if request.client else "", time.monotonic())
    token = request.path_params["token"]
    if len(token) > LONGEST_TOKEN:
        raise NotFound("没有这个服务地址。请核对地址。")
    with page.reading(request) as session:
        share = service.share_of_token(session, token)
        share_id, refusal = share.id, None
        try:
            service.must_be_in_force(session, share)
            response, count = answer(session, share)
        except (Gone, NotAllowed) as refused:
            refusal = refused
    with page.writing(request) as session:
        service.note_access(session, SYSTEM, share_id, *(("refused",) if refusal else (what, count)))
    if refusal is not None:
        raise refusal
    return response


def describe(request: Request) -> Response:
    """What the address gives: layer, edition, fields, the last day, and the addresses of features and tiles."""

    def answer(session: Session, share: LayerShare) -> tuple[Response, int]:
        definition, edition = layer_definition(share.layer_key), edition_on(session, share.layer_key)
        token, base = request.path_params["token"], page.office(request).public_url.rstrip("/")
        tiles = url(request, "share_tile", token=token, z=0, x=0, y=0).removesuffix("/0/0/0")
        document: dict[str, Any] = {
            "title": definition.title, "layer": share.layer_key, "edition": edition.number, "effectiveOn": edition.effective_on.isoformat(),
            "until": share.until_on.isoformat(), "crs": "EPSG:4490",
            "fields": [{"name": column.column, "title": column.label, "type": column.type} for column in definition.columns if column.name in share.fields],
            "features": base + url(request, "share_features", token=token), "tiles": f"{base}{tiles}/{{z}}/{{x}}/{{y}}",
        }
        return JSONResponse(document, headers=NOT_KEPT), 0

    return _served(request, "description", answer)


def features(request: Request) -> Response:
    """A page of features as GeoJSON, with the addresses of the pages before and after."""

    def answer(session: Session, share: LayerShare) -> tuple[Response, int]:
        number, size = posted.query_number(request, "page") or 1, posted.query_number(request, "size") or service.PAGE_SIZE
        if not 1 <= number <= 1_000_000:
            raise InvalidData("页码应从 1 起。请改正 page。")
        found = service.feature_page(session, share, number, size)
        base, token = page.office(request).public_url.rstrip("/"), request.path_params["token"]

        def address(at: int) -> str:
            return base + url(request, "share_features", {"page": at, "size": found.document["pageSize"]}, token=token)

        links = [{"rel": "self", "href": address(number)}]
        links += [{"rel": "next", "href": address(number + 1)}] if found.has_next else []
        links += [{"rel": "prev", "href": address(number - 1)}] if number > 1 else []
        return JSONResponse({**found.document, "links": links}, headers=NOT_KEPT, media_type="application/geo+json"), found.count

    return _served(request, "features", answer)


def tile(request: Request) -> Response:
    """A vector tile of the share."""
    params = request.path_params
    wanted = Tile(params["z"], params["x"], params["y"])
    if not wanted.exists():
        raise NotFound("没有这一块瓦片。请核对级别和行列号。")

    def answer(session: Session, share: LayerShare) -> tuple[Response, int]:
        content, count = service.tile(session, share, wanted)
        return Response(content, media_type=TILE_TYPE, headers=NOT_KEPT), count

    return _served(request, "tile", answer)
