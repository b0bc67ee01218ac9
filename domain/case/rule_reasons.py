"""Why the rules do not let a case pass, in their own words with their basis: for papers to the applicant, from what is stored."""

from collections.abc import Iterator, Mapping
from typing import Any

from sqlmodel import Session, col, func, select

from domain.case.tables import StoredDecision
from domain.case.words import words
from domain.decision import REFUSING


def rule_reasons(session: Session, case_id: int) -> str:
    """One sentence with every rule that stops the case, as the rule sets last answered about it; empty while none does."""
    newest = select(func.max(StoredDecision.id)).where(StoredDecision.case_id == case_id).group_by(StoredDecision.rule_set)
    stops = select(StoredDecision).where(col(StoredDecision.id).in_(newest), col(StoredDecision.outcome).in_(REFUSING))
    stored = session.exec(stops.order_by(col(StoredDecision.id)))
    reasons = "；".join(dict.fromkeys(reason for each in stored for reason in _reasons(each.document)))
    return f"{words('verdicts')['reasons']}{reasons}。" if reasons else ""


def _reasons(document: Mapping[str, Any]) -> Iterator[str]:
    """The fired rules that refuse, with their basis; else what the set says when it cannot tell."""
    fired = [row for row in document["fired"] if row["outcome"] in REFUSING]
    for row in fired:
        yield f"{row['message'] or row['label']}（{row['basis']}）"
    if not fired:
        yield document["message"]
