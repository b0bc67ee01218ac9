"""All outside systems together, as the portal hands them to its commands and jobs."""

from dataclasses import dataclass

from domain.ports.case_library import CaseLibrary
from domain.ports.house_registration import HouseRegistration
from domain.ports.identity import Identity
from domain.ports.map_service import MapService
from domain.ports.monitoring import Monitoring
from domain.ports.sharing_library import SharingLibrary
from domain.ports.survey_planning import SurveyPlanning
from domain.ports.tax import Tax
from domain.ports.usage_control import UsageControl


@dataclass(frozen=True, slots=True)
class Partners:
    """One implementation for every port; `integrations.connection.connect_partners` makes it."""

    identity: Identity
    usage_control: UsageControl
    usage_control_city: UsageControl
    case_library: CaseLibrary
    tax: Tax
    house_registration: HouseRegistration
    survey_planning: SurveyPlanning
    monitoring: Monitoring
    sharing_library: SharingLibrary
    map_service: MapService
