"""Fixtures: the simulators, served over real HTTP on a free port."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from domain.ports.record import ExchangeRecord
from integrations.connection import connect_partners
from integrations.simulators.app import SimulatorSettings
from integrations.simulators.serving import make_server, open_socket
from tests.integrations.running import CONTROL_KEY, KEY, LIMITS, Running
from tests.integrations.waiting import wait_until


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One process of simulators for all tests; `running` puts the samples back before each."""
    listener = open_socket(0)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    state_file: Path = tmp_path_factory.mktemp("partners") / "state.sqlite3"
    server = make_server(SimulatorSettings(url, state_file, KEY, CONTROL_KEY, answer_delay_seconds=0))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    wait_until(lambda: server.started)
    records: list[ExchangeRecord] = []
    partners = connect_partners(url, KEY, simulated=True, limits=LIMITS, observer=records.append)
    opened = Running(url, partners, records)
    yield opened
    opened.client.close()
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def running(served: Running) -> Running:
    """The simulators with their sample data as shipped, and no fault."""
    served.control("reset")
    served.control("settings", answer_delay_seconds=0)
    served.records.clear()
    return served
