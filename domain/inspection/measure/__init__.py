"""Measures find candidates; rules judge them. One module for each family of checks, one function for each check."""

from collections.abc import Callable, Iterator, Mapping

from domain.inspection.measure import place, shape, structure, topology, value
from domain.inspection.subject import Candidate, Subject

Measure = Callable[[Subject], Iterator[Candidate]]

MEASURES: Mapping[str, Measure] = structure.MEASURES | value.MEASURES | place.MEASURES | shape.MEASURES | topology.MEASURES
"""Every measure by the key of its check."""

__all__ = ["MEASURES", "Measure"]
