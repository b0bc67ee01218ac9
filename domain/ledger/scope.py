"""Which areas' books an actor may know of (LAND-097): one's own district, 临港 alone, or the whole city and its own row."""

from domain.actor import Actor
from domain.errors import NotFound
from domain.ledger.definition import areas
from domain.role import role


def visible_areas(actor: Actor) -> tuple[str, ...]:
    """Codes of the areas in the actor's right, in the order of the books; empty for who may see none."""
    if actor.is_system:
        return areas()
    scopes = {grant.district_code for grant in actor.grants if "ledgers" in role(grant.role).may}
    return areas() if None in scopes else tuple(code for code in areas() if code in scopes)


def sees_city(actor: Actor) -> bool:
    """True for city users, who see every area."""
    return len(visible_areas(actor)) == len(areas())


def must_see(actor: Actor, area: str) -> str:
    """The code, if the actor may see that area's books. Raises NotFound, also for an area that there is not."""
    if area not in visible_areas(actor):
        raise NotFound("没有这个台账，或者它不在你的查阅范围内。请从台账总览进入。")
    return area
