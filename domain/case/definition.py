"""The definition a case lives under: its case type, in the edition it was filed with."""

from sqlmodel import Session

from domain.case.tables import Case
from domain.office import office_of
from rules.case_type import CaseType


def case_type_of(session: Session, case: Case) -> CaseType:
    """The definition of the case, in the edition it was filed under."""
    return office_of(session).catalogue.edition(case.case_type, case.edition)
