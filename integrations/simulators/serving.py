"""Serving of the simulators on the loopback, with the means to drop a connection."""

import socket
from collections.abc import Sequence
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from integrations.simulators.app import SimulatorSettings, create_app

LOOPBACK = "127.0.0.1"


class DroppableProtocol(H11Protocol):
    """HTTP whose application may close the connection without an answer, as a failing partner does."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.app = self._with_disconnect(self.app)

    def _with_disconnect(self, app: Any) -> ASGIApp:
        async def extended(scope: Scope, receive: Receive, send: Send) -> None:
            extensions = {**scope.get("extensions", {}), "guitu.disconnect": self.transport.close}
            await app({**scope, "extensions": extensions}, receive, send)

        return extended


def open_socket(port: int) -> socket.socket:
    """Open the listening socket; port 0 takes a free one. Raises OSError when the port is taken."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((LOOPBACK, port))
    except OSError:
        listener.close()
        raise
    return listener


def make_server(
    settings: SimulatorSettings,
    faults: Sequence[tuple[str, str, int | None]] = (),
    log_level: str = "warning",
) -> uvicorn.Server:
    """Make the server; run it with the socket of `open_socket`.

    `faults` are set before the first call: partner, kind, number of calls. Raises ValueError for an unknown one.
    """
    app = create_app(settings)
    for partner, kind, calls in faults:
        app.state.control.set_fault({"partner": partner, "kind": kind, "calls": calls})
    config = uvicorn.Config(
        app,
        http=DroppableProtocol,
        ws="none",
        lifespan="on",
        log_level=log_level,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)
