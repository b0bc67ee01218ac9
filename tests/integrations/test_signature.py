"""Signed messages: what is accepted and every way to be refused."""

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from integrations.signature import (
    REPLAY_WINDOW_SECONDS,
    SignatureFault,
    body_digest,
    derived_secret,
    load_key,
    signature_headers,
    verify_signature,
)

KEY = b"k" * 32
NOW = datetime(2026, 7, 1, 8, 0, tzinfo=UTC)
DIGEST = body_digest([b"one", b"two"])


def headers(now=NOW):
    return signature_headers("guitu", KEY, "POST", "/tax/payments?x=1", DIGEST, now)


def verify(given, *, method="POST", path="/tax/payments?x=1", digest=DIGEST, keys=None, now=NOW):
    return verify_signature(keys or {"guitu": KEY}, method, path, given, digest, now)


def test_a_message_proves_who_signed_it_and_when():
    given = headers()
    signed = verify(given)
    assert (signed.key_id, signed.signed_at) == ("guitu", NOW)
    assert signed.nonce == given["x-guitu-nonce"]


def test_header_names_ignore_case():
    assert verify({name.title(): value for name, value in headers().items()}).key_id == "guitu"


def test_the_digest_is_sm3():
    # GB/T 32905-2016, appendix A, example 1.
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert body_digest([b"a", b"bc"]) == expected


@pytest.mark.parametrize(
    "change",
    [
        {"method": "GET"},
        {"path": "/tax/payments?x=2"},
        {"path": "/tax/payments"},
        {"digest": body_digest([b"other"])},
        {"keys": {"guitu": b"o" * 32}},
    ],
)
def test_whatever_is_changed_breaks_the_signature(change):
    with pytest.raises(SignatureFault) as fault:
        verify(headers(), **change)
    assert fault.value.reason == "bad_signature"


@pytest.mark.parametrize("name", ["x-guitu-timestamp", "x-guitu-nonce"])
def test_time_and_nonce_are_signed_too(name):
    with pytest.raises(SignatureFault) as fault:
        verify({**headers(), name: "1782892801"})
    assert fault.value.reason == "bad_signature"


@pytest.mark.parametrize("name", list(headers()))
def test_every_header_is_needed(name):
    given = headers()
    del given[name]
    with pytest.raises(SignatureFault, match=name) as fault:
        verify(given)
    assert fault.value.reason == "missing_header"


def test_an_unknown_key_is_named():
    with pytest.raises(SignatureFault, match="guitu") as fault:
        verify(headers(), keys={"other": KEY})
    assert fault.value.reason == "unknown_key"


@pytest.mark.parametrize("seconds", [-REPLAY_WINDOW_SECONDS, 0, REPLAY_WINDOW_SECONDS])
def test_within_the_replay_window_it_is_fresh(seconds):
    assert verify(headers(), now=NOW + timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-REPLAY_WINDOW_SECONDS - 1, REPLAY_WINDOW_SECONDS + 1])
def test_outside_the_replay_window_it_is_stale(seconds):
    with pytest.raises(SignatureFault) as fault:
        verify(headers(), now=NOW + timedelta(seconds=seconds))
    assert fault.value.reason == "stale"


def test_a_key_is_made_once_and_kept_private(tmp_path):
    path = tmp_path / "var" / "partners.key"
    key = load_key(path)
    assert len(key) == 64 and load_key(path) == key
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["partners.key"]


def test_two_that_start_together_get_the_same_key(tmp_path):
    path = tmp_path / "partners.key"
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: load_key(path), range(16)))
    assert len(keys) == 1


def test_a_short_key_is_refused(tmp_path):
    path = tmp_path / "partners.key"
    path.write_text("short")
    with pytest.raises(ValueError, match="少于 32 个字符"):
        load_key(path)


def test_derived_secrets_differ_by_purpose_and_key():
    secrets = {derived_secret(key, purpose) for key in (KEY, b"o" * 32) for purpose in ("a", "b")}
    assert len(secrets) == 4
