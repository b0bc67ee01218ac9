"""How a case ended, as its page shows it first: the outcome, who decided, the papers with their proof, the snapshot."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import select

from domain.case.tables import CaseEvent, CaseSnapshot
from domain.case.words import status_words
from domain.document.register import documents_of_case
from views.case_head import Opened


@dataclass(frozen=True)
class Ending:
    """What templates/cases/_ending.html reads; `snapshot` is None for a case that was given up before any decision."""

    outcome: str
    at: datetime | None
    last: CaseEvent | None
    papers: tuple[Mapping[str, Any], ...]
    snapshot: CaseSnapshot | None


def ending_of(one: Opened, events: Sequence[CaseEvent]) -> Ending | None:
    """The ending of a closed case, from its events newest first; None while the case is open."""
    if one.case.status != "closed":
        return None
    return Ending(
        outcome=status_words(one.case),
        at=one.case.closed_at,
        last=next((event for event in events if event.step), None),
        papers=tuple(_papers(one)),
        snapshot=one.session.exec(select(CaseSnapshot).where(CaseSnapshot.case_id == one.case.id)).first(),
    )


def _papers(one: Opened) -> list[Mapping[str, Any]]:
    """The papers, the one issued last first: it is the result."""
    return [
        {
            "label": document.label, "number": document.number or "", "is_valid": document.status == "issued",
            "href": one.url("document_file", document_id=document.id), "size_bytes": version.size_bytes,
            "code": version.code, "verify_href": one.url("verify_code", code=version.code),
        }
        for document, version in reversed(documents_of_case(one.session, one.case.id))
    ]  # fmt: skip
