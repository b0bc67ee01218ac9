"""The demo permits stand at the steps they name, the demo payments show every light."""

from sqlmodel import select

from domain.actor import SYSTEM
from domain.case.tables import Case
from domain.demo import people, permit
from portal.demo import load_part


def test_demo_cases_stand_where_they_should(database):
    for name, loader in (("people", people.load), ("permit", permit.load)):
        with database.writing() as session:
            load_part(session, SYSTEM, name, loader)
    with database.reading() as session:
        cases = session.exec(select(Case).order_by(Case.id)).all()
    permits = [(each.steps, each.status) for each in cases if each.case_type == "pipeline_permit"]
    assert permits == [
        ("apply", "draft"), ("window", "open"), ("window", "correction"), ("review", "open"), ("chief_review", "open"),
        ("approve", "open"), ("print", "open"),
    ]
    lights = [each.light for each in cases if each.case_type == "payment_supervision"]
    assert lights == ["yellow", "yellow", "yellow", "black", "black"]
    assert all(each.is_demo and "样例" in each.title for each in cases)
