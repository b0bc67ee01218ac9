"""Personal data and secrets blacked out of texts and documents that are kept or shown beside their case."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

PERSONAL_FIELDS = (
    "handler_name",
    "handler_phone",
    "legal_representative",
    "contact_name",
    "contact_phone",
    "applicant_name",
    "applicant_code",
    "address",
)
SECRET_FIELDS = (
    "password",
    "client_secret",
    "code",
    "code_verifier",
    "access_token",
    "id_token",
    "id_token_hint",
    "refresh_token",
)

_MASK = "＊＊＊"
_NAMES = "|".join((*PERSONAL_FIELDS, *(name for name in SECRET_FIELDS if name != "code")))
# The closing quote may be missing: an answer that was cut off is blacked out as well.
_JSON = re.compile(rf'("(?:{_NAMES})"\s*:\s*)"(?:\\.|[^"\\])*"?')
_FORM = re.compile(rf"((?:^|[?&])(?:{_NAMES}|code)=)[^&\s]*")
_MULTIPART = re.compile(rf'(name="(?:{_NAMES})"\r\n\r\n)[^\r]*')
_IDENTITY_NUMBER = re.compile(r"(?<![0-9A-Za-z])[0-9]{17}[0-9Xx](?![0-9A-Za-z])")
_MOBILE_NUMBER = re.compile(r"(?<![0-9])1[3-9][0-9]{9}(?![0-9])")


def redact(text: str) -> str:
    """Return the text with names, phones, addresses, identity numbers, passwords and tokens blacked out.

    Works on JSON (whole or cut off), form fields and query strings; in any other text identity numbers and
    mobile numbers are found by their shape.
    """
    text = _JSON.sub(rf'\1"{_MASK}"', text)
    text = _MULTIPART.sub(rf"\1{_MASK}", text)
    text = _FORM.sub(rf"\1{_MASK}", text)
    text = _IDENTITY_NUMBER.sub(_MASK, text)
    return _MOBILE_NUMBER.sub(_MASK, text)


def readable(body: bytes, limit: int = 2000) -> str:
    """Return the beginning of a body as redacted text, or its size when it is not text."""
    try:
        text = body[: limit * 4].decode("utf-8")
    except UnicodeDecodeError as error:
        # A cut in the middle of a character is no sign of a binary body.
        if error.start < min(len(body), limit * 4) - 3:
            return f"（二进制内容，{len(body)} 字节）"
        text = body[: error.start].decode("utf-8")
    return redact(text)[:limit]


def redact_document(value: Any) -> Any:
    """A copy of a JSON document with personal and secret fields blacked out, and numbers of persons in its texts."""
    if isinstance(value, Mapping):
        return {key: _MASK if _is_hidden(key, item) else redact_document(item) for key, item in value.items()}
    if isinstance(value, str):
        return _MOBILE_NUMBER.sub(_MASK, _IDENTITY_NUMBER.sub(_MASK, value))
    if isinstance(value, Sequence):
        return [redact_document(item) for item in value]
    return value


def _is_hidden(key: str, value: Any) -> bool:
    """An empty value hides nothing; `code` is a secret only in forms, in documents it is the code of an error."""
    return bool(value) and key in {*PERSONAL_FIELDS, *SECRET_FIELDS} - {"code"}
