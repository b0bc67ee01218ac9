"""Demo maps: the account areas and the generated cadastre as layers; every record says that it is generated."""

from datetime import date

from domain import map_drawing
from domain.command import Work
from domain.demo_cadastre import DemoCadastre, demo_settings, generate_demo_cadastre
from domain.errors import Refused
from domain.layer import replace_features, replace_whole
from domain.layer.reading import features_of, latest_editions
from domain.office import office_of

LAND_USE = "land_use"


def load(work: Work) -> None:
    """Make the first edition of every layer, in force from the first day after the year of their data; land use, which
    every year has its edition of, as it was a year earlier, and then what changed.

    Supplements of the inspections that were played before stay beside the generated ones.

    Refused on a database that is not a demo: generated plots must never stand beside surveyed ones.
    """
    if not office_of(work.session).is_demo:
        raise Refused("演示图层是生成的样例，只能装入演示库。请在演示环境中操作。")
    settings = demo_settings()
    cadastre, since = generate_demo_cadastre(settings), date(settings["data_year"] + 1, 1, 1)
    loaded = latest_editions(work.session)
    for key, features in cadastre.layers.items():
        if key == LAND_USE:
            _two_years(work, cadastre, since, settings["note"])
        elif key in loaded:
            replace_features(work, key, [], features, loaded[key].effective_on, note=settings["note"])
        else:
            replace_whole(work, key, features, since, is_generated=True, note=settings["note"])


def _two_years(work: Work, cadastre: DemoCadastre, since: date, note: str) -> None:
    now, before = cadastre.layers[LAND_USE], cadastre.land_use_before
    replace_whole(work, LAND_USE, before, since.replace(year=since.year - 1), is_generated=True, note=note)
    same = {id(each) for each in now} & {id(each) for each in before}
    ended, added = ([each for each in year if id(each) not in same] for year in (before, now))
    replace_features(work, LAND_USE, [each.key for each in ended], added, since, note=note)


def draw(work: Work) -> None:
    """Draw the small scales of the map, so that the first look at it finds them; later changes are drawn by the runner."""
    for layer, edition in map_drawing.undrawn_years(work.session):
        tiles = list(map_drawing.draw(layer, features_of(work.session, edition)))
        map_drawing.store(work, layer.key, edition.number, tiles)
