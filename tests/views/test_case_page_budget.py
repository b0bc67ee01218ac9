"""The case page of a shipped case type keeps its budget of statements at every step, with every panel filled."""

import pytest

from tests.case_types.permit_walk import Permit
from tests.views.test_case_page import MOST_STATEMENTS
from tests.views.test_desk import counted


@pytest.fixture
def permit(database, linked, person):
    return Permit(database, person)


def asked(permit, sign_in, role, path=""):
    """The statements that the page of the case sends for the officer whose step it is in."""
    browser = sign_in(permit.officers[role])
    browser.get("/rules")
    with counted(permit.database) as statements:
        assert browser.get(f"/cases/{permit.id}{path}").status_code == 200
    return statements


def test_every_step_of_a_permit_keeps_the_budget(permit, sign_in):
    permit.filed()
    found = {"window": asked(permit, sign_in, "window")}
    permit.step("window", "window", "accept", marked="true")
    found["pre_review"] = asked(permit, sign_in, "pre_reviewer")
    permit.step("pre_reviewer", "pre_review", "pass")
    found["review"] = asked(permit, sign_in, "reviewer")
    permit.step("reviewer", "review", "pass", may_publish="true")
    permit.deliver("case_library")
    found["approve"] = asked(permit, sign_in, "approver")
    permit.step("approver", "approve", "grant")
    permit.answered()
    found["print"] = asked(permit, sign_in, "printer")
    permit.step("printer", "print", "printed")
    found["dispatch"] = asked(permit, sign_in, "dispatcher")
    over = {step: len(statements) for step, statements in found.items() if len(statements) > MOST_STATEMENTS}
    assert over == {}
