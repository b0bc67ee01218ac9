"""Demo maps: the account areas and the generated cadastre as layers; every record says that it is generated."""

from datetime import date

from domain import map_drawing
from domain.command import Work
from domain.demo_cadastre import demo_settings, generate_demo_cadastre
from domain.errors import Refused
from domain.layer import replace_whole
from domain.layer.reading import features_of
from domain.office import office_of

LAYERS = ("administrative_area", "land_use", "annual_farmland", "permanent_farmland")


def load(work: Work) -> None:
    """Make the first edition of the four layers, in force from the first day after the year of their data.

    Refused on a database that is not a demo: generated plots must never stand beside surveyed ones.
    """
    if not office_of(work.session).is_demo:
        raise Refused("演示图层是生成的样例，只能装入演示库。请在演示环境中操作。")
    settings = demo_settings()
    cadastre, since = generate_demo_cadastre(settings), date(settings["data_year"] + 1, 1, 1)
    for key in LAYERS:
        replace_whole(work, key, cadastre.layers[key], since, is_generated=True, note=settings["note"])


def draw(work: Work) -> None:
    """Draw the small scales of the map, so that the first look at it finds them; later changes are drawn by the runner."""
    for layer, edition in map_drawing.undrawn_years(work.session):
        tiles = list(map_drawing.draw(layer, features_of(work.session, edition)))
        map_drawing.store(work, layer.key, edition.number, tiles)
