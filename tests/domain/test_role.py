"""Roles as data: what each may look at, and how a person's roles are said."""

import pytest

from domain import role
from domain.actor import Actor, Grant
from domain.errors import NotFound


def actor(*keys: str, delegated_by: int | None = None) -> Actor:
    return Actor(1, "样例", tuple(Grant(key, "310118", delegated_by=delegated_by) for key in keys))


def test_every_role_of_the_architecture_is_there() -> None:
    assert len(role.keys()) == 26 and {"applicant", "graphic_manager", "district_transferor", "audit_admin"} <= role.keys()


def test_administrators_see_no_cases() -> None:
    administrators = {key for key in role.roles() if role.is_administrator(key)}
    assert administrators == {"system_admin", "security_admin", "audit_admin"}
    assert not any(role.sees_cases(key) for key in administrators)


def test_applicant_is_no_staff() -> None:
    assert (
        not role.is_staff(actor("applicant"))
        and role.is_staff(actor("window"))
        and not role.is_staff(actor())
    )


def test_ledgers_and_exchange_are_for_those_who_need_them() -> None:
    assert role.may(actor("district_handler"), "ledgers") and not role.may(actor("window"), "ledgers")
    assert role.may(actor("report_admin"), "exchange") and not role.may(actor("city_viewer"), "exchange")


def test_roles_are_said_once_and_delegated_ones_are_marked() -> None:
    assert role.acts_as(actor("window", "window", "reviewer")) == "收件、审理"
    assert role.acts_as(actor("window", delegated_by=9)) == "收件（代理）"
    assert role.acts_as(Actor(1, "样例", is_applicant=True)) == "申请人"


def test_unknown_role_is_not_found() -> None:
    with pytest.raises(NotFound, match="没有岗位「boss」"):
        role.role("boss")
