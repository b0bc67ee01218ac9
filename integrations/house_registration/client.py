"""Client of the house registration module."""

from domain.ports.house_registration import HouseCounts, VoidCounts
from integrations.answer import Fields, read_envelope
from integrations.http import Connection


class HouseRegistrationClient:
    """Asks the house registration module over HTTP."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def counts(self, project_number: str, *, correlation_id: str | None = None) -> HouseCounts:
        """Return the counts of a project as they are now."""
        query = {"project_number": project_number}
        answer = self._connection.get("/counts", query, correlation_id=correlation_id)
        fields = read_envelope(self._connection.partner, answer)
        counts = _read_counts(fields)
        if counts.project_number != project_number:
            fields.fail("project_number", f"不是所查的 {project_number}")
        return counts


def _read_counts(fields: Fields) -> HouseCounts:
    counts = HouseCounts(
        project_number=fields.text("project_number"),
        project_name=fields.text("project_name"),
        residential_house_count=fields.count("residential_house_count"),
        joint_enterprise_count=fields.count("joint_enterprise_count"),
        other_enterprise_count=fields.count("other_enterprise_count"),
        acquisition_agreement_count=fields.count("acquisition_agreement_count"),
        exchange_agreement_count=fields.count("exchange_agreement_count"),
        compensation_decision_count=fields.count("compensation_decision_count"),
        void=_read_void(fields.object("void")),
        counted_at=fields.moment("counted_at"),
    )
    fields.done()
    return counts


def _read_void(fields: Fields) -> VoidCounts:
    void = VoidCounts(
        acquisition_agreement_count=fields.count("acquisition_agreement_count"),
        exchange_agreement_count=fields.count("exchange_agreement_count"),
        compensation_decision_count=fields.count("compensation_decision_count"),
    )
    fields.done()
    return void
