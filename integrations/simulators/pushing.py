"""Pushes of the simulated platforms: kept on disk until delivered, so that a restart loses none."""

import asyncio
import json
import sqlite3
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from integrations.signature import CORRELATION_HEADER, body_digest, signature_headers
from integrations.simulators.simulator import moment_text, now
from integrations.simulators.store import Store

SCHEMA = """
CREATE TABLE IF NOT EXISTS {table} (
    id INTEGER PRIMARY KEY, message_id TEXT NOT NULL, body TEXT NOT NULL, next_at TEXT NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, delivered_at TEXT, last_answer TEXT
);
"""
"""Of the table of pushes of one partner."""
MOST_ATTEMPTS = 10
LONGEST_WAIT_SECONDS = 60


def add_push(db: sqlite3.Connection, table: str, message_id: str, content: dict[str, Any], due: str) -> None:
    """Keep a message to be pushed at a moment, in the transaction that decides it."""
    body = json.dumps({"message_id": message_id, "sent_at": due, **content}, ensure_ascii=False)
    db.execute(f"INSERT INTO {table} (message_id, body, next_at) VALUES (?, ?, ?)", (message_id, body, due))


class PushWorker:
    """Delivers one partner's pushes when they are due; a failed one is tried again later, ten times at most.

    They go to the set callback address, or to another `path` of the same portal.
    """

    def __init__(self, store: Store, key: bytes, key_id: str, table: str, path: str | None = None) -> None:
        self._store = store
        self._key = key
        self._key_id = key_id
        self._table = table
        self._path = path
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look at once whether anything is due."""
        self._woken.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            while True:
                self._woken.clear()
                for push in self._due():
                    await self._deliver(client, push)
                await self._wait()

    def _due(self) -> list[sqlite3.Row]:
        if not self._address():
            return []
        sql = f"SELECT * FROM {self._table} WHERE delivered_at IS NULL AND attempts < ? AND next_at <= ? ORDER BY id"
        return self._store.all(sql, MOST_ATTEMPTS, moment_text(now()))

    def _address(self) -> str:
        url = self._store.setting("callback_url") or ""
        return urljoin(url, self._path) if url and self._path else url

    async def _wait(self) -> None:
        sql = f"SELECT min(next_at) AS next_at FROM {self._table} WHERE delivered_at IS NULL AND attempts < ?"
        row = self._store.one(sql, MOST_ATTEMPTS)
        seconds = None
        if row is not None and row["next_at"] and self._address():
            seconds = max(0.01, (datetime.fromisoformat(row["next_at"]) - now()).total_seconds())
        try:
            await asyncio.wait_for(self._woken.wait(), seconds)
        except TimeoutError:
            return

    async def _deliver(self, client: httpx.AsyncClient, push: sqlite3.Row) -> None:
        url = self._address()
        body = push["body"].encode("utf-8")
        headers = {
            "content-type": "application/json; charset=utf-8",
            CORRELATION_HEADER: push["message_id"],
            **signature_headers(
                self._key_id, self._key, "POST", urlsplit(url).path, body_digest([body]), now()
            ),
        }
        try:
            answer = await client.post(url, content=body, headers=headers)
        except httpx.HTTPError as error:
            self._note(push, False, f"未送达：{type(error).__name__}")
            return
        self._note(push, answer.is_success, f"状态码 {answer.status_code}")

    def _note(self, push: sqlite3.Row, is_delivered: bool, answer: str) -> None:
        attempts = push["attempts"] + 1
        wait = min(2**attempts, LONGEST_WAIT_SECONDS)
        sql = (
            f"UPDATE {self._table} SET attempts = ?, delivered_at = ?, next_at = ?, last_answer = ? WHERE id = ?"
        )
        delivered_at = moment_text(now()) if is_delivered else None
        next_at = moment_text(now() + timedelta(seconds=wait))
        with self._store.write() as db:
            db.execute(sql, (attempts, delivered_at, next_at, answer, push["id"]))
