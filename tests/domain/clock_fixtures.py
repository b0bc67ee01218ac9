"""Fixtures of the tests about time: a plugin that they name, because several test modules share it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rules.engine import RuleBook
from tests.domain.clock_office import ClockOffice


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def light_book() -> RuleBook:
    """The rule engine with a sample light set, so that a change of the shipped parameters moves no expectation."""
    book = RuleBook([Path(__file__).with_name("sample_light.yaml")], engine="python")
    assert not book.faults
    return book


@pytest.fixture
def time_office(
    database: str, light_book: RuleBook, request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[ClockOffice]:
    url = f"sqlite:///{tmp_path / 'time.db'}" if database == "sqlite" else request.getfixturevalue("postgres_url")
    made = ClockOffice(url, light_book)
    yield made
    made.database.dispose()
