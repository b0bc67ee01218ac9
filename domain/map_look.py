"""How the marks of the map look, on the screen and on paper: one palette for tiles, legend, prints and thematic maps."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from domain.land_use_colour import colour_of
from rules.engine.document import read_document

FILE = Path(__file__).parent / "reference" / "map_marks.yaml"
MM_PER_DOT = 0.18
"""Lines are finer on paper than dots of 1/96 inch would be: they are seen from nearer."""


@dataclass(frozen=True, slots=True)
class Look:
    """Fill and stroke (#rrggbb, empty for none), width and dashes of the stroke in px, a pattern over it, opacity of the fill."""

    fill: str = ""
    stroke: str = ""
    width: float = 1.0
    dash: tuple[float, ...] = ()
    pattern: str = ""
    opacity: float = 1.0

    @property
    def width_mm(self) -> float:
        """The width of the stroke on paper."""
        return round(self.width * MM_PER_DOT, 3)

    @property
    def dash_mm(self) -> tuple[float, ...]:
        """The dashes of the stroke on paper."""
        return tuple(round(each * MM_PER_DOT, 3) for each in self.dash)

    def to_json(self) -> dict[str, Any]:
        """What the map script paints with."""
        return {
            "fill": self.fill, "stroke": self.stroke, "width": self.width, "dash": list(self.dash), "pattern": self.pattern, "opacity": self.opacity,
        }


@cache
def marks() -> Mapping[str, Mapping[str, Any]]:
    """What each mark says of its look. Raises ValueError for a class without a colour."""
    return {name: _coloured(name, dict(entry)) for name, entry in read_document(FILE).items()}


def _coloured(name: str, entry: dict[str, Any]) -> Mapping[str, Any]:
    """The entry with the colour of its class as its fill, so that land-use colours are written in one file."""
    if "class" in entry:
        code = str(entry.pop("class"))
        if (colour := colour_of(code)) is None:
            raise ValueError(f"{FILE.name} 中 {name} 的地类 {code} 没有颜色。请先写入 land_use_colours.yaml。")
        entry["fill"] = colour
    return entry


@cache
def look_of(mark: str) -> Look:
    """The look of a mark of one or more names, the later over the earlier. Raises KeyError for a name that the file lacks."""
    said: dict[str, Any] = {}
    for name in mark.split():
        said |= marks()[name]
    numbers = {key: float(said[key]) for key in ("width", "opacity") if key in said}
    return Look(**{**said, **numbers, "dash": tuple(float(each) for each in said.get("dash", ()))})
