"""Kept versions of a case's form, so that a reviewer sees what changed since the last round."""

from sqlmodel import Session, col, func, select

from domain.case.tables import Case, CaseVersion
from domain.command import Work


def keep(work: Work, case: Case, reason: str) -> CaseVersion:
    """Keep the form as it stands now."""
    latest = work.session.exec(select(func.max(CaseVersion.version_no)).where(CaseVersion.case_id == case.id)).one()
    version = CaseVersion(
        case_id=case.id,
        version_no=(latest or 0) + 1,
        reason=reason,
        at=work.at,
        person_id=work.actor.person_id,
        values=dict(case.values),
    )
    work.session.add(version)
    return version


def kept(session: Session, case_id: int) -> list[CaseVersion]:
    """All kept versions, newest first."""
    statement = select(CaseVersion).where(CaseVersion.case_id == case_id).order_by(col(CaseVersion.version_no).desc())
    return list(session.exec(statement).all())
