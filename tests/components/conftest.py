"""The gallery on a small app of its own: no database, the real templates, the real content policy."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from portal.assets import STATIC
from portal.headers import SecurityHeaders
from portal.template_environment import Templates
from views import gallery

TODAY = date(2026, 11, 21)


@pytest.fixture(scope="session")
def templates() -> Templates:
    """The real templates with URLs that show name and parameters, on a fixed day."""

    def url_for(name: str, **params: object) -> str:
        return "/" + "/".join([name, *map(str, params.values())])

    return Templates(url_for, lambda: TODAY)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    chromium = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    return {**browser_type_launch_args, "executable_path": chromium,
            "args": ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]}


@pytest.fixture(scope="session")
def gallery_url() -> Iterator[str]:
    """The address of the gallery, served for real so that policy and scripts count."""
    app = Starlette(routes=[
        Route("/gallery", gallery.show_gallery, name="gallery"),
        Mount("/static", StaticFiles(directory=STATIC), name="static"),
    ])
    app.state.templates = Templates(app.url_path_for, lambda: TODAY)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        server = uvicorn.Server(uvicorn.Config(SecurityHeaders(app), log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started:
            assert time.monotonic() < deadline, "the gallery did not start within ten seconds"
            time.sleep(0.02)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/gallery"
        server.should_exit = True
        thread.join(10)
