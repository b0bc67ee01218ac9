"""`portal serve`: the start-up checks, then one server process."""

import argparse
import gc
import socket
import sys

from portal import logging, startup_checks
from portal.settings import Settings, current_settings

GRACEFUL_SECONDS = 15


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add `serve`."""
    parser = subparsers.add_parser("serve", help="启动门户", description="检查运行条件，然后启动门户。")
    parser.add_argument("--check", action="store_true", help="只检查运行条件，不启动")
    parser.set_defaults(run=serve)


def serve(arguments: argparse.Namespace) -> int:
    """Serve until told to stop; exit 1 with one sentence per fault when something is missing."""
    settings = current_settings()
    logging.configure(settings)
    faults = startup_checks.faults(settings, other_checks())
    for fault in faults:
        print(fault, file=sys.stderr)
    if faults:
        return 1
    if not arguments.check:
        run_server(settings)
    return 0


def other_checks() -> list[startup_checks.Check]:
    """The checks of other nouns, loaded only now because they bring the database along."""
    from portal.calendars import calendar_faults
    from portal.migration import database_faults

    return [listening_address, database_faults, calendar_faults]


def listening_address(settings: Settings) -> list[str]:
    """The address the portal is to listen on exists and is free."""
    try:
        family, _, _, _, address = socket.getaddrinfo(settings.host, settings.port)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return [(f"不能在 {settings.host} 的端口 {settings.port} 上监听（{error.strerror}）；"
                "请检查 HOST，或用 PORT 换一个未被占用的端口。")]
    return []


def run_server(settings: Settings) -> None:
    """Run the server in this process; requests are logged by the app, which knows what may be written."""
    import uvicorn

    from portal import failpoints
    from portal.app import create_app

    failpoints.install(settings.failpoints)
    app = create_app(settings)
    # What is loaded now stays to the end; a search for garbage that looks at all of it stops every request for a tenth of a second.
    gc.collect()
    gc.freeze()
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=list(settings.forwarded_allow_ips),
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )
