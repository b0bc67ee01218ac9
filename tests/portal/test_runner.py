"""The runner in a real portal process: killed in the middle of an exchange, started again, alone on its database."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from domain.audit import verify
from portal.runner import Runner
from portal.runner_lock import RunnerLock
from tests.domain.exchange_office import Exchange
from tests.integrations.running import KEY
from tests.integrations.waiting import wait_until

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = "case_library"


@pytest.fixture
def exchange(database, running):
    return Exchange(database, running)


@pytest.fixture
def portal(exchange, tmp_path):
    """Starts a portal process on the test's database: portal("failpoint") or portal()."""
    started = []
    (tmp_path / "partners.key").write_text(KEY.decode(), "ascii")
    (tmp_path / "partners.key").chmod(0o600)

    def start(*failpoints):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        environment = {
            **os.environ, "VAR_DIR": str(tmp_path), "DATABASE_URL": exchange.database.url, "PORT": str(port), "DEMO": "1",
            "PARTNERS_URL": exchange.running.url, "DEBUG": "1", "FAILPOINTS": ",".join(failpoints), "MINIMUM_FREE_MB": "1",
        }  # fmt: skip
        command = [sys.executable, "-m", "portal", "serve"]
        log = (tmp_path / f"portal-{len(started)}.log").open("w")
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        started.append((process, log))
        process.url = f"http://127.0.0.1:{port}"
        return process

    yield start
    for process, log in started:
        process.terminate()
        process.wait(20)
        log.close()


@pytest.mark.serial
@pytest.mark.parametrize("place", ["outbox:answered", "outbox.settle:before_commit"])
def test_a_portal_killed_in_mid_exchange_has_one_effect_after_its_restart(exchange, portal, place):
    sent = exchange.put_result()
    killed = portal(place)
    assert killed.wait(60) == -9, "the process dies by SIGKILL at the failpoint"
    assert exchange.message(sent).status == "sending" and exchange.message(sent).answer is None
    assert len(exchange.running.state()["results"]) == 1
    portal()
    wait_until(lambda: exchange.message(sent).status == "delivered", 60)
    message = exchange.message(sent)
    assert message.answer["is_duplicate"] and message.attempts == 2
    assert len(exchange.running.state()["results"]) == 1
    with exchange.database.reading() as session:
        assert verify(session).is_intact


@pytest.mark.serial
def test_the_number_comes_back_to_a_running_portal(exchange, portal):
    process = portal()
    wait_until(lambda: answers(process), 60)
    exchange.running.control("settings", callback_url=f"{process.url}/exchange/callbacks/usage_control")
    sent = exchange.put_package()
    wait_until(lambda: exchange.message(sent).result_status == "arrived", 30)
    assert exchange.message(sent).result["state"] == "numbered"


def answers(process):
    try:
        return httpx.get(process.url, trust_env=False).status_code < 500
    except httpx.TransportError:
        return False


def test_one_process_at_a_time_runs_the_duties(database, office):
    first, second = RunnerLock(database), RunnerLock(database)
    assert first.take() and not second.take()
    first.release()
    assert second.take()
    second.release()


def test_a_lock_that_the_database_dropped_is_taken_again_or_given_up(database, office):
    first, second = RunnerLock(database), RunnerLock(database)
    assert first.take() and first.keep()
    drop_connections(database)
    assert first.keep(), "nobody else has it"
    if database.is_sqlite:
        first.release()
    drop_connections(database)
    assert second.take() and not first.keep()
    second.release()


def drop_connections(database):
    """On SQLite the lock is a file's and outlives every connection."""
    if database.is_sqlite:
        return database.dispose()
    with database.engine.connect() as connection:
        connection.execute(text(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"
        ))


def test_a_second_runner_waits_and_says_so(database, office):
    held = RunnerLock(database)
    assert held.take()
    waiting = Runner(database, office)
    waiting.start()
    assert waiting.health() == {"ok": False, "is_running": False, "duties": {}}
    waiting.stop()
    held.release()


def test_the_runner_tells_that_its_duties_are_alive(exchange):
    exchange.runner.start()
    try:
        wait_until(lambda: exchange.runner.health()["ok"])
        assert {"jobs", "sweep", f"outbox-{LIBRARY}", "results"} <= set(exchange.runner.health()["duties"])
    finally:
        exchange.runner.stop()
    assert not exchange.runner.health()["is_running"]


def test_messages_stay_while_no_partner_is_connected(exchange):
    exchange.office.partners_connected = False
    assert not [duty for duty in exchange.runner._duties() if duty.name.startswith("outbox")]


def test_a_message_is_sent_soon_after_the_act_that_wrote_it(exchange):
    exchange.runner.start()
    try:
        wait_until(lambda: exchange.runner.health()["ok"])
        sent = exchange.put_result()
        wait_until(lambda: exchange.message(sent).status == "delivered", 10)
    finally:
        exchange.runner.stop()
