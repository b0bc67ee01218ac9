"""Limits of classes: each method on values whose answer is known, and every value in exactly one class."""

from decimal import Decimal
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.thematic_map.breaks import class_of, inner_limits

NUMBERS = [Decimal(each) for each in (4, 5, 9, 10)]


def decimals(*values):
    return tuple(Decimal(str(each)) for each in values)


def test_equal_intervals_divide_the_span():
    assert inner_limits(decimals(0, 1, 2, 10), "equal", 5) == decimals(2, 4, 6, 8)


def test_quantiles_hold_equal_numbers():
    limits = inner_limits([Decimal(each) for each in range(12)], "quantile", 4)
    assert limits == decimals(3, 6, 9)
    assert [sum(class_of(Decimal(each), limits) == place for each in range(12)) for place in range(4)] == [3, 3, 3, 3]


def test_natural_breaks_find_the_textbook_groups():
    """Jenks' example: {4, 5} and {9, 10} leave least deviation, 1 in all."""
    assert inner_limits(NUMBERS, "natural", 2) == decimals(9)


def deviation(groups):
    return sum(sum((each - sum(group) / len(group)) ** 2 for each in group) for group in groups)


@given(st.lists(st.integers(0, 60), min_size=6, max_size=10, unique=True), st.integers(3, 4))
def test_no_other_division_is_more_natural(values, count):
    """Against every division there is."""
    ordered = sorted(values)
    limits = inner_limits([Decimal(each) for each in ordered], "natural", count)
    ours = [[each for each in ordered if class_of(Decimal(each), limits) == place] for place in range(count)]
    best = min(
        deviation([ordered[start:end] for start, end in zip((0, *cuts), (*cuts, len(ordered)), strict=True)])
        for cuts in combinations(range(1, len(ordered)), count - 1)
    )
    assert deviation(ours) == pytest.approx(best)


def test_own_limits_are_taken_as_they_are():
    assert inner_limits(NUMBERS, "own", 5, decimals(5, 9.5)) == decimals(5, 9.5)


def test_a_value_on_a_limit_belongs_above():
    assert [class_of(each, decimals(5, 9)) for each in NUMBERS] == [0, 1, 2, 2]


@pytest.mark.parametrize("method", ["quantile", "natural"])
def test_few_values_give_few_classes(method):
    assert inner_limits(decimals(3, 3, 3), method, 5) == ()
    assert len(inner_limits(decimals(1, 1, 2), method, 9)) == 1
