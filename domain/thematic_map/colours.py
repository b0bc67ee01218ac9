"""Colours of thematic maps: ramps of even lightness for numbers, standard colours for land-use classes, patterns beside colour."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy

from domain.land_use_colour import colour_of
from domain.map_legend import LAYERS
from domain.thematic_map.words import words

NEAREST = 0.035
"""Colours nearer than this in OKLab are hard to tell apart on a sheet and are given different patterns."""


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour (#rrggbb) and the pattern drawn over it; empty for none."""

    colour: str
    pattern: str = ""


def ramp(key: str, count: int) -> list[Ink]:
    """`count` colours from light to dark, evenly spaced in OKLab, so that they stay apart in grey too."""
    anchors = _to_lab(numpy.array([_rgb(each) for each in words()["ramps"][key]["colours"]]))
    lightness = numpy.linspace(anchors[0, 0], anchors[-1, 0], count) if count > 1 else anchors[1:2, 0]
    order = anchors[:, 0].argsort()
    lab = numpy.column_stack([lightness, *(numpy.interp(lightness, anchors[order, 0], anchors[order, axis]) for axis in (1, 2))])
    return [Ink(_hex(each)) for each in _from_lab(lab)]


def categories(values: Sequence[str], known: Mapping[str, str] | None = None) -> dict[str, Ink]:
    """An ink for every value: the `known` colour, that of its land-use class or of its status on the one map, or one of our own.

    Colours that are hard to tell apart are given patterns.
    """
    own, patterns = words()["category_colours"], words()["patterns"]
    found: dict[str, Ink] = {}
    others = 0
    for value in values:
        colour = (known or {}).get(value) or colour_of(value) or status_colours().get(value) or words()["value_colours"].get(value)
        if colour is None:
            colour = own[others % len(own)]
            others += 1
        alike = [ink.pattern for ink in found.values() if distance(ink.colour, colour) < NEAREST]
        free = [pattern for pattern in patterns if pattern not in alike]
        found[value] = Ink(colour, free[0] if free else patterns[len(alike) % len(patterns)])
    return found


@cache
def status_colours() -> Mapping[str, str]:
    """The colours that the one map gives to the statuses of features."""
    groups = [group for layer in LAYERS if layer.by == "status" for group in layer.groups]
    return {value: group.look.fill for group in groups for value in group.values if value and group.look.fill}


def distance(one: str, other: str) -> float:
    """How far two colours lie apart in OKLab; black and white are 1 apart."""
    first, second = _to_lab(numpy.array([_rgb(one), _rgb(other)]))
    return float(numpy.hypot(numpy.hypot(*(first[:2] - second[:2])), first[2] - second[2]))


def on_white(colour: str, opacity: float) -> str:
    """The colour that a see-through one makes on white paper."""
    return _hex(1 - (1 - numpy.array(_rgb(colour))) * opacity)


def is_dark(colour: str) -> bool:
    """True if black lines would not be seen on the colour."""
    return float(_to_lab(numpy.array([_rgb(colour)]))[0, 0]) < 0.55


def _rgb(colour: str) -> list[float]:
    return [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]


def _hex(rgb: numpy.ndarray) -> str:
    return "#" + "".join(f"{round(float(each) * 255):02x}" for each in rgb.clip(0, 1))


_TO_CONES = numpy.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                         [0.0883024619, 0.2817188376, 0.6299787005]])
_TO_LAB = numpy.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                       [0.0259040371, 0.7827717662, -0.8086757660]])


def _to_lab(rgb: numpy.ndarray) -> numpy.ndarray:
    linear = numpy.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return numpy.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T


def _from_lab(lab: numpy.ndarray) -> numpy.ndarray:
    linear = ((lab @ numpy.linalg.inv(_TO_LAB).T) ** 3 @ numpy.linalg.inv(_TO_CONES).T).clip(0, 1)
    return numpy.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
