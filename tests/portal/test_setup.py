"""The set-up scripts, run in a copy of their folder with stand-ins for the commands of the system."""

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from portal.settings import PROJECT_DIR
from tests.postgres import free_port

APT_LINE = "apt-get update && apt-get install -y --no-install-recommends guitu-absent-one guitu-absent-two"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A project that has only the set-up scripts, and a folder `bin` that comes first on the path."""
    shutil.copytree(PROJECT_DIR / "portal" / "setup", tmp_path / "portal" / "setup")
    (tmp_path / "bin").mkdir()
    return tmp_path


def command(folder: Path, name: str, body: str) -> None:
    """An executable of this name; it writes its arguments to `calls`."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/bash\necho "{name} $*" >> "$CALLS"\n{body}\n', encoding="utf-8")
    path.chmod(0o755)


def environment(copy: Path, **more: str) -> dict[str, str]:
    """Stand-ins first on the path, and a home without a pyenv."""
    path = f"{copy / 'bin'}:{os.environ['PATH']}"
    return {"PATH": path, "CALLS": str(copy / "calls"), "HOME": str(copy), **more}


def debian(copy: Path, packages: str, purpose: str) -> subprocess.CompletedProcess[str]:
    (copy / "portal" / "setup" / "debian-packages.txt").write_text(packages, encoding="utf-8")
    return subprocess.run([copy / "portal" / "setup" / "debian.sh", purpose], env=environment(copy),
                          capture_output=True, text=True, check=False)


PACKAGES = "# comment\nrun guitu-absent-one\nrun guitu-provided true\ntest guitu-absent-two false\n"


def test_without_rights_the_one_line_is_printed(copy: Path) -> None:
    command(copy / "bin", "id", "echo 1000")
    command(copy / "bin", "sudo", "exit 1")
    command(copy / "bin", "apt-get", "")
    answer = debian(copy, PACKAGES, "test")
    assert answer.returncode == 2
    assert answer.stderr.splitlines()[-1] == APT_LINE
    assert "apt-get" not in (copy / "calls").read_text()


def test_with_rights_only_what_is_missing_for_the_purpose_is_installed(copy: Path) -> None:
    command(copy / "bin", "id", "echo 1000")
    command(copy / "bin", "sudo", 'shift; "$@"')
    command(copy / "bin", "apt-get", "")
    assert debian(copy, PACKAGES, "run").returncode == 0
    calls = (copy / "calls").read_text()
    assert "apt-get install -q -y --no-install-recommends guitu-absent-one\n" in calls


def test_installation_that_fails_stops_the_setup(copy: Path) -> None:
    command(copy / "bin", "id", "echo 0")
    command(copy / "bin", "apt-get", "exit 100")
    assert debian(copy, PACKAGES, "run").returncode == 100


def test_nothing_missing_needs_no_rights(copy: Path) -> None:
    command(copy / "bin", "sudo", "exit 1")
    command(copy / "bin", "apt-get", "exit 1")
    assert debian(copy, "run guitu-provided true\n", "run").returncode == 0
    assert not (copy / "calls").exists()


def test_python_is_searched_and_its_absence_is_a_sentence(copy: Path) -> None:
    for name in ("python3", "python3.11"):
        command(copy / "bin", name, "exit 1")
    for name in ("requirements.lock", "pyproject.toml"):
        (copy / name).write_text("")
    answer = subprocess.run([copy / "portal" / "setup" / "venv.sh"], env=environment(copy),
                            capture_output=True, text=True, check=False)
    assert answer.returncode == 2
    assert "python3.11-venv" in answer.stderr


PORTAL = """
case $1 in
    partners) echo $$ >> "$CALLS.pids"; exec sleep 60 ;;
    serve) echo $$ >> "$CALLS.pids"; {serve} ;;
esac
"""
LISTEN = """exec python3 -c '
import os, socket, time
server = socket.create_server(("127.0.0.1", int(os.environ["PORT"])))
time.sleep(60)'"""


def left_running(copy: Path) -> list[int]:
    """The stand-ins that are still there."""
    pids = [int(line) for line in (copy / "calls.pids").read_text().split()]
    assert len(pids) == 2
    return [pid for pid in pids if Path("/proc", str(pid)).exists()]


