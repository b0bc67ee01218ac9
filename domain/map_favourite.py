"""The layers that a person keeps at hand on the map 收藏."""

from datetime import datetime

from sqlalchemy import UniqueConstraint, delete
from sqlmodel import Field, Session, SQLModel, col, select

from domain.actor import Actor
from domain.columns import BIG_ID, code_column, id_column, moment_column
from domain.command import Work, command
from domain.layer import catalogue, layer_definition
from domain.map_view import map_users


class MapFavourite(SQLModel, table=True):
    """A layer that a person keeps at hand."""

    __tablename__ = "map_favourite"
    __table_args__ = (UniqueConstraint("person_id", "layer_key"),)

    id: int | None = Field(default=None, sa_column=id_column())
    person_id: int = Field(sa_type=BIG_ID, foreign_key="person.id")
    layer_key: str = Field(sa_column=code_column())
    at: datetime = Field(sa_column=moment_column())


def favourites(session: Session, actor: Actor) -> list[str]:
    """The keys of the layers that the actor keeps at hand, in the order of keeping; closed ones are among them."""
    statement = select(MapFavourite.layer_key).where(MapFavourite.person_id == actor.person_id)
    return list(session.exec(statement.order_by(col(MapFavourite.id))).all())


@command("map_favourite.keep", allow=map_users)
def keep(work: Work, layer_key: str) -> None:
    """Keep a layer at hand; nothing changes if it is kept. Raises NotFound, NotAllowed for a layer that cannot be opened."""
    catalogue.require(work.actor, layer_key)
    if layer_key not in favourites(work.session, work.actor):
        work.session.add(MapFavourite(person_id=work.actor.person_id, layer_key=layer_key, at=work.at))
    work.record(f"layer:{layer_key}", favourite=True)


@command("map_favourite.drop", allow=map_users)
def drop(work: Work, layer_key: str) -> None:
    """Keep a layer at hand no longer; nothing changes if it was not kept. Raises NotFound for a layer that there is not."""
    layer_definition(layer_key)
    mine = col(MapFavourite.person_id) == work.actor.person_id
    work.session.execute(delete(MapFavourite).where(mine, col(MapFavourite.layer_key) == layer_key))
    work.record(f"layer:{layer_key}", favourite=False)
