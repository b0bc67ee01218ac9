"""Sketches 草图: polygons, lines and points that a person draws on the map or types; private to that person until shared."""

from domain.sketch.drawing import (
    FEWEST,
    KINDS,
    MOST_POINTS,
    measures_of,
    parts_of,
    read_drawing,
    read_parts,
    text_of,
)
from domain.sketch.handing import FORMATS, file_of
from domain.sketch.saved import change, delete, draw, find, read_file, restore, sketches_of
from domain.sketch.shared import find_shared, share, shared_of, unshare
from domain.sketch.tables import SharedRange, Sketch

__all__ = [
    "FEWEST",
    "FORMATS",
    "KINDS",
    "MOST_POINTS",
    "SharedRange",
    "Sketch",
    "change",
    "delete",
    "draw",
    "file_of",
    "find",
    "find_shared",
    "measures_of",
    "parts_of",
    "read_drawing",
    "read_file",
    "read_parts",
    "restore",
    "share",
    "shared_of",
    "sketches_of",
    "text_of",
    "unshare",
]
