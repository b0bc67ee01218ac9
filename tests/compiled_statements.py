"""Statements that are compiled once a process, not once for the database of every test.

SQLAlchemy keeps what it compiled for one engine; every test has an engine of its own. What comes out depends on the
statement and on the kind of dialect alone, so that dialects of one kind count as equal here.
"""

from typing import Any

from sqlalchemy.engine import Dialect, Engine
from sqlalchemy.util import LRUCache

_KEPT = 4_000
_compiled: dict[type[Dialect], LRUCache[Any, Any]] = {}


def share(engine: Engine) -> None:
    """Let an engine find what engines of its kind compiled before."""
    kind = type(engine.dialect)
    if kind not in _compiled:
        _compiled[kind] = LRUCache(_KEPT)
        kind.__eq__ = lambda one, other: type(one) is type(other)
        kind.__hash__ = lambda one: hash(type(one))
    engine.update_execution_options(compiled_cache=_compiled[kind])
