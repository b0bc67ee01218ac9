"""Random conditions and facts, for the differential tests: values around limits, missing facts, lists, odd texts."""

import random
from typing import Any

NUMBERS = [
    "0",
    "0.1",
    "0.3",
    "100",
    "100.0001",
    "100.00001",
    "-5",
    "12345678901234.5678",
    "99999999999999999999",
]
WHOLE = [-3, 0, 1, 2, 7, 10**12]
TEXTS = ["甲", "乙", "", 'A"B', "换\n行", "ZD1174626", "ZD0872068", "𠮷"]
DAYS = ["2026-01-01", "2026-06-29", "2026-06-30", "2027-01-01"]
VALUES = {
    "area_m2": NUMBERS, "other_m2": NUMBERS, "number": WHOLE, "status": ["甲", "乙", "丙"], "name": TEXTS,
    "done": [True, False], "filed_on": DAYS,
}  # fmt: skip
ORDERED = ["is", "is_not", "below", "at_most", "above", "at_least"]


def leaf(pick: random.Random) -> dict[str, Any]:
    """One comparison or question of a list."""
    fact = pick.choice(list(VALUES))
    roll = pick.random()
    if roll < 0.12:
        return {"fact": fact, pick.choice(["exists", "missing"]): True}
    if roll < 0.24:
        return {"fact": fact, pick.choice(["in", "not_in"]): pick.sample(VALUES[fact], pick.randint(0, 2))}
    if roll < 0.34:
        return {"fact": "area_m2", pick.choice(ORDERED): {"fact": "other_m2"}}
    if roll < 0.4:
        return {
            "list": "plots",
            pick.choice(["any", "every"]): {"fact": "size_m2", "above": pick.choice(NUMBERS)},
        }
    if roll < 0.45:
        return {"fact": "name", "starts_with": pick.choice(["甲", "ZD"])}
    ordered = fact in ("area_m2", "other_m2", "number", "filed_on")
    return {"fact": fact, pick.choice(ORDERED if ordered else ["is", "is_not"]): pick.choice(VALUES[fact])}


def condition(pick: random.Random, depth: int = 0) -> dict[str, Any]:
    """A condition at most three groups deep."""
    roll = pick.random()
    if depth < 3 and roll < 0.35:
        return {pick.choice(["all", "any"]): [condition(pick, depth + 1) for _ in range(pick.randint(2, 3))]}
    if depth < 3 and roll < 0.45:
        return {"not": condition(pick, depth + 1)}
    return leaf(pick)


def facts(pick: random.Random) -> dict[str, Any]:
    """A fact document in which about a third of the facts is missing."""
    found = {name: pick.choice(values) for name, values in VALUES.items() if pick.random() < 0.7}
    if pick.random() < 0.7:
        found["plots"] = [{"size_m2": pick.choice([*NUMBERS, None])} for _ in range(pick.randint(0, 3))]
    return found
