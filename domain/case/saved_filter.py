"""Saved filters 我的视图: a person's named searches of a case list, one of which the list may open with."""

from sqlmodel import Session, col, select

from domain.actor import Actor
from domain.case.tables import SavedFilter
from domain.command import Work, anyone_signed_in, command
from domain.errors import Conflict, InvalidData, NotFound
from domain.saved_name import checked_name

MOST_FILTERS = 30
LONGEST_NAME = 30
LONGEST_QUERY = 8000


def filters_of(session: Session, actor: Actor, page: str) -> list[SavedFilter]:
    """The actor's saved filters of a list, in the order they were made."""
    statement = select(SavedFilter).where(SavedFilter.person_id == actor.person_id, SavedFilter.page == page)
    return list(session.exec(statement.order_by(col(SavedFilter.id))).all())


def find(session: Session, actor: Actor, filter_id: int) -> SavedFilter:
    """One of the actor's own filters; NotFound for anybody else's."""
    found = session.get(SavedFilter, filter_id)
    if found is None or found.person_id != actor.person_id:
        raise NotFound("没有这个视图，它可能已经删除。请从左侧的视图中选择。")
    return found


@command("saved_filter.save", allow=anyone_signed_in)
def save(work: Work, page: str, name: str, query: str) -> SavedFilter:
    """Keep the conditions of a list under a name."""
    mine = filters_of(work.session, work.actor, page)
    kept_name = checked_name(name, "视图", LONGEST_NAME, [each.name for each in mine])
    if len(query) > LONGEST_QUERY:
        raise InvalidData("筛选条件太长，不能保存。请减少条件后再保存。", {"name": "筛选条件太长"})
    if len(mine) >= MOST_FILTERS:
        raise Conflict(f"已有 {MOST_FILTERS} 个视图，不能再加。请先删除不用的视图。")
    made = SavedFilter(person_id=work.actor.person_id, page=page, name=kept_name, query=query, created_at=work.at)
    work.session.add(made)
    work.session.flush()
    work.record(f"saved_filter:{made.id}")
    return made


@command("saved_filter.rename", allow=anyone_signed_in)
def rename(work: Work, filter_id: int, name: str) -> SavedFilter:
    """Call a saved filter by another name."""
    found = find(work.session, work.actor, filter_id)
    others = [each.name for each in filters_of(work.session, work.actor, found.page) if each.id != found.id]
    found.name = checked_name(name, "视图", LONGEST_NAME, others)
    work.record(f"saved_filter:{found.id}")
    return found


@command("saved_filter.set_default", allow=anyone_signed_in)
def set_default(work: Work, filter_id: int, is_default: bool) -> SavedFilter:
    """Let the list open with this filter, or no longer."""
    found = find(work.session, work.actor, filter_id)
    for other in filters_of(work.session, work.actor, found.page):
        other.is_default = is_default and other.id == found.id
    work.record(f"saved_filter:{found.id}", is_default=is_default)
    return found


@command("saved_filter.delete", allow=anyone_signed_in)
def delete(work: Work, filter_id: int) -> str:
    """Forget a saved filter; the page it belonged to."""
    found = find(work.session, work.actor, filter_id)
    page = found.page
    work.session.delete(found)
    work.record(f"saved_filter:{filter_id}")
    return page
