"""Who may see which updates: the holders of the right to change layers, those of a district the updates of their district."""

from sqlmodel import Session, col, select

from domain import role
from domain.actor import Actor
from domain.command import Work
from domain.errors import Conflict, NotFound
from domain.layer import districts_to_change
from domain.layer.rights import RIGHT
from domain.layer_update.tables import LayerUpdate

_MISSING = "没有这次图层更新，或它不在你的辖区内。请从图层的更新页面进入。"


def roles_with_right() -> tuple[str, ...]:
    """The roles that may change layers."""
    return tuple(key for key, each in role.roles().items() if RIGHT in each.may)


def home_of(actor: Actor) -> str:
    """The one district of who asks; empty for the city."""
    codes = districts_to_change(actor)
    return min(codes) if codes else ""


def update_of(session: Session, actor: Actor, layer_key: str, update_id: int) -> LayerUpdate:
    """One update of a layer in the actor's scope. Raises NotFound for any other."""
    found = session.exec(_visible(actor, layer_key).where(LayerUpdate.id == update_id)).first()
    if found is None:
        raise NotFound(_MISSING)
    return found


def updates_of(session: Session, actor: Actor, layer_key: str, most: int = 20) -> list[LayerUpdate]:
    """The updates of a layer in the actor's scope, the newest first."""
    return list(session.exec(_visible(actor, layer_key).order_by(col(LayerUpdate.id).desc()).limit(most)).all())


def _visible(actor: Actor, layer_key: str):
    statement = select(LayerUpdate).where(LayerUpdate.layer_key == layer_key)
    own = districts_to_change(actor)
    return statement if own is None else statement.where(col(LayerUpdate.district_code).in_(sorted(own)))


def lock(work: Work, layer_key: str, update_id: int, version: int | None = None) -> LayerUpdate:
    """An update, locked. Raises Conflict if somebody changed it since the page was made, NotFound beyond one's scope."""
    update_of(work.session, work.actor, layer_key, update_id)
    statement = select(LayerUpdate).where(LayerUpdate.id == update_id).with_for_update()
    row = work.session.exec(statement.execution_options(populate_existing=True)).one()
    if version is not None and row.version != version:
        raise Conflict("这次更新在你打开页面之后有了变动。请刷新后再提交。")
    return row
