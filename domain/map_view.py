"""Saved views of the one map: an address under a name, opened again, renamed, deleted, shared.

A view is nothing but an address: whoever opens it sees the map with his or her own rights, never more.
"""

from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, and_, col, delete, exists, or_, select

from domain import role
from domain.actor import Actor
from domain.case import scope
from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work, command
from domain.district import load_account_areas
from domain.errors import Conflict, InvalidData, NotAllowed, NotFound
from domain.notice import notify
from domain.person import Organisation, Person
from domain.saved_name import checked_name

LONGEST_NAME, LONGEST_STATE, MOST_VIEWS, MOST_SHARES = 40, 4000, 100, 50
NOT_KEPT = frozenset({"csrf_token", "name", "done"})
SAYS_NOTHING = frozenset({"layers"})
"""What means something even when it is empty: that no layer is shown."""
KINDS = {"person": "人员", "role": "岗位", "organisation": "单位", "district": "区"}


class MapView(SQLModel, table=True):
    """A named address of the map of one person."""

    __tablename__ = "map_view"
    __table_args__ = (Index("ix_map_view_owner", "owner_id", "deleted_at"),)

    id: int | None = Field(default=None, sa_column=id_column())
    owner_id: int = Field(sa_type=BIG_ID, foreign_key="person.id")
    name: str
    state: str
    """The query of the map's address: layers, opacity, place, date, selection, conditions."""
    created_at: datetime = Field(sa_column=moment_column())
    changed_at: datetime = Field(sa_column=moment_column())
    deleted_at: datetime | None = Field(default=None, sa_column=moment_column(nullable=True))


class MapViewShare(SQLModel, table=True):
    """With whom a view is shared: a person, the holders of a role, an organisation, or a district."""

    __tablename__ = "map_view_share"
    __table_args__ = (UniqueConstraint("view_id", "kind", "value"), Index("ix_map_view_share_value", "kind", "value"))

    id: int | None = Field(default=None, sa_column=id_column())
    view_id: int = Field(sa_type=BIG_ID, foreign_key="map_view.id")
    kind: str = Field(sa_column=code_column(length=16))
    value: str = Field(sa_column=code_column())
    at: datetime = Field(sa_column=moment_column())


def map_users(work: Work) -> None:
    """Whoever may open the one map."""
    if not role.handles_cases(work.actor):
        raise NotAllowed("一张图由工作人员使用。需要使用的，请联系本单位的系统管理员。")


def views_of(session: Session, actor: Actor) -> list[MapView]:
    """The actor's own views, the last changed first."""
    statement = select(MapView).where(MapView.owner_id == actor.person_id, col(MapView.deleted_at).is_(None))
    return list(session.exec(statement.order_by(col(MapView.changed_at).desc(), col(MapView.id).desc()).limit(MOST_VIEWS)).all())


def shared_with(session: Session, actor: Actor) -> list[tuple[MapView, str]]:
    """Views of others that are shared with the actor, with the owner's name."""
    statement = (
        select(MapView, Person.name).join(Person, col(Person.id) == MapView.owner_id)
        .where(MapView.owner_id != actor.person_id, col(MapView.deleted_at).is_(None), _reaches(actor))
    )
    return list(session.exec(statement.order_by(col(MapView.changed_at).desc(), col(MapView.id).desc()).limit(MOST_VIEWS)).all())


def _reaches(actor: Actor):
    """True for views with a share that reaches the actor."""
    share, districts = MapViewShare, actor.districts()
    ways = [and_(col(share.kind) == "person", col(share.value) == str(actor.person_id))]
    ways.append(and_(col(share.kind) == "role", col(share.value).in_(sorted({grant.role for grant in actor.grants}))))
    if actor.organisation_id is not None:
        ways.append(and_(col(share.kind) == "organisation", col(share.value) == str(actor.organisation_id)))
    of_district = col(share.kind) == "district"
    ways.append(of_district if districts is None else and_(of_district, col(share.value).in_(sorted(districts))))
    return exists().where(col(share.view_id) == MapView.id, or_(*ways))


def find(session: Session, actor: Actor, view_id: int) -> MapView:
    """A view of one's own or shared with one; NotFound for any other."""
    mine = or_(col(MapView.owner_id) == actor.person_id, _reaches(actor))
    found = session.exec(select(MapView).where(MapView.id == view_id, col(MapView.deleted_at).is_(None), mine)).first()
    if found is None:
        raise NotFound("没有这个视图，或它没有共享给你。请从“我的视图”进入。")
    return found


def own(session: Session, actor: Actor, view_id: int) -> MapView:
    """A view of one's own, a deleted one too; NotFound for any other."""
    found = session.get(MapView, view_id)
    if found is None or found.owner_id != actor.person_id:
        raise NotFound("没有这个视图，或它不是你的。请从“我的视图”进入。")
    return found


def shares_of(session: Session, view_id: int) -> list[MapViewShare]:
    """With whom a view is shared, in the order it was done."""
    return list(session.exec(select(MapViewShare).where(MapViewShare.view_id == view_id).order_by(col(MapViewShare.id))).all())


def share_words(session: Session, share: MapViewShare) -> str:
    """Whom a share reaches, in words."""
    if share.kind == "person":
        person = session.get(Person, int(share.value))
        return f"人员：{person.name}" if person else "人员：已停用"
    if share.kind == "organisation":
        office = session.get(Organisation, int(share.value))
        return f"单位：{office.name}" if office else "单位：已停用"
    if share.kind == "role":
        return f"岗位：{role.role_label(share.value)}"
    return "区：" + next((area.name for area in load_account_areas() if area.code == share.value), share.value)


