"""Signed requests between the portal and its partners: HMAC with SM3 over what was sent, when, and once."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

KEY_HEADER = "x-guitu-key"
TIMESTAMP_HEADER = "x-guitu-timestamp"
NONCE_HEADER = "x-guitu-nonce"
SIGNATURE_HEADER = "x-guitu-signature"
CORRELATION_HEADER = "x-correlation-id"

REPLAY_WINDOW_SECONDS = 300


class SignatureFault(Exception):
    """A signed message does not prove what it claims; `reason` is a key, the text says it in words."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(text)
        self.reason = reason
        self.text = text


@dataclass(frozen=True, slots=True)
class Signed:
    """Who signed a message, when, and the number used once."""

    key_id: str
    signed_at: datetime
    nonce: str


def body_digest(chunks: Iterable[bytes]) -> str:
    """Return the SM3 of a body given in chunks, in hexadecimal."""
    digest = hashlib.new("sm3")
    for chunk in chunks:
        digest.update(chunk)
    return digest.hexdigest()


def signature_headers(
    key_id: str, key: bytes, method: str, path: str, digest: str, now: datetime
) -> dict[str, str]:
    """Return the headers that sign a request; `path` carries its query, `digest` is the SM3 of the body."""
    timestamp, nonce = str(int(now.timestamp())), secrets.token_hex(16)
    return {
        KEY_HEADER: key_id,
        TIMESTAMP_HEADER: timestamp,
        NONCE_HEADER: nonce,
        SIGNATURE_HEADER: _mac(key, method, path, timestamp, nonce, digest),
    }


def verify_signature(
    keys: Mapping[str, bytes], method: str, path: str, headers: Mapping[str, str], digest: str, now: datetime
) -> Signed:
    """Check the headers of a signed request against our keys and our clock.

    Raises SignatureFault with reason `missing_header`, `unknown_key`, `stale` or `bad_signature`.
    A message older or newer than five minutes is stale, whatever its signature.
    """
    key_id, timestamp, nonce, mac = (_header(headers, name) for name in _SIGNED_HEADERS)
    if key_id not in keys:
        raise SignatureFault("unknown_key", f"不认识密钥编号 {key_id}")
    if not hmac.compare_digest(_mac(keys[key_id], method, path, timestamp, nonce, digest), mac):
        raise SignatureFault("bad_signature", "签名与内容不符")
    if not timestamp.isdecimal() or abs(now.timestamp() - int(timestamp)) > REPLAY_WINDOW_SECONDS:
        raise SignatureFault("stale", f"签名时间与本机时间相差超过 {REPLAY_WINDOW_SECONDS} 秒")
    return Signed(key_id, datetime.fromtimestamp(int(timestamp), UTC), nonce)


def load_key(path: Path) -> bytes:
    """Return the shared key kept in a file, making it on first use, readable by its owner only.

    Two processes that start together get the same key. Raises ValueError for a key that is too short.
    """
    if not path.exists():
        _make_key(path)
    key = path.read_text(encoding="ascii").strip()
    if len(key) < 32:
        raise ValueError(f"密钥文件 {path.name} 少于 32 个字符。请删除该文件后重新启动，系统会另生成一个。")
    return key.encode("ascii")


def derived_secret(key: bytes, purpose: str) -> str:
    """Return a secret for one purpose, derived from the shared key, in hexadecimal."""
    return hmac.new(key, purpose.encode(), "sm3").hexdigest()


_SIGNED_HEADERS = (KEY_HEADER, TIMESTAMP_HEADER, NONCE_HEADER, SIGNATURE_HEADER)


def _header(headers: Mapping[str, str], name: str) -> str:
    # Mappings of a web framework ignore case; a plain dictionary does not.
    value = headers.get(name) or next((v for k, v in headers.items() if k.lower() == name), None)
    if not value:
        raise SignatureFault("missing_header", f"缺少请求头 {name}")
    return value


def _mac(key: bytes, method: str, path: str, timestamp: str, nonce: str, digest: str) -> str:
    text = f"{method.upper()}\n{path}\n{timestamp}\n{nonce}\n{digest}"
    return hmac.new(key, text.encode(), "sm3").hexdigest()


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(32))
    try:
        # A link never replaces: whoever comes second keeps the first one's key.
        os.link(draft, path)
    except FileExistsError:
        return
    finally:
        draft.unlink()
