"""回退到上一版: a new edition that holds what the edition before the present one held; nothing is erased."""

from datetime import date

from sqlmodel import select

from domain.command import Work
from domain.errors import Refused
from domain.layer.edition import Terms, begin, counted, end, last_edition, lock
from domain.layer.reading import edition_of
from domain.layer.tables import Feature, Layer, LayerEdition

_COPIED = (
    "layer_id", "key", "district_code", "class_code", "status", "area_m2", "attributes", "geometry", "west", "south", "east", "north",
)  # fmt: skip


def restore_former(work: Work, layer_key: str, effective_on: date, expected: int, reason: str) -> LayerEdition:
    """Take the present edition back, as one more edition. Raises Conflict if it is not the expected one any more.

    Refused for the first edition, and for one that a case made: the case's marks and books would not go with it.
    """
    layer = lock(work, layer_key, expected)
    present = last_edition(work.session, layer)
    if refusal := refusal_to_restore(present):
        raise Refused(refusal)
    former = edition_of(work.session, layer_key, present.number - 1)
    layer.is_generated = former.is_generated
    work.session.add(layer)
    terms = Terms(expected, "restore", reason, former.data_year, former.number)
    edition = begin(work, layer, effective_on, present.extent, terms, region=present.region_code)
    ended, back = end(work, edition, Feature.from_number == present.number), _bring_back(work, layer, edition, present.number)
    edition.data_year = former.data_year
    return counted(work, layer, edition, back, ended)


def refusal_to_restore(present: LayerEdition | None) -> str:
    """Why the present edition cannot be taken back, in words; empty if it can."""
    if present is None or present.number == 1:
        return "图层没有上一版，不能回退。"
    if present.case_id is not None:
        return "现行版本由办件产生，地块的占用标记和台账与它一起变动，不能单独回退。请通过相应的办件更正。"
    return ""


def _bring_back(work: Work, layer: Layer, edition: LayerEdition, number: int) -> int:
    """Add again what the edition of this number had ended; row by row inside the database, bit for bit."""
    table = Feature.__table__
    columns = [table.c[name] for name in _COPIED]
    ended = select(*columns, edition.number).where(table.c.layer_id == layer.id, table.c.until_number == number)
    statement = table.insert().from_select([*_COPIED, "from_number"], ended, include_defaults=False)
    return work.session.execute(statement, execution_options={"preserve_rowcount": True}).rowcount