def opened(session: Session, actor: Actor, view: MapView) -> tuple[dict[str, str], bool]:
    """The address of a view for this actor, and whether something was left out: a case that the actor may not see."""
    state = dict(parse_qsl(view.state, keep_blank_values=True))
    case = state.get("case", "")
    if case and not _may_see(session, actor, case):
        del state["case"]
        return state, True
    return state, False


def _may_see(session: Session, actor: Actor, number: str) -> bool:
    if not (number.isascii() and number.isdigit() and len(number) < 19):
        return False
    try:
        scope.find(session, actor, int(number))
    except NotFound:
        return False
    return True


@command("map_view.save", allow=map_users)
def save(work: Work, name: str, state: Mapping[str, str]) -> MapView:
    """Keep an address of the map under a name."""
    mine = views_of(work.session, work.actor)
    if len(mine) >= MOST_VIEWS:
        raise Conflict(f"已有 {MOST_VIEWS} 个视图，不能再加。请先删除不用的视图。")
    kept = checked_name(name, "视图", LONGEST_NAME, [each.name for each in mine])
    query = urlencode({key: value for key, value in state.items() if key not in NOT_KEPT and (value or key in SAYS_NOTHING)})
    if len(query) > LONGEST_STATE:
        raise InvalidData("地图状态太长，不能保存。请减少选中的地块后再保存。", {"name": "地图状态太长"})
    made = MapView(owner_id=work.actor.person_id, name=kept, state=query, created_at=work.at, changed_at=work.at)
    work.session.add(made)
    work.session.flush()
    work.record(f"map_view:{made.id}")
    return made


@command("map_view.rename", allow=map_users)
def rename(work: Work, view_id: int, name: str) -> MapView:
    """Call a view by another name."""
    found = own(work.session, work.actor, view_id)
    others = [each.name for each in views_of(work.session, work.actor) if each.id != view_id]
    found.name = checked_name(name, "视图", LONGEST_NAME, others)
    found.changed_at = work.at
    work.record(f"map_view:{found.id}")
    return found


@command("map_view.delete", allow=map_users)
def delete_view(work: Work, view_id: int) -> MapView:
    """Put a view away; nobody with whom it was shared sees it any more."""
    found = own(work.session, work.actor, view_id)
    found.deleted_at = work.at
    work.record(f"map_view:{found.id}")
    return found


@command("map_view.restore", allow=map_users)
def restore(work: Work, view_id: int) -> MapView:
    """Take a deleted view back."""
    found = own(work.session, work.actor, view_id)
    found.deleted_at = None
    work.record(f"map_view:{found.id}")
    return found


@command("map_view.share", allow=map_users)
def share(work: Work, view_id: int, kind: str, value: str) -> MapViewShare:
    """Share a view with a person (by login), the holders of a role, an organisation or a district."""
    found = own(work.session, work.actor, view_id)
    kept = _receiver(work.session, kind, value.strip())
    others = shares_of(work.session, view_id)
    if any((each.kind, each.value) == (kind, kept) for each in others):
        raise Conflict("已经共享给这个对象，不用再加。")
    if len(others) >= MOST_SHARES:
        raise Conflict(f"一个视图最多共享给 {MOST_SHARES} 个对象。请改为共享给岗位、单位或区。")
    made = MapViewShare(view_id=view_id, kind=kind, value=kept, at=work.at)
    work.session.add(made)
    work.session.flush()
    if kind == "person" and int(kept) != work.actor.person_id:
        notify(work, int(kept), "map_view", f"{work.actor.name}把地图视图“{found.name}”共享给你", "请从“一张图 › 我的视图”打开。")
    work.record(f"map_view:{view_id}", kind=kind, value=kept)
    return made


@command("map_view.unshare", allow=map_users)
def unshare(work: Work, view_id: int, share_id: int) -> MapView:
    """End one share of a view."""
    found = own(work.session, work.actor, view_id)
    ended = work.session.execute(delete(MapViewShare).where(col(MapViewShare.id) == share_id, col(MapViewShare.view_id) == view_id))
    if not ended.rowcount:
        raise NotFound("没有这项共享，可能已经取消。请刷新页面。")
    work.record(f"map_view:{view_id}", ended=share_id)
    return found


def _receiver(session: Session, kind: str, value: str) -> str:
    """The key of whom it is shared with. Raises InvalidData for nobody."""
    if kind == "person":
        found = session.exec(select(Person).where(or_(col(Person.login) == value, col(Person.name) == value), col(Person.is_active), col(Person.is_applicant).is_(False)).limit(2)).all()
        if len(found) == 1:
            return str(found[0].id)
        why = "没有这个工作人员" if not found else "有几个同名的人，请写登录名"
        raise InvalidData(f"{why}。请写对方的登录名。", {"value": why})
    if kind == "role" and value in role.roles() and role.role(value).level not in ("public", "system"):
        return value
    if kind == "district" and any(area.code == value for area in load_account_areas()):
        return value
    if kind == "organisation" and value.isascii() and value.isdigit() and len(value) < 19 and session.get(Organisation, int(value)) is not None:
        return value
    raise InvalidData("没有这个共享对象。请从列表里选。", {"value": "请从列表里选"})
