"""Saved thematic maps: keep, share, copy, rename, delete and take the deletion back."""

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from domain.actor import Actor
from domain.command import Work, command
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.layer import edition_on
from domain.role import handles_cases
from domain.saved_name import checked_name
from domain.thematic_map.selection import account_area
from domain.thematic_map.spec import MapSpec, read_spec
from domain.thematic_map.tables import SavedThematicMap

LONGEST_NAME = 40
SHARED_WITH = ("", "organisation", "district", "city")


def makers(work: Work) -> None:
    """Staff with work on cases, as for the one map itself."""
    if not handles_cases(work.actor):
        raise NotAllowed("专题图由工作人员制作。需要制作的，请联系本单位的系统管理员。")


def visible(actor: Actor) -> Any:
    """The condition under which an actor may see a saved map: one's own, and what is shared with one's office, district or all."""
    districts, ways = actor.districts(), [col(SavedThematicMap.shared_with) == "city"]
    if actor.organisation_id is not None:
        ways.append(_shared("organisation", {str(actor.organisation_id)}))
    ways.append(col(SavedThematicMap.shared_with) == "district" if districts is None else _shared("district", districts))
    own = col(SavedThematicMap.owner_id) == (actor.person_id or 0)
    return and_(col(SavedThematicMap.deleted_at).is_(None), or_(own, *ways))


def _shared(kind: str, codes: set[str]) -> Any:
    return and_(col(SavedThematicMap.shared_with) == kind, col(SavedThematicMap.shared_code).in_(sorted(codes)))


def list_maps(session: Session, actor: Actor, size: int = 200) -> list[SavedThematicMap]:
    """What the actor may see, the last changed first."""
    statement = select(SavedThematicMap).where(visible(actor)).order_by(col(SavedThematicMap.changed_at).desc(), col(SavedThematicMap.id).desc())
    return list(session.exec(statement.limit(size)).all())


def find(session: Session, actor: Actor, map_id: int) -> SavedThematicMap:
    """One saved map that the actor may see; NotFound for any other."""
    found = session.exec(select(SavedThematicMap).where(SavedThematicMap.id == map_id, visible(actor))).first()
    if found is None:
        raise NotFound("没有这个专题图模板，或它没有共享给你。请从专题图列表进入。")
    return found


def own(session: Session, actor: Actor, map_id: int, *, is_deleted: bool = False) -> SavedThematicMap:
    """One of one's own saved maps; NotFound for what one may not see, NotAllowed for what is only shared with one."""
    found = session.get(SavedThematicMap, map_id)
    if found is None or found.owner_id != actor.person_id or (found.deleted_at is not None) != is_deleted:
        if found is not None and not is_deleted:
            find(session, actor, map_id)
            raise NotAllowed("这个模板是别人共享的，只能打开和复制。要改的，请先“复制为我的”。")
        raise NotFound("没有这个专题图模板，或它不是你的。请从专题图列表进入。")
    return found


@command("thematic_map.save", allow=makers)
def save(work: Work, name: str, spec: MapSpec, map_id: int | None = None, version: int | None = None) -> SavedThematicMap:
    """Keep a map under a name, or keep what was changed of one's own. Raises Conflict for a stale version."""
    edition = edition_on(work.session, spec.layer, spec.on).number
    if map_id is None:
        found = SavedThematicMap(owner_id=_person(work), name=_kept(name), spec=spec.to_texts(), edition_number=edition, created_at=work.at, changed_at=work.at)
        work.session.add(found)
    else:
        found = own(work.session, work.actor, map_id)
        _must_be(found, version)
        found.name, found.spec, found.edition_number = _kept(name), spec.to_texts(), edition
        _touch(work, found)
    work.session.flush()
    work.record(f"thematic_map:{found.id}", layer=spec.layer, kind=spec.kind, edition=edition)
    return found


@command("thematic_map.rename", allow=makers)
def rename(work: Work, map_id: int, name: str, version: int | None) -> SavedThematicMap:
    """Give one's own map another name."""
    found = own(work.session, work.actor, map_id)
    _must_be(found, version)
    found.name = _kept(name)
    _touch(work, found)
    work.record(f"thematic_map:{found.id}")
    return found


@command("thematic_map.share", allow=makers)
def share(work: Work, map_id: int, shared_with: str, code: str = "") -> SavedThematicMap:
    """Share one's own map with one's organisation, a district or the whole city, or with nobody any more.

    Others see the map drawn with their own rights; a case as its area opens only for those who may see the case.
    """
    found = own(work.session, work.actor, map_id)
    if shared_with not in SHARED_WITH:
        raise InvalidData("没有这种共享范围。请从列表里选。", {"shared_with": "请从列表里选"})
    found.shared_with, found.shared_code = shared_with, _code(work.actor, shared_with, code)
    _touch(work, found)
    work.record(f"thematic_map:{found.id}", shared_with=shared_with, code=found.shared_code)
    return found


def _code(actor: Actor, shared_with: str, code: str) -> str:
    if shared_with == "district":
        return account_area(code).code
    if shared_with == "organisation":
        if actor.organisation_id is None:
            raise InvalidData("你的账号没有单位，不能共享给本单位。请改选区或全市。", {"shared_with": "账号没有单位"})
        return str(actor.organisation_id)
    return ""


@command("thematic_map.copy", allow=makers)
def copy(work: Work, map_id: int) -> SavedThematicMap:
    """A map that one may see, once more as one's own."""
    source = find(work.session, work.actor, map_id)
    name = f"{source.name[: LONGEST_NAME - 3]}　副本"
    made = SavedThematicMap(owner_id=_person(work), name=name, spec=dict(source.spec), edition_number=source.edition_number, created_at=work.at, changed_at=work.at)
    work.session.add(made)
    work.session.flush()
    work.record(f"thematic_map:{made.id}", copied_from=source.id)
    return made


@command("thematic_map.delete", allow=makers)
def delete(work: Work, map_id: int) -> SavedThematicMap:
    """Put one's own map away; `restore` takes it back."""
    found = own(work.session, work.actor, map_id)
    found.deleted_at = work.at
    work.record(f"thematic_map:{found.id}")
    return found


@command("thematic_map.restore", allow=makers)
def restore(work: Work, map_id: int) -> SavedThematicMap:
    """Take back a map that one deleted."""
    found = own(work.session, work.actor, map_id, is_deleted=True)
    found.deleted_at = None
    _touch(work, found)
    work.record(f"thematic_map:{found.id}")
    return found


def spec_of(saved: SavedThematicMap) -> MapSpec:
    """What a saved map asks for. Raises InvalidData where it no longer can be read."""
    texts: Mapping[str, str] = {key: str(value) for key, value in saved.spec.items()}
    return read_spec(texts)


def _person(work: Work) -> int:
    if work.actor.person_id is None:
        raise NotAllowed("请先登录，再保存专题图。")
    return work.actor.person_id


def _kept(name: str) -> str:
    return checked_name(name, "模板", LONGEST_NAME)


def _must_be(found: SavedThematicMap, version: int | None) -> None:
    if version is not None and found.version != version:
        raise Conflict("这个模板在别的窗口改过，这次没有保存。请刷新页面，核对后再改。")


def _touch(work: Work, found: SavedThematicMap) -> None:
    found.changed_at = work.at
    found.version += 1
