"""`portal partners`: serve the simulators of all outside systems on the loopback."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from domain.ports.usage_control import CALLBACK_PATH
from integrations.signature import load_key
from integrations.simulators.app import SimulatorSettings
from integrations.simulators.serving import LOOPBACK, make_server, open_socket

ROOT = Path(__file__).resolve().parent.parent
KEY_FILE = "partners.key"
STATE_FILE = "partners.sqlite3"
DEFAULT_CONTROL_KEY = "sample-control"


def add_parser(subparsers: Any) -> None:
    """Add `partners` to the command line."""
    parser = subparsers.add_parser("partners", help="运行全部对接单位的仿真端（只对本机开放）")
    parser.add_argument("--port", type=int, help="端口，缺省为 PARTNERS_PORT 或 8001；0 表示任选一个空闲端口")
    parser.add_argument("--var-dir", type=Path, help="数据目录，缺省为 VAR_DIR 或项目下的 var")
    parser.add_argument(
        "--control-key", help=f"控制口令，缺省为 PARTNERS_CONTROL_KEY 或 {DEFAULT_CONTROL_KEY}"
    )
    parser.add_argument("--callback-url", help="推送地址，缺省为本机门户的接收地址（按 PORT）")
    parser.add_argument(
        "--answer-delay", type=float, help="用途管制平台出结果的秒数，缺省沿用上次设定（初次为 2）"
    )
    parser.add_argument(
        "--faults",
        nargs="+",
        default=(),
        metavar="PARTNER=KIND[:CALLS]",
        help="启动时设定的故障，如 tax=down usage_control=lost_answer:1",
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Serve until stopped. Returns 2 when the address, the port or a fault is not usable."""
    try:
        faults = [read_fault(text) for text in arguments.faults]
        listener = open_socket(_port(arguments))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    except OSError as error:
        print(
            f"端口无法使用：{error.strerror}。请用 --port 换一个端口，或停止占用它的程序。", file=sys.stderr
        )
        return 2
    with listener:
        url = f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        try:
            server = make_server(_settings(arguments, url), faults=faults)
        except ValueError as error:
            print(error, file=sys.stderr)
            return 2
        print(f"对接单位仿真端：{url}/control/", flush=True)
        server.run(sockets=[listener])
    return 0


def read_fault(text: str) -> tuple[str, str, int | None]:
    """Read PARTNER=KIND[:CALLS]. Raises ValueError for another form."""
    partner, equals, rest = text.partition("=")
    kind, colon, calls = rest.partition(":")
    if not (partner and equals and kind) or (colon and not calls.isdecimal()):
        raise ValueError(
            f"--faults 的写法是 对接单位=故障[:次数]，收到的是 {text}。如 tax=down 或 tax=down:2。"
        )
    return partner, kind, int(calls) if calls else None


def _settings(arguments: argparse.Namespace, url: str) -> SimulatorSettings:
    var_dir = ROOT / (arguments.var_dir or os.environ.get("VAR_DIR") or "var")
    portal_port = os.environ.get("PORT") or "8000"
    return SimulatorSettings(
        public_url=url,
        state_file=var_dir / STATE_FILE,
        key=load_key(var_dir / KEY_FILE),
        control_key=arguments.control_key or os.environ.get("PARTNERS_CONTROL_KEY") or DEFAULT_CONTROL_KEY,
        callback_url=arguments.callback_url or f"http://{LOOPBACK}:{portal_port}{CALLBACK_PATH}",
        answer_delay_seconds=arguments.answer_delay,
    )


def _port(arguments: argparse.Namespace) -> int:
    port = int(os.environ.get("PARTNERS_PORT") or "8001") if arguments.port is None else arguments.port
    if not 0 <= port <= 65535:
        raise ValueError(f"端口应在 0 到 65535 之间，收到的是 {port}。")
    return port
