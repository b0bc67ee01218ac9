"""Solvability of linear systems, against brute force over a grid."""

import itertools
import random
from fractions import Fraction

from rules.engine.analysis.inequality import Inequality, solution
from rules.engine.syntax.linear import Linear

NAMES = ("a", "b")


def inequality(constant: int, strict: bool = False, **factors: int) -> Inequality:
    terms = tuple(sorted((name, Fraction(factor)) for name, factor in factors.items() if factor))
    return Inequality(Linear(terms, Fraction(constant)), strict)


def holds(system: list[Inequality], point: dict[str, Fraction]) -> bool:
    for one in system:
        value = one.form.constant + sum(factor * point.get(name, 0) for name, factor in one.form.terms)
        if value > 0 or (one.strict and value == 0):
            return False
    return True


def test_strict_bounds_that_touch_have_no_solution() -> None:
    assert solution([inequality(-5, True, a=1), inequality(5, False, a=-1)]) is None
    assert solution([inequality(-5, False, a=1), inequality(5, False, a=-1)]) == {"a": 5}


def test_no_whole_number_lies_strictly_between_neighbours() -> None:
    system = [inequality(-6, True, a=1), inequality(5, True, a=-1)]
    assert solution(system) is not None
    assert solution(system, whole={"a"}) is None


def test_a_chain_of_differences_is_seen_through() -> None:
    below = [inequality(0, True, a=1, b=-1), inequality(0, False, a=-1, b=1)]
    assert solution(below) is None


def test_random_systems_against_a_grid() -> None:
    pick = random.Random(7)
    grid = [Fraction(number, 2) for number in range(-12, 13)]
    found = {True: 0, False: 0}
    for _ in range(400):
        system = [
            inequality(pick.randint(-4, 4), pick.random() < 0.5, a=pick.randint(-2, 2), b=pick.randint(-2, 2))
            for _ in range(pick.randint(2, 6))
        ]
        point = solution(system)
        found[point is not None] += 1
        if point is not None:
            assert holds(system, point)
        else:
            assert not any(
                holds(system, dict(zip(NAMES, values, strict=True)))
                for values in itertools.product(grid, grid)
            )
    assert min(found.values()) > 50
