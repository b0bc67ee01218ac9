"""The settings of the portal: typed fields here; default, limits and help of each in settings.yaml."""

import os
import re
import secrets
import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import Any

import yaml

PROJECT_DIR = Path(__file__).resolve().parent.parent
TABLE_PATH = Path(__file__).with_name("settings.yaml")
SECRET_KEY_BYTES = 32
WORDS_FOR_BOOL = {"1": True, "true": True, "yes": True, "on": True, "": False, "0": False, "false": False,
                  "no": False, "off": False}
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


class SettingsError(Exception):
    """One or more settings cannot be used; every fault is one sentence in `faults`."""

    def __init__(self, faults: list[str]):
        super().__init__("\n".join(faults))
        self.faults = faults


@dataclass(frozen=True)
class Settings:
    """What the portal was told at start-up; the variable of a field is its name in capitals."""

    database_url: str
    var_dir: Path
    host: str
    port: int
    public_url: str
    allowed_hosts: tuple[str, ...]
    forwarded_allow_ips: tuple[str, ...]
    partners_url: str
    partners_port: int
    secret_key_file: Path
    coordinate_parameters_file: Path | None
    coordinate_key_file: Path
    debug: bool
    demo: bool
    rules_dir: Path
    rule_engine: str
    upload_max_mb: int
    upload_max_files: int
    form_max_kb: int
    session_idle_minutes: int
    session_absolute_hours: int
    page_threads: int
    request_threads: int
    partner_threads: int
    minimum_free_mb: int
    log_level: str
    log_format: str
    scale_out_cluster: str
    scale_out_from: int
    failpoints: tuple[str, ...]

    @property
    def is_sqlite(self) -> bool:
        """True when the embedded database is used."""
        return self.database_url.startswith("sqlite:")

    @property
    def upload_max_bytes(self) -> int:
        """Largest size of one uploaded file, in bytes."""
        return self.upload_max_mb * 1024 * 1024

    @property
    def form_max_bytes(self) -> int:
        """Largest total size of the form fields of one request without its files, in bytes."""
        return self.form_max_kb * 1024

    @property
    def cookies_secure(self) -> bool:
        """True when cookies may only travel over TLS: unless the portal serves this machine alone."""
        return self.public_url.startswith("https:") or self.host not in LOOPBACK_HOSTS

    def secret_key(self) -> bytes:
        """The key for sessions and signed links, made on first use and readable by this user only."""
        return read_or_create_secret(self.secret_key_file)


@cache
def settings_table() -> dict[str, dict[str, Any]]:
    """Default, limits and help of every setting, by name, in the order of the documentation."""
    return yaml.safe_load(TABLE_PATH.read_text(encoding="utf-8"))


def read_settings(environment: Mapping[str, str]) -> Settings:
    """The settings told by an environment; raises SettingsError that names every fault at once."""
    values: dict[str, Any] = {}
    faults: list[str] = []
    for field in fields(Settings):
        row = settings_table()[field.name]
        text = environment.get(field.name.upper(), row["default"]).strip()
        try:
            values[field.name] = parse_value(field.name, field.type, text, row)
        except ValueError as fault:
            faults.append(str(fault))
    if faults:
        raise SettingsError(faults)
    return complete(values)


@cache
def current_settings() -> Settings:
    """The settings of this process, read once from its environment."""
    return read_settings(os.environ)


def parse_value(name: str, kind: Any, text: str, row: Mapping[str, Any]) -> Any:
    """One setting in its own type; raises ValueError with the variable, the value and what is allowed."""
    if kind is bool:
        return parse_bool(name, text)
    if kind is int:
        return parse_int(name, text, row)
    if kind is Path:
        return Path(text)
    if kind == Path | None:
        return Path(text) if text else None
    if kind == tuple[str, ...]:
        return tuple(part.strip() for part in text.split(",") if part.strip())
    if "choices" in row and text not in row["choices"]:
        raise ValueError(f"设置 {name.upper()} 的值「{text}」不可用，应为 {'、'.join(row['choices'])} 之一。")
    return text


def parse_bool(name: str, text: str) -> bool:
    """A yes or no; anything else is refused rather than taken for no."""
    if text.lower() not in WORDS_FOR_BOOL:
        raise ValueError(f"设置 {name.upper()} 的值「{text}」不可用，应为 1 或 0。")
    return WORDS_FOR_BOOL[text.lower()]


def parse_int(name: str, text: str, row: Mapping[str, Any]) -> int:
    """A whole number within the limits of its row, both ends included."""
    low, high = row["minimum"], row["maximum"]
    if not re.fullmatch(r"[0-9]{1,9}", text) or not low <= int(text) <= high:
        raise ValueError(f"设置 {name.upper()} 的值「{text}」不可用，应为 {low} 至 {high} 的整数。")
    return int(text)


