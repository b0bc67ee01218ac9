"""What every signed push to us has in common: the signature is checked before anything is read."""

from collections.abc import Mapping

from domain.ports.errors import CallbackRefused
from integrations.http import Connection
from integrations.signature import CORRELATION_HEADER, SignatureFault, Signed, body_digest, verify_signature


def verified(connection: Connection, path: str, headers: Mapping[str, str], body: bytes) -> tuple[Signed, str]:
    """Who signed a push, and its correlation number. Raises CallbackRefused."""
    if connection.key is None:
        raise ValueError("没有配置与平台约定的密钥，不能接收推送。请在设置中给出密钥文件。")
    keys = {connection.partner.key: connection.key}
    try:
        signed = verify_signature(keys, "POST", path, headers, body_digest([body]), connection.now())
    except SignatureFault as fault:
        raise CallbackRefused(connection.partner, fault.reason, fault.text) from fault
    return signed, next((v for k, v in headers.items() if k.lower() == CORRELATION_HEADER), "")
