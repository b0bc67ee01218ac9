"""Where the demo puts towns, land use classes and protection: smooth random fields, so that neighbours tend
to be alike.
"""

from collections.abc import Sequence

import numpy
from numpy.random import Generator

from domain.town import Town

_WAVES = 12


class RandomField:
    """A smooth random function of longitude and latitude, turned into shares between 0 and 1."""

    def __init__(self, random: Generator, wave_degrees: float, noise: float) -> None:
        angle = random.uniform(0, 2 * numpy.pi, _WAVES)
        length = wave_degrees * random.uniform(0.6, 1.8, _WAVES)
        self._wave = numpy.stack([numpy.cos(angle), numpy.sin(angle)]) * 2 * numpy.pi / length
        self._phase = random.uniform(0, 2 * numpy.pi, _WAVES)
        self._random, self._noise = random, noise

    def shares(self, points: numpy.ndarray) -> numpy.ndarray:
        """For points (n × 2, degrees) their rank in the field, with some noise, as n numbers from 0 to below
        1.
        """
        height = numpy.cos(points @ self._wave + self._phase).sum(axis=1) + self._random.normal(
            0, self._noise, len(points)
        )
        rank = numpy.empty(len(points))
        rank[numpy.argsort(height, kind="stable")] = numpy.arange(len(points)) / max(len(points), 1)
        return rank


def nearest_towns(points: numpy.ndarray, towns: Sequence[Town], random: Generator) -> list[Town]:
    """For each point the town whose (randomly chosen) centre is nearest; the centres are points of the set."""
    centres = points[random.choice(len(points), size=min(len(towns), len(points)), replace=False)]
    distance = ((points[:, None, :] - centres[None, :, :]) ** 2).sum(axis=2)
    return [towns[index] for index in distance.argmin(axis=1)]


def choose(options: Sequence[Sequence], count: int, random: Generator) -> list[str]:
    """Codes drawn by their shares."""
    codes, shares = [code for code, _ in options], numpy.array([share for _, share in options], dtype=float)
    return [codes[index] for index in random.choice(len(codes), size=count, p=shares / shares.sum())]
