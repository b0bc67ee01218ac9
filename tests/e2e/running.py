"""A portal and its partner simulators as real processes with demo data of their own."""

import fcntl
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).resolve().parent.parent.parent
START_SECONDS = 60
CONTROL_KEY = "sample-control"


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass
class RunningPortal:
    """One portal process and one partners process over a folder of data."""

    folder: Path
    database_url: str = ""
    port: int = field(default_factory=free_port)
    partners_port: int = field(default_factory=free_port)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def partners_url(self) -> str:
        return f"http://127.0.0.1:{self.partners_port}"

    @property
    def environment(self) -> dict[str, str]:
        ours = {
            "VAR_DIR": str(self.folder), "PORT": str(self.port), "PARTNERS_PORT": str(self.partners_port),
            "PARTNERS_URL": self.partners_url, "DEMO": "1", "DATABASE_URL": self.database_url, "LOG_FORMAT": "text",
        }
        return {**os.environ, **ours}

    def command(self, *words: str) -> str:
        """Run one portal command to its end; its output."""
        done = subprocess.run(
            [sys.executable, "-m", "portal", *words], cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
        return done.stdout

    def copied(self, folder: Path) -> "RunningPortal":
        """A portal over a copy of this one's data, at addresses of its own, under which the identity service vouches."""
        shutil.copytree(self.folder, folder)
        made = RunningPortal(folder)
        with closing(sqlite3.connect(folder / "portal.sqlite3")) as connection, connection:
            connection.execute("UPDATE person SET issuer = ? WHERE issuer IS NOT NULL", (f"{made.partners_url}/identity",))
        return made

    def start(self, *names: str) -> None:
        """Start the named processes (both if none is named) and wait until they answer."""
        for name in names or ("partners", "serve"):
            words = ["partners", "--port", str(self.partners_port)] if name == "partners" else ["serve"]
            log = (self.folder / f"{name}.log").open("ab")
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", "portal", *words], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
            log.close()
            self._wait(name)

    def _wait(self, name: str) -> None:
        url = (self.partners_url if name == "partners" else self.url) + "/healthz"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.processes[name].poll() is not None:
                break
            try:
                if httpx.get(url, timeout=2, verify=False).status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.1)
        raise AssertionError(f"{name} did not start:\n{(self.folder / f'{name}.log').read_text(errors='replace')[-4000:]}")

    def control(self, path: str, **fields: Any) -> None:
        """Tell the partners how to answer, as their control page does."""
        headers = {"x-control-key": CONTROL_KEY}
        answer = httpx.post(f"{self.partners_url}/control/{path}", json=fields, headers=headers, timeout=10)
        assert answer.status_code == 200, answer.text

    def kill(self, name: str) -> None:
        """Kill a process as a power cut would."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def stop(self) -> None:
        """End what still runs."""
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            process.wait(timeout=30)
        self.processes.clear()

    def accounts(self) -> list[dict[str, Any]]:
        """The demo accounts with their passwords."""
        return json.loads(self.command("demo", "--accounts", "--json"))["accounts"]

    def fault(self, partner: str, kind: str, calls: int | None = None) -> None:
        """Let a partner misbehave, for some calls or until cleared."""
        body = {"partner": partner, "kind": kind, **({"calls": calls} if calls else {})}
        answer = httpx.post(f"{self.partners_url}/control/faults", json=body, headers={"X-Control-Key": "sample-control"})
        assert answer.status_code < 300, answer.text


def demo_data(shared: Path) -> RunningPortal:
    """A portal with demo data that nobody starts: the first worker of the run makes it in the shared folder, all copy it."""
    made = shared / "demo-data"
    with (shared / "demo-data.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            draft = RunningPortal(shared / f"demo-data.{os.getpid()}")
            draft.command("migrate")
            draft.command("demo")
            draft.folder.rename(made)
    return RunningPortal(made)
