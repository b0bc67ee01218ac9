"""Whole journeys of case types: cases.yaml beside each definition says who does what and where the case then stands.

    journeys:
      - name: …
        partners: {usage_control: reject}          # faults of the partners during the journey
        acts:
          - {by: applicant, fill: {field: value}, attach: [slot], do: submit, opinion: …, at: step that follows}
          - {by: dispatcher, do: dispatch, refused: words of the refusal}
          - {outside: true}                         # jobs run, messages are delivered, answers are asked for
          - {by: dispatcher, do: dispatch, ends: granted}

`by` is a role in the district of the journey, or applicant. A journey with `opens` begins with a case that the portal itself opened
with these values.
"""

from typing import Any

import pytest
import yaml

from domain import case_range
from domain.actor import SYSTEM
from domain.case import automatic
from domain.command import Work, command, system_only
from domain.demo import sample_package
from domain.errors import PortalError
from domain.exchange import results
from domain.office import office_of
from domain.portal_clock import local_date
from portal.runner import Runner
from portal.settings import PROJECT_DIR
from tests.case_types.permit_walk import LOCAL_TXT, PDF
from tests.domain.case.filing_steps import Walk

FOLDER = PROJECT_DIR / "rules" / "case_types"
DISTRICT = "310118"
PLACE = b'{"type": "FeatureCollection", "features": []}'


def journeys() -> list[Any]:
    found = []
    for path in sorted(FOLDER.glob("*/cases.yaml")):
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
        found += [pytest.param(path.parent.name, journey, id=f"{path.parent.name}: {journey['name']}") for journey in document["journeys"]]
    return found


@command("test.open", allow=system_only)
def open_automatically(work: Work, key: str, values: dict[str, Any]) -> int:
    definition = office_of(work.session).catalogue.current(key, local_date(work.at))
    case = automatic.begin(work, definition, values["district"], values, "系统立案")
    file = office_of(work.session).files.put_bytes(PLACE, "place.geojson")
    case_range.come_in(work, case, sample_package.patch(0), file, "place.geojson", "样例图斑")
    automatic.hand_on(work, case, definition)
    return case.id


class Opened(Walk):
    """A case that nobody started: the portal opened it with what came in."""

    def __init__(self, database: Any, key: str, values: dict[str, Any]) -> None:
        self.database = database
        with database.writing() as session:
            self.id = open_automatically(session, SYSTEM, key, values)


class Journey:
    """One case with the people who take part, made as the acts name them."""

    def __init__(self, database: Any, person: Any, key: str, starter: str, opens: dict[str, Any] | None = None) -> None:
        self.database, self.person, self.people = database, person, {}
        self.runner = Runner(database, database.office)
        self.walk = Opened(database, key, opens) if opens else Walk(database, self.actor(starter), key)

    def actor(self, role: str) -> Any:
        if role not in self.people:
            enterprise = {"enterprise": "样例单位", "credit_code": "91310000MA0DEM001P", "phone": "021-70000011"} if role == "applicant" else {}
            self.people[role] = self.person(role, district=None if enterprise else DISTRICT, name=role, **enterprise)
        return self.people[role]

    def act(self, step: dict[str, Any]) -> None:
        if step.get("outside"):
            self.go_outside()
            return
        actor, here = self.actor(step["by"]), self.walk.case.steps
        if "fill" in step:
            assert self.walk.fill(actor, here, **step["fill"]) == {}
        for number, slot in enumerate(step.get("attach", ())):
            content = (LOCAL_TXT, "range.txt", "text/plain") if "range" in slot else (PDF + b"%%%d" % number, f"{slot}.pdf", "application/pdf")
            self.walk.attach(slot, *content)
        self.take(actor, here, step)

    def take(self, actor: Any, here: str, step: dict[str, Any]) -> None:
        if "refused" in step:
            with pytest.raises(PortalError, match=step["refused"]):
                self.walk.act(actor, here, step["do"], step.get("opinion", "同意"))
            return
        self.walk.act(actor, here, step["do"], step.get("opinion", "同意"))

    def go_outside(self) -> None:
        while self.runner._work_at_job():
            pass
        for partner in ("usage_control", "case_library"):
            while self.runner._deliver_next(partner):
                pass
        while results.ask_next(self.database, self.database.office):
            pass
        while self.runner._work_at_job():
            pass


def test_there_are_journeys():
    assert len(journeys()) >= 5


@pytest.mark.parametrize(("key", "journey"), journeys())
def test_journey(key, journey, database, linked, person, running):
    for partner, fault in journey.get("partners", {}).items():
        running.fault(partner, fault)
    made = Journey(database, person, key, journey["acts"][0]["by"], journey.get("opens"))
    for number, step in enumerate(journey["acts"], 1):
        made.act(step)
        case = made.walk.case
        if "at" in step:
            assert (case.status, case.steps) == ("open", step["at"]), f"act {number} of {journey['name']}"
        if "ends" in step:
            assert (case.status, case.outcome) == ("closed", step["ends"]), f"act {number} of {journey['name']}"
