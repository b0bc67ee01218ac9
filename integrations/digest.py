"""The digest that goes with a message, so that both sides know whether two are the same."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any


def content_digest(content: Mapping[str, Any]) -> str:
    """Return the SM3 of a message without its digest: JSON with sorted names, no spaces, UTF-8."""
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.new("sm3", text.encode("utf-8")).hexdigest()
