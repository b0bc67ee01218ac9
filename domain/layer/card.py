"""What a layer is, as its data manager describes it 图层说明: read from the file of the catalogue until somebody changes it."""

from dataclasses import asdict, dataclass

from sqlmodel import select

from domain import role
from domain.actor import Actor
from domain.command import Work, command
from domain.errors import Conflict, InvalidData, NotAllowed
from domain.layer import catalogue
from domain.layer.rights import RIGHT, districts_to_change
from domain.layer.tables import LayerCard

LONGEST = {"summary": 300, "source": 200, "owner": 60, "update_cycle": 60, "basis": 200}
"""How long each text may be."""


@dataclass(frozen=True, slots=True)
class Description:
    """What can be written about a layer."""

    summary: str
    source: str
    owner: str
    update_cycle: str
    security_level: str
    basis: str


def may_describe(actor: Actor) -> bool:
    """True for those who may change layers in the whole city."""
    return actor.is_system or (role.may(actor, RIGHT) and districts_to_change(actor) is None)


def require_describe(actor: Actor) -> None:
    """Raise NotAllowed for those who may not."""
    if not may_describe(actor):
        raise NotAllowed("图层说明由市级数据管理人员修改。需要改的，请联系市规划资源局。")


def managers(work: Work) -> None:
    """The data managers of the city."""
    require_describe(work.actor)


@command("layer.describe", allow=managers)
def describe(work: Work, layer_key: str, described: Description, version: int) -> LayerCard:
    """Write what a layer is; `version` is that of the card the form showed, 0 if there was none.

    Raises NotFound for a layer that there is not, InvalidData by field, Conflict if somebody else changed it meanwhile.
    """
    catalogue.require(work.actor, layer_key)
    _must_be_complete(described)
    found = work.session.exec(select(LayerCard).where(LayerCard.layer_key == layer_key).with_for_update()).first()
    if (found.version if found else 0) != version:
        who = f"{found.changed_by_name}已经" if found else "有人"
        raise Conflict(f"{who}修改了这个图层的说明，你的修改没有保存。请打开最新的说明再改。")
    values = asdict(described)
    changed = sorted(name for name, value in values.items() if value != getattr(found or catalogue.listings()[layer_key], name))
    card = found or LayerCard(layer_key=layer_key, changed_at=work.at, changed_by_name=work.actor.name, version=0, **values)
    for name, value in values.items():
        setattr(card, name, value)
    card.version += 1
    card.changed_at, card.changed_by, card.changed_by_name = work.at, work.actor.person_id, work.actor.name
    work.session.add(card)
    work.session.flush()
    work.record(f"layer:{layer_key}", changed=changed, security_level=card.security_level)
    return card


def _must_be_complete(described: Description) -> None:
    faults = {}
    for name, longest in LONGEST.items():
        value = getattr(described, name)
        if not value:
            faults[name] = "没有填写"
        elif len(value) > longest:
            faults[name] = f"不能超过 {longest} 字，现有 {len(value)} 字"
    if described.security_level not in catalogue.words()["security_levels"]:
        faults["security_level"] = "请从列表里选密级"
    if faults:
        raise InvalidData(f"图层说明有 {len(faults)} 处要改，没有保存。请按提示改正。", faults)
