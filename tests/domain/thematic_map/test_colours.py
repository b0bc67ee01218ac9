"""Colours that stay apart: for eyes that see few colours and on paper without any."""

from itertools import combinations, pairwise

import pytest

from domain.land_use_class import land_use_classes
from domain.land_use_colour import colour_of
from domain.thematic_map.colours import NEAREST, categories, distance, ramp
from domain.thematic_map.words import words


def luminance(colour):
    """Relative luminance of WCAG."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("key", sorted(words()["ramps"]))
@pytest.mark.parametrize("count", range(3, 10))
def test_a_ramp_grows_darker_in_steps_that_print(key, count):
    light = [luminance(each.colour) for each in ramp(key, count)]
    steps = [(one + 0.05) / (other + 0.05) for one, other in pairwise(light)]
    assert min(steps) > 1.15


def test_every_land_use_class_has_a_colour_and_neighbouring_classes_differ():
    assert all(colour_of(code) for code in land_use_classes())
    codes = ["0101", "0102", "0103", "0201", "0301", "0307", "0404", "05H1", "0601", "0701", "0702", "0810", "08H2", "1003", "1004", "1006", "1104", "1107", "1202"]
    inks = categories(codes)
    for one, other in combinations(codes, 2):
        assert inks[one].pattern != inks[other].pattern or distance(inks[one].colour, inks[other].colour) >= NEAREST, (one, other)


def test_values_without_a_colour_of_their_own_get_a_pattern_once_colours_repeat():
    inks = categories([f"值{number}" for number in range(24)])
    assert len({(each.colour, each.pattern) for each in inks.values()}) == 24
