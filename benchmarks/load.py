"""The load of a benchmark, in a process of its own: so many requests at once over kept connections, each one timed.

Reads one JSON document from standard input and writes one to standard output; see `run`. The client is plain sockets
on uvloop, because a comfortable one costs as much processor time as the pages it asks for.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import uvloop

WARM_UP = 40


@dataclass(frozen=True)
class Ask:
    """One request: the path, the cookie header, and what is posted (nothing: it is a GET)."""

    path: str
    cookie: str
    body: str = ""


@dataclass(frozen=True)
class Answers:
    """How long the answers took in milliseconds, their states, and what the load itself cost."""

    ms: list[float]
    states: list[int]
    seconds: float
    client_cpu_ms: float

    def p(self, share: float) -> float:
        """The time within which this share of the answers came."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(len(self.ms) * share))]


def run(port: int, asks: Sequence[Ask], at_once: int, beside: Sequence[Ask] = ()) -> tuple[Answers, Answers | None]:
    """Send the requests, `at_once` at a time; those `beside` go one after the other over a connection of their own."""
    plan = {"port": port, "at_once": at_once, "asks": [vars(each) for each in asks], "beside": [vars(each) for each in beside]}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"], input=json.dumps(plan), capture_output=True, text=True, check=True
    )
    found = json.loads(done.stdout)
    return Answers(**found["asks"]), Answers(**found["beside"]) if beside else None


class Connection:
    """One kept connection to the portal."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.reader: asyncio.StreamReader | None = None
        self.writer: asyncio.StreamWriter | None = None

    async def ask(self, ask: Ask) -> int:
        """Send a request and read its whole answer; the state."""
        if self.writer is None or self.reader is None:
            self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 20)
        self.writer.write(self._request(ask))
        head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        length = head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0]
        await self.reader.readexactly(int(length))
        if b"connection: close" in head:
            self.close()
        return int(head[9:12])

    def close(self) -> None:
        """End the connection."""
        if self.writer is not None:
            self.writer.close()
        self.reader = self.writer = None

    def _request(self, ask: Ask) -> bytes:
        lines = [
            f"{'POST' if ask.body else 'GET'} {ask.path} HTTP/1.1", f"Host: 127.0.0.1:{self.port}", "Accept-Encoding: gzip",
            f"Cookie: {ask.cookie}",
        ]
        if ask.body:
            lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(ask.body)}"]
        return ("\r\n".join(lines) + "\r\n\r\n" + ask.body).encode()


async def _one_after_another(port: int, asks: Iterable[Ask], found: list[tuple[float, int]]) -> None:
    connection = Connection(port)
    for ask in asks:
        started = time.perf_counter()
        state = await connection.ask(ask)
        found.append(((time.perf_counter() - started) * 1000, state))
    connection.close()


async def _send(plan: dict[str, Any]) -> dict[str, Any]:
    asks = [Ask(**each) for each in plan["asks"]]
    await _one_after_another(plan["port"], asks[:WARM_UP], [])
    waiting, found, beside = iter(asks), [], []
    started, cpu = time.perf_counter(), time.process_time()
    clients = [_one_after_another(plan["port"], waiting, found) for _ in range(plan["at_once"])]
    await asyncio.gather(*clients, _one_after_another(plan["port"], [Ask(**each) for each in plan["beside"]], beside))
    seconds, cpu_ms = time.perf_counter() - started, (time.process_time() - cpu) * 1000
    return {name: _as_document(rows, seconds, cpu_ms) for name, rows in (("asks", found), ("beside", beside))}


def _as_document(rows: list[tuple[float, int]], seconds: float, cpu_ms: float) -> dict[str, Any]:
    return {"ms": [ms for ms, _ in rows], "states": [state for _, state in rows], "seconds": seconds, "client_cpu_ms": cpu_ms}


if __name__ == "__main__":
    print(json.dumps(uvloop.run(_send(json.load(sys.stdin)))))
