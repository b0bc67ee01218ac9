"""Colours of land-use classes: the longest code wins, each value says what it rests on, no class is without one."""

import csv
import re

import pytest

from domain.land_use_class import land_use_classes
from domain.land_use_colour import BASES, LAND_SEA_USE, THIRD_SURVEY, colour_of, colours
from tests.domain.shared_data import shared_file


def test_the_longest_code_that_a_class_begins_with_has_the_colour():
    known = colours()
    assert colour_of("0101") == known["0101"].colour != known["01"].colour
    assert colour_of("0201A") == known["02"].colour and colour_of("永久基本农田") is None


@pytest.mark.parametrize("classification", [THIRD_SURVEY, LAND_SEA_USE])
def test_every_value_is_a_colour_and_says_what_it_rests_on(classification):
    for each in colours(classification).values():
        assert re.fullmatch("#[0-9a-f]{6}", each.colour) and each.basis in BASES and each.name


def test_every_class_of_the_survey_has_a_colour_and_first_level_names_agree():
    assert all(colour_of(code) for code in land_use_classes())
    with shared_file("code-lists", "land_sea_use_classification_2023.csv").open(encoding="utf-8") as file:
        names = {row["code"]: row["name"] for row in csv.DictReader(file)}
    assert {code: each.name for code, each in colours(LAND_SEA_USE).items()} == {code: names[code] for code in colours(LAND_SEA_USE)}
