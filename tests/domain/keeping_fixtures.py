"""The fixture of the tests that keep materials, dictionaries and parameters: a plugin that they name."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.domain.keeping_office import KeepingOffice


@pytest.fixture
def keeping(database: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[KeepingOffice]:
    """The office on the engine that the test module's own `database` names."""
    url = (
        f"sqlite:///{tmp_path / 'keeping.db'}"
        if database == "sqlite"
        else request.getfixturevalue("postgres_url")
    )
    made = KeepingOffice(url, tmp_path / "files")
    yield made
    made.database.dispose()
