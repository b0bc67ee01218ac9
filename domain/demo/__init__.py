"""Sample data for demo databases; everything here is made up and marked 样例.

Every part is a loader that runs in one transaction; `LOADERS` names them in the order in which they build on each other.
"""

from collections.abc import Callable

from domain.command import Work
from domain.demo import books, contracts, observations, people, space

LOADERS: dict[str, Callable[[Work], None]] = {
    "people": people.load, "space": space.load, "books": books.load, "contracts": contracts.load, "drawing": space.draw,
    "observations": observations.load,
}