def complete(values: dict[str, Any]) -> Settings:
    """Fill the settings that follow from others, and refuse combinations that are unsafe."""
    values["var_dir"] = (PROJECT_DIR / values["var_dir"]).resolve()
    values["secret_key_file"] = values["var_dir"] / values["secret_key_file"]
    values["coordinate_key_file"] = values["var_dir"] / values["coordinate_key_file"]
    if values["coordinate_parameters_file"] is not None:
        values["coordinate_parameters_file"] = values["var_dir"] / values["coordinate_parameters_file"]
    values["rules_dir"] = rules_folder(values["rules_dir"], values["var_dir"])
    values["database_url"] = database_address(values["database_url"], values["var_dir"])
    host = f"[{values['host']}]" if ":" in values["host"] else values["host"]
    values["public_url"] = values["public_url"].rstrip("/") or f"http://{host}:{values['port']}"
    values["partners_url"] = values["partners_url"].rstrip("/")
    faults = unsafe_combinations(values)
    if faults:
        raise SettingsError(faults)
    return Settings(**values)


def rules_folder(path: Path, var_dir: Path) -> Path:
    """The folder of the city's own rule files; a relative path counts from the project."""
    return var_dir / "rules" if path == Path() else (PROJECT_DIR / path).resolve()


def database_address(text: str, var_dir: Path) -> str:
    """The address for SQLAlchemy: the embedded database when nothing is set, psycopg for PostgreSQL."""
    if not text:
        return f"sqlite:///{var_dir / 'portal.sqlite3'}"
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg://", text)


def unsafe_combinations(values: Mapping[str, Any]) -> list[str]:
    """What must not be set together, one sentence each."""
    faults = []
    if not values["database_url"].startswith(("sqlite:///", "postgresql+psycopg://")):
        # The address may hold a password, so only its scheme is repeated.
        scheme = values["database_url"].partition(":")[0]
        faults.append(f"设置 DATABASE_URL 的类型「{scheme}」不可用，"
                      "应以 sqlite:/// 或 postgresql+psycopg:// 开头，或留空。")
    if values["failpoints"] and not values["debug"]:
        faults.append("设置 FAILPOINTS 只供测试使用；请清空 FAILPOINTS，或在测试环境中同时设置 DEBUG=1。")
    for name in ("public_url", "partners_url"):
        if values[name] and not values[name].startswith(("http://", "https://")):
            faults.append(f"设置 {name.upper()} 的值「{values[name]}」不可用，"
                          "应以 http:// 或 https:// 开头。")
    return faults


def read_or_create_secret(path: Path) -> bytes:
    """Read a secret key file, or make it with mode 0600; refuses a file that others can read.

    Two processes that start together agree on one key: the file is completed under another name and
    linked into place, which only the first can do. Raises SettingsError.
    """
    if not path.exists():
        create_secret(path)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise SettingsError([(f"密钥文件 {path} 的权限为 {mode:04o}，其他用户可以读取；"
                             f"请执行 chmod 600 {path}。")])
    key = path.read_bytes()
    if len(key) < SECRET_KEY_BYTES:
        raise SettingsError([(f"密钥文件 {path} 只有 {len(key)} 字节，至少应有 {SECRET_KEY_BYTES} 字节；"
                             "请从备份恢复该文件（删除后重启会生成新密钥，所有人须重新登录）。")])
    return key


def create_secret(path: Path) -> None:
    """Write a new random key, leaving alone a file that another process made meanwhile."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(SECRET_KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        # The other process was first: its key is the one that counts.
        return
    finally:
        draft.unlink()


def documentation() -> str:
    """The text of docs/settings.md: one row per setting."""
    lines = ["# 设置", "",
             "本页由 portal/settings.yaml 生成（make docs）。设置通过环境变量给出，启动时读取一次。", "",
             "| 变量 | 类型 | 默认值 | 允许的值 | 说明 |", "|---|---|---|---|---|"]
    for field in fields(Settings):
        row = settings_table()[field.name]
        default = f"`{row['default']}`" if row["default"] else "（空）"
        cells = [f"`{field.name.upper()}`", type_word(field.type), default, allowed(row), row["help"]]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def type_word(kind: Any) -> str:
    """The type of a setting as the documentation names it."""
    return {bool: "开关", int: "整数", Path: "路径", Path | None: "路径", str: "文本"}.get(kind, "列表")


def allowed(row: Mapping[str, Any]) -> str:
    """The allowed values of a setting as the documentation names them."""
    if "choices" in row:
        return "、".join(row["choices"])
    return f"{row['minimum']}–{row['maximum']}" if "minimum" in row else "—"


if __name__ == "__main__":
    print(documentation(), end="")
