"""Reference lists: land use classes and towns."""

import csv
from collections import Counter

import pytest

from domain.errors import NotFound
from domain.land_use_class import land_use_class, land_use_classes
from domain.town import towns
from tests.domain.shared_data import shared_file


def test_arable_classes_are_those_of_farmland():
    assert {c.code for c in land_use_classes().values() if c.is_arable} == {"01", "0101", "0102", "0103"}


@pytest.mark.parametrize(
    ("code", "name", "major"),
    [
        ("0101", "水田", "农用地"),
        ("1006", "农村道路", "农用地"),
        ("0603", "盐田", "建设用地"),
        ("1101", "河流水面", "未利用地"),
        ("0201K", "可调整果园", "农用地"),
    ],
)
def test_classes_with_their_major_class(code, name, major):
    found = land_use_class(code)
    assert (found.name, found.major_class) == (name, major)


@pytest.mark.parametrize("code", ["原来204", "203", "202A", "9999", ""])
def test_labels_and_unknown_codes_are_refused(code):
    with pytest.raises(NotFound, match="DLBM"):
        land_use_class(code)


def test_every_undivided_class_has_a_major_class_and_its_parent():
    classes = land_use_classes()
    divided = {each.parent for each in classes.values() if each.parent} | {"00"}
    for each in classes.values():
        assert each.parent in classes or each.parent == ""
        assert (each.major_class == "") == (each.code in divided)


def test_names_agree_with_the_published_list():
    path = shared_file("code-lists", "third_survey_working_classification_codes.csv")
    with path.open(encoding="utf-8-sig", newline="") as file:
        published = {row["dlbm"]: row["dlmc"] for row in csv.DictReader(file)}
    assert {c.code: c.name for c in land_use_classes().values()}.items() <= published.items()


def test_towns_belong_to_sixteen_districts():
    counts = Counter(town.district_code for town in towns())
    assert (sum(counts.values()), len(counts), counts["310151"]) == (234, 16, 21)
    assert all(town.code.startswith(town.district_code) and len(town.code) == 9 for town in towns())
