"""Who may change layers: a right of roles, in the districts of the grant; what reaches beyond them is the city's."""

from collections.abc import Iterable

from domain import role
from domain.actor import Actor
from domain.command import Work
from domain.district import district_name
from domain.errors import NotAllowed

RIGHT = "layers"


def data_managers(work: Work) -> None:
    """Holders of the right somewhere, and the portal itself; the command narrows by district."""
    if not work.actor.is_system and not role.may(work.actor, RIGHT):
        raise NotAllowed("图层数据由市级经办人员和图形管理人员更新。需要更新的，请联系市规划资源局。")


def districts_to_change(actor: Actor) -> set[str] | None:
    """The districts whose features the actor may change; None for the whole city."""
    grants = [grant for grant in actor.grants if RIGHT in role.role(grant.role).may]
    if actor.is_system or any(grant.district_code is None for grant in grants):
        return None
    return {grant.district_code for grant in grants if grant.district_code}


def require_change(actor: Actor, districts: Iterable[str] | None = None) -> None:
    """Raise NotAllowed unless the actor may change the features of every one of the districts (None: of the whole city)."""
    own = districts_to_change(actor)
    if own is None:
        return
    if districts is None:
        raise NotAllowed("全图层更新只由市级办理，没有改动。请改用按行政区更新，或联系市规划资源局。")
    if beyond := sorted(set(districts) - own):
        names = "、".join(district_name(code) for code in beyond[:5])
        raise NotAllowed(f"这次更新涉及{names}，不在你的辖区内，没有改动。请只更新本区的图形，或联系市规划资源局。")
