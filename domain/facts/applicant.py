"""Who files, as the city's identity service said at the sign-in."""

from collections.abc import Mapping
from typing import Any

from domain.facts import Ask, fact
from domain.person import Organisation, Person

GIVES = {
    "organisation_name": "text",
    "credit_code": "text",
    "legal_representative": "text",
    "handler_name": "text",
    "handler_phone": "text",
    "address": "text",
}


@fact("applicant_identity", title="一网通办登录信息", gives=GIVES)
def applicant_identity(ask: Ask) -> Mapping[str, Any]:
    """The enterprise and the person acting for it; None where the service has no value."""
    case, session = ask.case, ask.session
    organisation = session.get(Organisation, case.organisation_id) if case.organisation_id else None
    person = session.get(Person, case.applicant_id) if case.applicant_id else None
    detail = organisation.detail if organisation else {}
    return {
        "organisation_name": organisation.name if organisation else None,
        "credit_code": organisation.credit_code if organisation else None,
        "legal_representative": detail.get("legal_representative"),
        "handler_name": person.name if person else None,
        "handler_phone": person.phone if person else None,
        "address": detail.get("address"),
    }
