"""Sketches that are kept: one's own, nobody else's; kept, changed, deleted, taken back."""

from shapely.geometry.base import BaseGeometry
from sqlmodel import Session, col, select

from domain import role
from domain.actor import Actor
from domain.command import Work, command
from domain.errors import Conflict, NotAllowed, NotFound
from domain.geometry import multipolygon
from domain.office import office_of
from domain.range_file import read_range
from domain.saved_name import checked_name
from domain.sketch.drawing import kind_of, measures_of, read_drawing
from domain.sketch.tables import Sketch

LONGEST_NAME, MOST_SKETCHES = 40, 100


def drawers(work: Work) -> None:
    """Whoever may open the one map."""
    if not role.handles_cases(work.actor):
        raise NotAllowed("草图由工作人员绘制。需要使用的，请联系本单位的系统管理员。")


def sketches_of(session: Session, actor: Actor) -> list[Sketch]:
    """The actor's own sketches, the last changed first."""
    statement = select(Sketch).where(Sketch.owner_id == (actor.person_id or 0), col(Sketch.deleted_at).is_(None))
    return list(session.exec(statement.order_by(col(Sketch.changed_at).desc(), col(Sketch.id).desc()).limit(MOST_SKETCHES)).all())


def find(session: Session, actor: Actor, sketch_id: int) -> Sketch:
    """One of the actor's own sketches; NotFound for a deleted one and for anybody else's."""
    found = _own(session, actor, sketch_id)
    if found.deleted_at is not None:
        raise NotFound(f"草图“{found.name}”已经删除。请从“我的草图”进入。")
    return found


def _own(session: Session, actor: Actor, sketch_id: int) -> Sketch:
    found = session.get(Sketch, sketch_id)
    if found is None or actor.person_id is None or found.owner_id != actor.person_id:
        raise NotFound("没有这个草图，或它是别人的（草图只有画的人能看到）。请从“我的草图”进入。")
    return found


@command("sketch.draw", allow=drawers)
def draw(work: Work, name: str, kind: str, text: str) -> Sketch:
    """Keep what was drawn or typed under a name. Raises InvalidData by field (name, kind, points)."""
    return _keep(work, name, read_drawing(text, kind))


@command("sketch.read_file", allow=drawers)
def read_file(work: Work, content: bytes, file_name: str, declared_crs: str = "") -> Sketch:
    """Keep the polygons of a range file as a sketch that bears its name. Raises InvalidData for what cannot be read or is no sound area."""
    found = read_range(content, file_name, declared_crs or None, office_of(work.session).coordinates.systems)
    return _keep(work, _free_name(work, file_name), multipolygon(found.usable_geometry()), file_name)


def _free_name(work: Work, file_name: str) -> str:
    """The name of the file, numbered where one's sketches have it already."""
    stem, taken = file_name.rpartition(".")[0][: LONGEST_NAME - 4] or "范围", _names(work)
    return next(name for name in (stem, *(f"{stem} {number}" for number in range(2, MOST_SKETCHES + 3))) if name not in taken)


def _names(work: Work, without: int | None = None) -> set[str]:
    return {each.name for each in sketches_of(work.session, work.actor) if each.id != without}


def _keep(work: Work, name: str, geometry: BaseGeometry, source: str = "") -> Sketch:
    if len(sketches_of(work.session, work.actor)) >= MOST_SKETCHES:
        raise Conflict(f"已有 {MOST_SKETCHES} 个草图，不能再加。请先删除不用的草图。")
    kept = checked_name(name, "草图", LONGEST_NAME, _names(work))
    made = Sketch(owner_id=work.actor.person_id, name=kept, source=source, created_at=work.at, changed_at=work.at, **_measured(geometry))
    work.session.add(made)
    work.session.flush()
    work.record(f"sketch:{made.id}", kind=made.kind, points=made.point_count)
    return made


def _measured(geometry: BaseGeometry) -> dict:
    found = measures_of(geometry)
    return {"kind": kind_of(geometry), "geometry": geometry, "point_count": found.points, "length_m": found.length_m, "area_m2": found.area_m2}


@command("sketch.change", allow=drawers)
def change(work: Work, sketch_id: int, version: int, name: str, kind: str, text: str) -> Sketch:
    """Keep a sketch as it was redrawn. Raises InvalidData by field, Conflict for a stale version."""
    found = find(work.session, work.actor, sketch_id)
    if found.version != version:
        raise Conflict("这个草图在别的窗口改过，这次没有保存。请刷新页面，核对后再改。")
    found.name = checked_name(name, "草图", LONGEST_NAME, _names(work, sketch_id))
    for key, value in _measured(read_drawing(text, kind)).items():
        setattr(found, key, value)
    found.changed_at, found.version = work.at, found.version + 1
    work.record(f"sketch:{found.id}", kind=found.kind, points=found.point_count)
    return found


@command("sketch.delete", allow=drawers)
def delete(work: Work, sketch_id: int) -> Sketch:
    """Put a sketch away; `restore` takes it back."""
    found = find(work.session, work.actor, sketch_id)
    found.deleted_at = work.at
    work.record(f"sketch:{found.id}")
    return found


@command("sketch.restore", allow=drawers)
def restore(work: Work, sketch_id: int) -> Sketch:
    """Take a deleted sketch back."""
    found = _own(work.session, work.actor, sketch_id)
    if found.deleted_at is None:
        raise Conflict(f"草图“{found.name}”没有删除，不用恢复。请刷新页面。")
    if len(sketches_of(work.session, work.actor)) >= MOST_SKETCHES:
        raise Conflict(f"已有 {MOST_SKETCHES} 个草图，不能再加。请先删除不用的草图。")
    found.name, found.deleted_at = checked_name(found.name, "草图", LONGEST_NAME, _names(work)), None
    work.record(f"sketch:{found.id}")
    return found
