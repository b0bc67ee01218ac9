"""What a data manager writes about a layer."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response

from domain.errors import InvalidData
from domain.layer import catalogue
from domain.layer.card import LONGEST, Description, describe, require_describe
from domain.layer.catalogue import Entry
from views import page, posted
from views.layers.words import CURRENT, crumbs
from views.posted import FieldFault
from views.shell import Crumb

NAMES = (*LONGEST, "security_level")


@dataclass(frozen=True)
class EditPage:
    """The context of layers/edit.html."""

    entry: Entry
    given: Mapping[str, str]
    version: int
    levels: tuple[Mapping[str, str], ...]
    longest: Mapping[str, int]
    faults: tuple[FieldFault, ...]
    errors: Mapping[str, str]


def edit(request: Request) -> Response:
    """The form, and what was posted with it."""
    key = request.path_params["key"]
    catalogue.require(page.actor(request), key)
    require_describe(page.actor(request))
    if request.method == "GET":
        return _form(request, key)
    given = {name: posted.text(request, name) for name in NAMES}
    try:
        with page.writing(request) as session:
            describe(session, page.actor(request), key, Description(**given), posted.version(request))
    except InvalidData as fault:
        return _form(request, key, given, posted.faults_of(fault))
    return page.redirect(request, "layer", key=key)


def _form(request: Request, key: str, given: Mapping[str, str] | None = None, faults: tuple[FieldFault, ...] = ()) -> Response:
    with page.reading(request) as session:
        entry, card = catalogue.entry(session, page.actor(request), key), catalogue.stored_card(session, key)
        version = posted.version(request) if given is not None else card.version if card else 0
    levels = tuple({"value": level, "label": label} for level, label in catalogue.words()["security_levels"].items())
    told = given if given is not None else {name: asdict(entry)[name] for name in NAMES}
    context = EditPage(entry, told, version, levels, LONGEST, faults, posted.by_field(faults))
    return page.render(
        request, "layers/edit.html", context, title=f"修改说明：{entry.title}", crumbs=crumbs(entry, Crumb("修改说明")), current=CURRENT,
        audience="bench", status=422 if faults else 200,
    )  # fmt: skip
