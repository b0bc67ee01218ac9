"""Who acts: a person with grants, or the system itself.

A grant is one role within one scope. Deny by default: what no grant gives is refused.
"""

from dataclasses import dataclass, field
from datetime import datetime

from domain.errors import NotAllowed


@dataclass(frozen=True, slots=True)
class Grant:
    """One role of a person, within a district or an organisation; both None means the whole city.

    `delegated_by` names the person whose authority this is while he or she is absent; such a grant
    ends at `until`.
    """

    role: str
    district_code: str | None = None
    organisation_id: int | None = None
    town_code: str | None = None
    delegated_by: int | None = None
    until: datetime | None = None

    def covers(self, district_code: str | None) -> bool:
        """True if this grant reaches the given district."""
        return self.district_code is None or self.district_code == district_code


@dataclass(frozen=True, slots=True)
class Actor:
    """The person (or the system) in whose name a command runs."""

    person_id: int | None
    name: str
    grants: tuple[Grant, ...] = field(default=())
    organisation_id: int | None = None
    is_applicant: bool = False
    is_system: bool = False
    stands_for: tuple[int, ...] = ()
    """People who are away and whose work this actor does for the time."""

    @property
    def hands(self) -> tuple[int, ...]:
        """Own id and the ids of those this actor stands in for: whose tasks it may do."""
        return () if self.person_id is None else (self.person_id, *self.stands_for)

    def has_role(self, *roles: str, district_code: str | None = None) -> bool:
        """True if some grant gives one of the roles, in that district if one is named."""
        return any(
            grant.role in roles and (district_code is None or grant.covers(district_code)) for grant in self.grants
        )

    def grant_for(self, role: str, district_code: str | None) -> Grant | None:
        """The grant by which this actor may act in the role there; an own grant before a delegated one."""
        fitting = [g for g in self.grants if g.role == role and g.covers(district_code)]
        return min(fitting, key=lambda g: g.delegated_by is not None, default=None)

    def districts(self) -> set[str] | None:
        """The district codes this actor may see; None means every district."""
        if self.is_system or any(g.district_code is None and g.organisation_id is None for g in self.grants):
            return None
        return {g.district_code for g in self.grants if g.district_code}

    def must_have(self, *roles: str, district_code: str | None = None) -> None:
        """Raise NotAllowed unless a grant gives one of the roles."""
        if not self.is_system and not self.has_role(*roles, district_code=district_code):
            raise NotAllowed("你没有办理这件事的岗位授权。需要办理的，请联系本单位的系统管理员。")


SYSTEM = Actor(person_id=None, name="系统", is_system=True)
