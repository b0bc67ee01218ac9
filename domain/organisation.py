"""Organisations 单位 as administrators keep them: a tree of bureaus, districts, towns and agencies."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, func, or_, select

from domain.command import Work, command, holders_of
from domain.dictionary import dictionaries
from domain.errors import Conflict, InvalidData, NotFound
from domain.person import Organisation, Person
from domain.town import towns

KINDS = {"city": "市级部门", "district": "区级部门", "town": "街道、镇、乡", "agency": "专业机构", "enterprise": "企业单位"}
KEPT_KINDS = tuple(kind for kind in KINDS if kind != "enterprise")
"""Enterprises come with their own sign-in and are not made here."""
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class OrganisationFields:
    """What administrators say of an organisation; empty text means none."""

    name: str
    kind: str
    district_code: str = ""
    town_code: str = ""
    parent_id: int | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """An organisation in the tree, with the number of its active people and its own branches."""

    organisation: Organisation
    people: int
    branches: tuple["Branch", ...]


def offices(session: Session) -> list[Organisation]:
    """Every organisation but enterprises, by name."""
    statement = select(Organisation).where(Organisation.kind != "enterprise")
    return list(session.exec(statement.order_by(col(Organisation.kind), col(Organisation.name))).all())


def tree(session: Session) -> tuple[Branch, ...]:
    """The offices as a tree with two queries."""
    counted = select(Person.organisation_id, func.count()).where(col(Person.is_active)).group_by(Person.organisation_id)
    people = dict(session.exec(counted).all())
    rows = offices(session)
    known = {row.id for row in rows}
    return _branches(rows, people, [row for row in rows if row.parent_id not in known])


def _branches(rows: Sequence[Organisation], people: dict[int | None, int], at: Sequence[Organisation]) -> tuple[Branch, ...]:
    return tuple(
        Branch(row, people.get(row.id, 0), _branches(rows, people, [each for each in rows if each.parent_id == row.id]))
        for row in at
    )


def enterprises(session: Session, words: str, first: int, size: int) -> tuple[list[Organisation], int]:
    """Enterprises whose name or credit code holds the words, and how many there are."""
    condition = [Organisation.kind == "enterprise"]
    if words:
        condition.append(or_(col(Organisation.name).contains(words, autoescape=True),
                             col(Organisation.credit_code).contains(words.upper(), autoescape=True)))
    rows = session.exec(select(Organisation).where(*condition).order_by(col(Organisation.id).desc()).offset(first).limit(size))
    total = session.exec(select(func.count()).select_from(Organisation).where(*condition)).one()
    return list(rows.all()), total


def organisation_of(session: Session, organisation_id: int) -> Organisation:
    """One organisation. Raises NotFound."""
    found = session.get(Organisation, organisation_id)
    if found is None:
        raise NotFound("没有这个单位。请从单位列表进入。")
    return found


@command("organisation.create", allow=holders_of("system_admin"))
def create_organisation(work: Work, fields: OrganisationFields) -> Organisation:
    """Add an office to the tree."""
    _check(work.session, fields, None)
    row = Organisation(name="", kind=fields.kind)
    return _kept(work, row, fields, "create")


@command("organisation.change", allow=holders_of("system_admin"))
def change_organisation(work: Work, organisation_id: int, fields: OrganisationFields, version: int) -> Organisation:
    """Change name, kind, district, town or place in the tree of an office."""
    row = _unchanged(work.session, organisation_id, version)
    if row.kind == "enterprise":
        raise InvalidData("企业单位的名称和代码以一网通办为准，不能在这里改。请企业在一网通办更正后重新登录。")
    _check(work.session, fields, row)
    return _kept(work, row, fields, "change")


@command("organisation.set_active", allow=holders_of("system_admin"))
def set_active(work: Work, organisation_id: int, is_active: bool, version: int) -> Organisation:
    """Retire an office that is no more, or bring it back; one with active people stays."""
    row = _unchanged(work.session, organisation_id, version)
    people = work.session.exec(
        select(func.count()).select_from(Person).where(Person.organisation_id == row.id, col(Person.is_active))
    ).one()
    if not is_active and people:
        raise Conflict(f"「{row.name}」还有 {people} 个在用账号，不能停用。请先把他们调到别的单位，或停用账号。")
    row.is_active, row.version = is_active, row.version + 1
    work.record(f"organisation:{row.id}", is_active=is_active)
    return row


def _unchanged(session: Session, organisation_id: int, version: int) -> Organisation:
    row = organisation_of(session, organisation_id)
    if row.version != version:
        raise Conflict(f"「{row.name}」在你打开页面之后被改过，本次没有保存。请刷新页面后再改。")
    return row


def _kept(work: Work, row: Organisation, fields: OrganisationFields, act: str) -> Organisation:
    row.name, row.kind, row.parent_id = fields.name.strip(), fields.kind, fields.parent_id
    row.district_code, row.town_code = fields.district_code or None, fields.town_code or None
    row.version = row.version + 1 if row.id is not None else 1
    work.session.add(row)
    work.session.flush()
    work.record(f"organisation:{row.id}", act=act, name=row.name, kind=row.kind, district=row.district_code, parent=row.parent_id)
    return row


def _check(session: Session, fields: OrganisationFields, row: Organisation | None) -> None:
    wrong: dict[str, str] = {}
    if not 2 <= len(fields.name.strip()) <= LONGEST_NAME:
        wrong["name"] = f"名称要写 2 到 {LONGEST_NAME} 字"
    if fields.kind not in KEPT_KINDS:
        wrong["kind"] = "请选择单位类别"
    if fields.kind in ("district", "town") and not fields.district_code:
        wrong["district_code"] = "区级和镇级单位要写明所在区"
    if fields.district_code and fields.district_code not in {each.value for each in dictionaries()["districts"].choices}:
        wrong["district_code"] = "没有这个区"
    wrong |= _town_fault(fields) | _parent_fault(session, fields, row)
    if wrong:
        raise InvalidData(f"单位没有保存，有 {len(wrong)} 处要改：{'；'.join(wrong.values())}。", wrong)
    twin = session.exec(select(Organisation).where(Organisation.name == fields.name.strip())).first()
    if twin is not None and (row is None or twin.id != row.id):
        raise InvalidData("已有同名单位，没有保存。请核对名称，或修改原有的单位。", {"name": "已有同名单位"})


def _town_fault(fields: OrganisationFields) -> dict[str, str]:
    if fields.kind == "town" and not fields.town_code:
        return {"town_code": "镇级单位要写明街镇"}
    town = next((each for each in towns() if each.code == fields.town_code), None)
    if fields.town_code and (town is None or town.district_code != fields.district_code):
        return {"town_code": "街镇不在所选的区"}
    return {}


def _parent_fault(session: Session, fields: OrganisationFields, row: Organisation | None) -> dict[str, str]:
    """An office may not hang below itself."""
    above, seen = fields.parent_id, set()
    while above is not None:
        if row is not None and above == row.id:
            return {"parent_id": "上级单位不能是自己或自己的下级"}
        found = session.get(Organisation, above)
        if found is None or above in seen:
            return {"parent_id": "没有这个上级单位"}
        seen.add(above)
        above = found.parent_id
    return {}