@pytest.fixture
def start(copy: Path):
    """Starts run.sh with a stand-in for the portal."""
    started = []

    def start(serve: str, port: int) -> subprocess.Popen[str]:
        command(copy / ".venv" / "bin", "portal", PORTAL.format(serve=serve))
        process = subprocess.Popen([copy / "portal" / "setup" / "run.sh"], text=True, start_new_session=True,
                                   env=environment(copy, PORT=str(port), PARTNERS_PORT=str(free_port())),
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        process.stdout.close()


def read_until(process: subprocess.Popen[str], words: str) -> str:
    text = ""
    while words not in text:
        line = process.stdout.readline()
        assert line, f"ended before {words!r}: {text}"
        text += line
    return text


def test_both_are_started_and_both_stopped(start, copy: Path) -> None:
    port = free_port()
    process = start(LISTEN, port)
    text = read_until(process, "Ctrl-C")
    assert f"http://127.0.0.1:{port}" in text and "portal demo --accounts" in text
    os.kill(process.pid, signal.SIGINT)
    process.wait(timeout=20)
    assert process.returncode == 0
    assert left_running(copy) == []
    calls = (copy / "calls").read_text().splitlines()
    assert calls[:2] == ["portal migrate", "portal demo --if-empty"]


def test_portal_that_ends_takes_the_simulators_along(start, copy: Path) -> None:
    process = start("sleep 0.5; echo 缺少字体; exit 1", free_port())
    text, _ = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "缺少字体" in text and "已启动" not in text
    assert left_running(copy) == []


def test_taken_port_is_refused_before_anything_is_changed(start, copy: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = start(LISTEN, taken.getsockname()[1])
        text, _ = process.communicate(timeout=20)
    assert process.returncode == 2
    assert "PORT=" in text and not (copy / "calls").exists()


def test_failed_migration_starts_nothing(copy: Path) -> None:
    command(copy / ".venv" / "bin", "portal", "exit 1")
    answer = subprocess.run([copy / "portal" / "setup" / "run.sh"], check=False, timeout=20,
                            env=environment(copy, PORT=str(free_port()), PARTNERS_PORT=str(free_port())))
    assert answer.returncode == 1
    assert (copy / "calls").read_text() == "portal migrate\n"


def full_run(copy: Path, **faults: str) -> list[str]:
    """The commands of test.sh when the named ones end as told; the last one closes the run."""
    for name in ("portal", "lint-imports", "ruff"):
        command(copy / ".venv" / "bin", name, faults.get(name, "exit 0"))
    command(copy / ".venv" / "bin", "python", f'[ "$2" = pytest ] || exit 7\n{faults.get("pytest", "exit 0")}')
    (copy / "var").mkdir()
    (copy / "var" / "test-results.partial.json").write_text("from a run that was broken off")
    answer = subprocess.run([copy / "portal" / "setup" / "test.sh"], env=environment(copy), check=False)
    assert answer.returncode == 7, "the end of the run decides the exit code"
    assert not (copy / "var" / "test-results.partial.json").exists()
    return (copy / "calls").read_text().splitlines()


def test_full_run_has_every_step_and_closes(copy: Path) -> None:
    calls = full_run(copy)
    assert [call.split(" -q")[0] for call in calls] == [
        "portal rules check", "portal rules test", "portal rules mutate", "lint-imports --no-cache", "ruff check .",
        "python -m pytest", "python -m pytest", "python -m pytest",
        "python -m tests.results var/test-results.partial.json var/test-results.json --failed-steps 0"]


@pytest.mark.parametrize(("faults", "failed_steps"), [
    ({"portal": "exit 1"}, 3),
    ({"lint-imports": "exit 1", "ruff": "exit 1"}, 2),
    ({"pytest": "exit 1"}, 0),
    ({"pytest": "exit 2"}, 3),
    ({"pytest": "exit 5"}, 3),
])
def test_fault_is_counted_and_the_run_goes_on(copy: Path, faults: dict[str, str], failed_steps: int) -> None:
    """Failed tests (exit 1) are in the results already; a run that broke off or found no test is not."""
    calls = full_run(copy, **faults)
    assert len(calls) == 9
    assert calls[-1].endswith(f"--failed-steps {failed_steps}")
