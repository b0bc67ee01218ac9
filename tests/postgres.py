"""A private PostgreSQL cluster with PostGIS for one test run, and fresh databases cloned from templates.

The cluster listens on a free port of the loopback only, keeps its data in var/ and is removed when it stops.
A user other than root runs it as himself; root runs it as the user postgres, because the server refuses root.
"""

import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

PROJECT_DIR = Path(__file__).resolve().parent.parent
SERVER_USER = "postgres"
ADMIN_DATABASE = "postgres"
SPATIAL_TEMPLATE = "spatial_template"
START_ATTEMPTS = 3
START_SECONDS = 30
END_MS = 5000
"""How long the server waits for a connection that it ends."""
# Tests need no durability; compiled queries make spatial plans slower (427 ms against 87 ms was measured).
SERVER_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "jit": "off",
    "shared_buffers": "128MB",
    "max_connections": "200",
    "max_wal_size": "2GB",
    "timezone": "UTC",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "logging_collector": "off",
}


class PostgresUnavailable(Exception):
    """The private cluster cannot run here; the text says why and what to do."""


class PostgresCluster:
    """A running cluster, started by this process or by the one that started the test workers."""

    def __init__(self, port: int, password: str, folder: Path | None = None,
                 server: subprocess.Popen | None = None):
        self.port = port
        self.password = password
        self._folder = folder
        self._server = server

    @classmethod
    def start(cls) -> "PostgresCluster":
        """Make a new cluster and start it; raises PostgresUnavailable."""
        programs, account = server_programs(), server_account()
        remove_abandoned()
        folder = data_folder(account)
        password = secrets.token_hex(16)
        try:
            initialise(programs, account, folder, password)
            port, server = start_server(programs, account, folder)
        except BaseException:
            shutil.rmtree(folder)
            raise
        cluster = cls(port, password, folder, server)
        cluster._create_spatial_template()
        return cluster

    @classmethod
    def attach(cls, address: str) -> "PostgresCluster":
        """The cluster that another process started, by the `address` of that one."""
        port, password = address.split(":")
        return cls(int(port), password)

    @property
    def address(self) -> str:
        """What `attach` needs in a worker process."""
        return f"{self.port}:{self.password}"

    def url(self, name: str) -> str:
        """The SQLAlchemy address of a database of this cluster."""
        return f"postgresql+psycopg://{SERVER_USER}:{self.password}@127.0.0.1:{self.port}/{name}"

    def create_database(self, template: str | None = None) -> str:
        """Make a fresh database as a copy of a template (by default empty with PostGIS); returns its URL."""
        name = f"test_{secrets.token_hex(8)}"
        with self._administration() as connection:
            connection.execute(create_statement(name, template or SPATIAL_TEMPLATE))
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database by its URL, ending whatever connections are left on it."""
        name = url.rsplit("/", 1)[1]
        with self._administration() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def rename(self, url: str) -> str:
        """End all connections of a database and give it a new name; returns its new URL.

        Raises psycopg.errors.ObjectInUse when somebody connects again and again.
        """
        name, fresh = url.rsplit("/", 1)[1], f"test_{secrets.token_hex(8)}"
        with self._administration() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid, %s) FROM pg_stat_activity WHERE datname = %s", [END_MS, name])
            connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                sql.Identifier(name), sql.Identifier(fresh)))
        return self.url(fresh)

    def prepare_template(self, name: str, migrate: Callable[[str], None]) -> str:
        """Make a template once for all workers: `migrate(url)` fills it and must close its connections.

        Returns the name for `create_database`. A worker that comes second waits until the first is done.
        """
        with self._administration() as connection:
            connection.execute("SELECT pg_advisory_lock(hashtext(%s))", [name])
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
            if found is None:
                draft = f"{name}_draft_{secrets.token_hex(4)}"
                connection.execute(create_statement(draft, SPATIAL_TEMPLATE))
                migrate(self.url(draft))
                connection.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(draft), sql.Identifier(name)))
        return name

    def stop(self) -> None:
        """Stop the server and remove its data; does nothing for an attached cluster."""
        if self._server is None:
            return
        self._server.send_signal(subprocess.signal.SIGINT)
        self._server.wait(timeout=START_SECONDS)
        self._server = None
        shutil.rmtree(self._folder)

    def _create_spatial_template(self) -> None:
        with self._administration() as connection:
            connection.execute(create_statement(SPATIAL_TEMPLATE, "template0"))
        with psycopg.connect(self._conninfo(SPATIAL_TEMPLATE), autocommit=True) as connection:
            try:
                connection.execute("CREATE EXTENSION postgis")
                # Seven megabytes of systems that nothing here asks for would be copied for every test.
                connection.execute("DELETE FROM spatial_ref_sys WHERE srid NOT IN (4326, 4490)")
                connection.execute("VACUUM FULL spatial_ref_sys")
            except psycopg.errors.FeatureNotSupported as missing:
                self.stop()
                raise PostgresUnavailable(
                    "缺少 PostGIS 扩展，无法在 PostgreSQL 上运行测试；"
                    "请安装 postgresql-15-postgis-3。") from missing

    @contextmanager
    def _administration(self) -> Iterator[psycopg.Connection]:
        with psycopg.connect(self._conninfo(ADMIN_DATABASE), autocommit=True) as connection:
            yield connection

    def _conninfo(self, name: str) -> str:
        return (f"host=127.0.0.1 port={self.port} user={SERVER_USER} password={self.password} "
                f"dbname={name} connect_timeout=5")


def create_statement(name: str, template: str) -> sql.Composed:
    """The statement that copies a template; the write-ahead log is the faster way for small ones."""
    return sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY wal_log").format(
        sql.Identifier(name), sql.Identifier(template))


def server_programs() -> Path:
    """The folder with the programs of the newest PostgreSQL that is installed, 15 or later."""
    root = Path("/usr/lib/postgresql")
    versions = sorted((int(path.name) for path in root.glob("*") if path.name.isdigit()), reverse=True)
    for version in versions:
        if version >= 15 and (root / str(version) / "bin" / "postgres").exists():
            return root / str(version) / "bin"
    raise PostgresUnavailable(
        "未找到 PostgreSQL 15，无法运行数据库测试；请执行 make test（会自动安装），"
        "或安装 postgresql-15 与 postgresql-15-postgis-3。")


def server_account() -> pwd.struct_passwd | None:
    """The account that root lends to the server; None for any other user, who runs it as himself."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(SERVER_USER)
    except KeyError as missing:
        raise PostgresUnavailable(
            "系统中没有用户 postgres，而 PostgreSQL 不能以 root 运行；请安装 postgresql-15，"
            "或以普通用户运行测试。") from missing


