"""The stage of the demo stories: the portal with its clock put back, and the partner simulators served meanwhile."""

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from sqlmodel import Session

from domain import portal_clock
from domain.exchange import wire
from integrations.command_line import DEFAULT_CONTROL_KEY, KEY_FILE, STATE_FILE
from integrations.connection import connect_partners
from integrations.signature import load_key
from integrations.simulators.app import SimulatorSettings
from integrations.simulators.control import Control
from integrations.simulators.serving import LOOPBACK, make_server, open_socket
from integrations.usage_control.simulator import DEFAULT_DELAY_SECONDS
from portal.database import Database
from portal.office import open_office
from portal.runner import Runner
from portal.settings import Settings

START_SECONDS = 20
ANSWER_LATER = timedelta(minutes=2)
"""How much later than a delivery its answer is asked for."""


class DemoStage:
    """See domain/demo/stage.py. Sessions are those of the portal's database; partners are its own simulators."""

    def __init__(self, database: Database, control: Control, identity_issuer: str) -> None:
        self.identity_issuer = identity_issuer
        self._database = database
        self._control = control
        self._runner = Runner(database, database.office)

    def show(self, moment: datetime) -> None:
        """Let the portal's clock show a moment from here on."""
        self._database.clock_shift = moment - portal_clock.now()

    def reading(self) -> AbstractContextManager[Session]:
        """A reading session at the moment of the story."""
        return self._database.reading()

    def writing(self) -> AbstractContextManager[Session]:
        """A writing session at the moment of the story."""
        return self._database.writing()

    def settle(self) -> None:
        """Jobs and deliveries at once, the answers a little later."""
        self._runner.work_off()
        self._database.clock_shift = (self._database.clock_shift or timedelta()) + ANSWER_LATER
        self._runner.work_off()

    def fault(self, partner: str, kind: str) -> None:
        """Let a partner misbehave until told otherwise."""
        self._control.set_fault({"partner": partner, "kind": kind})


@contextmanager
def open_stage(settings: Settings) -> Iterator[DemoStage]:
    """Serve the simulators on a free port for as long as the stories are played."""
    listener = open_socket(0)
    url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
    key = load_key(settings.var_dir / KEY_FILE)
    app_settings = SimulatorSettings(url, settings.var_dir / STATE_FILE, key, DEFAULT_CONTROL_KEY, answer_delay_seconds=0)
    server = make_server(app_settings)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="demo-partners", daemon=True)
    serving.start()
    office = open_office(settings)
    issuer = office.partners.identity.issuer if settings.partners_url else ""
    partners = connect_partners(url, key, simulated=True, observer=wire.note)
    database = Database(settings.database_url, office=replace(office, partners=partners, partners_connected=True))
    control: Control = server.config.app.state.control
    try:
        _wait(server)
        yield DemoStage(database, control, issuer)
    finally:
        control.set_settings({"answer_delay_seconds": DEFAULT_DELAY_SECONDS})
        database.dispose()
        server.should_exit = True
        serving.join(START_SECONDS)
        listener.close()


def _wait(server: object) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not server.started:  # type: ignore[attr-defined]
        if time.monotonic() > deadline:
            raise RuntimeError("the partner simulators did not start")
        time.sleep(0.02)
