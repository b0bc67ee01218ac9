"""Small values handed to a browser and taken back: signed, for one purpose, for a short time.

Signed, not secret: whoever holds the browser can read them, nobody can change or prolong them.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from domain.errors import InvalidData

LONGEST = 4000
"""Browsers drop longer cookies without a word."""


def signed(key: bytes, purpose: str, document: Mapping[str, Any], at: datetime, lasts: timedelta) -> str:
    """The document as text that `opened` takes back until `lasts` has passed; ValueError if it is too long."""
    content = {"until": (at + lasts).timestamp(), "document": dict(document)}
    body = base64.urlsafe_b64encode(json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())
    text = f"{body.decode()}.{_mark(key, purpose, body)}"
    if len(text) > LONGEST:
        raise ValueError(f"a signed value of {len(text)} characters does not fit a cookie")
    return text


def opened(key: bytes, purpose: str, text: str, at: datetime) -> dict[str, Any]:
    """The document of a signed text. Raises InvalidData if it was changed, is of another purpose, or too old."""
    body, _, mark = text.partition(".")
    if not hmac.compare_digest(mark.encode(), _mark(key, purpose, body.encode()).encode()):
        raise InvalidData("浏览器带回的凭据不是本门户签发的，或已被改动。请从头再做一次。")
    content = json.loads(base64.urlsafe_b64decode(body))
    if content["until"] < at.timestamp():
        raise InvalidData("这一步等得太久，凭据已经过期。请从头再做一次。")
    return content["document"]


def _mark(key: bytes, purpose: str, body: bytes) -> str:
    return hmac.new(key, purpose.encode() + b"\0" + body, "sha256").hexdigest()
