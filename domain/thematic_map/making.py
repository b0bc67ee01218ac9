"""From a spec to a whole map: select, draw by kind, and put into words where it is from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlmodel import Session

from domain import portal_clock
from domain.actor import Actor
from domain.format import date_formal
from domain.land_use_class import land_use_classes
from domain.thematic_map.content import Content, Table
from domain.thematic_map.kinds import KINDS
from domain.thematic_map.selection import Selection, select_features
from domain.thematic_map.sheet import Sheet, compose
from domain.thematic_map.spec import MapSpec
from domain.thematic_map.words import label_of, mark, words

HEAVY = 9_000
"""Maps of more features than this are exported by a job."""


@dataclass(frozen=True)
class ThematicMap:
    """A made map: what was asked, what was selected, what is shown."""

    spec: MapSpec
    selection: Selection
    content: Content

    @property
    def tables(self) -> Sequence[Table]:
        return self.content.drawn.tables

    def sheet(self, paper: str = "", orientation: str = "") -> Sheet:
        """The map on its paper, or on another."""
        return compose(self.content, paper or self.spec.paper, orientation or self.spec.orientation)


def make(session: Session, actor: Actor, spec: MapSpec) -> ThematicMap:
    """The map that a spec asks for, with the actor's rights. Raises what selecting and drawing refuse."""
    selection = select_features(session, actor, spec)
    drawn = KINDS[spec.kind](session, selection, spec)
    today = portal_clock.today(session)
    generated = selection.is_generated and not spec.is_typed
    notes = [*drawn.notes, *([] if spec.is_typed else [mark("clipped" if selection.is_clipped else "whole")]), mark("boundaries")]
    content = Content(
        title=spec.title or title_of(spec, selection), subtitle=spec.subtitle or subtitle_of(spec, selection),
        extent=selection.extent, outline=selection.outline if spec.kind != "flow" else None, drawn=drawn,
        source=source_of(spec, selection, today), notes=(*notes, *([mark("generated_note")] if generated else []), *([spec.note] if spec.note else [])),
        secrecy="" if spec.secrecy == "none" else label_of("secrecy", spec.secrecy), stamp=mark("generated") if generated else "",
        maker=f"制图：{actor.name}　{date_formal(today)}",
    )
    return ThematicMap(spec, selection, content)


def title_of(spec: MapSpec, selection: Selection) -> str:
    """What a map is called that nobody named: area, layer, classes and kind."""
    what = "" if spec.is_typed else selection.definition.title
    return f"{selection.label}{what}{words()['kinds'][spec.kind]['title']}"


def subtitle_of(spec: MapSpec, selection: Selection) -> str:
    """The classes that were chosen, and the state that is shown; nothing for typed flows, which are not of the layer."""
    if spec.is_typed:
        return ""
    known = land_use_classes()
    named = [f"{code} {known[code].name}" if code in known else code for code in spec.classes]
    classes = f"{'、'.join(named)}；" if named else ""
    return f"{classes}{date_formal(selection.effective_on)}起的第 {selection.edition} 版"


def source_of(spec: MapSpec, selection: Selection, today: date) -> tuple[str, ...]:
    """Where the data are from, as the margin says it."""
    asked = f"，按 {date_formal(spec.on)} 的状态" if spec.on else ""
    data = "起讫数据由制图人提供" if spec.is_typed else f"数据来源：{selection.definition.title}第 {selection.edition} 版（{date_formal(selection.effective_on)}起施行{asked}）"
    return (data, "坐标系：CGCS2000")
