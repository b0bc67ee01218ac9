"""The catalogue of layers 资源目录: what each layer is, who may open it, and of which districts its features are shown.

Everything that shows a layer to a person asks here: the one map, queries, thematic maps, prints, overlays, shares.
Rights are data (reference/layer_catalogue.yaml) and denied by default: a role that no line of a layer names may not
open it, and a layer without a line is open to nobody but the portal itself.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sqlmodel import Session, select

from domain import role
from domain.actor import Actor, Grant
from domain.district import district_name
from domain.errors import NotAllowed, NotFound
from domain.layer.definition import layer_definition, layer_definitions
from domain.layer.reading import LatestEdition, latest_editions
from domain.layer.tables import LayerCard
from rules.engine.document import read_document

FILE = Path(__file__).parent.parent / "reference" / "layer_catalogue.yaml"
ROWS = ("all", "own")


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the catalogue."""

    key: str
    title: str


@dataclass(frozen=True, slots=True)
class Opening:
    """To whom a layer is open: levels and keys of roles, and whether to the features of all districts or of their own."""

    to: frozenset[str]
    rows: str

    def fits(self, grant: Grant) -> bool:
        """True if it speaks of the role of a grant."""
        return grant.role in self.to or role.role(grant.role).level in self.to


@dataclass(frozen=True, slots=True)
class Listing:
    """What the file says of a layer."""

    key: str
    group: str
    summary: str
    source: str
    owner: str
    update_cycle: str
    security_level: str
    basis: str
    geometry: str
    opens: tuple[Opening, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """A layer as the catalogue lists it for one actor; a layer without data has edition 0 and no date.

    `why_not` says why a layer that is not open cannot be opened. `districts` are those whose features the actor may see
    (None: all). `feature_count` is of the whole layer, whatever the districts.
    """

    group: Group
    key: str
    title: str
    summary: str
    source: str
    owner: str
    update_cycle: str
    security_level: str
    basis: str
    geometry: str
    is_open: bool
    why_not: str
    districts: frozenset[str] | None
    edition: int = 0
    effective_on: date | None = None
    feature_count: int = 0
    is_generated: bool = False

    @property
    def has_data(self) -> bool:
        """True once an edition was loaded."""
        return self.edition > 0


@functools.cache
def words() -> Mapping[str, Any]:
    """The file as it is: groups, layers and the words of security levels, geometries and extents."""
    return read_document(FILE)


@functools.cache
def groups() -> tuple[Group, ...]:
    """The groups in their order."""
    return tuple(Group(row["key"], row["title"]) for row in words()["groups"])


@functools.cache
def listings() -> Mapping[str, Listing]:
    """What the file says, by layer, in its order. Raises ValueError for what it may not say."""
    return MappingProxyType({row["key"]: _listing(row) for row in words()["layers"]})


def _listing(row: Any) -> Listing:
    level, geometry = row.get("security_level", words()["default_level"]), row.get("geometry", "polygon")
    opens = tuple(_opening(each) for each in row.get("opens", ()))
    if (
        row["key"] not in layer_definitions() or row["group"] not in {each.key for each in groups()}
        or level not in words()["security_levels"] or geometry not in words()["geometries"]
    ):  # fmt: skip
        raise ValueError(f"{FILE.name} 第 {row.line} 行：图层、分组、密级或图形类型不在约定的取值内。请改正。")
    told = (row[name] for name in ("summary", "source", "owner", "update_cycle"))
    return Listing(row["key"], row["group"], *told, level, row["basis"], geometry, opens)


def _opening(row: Any) -> Opening:
    if row["rows"] not in ROWS or not set(row["to"]) <= {*role.LEVELS, *role.keys()}:
        raise ValueError(f"{FILE.name} 第 {row.line} 行：to 应为岗位或岗位层级，rows 应为 all 或 own。请改正。")
    return Opening(frozenset(row["to"]), row["rows"])


def may_open(actor: Actor, layer_key: str) -> bool:
    """True if the actor may look at a layer; never for a layer that the catalogue does not list."""
    return layer_key in layer_definitions() and (actor.is_system or bool(_openings(actor, layer_key)))


def require(actor: Actor, layer_key: str) -> None:
    """Raise NotFound for a layer that there is not, NotAllowed, with the reason, for one that the actor may not open."""
    layer_definition(layer_key)
    if not may_open(actor, layer_key):
        raise NotAllowed(why_not(actor, layer_key))


def why_not(actor: Actor, layer_key: str, owner: str = "") -> str:
    """Why the actor may not open a layer, and whom to ask (the owner of the file unless named); empty text if it is open."""
    if may_open(actor, layer_key):
        return ""
    title, listed = layer_definition(layer_key).title, listings().get(layer_key)
    if listed is None or not listed.opens:
        return f"图层“{title}”还没有在资源目录中开放给任何岗位，没有打开。需要使用的，请联系市级数据管理人员。"
    mine = role.acts_as(actor) or "没有岗位"
    return f"图层“{title}”没有开放给你的岗位（{mine}），没有打开。需要使用的，请联系{owner or listed.owner}。"


def districts_of(actor: Actor, layer_key: str) -> frozenset[str] | None:
    """The districts whose features of a layer the actor may look at; None for all. Raises as `require`."""
    require(actor, layer_key)
    if actor.is_system:
        return None
    found = _openings(actor, layer_key)
    if any(opening.rows == "all" or _is_citywide(grant) for opening, grant in found):
        return None
    return frozenset(grant.district_code for _opening, grant in found if grant.district_code)


def limits(actor: Actor, layer_key: str) -> str:
    """Which part of an open layer the actor sees, as a line under a map; empty text for all of it. Raises as `require`."""
    codes = districts_of(actor, layer_key)
    if codes is None:
        return ""
    names = "、".join(district_name(code) for code in sorted(codes)) or "授权行政区"
    return f"{layer_definition(layer_key).title}按岗位授权只含{names}的要素"


def _is_citywide(grant: Grant) -> bool:
    return grant.district_code is None and grant.organisation_id is None


def _openings(actor: Actor, layer_key: str) -> list[tuple[Opening, Grant]]:
    """The lines by which a layer is open to the actor, each with the grant that it speaks of."""
    listed = listings().get(layer_key)
    opens = listed.opens if listed else ()
    return [(opening, grant) for opening in opens for grant in actor.grants if opening.fits(grant)]


def is_restricted(layer_key: str) -> bool:
    """True unless everybody who sees the map sees all of a layer; such layers look different to different people."""
    listed, working = listings().get(layer_key), [each.key for each in role.roles().values() if each.level not in ("public", "system")]
    whole = [opening for opening in listed.opens if opening.rows == "all"] if listed else []
    return not all(any(opening.fits(Grant(each)) for opening in whole) for each in working)


def security_level(session: Session, layer_key: str) -> str:
    """open, internal or secret: as the data manager set it, else as the file says."""
    stored = session.exec(select(LayerCard.security_level).where(LayerCard.layer_key == layer_key)).first()
    listed = listings().get(layer_key)
    return stored or (listed.security_level if listed else words()["default_level"])


def open_keys(session: Session, actor: Actor) -> list[str]:
    """The keys of the layers that have data and that the actor may open, in the order of the catalogue."""
    loaded = latest_editions(session)
    return [key for key in listings() if key in loaded and may_open(actor, key)]


def entries(session: Session, actor: Actor) -> tuple[Entry, ...]:
    """Every layer in the order of the catalogue: open ones and locked ones, with their present editions; two statements."""
    loaded, cards = latest_editions(session), {each.layer_key: each for each in session.exec(select(LayerCard)).all()}
    return tuple(_entry(actor, each, loaded.get(each.key), cards.get(each.key)) for each in listings().values())


def entry(session: Session, actor: Actor, layer_key: str) -> Entry:
    """One layer as `entries` lists it. Raises NotFound for a layer that there is not."""
    title, listed = layer_definition(layer_key).title, listings().get(layer_key)
    if listed is None:
        raise NotFound(f"图层“{title}”没有编入资源目录。请联系市级数据管理人员。")
    return _entry(actor, listed, latest_editions(session).get(layer_key), stored_card(session, layer_key))


def stored_card(session: Session, layer_key: str) -> LayerCard | None:
    """What was written about a layer; None if the file still speaks."""
    return session.exec(select(LayerCard).where(LayerCard.layer_key == layer_key)).first()


def _entry(actor: Actor, listed: Listing, latest: LatestEdition | None, card: LayerCard | None) -> Entry:
    is_open, told = may_open(actor, listed.key), card or listed
    found = {} if latest is None else {
        "edition": latest.number, "effective_on": latest.effective_on, "feature_count": latest.feature_count, "is_generated": latest.is_generated,
    }
    return Entry(
        next(each for each in groups() if each.key == listed.group), listed.key, layer_definition(listed.key).title, told.summary, told.source,
        told.owner, told.update_cycle, told.security_level, told.basis, listed.geometry, is_open, why_not(actor, listed.key, told.owner),
        districts_of(actor, listed.key) if is_open else frozenset(), **found,
    )  # fmt: skip
