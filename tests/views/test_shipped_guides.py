"""Every shipped case type has its guide, and every one that applicants start can be begun, though all partners are down."""

from starlette.testclient import TestClient

from domain import portal_clock
from tests.views.reading import heading, read, words


def shipped(office):
    return office.catalogue.all(portal_clock.today())


def test_every_case_type_has_a_guide(app, office):
    visitor = TestClient(app, base_url="http://testserver")
    found = shipped(office)
    assert found
    for definition in found:
        page = read(visitor.get(f"/hall/{definition.key}"))
        assert heading(page) == "".join(definition.title.split())
        assert definition.basis[0] in words(page.main)


def test_what_applicants_start_can_be_begun_and_looked_at(sign_in, person, office):
    client = sign_in(person("applicant", enterprise="测试水务（样例）", credit_code="91310118MA1JL00010"))
    startable = [each for each in shipped(office) if "applicant" in each.started_by]
    assert startable
    for definition in startable:
        answer = client.post(f"/hall/{definition.key}/start")
        if definition.asks_on_start:  # a gate may refuse, or wait for a partner that is down
            assert answer.status_code in (303, 422, 503), answer.text[-2000:]
            if answer.status_code != 303:
                continue
        assert answer.status_code == 303, answer.text[-2000:]
        address = answer.headers["location"]
        contents = read(client.get(address))
        for place in [each["href"] for each in contents.select("ol.tasks a")]:
            assert read(client.get(place)).h1 is not None
