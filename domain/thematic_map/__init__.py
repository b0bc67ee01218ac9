"""Thematic maps 专题图: a layer, an area and a kind made into a sheet with legend, scale and north, and into its table."""

from domain.thematic_map.making import ThematicMap, make
from domain.thematic_map.spec import MapSpec, read_spec

__all__ = ["MapSpec", "ThematicMap", "make", "read_spec"]