def cluster_folders() -> tuple[Path, Path]:
    """Where clusters live: in var/, or where the server's user cannot reach that, in the temporary folder."""
    return PROJECT_DIR / "var" / "test-postgres", Path(tempfile.gettempdir())


def data_folder(account: pwd.struct_passwd | None) -> Path:
    """A new folder for one cluster, owned by the user that runs the server."""
    home, fallback = cluster_folders()
    home.mkdir(parents=True, exist_ok=True)
    # A project below a private folder (mktemp -d, a closed home) cannot be entered by the user postgres.
    place = home if account is None or may_enter(account, home) else fallback
    folder = Path(tempfile.mkdtemp(prefix=f"guitu-postgres-{os.getpid()}-", dir=place))
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
    return folder


def may_enter(account: pwd.struct_passwd, folder: Path) -> bool:
    """True when the account can pass through every folder on the way."""
    answer = subprocess.run([*run_as(account), "test", "-x", str(folder)], check=False, cwd="/")
    return answer.returncode == 0


def run_as(account: pwd.struct_passwd | None) -> list[str]:
    """The words before a server command: change the user, and end the command when its parent ends."""
    words = ["setpriv", "--pdeathsig", "INT"]
    if account is not None:
        words += ["--reuid", str(account.pw_uid), "--regid", str(account.pw_gid), "--clear-groups"]
    return words


def initialise(programs: Path, account: pwd.struct_passwd | None, folder: Path, password: str) -> None:
    """Make the files of a cluster whose one user has the given password."""
    secret = folder / "password"
    secret.write_text(password, encoding="ascii")
    secret.chmod(0o600)
    if account is not None:
        os.chown(secret, account.pw_uid, account.pw_gid)
    command = [*run_as(account), str(programs / "initdb"), "--pgdata", str(folder / "data"), "--no-sync",
               "--username", SERVER_USER, "--pwfile", str(secret), "--auth", "password",
               "--encoding", "UTF8", "--locale", "C.UTF-8"]
    done = subprocess.run(command, check=False, cwd="/", capture_output=True, text=True)
    secret.unlink()
    if done.returncode != 0:
        raise PostgresUnavailable(f"建立测试用 PostgreSQL 失败：{done.stderr.strip()}；"
                                  "请检查磁盘空间与 var/ 的权限。")


def start_server(programs: Path, account: pwd.struct_passwd | None,
                 folder: Path) -> tuple[int, subprocess.Popen]:
    """Start the server on a free port; another port is tried when someone takes it first."""
    log = folder / "server.log"
    for _ in range(START_ATTEMPTS):
        port = free_port()
        words = [*run_as(account), str(programs / "postgres"), "-D", str(folder / "data"), "-p", str(port)]
        for name, value in SERVER_SETTINGS.items():
            words += ["-c", f"{name}={value}"]
        with log.open("wb") as output:
            server = subprocess.Popen(words, cwd="/", stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        if wait_until_ready(server, folder / "data" / "postmaster.pid"):
            return port, server
    raise PostgresUnavailable(f"测试用 PostgreSQL 未能启动：{log.read_text(errors='replace').strip()[-500:]}")


def free_port() -> int:
    """A port of the loopback that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_ready(server: subprocess.Popen, pid_file: Path) -> bool:
    """Wait until the server's own status file says that it takes connections; False when it ended."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            return False
        if pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"):
            return True
        time.sleep(0.05)
    server.kill()
    server.wait()
    return False


def remove_abandoned() -> None:
    """Remove the data of clusters whose test run is gone; their servers ended with it (see `run_as`)."""
    for place in cluster_folders():
        for folder in place.glob("guitu-postgres-*-*"):
            owner = folder.name.split("-")[2]
            if owner.isdigit() and not Path("/proc", owner).exists() and os.access(folder, os.W_OK):
                shutil.rmtree(folder)
