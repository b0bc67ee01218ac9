"""Pytest plugin: counts passed tests per database and per clause, and shares one PostgreSQL cluster.

With `--record-results FILE` the counts are added to that file; `make test` does so for each of its runs.
Under xdist the workers send what a test proves along with its report, and the controller counts.
"""

import gc
import os
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from portal.settings import Settings
from tests.kept_database import KeptDatabase
from tests.postgres import SPATIAL_TEMPLATE, PostgresCluster, PostgresUnavailable
from tests.results import DATABASES, Results, read_results

CLUSTER = pytest.StashKey[PostgresCluster]()
TALLY = pytest.StashKey["Tally"]()


class Tally:
    """The worst outcome of every test so far, with what the test proves."""

    def __init__(self) -> None:
        self.outcomes: dict[str, str] = {}
        self.properties: dict[str, dict[str, list[Any]]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take one phase of one test: a fault in any phase fails the test, a skip in any phase is no pass."""
        known = self.outcomes.get(report.nodeid, "passed")
        if report.failed or known == "failed":
            outcome = "failed"
        else:
            outcome = "skipped" if report.skipped or known == "skipped" else "passed"
        self.outcomes[report.nodeid] = outcome
        self.properties.setdefault(report.nodeid, collected_properties(report.user_properties))

    def results(self) -> Results:
        """The counts of all tests that were reported."""
        results = Results()
        for nodeid, outcome in self.outcomes.items():
            properties = self.properties[nodeid]
            results.add_test(outcome, properties["proves"], next(iter(properties["database"]), None))
        return results


def collected_properties(pairs: list[tuple[str, Any]]) -> dict[str, list[Any]]:
    """The properties that this plugin gave a test, by name."""
    found: dict[str, list[Any]] = {"proves": [], "database": []}
    for name, value in pairs:
        if name in found:
            found[name].append(value)
    return found


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--record-results", type=Path, default=None, metavar="FILE",
                     help="add the counts per database and per clause to this file")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[TALLY] = Tally()
    config.pluginmanager.register(config.stash[TALLY])
    # What a developer set for his own portal must not change what the tests see.
    for field in fields(Settings):
        os.environ.pop(field.name.upper(), None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for marker in item.iter_markers("function"):
            item.user_properties.append(("proves", proof(item, marker)))
        database = getattr(item, "callspec", None) and item.callspec.params.get("database")
        if database in DATABASES:
            item.user_properties.append(("database", database))


def pytest_collection_finish(session: pytest.Session) -> None:
    """The tests and all they import stay to the end: no search for garbage has to look at them again."""
    gc.freeze()


def proof(item: pytest.Item, marker: pytest.Mark) -> tuple[str, list[str]]:
    """What a marker claims; refused when it names no clause, because it would prove nothing."""
    if len(marker.args) < 2 or marker.kwargs or not all(isinstance(part, str) for part in marker.args):
        raise pytest.UsageError(f"{item.nodeid}: write @pytest.mark.function(\"ID\", \"clause\", …)")
    return marker.args[0], list(marker.args[1:])


def pytest_sessionfinish(session: pytest.Session) -> None:
    path = session.config.getoption("record_results")
    if path is None or is_worker(session.config):
        return
    results = read_results(path)
    results.merge(session.config.stash[TALLY].results())
    results.write(path)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    results = config.stash[TALLY].results()
    if any(results.databases.values()):
        terminalreporter.write_line(f"database tests passed: {results.database_line()}")


def is_worker(config: pytest.Config) -> bool:
    """True in a worker process of xdist."""
    return hasattr(config, "workerinput")


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give a starting worker the address of the one cluster, or the reason why there is none."""
    config = node.config
    if CLUSTER not in config.stash:
        try:
            config.stash[CLUSTER] = PostgresCluster.start()
        except PostgresUnavailable as unavailable:
            # Only the tests that need the cluster fail, each with this sentence.
            node.workerinput["postgres_fault"] = str(unavailable)
            return
    node.workerinput["postgres_address"] = config.stash[CLUSTER].address


def pytest_unconfigure(config: pytest.Config) -> None:
    if CLUSTER in config.stash:
        config.stash[CLUSTER].stop()


@pytest.fixture(scope="session")
def postgres_cluster(pytestconfig: pytest.Config) -> PostgresCluster:
    """The private cluster of this test run, shared by all workers and started when first asked for."""
    if is_worker(pytestconfig):
        given = pytestconfig.workerinput
        if "postgres_fault" in given:
            raise PostgresUnavailable(given["postgres_fault"])
        return PostgresCluster.attach(given["postgres_address"])
    if CLUSTER not in pytestconfig.stash:
        pytestconfig.stash[CLUSTER] = PostgresCluster.start()
    return pytestconfig.stash[CLUSTER]


@pytest.fixture(scope="session")
def postgres_template() -> str:
    """What `postgres_url` copies: empty with PostGIS, unless a conftest prepares a migrated one."""
    return SPATIAL_TEMPLATE


@pytest.fixture(scope="session")
def kept_databases(postgres_cluster: PostgresCluster) -> Iterator[Callable[[str], KeptDatabase]]:
    """The databases that this process keeps, one for each template."""
    kept: dict[str, KeptDatabase] = {}

    def of_template(template: str) -> KeptDatabase:
        return kept.setdefault(template, KeptDatabase(postgres_cluster, template))

    yield of_template
    for each in kept.values():
        each.drop()


@pytest.fixture
def postgres_url(kept_databases: Callable[[str], KeptDatabase], postgres_template: str) -> Iterator[str]:
    """The URL of a database like its template; the same one is lent to the next test, put back and renamed."""
    kept = kept_databases(postgres_template)
    yield kept.lend()
    kept.take_back()
