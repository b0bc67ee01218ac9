"""The six values of a land acquisition project that must balance before its house case is closed (LAND-015)."""

from collections.abc import Mapping
from typing import Any

from domain.facts import Ask, fact
from domain.ports.errors import PartnerRefused
from domain.ports.house_registration import HouseCounts

GIVES = {
    "residential_houses": "integer",
    "joint_enterprises": "integer",
    "other_enterprises": "integer",
    "expropriation_agreements": "integer",
    "replacement_agreements": "integer",
    "compensation_decisions": "integer",
    "void_papers": "integer",
    "project_title": "text",
    "registration_answer": "text",
}


@fact("house_counts", title="土地征收—补偿登记—房屋登记", gives=GIVES, outside=True)
def house_counts(ask: Ask) -> Mapping[str, Any]:
    """Count as of now; nothing for a project that is not named yet or that the registry does not know."""
    number = ask.values.get("project_number")
    if not number:
        return {}
    try:
        counts = ask.office.partners.house_registration.counts(number)
    except PartnerRefused as refusal:
        return {"registration_answer": f"没有取到数据：{refusal.text}"}
    return _facts(counts)


def _facts(counts: HouseCounts) -> dict[str, Any]:
    void = counts.void
    return {
        "residential_houses": counts.residential_house_count,
        "joint_enterprises": counts.joint_enterprise_count,
        "other_enterprises": counts.other_enterprise_count,
        "expropriation_agreements": counts.acquisition_agreement_count,
        "replacement_agreements": counts.exchange_agreement_count,
        "compensation_decisions": counts.compensation_decision_count,
        "void_papers": (
            void.acquisition_agreement_count + void.exchange_agreement_count + void.compensation_decision_count
        ),
        "project_title": counts.project_name,
        "registration_answer": "已取得",
    }
