"""Follow-up survey organisation and planning information of a pipeline project (跟测、规划信息)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SurveyOrganisation:
    """The follow-up survey organisation (跟测单位); None where the source has no value."""

    name: str | None
    qualification_number: str | None
    contact_name: str | None
    contact_phone: str | None


@dataclass(frozen=True, slots=True)
class PlanningInformation:
    """What planning says about the pipeline; lengths in metres; None where the source has no value."""

    approval_number: str | None
    road_name: str | None
    road_red_line_width_m: Decimal | None
    pipeline_category: str | None
    length_m: Decimal | None
    diameter_mm: Decimal | None
    voltage_kv: Decimal | None
    in_heritage_area: bool | None
    in_rail_protection_zone: bool | None


@dataclass(frozen=True, slots=True)
class PipelineProject:
    """Everything that prefills the form of a pipeline project."""

    project_code: str
    project_name: str
    survey: SurveyOrganisation
    planning: PlanningInformation
    answered_at: datetime


class SurveyPlanning(Protocol):
    """The survey and planning data services as the portal uses them."""

    def pipeline_project(self, project_code: str, *, correlation_id: str | None = None) -> PipelineProject:
        """Return what is known of a pipeline project. Raises PartnerRefused for an unknown code."""
