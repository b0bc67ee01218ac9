"""One palette: tiles, legend, prints, thematic maps and the pictures of the style sheet give a class the same colour."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from domain.land_use_class import land_use_classes
from domain.land_use_colour import colour_of
from domain.layer import FeatureData
from domain.map_legend import BY_KEY, LAYERS, palette
from domain.map_look import look_of, marks
from domain.map_print import _fill
from domain.thematic_map.colours import categories
from domain.thematic_map.grouping import legend_colours

STYLES = Path("static/styles/components.css").read_text(encoding="utf-8")
LAND = BY_KEY["land_use"]


def _feature(code):
    return FeatureData("key", "310118", code, Decimal(0), None)


@pytest.mark.parametrize("code", sorted(land_use_classes()))
def test_legend_map_print_and_thematic_map_agree_for_every_class_of_land_use(code):
    key = LAND.group_of(_feature(code))
    group = next(each for each in LAND.groups if each.key == key)
    painted = palette(["land_use"])["land_use"][key]["fill"]
    assert painted == group.look.fill == _fill(group, [], 1.0).ink.colour
    assert categories([key], legend_colours(BY_KEY["land_use"]))[key].colour == painted


@pytest.mark.parametrize(("code", "key"), [("0101", "paddy"), ("0103", "dry"), ("0201", "garden"), ("0301", "wood"), ("1101", "water")])
def test_the_colour_of_a_group_is_that_of_its_class(code, key):
    assert palette(["land_use"])["land_use"][key]["fill"] == colour_of(code)


def test_statuses_have_the_colour_of_the_one_map_in_thematic_maps_too():
    shown = palette(["annual_farmland"])["annual_farmland"]
    inks = categories(["可用", "预占", "已预存", "已流出"])
    assert [inks[each].colour for each in ("可用", "预占", "已预存", "已流出")] == [shown[each]["fill"] for each in ("available", "reserved", "stored", "used")]


def test_every_mark_of_the_legend_has_a_look():
    assert all(group.look.fill or group.look.stroke for layer in LAYERS for group in layer.groups)


@pytest.mark.parametrize("name", sorted(marks()))
def test_pictures_that_the_style_sheet_draws_have_the_same_look(name):
    rules = dict(part.split(":", 1) for part in re.search(rf"\.{name}\{{([^}}]*)\}}", STYLES).group(1).split("; "))
    look = look_of(name)
    assert rules.get("stroke", "") == look.stroke and float(rules.get("stroke-width", look.width)) == look.width
    assert [float(each) for each in rules.get("stroke-dasharray", "").split()] == list(look.dash)
    if look.opacity == 1:
        assert rules.get("fill", "none").replace("none", "") == look.fill
