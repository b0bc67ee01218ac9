"""All partners as the portal uses them, reached at one base address with one shared key."""

from domain.ports.partner import partner
from domain.ports.partners import Partners
from domain.ports.record import Observer
from integrations.case_library.client import CaseLibraryClient
from integrations.house_registration.client import HouseRegistrationClient
from integrations.http import Connection, Limits
from integrations.identity.client import IdentityClient
from integrations.map_service.client import MapServiceClient
from integrations.monitoring.client import MonitoringClient
from integrations.sharing_library.client import SharingLibraryClient
from integrations.signature import derived_secret
from integrations.survey_planning.client import SurveyPlanningClient
from integrations.tax.client import TaxClient
from integrations.usage_control.client import UsageControlClient

CLIENT_ID = "guitu"
IDENTITY_SECRET_PURPOSE = "identity client secret"


def connect_partners(
    base_url: str,
    key: bytes,
    *,
    simulated: bool,
    limits: Limits | None = None,
    observer: Observer | None = None,
) -> Partners:
    """Return a client for every partner; nothing is sent yet, and nothing ever without a base address.

    `simulated` says that the addresses are simulators: only then are numbers marked 仿真 believed, and no others.
    """

    def connection(name: str, signing_key: bytes | None = key) -> Connection:
        address = f"{base_url.rstrip('/')}/{name}" if base_url else ""
        return Connection(partner(name), address, signing_key, CLIENT_ID, limits or Limits(), observer)

    secret = derived_secret(key, IDENTITY_SECRET_PURPOSE)
    return Partners(
        identity=IdentityClient(connection("identity", None), CLIENT_ID, secret),
        usage_control=UsageControlClient(connection("usage_control"), accept_simulated=simulated),
        usage_control_city=UsageControlClient(connection("usage_control_city"), accept_simulated=simulated),
        case_library=CaseLibraryClient(connection("case_library")),
        tax=TaxClient(connection("tax")),
        house_registration=HouseRegistrationClient(connection("house_registration")),
        survey_planning=SurveyPlanningClient(connection("survey_planning")),
        monitoring=MonitoringClient(connection("monitoring")),
        sharing_library=SharingLibraryClient(connection("sharing_library")),
        map_service=MapServiceClient(connection("map_service")),
    )
