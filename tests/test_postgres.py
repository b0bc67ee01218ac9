"""The private cluster: fresh databases with PostGIS, shared by workers, gone afterwards."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from portal.settings import PROJECT_DIR
from tests import postgres
from tests.postgres import PostgresCluster, PostgresUnavailable


def ask(url: str, question: str):
    """One row from a database."""
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        return connection.execute(question).fetchone()


def test_fresh_database_has_postgis_and_plans_without_compiling(postgres_url: str) -> None:
    area, jit, zone = ask(postgres_url, "SELECT ST_Area('POLYGON((0 0,2 0,2 3,0 0))'::geometry), "
                                        "current_setting('jit'), current_setting('timezone')")
    assert (area, jit, zone) == (3.0, "off", "UTC")


def test_databases_do_not_see_each_other(postgres_cluster: PostgresCluster) -> None:
    first, second = postgres_cluster.create_database(), postgres_cluster.create_database()
    with psycopg.connect(first.replace("+psycopg", "")) as connection:
        connection.execute("CREATE TABLE parcel (id int)")
    assert ask(second, "SELECT to_regclass('parcel')") == (None,)
    postgres_cluster.drop(first)
    postgres_cluster.drop(second)
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        ask(first, "SELECT 1")


def test_drop_ends_connections_that_were_left_open(postgres_cluster: PostgresCluster) -> None:
    url = postgres_cluster.create_database()
    with psycopg.connect(url.replace("+psycopg", "")) as left_open:
        postgres_cluster.drop(url)
        with pytest.raises(psycopg.OperationalError):
            left_open.execute("SELECT 1")


def test_template_is_made_once_and_copied(postgres_cluster: PostgresCluster) -> None:
    made = []

    def migrate(url: str) -> None:
        made.append(url)
        with psycopg.connect(url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE parcel AS SELECT 7 AS id")

    name = f"template_of_{os.getpid()}"
    assert postgres_cluster.prepare_template(name, migrate) == name
    # A worker that attaches later finds the template and does not make it again.
    PostgresCluster.attach(postgres_cluster.address).prepare_template(name, migrate)
    url = postgres_cluster.create_database(name)
    assert ask(url, "SELECT id FROM parcel") == (7,)
    assert len(made) == 1
    postgres_cluster.drop(url)


def test_template_whose_migration_fails_is_not_offered(postgres_cluster: PostgresCluster) -> None:
    name = f"broken_template_of_{os.getpid()}"

    def fail(url: str) -> None:
        raise ValueError("migration 0007 failed")

    with pytest.raises(ValueError, match="0007"):
        postgres_cluster.prepare_template(name, fail)
    with pytest.raises(psycopg.errors.InvalidCatalogName):
        postgres_cluster.create_database(name)


def test_wrong_password_is_refused(postgres_cluster: PostgresCluster) -> None:
    stranger = PostgresCluster.attach(f"{postgres_cluster.port}:wrong")
    with pytest.raises(psycopg.OperationalError, match="password"):
        stranger.create_database()


def test_server_ends_with_a_test_run_that_was_killed() -> None:
    """The next run removes what a killed one left; the server must not outlive it."""
    source = ("from tests.postgres import PostgresCluster as C; c = C.start(); "
              "print(c._server.pid, c._folder, flush=True); import time; time.sleep(60)")
    command = [sys.executable, "-c", source]
    with subprocess.Popen(command, cwd=PROJECT_DIR, stdout=subprocess.PIPE, text=True) as run:
        pid, folder = run.stdout.readline().split()
        run.kill()
    for _ in range(100):
        if not Path("/proc", pid).exists():
            break
        subprocess.run(["sleep", "0.1"], check=True)
    assert not Path("/proc", pid).exists()
    assert Path(folder).exists()
    postgres.remove_abandoned()
    assert not Path(folder).exists()


def test_missing_server_is_a_sentence(monkeypatch) -> None:
    monkeypatch.setattr(postgres.Path, "glob", lambda self, pattern: iter(()))
    with pytest.raises(PostgresUnavailable, match="postgresql-15-postgis-3"):
        postgres.server_programs()


def test_missing_account_is_a_sentence(monkeypatch) -> None:
    def absent(name: str) -> None:
        raise KeyError(name)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", absent)
    with pytest.raises(PostgresUnavailable, match="普通用户"):
        postgres.server_account()


def test_ordinary_user_runs_the_server_himself(monkeypatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert postgres.server_account() is None


@pytest.mark.skipif(os.geteuid() != 0, reason="only root lends the server another user")
def test_closed_folder_is_not_used_for_the_data(monkeypatch, tmp_path: Path) -> None:
    closed = tmp_path / "closed" / "var"
    opened = tmp_path / "opened"
    closed.mkdir(parents=True)
    opened.mkdir()
    (tmp_path / "closed").chmod(0o700)
    monkeypatch.setattr(postgres, "cluster_folders", lambda: (closed, opened))
    account = postgres.server_account()
    made = postgres.data_folder(account)
    assert made.parent == opened and made.stat().st_uid == account.pw_uid
