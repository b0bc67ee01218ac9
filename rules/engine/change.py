"""One change put in a sentence, with the parts that left and came marked; the sentences stand in difference.yaml."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from .document import Block, read_document

KEPT, DELETED, INSERTED = "", "deleted", "inserted"
MARKS = {"before": DELETED, "after": INSERTED}
PLACE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    `kind` is what changed (fact, parameter, derived, flag, rule, limit, operator, condition, outcome, message, basis, moved, edition, case, set …);
    `key` the place in the file (of the older one where it was removed), `line` its line there; `parts` are
    (mark, text) with the marks "", "deleted" and "inserted", which joined make the sentence.
    """

    kind: str
    key: str
    line: int
    parts: tuple[tuple[str, str], ...]

    @property
    def sentence(self) -> str:
        return "".join(text for _, text in self.parts)

    @property
    def before(self) -> str:
        return "".join(text for mark, text in self.parts if mark == DELETED)

    @property
    def after(self) -> str:
        return "".join(text for mark, text in self.parts if mark == INSERTED)


@cache
def texts() -> Block:
    return read_document(Path(__file__).with_name("difference.yaml"))


def word(key: str) -> str:
    return texts()["words"].get(key, key)


def change(kind: str, template: str, key: str, line: int, **values: str) -> Change:
    """The change in the words of its template; `before` and `after` are the marked parts."""
    pieces = PLACE.split(texts()[template])
    parts: list[tuple[str, str]] = []
    for index, piece in enumerate(pieces):
        mark, text = (MARKS.get(piece, KEPT), values[piece]) if index % 2 else (KEPT, piece)
        if parts and parts[-1][0] == mark:
            parts[-1] = (mark, parts[-1][1] + text)
        elif text:
            parts.append((mark, text))
    return Change(kind, key, line, tuple(parts))
