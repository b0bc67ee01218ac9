"""Roles 岗位 as data: reference/roles.yaml says what they are called, their level, and what they see."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from domain.actor import Actor
from domain.errors import NotFound
from rules.engine.document import Block, read_document

FILE = Path(__file__).parent / "reference" / "roles.yaml"
LEVELS = ("public", "town", "district", "city", "staff", "system")
RIGHTS = ("cases", "ledgers", "exchange", "administer", "inspections", "inspect", "except", "admit", "lay_out", "layers")


@dataclass(frozen=True, slots=True)
class Role:
    """One role: key, what it is called, its level, and what it may look at."""

    key: str
    label: str
    level: str
    may: frozenset[str]


@functools.cache
def roles() -> Mapping[str, Role]:
    """Every role by its key, in file order. Raises ValueError for a level or right that does not exist."""
    rows = read_document(FILE)["roles"]
    return MappingProxyType({row["key"]: _role(row) for row in rows})


def _role(row: Block) -> Role:
    if row["level"] not in LEVELS or not set(row["may"]) <= set(RIGHTS):
        raise ValueError(
            f"岗位 {row['key']} 的 level 或 may 不在约定的取值内。请改正 roles.yaml 第 {row.line} 行。"
        )
    return Role(row["key"], row["label"], row["level"], frozenset(row["may"]))


def keys() -> frozenset[str]:
    """The keys of all roles."""
    return frozenset(roles())


def role(key: str) -> Role:
    """The role of this key. Raises NotFound."""
    found = roles().get(key)
    if found is None:
        raise NotFound(f"没有岗位「{key}」。请核对岗位名称。")
    return found


def role_label(key: str) -> str:
    """What a role is called. Raises NotFound."""
    return role(key).label


def sees_cases(key: str) -> bool:
    """True if holders of the role may look at the cases of their scope, beside those in their hands."""
    return "cases" in role(key).may


def is_administrator(key: str) -> bool:
    """True for the three administrators' roles, which are never passed on."""
    return "administer" in role(key).may


def is_any_administrator(actor: Actor) -> bool:
    """True if the actor holds one of the three administrators' roles."""
    return any(is_administrator(grant.role) for grant in actor.grants)


def is_staff(actor: Actor) -> bool:
    """True if the actor works in an office: holds any role but the applicant's."""
    return any(role(grant.role).level != "public" for grant in actor.grants)


def handles_cases(actor: Actor) -> bool:
    """True for staff with work on cases or rules: anybody but those who only administer the portal."""
    return any(role(grant.role).level not in ("public", "system") for grant in actor.grants)


def may(actor: Actor, right: str, district_code: str | None = None) -> bool:
    """True if one of the actor's roles gives the right, in that district if one is named."""
    return any(
        right in role(grant.role).may and (district_code is None or grant.covers(district_code))
        for grant in actor.grants
    )


def acts_as(actor: Actor) -> str:
    """The actor's roles in words, each once; what is held for an absent colleague is marked."""
    words = [
        role_label(grant.role) + ("（代理）" if grant.delegated_by is not None else "")
        for grant in actor.grants
    ]
    return "、".join(dict.fromkeys(words)) or ("申请人" if actor.is_applicant else "")
