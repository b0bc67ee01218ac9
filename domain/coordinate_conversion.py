"""Converting coordinates for a person 坐标转换: which way, from what, checked by control points; and the record of files taken."""

from dataclasses import dataclass

from sqlmodel import Session

from domain import case_range, portal_clock
from domain.actor import Actor
from domain.case import scope
from domain.command import Work, command
from domain.coordinate_given import read_given
from domain.coordinate_parameters import CoordinateParameters
from domain.coordinate_table import (
    CoordinateTable,
    Frame,
    ResidualCheck,
    check_residuals,
    convert,
    must_be_local,
    must_be_national,
    must_pass,
)
from domain.errors import InvalidData, NotFound
from domain.map_view import map_users
from domain.office import office_of
from domain.projection import system_of_srid

TO_NATIONAL, TO_LOCAL, ZONE = "national", "local", "zone"
WAYS = (TO_NATIONAL, TO_LOCAL, ZONE)
ZONES = (4528, 4549, 4529, 4550)
"""The zones of the city: 40 and 41, with and without the number before the easting."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person asks: the way, the local system by name, the zone of pasted points and the zone wanted (EPSG)."""

    way: str
    local: str
    source_srid: int
    target_srid: int


@dataclass(frozen=True, slots=True)
class Conversion:
    """The table, and the check of the parameters that were used; None between zones."""

    table: CoordinateTable
    check: ResidualCheck | None


def converted(session: Session, content: bytes, wanted: Wanted) -> Conversion:
    """Convert what was given. Raises InvalidData for what cannot be read or lies outside, Refused by the control points."""
    office = office_of(session)
    source, target = _frames(wanted, office.coordinates)
    file = read_given(content, source, office.coordinates)
    (must_be_local if wanted.way == TO_NATIONAL else must_be_national)(file)
    table = convert(file, target, office.coordinates)
    check = None
    if table.local is not None:
        check = check_residuals(table.local, office.coordinates, office.book, portal_clock.today(session))
        must_pass(check)
    return Conversion(table, check)


def _frames(wanted: Wanted, parameters: CoordinateParameters) -> tuple[Frame, Frame]:
    if wanted.way not in WAYS or not {wanted.source_srid, wanted.target_srid} <= set(ZONES):
        raise InvalidData("转换方向或投影带不在列表中。请从列表选择。")
    source, target = system_of_srid(wanted.source_srid), system_of_srid(wanted.target_srid)
    if wanted.way == ZONE:
        return source, target
    local = parameters.systems.get(wanted.local)
    if local is None:
        raise InvalidData("没有这个城建坐标系的转换参数。请从列表选择，或联系管理员配置参数。")
    return (local, target) if wanted.way == TO_NATIONAL else (source, local)


def range_content(session: Session, actor: Actor, case_id: int, range_id: int) -> tuple[bytes, str]:
    """The boundary points of a confirmed range of a case that the actor may know of, and the name of their file."""
    case = scope.find(session, actor, case_id)
    row = case_range.find_range(session, case.id, range_id)
    if row.confirmed_at is None or not row.file_name.lower().endswith(".txt"):
        raise NotFound("这份范围没有确认，或不是界址点 TXT，不能从这里转换。请从办件的范围页进入。")
    return office_of(session).files.read_bytes(row.file_digest), row.file_name


@command("coordinates.take", allow=map_users)
def take(work: Work, what: str, kind: str, conversion: Conversion) -> None:
    """Record that a converted file is taken; never a coordinate."""
    table = conversion.table
    marks = {"source": table.source.title, "target": table.target.title, "points": len(table.rows), "format": kind}
    work.record(what, **marks, is_demonstration=table.is_demonstration)
