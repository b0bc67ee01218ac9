"""Who may look at a layer, and in which districts: the one question that maps, prints and shares ask."""

from sqlmodel import Session, col, select

from domain import role
from domain.actor import Actor
from domain.errors import NotAllowed
from domain.layer import Layer, LayerEdition, layer_definition, layer_definitions


def may_open(actor: Actor, layer_key: str) -> bool:
    """True if the actor may look at a layer: staff with work on cases look at every defined layer, as on the one map."""
    return layer_key in layer_definitions() and (actor.is_system or role.handles_cases(actor))


def must_open(actor: Actor, layer_key: str) -> None:
    """Raise NotFound for a layer that there is not, NotAllowed for one that the actor may not look at."""
    title = layer_definition(layer_key).title
    if not may_open(actor, layer_key):
        raise NotAllowed(f"图层“{title}”不对你的岗位开放，没有打开。需要使用的，请在“成果共享”中申请。")


def districts_of(actor: Actor, layer_key: str) -> set[str] | None:
    """The districts whose features of a layer the actor may look at; None for every district."""
    must_open(actor, layer_key)
    return None


def open_layers(session: Session, actor: Actor) -> list[str]:
    """The keys of the layers that have data and that the actor may look at, in the order of their definitions."""
    loaded = set(session.exec(select(Layer.key).join(LayerEdition, col(LayerEdition.layer_id) == Layer.id).distinct()).all())
    return [key for key in layer_definitions() if key in loaded and may_open(actor, key)]
