"""Secret documents sealed with SM4 (GCM): read by nobody without the key, and no change of them goes unseen.

A sealed document is a JSON text: format, cipher, purpose, the fingerprint of its key, nonce, and content (base64). Cipher
and authentication are those of OpenSSL.
"""

import base64
import binascii
import hashlib
import hmac
import json
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from domain.errors import InvalidData

FORMAT, CIPHER = "guitu-sealed-1", "SM4-GCM"
_NONCE_BYTES, _TAG_BYTES, _KEY_BYTES, _FINGERPRINT_BYTES = 12, 16, 16, 8


class NotSealed(InvalidData):
    """A document that was not sealed by this portal, or whose form is broken."""


class WrongKey(InvalidData):
    """A document sealed with another key."""


class Damaged(InvalidData):
    """A document that was changed or cut after it was sealed."""


def seal(content: bytes, secret: bytes, purpose: str) -> bytes:
    """The sealed document of a content, for one purpose; the secret is any random bytes."""
    nonce = os.urandom(_NONCE_BYTES)
    head = {"format": FORMAT, "cipher": CIPHER, "purpose": purpose, "key": _fingerprint(secret, purpose), "nonce": nonce.hex()}
    encryptor = Cipher(algorithms.SM4(_key(secret, purpose)), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(_bound(head))
    sealed = encryptor.update(content) + encryptor.finalize() + encryptor.tag
    return (json.dumps({**head, "content": base64.b64encode(sealed).decode()}, indent=1) + "\n").encode()


def unseal(document: bytes, secret: bytes, purpose: str) -> bytes:
    """The content of a sealed document. Raises NotSealed, WrongKey or Damaged, and never returns anything unproven."""
    head, sealed = _parts(document, purpose)
    if not hmac.compare_digest(head["key"], _fingerprint(secret, purpose)):
        raise WrongKey("密钥不对：文件是用另一把密钥加密的。请换用加密时的密钥文件。")
    modes_of = modes.GCM(bytes.fromhex(head["nonce"]), sealed[-_TAG_BYTES:])
    decryptor = Cipher(algorithms.SM4(_key(secret, purpose)), modes_of).decryptor()
    decryptor.authenticate_additional_data(_bound(head))
    try:
        return decryptor.update(sealed[:-_TAG_BYTES]) + decryptor.finalize()
    except InvalidTag:
        raise Damaged("文件已经损坏或被改动，校验不符。请从备份恢复，或重新加密。") from None


def _parts(document: bytes, purpose: str) -> tuple[dict[str, str], bytes]:
    try:
        found: dict[str, Any] = json.loads(document)
        sealed = base64.b64decode(found.pop("content"), validate=True)
        is_whole = all(isinstance(value, str) for value in found.values()) and len(bytes.fromhex(found["nonce"])) == _NONCE_BYTES
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
        raise NotSealed("文件不是加密文件，或已经残缺。请用命令重新加密。") from error
    if not is_whole or found.get("format") != FORMAT or found.get("cipher") != CIPHER or len(sealed) < _TAG_BYTES or "key" not in found:
        raise NotSealed("文件不是本门户的加密文件，或已经残缺。请用命令重新加密。")
    if found.get("purpose") != purpose:
        raise NotSealed("加密文件是为别的用途加密的，不能用在这里。请核对文件。")
    return found, sealed


def _bound(head: dict[str, str]) -> bytes:
    """What the seal also covers: everything beside the content."""
    return json.dumps(head, sort_keys=True).encode()


def _key(secret: bytes, purpose: str) -> bytes:
    return _derived(secret, f"key:{purpose}")[:_KEY_BYTES]


def _fingerprint(secret: bytes, purpose: str) -> str:
    """Tells keys apart without telling anything of the key."""
    return _derived(secret, f"fingerprint:{purpose}")[:_FINGERPRINT_BYTES].hex()


def _derived(secret: bytes, label: str) -> bytes:
    return hmac.new(secret, f"guitu:{label}".encode(), lambda: hashlib.new("sm3")).digest()
