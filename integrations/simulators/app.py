"""The application that serves all simulators, their faults and their control page."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route, Router

from domain.ports.monitoring import READINGS_PATH
from integrations.case_library.simulator import SCHEMA as LIBRARY_SCHEMA
from integrations.case_library.simulator import case_library_simulator
from integrations.connection import IDENTITY_SECRET_PURPOSE
from integrations.house_registration.simulator import SCHEMA as HOUSE_SCHEMA
from integrations.house_registration.simulator import house_registration_simulator
from integrations.identity.simulator import SCHEMA as IDENTITY_SCHEMA
from integrations.identity.simulator import identity_simulator
from integrations.map_service.simulator import map_service_simulator
from integrations.monitoring.simulator import KEY as MONITORING
from integrations.monitoring.simulator import SCHEMA as MONITORING_SCHEMA
from integrations.monitoring.simulator import TABLE as READING_PUSHES
from integrations.monitoring.simulator import monitoring_simulator
from integrations.sharing_library.simulator import sharing_library_simulator
from integrations.signature import derived_secret
from integrations.simulators.control import Control, loopback_address, reset
from integrations.simulators.faults import FaultGate
from integrations.simulators.gate import SignatureGate
from integrations.simulators.keeping import SCHEMA as KEPT_SCHEMA
from integrations.simulators.pages import STYLE_PATH, style
from integrations.simulators.pushing import PushWorker
from integrations.simulators.simulator import Simulator
from integrations.simulators.store import Store
from integrations.survey_planning.simulator import SCHEMA as SURVEY_SCHEMA
from integrations.survey_planning.simulator import survey_planning_simulator
from integrations.tax.simulator import SCHEMA as TAX_SCHEMA
from integrations.tax.simulator import tax_simulator
from integrations.usage_control.simulator import (
    MINISTRY,
    PUSHES,
    usage_control_city_simulator,
    usage_control_simulator,
)
from integrations.usage_control.simulator import SCHEMA as USAGE_SCHEMA

SCHEMAS = (IDENTITY_SCHEMA, USAGE_SCHEMA, LIBRARY_SCHEMA, TAX_SCHEMA, HOUSE_SCHEMA, SURVEY_SCHEMA, MONITORING_SCHEMA, KEPT_SCHEMA)


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """How the simulators run: their address, their file, the key shared with the portal, the control key.

    `callback_url` is where results are pushed; without one they wait until one is set on the control page.
    """

    public_url: str
    state_file: Path
    key: bytes
    control_key: str
    callback_url: str | None = None
    answer_delay_seconds: float | None = None


def create_app(settings: SimulatorSettings) -> Starlette:
    """Build the application; sample data is loaded into a state file that is new."""
    store = Store(settings.state_file, SCHEMAS)
    worker = PushWorker(store, settings.key, MINISTRY, PUSHES)
    readings = PushWorker(store, settings.key, MONITORING, READING_PUSHES, READINGS_PATH)
    simulators = _simulators(settings, store, worker)
    _prepare(settings, store, simulators)
    control = Control(store, simulators, settings.control_key, worker, readings)
    routes: list[BaseRoute] = [
        Route("/", _home),
        Route("/healthz", _health),
        Route(STYLE_PATH, _style),
        Mount("/control", routes=control.routes()),
        *(_mount(settings, store, simulator) for simulator in simulators.values()),
    ]
    app = Starlette(routes=routes, lifespan=_lifespan(store, worker, readings))
    app.state.control = control
    return app


def _simulators(settings: SimulatorSettings, store: Store, worker: PushWorker) -> Mapping[str, Simulator]:
    secret = derived_secret(settings.key, IDENTITY_SECRET_PURPOSE)
    simulators = (
        identity_simulator(store, f"{settings.public_url}/identity", secret),
        usage_control_simulator(store, worker),
        usage_control_city_simulator(store),
        case_library_simulator(store),
        tax_simulator(store),
        house_registration_simulator(store),
        survey_planning_simulator(store),
        monitoring_simulator(),
        sharing_library_simulator(store),
        map_service_simulator(store),
    )
    return MappingProxyType({simulator.partner.key: simulator for simulator in simulators})


def _prepare(settings: SimulatorSettings, store: Store, simulators: Mapping[str, Simulator]) -> None:
    if store.setting("is_seeded") is None:
        reset(store, simulators)
        store.set("is_seeded", "1")
    if settings.callback_url is not None:
        store.set("callback_url", loopback_address(settings.callback_url))
    if settings.answer_delay_seconds is not None:
        store.set("answer_delay_seconds", str(settings.answer_delay_seconds))


def _mount(settings: SimulatorSettings, store: Store, simulator: Simulator) -> Mount:
    inner = Router(simulator.routes)
    app = SignatureGate(inner, store, settings.key) if simulator.is_signed else inner
    return Mount(simulator.path, app=FaultGate(app, simulator, store))


def _lifespan(store: Store, *workers: PushWorker) -> Callable[[Starlette], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(worker.run()) for worker in workers]
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        store.close()

    return lifespan


async def _home(request: Request) -> Response:
    return RedirectResponse("/control/", 303)


async def _health(request: Request) -> Response:
    return JSONResponse({"ok": True})


async def _style(request: Request) -> Response:
    return style()
