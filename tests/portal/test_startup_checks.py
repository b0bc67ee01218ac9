"""Each start-up check fails with a sentence that says what to do."""

import errno
import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from portal import assets, serving, startup_checks
from portal.settings import Settings, read_settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return read_settings({"VAR_DIR": str(tmp_path / "var"), "MINIMUM_FREE_MB": "1"})


def script(folder: Path, name: str, text: str) -> None:
    """An executable that stands in for a system command."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
    path.chmod(0o755)


def test_faults_of_all_checks_are_told_in_order(settings: Settings, monkeypatch) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(assets, "check", lambda: ["资源"])
    found = startup_checks.faults(settings, [lambda _: ["甲", "乙"], lambda _: [], lambda _: ["丙"]])
    assert found[-4:] == ["资源", "甲", "乙", "丙"]
    assert "fc-list" in found[0]


def test_data_folder_is_made(settings: Settings) -> None:
    assert startup_checks.var_folder(settings) == []
    assert list(settings.var_dir.iterdir()) == []


def test_data_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    [fault] = startup_checks.var_folder(read_settings({"VAR_DIR": str(tmp_path / "file" / "var")}))
    assert os.strerror(errno.ENOTDIR) in fault and "VAR_DIR" in fault


def test_full_disk_is_refused(tmp_path: Path) -> None:
    settings = read_settings({"VAR_DIR": str(tmp_path), "MINIMUM_FREE_MB": "1048576"})
    [fault] = startup_checks.var_folder(settings)
    assert "1048576 MB" in fault and "清理磁盘" in fault


def test_open_secret_key_is_refused(settings: Settings) -> None:
    settings.secret_key()
    settings.secret_key_file.chmod(0o644)
    [fault] = startup_checks.secret_key(settings)
    assert "chmod 600" in fault


def test_each_missing_font_is_named(settings: Settings, monkeypatch, tmp_path: Path) -> None:
    script(tmp_path, "fc-list", "echo 'Noto Sans CJK SC,Noto Sans CJK SC Bold'")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    [fault] = startup_checks.fonts(settings)
    assert "Noto Serif CJK SC" in fault and "fonts-noto-cjk" in fault


def test_font_listing_that_fails_says_why(settings: Settings, monkeypatch, tmp_path: Path) -> None:
    script(tmp_path, "fc-list", "echo broken >&2; exit 1")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    [fault] = startup_checks.fonts(settings)
    assert "broken" in fault


def test_fonts_of_this_machine_suffice(settings: Settings) -> None:
    assert startup_checks.fonts(settings) == []


def test_missing_system_library_is_a_sentence(monkeypatch) -> None:
    def load(name: str) -> None:
        if "pango" in name:
            raise OSError(f"{name}: cannot open shared object file\nand more")

    monkeypatch.setattr(startup_checks, "load_library", load)
    [fault] = startup_checks.document_library(read_settings({}))
    assert "libpango-1.0.so.0: cannot open shared object file）" in fault and "libpangoft2-1.0-0" in fault


def test_the_system_libraries_that_are_checked_are_those_the_library_loads() -> None:
    """Whatever it loads beyond the ones it can do without is on our list."""
    from weasyprint.text import ffi

    source = Path(ffi.__file__).read_text(encoding="utf-8")
    calls = re.findall(r"_dlopen\(\s*ffi,(.*?)\)\n", source, re.DOTALL)
    needed = {re.search(r"'(lib[^']+\.so\.\d)'", call).group(1) for call in calls if "allow_fail" not in call}
    assert needed and needed <= set(startup_checks.PDF_LIBRARIES)


def test_the_start_loads_nothing_that_only_documents_maps_and_files_need() -> None:
    """Each of them takes about as long to load as a page takes to answer a hundred times."""
    late = ("weasyprint", "folium", "pyogrio", "ezdxf", "pandas")
    words = f"import portal.app, sys; print([each for each in {late} if each in sys.modules])"
    done = subprocess.run([sys.executable, "-c", words], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_rule_engine_is_only_asked_for_when_it_is_set(monkeypatch) -> None:
    def load(module: str) -> None:
        raise ImportError(f"No module named {module!r}")

    monkeypatch.setattr(startup_checks, "import_module", load)
    [fault] = startup_checks.rule_engine(read_settings({"RULE_ENGINE": "both"}))
    assert "RULE_ENGINE=python" in fault
    assert startup_checks.rule_engine(read_settings({"RULE_ENGINE": "python"})) == []


def test_taken_port_is_refused() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        [fault] = serving.listening_address(read_settings({"PORT": str(port)}))
    assert str(port) in fault and "PORT" in fault


def test_host_of_another_machine_is_refused() -> None:
    [fault] = serving.listening_address(read_settings({"HOST": "192.0.2.1"}))
    assert "192.0.2.1" in fault


def test_serve_prints_the_sentences_and_exits_1(monkeypatch, capsys) -> None:
    monkeypatch.setattr(serving.startup_checks, "faults", lambda settings, others: ["甲。", "乙。"])
    monkeypatch.setattr(serving, "other_checks", list)
    monkeypatch.setattr(serving, "run_server", lambda settings: pytest.fail("served in spite of faults"))
    monkeypatch.setattr(serving, "current_settings", lambda: read_settings({}))
    monkeypatch.setattr(serving.logging, "configure", lambda settings: None)
    assert serving.serve(serving.argparse.Namespace(check=False)) == 1
    assert capsys.readouterr().err == "甲。\n乙。\n"


def test_python_finder_finds_a_python_that_makes_environments() -> None:
    finder = serving.startup_checks.assets.ROOT / "portal" / "setup" / "python.sh"
    found = subprocess.run([finder, "headers"], capture_output=True, text=True, check=True).stdout.strip()
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("Python 3.11.")
