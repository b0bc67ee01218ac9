"""Settings: read once, refused when wrong, documented."""

import stat
import threading
from dataclasses import fields
from pathlib import Path

import pytest

from portal.settings import (
    PROJECT_DIR,
    Settings,
    SettingsError,
    documentation,
    read_or_create_secret,
    read_settings,
    settings_table,
)


def test_defaults_are_closed_to_the_outside() -> None:
    settings = read_settings({})
    assert settings.host == "127.0.0.1"
    assert not settings.debug and not settings.demo
    assert settings.failpoints == () and settings.forwarded_allow_ips == () and settings.partners_url == ""
    assert settings.rule_engine == "both"


def test_table_and_class_name_the_same_settings() -> None:
    assert list(settings_table()) == [field.name for field in fields(Settings)]


def test_every_setting_has_help_and_a_default() -> None:
    for name, row in settings_table().items():
        assert row["help"].endswith("。"), name
        assert isinstance(row["default"], str), name


def test_documentation_is_the_one_generated() -> None:
    assert (PROJECT_DIR / "docs" / "settings.md").read_text("utf-8") == documentation(), "run `make docs`"


def test_relative_folders_follow_the_project_and_not_the_working_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.chdir(tmp_path)
    settings = read_settings({"VAR_DIR": "data"})
    assert settings.var_dir == PROJECT_DIR / "data"
    assert settings.secret_key_file == PROJECT_DIR / "data" / "secret.key"
    assert settings.database_url == f"sqlite:///{PROJECT_DIR}/data/portal.sqlite3"


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_through_psycopg(scheme: str) -> None:
    settings = read_settings({"DATABASE_URL": f"{scheme}://u:p@db/guitu"})
    assert settings.database_url == "postgresql+psycopg://u:p@db/guitu"
    assert not settings.is_sqlite


@pytest.mark.parametrize(("text", "expected"),
                         [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("", False)])
def test_switches(text: str, expected: bool) -> None:
    assert read_settings({"DEBUG": text}).debug is expected


@pytest.mark.parametrize(("variable", "low", "high"), [("PORT", 1, 65535), ("SESSION_IDLE_MINUTES", 1, 1440)])
def test_limits_are_included_and_what_is_beyond_is_refused(variable: str, low: int, high: int) -> None:
    for value in (low, high):
        assert getattr(read_settings({variable: str(value)}), variable.lower()) == value
    for value in (low - 1, high + 1):
        with pytest.raises(SettingsError, match=variable):
            read_settings({variable: str(value)})


@pytest.mark.parametrize(("variable", "value", "said"), [
    ("PORT", "八千", "应为 1 至 65535 的整数"),
    ("PORT", "-1", "整数"),
    ("PORT", "８０００", "整数"),
    ("DEBUG", "maybe", "应为 1 或 0"),
    ("RULE_ENGINE", "perl", "both、python"),
    ("LOG_LEVEL", "info", "INFO"),
    ("PUBLIC_URL", "portal.example", "https://"),
    ("DATABASE_URL", "mysql://u@h/d", "sqlite:///"),
    ("FAILPOINTS", "case:submit", "DEBUG=1"),
])
def test_refusals_name_the_variable_and_what_is_allowed(variable: str, value: str, said: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({variable: value})
    assert variable in str(refusal.value) and said in str(refusal.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({"PORT": "x", "DEBUG": "y"})
    assert len(refusal.value.faults) == 2


def test_password_in_the_database_address_is_not_repeated() -> None:
    with pytest.raises(SettingsError) as refusal:
        read_settings({"DATABASE_URL": "mysql://u:very-secret@h/d"})
    assert "very-secret" not in str(refusal.value)


def test_failpoints_need_debug() -> None:
    settings = read_settings({"FAILPOINTS": "case:submit, ledger:post", "DEBUG": "1"})
    assert settings.failpoints == ("case:submit", "ledger:post")


@pytest.mark.parametrize(("environment", "secure"), [
    ({}, False),
    ({"HOST": "0.0.0.0"}, True),
    ({"PUBLIC_URL": "https://portal.example"}, True),
])
def test_cookies_need_tls_except_on_this_machine_alone(environment: dict[str, str], secure: bool) -> None:
    assert read_settings(environment).cookies_secure is secure


def test_public_address_of_an_ipv6_host() -> None:
    assert read_settings({"HOST": "::1", "PORT": "9000"}).public_url == "http://[::1]:9000"


def test_secret_is_made_once_and_private(tmp_path: Path) -> None:
    path = tmp_path / "var" / "secret.key"
    first = read_or_create_secret(path)
    assert len(first) == 32
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read_or_create_secret(path) == first
    assert [entry.name for entry in path.parent.iterdir()] == ["secret.key"]


def test_processes_that_start_together_agree_on_one_secret(tmp_path: Path) -> None:
    path, found = tmp_path / "secret.key", []
    threads = [threading.Thread(target=lambda: found.append(read_or_create_secret(path))) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16 and set(found) == {path.read_bytes()}


def test_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"k" * 32)
    path.chmod(0o640)
    with pytest.raises(SettingsError, match="chmod 600"):
        read_or_create_secret(path)


def test_secret_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secret.key"
    path.write_bytes(b"k" * 31)
    path.chmod(0o600)
    with pytest.raises(SettingsError, match="31 字节"):
        read_or_create_secret(path)
