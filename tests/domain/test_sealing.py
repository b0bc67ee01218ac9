"""Sealed documents: opened by their key alone, every change seen, the cipher checked with gmssl."""

import base64
import json

import pytest
from gmssl.sm4 import SM4_ENCRYPT, CryptSM4

from domain import sealing
from domain.sealing import Damaged, NotSealed, WrongKey, seal, unseal

SECRET, CONTENT = b"s" * 32, "四参数：秘密".encode() * 7


def changed(document, **entries):
    return json.dumps(json.loads(document) | entries).encode()


def test_content_comes_back_and_nothing_of_it_is_readable():
    document = seal(CONTENT, SECRET, "a")
    assert unseal(document, SECRET, "a") == CONTENT
    assert CONTENT[:12] not in document and base64.b64encode(CONTENT)[:16] not in document
    assert seal(CONTENT, SECRET, "a") != document


def test_the_cipher_is_sm4_as_gmssl_computes_it():
    """In GCM block i of the key stream is the block cipher of nonce and counter i + 2."""
    entry = json.loads(seal(CONTENT, SECRET, "a"))
    cipher = CryptSM4()
    cipher.set_key(sealing._key(SECRET, "a"), SM4_ENCRYPT)
    blocks = [bytes.fromhex(entry["nonce"]) + (number + 2).to_bytes(4) for number in range(len(CONTENT) // 16 + 1)]
    stream = b"".join(bytes(cipher.one_round(cipher.sk, list(block))) for block in blocks)
    sealed = base64.b64decode(entry["content"])[:-16]
    assert bytes(a ^ b for a, b in zip(sealed, stream, strict=False)) == CONTENT


def test_another_key_is_told_from_damage():
    document = seal(CONTENT, SECRET, "a")
    with pytest.raises(WrongKey, match="密钥不对"):
        unseal(document, b"t" * 32, "a")
    with pytest.raises(NotSealed, match="别的用途"):
        unseal(document, SECRET, "b")


@pytest.mark.parametrize("place", [0, 10, -17, -1])
def test_one_changed_bit_is_seen(place):
    document = seal(CONTENT, SECRET, "a")
    content = bytearray(base64.b64decode(json.loads(document)["content"]))
    content[place] ^= 1
    with pytest.raises(Damaged, match="损坏或被改动"):
        unseal(changed(document, content=base64.b64encode(content).decode()), SECRET, "a")


def test_a_changed_nonce_or_an_added_entry_is_seen():
    document = seal(CONTENT, SECRET, "a")
    for change in ({"nonce": "00" * 12}, {"added": "1"}):
        with pytest.raises(Damaged):
            unseal(changed(document, **change), SECRET, "a")


@pytest.mark.parametrize(
    "document",
    [
        b"", b"systems: []", b"[]", b"{}", b"null", b"\xff\xfe", seal(b"", SECRET, "a")[:80],
        changed(seal(b"", SECRET, "a"), content="AA=="), changed(seal(b"", SECRET, "a"), nonce="zz"),
        changed(seal(b"", SECRET, "a"), nonce=1), changed(seal(b"", SECRET, "a"), cipher="NONE"),
    ],
)  # fmt: skip
def test_what_is_no_sealed_document_is_refused(document):
    with pytest.raises(NotSealed):
        unseal(document, SECRET, "a")
